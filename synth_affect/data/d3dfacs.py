"""D3DFACS (University of Bath): ten people trained in FACS, 519 recordings of action units, registered to FLAME.

The registrations, not the raw scans: `<name>/<units>/<units>_<frame>.ply`, e.g. `Joe/1+2/1+2_175.ply`; the frames do
not begin at 0.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from synth_affect.data.coma import registered
from synth_affect.data.scan_folders import DEPTH, folder_entries, refuse_empty
from synth_affect.data.scan_records import ScanSequence
from synth_affect.errors import InputError

OBTAIN = "the registrations of D3DFACS are given to registered users, flame.is.tue.mpg.de"


def read_d3dfacs(root: Path) -> Iterator[ScanSequence]:
    """A recording for each person and combination of action units; its first frame stands for the neutral one.

    People have names, so it is their meshes by which the folder is found, in `root` or up to two levels below.
    Raises InputError when `root` is not laid out so.
    """
    level = [root]
    if any(_is_recording(folder) for folder in _folders(root)):
        raise InputError(root, "looks like the folder of one person; name the folder above it")
    for _ in range(DEPTH + 1):
        people = [entry for folder in level for entry in _folders(folder)]
        with_meshes = [person for person in people if any(_is_recording(folder) for folder in _folders(person))]
        if with_meshes:
            recordings = (
                r for person in with_meshes for folder in _folders(person) for r in registered(person, folder)
            )
            return refuse_empty(recordings, root, "no mesh")
        level = people
    raise InputError(root, f"no mesh of D3DFACS such as Joe/1+2/1+2_175.ply here or two levels below; {OBTAIN}")


def _folders(folder: Path) -> list[Path]:
    return [entry for entry in folder_entries(folder) if entry.is_dir()]


def _is_recording(folder: Path) -> bool:
    pattern = re.compile(rf"{re.escape(folder.name)}_\d+\.ply", re.IGNORECASE)
    return any(pattern.fullmatch(entry.name) for entry in folder_entries(folder))
