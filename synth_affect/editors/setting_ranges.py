"""Ranges of the numbers among a recipe's settings."""

from __future__ import annotations

from collections.abc import Mapping

from synth_affect.errors import InputError

LOOP_RANGES: Mapping[str, tuple[float, float]] = {
    "batch": (2, 4096), "epochs": (1, 100_000), "learning_rate": (1e-9, 1)
}  # fmt: skip
"""Of the settings that every recipe has."""
SLOWING_RANGES: Mapping[str, tuple[float, float]] = {"last_learning_rate": (1e-9, 1)}
"""Of those that learn slower in the end, see `set_learning_rate`."""
REACH_RANGE: Mapping[str, tuple[float, float]] = {"reach": (0.1, 10)}
"""Of editors that go farther than what was learnt: FExGAN, and those that draw grey faces, see `GreyCropEditor`."""


def check_ranges(settings: object, ranges: Mapping[str, tuple[float, float]]) -> None:
    """ranges : field name -> least, most.

    Raises InputError naming the first field out of its range as an option, `--learning-rate` for `learning_rate`.
    """
    for name, (least, most) in ranges.items():
        value = getattr(settings, name)
        if not least <= value <= most:  # also true for NaN
            raise InputError(f"--{name.replace('_', '-')}", f"{value:g} is not in [{least:g}, {most:g}]")
