"""The valence-arousal grid: for each of its cells what faces do that feel so, as weights of shared local components.

100 cells of 0.2 x 0.2 (Kollias et al. 2018, section 3.2). A cell knows the mean of its frames, which is the paper's,
and its typical expression, which is not a mean of unlike ones: see `build`. Between cells everything is a linear
combination of cell values, with the factors of `cell_factors`.

Convention: row i of a table lies at arousal -0.9 + 0.2 i, column j at valence -0.9 + 0.2 j; tables are flattened row by
row. The origin, a corner of four cells, is no displacement.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np

from synth_affect.affect import Emotion, ValenceArousal
from synth_affect.arrays import BoolArray, FloatArray, IntArray, readonly
from synth_affect.errors import InputError

if TYPE_CHECKING:  # it brings numba and scipy, which a command without a grid does not need
    from synth_affect.blendshape.sparse.components import SparseComponents

CELLS_PER_SIDE = 10
N_CELLS = CELLS_PER_SIDE**2
CELL_WIDTH = 2 / CELLS_PER_SIDE

Lookup = Literal["continuous", "cell"]
"""Moving smoothly from cell to cell, or the cell itself, which is the paper's."""
Statistic = Literal["typical", "mean"]
"""The typical expression of a cell, or its mean, which is the paper's."""

LARGEST_SEED = 2**63 - 1
LARGEST_DRAW = 2.0
"""Standard deviations from the typical expression; what is further out is brought back to there."""


@dataclass(frozen=True, slots=True)
class GridQuestion:
    """How a grid is read. sample : draw an unseen expression with this seed; the same seed, the same expression.

    Raises InputError for an unknown choice, and for a sample of the mean, around which nothing is known to lie.
    """

    lookup: Lookup = "continuous"
    statistic: Statistic = "typical"
    sample: int | None = None

    def __post_init__(self) -> None:
        for option, value, choices in (
            ("--lookup", self.lookup, get_args(Lookup)),
            ("--statistic", self.statistic, get_args(Statistic)),
        ):
            if value not in choices:
                raise InputError(option, f"{value} is not one of {', '.join(choices)}")
        if self.sample is not None and not 0 <= self.sample <= LARGEST_SEED:
            raise InputError("--sample", f"{self.sample} is not in [0, {LARGEST_SEED}]")
        if self.sample is not None and self.statistic == "mean":
            raise InputError("--sample", "expressions are drawn around the typical one; leave out --statistic mean")


@dataclass(frozen=True, slots=True, eq=False)
class AffectGrid:
    """Statistics of displacements by cell, in weights of `components`.

    source : where the frames come from, in words; what a file of the grid says of itself.
    components : the shared dictionary.
    counts : (100,) int32, annotated frames in the cell.
    thin : (100,) bool, too few frames of too few people, or faces at rest alone: filled from the cells around.
    medians : (100, 2) float32, median valence and arousal of the frames; the centre where there are none.
    typical, mean : (100, n_components) float32 weights.
    deviation : (100, n_components) float32, standard deviation of the weights among the faces like the typical one.
    lower, upper : (100, n_components) float32, the range of most of those.
    correlation_root : (n_components, n_components) float32, lower triangular; times independent numbers of variance 1
        it gives weights as they go together, in standard deviations.
    categories : the emotions that have statistics of their own.
    category_typical : (n_categories, n_components) float32 weights at distance 1 from neutral.
    """

    source: dict[str, str | int | float]
    components: SparseComponents
    counts: IntArray
    thin: BoolArray
    medians: FloatArray
    typical: FloatArray
    mean: FloatArray
    deviation: FloatArray
    lower: FloatArray
    upper: FloatArray
    correlation_root: FloatArray
    categories: tuple[Emotion, ...]
    category_typical: FloatArray

    def __post_init__(self) -> None:
        n_components = len(self.components.offsets)
        object.__setattr__(self, "counts", readonly(self.counts, "counts", (N_CELLS,), np.int32))
        object.__setattr__(self, "thin", readonly(self.thin, "thin", (N_CELLS,), np.bool_))
        object.__setattr__(self, "medians", readonly(self.medians, "medians", (N_CELLS, 2), np.float32))
        for name in ("typical", "mean", "deviation", "lower", "upper"):
            table = readonly(getattr(self, name), name, (N_CELLS, n_components), np.float32)
            object.__setattr__(self, name, table)
        root = readonly(self.correlation_root, "correlation_root", (n_components, n_components), np.float32)
        object.__setattr__(self, "correlation_root", root)
        shape = (len(self.categories), n_components)
        object.__setattr__(
            self, "category_typical", readonly(self.category_typical, "category_typical", shape, np.float32)
        )

    @property
    def topology(self) -> str:
        """Id of the template that displacements belong to."""
        return self.components.topology

    def weights(
        self, target: ValenceArousal, emotion: Emotion | None = None, question: GridQuestion | None = None
    ) -> FloatArray | None:
        """(n_components,) float32: the answer at `target`; exactly zero at the origin.

        emotion : that category's statistics at the distance of `target`; None is returned where there are none.
        """
        asked = question or GridQuestion()
        if emotion is Emotion.NEUTRAL:
            return np.zeros(len(self.correlation_root), dtype=np.float32)
        if emotion is not None and emotion not in self.categories:
            return None
        factors = cell_factors(target, asked.lookup).astype(np.float32)
        if emotion is not None:
            weights = np.float32(target.intensity) * self.category_typical[self.categories.index(emotion)]
        else:
            weights = factors @ (self.typical if asked.statistic == "typical" else self.mean)
        if asked.sample is not None:
            drawn = self.correlation_root @ np.random.default_rng(asked.sample).standard_normal(len(weights))
            # As a change: a category's own expression may lie outside of the cell's range.
            away = (factors @ self.deviation) * np.clip(drawn, -LARGEST_DRAW, LARGEST_DRAW)
            typical = factors @ self.typical
            ends = np.stack([factors @ self.lower, typical, factors @ self.upper]) - typical
            weights = weights + np.clip(away, ends.min(axis=0), ends.max(axis=0))
        answer: FloatArray = weights.astype(np.float32)
        return answer

    def displacement(
        self, target: ValenceArousal, emotion: Emotion | None = None, question: GridQuestion | None = None
    ) -> FloatArray | None:
        """(n_vertices, 3) float32, mm, on the template: `weights` as a displacement."""
        weights = self.weights(target, emotion, question)
        if weights is None:
            return None
        offsets: FloatArray = self.components.inverse_transform(weights[None])[0]
        return offsets


