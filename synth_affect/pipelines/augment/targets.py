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

    @property
    def frames(self) -> int | None:
        """How many targets each sequence has, where they follow each other; None where each stands alone."""
        ...

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

    @property
    def frames(self) -> None:
        """See `Targets`."""
        return None

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
        _check_drawing(self.count, self.seed)

    @property
    def frames(self) -> None:
        """See `Targets`."""
        return None

    def of(self, key: str) -> tuple[AugmentTarget, ...]:
        """See `Targets`."""
        random = _random(self.seed, key)
        if self.points is None:
            drawn = _in_the_ring(random, self.count, 0.0)
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


LEAST_APEX = 0.4
"""Of a way: one that ends closer to neutral shows next to nothing."""
MAX_FRAMES = 10_000


@dataclass(frozen=True, slots=True)
class PathTargets:
    """Every face goes `count` ways of its own, each from neutral to a point of the disc, and back where `back`.

    length : frames of a way, first and last at rest.  seed : the same seed, the same ways of a key.
    Source: sequences for recurrent networks, Kollias et al. 2020.
    """

    count: int
    length: int
    seed: int = 0
    back: bool = True

    def __post_init__(self) -> None:
        _check_drawing(self.count, self.seed)
        if not 3 <= self.length <= MAX_FRAMES:
            raise InputError("--frames", f"{self.length} is not in [3, {MAX_FRAMES}]")

    @property
    def frames(self) -> int:
        """See `Targets`."""
        return self.length

    def of(self, key: str) -> tuple[AugmentTarget, ...]:
        """See `Targets`."""
        from synth_affect.pipelines.affect_path import path_points

        rest = ValenceArousal(0, 0)
        ways = []
        for valence, arousal in _in_the_ring(_random(self.seed, key), self.count, LEAST_APEX).tolist():
            apex = ValenceArousal(valence, arousal)
            ways += path_points([rest, apex, rest] if self.back else [rest, apex], self.length)
        return tuple(_target(point.valence, point.arousal) for point in ways)

    def described(self) -> dict[str, str | int | float]:
        """See `Targets`."""
        return {
            "targets": "paths",
            "per_face": self.count,
            "frames": self.length,
            "back": self.back,
            "seed": self.seed,
        }


def _check_drawing(count: int, seed: int) -> None:
    if count < 1:
        raise InputError("--per-face", f"{count} is not 1 or more")
    if seed < 0:
        raise InputError("--seed", f"{seed} is below 0")


def _random(seed: int, key: str) -> np.random.Generator:
    # Python's own hash differs from run to run.
    digest = hashlib.sha256(key.encode()).digest()
    return np.random.default_rng([seed, int.from_bytes(digest[:8], "big")])


def _in_the_ring(random: np.random.Generator, count: int, least: float) -> FloatArray:
    """(count, 2) points of the disc of radius 1, evenly, `least` or more from its middle."""
    radius = np.sqrt(least**2 + (1 - least**2) * random.random(count))
    angle = 2 * math.pi * random.random(count)
    points: FloatArray = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)
    return points


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
