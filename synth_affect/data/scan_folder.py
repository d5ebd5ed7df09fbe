"""Scans in folders of no particular database: which meshes are frames of one recording, and whose.

Meshes of one folder whose names differ in their last number alone (`smile_007.obj`, `smile_008.obj`) are frames of one
recording; all others stand for themselves. The folders above, below the one that was named, are the person, the session
and the recording: `anna/smile/007.obj` is frame 7 of anna's smile, session 1; `anna/2/smile/007.obj` is of session 2.
Where one folder holds several recordings, their names follow the folders': `bs000/bs000_N_N_0.bnt` is frame 0 of the
recording bs000_N_N of bs000.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from synth_affect.data.meshes import MESH_SUFFIXES
from synth_affect.data.scan_records import ScanRecord, ScanSequence
from synth_affect.errors import InputError

ONLY_SESSION = "1"
"""Where folders have no level for it."""


def find_scans(paths: Sequence[Path]) -> tuple[ScanSequence, ...]:
    """The recordings in `paths`, folders (with all below) and files, sorted by name.

    Hidden files and folders are left out.
    Raises InputError when there is no mesh, a frame is there twice, or two recordings have one name.
    """
    meshes: list[tuple[tuple[str, ...], Path]] = []
    for path in paths:
        # Of several folders each one's name counts; the name of a single one does where it holds the frames itself.
        above = (path.resolve().name,) if len(paths) > 1 and path.is_dir() else ()
        meshes += [((*above, *parts), mesh) for parts, mesh in _below(path)]
    if not meshes:
        raise InputError(paths[0] if paths else "scans", f"holds no mesh ({', '.join(MESH_SUFFIXES)})")
    folders: dict[tuple[str, ...], dict[str, list[tuple[int, Path]]]] = {}
    for parts, path in meshes:
        name, frame = _frame_number(path.stem)
        folders.setdefault(parts, {}).setdefault(name, []).append((frame, path))
    sequences: dict[tuple[str, str, str], ScanSequence] = {}
    for parts, groups in folders.items():
        for name, frames in groups.items():
            if len(groups) == 1:
                levels = parts or (frames[0][1].resolve().parent.name or name,)
            else:
                levels = (*parts, name or "unnamed")
            key = _names(levels)
            if key in sequences:
                raise InputError(frames[0][1], f"is of {'/'.join(key)}, as {sequences[key].scans[0].mesh} is")
            sequences[key] = _sequence(key, sorted(frames))
    return tuple(sequences[key] for key in sorted(sequences))


def _below(path: Path) -> Iterable[tuple[tuple[str, ...], Path]]:
    """Each mesh with the names of the folders between `path` and it."""
    if not path.exists():
        raise InputError(path, "no such file or folder")
    if not path.is_dir():
        if path.suffix.lower() not in MESH_SUFFIXES:
            raise InputError(path, f"meshes are read from {', '.join(MESH_SUFFIXES)}")
        yield (), path
        return

    def fail(error: OSError) -> None:
        raise InputError(error.filename or path, f"cannot be read ({error.strerror})") from error

    for folder, folders, files in os.walk(path, onerror=fail):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        parts = Path(folder).relative_to(path).parts
        for name in sorted(files):
            if not name.startswith(".") and Path(name).suffix.lower() in MESH_SUFFIXES:
                yield parts, Path(folder) / name


def _frame_number(stem: str) -> tuple[str, int]:
    """The name without its last number, and the number; 0 where there is none."""
    match = re.fullmatch(r"(.*?)(\d+)", stem, re.DOTALL | re.ASCII)
    if match is None or len(match[2]) > 9:
        return stem, 0
    return match[1].rstrip("._- "), int(match[2])


def _names(levels: tuple[str, ...]) -> tuple[str, str, str]:
    if len(levels) == 1:
        return levels[0], ONLY_SESSION, levels[0]
    if len(levels) == 2:
        return levels[0], ONLY_SESSION, levels[1]
    return levels[0], levels[1], "-".join(levels[2:])


def _sequence(key: tuple[str, str, str], frames: list[tuple[int, Path]]) -> ScanSequence:
    subject, session, sequence = key
    return ScanSequence(
        subject=subject,
        session=session,
        sequence=sequence,
        posed=False,
        category=None,
        unit=None,
        topology=None,
        scans=tuple(ScanRecord(frame, path) for frame, path in frames),
    )
