"""Aff-Wild (CVPR-W 2017): 298 videos with valence and arousal for each frame, boxes and 68 points where a face is seen.

`annotations/<split>/{valence,arousal}/<id>.txt` (no header, a number a line), `videos/<split>/<id>.{mp4,avi}`, and
`bboxes/<split>/<id>/<frame>.pts`, `landmarks/<split>/<id>/<frame>.pts` (frames from 1; none where no face is seen).
Where a video was unpacked into pictures, `frames/<split>/<id>/<frame>.jpg` (from 1) stands for it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path
from typing import Literal

from synth_affect.data.faces.annotation_files import affect, read_lines
from synth_affect.data.faces.database import FaceDatabase, Wanted
from synth_affect.data.faces.folders import (
    PICTURE_SUFFIXES,
    VIDEO_SUFFIXES,
    file_names,
    find_root,
    has_folders,
    numbered_files,
)
from synth_affect.data.faces.record import Box, FaceItem, FaceRecord, Rejected, Split, key_of
from synth_affect.data.faces.videos import count_frames
from synth_affect.errors import InputError, ShapeError
from synth_affect.fitting.landmark_file import read_pts

TITLE = "Aff-Wild"
OBTAIN = "Aff-Wild is given for academic work by the iBUG group of Imperial College London, ibug.doc.ic.ac.uk"
SPLITS: dict[str, Split] = {"train": "train", "validation": "validation", "test": "test"}
Pairing = Literal["frames", "boxes"]
"""What line i belongs to: frame i, or the i-th frame that has a box. Public loaders disagree."""


def open_aff_wild(root: Path, *, pairing: Pairing = "frames") -> FaceDatabase:
    """A video stands for a person, because the database names none.

    Raises InputError when `root` is not laid out so.
    """
    found = find_root(root, has_folders("annotations"), expected="folder `annotations` of Aff-Wild", obtain=OBTAIN)
    annotated = [name for name in SPLITS if (found / "annotations" / name / "valence").is_dir()]
    if not annotated:
        raise InputError(found / "annotations", f"has no train/valence; {OBTAIN}")
    for name in annotated:
        if not (found / "annotations" / name / "arousal").is_dir():
            raise InputError(found / "annotations" / name, f"has no folder arousal; {OBTAIN}")
        if not (found / "videos" / name).is_dir() and not (found / "frames" / name).is_dir():
            raise InputError(found, f"has neither videos/{name} nor frames/{name}; {OBTAIN}")
    notes = ["persons are not named: each video counts as one"]
    if _points_folder(found, "bboxes", annotated[0]) is None:
        if pairing == "boxes":
            raise InputError(found, f"has no bboxes/{annotated[0]}, which the lines are to be paired with")
        notes.append("there are no boxes: which face of a frame the label is of is not known")
    return FaceDatabase(
        name="aff-wild",
        title=TITLE,
        obtain=OBTAIN,
        root=found,
        subjects="videos",
        notes=tuple(notes),
        read=lambda wanted: (item for split in annotated for item in _read(found, split, pairing, wanted)),
    )


def _points_folder(root: Path, kind: str, split: str) -> Path | None:
    """Of the `.pts` files: `bboxes/train`, and as it unpacks, `bboxes/train/train`."""
    folder = root / kind / split
    doubled = folder / split
    return doubled if doubled.is_dir() else folder if folder.is_dir() else None


def _read(root: Path, split: str, pairing: Pairing, wanted: Wanted) -> Iterator[FaceItem]:
    annotations = root / "annotations" / split
    names = {kind: file_names(annotations / kind, (".txt",)) for kind in ("valence", "arousal")}
    videos = file_names(root / "videos" / split, VIDEO_SUFFIXES) if (root / "videos" / split).is_dir() else {}
    for name in sorted(names["valence"].keys() | names["arousal"].keys(), key=_as_number):
        key = key_of(split, name)
        missing = [kind for kind in names if name not in names[kind]]
        if missing:
            yield Rejected(key, annotations / missing[0] / f"{name}.txt", "no such file")
            continue
        video = root / "videos" / split / videos[name] if name in videos else None
        try:
            yield from _video(root, split, name, video, pairing, wanted)
        except InputError as error:
            yield Rejected(key, Path(error.path), error.reason)
    for name in sorted(videos.keys() - names["valence"].keys() - names["arousal"].keys(), key=_as_number):
        yield Rejected(key_of(split, name), root / "videos" / split / videos[name], "has no annotation")


def _as_number(name: str) -> tuple[int, str]:
    return (int(name) if name.isascii() and name.isdigit() and len(name) < 10 else 1 << 31), name


def _video(
    root: Path, split: str, name: str, video: Path | None, pairing: Pairing, wanted: Wanted
) -> Iterator[FaceItem]:
    pictures: dict[int, Path] = {}
    if video is None:
        folder = root / "frames" / split / name
        pictures = numbered_files(folder, PICTURE_SUFFIXES) if folder.is_dir() else {}
        if not pictures:
            raise InputError(root / "videos" / split / name, "no such video")
        n_frames = max(pictures)
    else:
        n_frames = count_frames(video)
    boxes, landmarks = (_points(root, kind, split, name) for kind in ("bboxes", "landmarks"))
    frames = (
        range(1, n_frames + 1) if pairing == "frames" else [frame for frame in sorted(boxes) if 1 <= frame <= n_frames]
    )
    used = surplus = 0
    for line, valence, arousal in _lines(root / "annotations" / split, name):
        if line > len(frames):
            surplus += 1
            continue
        frame = frames[line - 1]
        used += 1
        key = key_of(split, name, f"{frame:05d}")
        path = video if video is not None else pictures.get(frame)
        if path is None:
            continue  # of a video in pictures, those without a face are left out by habit
        try:
            values = affect(valence, arousal)
            if wanted(*values):
                yield FaceRecord(
                    key=key,
                    path=path,
                    frame=None if video is None else frame - 1,
                    subject=name,
                    sequence=name,
                    valence=values[0],
                    arousal=values[1],
                    landmarks=read_pts(Path(landmarks[frame])) if frame in landmarks else None,
                    box=_box(boxes[frame]) if frame in boxes else None,
                    split=SPLITS[split],
                )
        except (ValueError, ShapeError) as error:
            yield Rejected(key, root / "annotations" / split / "valence" / f"{name}.txt", f"line {line}: {error}")
        except InputError as error:
            yield Rejected(key, Path(error.path), error.reason)
    if surplus > 1:  # one more is habit
        yield Rejected(key_of(split, name), root / "annotations" / split, "labels behind the last frame", surplus)
    left = len(frames) - used
    if left > 1:
        yield Rejected(key_of(split, name), video or root / "frames" / split / name, "frames without a label", left)


def _lines(annotations: Path, name: str) -> Iterator[tuple[int, str, str]]:
    """Number of the line, valence, arousal; empty lines leave out a frame. Raises InputError where one file has a line
    that the other has not.
    """
    files = [annotations / kind / f"{name}.txt" for kind in ("valence", "arousal")]
    for valence, arousal in zip_longest(*(read_lines(path) for path in files)):
        if valence is None or arousal is None or valence[0] != arousal[0]:
            lacks_valence = valence is None or (arousal is not None and arousal[0] < valence[0])
            line = (arousal if lacks_valence else valence)[0]
            raise InputError(
                files[0 if lacks_valence else 1], f"has no line {line}, as the other of valence and arousal has"
            )
        yield valence[0], valence[1], arousal[1]


def _points(root: Path, kind: str, split: str, name: str) -> dict[int, str]:
    """The `.pts` files of a video, by the number of their frame."""
    folder = _points_folder(root, kind, split)
    if folder is None or not (folder / name).is_dir():
        return {}
    names = file_names(folder / name, (".pts",))
    here = str(folder / name)
    return {
        int(stem): os.path.join(here, file)
        for stem, file in names.items()
        if stem.isascii() and stem.isdigit() and len(stem) < 10
    }


def _box(path: str) -> Box:
    corners = read_pts(Path(path), 4)
    (left, top), (right, bottom) = corners.min(axis=0).tolist(), corners.max(axis=0).tolist()
    return left, top, right, bottom
