"""The page that a set of pictures travels with: what it is, where from, under which terms, how made, and its limits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import synth_affect
from synth_affect.data.faces.database import FaceDatabase

MOST_REASONS = 10


@dataclass(frozen=True, slots=True)
class RunCounts:
    """reasons : why faces were left out, and how many. labels : valence and arousal of all pictures, by cell."""

    candidates: int
    faces: int
    pictures: int
    people: int | None
    reasons: Mapping[str, int]


def datasheet(database: FaceDatabase, counts: RunCounts, described: Mapping[str, Any]) -> str:
    """The page, as Markdown. described : what was asked for, JSON values."""
    people = "not known" if counts.people is None else str(counts.people)
    settings = "\n".join(f"- {name}: `{value}`" for name, value in sorted(described.items()))
    reasons = sorted(counts.reasons.items(), key=lambda item: (-item[1], item[0]))
    left_out = "\n".join(f"- {count}: {reason}" for reason, count in reasons[:MOST_REASONS]) or "- none"
    notes = "\n".join(f"- {note}" for note in database.notes) or "- none"
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

Labels are the points of the valence-arousal plane that were *asked for*, not what people saw in the pictures.
`manifest.parquet` has a row a picture: label, source, person, fold, measures of the fit, sha256.

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
