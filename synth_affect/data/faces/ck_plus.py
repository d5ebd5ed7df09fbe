"""CK+ (extended Cohn-Kanade): 593 sequences of 123 people from rest to the peak of an expression.

`cohn-kanade-images/S005/001/S005_001_00000001.png`, and in trees alike `Emotion/.../..._emotion.txt` for the last
frame of sequences with an emotion, `Landmarks/.../..._landmarks.txt` with 68 points a frame.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from synth_affect.affect import Emotion
from synth_affect.arrays import FloatArray
from synth_affect.data.faces.annotation_files import number, points_68, read_lines
from synth_affect.data.faces.database import FaceDatabase, refuse_without_record, without_affect
from synth_affect.data.faces.folders import PICTURE_SUFFIXES, file_names, find_part, find_root, folders_in
from synth_affect.data.faces.record import FaceItem, FaceRecord, Rejected, key_of
from synth_affect.errors import InputError

TITLE = "CK+"
OBTAIN = "CK+ is given by the University of Pittsburgh on an agreement"
IMAGES = "cohn-kanade-images"
CATEGORIES = (
    *(Emotion.NEUTRAL, Emotion.ANGER, Emotion.CONTEMPT, Emotion.DISGUST, Emotion.FEAR),
    *(Emotion.HAPPINESS, Emotion.SADNESS, Emotion.SURPRISE),
)


def open_ck_plus(root: Path, *, apex: int = 1) -> FaceDatabase:
    """The first frame of a sequence is neutral; the last carries the emotion, where the sequence has one.

    apex : how many frames at the end carry it. The database says it of the last alone; Barradas-Chacon et al., and
        many others, take the last three.
    Raises InputError when `root` is not laid out so.
    """
    found = find_root(
        root,
        lambda folder: find_part(folder, IMAGES) is not None,
        expected=f"folder {IMAGES} of CK+",
        obtain=OBTAIN,
        above=False,
    )
    images = find_part(found, IMAGES)
    assert images is not None
    emotions, landmarks = find_part(found, "Emotion"), find_part(found, "Landmarks")
    missing = [name for name, folder in (("Emotion", emotions), ("Landmarks", landmarks)) if folder is None]
    empty = f"no picture such as S005/001/S005_001_00000001.png in {IMAGES}; {OBTAIN}"
    return FaceDatabase(
        name="ck-plus",
        title=TITLE,
        obtain=OBTAIN,
        root=found,
        subjects="people",
        notes=tuple(f"there is no folder {name}" for name in missing),
        read=without_affect(lambda: refuse_without_record(_read(images, emotions, landmarks, apex), images, empty)),
    )


def _read(images: Path, emotions: Path | None, landmarks: Path | None, apex: int) -> Iterator[FaceItem]:
    for person in folders_in(images):
        for folder in folders_in(person):
            below = folder.relative_to(images)
            pattern = rf"{re.escape(person.name)}_{re.escape(folder.name)}_[0-9]{{1,9}}"
            stems = {
                stem: file for stem, file in file_names(folder, PICTURE_SUFFIXES).items() if re.fullmatch(pattern, stem)
            }
            ordered = sorted(stems, key=lambda stem: int(stem.rpartition("_")[2]))
            label = emotions and emotions / below / f"{ordered[-1]}_emotion.txt" if ordered else None
            for place, stem in enumerate(ordered):
                shows = place == len(ordered) - 1 or 0 < place >= len(ordered) - apex
                try:
                    yield FaceRecord(
                        key=key_of(*below.parts, stem),
                        path=folder / stems[stem],
                        subject=person.name,
                        sequence=f"{person.name}_{folder.name}",
                        category=_emotion(label) if shows else None,
                        neutral=place == 0,
                        landmarks=_points(landmarks and landmarks / below / f"{stem}_landmarks.txt"),
                    )
                except (ValueError, InputError) as error:
                    yield Rejected(key_of(*below.parts, stem), folder / stems[stem], str(error))


def _emotion(path: Path | None) -> Emotion | None:
    """None where the sequence has none."""
    if path is None or not path.exists():
        return None
    texts = [text for _, text in read_lines(path)]
    code = number(texts[0], "emotion") if len(texts) == 1 else -1
    if code not in range(len(CATEGORIES)):
        raise InputError(path, f"needs one number from 0 to {len(CATEGORIES) - 1}")
    return CATEGORIES[int(code)]


def _points(path: Path | None) -> FloatArray | None:
    if path is None or not path.exists():
        return None
    try:
        return points_68([cell for _, text in read_lines(path) for cell in text.split()])
    except ValueError as error:
        raise InputError(path, str(error)) from None
