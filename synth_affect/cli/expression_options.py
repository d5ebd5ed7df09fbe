"""From the options of a grid to what the pipelines take."""

from __future__ import annotations

from typing import TYPE_CHECKING

from synth_affect.cli.options import LookupChoice, StatisticChoice

if TYPE_CHECKING:
    from synth_affect.pipelines.open_expressions import ExpressionChoice


def expression_choice(
    grid: str, lookup: LookupChoice, statistic: StatisticChoice, sample: int | None
) -> ExpressionChoice:
    """Of `--grid`, `--lookup`, `--statistic` and `--sample`. Raises InputError for options that do not go together."""
    from synth_affect.blendshape.grid.affect_grid import GridQuestion
    from synth_affect.pipelines.open_expressions import ExpressionChoice

    return ExpressionChoice(grid, GridQuestion(lookup.value, statistic.value, sample))
