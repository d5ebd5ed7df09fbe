"""From the options that say what a face shall look like to what the pipelines take."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from synth_affect.cli.options import LookupChoice, StatisticChoice

if TYPE_CHECKING:
    from synth_affect.blendshape.local_units import ActionUnits
    from synth_affect.pipelines.open_expressions import ExpressionChoice


def expression_choice(
    grid: str, lookup: LookupChoice, statistic: StatisticChoice, sample: int | None
) -> ExpressionChoice:
    """Of `--grid`, `--lookup`, `--statistic` and `--sample`. Raises InputError for options that do not go together."""
    from synth_affect.blendshape.grid.affect_grid import GridQuestion
    from synth_affect.pipelines.open_expressions import ExpressionChoice

    return ExpressionChoice(grid, GridQuestion(lookup.value, statistic.value, sample))


def action_units(au: Sequence[str] | None) -> ActionUnits:
    """Of `--au`, as often as it was given. Raises InputError for what is no unit, or cannot be shown."""
    from synth_affect.blendshape.local_units import ActionUnits

    return ActionUnits.parse(au or ())
