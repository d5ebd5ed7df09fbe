"""What is known of one picture, kept beside it: so that a run that was ended goes on where it was.

A record belongs to one input, one editor and one target. Readings stand under the fingerprint of their judge, so a
judge that is added later reads what is there, and one with other weights reads anew.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from synth_affect.data.atomic import atomic_write

FORMAT = 1


@dataclass(frozen=True, slots=True)
class JudgedPicture:
    """What judges found in a picture.

    found : whether their detector found a face.  heights : readings of `face_heights`.
    affect : fingerprint of a judge -> [valence, arousal, class].  identity : fingerprint -> likeness to the input.
    """

    found: bool
    heights: dict[str, float] = field(default_factory=dict)
    affect: dict[str, list[Any]] = field(default_factory=dict)
    identity: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PictureRecord:
    """input_sha256, editor : what the picture was made from, and by which fingerprint.
    output_sha256 : of the picture's file.
    seconds : that the editor took for it; the first of a face holds the face's preparation, and `first` says so.
    peak_rss_mib : of the process by then; None where the system does not say.
    peak_gpu_mib : that torch had allocated; None without a GPU.
    background_mean, background_share : see `BackgroundChange`; None for a face that fills the picture.
    judged : None until judges have looked.
    """

    input_sha256: str
    editor: str
    output_sha256: str
    seconds: float
    first: bool
    peak_rss_mib: float | None
    peak_gpu_mib: float | None
    background_mean: float | None
    background_share: float | None
    judged: JudgedPicture | None = None


@dataclass(frozen=True, slots=True)
class InputRecord:
    """The same of a photograph before any edit; `judged.identity` stays empty.

    box : left, top, right, bottom of its face's landmarks, px.
    """

    input_sha256: str
    box: tuple[float, float, float, float]
    judged: JudgedPicture


Record = PictureRecord | InputRecord


def record_path(picture: Path) -> Path:
    """Beside the picture."""
    return picture.with_suffix(".record.json")


def load_picture_record(picture: Path) -> PictureRecord | None:
    """Of `picture`; None where there is none, one of another format, or a damaged one."""
    try:
        stored = _load(record_path(picture))
        return None if stored is None else PictureRecord(**stored)
    except _DAMAGED:
        return None


def load_input_record(path: Path) -> InputRecord | None:
    """The record in the file `path`; None where there is none, one of another format, or a damaged one."""
    try:
        stored = _load(path)
        return None if stored is None else InputRecord(**{**stored, "box": tuple(stored["box"])})
    except _DAMAGED:
        return None


def save_record(record: Record, path: Path) -> None:
    """Whole, or not at all."""
    with atomic_write(path) as file:
        file.write(json.dumps({"format": FORMAT, **asdict(record)}, sort_keys=True).encode())


_DAMAGED = (ValueError, KeyError, TypeError, AttributeError, RecursionError)


def _load(path: Path) -> dict[str, Any] | None:
    try:
        stored: dict[str, Any] = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return None
    if stored.pop("format", None) != FORMAT:
        return None
    if stored["judged"] is not None:
        stored["judged"] = JudgedPicture(**stored["judged"])
    return stored
