"""FERG-DB: six drawn characters, seven expressions.

`<character>/<character>_<emotion>/<character>_<emotion>_<n>.png`, such as `aia/aia_joy/aia_joy_1.png`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from synth_affect.affect import Emotion
from synth_affect.data.faces.database import FaceDatabase, without_affect
from synth_affect.data.faces.emotion_names import emotion_named
from synth_affect.data.faces.folders import PICTURE_SUFFIXES, file_names, find_root, folders_in
from synth_affect.data.faces.record import FaceItem, FaceRecord, Rejected, key_of

TITLE = "FERG-DB"
OBTAIN = "FERG-DB is given for research by the University of Washington, grail.cs.washington.edu/projects/deepexpr"


def open_ferg_db(root: Path) -> FaceDatabase:
    """The characters stand for people. Raises InputError when `root` is not laid out so."""
    found = find_root(root, _holds_characters, expected="folder aia/aia_anger of FERG-DB", obtain=OBTAIN, above=False)
    return FaceDatabase(
        name="ferg-db",
        title=TITLE,
        obtain=OBTAIN,
        root=found,
        subjects="people",
        notes=("drawn characters, not photographs",),
        read=without_affect(lambda: _read(found)),
    )


def _emotion_of(folder: Path, character: str) -> Emotion | None:
    before, _, emotion = folder.name.partition("_")
    return emotion_named(emotion) if before == character else None


def _holds_characters(folder: Path) -> bool:
    return any(
        _emotion_of(entry, character.name) for character in folders_in(folder) for entry in folders_in(character)
    )


def _read(root: Path) -> Iterator[FaceItem]:
    for character in folders_in(root):
        for folder in folders_in(character):
            category = _emotion_of(folder, character.name)
            if category is None:
                continue
            names = file_names(folder, PICTURE_SUFFIXES)
            strange = [stem for stem in names if not re.fullmatch(rf"{re.escape(folder.name)}_[0-9]+", stem)]
            for stem, file in names.items():
                if stem not in strange:
                    yield FaceRecord(
                        key=key_of(character.name, folder.name, stem),
                        path=folder / file,
                        subject=character.name,
                        category=category,
                        neutral=category == Emotion.NEUTRAL,
                    )
            if strange:
                yield Rejected(
                    key_of(character.name, folder.name), folder / names[strange[0]], "has another name than its folder",
                    len(strange),
                )  # fmt: skip
