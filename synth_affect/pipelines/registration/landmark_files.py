"""Which landmark file belongs to a scan."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from synth_affect.data.landmarks_3d import SUFFIXES
from synth_affect.data.scan_records import ScanRecord, ScanSequence
from synth_affect.errors import InputError

MAX_LEVELS = 4
"""Of folders, for which a folder of landmark files is searched in the likeness of the folder of scans."""


def landmark_file(pattern: str, sequence: ScanSequence, scan: ScanRecord) -> Path:
    """The landmark file of a scan.

    pattern : a path with any of {folder} (the mesh's), {stem}, {subject}, {session}, {sequence} and {frame}
        (`{frame:05d}`), or a folder that holds files named like the meshes, in folders like theirs or not.
    Raises InputError when there is none.
    """
    if "{" in pattern:
        names: dict[str, Any] = {
            "folder": scan.mesh.parent,
            "stem": scan.mesh.stem,
            "subject": sequence.subject,
            "session": sequence.session,
            "sequence": sequence.sequence,
            "frame": scan.frame,
        }
        try:
            path = Path(pattern.format(**names))
        except (KeyError, ValueError, IndexError, AttributeError) as error:
            raise InputError("--landmarks", f"{pattern!r} is no pattern of files ({error})") from None
        if not path.is_file():
            raise InputError(path, "no such landmark file")
        return path
    folder, parents = Path(pattern), scan.mesh.absolute().parent.parts
    for depth in range(MAX_LEVELS + 1):  # as deep as the mesh lies below the folder of scans
        place = folder.joinpath(*parents[len(parents) - depth :]) if depth else folder
        for suffix in SUFFIXES:
            if (path := place / f"{scan.mesh.stem}{suffix}").is_file():
                return path
    raise InputError(scan.mesh, f"has no landmark file in {folder} ({', '.join(SUFFIXES)})")
