"""Oulu-CASIA NIR&VIS: 80 people, six emotions from rest to apex, in visible and near infrared light.

`{VL,NI}/{Strong,Weak,Dark}/P001/Anger/000.jpeg ...`, below `OriginalImg` or not.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from synth_affect.data.faces.database import FaceDatabase, refuse_without_record, without_affect
from synth_affect.data.faces.emotion_names import emotion_named
from synth_affect.data.faces.folders import PICTURE_SUFFIXES, find_root, folders_in, numbered_files
from synth_affect.data.faces.record import FaceItem, FaceRecord, Rejected, key_of

TITLE = "Oulu-CASIA NIR&VIS"
OBTAIN = "Oulu-CASIA is given by the University of Oulu on an agreement"
Camera = Literal["VL", "NI"]
Light = Literal["Strong", "Weak", "Dark"]
APEX = 3
"""Frames at the end of a sequence that show its emotion, as in ExprGAN (Ding et al. 2018)."""


def open_oulu_casia(root: Path, *, camera: Camera = "VL", light: Light = "Strong", apex: int = APEX) -> FaceDatabase:
    """People by their number. The first frame of a sequence is neutral.

    camera : visible (VL) or near infrared (NI).  apex : how many frames at the end carry the emotion.
    Raises InputError when `root` is not laid out so.
    """
    found = find_root(
        root,
        lambda folder: (folder / camera / light).is_dir(),
        expected=f"folder {camera}/{light} of Oulu-CASIA",
        obtain=OBTAIN,
    )
    empty = f"no picture such as P001/Anger/000.jpeg below it; {OBTAIN}"
    return FaceDatabase(
        name="oulu-casia",
        title=TITLE,
        obtain=OBTAIN,
        root=found,
        subjects="people",
        notes=(f"read: camera {camera}, light {light}; the last {apex} frames of a sequence carry its emotion",),
        read=without_affect(lambda: refuse_without_record(_read(found / camera / light, apex), found, empty)),
    )


def _read(root: Path, apex: int) -> Iterator[FaceItem]:
    for person in folders_in(root):
        if not re.fullmatch(r"P[0-9]{3}", person.name, re.IGNORECASE):
            continue
        for folder in folders_in(person):
            category = emotion_named(folder.name)
            frames = list(numbered_files(folder, (".jpeg", *PICTURE_SUFFIXES)).items())
            if category is None or len(frames) <= apex:
                reason = "is named after none of the emotions" if category is None else f"has {len(frames)} frames only"
                yield Rejected(key_of(person.name, folder.name), folder, reason, len(frames))
                continue
            for place, (number, path) in enumerate(frames):
                yield FaceRecord(
                    key=key_of(person.name, folder.name, f"{number:03d}"),
                    path=path,
                    subject=person.name.upper(),
                    sequence=folder.name,
                    category=category if place >= len(frames) - apex else None,
                    neutral=place == 0,
                )
