"""What every output says about itself: that it is synthetic, what was asked for, and by what it was made."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from synth_affect.errors import InputError

DIGITAL_SOURCE_TYPE = "http://cv.iptc.org/newscodes/digitalsourcetype/compositeSynthetic"
"""IPTC's term for a picture of captured and synthetic elements."""

XMP_NAMESPACE = "urn:synth-affect:xmp:1"
"""Namespace of the properties `Request`, `HeadModel` and `InputSha256`."""

_SIDECAR_FORMAT = 1


@dataclass(frozen=True, slots=True)
class Provenance:
    """What a synthetic picture was made from.

    request : what was asked for, JSON values.
    version : of synth-affect.  head : name of the head model.
    input_sha256 : of the input file, hexadecimal.
    created : ISO 8601 date, or None; None by default, because the same inputs give the same bytes.
    Raises ValueError or TypeError when the request is not JSON (NaN is not).
    """

    request: Mapping[str, Any]
    version: str
    head: str
    input_sha256: str
    created: str | None = None

    def __post_init__(self) -> None:
        # The value's own copy, and what a reader of the file will get: tuples are lists.
        object.__setattr__(self, "request", json.loads(json.dumps(dict(self.request), allow_nan=False)))


def xmp_packet(provenance: Provenance) -> bytes:
    """The XMP packet, UTF-8, that is embedded in a picture.

    It is the output's only packet. That of the input is not copied: it may say that the picture came straight from a
    camera, carry a history and signatures that no longer hold, and a thumbnail of the face before.
    """
    created = f"\n   <xmp:CreateDate>{_text(provenance.created)}</xmp:CreateDate>" if provenance.created else ""
    packet = f"""<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/">
 <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <rdf:Description rdf:about=""
    xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
    xmlns:xmp="http://ns.adobe.com/xap/1.0/"
    xmlns:synthaffect="{XMP_NAMESPACE}">
   <Iptc4xmpExt:DigitalSourceType>{DIGITAL_SOURCE_TYPE}</Iptc4xmpExt:DigitalSourceType>
   <xmp:CreatorTool>{_text(f"synth-affect {provenance.version}")}</xmp:CreatorTool>{created}
   <synthaffect:Request>{_text(json.dumps(provenance.request, sort_keys=True))}</synthaffect:Request>
   <synthaffect:HeadModel>{_text(provenance.head)}</synthaffect:HeadModel>
   <synthaffect:InputSha256>{_text(provenance.input_sha256)}</synthaffect:InputSha256>
  </rdf:Description>
 </rdf:RDF>
</x:xmpmeta>
<?xpacket end="w"?>"""
    return packet.encode()


def sidecar(provenance: Provenance, *, output: Path, fit: Mapping[str, Any]) -> bytes:
    """The JSON file that lies beside the picture `output`: the packet's facts and a summary of the fit.

    fit : JSON values.  The same facts give the same bytes.
    """
    content = {
        "format": "synth-affect sidecar",
        "format_version": _SIDECAR_FORMAT,
        "digital_source_type": DIGITAL_SOURCE_TYPE,
        "software": "synth-affect",
        "version": provenance.version,
        "head": provenance.head,
        "input_sha256": provenance.input_sha256,
        "output": output.name,
        "request": provenance.request,
        "fit": dict(fit),
    }
    if provenance.created:
        content["created"] = provenance.created
    return (json.dumps(content, indent=2, sort_keys=True, allow_nan=False) + "\n").encode()


def sidecar_path(output: Path) -> Path:
    """face.png -> face.png.json"""
    return output.with_name(output.name + ".json")


def sha256_file(path: Path) -> str:
    """Of the file's bytes, hexadecimal."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise InputError(path, f"cannot be read ({error.strerror})") from error
    except ValueError as error:  # a name with a NUL
        raise InputError(path, f"cannot be read ({error})") from error


_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def _text(content: str) -> str:
    """As the text of an XML element; characters that XML cannot hold at all become U+FFFD."""
    return escape(_NOT_XML.sub("\ufffd", content))
