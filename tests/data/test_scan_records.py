"""Records of scans: what they refuse, and the sums over them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from synth_affect.affect import Emotion
from synth_affect.data.scan_records import ScanCount, ScanRecord, ScanSequence, count_scans
from synth_affect.errors import InputError


def sequence(*scans: ScanRecord, **changes: Any) -> ScanSequence:
    facts: dict[str, Any] = {
        "subject": "F0001",
        "session": "1",
        "sequence": "anger",
        "posed": True,
        "category": Emotion.ANGER,
        "unit": "mm",
        "topology": None,
    }
    return ScanSequence(**(facts | changes), scans=scans)


def test_sums() -> None:
    seen = ScanRecord(3, Path("b"), landmarks=Path("b.bnd"), neutral=True)
    sequences = [
        sequence(ScanRecord(0, Path("a")), seen),
        sequence(ScanRecord(0, Path("c")), sequence="fear", unpaired=(Path("x"), Path("y"))),
    ]
    assert count_scans(iter(sequences)) == ScanCount(1, 2, 3, 1, 2, 2)


def test_a_frame_twice() -> None:
    with pytest.raises(InputError, match=r"^c\.obj: frame 2 follows frame 2 \(b\.obj\)$"):
        sequence(ScanRecord(0, Path("a.obj")), ScanRecord(2, Path("b.obj")), ScanRecord(2, Path("c.obj")))


def test_a_recording_of_nothing() -> None:
    with pytest.raises(InputError, match=r"^F0001/1/anger: a recording without a scan$"):
        sequence()


def test_an_unknown_unit() -> None:
    with pytest.raises(InputError, match=r"^unit: 'inch' is not one of mm, m$"):
        sequence(ScanRecord(0, Path("a")), unit="inch")
