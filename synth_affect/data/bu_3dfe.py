"""BU-3DFE (Binghamton): 100 people, six expressions in four levels and a neutral face, stills.

Files `<person>_<expression><level><ethnicity>_<kind>`, e.g. `F0001_AN01WH_F3D.wrl` with `..._F2D.bmp` and
`..._F3D.bnd` anywhere below the folder of the person. The cropped meshes (`F3D`) are read, not those of the cameras
(`RAW`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from synth_affect.affect import Emotion
from synth_affect.data.scan_folders import files_below, person_folders, refuse_empty
from synth_affect.data.scan_records import ScanRecord, ScanSequence

OBTAIN = "BU-3DFE is given by Binghamton University on an agreement that a member of a faculty signs"
EXPRESSIONS = {
    "AN": Emotion.ANGER,
    "DI": Emotion.DISGUST,
    "FE": Emotion.FEAR,
    "HA": Emotion.HAPPINESS,
    "SA": Emotion.SADNESS,
    "SU": Emotion.SURPRISE,
}
_NAME = re.compile(r"([FM]\d{4})_(AN|DI|FE|HA|SA|SU|NE)(\d\d)[A-Z]{2}_(F3D\.wrl|F2D\.bmp|F3D\.bnd)", re.IGNORECASE)
_KINDS = ("f3d.wrl", "f2d.bmp", "f3d.bnd")


def read_bu_3dfe(root: Path) -> Iterator[ScanSequence]:
    """A recording for each person and expression: the neutral face as frame 0, then the levels 1 to 4.

    Raises InputError when `root` is not laid out so.
    """
    people = person_folders(root, r"[FM]\d{4}", database="BU-3DFE", example="F0001", obtain=OBTAIN)
    recordings = (recording for person in people for recording in _recordings(person))
    return refuse_empty(recordings, root, "no expression such as F0001_AN01WH_F3D.wrl below the folders of the people")


def _recordings(person: Path) -> Iterator[ScanSequence]:
    files: dict[tuple[str, int], dict[str, Path]] = {}
    for path in files_below(person):
        name = _NAME.fullmatch(path.name)
        if name is not None and name[1].upper() == person.name.upper():
            files.setdefault((name[2].upper(), int(name[3])), {})[name[4].lower()] = path
    neutral = files.get(("NE", 0), {})
    for code, emotion in EXPRESSIONS.items():
        levels = {level: parts for (expression, level), parts in files.items() if expression == code}
        scans = [_scan(0, neutral)] if _KINDS[0] in neutral else []
        scans += [_scan(level, parts) for level, parts in sorted(levels.items()) if _KINDS[0] in parts and level > 0]
        if any(not scan.neutral for scan in scans):
            yield ScanSequence(
                subject=person.name.upper(),
                session="1",
                sequence=emotion.value,
                posed=True,
                category=emotion,
                unit=None,
                topology=None,
                scans=tuple(scans),
                unpaired=tuple(path for parts in levels.values() if _KINDS[0] not in parts for path in parts.values()),
            )


def _scan(level: int, parts: dict[str, Path]) -> ScanRecord:
    mesh, texture, landmarks = (parts.get(kind) for kind in _KINDS)
    assert mesh is not None
    return ScanRecord(level, mesh, texture, landmarks, neutral=level == 0)
