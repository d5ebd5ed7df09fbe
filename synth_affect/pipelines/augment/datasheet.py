"""The page that a set of pictures travels with: what it is, where from, under which terms, how made, and its limits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import synth_affect
from synth_affect.data.faces.database import FaceDatabase
from synth_affect.pipelines.augment.check import CheckSettings

MOST_REASONS = 10
_SAID = ("verified", "gate")
"""Settings that have a section of their own."""
_OF_UNITS = "On top of each lie the action units of the settings, of which the labels do not tell."


@dataclass(frozen=True, slots=True)
class RunCounts:
    """reasons : why faces were left out, and how many.  dropped : what was wrong with pictures that the gate turned
    down, and how many there were.
    """

    candidates: int
    faces: int
    pictures: int
    people: int | None
    reasons: Mapping[str, int]
    dropped: Mapping[str, int]


def datasheet(
    database: FaceDatabase, counts: RunCounts, described: Mapping[str, Any], checks: CheckSettings | None = None
) -> str:
    """The page, as Markdown. described : what was asked for, JSON values.  checks : how pictures were read."""
    people = "not known" if counts.people is None else str(counts.people)
    settings = "\n".join(f"- {name}: `{value}`" for name, value in sorted(described.items()) if name not in _SAID)
    reasons = sorted(counts.reasons.items(), key=lambda item: (-item[1], item[0]))
    left_out = "\n".join(f"- {count}: {reason}" for reason, count in reasons[:MOST_REASONS]) or "- none"
    read = _what_was_read(counts, checks)
    notes = "\n".join(f"- {note}" for note in database.notes) or "- none"
    local = f"\n{_OF_UNITS}" if described.get("action_units") else ""
    return f"""# {counts.pictures} synthetic pictures of faces from {database.title}

**These pictures are synthetic.** Each shows a person of the source database with an expression that this person may
never have made. Every file says so in its metadata (IPTC `compositeSynthetic`).

## What it is

| | |
| --- | --- |
| pictures | {counts.pictures} |
| source faces | {counts.faces} of {counts.candidates} candidates |
| people | {people} |
| source | {database.title} (`{database.name}`) |
| terms of the source | {database.obtain}; its licence binds these pictures too |
| made by | synth-affect {synth_affect.__version__} |

Labels are the points of the valence-arousal plane that were *asked for*, not what people saw in the pictures.{local}
`manifest.parquet` has a row a picture: label, source, person, fold, measures of the fit, sha256.

{read}
## Settings

{settings}

## Faces left out

{left_out}

All of them, with reasons: `rejects.csv`. To look at: `accepted.jpg`, `rejected.jpg`.

## Notes on the source

{notes}

## Use

- Train on them together with the source's own *training* pictures. They were made from its training split alone; people
  keep their fold (`folds.json`, column `fold`), so leave out the fold that you test on.
- Do not present them as photographs, and do not judge a person by them.
- Expressions come from a model of faces, with its idea of what an emotion looks like; culture, age and context change
  what people show and what others read.
"""


def _what_was_read(counts: RunCounts, checks: CheckSettings | None) -> str:
    """The section on verification; empty where nothing was read."""
    if checks is None:
        return ""
    cards = [
        f"- {card.name}, of {what}: trained on {card.databases}; terms: {card.terms}"
        for what, judges in (("affect", checks.cards.affect), ("identity", checks.cards.identity))
        for card in judges
    ]
    accuracy = [f"- {card.name}: {card.accuracy}" for card in checks.cards.affect]
    dropped = [f"- {count}: {fault}" for fault, count in sorted(counts.dropped.items())] or ["- none"]
    parts = [
        "## What was read of the pictures",
        "Each was looked at again. The manifest has what was read beside what was asked: the readings of judges, which "
        "err as people do, and of MediaPipe. Who trains on pictures that a judge has chosen learns its errors, too.",
        "\n".join(cards) or "No judge was given; MediaPipe's units and heights were read.",
    ]
    if accuracy:
        parts.append("How well they read real pictures:\n\n" + "\n".join(accuracy))
    if checks.gate is not None:
        parts.append("Pictures that the gate dropped (of a sequence, one for all):\n\n" + "\n".join(dropped))
        parts.append("All of them, with figures: `dropped.csv`. To look at: `dropped.jpg`.")
    return "\n\n".join(parts) + "\n"
