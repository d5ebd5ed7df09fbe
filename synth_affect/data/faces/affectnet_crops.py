"""AffectNet's newer release: cropped faces of 224 px, and a small array for each label.

`{train_set,val_set}/images/<n>.jpg` and `annotations/<n>_{exp,val,aro,lnd}.npy`, of which the first three hold a text
and the last 136 coordinates; the numbers have gaps.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from synth_affect.arrays import FloatArray
from synth_affect.data.faces.affectnet import NONE, NOTE, OBTAIN, TITLE, category_of, is_crops
from synth_affect.data.faces.annotation_files import affect, points_68, read_array
from synth_affect.data.faces.database import FaceDatabase, Wanted
from synth_affect.data.faces.folders import PICTURE_SUFFIXES, file_names, find_root, numbered_files
from synth_affect.data.faces.record import FaceItem, FaceRecord, Rejected, Split
from synth_affect.errors import InputError, ShapeError

SPLITS: dict[str, Split] = {"train_set": "train", "val_set": "validation"}


def open_affectnet_crops(root: Path) -> FaceDatabase:
    """Nobody is named. Raises InputError when `root` is not laid out so."""
    found = find_root(root, is_crops, expected="folder train_set or val_set of AffectNet", obtain=OBTAIN)
    there = [name for name in SPLITS if (found / name / "annotations").is_dir()]
    for name in there:
        if not (found / name / "images").is_dir():
            raise InputError(found / name, f"has no folder images; {OBTAIN}")
    return FaceDatabase(
        name="affectnet",
        title=TITLE,
        obtain=OBTAIN,
        root=found,
        subjects="none",
        notes=(NOTE,),
        read=lambda wanted: (item for name in there for item in _read(found / name, SPLITS[name], wanted)),
    )


def _read(folder: Path, split: Split, wanted: Wanted) -> Iterator[FaceItem]:
    annotations = folder / "annotations"
    names = file_names(annotations, (".npy",))
    pictures = numbered_files(folder / "images", PICTURE_SUFFIXES)
    numbers = sorted(int(stem[:-4]) for stem in names if re.fullmatch(r"[0-9]{1,9}_val", stem))
    for number in numbers:
        key = f"{split}/{number}"
        picture = pictures.pop(number, None)
        if picture is None:
            yield Rejected(key, folder / "images", f"has no picture {number}.jpg")
            continue
        try:
            valence, arousal = affect(
                _text(annotations / f"{number}_val.npy"), _text(annotations / f"{number}_aro.npy"), none=(NONE,)
            )
            if wanted(valence, arousal):
                yield FaceRecord(
                    key,
                    picture,
                    valence=valence,
                    arousal=arousal,
                    category=category_of(_text(annotations / f"{number}_exp.npy")),
                    landmarks=_landmarks(annotations / f"{number}_lnd.npy") if f"{number}_lnd" in names else None,
                    split=split,
                )
        except (ValueError, ShapeError, InputError) as error:
            yield Rejected(key, annotations, str(error))
    if pictures:
        yield Rejected(split, folder / "images", "pictures without a label", len(pictures))


def _text(path: Path) -> str:
    """The only entry of an array. Releases hold it as text, copies of them as a number too."""
    array = read_array(path)
    if array.size != 1:
        raise ValueError(f"{path.name} has {array.size} entries, needs 1")
    entry = array.item()
    return entry.decode("ascii", "replace") if isinstance(entry, bytes) else str(entry)


def _landmarks(path: Path) -> FloatArray:
    array = read_array(path)
    return points_68([entry.decode("ascii", "replace") if isinstance(entry, bytes) else entry for entry in
                      array.ravel().tolist()])  # fmt: skip
