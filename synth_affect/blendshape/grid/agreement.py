"""One candidate a cell, chosen for all cells together: the densest that agrees with what the neighbours chose.

So anger, fear and disgust do not alternate from cell to cell.
"""

from __future__ import annotations

import numpy as np

from synth_affect.blendshape.grid.cells import N_CELLS, neighbours_of
from synth_affect.blendshape.grid.modes import Mode

AGREEMENT = 6.0
"""What a difference to all neighbours by 60 degrees costs, in nats of density."""


def choose_modes(candidates: list[list[Mode]]) -> list[Mode | None]:
    """One of each cell's modes: iterated conditional modes, from the densest of each cell."""
    chosen: list[Mode | None] = [modes[0] if modes else None for modes in candidates]
    neighbours = [neighbours_of(cell) for cell in range(N_CELLS)]

    def cost(mode: Mode, cell: int) -> float:
        total = -float(np.log(mode.density))
        for other in neighbours[cell]:
            there = chosen[other]
            if there is not None:
                apart = float(np.linalg.norm(mode.direction - there.direction))
                total += AGREEMENT / 4 * min(apart, 1.2)
        return total

    for _ in range(20):
        changed = False
        for cell, modes in enumerate(candidates):
            if len(modes) > 1:
                best = min(modes, key=lambda mode, cell=cell: cost(mode, cell))  # type: ignore[misc]
                changed |= best is not chosen[cell]
                chosen[cell] = best
        if not changed:
            break
    return chosen
