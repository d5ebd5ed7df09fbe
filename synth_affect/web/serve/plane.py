"""What the page draws that does not depend on a picture: the plane, with words at their places and what the packaged
grid knows of each cell; and the units that have a slider.
"""

from __future__ import annotations

from typing import Any

from synth_affect.affect import Emotion, position
from synth_affect.blendshape.grid.cells import CELLS_PER_SIDE
from synth_affect.heads.cc0 import load_cc0
from synth_affect.pipelines.open_expressions import DEFAULT_GRID, open_grid
from synth_affect.pipelines.unit_sheet import unit_table

SHOWN = (
    Emotion.HAPPINESS,
    Emotion.EXCITED,
    Emotion.SURPRISE,
    Emotion.ASTONISHED,
    Emotion.TERRIFIED,
    Emotion.FEAR,
    Emotion.ANGER,
    Emotion.DISGUST,
    Emotion.DEPRESSED,
    Emotion.BORED,
    Emotion.TIRED,
    Emotion.SLEEPY,
    Emotion.RELAXED,
    Emotion.ASHAMED,
    Emotion.AWED,
    Emotion.QUIET,
    Emotion.HOPEFUL,
)
"""Words that stand in the plane: those that leave each other room."""


SIDES = {"": "none", "L R": "both", "L or R": "either"}
"""Of a unit: whether the page has a slider for it, for it and for each of its sides, or for each side alone."""


def describe_units() -> list[dict[str, str]]:
    """JSON values: the units of the packaged head that can be shown, FACS's first. sides : one of SIDES."""
    head = load_cc0()
    rows = [row for row in unit_table(head.name, head.unit_names) if not row.why_not]
    seen: set[tuple[tuple[str, float], ...]] = set()
    described = []
    for row in rows:
        if row.units not in seen:  # of two names for one look on a still picture the first
            seen.add(row.units)
            described.append({"name": row.name, "meaning": row.meaning, "sides": SIDES[row.sides]})
    return described


def describe_plane() -> dict[str, Any]:
    """JSON values: cells row by row from arousal -1, their frames, which of them are thin; words and their places."""
    grid = open_grid(DEFAULT_GRID)
    return {
        "cells_per_side": CELLS_PER_SIDE,
        "counts": grid.counts.tolist(),
        "thin": grid.thin.tolist(),
        "origin": f"{grid.source.get('frames', int(grid.counts.sum()))} frames of {grid.source.get('origin', 'faces')}",
        "shown": [emotion.value for emotion in SHOWN],
        "emotions": {emotion.value: [position(emotion).valence, position(emotion).arousal] for emotion in Emotion},
    }
