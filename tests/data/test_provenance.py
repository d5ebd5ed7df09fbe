"""The packet and the sidecar: well-formed, complete, the same bytes for the same facts."""

from __future__ import annotations

import hashlib
import json
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from synth_affect.data.provenance import (
    DIGITAL_SOURCE_TYPE,
    XMP_NAMESPACE,
    Provenance,
    sha256_file,
    sidecar,
    sidecar_path,
    xmp_packet,
)
from synth_affect.errors import InputError

RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
IPTC = "{http://iptc.org/std/Iptc4xmpExt/2008-02-29/}"
XMP = "{http://ns.adobe.com/xap/1.0/}"
OWN = f"{{{XMP_NAMESPACE}}}"

PROVENANCE = Provenance(
    request={"valence": 0.6, "arousal": -0.25, "category": 'a < b & "c" é \x00 ]]>'},
    version="1.2.3",
    head="my <head> & \x01 co",
    input_sha256="ab" * 32,
)


def properties(packet: bytes) -> dict[str, str | None]:
    description = ET.fromstring(packet).find(f"{RDF}RDF/{RDF}Description")
    assert description is not None
    return {element.tag: element.text for element in description}


def test_packet_says_that_the_picture_is_synthetic_and_what_was_asked() -> None:
    found = properties(xmp_packet(PROVENANCE))
    assert DIGITAL_SOURCE_TYPE.endswith("/compositeSynthetic")
    assert found[f"{IPTC}DigitalSourceType"] == DIGITAL_SOURCE_TYPE
    assert found[f"{XMP}CreatorTool"] == "synth-affect 1.2.3"
    assert json.loads(found[f"{OWN}Request"] or "") == PROVENANCE.request
    assert found[f"{OWN}HeadModel"] == "my <head> & � co"
    assert found[f"{OWN}InputSha256"] == "ab" * 32
    assert f"{XMP}CreateDate" not in found


def test_a_date_stands_in_the_outputs_only_where_it_is_given() -> None:
    dated = Provenance(PROVENANCE.request, "1.2.3", "cc0", "00", created="2024-05-01")
    assert properties(xmp_packet(dated))[f"{XMP}CreateDate"] == "2024-05-01"
    assert json.loads(sidecar(dated, output=Path("x.png"), fit={}))["created"] == "2024-05-01"
    assert "created" not in json.loads(sidecar(PROVENANCE, output=Path("x.png"), fit={}))


def test_the_order_of_the_request_does_not_change_the_bytes() -> None:
    turned = Provenance(dict(reversed(list(PROVENANCE.request.items()))), "1.2.3", PROVENANCE.head, "ab" * 32)
    assert xmp_packet(turned) == xmp_packet(PROVENANCE)
    assert sidecar(turned, output=Path("a/x.png"), fit={"b": 1, "a": 2}) == sidecar(
        PROVENANCE, output=Path("b/x.png"), fit={"a": 2, "b": 1}
    )


def test_sidecar_is_json_with_the_fit_and_a_line_end() -> None:
    written = sidecar(PROVENANCE, output=Path("folder/face.png"), fit={"residual_iod": 0.02})
    assert written.endswith(b"}\n")
    assert json.loads(written) == {
        "format": "synth-affect sidecar",
        "format_version": 1,
        "digital_source_type": DIGITAL_SOURCE_TYPE,
        "software": "synth-affect",
        "version": "1.2.3",
        "head": PROVENANCE.head,
        "input_sha256": "ab" * 32,
        "output": "face.png",
        "request": PROVENANCE.request,
        "fit": {"residual_iod": 0.02},
    }


def test_a_request_is_copied_and_must_be_json() -> None:
    request = {"point": (0.5, 0.5)}
    provenance = Provenance(request, "1", "cc0", "00")
    request["point"] = (0.0, 0.0)
    assert provenance.request == {"point": [0.5, 0.5]}
    with pytest.raises(ValueError, match="not JSON compliant"):
        Provenance({"valence": float("nan")}, "1", "cc0", "00")
    with pytest.raises(TypeError, match="not JSON serializable"):
        Provenance({"path": Path()}, "1", "cc0", "00")


def test_sidecar_lies_beside_its_picture() -> None:
    assert sidecar_path(Path("a/face.png")) == Path("a/face.png.json")


def test_sha256_of_a_file(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"content" * 100_000)
    assert sha256_file(path) == hashlib.sha256(b"content" * 100_000).hexdigest()
    with pytest.raises(InputError, match=r"absent: cannot be read \(No such file or directory\)"):
        sha256_file(tmp_path / "absent")
