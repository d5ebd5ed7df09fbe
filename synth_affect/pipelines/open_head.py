"""The head model that a name or a file stands for."""

from __future__ import annotations

import hashlib
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from synth_affect.data.atomic import atomic_write
from synth_affect.errors import FitError, InputError
from synth_affect.fitting.landmarks import LandmarkDetector
from synth_affect.heads.archive import load_head, save_head
from synth_affect.heads.cc0 import load_cc0
from synth_affect.heads.model import HeadModel

if TYPE_CHECKING:
    from synth_affect.pipelines.embed_landmarks import Progress

DEFAULT = "cc0"
CONVERSION = 1
"""Of our reading of foreign models: a file in the cache that an older reading made is made anew."""


def open_head(name: str) -> HeadModel:
    """`cc0`, the path of a head that `save_head` packed, or that of ICT-FaceKit's packed arrays.

    A foreign model is converted at its first use, which takes some ten seconds, and kept in the user's cache.
    Raises InputError when the file is absent, damaged or neither.
    """
    if name == DEFAULT:
        return load_cc0()
    path = Path(name)
    if not _is_foreign(path):
        return load_head(path)
    cached = _cache_path(path)
    if cached.is_file():
        try:
            return load_head(cached)
        except InputError:  # damaged by another hand: it is only a copy
            cached.unlink(missing_ok=True)
    return _kept(convert_ict(path), cached)


def prepare_head(name: str, progress: Progress) -> None:
    """Do now, and show, what `open_head` would do at a model's first use. Raises InputError as `open_head`."""
    path = Path(name)
    if name != DEFAULT and _is_foreign(path) and not (cached := _cache_path(path)).is_file():
        _kept(convert_ict(path, progress=progress), cached)


def _kept(head: HeadModel, cached: Path) -> HeadModel:
    """The head as it will be read from the cache, where float16 rounds it; as it is where nothing can be kept."""
    try:
        cached.parent.mkdir(parents=True, exist_ok=True)
        with atomic_write(cached) as file:
            save_head(head, file)
    except (OSError, InputError):
        return head  # converted again each time
    return load_head(cached)


def convert_ict(
    path: Path, detector: LandmarkDetector | None = None, progress: Progress = lambda items, count: items
) -> HeadModel:
    """ICT-FaceKit's packed arrays with MediaPipe's landmarks embedded; its own 68 points stay.

    Raises InputError as `load_ict`, and when no face is seen in its renderings.
    """
    # Here, because they bring scipy, which the packaged head does without.
    from synth_affect.heads.ict import load_ict
    from synth_affect.pipelines.embed_landmarks import embed_landmarks

    head = load_ict(path)
    if detector is None:
        from synth_affect.fitting.mediapipe_detector import MediaPipeDetector

        with MediaPipeDetector() as opened:
            return convert_ict(path, opened, progress)
    try:
        return replace(head, landmarks_478=embed_landmarks(head, detector, progress))
    except FitError as error:
        raise InputError(path, f"its landmarks cannot be embedded ({error})") from error


def _is_foreign(path: Path) -> bool:
    """Whether the npz has ICT's arrays and not ours; of what is no npz, `load_head` speaks."""
    try:
        with zipfile.ZipFile(path) as archive:
            members = set(archive.namelist())
    except (OSError, zipfile.BadZipFile):
        return False
    return "polygons.npy" in members and "meta.npy" not in members


def _cache_path(path: Path) -> Path:
    import pooch

    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()[:16]
    return Path(pooch.os_cache("synth-affect")) / "heads" / f"ict-{CONVERSION}-{digest}.npz"
