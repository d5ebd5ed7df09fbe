"""AFEW 5.0 and 6.0 (EmotiW): clips of films, each with one emotion.

`{Train,Val,Test}_AFEW/<emotion>/<clip>.avi`. Test clips may lie without a folder of an emotion.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from synth_affect.data.faces.database import FaceDatabase, without_affect
from synth_affect.data.faces.emotion_names import emotion_named
from synth_affect.data.faces.folders import VIDEO_SUFFIXES, file_names, find_root, folders_in
from synth_affect.data.faces.record import FaceItem, FaceRecord, Rejected, Split, key_of
from synth_affect.data.faces.videos import count_frames
from synth_affect.errors import InputError

TITLE = "AFEW (EmotiW)"
OBTAIN = "AFEW is given by the organisers of EmotiW on an agreement"
SPLITS: dict[str, Split] = {"Train_AFEW": "train", "Val_AFEW": "validation", "Test_AFEW": "test"}


def open_afew(root: Path, *, every: int = 1) -> FaceDatabase:
    """Nobody is named. The emotion is that of the whole clip, so a frame of a neutral clip may still show another.

    every : read each n-th frame.
    Raises InputError when `root` is not laid out so.
    """
    found = find_root(
        root,
        lambda folder: any((folder / name).is_dir() for name in SPLITS),
        expected="folder Train_AFEW",
        obtain=OBTAIN,
    )
    return FaceDatabase(
        name="afew",
        title=TITLE,
        obtain=OBTAIN,
        root=found,
        subjects="none",
        notes=("an emotion is that of a clip, not of a frame", "persons are not named"),
        read=without_affect(lambda: _read(found, every)),
    )


def _read(root: Path, every: int) -> Iterator[FaceItem]:
    for name, split in SPLITS.items():
        if not (root / name).is_dir():
            continue
        for folder in (root / name, *folders_in(root / name)):
            category = emotion_named(folder.name)
            for clip, file in file_names(folder, VIDEO_SUFFIXES).items():
                key = (split, *folder.relative_to(root / name).parts, clip)
                try:
                    for frame in range(0, count_frames(folder / file), every):
                        yield FaceRecord(
                            key=key_of(*key, f"{frame:05d}"),
                            path=folder / file,
                            frame=frame,
                            sequence=clip,
                            category=category,
                            split=split,
                        )
                except InputError as error:
                    yield Rejected(key_of(*key), folder / file, error.reason)