def cell_of(valence: FloatArray, arousal: FloatArray) -> IntArray:
    """(n,) index of the cells of points (n,) in [-1, 1]; a border belongs to the cell above it."""
    column, row = (
        np.clip(np.floor((np.asarray(axis, dtype=np.float64) + 1) / CELL_WIDTH), 0, CELLS_PER_SIDE - 1).astype(np.intp)
        for axis in (valence, arousal)
    )
    cells: IntArray = row * CELLS_PER_SIDE + column
    return cells


def cell_centres() -> FloatArray:
    """(100, 2) float64: valence and arousal in the middle of each cell."""
    levels = (np.arange(CELLS_PER_SIDE) + 0.5) * CELL_WIDTH - 1
    arousal, valence = np.meshgrid(levels, levels, indexing="ij")
    return np.stack([valence.ravel(), arousal.ravel()], axis=1)


def cell_factors(target: ValenceArousal, lookup: Lookup = "continuous") -> FloatArray:
    """(100,) float64: the value at `target` as a combination of the values of cells; all 0 at the origin.

    A value over its distance from neutral is what is interpolated, so that along a ray expressions grow evenly and die
    away at the origin: by cubic convolution between cells, and round the origin, where the direction turns quickly, by
    direction between the four innermost cells. At the centre of a cell it is that cell's value, in both ways.
    Sources: Keys 1981, a = -1/2.
    """
    factors = np.zeros(N_CELLS)
    if target.intensity == 0:
        return factors
    if lookup == "cell":
        factors[cell_of(np.array([target.valence]), np.array([target.arousal]))] = 1
        return factors
    share = _smooth_step((target.intensity - _INNERMOST) / (_FULL - _INNERMOST))
    if share < 1:
        factors += (1 - share) * _by_direction(target.direction_rad)
    if share > 0:
        factors += share * _by_place(target)
    return np.asarray(target.intensity * factors / RADII)


CENTRES = cell_centres()
RADII = np.hypot(*CENTRES.T)
_INNERMOST = float(RADII.min())
_FULL = float(np.unique(RADII.round(9))[1])
_INNER_CELLS = np.array(
    [
        int(cell_of(np.array([valence]), np.array([arousal]))[0])
        for valence, arousal in ((0.1, 0.1), (-0.1, 0.1), (-0.1, -0.1), (0.1, -0.1))
    ]
)
"""In the directions 45, 135, 225 and 315 degrees."""


def _by_direction(direction_rad: float) -> FloatArray:
    factors = np.zeros(N_CELLS)
    turn = (direction_rad / (math.pi / 2) - 0.5) % 4
    first = int(turn) % 4
    factors[_INNER_CELLS[(first + np.arange(-1, 3)) % 4]] += _cubic(turn - math.floor(turn))
    return factors


def _by_place(target: ValenceArousal) -> FloatArray:
    table = np.zeros((CELLS_PER_SIDE, CELLS_PER_SIDE))
    (rows, along_rows), (columns, along_columns) = (_along(axis) for axis in (target.arousal, target.valence))
    np.add.at(table, np.ix_(rows, columns), np.outer(along_rows, along_columns))
    return table.ravel()


def _along(level: float) -> tuple[IntArray, FloatArray]:
    """The four cells along an axis, and their factors; beyond the last centre the last cell goes on."""
    place = (level + 1) / CELL_WIDTH - 0.5
    first = math.floor(place)
    return np.clip(np.arange(first - 1, first + 3), 0, CELLS_PER_SIDE - 1), _cubic(place - first)


def _cubic(t: float) -> FloatArray:
    """Factors of four neighbours for a place between the two in the middle, t in [0, 1]."""
    return 0.5 * np.array(
        [
            -t + 2 * t**2 - t**3,
            2 - 5 * t**2 + 3 * t**3,
            t + 4 * t**2 - 3 * t**3,
            -(t**2) + t**3,
        ]
    )


def _smooth_step(t: float) -> float:
    t = min(max(t, 0.0), 1.0)
    return t * t * (3 - 2 * t)
