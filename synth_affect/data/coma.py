"""CoMA (Max Planck Institute): 12 people, 12 extreme expressions, 60 meshes a second, registered to FLAME.

`FaceTalk_<date>_<id>_TA/<expression>/<expression>.<6 digits>.ply`, with gaps. No frame is marked as neutral: a
recording begins near it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from synth_affect.data.scan_folders import folder_entries, numbered, person_folders, refuse_empty
from synth_affect.data.scan_records import FLAME_TOPOLOGY, ScanRecord, ScanSequence

OBTAIN = "CoMA is given to registered users, coma.is.tue.mpg.de, for work that is not commercial"


def read_coma(root: Path) -> Iterator[ScanSequence]:
    """A recording for each person and expression; its first frame stands for the neutral one.

    Raises InputError when `root` is not laid out so.
    """
    people = person_folders(root, r"FaceTalk_\w+", database="CoMA", example="FaceTalk_170725_00137_TA", obtain=OBTAIN)
    recordings = (
        recording for person in people for folder in folder_entries(person) for recording in registered(person, folder)
    )
    return refuse_empty(
        recordings, root, "no mesh such as bareteeth/bareteeth.000001.ply below the folders of the people"
    )


def registered(person: Path, folder: Path) -> Iterator[ScanSequence]:
    """The recording whose frames are the `.ply` files of `folder` with its name and a number; none without any."""
    name = rf"{re.escape(folder.name)}[._](\d{{1,9}})"
    meshes = numbered(folder_entries(folder), name, ".ply") if folder.is_dir() else {}
    if meshes:
        first = min(meshes)
        yield ScanSequence(
            subject=person.name,
            session="1",
            sequence=folder.name,
            posed=True,
            category=None,
            unit=None,
            topology=FLAME_TOPOLOGY,
            scans=tuple(ScanRecord(number, mesh, neutral=number == first) for number, mesh in meshes.items()),
        )
