"""The units that can be asked for: as a table, and each alone on one face."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from synth_affect.affect import ValenceArousal
from synth_affect.blendshape.action_units import ARKIT_UNITS, AU_MEANINGS
from synth_affect.blendshape.local_units import UNIT_NAMES, ActionUnits, why_not
from synth_affect.errors import InputError
from synth_affect.pipelines.contact_sheet import Cell, Layout

COLUMNS = 7
DEFAULT_STRENGTH = 0.8
_SAME = {"AU34": "AU33", "AU45": "AU43"}
"""On a still picture."""


@dataclass(frozen=True, slots=True)
class UnitRow:
    """A line of the table. name : AU12, or one of ARKIT_UNITS that no line before names alone.  meaning : in words.
    sides : "L R" where `nameL` and `nameR` can be asked for too, "L or R" where only they can; else "".
    units : the ARKit units that it moves, with their weights at intensity 1.
    why_not : why it cannot be asked for; "" where it can.
    """

    name: str
    meaning: str
    sides: str
    units: tuple[tuple[str, float], ...]
    why_not: str


def unit_table(head: str, unit_names: Sequence[str]) -> list[UnitRow]:
    """The FACS units in their order, and then those of ARKit that none of them moves.

    head, unit_names : the model on which they are looked for.
    """
    rows = []
    for name, meaning in AU_MEANINGS.items():
        sides = [name + side for side in "LR" if name + side in UNIT_NAMES]
        moved = (
            UNIT_NAMES[name] if name in UNIT_NAMES else {unit: w for s in sides for unit, w in UNIT_NAMES[s].items()}
        )
        rows.append(UnitRow(name, meaning, _sides(name), tuple(moved.items()), _why_not(moved, head, unit_names)))
    named = {unit for row in rows for unit, _ in row.units}
    rows += [
        UnitRow(unit, "", "", ((unit, 1.0),), _why_not([unit], head, unit_names))
        for unit in ARKIT_UNITS
        if unit not in named
    ]
    return rows


def table_text(rows: Sequence[UnitRow]) -> str:
    """For people: one line a unit."""
    lines = [("unit", "sides", "meaning", "ARKit units and their weights")]
    for row in rows:
        moved = ", ".join(unit if weight == 1 else f"{unit} {weight:g}" for unit, weight in row.units)
        lines.append((row.name, row.sides, row.meaning, f"no: {row.why_not}" if row.why_not else moved))
    widths = [max(len(line[column]) for line in lines) for column in range(3)]
    return "\n".join(
        "  ".join([*(cell.ljust(width) for cell, width in zip(line, widths, strict=False)), line[3]]).rstrip()
        for line in lines
    )


def _sides(name: str) -> str:
    if f"{name}L" not in UNIT_NAMES:
        return ""
    return "L R" if name in UNIT_NAMES else "L or R"


def _why_not(moved: Iterable[str], head: str, unit_names: Sequence[str]) -> str:
    units = tuple(moved)
    for unit in units:
        if reason := why_not(unit):
            return reason
    lacking = [unit for unit in units if unit not in unit_names]
    return f"the head model {head} lacks {', '.join(lacking)}" if lacking else ""


def units_layout(strength: float) -> Layout:
    """The photograph, the face at rest, and each FACS unit alone, at `strength` in (0, 1].

    Raises InputError for another strength.
    """
    if not 0 < strength <= 1:  # also false for NaN
        raise InputError("--strength", f"{strength:g} is not in (0, 1]")
    rest = ValenceArousal(0.0, 0.0)
    shown: list[tuple[str, ValenceArousal | None, dict[str, float]]] = [
        ("the photograph", None, {}),
        ("at rest", rest, {}),
    ]
    for name, meaning in AU_MEANINGS.items():
        one_sided = name if name in UNIT_NAMES else f"{name}L"
        if name in _SAME or any(why_not(unit) for unit in UNIT_NAMES[one_sided]):
            continue
        with_jaw = ("AU26",) if name == "AU8" else ()  # which closes the lips over it
        caption = " over ".join((one_sided, *with_jaw)) if with_jaw else f"{one_sided}  {meaning.partition(',')[0]}"
        shown.append((caption, rest, dict.fromkeys((one_sided, *with_jaw), strength)))
    cells = tuple(
        Cell(k // COLUMNS, k % COLUMNS, target, caption, ActionUnits.of(asked))
        for k, (caption, target, asked) in enumerate(shown)
    )
    n_rows = -(-len(cells) // COLUMNS)
    return Layout(f"action units at {strength:g}", cells, 190, ("",) * n_rows, ("",) * COLUMNS, axes=False, close=True)
