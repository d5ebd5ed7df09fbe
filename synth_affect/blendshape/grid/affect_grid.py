"""The valence-arousal grid: for each of its cells what faces do that feel so, as weights of shared local components.

A cell (`cells`) knows the mean of its frames, which is the paper's, and its typical expression, which is not a mean of
unlike ones: see `build`. Between cells everything is a linear combination of cell values.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np

from synth_affect.affect import Emotion, ValenceArousal
from synth_affect.arrays import BoolArray, FloatArray, IntArray, readonly
from synth_affect.blendshape.grid.cells import N_CELLS, Lookup, cell_factors
from synth_affect.errors import InputError

if TYPE_CHECKING:  # it brings numba and scipy, which a command without a grid does not need
    from synth_affect.blendshape.sparse.components import SparseComponents

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
