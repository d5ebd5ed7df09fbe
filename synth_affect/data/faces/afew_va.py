"""AFEW-VA (Kossaifi et al. 2017): 600 clips of films, valence and arousal in [-10, 10] and 68 points for each frame.

`<clip>/00000.png, 00001.png, ...` (from 0) with `<clip>/<clip>.json`, which has `actor` and `frames`; the clips
`001` to `600` lie side by side, or in the folders of the twelve archives.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from synth_affect.data.faces.annotation_files import affect, points_68, read_json
from synth_affect.data.faces.database import FaceDatabase, LabelScale, Wanted
from synth_affect.data.faces.folders import find_root, folders_in, numbered_files
from synth_affect.data.faces.record import FaceItem, FaceRecord, Rejected, key_of
from synth_affect.errors import InputError, ShapeError

TITLE = "AFEW-VA"
OBTAIN = "AFEW-VA is given on request for research, ibug.doc.ic.ac.uk/resources/afew-va-database"
SCALE = LabelScale(limit=10, integer=True)
SUFFIXES = (".png", ".jpg")


def open_afew_va(root: Path) -> FaceDatabase:
    """Persons are the actors, by their names without case. There is no split.

    Raises InputError when `root` is not laid out so.
    """
    found = find_root(root, _holds_clips, expected="clip of AFEW-VA such as 001/001.json", obtain=OBTAIN, above=False)
    return FaceDatabase(
        name="afew-va",
        title=TITLE,
        obtain=OBTAIN,
        root=found,
        subjects="people",
        scale=SCALE,
        notes=("the folds of the paper are not published; folds over the actors are our own",),
        read=lambda wanted: _read(found, wanted),
    )


def _holds_clips(folder: Path) -> bool:
    return any(_clips_of(folder)) or any(any(_clips_of(part)) for part in _archives(folder))


def _clips_of(folder: Path) -> Iterator[Path]:
    return (clip for clip in folders_in(folder) if (clip / f"{clip.name}.json").is_file())


def _archives(folder: Path) -> list[Path]:
    return [part for part in folders_in(folder) if part.name.isdigit() and not (part / f"{part.name}.json").is_file()]


def _read(root: Path, wanted: Wanted) -> Iterator[FaceItem]:
    seen: dict[str, Path] = {}
    for part in (root, *_archives(root)):
        clips = list(_clips_of(part))
        for clip in clips:
            if clip.name in seen:
                yield Rejected(key_of(clip.name), clip, f"is there already, {seen[clip.name]}")
                continue
            seen[clip.name] = clip
            try:
                yield from _clip(clip, wanted)
            except InputError as error:
                yield Rejected(key_of(clip.name), Path(error.path), error.reason)
    for clip in folders_in(root):
        if clip.name not in seen and numbered_files(clip, SUFFIXES):
            yield Rejected(key_of(clip.name), clip, f"has no {clip.name}.json", len(numbered_files(clip, SUFFIXES)))


def _clip(clip: Path, wanted: Wanted) -> Iterator[FaceItem]:
    path = clip / f"{clip.name}.json"
    annotation = read_json(path)
    frames = annotation.get("frames") if isinstance(annotation, dict) else None
    if not isinstance(frames, dict):
        raise InputError(path, "has no object `frames`")
    actor = annotation.get("actor")
    if actor is not None and not isinstance(actor, str):
        raise InputError(path, "its `actor` is no text")
    subject = " ".join((actor or "").split()).casefold() or None
    pictures = numbered_files(clip, SUFFIXES)
    for name, frame in frames.items():
        if not (name.isascii() and name.isdigit() and len(name) <= 9):
            yield Rejected(key_of(clip.name, name[:40]), path, f"frame {name[:40]!a} is no number")
            continue
        number = int(name)
        picture = pictures.pop(number, None)
        key = key_of(clip.name, f"{number:05d}")
        if picture is None:
            yield Rejected(key, path, f"frame {name} has no picture, or is there twice")
            continue
        try:
            valence, arousal = affect(*_labels(frame), SCALE)
            if wanted(valence, arousal):
                landmarks = points_68(frame["landmarks"]) if frame.get("landmarks") else None
                yield FaceRecord(key, picture, None, subject, clip.name, valence, arousal, landmarks=landmarks)
        except (ValueError, TypeError, ShapeError) as error:
            yield Rejected(key, path, f"frame {name} {error}")
    if pictures:
        yield Rejected(key_of(clip.name), clip, "pictures without a label", len(pictures))


def _labels(frame: Any) -> tuple[float, float]:
    if not isinstance(frame, dict):
        raise ValueError("is no object")
    for name in ("valence", "arousal"):
        value = frame.get(name)
        if isinstance(value, bool) or not isinstance(value, int | float) or abs(value) > 1e9:
            raise ValueError(f"has {name} {str(value)[:40]}, which is no number of the scale")
    return frame["valence"], frame["arousal"]
