"""What a run has to do, and what is done already."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from synth_affect.blendshape.template import Template
from synth_affect.data.registered_scans import (
    FrameKey,
    ReportLine,
    frame_path,
    read_report,
    start_folder,
)
from synth_affect.data.scan_records import ScanRecord, ScanSequence
from synth_affect.pipelines.registration.settings import RegisterSettings, registrar_settings


@dataclass(frozen=True, slots=True)
class RegisterPlan:
    """What a run has to do: `pending` frames of each recording, in order, and the lines of what is done already."""

    pending: tuple[tuple[ScanSequence, tuple[ScanRecord, ...]], ...]
    done: dict[FrameKey, ReportLine]

    @property
    def count(self) -> int:
        """How many frames are pending."""
        return sum(len(scans) for _, scans in self.pending)


def plan_registration(
    sequences: Sequence[ScanSequence], template: Template, out: Path, settings: RegisterSettings
) -> RegisterPlan:
    """Prepare `out`, and see what is left to do there.

    Raises InputError when `out` was begun with another template or other settings.
    """
    manifest = {
        "method": settings.method,
        "landmarks": "files" if settings.landmarks is not None else "seen",
        "limits": asdict(settings.limits),
        settings.method: asdict(registrar_settings(settings)),
    }
    start_folder(out, template, manifest)
    done = {key: line for key, line in read_report(out).items() if not line.accepted or frame_path(out, key).is_file()}
    pending = []
    for sequence in sequences:
        scans = tuple(scan for scan in sequence.scans if frame_key(sequence, scan) not in done)
        if scans:
            pending.append((sequence, scans))
    return RegisterPlan(tuple(pending), done)


def frame_key(sequence: ScanSequence, scan: ScanRecord) -> FrameKey:
    """The name of a scan in the folder of registered ones."""
    return FrameKey(sequence.subject, sequence.session, sequence.sequence, scan.frame)
