"""Which points of the valence-arousal plane a face is brought to, and the labels of the pictures that come of it."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from synth_affect.affect import ValenceArousal, ring
from synth_affect.arrays import FloatArray
from synth_affect.blendshape.grid.affect_grid import AffectGrid
from synth_affect.blendshape.grid.cells import CELLS_PER_SIDE, CENTRES, RADII, cell_of
from synth_affect.data.faces.database import LabelScale
from synth_affect.data.faces.record import FaceItem, FaceRecord
from synth_affect.errors import InputError


@dataclass(frozen=True, slots=True)
class AugmentTarget:
    """What one picture shows, and its label.

    point : of the plane.  cell : index of the 10 x 10 grid's cell that it lies in, see `cells`.
    """

    point: ValenceArousal
    cell: int


class Targets(Protocol):
    """Says what each face is brought to."""

    def of(self, key: str) -> tuple[AugmentTarget, ...]:
        """The targets of the face `key`; the same for the same key, whatever was asked before."""
        ...

    def described(self) -> dict[str, str | int | float]:
        """For records of what was asked: JSON values."""
        ...


@dataclass(frozen=True, slots=True)
class SameTargets:
    """Every face gets all of `targets`. name : of the choice."""

    name: str
    targets: tuple[AugmentTarget, ...]

    def of(self, key: str) -> tuple[AugmentTarget, ...]:
        """See `Targets`."""
        return self.targets

    def described(self) -> dict[str, str | int | float]:
        """See `Targets`."""
        return {"targets": self.name, "per_face": len(self.targets)}


@dataclass(frozen=True, slots=True, eq=False)
class DrawnTargets:
    """Every face gets `count` points of its own.

    points : (n, 2) valence and arousal to draw from, such as the labels of a database; None draws evenly from the
    disc of radius 1.  seed : the same seed, the same points of a key.
    """

    count: int
    seed: int = 0
    points: FloatArray | None = None

    def __post_init__(self) -> None:
        if self.count < 1:
            raise InputError("--per-face", f"{self.count} is not 1 or more")
        if self.seed < 0:
            raise InputError("--seed", f"{self.seed} is below 0")

    def of(self, key: str) -> tuple[AugmentTarget, ...]:
        """See `Targets`."""
        # Python's own hash differs from run to run.
        digest = hashlib.sha256(key.encode()).digest()
        random = np.random.default_rng([self.seed, int.from_bytes(digest[:8], "big")])
        if self.points is None:
            radius, angle = np.sqrt(random.random(self.count)), 2 * math.pi * random.random(self.count)
            drawn = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)
        else:
            drawn = self.points[random.integers(len(self.points), size=self.count)]
        return tuple(_target(float(valence), float(arousal)) for valence, arousal in drawn)

    def described(self) -> dict[str, str | int | float]:
        """See `Targets`."""
        return {
            "targets": "random" if self.points is None else "labels",
            "per_face": self.count,
            "seed": self.seed,
        }


def ring_targets() -> SameTargets:
    """28 directions at four distances from neutral."""
    return SameTargets("ring", tuple(_target(point.valence, point.arousal) for point in ring()))


def cell_targets(grid: AffectGrid | None) -> SameTargets:
    """One point a cell, as in Kollias et al. 2018, section 4.2: the median label of the frames in it.

    grid : cells that it knows too little of are left out; without a grid, every cell whose centre lies in the unit
    circle, at its centre. Cells round the origin, which are next to no expression, are left out too.
    """
    if grid is None:
        cells = np.flatnonzero((RADII <= 1) & (RADII > _NEXT_TO_NEUTRAL))
        points: FloatArray = CENTRES[cells]
    else:
        cells = np.flatnonzero((grid.counts > 0) & ~grid.thin & (RADII > _NEXT_TO_NEUTRAL))
        points = grid.medians[cells]
    if len(cells) == 0:
        raise InputError("--targets", "the grid knows no cell well enough")
    rounded = np.round(points.astype(np.float64), _PLACES)
    return SameTargets(
        "cells",
        tuple(
            AugmentTarget(ValenceArousal(float(v), float(a)), int(cell))
            for (v, a), cell in zip(rounded, cells, strict=True)
        ),
    )


_NEXT_TO_NEUTRAL = 1.5 * math.sqrt(2) / CELLS_PER_SIDE
_PLACES = 4
"""Of labels: what is asked for is what stands in the files."""


def label_points(records: Iterable[FaceItem]) -> FloatArray:
    """(n, 2) float64: the labels of the records that have any. Raises InputError when none has."""
    labels = [(item.valence, item.arousal) for item in records if isinstance(item, FaceRecord) and item.has_affect]
    if not labels:
        raise InputError("--targets", "no picture of the database has valence and arousal to draw from")
    return np.array(labels)


def as_written(target: AugmentTarget, scale: LabelScale) -> AugmentTarget:
    """The target at the nearest point that has a label of `scale`: what is drawn is what the label says."""
    return _target(scale.as_written(target.point.valence), scale.as_written(target.point.arousal))


def _target(valence: float, arousal: float) -> AugmentTarget:
    point = ValenceArousal(round(valence, _PLACES), round(arousal, _PLACES))
    return AugmentTarget(point, int(cell_of(np.array([point.valence]), np.array([point.arousal]))[0]))
