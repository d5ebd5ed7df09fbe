"""Aff-Wild2 (the ABAW challenges): frames of videos as cropped faces, with valence and arousal, or a category.

`cropped_aligned/<video>/00001.jpg ...` (from 1; none where no face was found) and, of the task, `VA_Set/annotations`
(the older tree) or `VA_Estimation_Challenge` (the newer one) with `{Train_Set,Validation_Set}/<video>.txt`: a line of
names, then a line a frame, `valence,arousal`, where -5 is not annotated. Of expressions: a number from 0 to 7, or -1.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import MappingProxyType
from typing import Literal

from synth_affect.affect import Emotion
from synth_affect.data.faces.annotation_files import affect, number, read_lines, whole_number
from synth_affect.data.faces.database import FaceDatabase, Wanted
from synth_affect.data.faces.folders import PICTURE_SUFFIXES, file_names, folders_in, numbered_files
from synth_affect.data.faces.record import FaceItem, FaceRecord, Rejected, Split, key_of
from synth_affect.errors import InputError

TITLE = "Aff-Wild2"
OBTAIN = "Aff-Wild2 is given for academic work on an agreement, ibug.doc.ic.ac.uk/resources/aff-wild2"
NONE = -5.0
SPLITS: dict[str, Split] = {"Train_Set": "train", "Validation_Set": "validation", "Test_Set": "test"}
CROPS = "cropped_aligned"
Task = Literal["va", "expr"]
TASKS = MappingProxyType(
    {
        "va": ("VA_Set", "VA_Estimation_Challenge"),
        "expr": ("EXPR_Set", "EXPR_Classification_Challenge", "EXPR_Recognition_Challenge"),
    }
)
EXPRESSIONS = (
    *(Emotion.NEUTRAL, Emotion.ANGER, Emotion.DISGUST, Emotion.FEAR, Emotion.HAPPINESS, Emotion.SADNESS),
    *(Emotion.SURPRISE, None),
)
DEPTH = 4
"""Of the folders that are looked through for those of the task and of the crops."""


def open_aff_wild2(root: Path, *, task: Task = "va", annotations: str = "") -> FaceDatabase:
    """A video stands for a person, and where two people are in it, each of `<video>_left` and `<video>_right` does.

    task : a video may be of another split in another task, so one task is read at a time.
    annotations : the folder that holds Train_Set, below `root`, where there are several.
    Raises InputError when `root` is not laid out so.
    """
    labels, crops = [], []
    for folder in _folders(root, DEPTH):
        if folder.name in TASKS[task]:
            labels += [place for place in (folder, folder / "annotations") if (place / "Train_Set").is_dir()]
        elif folder.name.startswith(CROPS):
            crops.append(folder / folder.name if (folder / folder.name).is_dir() else folder)
    if annotations:
        labels = [root / annotations]
        if not (labels[0] / "Train_Set").is_dir():
            raise InputError(labels[0], "has no folder Train_Set")
    if not labels:
        raise InputError(root, f"no {' or '.join(TASKS[task])} with a Train_Set in it; {OBTAIN}")
    if len(labels) > 1:
        found = ", ".join(str(place.relative_to(root)) for place in labels)
        raise InputError(root, f"has several annotations ({found}); set `annotations` to one")
    if not crops:
        raise InputError(root, f"has no folder {CROPS} with the pictures; {OBTAIN}")
    return FaceDatabase(
        name="aff-wild2",
        title=TITLE,
        obtain=OBTAIN,
        root=root,
        subjects="videos",
        notes=(
            "persons are not named: each video counts as one, though one person may be in several",
            f"labels are those of {labels[0]}",
        ),
        read=lambda wanted: _read(labels[0], crops, task, wanted),
    )


def _folders(root: Path, depth: int) -> Iterator[Path]:
    """`root` and the folders below it, without those that hold pictures or videos by the thousand."""
    yield root
    if depth and not root.name.startswith(CROPS) and root.name not in (*SPLITS, "videos"):
        for folder in folders_in(root):
            yield from _folders(folder, depth - 1)


def _read(labels: Path, crops: list[Path], task: Task, wanted: Wanted) -> Iterator[FaceItem]:
    for name, split in SPLITS.items():
        if not (labels / name).is_dir():
            continue
        for stem, file in file_names(labels / name, (".txt",)).items():
            path = labels / name / file
            folder = next((place / stem for place in crops if (place / stem).is_dir()), None)
            if folder is None:
                yield Rejected(key_of(split, stem), path, f"has no folder {CROPS}/{stem} of pictures")
                continue
            try:
                yield from _video(path, folder, split, task, wanted)
            except InputError as error:
                yield Rejected(key_of(split, stem), Path(error.path), error.reason)


def _video(path: Path, folder: Path, split: Split, task: Task, wanted: Wanted) -> Iterator[FaceItem]:
    pictures = numbered_files(folder, PICTURE_SUFFIXES)
    header = 0
    for line, text in read_lines(path):
        if line == 1 and not _is_number(text.split(",")[0]):
            header = 1
            continue
        picture = pictures.pop(line - header, None)
        if picture is None:
            continue  # no face was found in that frame
        key = key_of(split, folder.name, f"{line - header:05d}")
        try:
            (valence, arousal), category = _labels(text, task)
        except ValueError as error:
            yield Rejected(key, path, f"line {line}: {error}")
            continue
        if wanted(valence, arousal):
            yield FaceRecord(
                key, picture, None, folder.name, folder.name, valence, arousal, category=category, split=split
            )
    if pictures:
        yield Rejected(key_of(split, folder.name), folder, "pictures without a label", len(pictures))


def _labels(text: str, task: Task) -> tuple[tuple[float, float], Emotion | None]:
    if task == "expr":
        code = whole_number(text, "expression", low=-1, high=len(EXPRESSIONS) - 1)
        return (float("nan"), float("nan")), None if code < 0 else EXPRESSIONS[code]
    cells = text.split(",")
    if len(cells) != 2:
        raise ValueError(f"needs valence and arousal, has {len(cells)} cells")
    return affect(cells[0], cells[1], none=(NONE,)), None


def _is_number(text: str) -> bool:
    try:
        number(text, "label")
    except ValueError:
        return False
    return True
