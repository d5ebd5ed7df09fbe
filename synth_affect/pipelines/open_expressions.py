"""The source of expressions that a choice stands for: the map of prototypes, the packaged grid, or another."""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib.resources import as_file, files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from synth_affect.blendshape.expression_source import ExpressionSource, PrototypeExpressions
from synth_affect.blendshape.grid.affect_grid import GridQuestion
from synth_affect.errors import InputError
from synth_affect.heads.cc0 import load_cc0
from synth_affect.heads.model import HeadModel

if TYPE_CHECKING:
    from synth_affect.blendshape.grid.affect_grid import AffectGrid

PROTOTYPES, DEFAULT_GRID = "prototypes", "default"
GRID_FILE = "default_grid.npz"


@dataclass(frozen=True, slots=True)
class ExpressionChoice:
    """grid : "prototypes" for none, "default" for the packaged grid, or the path of one.  question : how it is read.

    Raises InputError for a question without a grid.
    """

    grid: str = PROTOTYPES
    question: GridQuestion = field(default_factory=GridQuestion)

    def __post_init__(self) -> None:
        if self.grid == PROTOTYPES and self.question != GridQuestion():
            raise InputError("--grid", "missing; --lookup, --statistic and --sample say how a grid is read")

    @property
    def file(self) -> Path | None:
        """The user's file that is read."""
        return None if self.grid in (PROTOTYPES, DEFAULT_GRID) else Path(self.grid)

    def described(self) -> dict[str, Any]:
        """For records of what was asked: JSON values; nothing for the prototypes."""
        if self.grid == PROTOTYPES:
            return {}
        question = self.question
        return {
            "grid": self.grid,
            "lookup": question.lookup,
            "statistic": question.statistic,
            "sample": question.sample,
        }


def open_grid(name: str) -> AffectGrid:
    """The packaged grid for "default", else that of a file. Raises InputError as `load_grid`."""
    from synth_affect.blendshape.grid.grid_file import load_grid

    if name != DEFAULT_GRID:
        return load_grid(Path(name))
    with as_file(files("synth_affect.blendshape") / GRID_FILE) as path:
        return load_grid(path)


def open_expressions(choice: ExpressionChoice, head: HeadModel) -> ExpressionSource:
    """What the choice stands for, for editing `head`.

    A grid is of the face of `head` itself, or of the packaged head's, from which it is carried over.
    Raises InputError when the file cannot be used, or belongs to another template.
    """
    if choice.grid == PROTOTYPES:
        return PrototypeExpressions()
    from synth_affect.blendshape.grid.expressions import GridExpressions
    from synth_affect.blendshape.template import face_template

    grid = open_grid(choice.grid)
    packaged = load_cc0()
    for home in (head, packaged):
        if grid.topology == face_template(home).topology:
            return GridExpressions(grid, home, choice.question, head)
    wanted = face_template(packaged).topology
    raise InputError(choice.grid, f"a grid of template {grid.topology}, expected {wanted} (the face of cc0)")
