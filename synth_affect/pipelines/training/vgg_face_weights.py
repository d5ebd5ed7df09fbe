"""VGG-Face's convolutions: from the user's file to safetensors, and from either into memory."""

from __future__ import annotations

import json
from pathlib import Path

from synth_affect.data.atomic import atomic_write, check_writable
from synth_affect.errors import InputError
from synth_affect.optional import import_optional
from synth_affect.regressors.networks import EXTRA
from synth_affect.regressors.vgg_face import LICENCE, VggFace, check_vgg_face, read_vgg_face
from synth_affect.regressors.weight_file import SUFFIX

FORMAT = "synth-affect/vgg-face/1"


def convert_vgg_face(path: Path, out: Path) -> str:
    """Write the safetensors file, and return the sha256 of the file that it is from, which stands in it, too."""
    if out.suffix != SUFFIX:
        raise InputError(out, f"weights are written as {SUFFIX}")
    check_writable(out, [path])
    safetensors = import_optional("safetensors.torch", EXTRA)
    found = read_vgg_face(path)
    about = {"format": FORMAT, "from_sha256": found.sha256, "licence": LICENCE}
    with atomic_write(out) as file:
        file.write(safetensors.save({k: t.contiguous() for k, t in found.weights.items()}, about))
    return found.sha256


def open_vgg_face(path: Path) -> VggFace:
    """Of either kind of file. Raises InputError when it is neither."""
    if path.suffix != SUFFIX:
        return read_vgg_face(path)
    safetensors = import_optional("safetensors.torch", EXTRA)
    try:
        content = path.read_bytes()
        weights = safetensors.load(content)
        # Behind 8 bytes of length comes a JSON header, in which the metadata are.
        about = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")]).get("__metadata__", {})
    except OSError as error:
        raise InputError(path, f"cannot be read ({error.strerror or error})") from error
    except Exception as error:  # safetensors' own error is of no public class
        raise InputError(
            path, f"is no safetensors file ({(str(error) or type(error).__name__).splitlines()[0]})"
        ) from None
    if about.get("format") != FORMAT:
        raise InputError(path, "was not made by synth-affect train vgg-face-weights")
    check_vgg_face(weights, path)
    return VggFace(weights, about.get("from_sha256", ""))
