"""The head model that a name or a file stands for."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from synth_affect.data.atomic import atomic_write
from synth_affect.errors import FitError, InputError, ShapeError
from synth_affect.fitting.landmarks import LandmarkDetector
from synth_affect.heads.archive import load_head, save_head
from synth_affect.heads.cc0 import load_cc0
from synth_affect.heads.model import HeadModel

if TYPE_CHECKING:
    from synth_affect.pipelines.embed_landmarks import Progress

DEFAULT = "cc0"
MOST_ASYMMETRY_MM = 8.0
"""Of landmarks, on a mean head."""
CONVERSION = 2
"""Of our reading of foreign models: a file in the cache that an older reading made is made anew."""


def open_head(name: str, progress: Progress = lambda items, count: items) -> HeadModel:
    """`cc0`, another name of the catalogue once it is installed, or the path of a model that `recognise` knows.

    A foreign model is converted at its first use, which takes half a minute, and kept in the user's cache.
    Raises InputError when the model is not installed, or the file is absent, damaged or none.
    """
    if name == DEFAULT:
        return load_cc0()
    path = _file_of(name)
    if _is_packed(path):
        return load_head(path)
    cached = _cache_path(path)
    if cached.is_file():
        try:
            return load_head(cached)
        except InputError:  # damaged by another hand: it is only a copy
            cached.unlink(missing_ok=True)
    return _kept(convert_head(path, progress=progress), cached)


def prepare_head(name: str, progress: Progress) -> None:
    """Do now, and show, what `open_head` would do at a model's first use. Raises InputError as `open_head`."""
    if name == DEFAULT:
        return
    path = _file_of(name)
    if not _is_packed(path) and not (cached := _cache_path(path)).is_file():
        _kept(convert_head(path, progress=progress), cached)


def installed_path(name: str) -> Path:
    """Where a model of the catalogue lies once it is downloaded."""
    from synth_affect.heads.catalogue import CATALOGUE

    return user_cache() / "models" / name / CATALOGUE[name].file


def user_cache() -> Path:
    """The folder of what can be made or fetched again."""
    import pooch

    return Path(pooch.os_cache("synth-affect"))


def convert_head(
    path: Path, detector: LandmarkDetector | None = None, progress: Progress = lambda items, count: items
) -> HeadModel:
    """A foreign model as a whole `HeadModel`: what it lacks of landmarks, regions, eyes, mouth and units is added.

    Raises InputError when the file is absent, damaged or none, and when no face is seen in its renderings.
    """
    # Here, because they bring scipy, which the packaged head does without.
    from synth_affect.heads.formats import FOREIGN, ICT, recognise
    from synth_affect.heads.ict import load_ict
    from synth_affect.pipelines.embed_landmarks import asymmetry_mm, embed_landmarks
    from synth_affect.pipelines.foreign_head.furnish import furnish_head

    if detector is None:
        from synth_affect.fitting.mediapipe_detector import MediaPipeDetector

        with MediaPipeDetector() as opened:
            return convert_head(path, opened, progress)
    kind = recognise(path)
    try:
        if kind == ICT:
            head = load_ict(path)
            head = replace(head, landmarks_478=embed_landmarks(head, detector, progress))
        else:
            head = furnish_head(FOREIGN[kind](path), detector, progress)
        if (asymmetry := asymmetry_mm(head, head.landmarks_478)) > MOST_ASYMMETRY_MM:
            raise FitError(f"one lies {asymmetry:.0f} mm from its counterpart's mirror image")
        return head
    except FitError as error:
        raise InputError(path, f"its landmarks cannot be embedded ({error})") from error
    except ShapeError as error:
        raise InputError(path, f"not a face that can be furnished ({error})") from error


def _file_of(name: str) -> Path:
    from synth_affect.heads.catalogue import CATALOGUE

    path = Path(name)
    entry = CATALOGUE.get(name)
    if entry is None or path.exists():
        return path
    if not entry.url:
        raise InputError(name, f"register at {entry.page}, and give the path of your {entry.file}")
    found = installed_path(name)
    if not found.is_file():
        raise InputError(name, f"not installed; synth-affect models get {name}")
    return found


def _is_packed(path: Path) -> bool:
    from synth_affect.heads.formats import PACKED, recognise

    return recognise(path) == PACKED


def _kept(head: HeadModel, cached: Path) -> HeadModel:
    """The head as it will be read from the cache, where float16 rounds it; as it is where nothing can be kept."""
    try:
        cached.parent.mkdir(parents=True, exist_ok=True)
        with atomic_write(cached) as file:
            save_head(head, file)
    except (OSError, InputError):
        return head  # converted again each time
    return load_head(cached)


def _cache_path(path: Path) -> Path:
    """Named after the content: a folder's files one after the other."""
    digest = hashlib.sha256()
    for file in sorted(path.rglob("*.obj")) if path.is_dir() else [path]:
        with file.open("rb") as stream:
            digest.update(hashlib.file_digest(stream, "sha256").digest())
    return user_cache() / "heads" / f"{CONVERSION}-{digest.hexdigest()[:16]}.npz"
