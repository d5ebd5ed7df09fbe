"""results.json, the summary, and results.csv, one row a picture."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from synth_affect.data.atomic import atomic_write
from synth_affect.pipelines.evaluate_editor.scores import Edit
from synth_affect.pipelines.judges.face_heights import READINGS
from synth_affect.pipelines.judges.judge import IdentityCard, JudgeCard


def write_tables(
    out: Path,
    summary: dict[str, Any],
    edits: Sequence[Edit],
    judges: Sequence[JudgeCard],
    identities: Sequence[IdentityCard],
) -> None:
    """Into the folder `out`."""
    table = io.StringIO()
    rows = [_row(edit, out, judges, identities) for edit in edits]
    writer = csv.DictWriter(table, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    for name, content in (
        ("results.csv", table.getvalue()),
        ("results.json", json.dumps(summary, indent=1, allow_nan=False) + "\n"),
    ):
        with atomic_write(out / name) as file:
            file.write(content.encode())


def _row(edit: Edit, out: Path, judges: Sequence[JudgeCard], identities: Sequence[IdentityCard]) -> dict[str, Any]:
    record, judged = edit.record, edit.record.judged
    row: dict[str, Any] = {
        "face": edit.face,
        "valence": edit.target.valence,
        "arousal": edit.target.arousal,
        "picture": edit.output.relative_to(out).as_posix(),
        "found": judged is not None and judged.found,
        "seconds": record.seconds,
        "background_mean": record.background_mean,
        "background_share": record.background_share,
    }
    for card in judges:
        after = [] if judged is None else judged.affect.get(card.fingerprint, [])
        before = edit.before.judged.affect.get(card.fingerprint, [])
        for place, what in enumerate(("valence", "arousal", "class")):
            row[f"{card.name}: {what}"] = after[place] if after else ""
            row[f"{card.name}: input {what}"] = before[place] if before else ""
    for of_people in identities:
        row[f"{of_people.name}: {of_people.likeness}"] = (
            "" if judged is None else judged.identity.get(of_people.fingerprint, "")
        )
    for name in READINGS:
        row[name] = "" if judged is None else judged.heights.get(name, "")
        row[f"input {name}"] = edit.before.judged.heights.get(name, "")
    return row
