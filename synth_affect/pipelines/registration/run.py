"""Raw scans, still or in sequences, into the template's topology.

Each frame starts from the last accepted one of its recording, as that lies on the disk: so a resumed run goes on
exactly as one that was never stopped, and the order in which workers finish changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from synth_affect.blendshape.template import Template
from synth_affect.data.registered_scans import (
    ReportLine,
    append_report,
    write_report,
)
from synth_affect.errors import InputError
from synth_affect.pipelines.registration.chains import Chain, in_turn, side_by_side
from synth_affect.pipelines.registration.plan import RegisterPlan
from synth_affect.pipelines.registration.settings import RegisterSettings

MAX_WORKERS = 64


def register_scans(
    plan: RegisterPlan, template: Template, out: Path, settings: RegisterSettings, *, workers: int = 1
) -> Iterator[ReportLine]:
    """Register what is pending; yields a line a mesh, as it is done. However it ends, the report is sorted.

    workers : processes; recordings are spread over them, the frames of one follow each other.
    Raises InputError when `out` cannot be written or a worker dies; what is done stays done.
    """
    if not 1 <= workers <= MAX_WORKERS:
        raise InputError("--workers", f"{workers} is not in [1, {MAX_WORKERS}]")
    lines = dict(plan.done)
    write_report(out, lines.values())  # without the torn end that a kill leaves
    chains = [Chain(sequence, scans, lines) for sequence, scans in plan.pending]
    workers = min(workers, len(chains))
    try:
        work = in_turn(chains, template, out, settings)
        if workers > 1:
            work = side_by_side(chains, template, out, settings, workers)
        for line in work:
            append_report(out, line)
            lines[line.key] = line
            yield line
    finally:
        write_report(out, lines.values())
