"""Bosphorus (Boğaziçi University): 105 people, stills with expressions, action units, poses and occlusions.

`bs000/bs000_<type>_<code>_<n>.bnt` with `.lm3`, `.lm2` and `.png` of the same name. Types: N (neutral), E (emotion),
LFAU, UFAU, CAU (action units of the lower and upper face, combined); YR, PR, CR (turned heads), O (occlusion), IGN.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from synth_affect.affect import Emotion
from synth_affect.data.scan_folders import files_below, person_folders, refuse_empty
from synth_affect.data.scan_records import ScanRecord, ScanSequence

OBTAIN = "Bosphorus is given on a licence agreement, bosphorus.ee.boun.edu.tr"
EXPRESSION_TYPES = ("E", "LFAU", "UFAU", "CAU")
"""Of scans from the front with an expression; turned and covered faces say nothing of one."""
EMOTIONS = {
    "ANGER": Emotion.ANGER,
    "DISGUST": Emotion.DISGUST,
    "FEAR": Emotion.FEAR,
    "HAPPY": Emotion.HAPPINESS,
    "SADNESS": Emotion.SADNESS,
    "SURPRISE": Emotion.SURPRISE,
}
_NAME = re.compile(r"(bs\d{3})_([A-Z]+)_([A-Z0-9]+(?:_[A-Z0-9]+)*)_(\d+)\.(bnt|lm3|png)", re.IGNORECASE)


def read_bosphorus(root: Path, *, types: tuple[str, ...] = EXPRESSION_TYPES) -> Iterator[ScanSequence]:
    """A recording for each person, type and code: the person's first neutral scan as frame 0, then scan n as frame
    n + 1.

    types : which are read.
    Raises InputError when `root` is not laid out so.
    """
    people = person_folders(root, r"bs\d{3}", database="Bosphorus", example="bs000", obtain=OBTAIN)
    recordings = (recording for person in people for recording in _recordings(person, types))
    return refuse_empty(recordings, root, "no scan such as bs000_E_HAPPY_0.bnt below the folders of the people")


def _recordings(person: Path, types: tuple[str, ...]) -> Iterator[ScanSequence]:
    files: dict[tuple[str, str], dict[int, dict[str, Path]]] = {}
    for path in files_below(person):
        name = _NAME.fullmatch(path.name)
        if name is not None and name[1].lower() == person.name.lower():
            shots = files.setdefault((name[2].upper(), name[3].upper()), {})
            shots.setdefault(int(name[4]), {})[name[5].lower()] = path
    neutrals = [parts for _, parts in sorted(files.get(("N", "N"), {}).items()) if "bnt" in parts]
    for (kind, code), shots in sorted(files.items()):
        if kind not in types:
            continue
        scans = [_scan(0, neutrals[0], neutral=True)] if neutrals else []
        scans += [_scan(n + 1, parts, neutral=False) for n, parts in sorted(shots.items()) if "bnt" in parts]
        if all(scan.neutral for scan in scans):
            continue
        yield ScanSequence(
            subject=person.name.lower(),
            session="1",
            sequence=f"{kind}_{code}",
            posed=True,
            category=EMOTIONS.get(code) if kind == "E" else None,
            unit="mm",
            topology=None,
            scans=tuple(scans),
            unpaired=tuple(path for parts in shots.values() if "bnt" not in parts for path in parts.values()),
        )


def _scan(frame: int, parts: dict[str, Path], *, neutral: bool) -> ScanRecord:
    return ScanRecord(frame, parts["bnt"], parts.get("png"), parts.get("lm3"), neutral)
