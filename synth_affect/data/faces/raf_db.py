"""RAF-DB, basic emotions: 15,339 pictures from the web, each with one of seven emotions.

`basic/EmoLabel/list_patition_label.txt` (spelt so) with lines `train_00001.jpg 5`, and `basic/Image/aligned/
train_00001_aligned.jpg` or `basic/Image/original/train_00001.jpg`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from synth_affect.affect import Emotion
from synth_affect.data.faces.annotation_files import read_lines, until_unreadable, whole_number
from synth_affect.data.faces.database import FaceDatabase, without_affect
from synth_affect.data.faces.folders import PICTURE_SUFFIXES, file_names, find_root
from synth_affect.data.faces.record import FaceItem, FaceRecord, Rejected, Split, key_of
from synth_affect.errors import InputError

TITLE = "RAF-DB"
OBTAIN = "RAF-DB is given for research to academic addresses, whdeng.cn/RAF/model1.html"
LABELS = "EmoLabel/list_patition_label.txt"
CATEGORIES = (
    *(Emotion.SURPRISE, Emotion.FEAR, Emotion.DISGUST, Emotion.HAPPINESS),
    *(Emotion.SADNESS, Emotion.ANGER, Emotion.NEUTRAL),
)
"""Numbered from 1."""
SPLITS: dict[str, Split] = {"train": "train", "test": "test"}
Pictures = Literal["original", "aligned"]


def open_raf_db(root: Path, *, pictures: Pictures = "original") -> FaceDatabase:
    """Nobody is named. pictures : as they were found, or cropped and aligned.

    Raises InputError when `root` is not laid out so.
    """
    outer = find_root(
        root,
        lambda folder: (folder / LABELS).is_file() or (folder / "basic" / LABELS).is_file(),
        expected=f"file basic/{LABELS} of RAF-DB",
        obtain=OBTAIN,
    )
    found = outer if (outer / LABELS).is_file() else outer / "basic"
    images = found / "Image" / pictures
    if not images.is_dir():
        raise InputError(found, f"has no Image/{pictures}; {OBTAIN}")
    return FaceDatabase(
        name="raf-db",
        title=TITLE,
        obtain=OBTAIN,
        root=found,
        subjects="none",
        notes=("persons are not named, so a split cannot keep them apart",),
        read=without_affect(
            lambda: until_unreadable(
                _read(found / LABELS, images, "_aligned" if pictures == "aligned" else ""), "labels"
            )
        ),
    )


def _read(labels: Path, images: Path, ending: str) -> Iterator[FaceItem]:
    pictures = file_names(images, PICTURE_SUFFIXES)
    for line, text in read_lines(labels):
        words = text.split()
        stem = Path(words[0]).stem
        try:
            if len(words) != 2:
                raise ValueError(f"needs a picture and a number, has {len(words)} words")
            split = SPLITS.get(stem.partition("_")[0])
            if split is None:
                raise ValueError(f"{stem[:80]!a} is neither of train nor of test")
            category = CATEGORIES[whole_number(words[1], "emotion", low=1, high=len(CATEGORIES)) - 1]
            file = pictures.pop(f"{stem}{ending}", None)
            if file is None:
                raise ValueError(f"{stem[:80]!a} has no picture, or is there twice")
            yield FaceRecord(key_of(stem), images / file, category=category, split=split)
        except (ValueError, InputError) as error:
            yield Rejected(key_of(stem[:100]), labels, f"line {line}: {error}")
    if pictures:
        yield Rejected("pictures", images, f"pictures that are not in {labels.name}", len(pictures))
