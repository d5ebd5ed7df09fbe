"""What a reader of a 3D or 4D database gives: recordings, and the files of each of their frames.

Nothing of a mesh is read here; a record says where it lies and what is known of it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Literal, get_args

from synth_affect.affect import Emotion
from synth_affect.errors import InputError

LengthUnit = Literal["mm", "m"]
"""Of a mesh's coordinates, where the database states it."""

FLAME_TOPOLOGY = "flame"
"""5,023 vertices in FLAME's order."""


@dataclass(frozen=True, slots=True)
class ScanRecord:
    """One scan.

    frame : number in the recording, from the file's name where that has one.
    mesh : its file.  texture : the picture that belongs to it.  landmarks : file for `read_landmarks_3d`.
    neutral : the face is known to be neutral.
    """

    frame: int
    mesh: Path
    texture: Path | None = None
    landmarks: Path | None = None
    neutral: bool = False


@dataclass(frozen=True, slots=True)
class ScanSequence:
    """Scans of one recording of one person.

    subject, session, sequence : names; the three together tell recordings of a database apart.
    posed : the expression was asked for; else it is spontaneous.
    category : of the recording, where it has one of ours.
    unit : of the coordinates; None where the database does not state it, and it must be told from the size of the face.
    topology : name of the vertex order that all scans share; None for raw scans, each with its own.
    scans : one or more, their frame numbers increase, with gaps. The neutral scan of a database of stills is the first
        scan of each recording of its subject, so one file may stand in several recordings.
    unpaired : landmark and texture files beside them that belong to no scan.
    """

    subject: str
    session: str
    sequence: str
    posed: bool
    category: Emotion | None
    unit: LengthUnit | None
    topology: str | None
    scans: tuple[ScanRecord, ...]
    unpaired: tuple[Path, ...] = ()

    def __post_init__(self) -> None:
        if self.unit is not None and self.unit not in get_args(LengthUnit):
            raise InputError("unit", f"{self.unit!r} is not one of {', '.join(get_args(LengthUnit))}")
        if not self.scans:
            raise InputError(self.name, "a recording without a scan")
        for before, after in pairwise(self.scans):
            if after.frame <= before.frame:
                raise InputError(after.mesh, f"frame {after.frame} follows frame {before.frame} ({before.mesh.name})")

    @property
    def name(self) -> str:
        """subject/session/sequence, for messages and for the names of files."""
        return f"{self.subject}/{self.session}/{self.sequence}"


@dataclass(frozen=True, slots=True)
class ScanCount:
    """What a database holds. The last three count what is missing or left over."""

    subjects: int
    sequences: int
    scans: int
    sequences_without_neutral: int
    scans_without_landmarks: int
    unpaired_files: int


def count_scans(sequences: Iterable[ScanSequence]) -> ScanCount:
    """The sums over `sequences`, which may be an iterator."""
    subjects: set[str] = set()
    n_sequences = n_scans = without_neutral = without_landmarks = unpaired = 0
    for sequence in sequences:
        subjects.add(sequence.subject)
        n_sequences += 1
        n_scans += len(sequence.scans)
        without_neutral += not any(scan.neutral for scan in sequence.scans)
        without_landmarks += sum(scan.landmarks is None for scan in sequence.scans)
        unpaired += len(sequence.unpaired)
    return ScanCount(len(subjects), n_sequences, n_scans, without_neutral, without_landmarks, unpaired)
