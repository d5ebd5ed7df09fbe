"""Sparse localized components of displacements: Neumann et al. 2013, "Sparse Localized Deformation Components".

The frames X (n_frames, 3 n_vertices) are explained as W C with few vertices moving in each component:

    minimise  n_frames / 2 * mean_f |x_f - w_f C|^2  +  sum over k, v of lambda * support_k(v) * |C[k, v]|

Deflation gives a first guess; then weights and components take turns until the components rest. Both weights of the
penalty, the paper's lambda and ADMM's rho, are settings *per frame*, so that more frames of the same kind give the same
components; both count in units of the displacements' standard deviation, as in the authors' code. The half before the
squared error is what their solver minimises, too.

Beyond the paper, the components run ahead between updates (momentum, given up for a turn when the objective rises).
Each weight stays within its bounds when it is updated, so that a large one must be paid for by a large component; then
a column whose largest magnitude is below 1 gives that scale to its component, and their product stays. The authors'
code divides a finished column by its maximum, which changes the product; giving a maximum above 1 to the component
instead lets pairs of components grow that cancel each other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from synth_affect.arrays import FloatArray, IntArray, readonly
from synth_affect.blendshape.displacement_blocks import DisplacementBlocks, Frames, look_through
from synth_affect.blendshape.sparse.admm import update_components
from synth_affect.blendshape.sparse.deflation import deflate
from synth_affect.blendshape.sparse.geodesics import HeatGeodesics
from synth_affect.blendshape.sparse.support_maps import SupportMaps
from synth_affect.blendshape.sparse.weights import solve_weights, update_weights
from synth_affect.blendshape.template import Template
from synth_affect.errors import FitError, InputError, ShapeError

Constraint = Literal["two-sided", "one-sided"]
"""Weights of frames within [-1, 1] (a component acts in both directions), or within [0, 1]; the paper's (2) and (3)."""
Progress = Callable[[Iterable[int], int], Iterable[int]]

INITIAL_FRAMES = 2048
"""Frames from which the first guess is made, evenly spread."""
SWEEPS = 5
"""Of block coordinate descent in every update of the weights. The paper takes one; they cost next to nothing."""
MOMENTUM = 0.7
"""Share of the last change by which components run ahead before the next update. The paper has none: taking turns is
slow, and this brings the objective of 20 iterations within 10."""
MOVING = 0.02
"""Share of a component's largest displacement from which on a vertex counts as moving."""


@dataclass(frozen=True, slots=True)
class SparseSettings:
    """What is asked of the components.

    n_components : their count.
    constraint : "one-sided" or "two-sided" weights.
    sparsity : lambda of the paper for each frame; the authors' 2 at 400 frames is 0.005. At the default, half of 50
        components of the synthetic gallery move less than 15 % of the face.
    support_mm : distance along the surface up to which a component is free, and from which on it pays `sparsity` in
        full. The authors' 0.1 and 0.7 of the mesh's largest extent are about 20 and 140 mm on a face.
    rho : ADMM's augmentation for each frame; the authors' 10 at 400 frames is 0.025.  admm_steps : in each update.
    tolerance : stop when an iteration changes the components by less than this share of their norm.
    max_iterations : stop after so many all the same.
    memory_mib : larger sets of frames are read anew in every iteration instead of held.

    Raises InputError for a value outside of its range.
    """

    n_components: int = 50
    constraint: Constraint = "one-sided"
    sparsity: float = 0.08
    support_mm: tuple[float, float] = (10.0, 100.0)
    rho: float = 0.025
    admm_steps: int = 10
    tolerance: float = 0.02
    max_iterations: int = 50
    memory_mib: int = 1024

    def __post_init__(self) -> None:
        for name, good, wanted in (
            ("n_components", self.n_components >= 1, "1 or more"),
            ("constraint", self.constraint in get_args(Constraint), " or ".join(get_args(Constraint))),
            ("sparsity", 0 <= self.sparsity < np.inf, "a number from 0"),
            ("support_mm", 0 <= self.support_mm[0] < self.support_mm[1] < np.inf, "two distances, increasing"),
            ("rho", 0 < self.rho < np.inf, "a number above 0"),
            ("admm_steps", self.admm_steps >= 1, "1 or more"),
            ("tolerance", 0 <= self.tolerance < np.inf, "a number from 0"),
            ("max_iterations", self.max_iterations >= 1, "1 or more"),
            ("memory_mib", self.memory_mib >= 0, "0 or more"),
        ):
            if not good:
                raise InputError(name, f"{getattr(self, name)} is not {wanted}")


@dataclass(frozen=True, slots=True, eq=False)
class SparseComponents:
    """Displacements that act locally, and add up to a face's.

    offsets : (n_components, n_vertices, 3) float32, mm at weight 1, head frame; exactly zero where nothing moves.
    constraint : of the weights that they were made for.
    centres : (n_components,) int32, the vertex that moves most.
    radii_mm : (n_components,) float32, how far along the surface from the centre vertices move; 0 for a component that
        is zero altogether, because nothing was left for it to explain.
    topology : id of the template that the vertices belong to.
    """

    offsets: FloatArray
    constraint: Constraint
    centres: IntArray
    radii_mm: FloatArray
    topology: str

    def __post_init__(self) -> None:
        shape = ("n_components", "n_vertices", 3)
        object.__setattr__(self, "offsets", readonly(self.offsets, "offsets", shape, np.float32))
        if self.constraint not in get_args(Constraint):
            raise ShapeError("constraint", " or ".join(get_args(Constraint)), repr(self.constraint))
        counts = (len(self.offsets),)
        object.__setattr__(self, "centres", readonly(self.centres, "centres", counts, np.int32))
        object.__setattr__(self, "radii_mm", readonly(self.radii_mm, "radii_mm", counts, np.float32))
        n_vertices = self.offsets.shape[1]
        if len(self.centres) and (self.centres.min() < 0 or self.centres.max() >= n_vertices):
            raise ShapeError("centres", f"vertices in [0, {n_vertices})", "another")

    def transform(self, frames: FloatArray) -> FloatArray:
        """(n_frames, n_components) float32: the weights that explain displacements best.

        frames : (n_frames, n_vertices, 3) of any float dtype, mm; the same vertices.
        Least squares, with weights of at least 0 where the constraint is one-sided. They may exceed 1: a frame can show
        more than those that the components were made from.
        """
        flat = _flat(self.offsets)
        displaced = readonly(frames, "frames", ("n_frames", *self.offsets.shape[1:]), np.float32)
        return solve_weights(_flat(displaced) @ flat.T, flat @ flat.T, nonnegative=self.constraint == "one-sided")

    def inverse_transform(self, weights: FloatArray) -> FloatArray:
        """(n_frames, n_vertices, 3) float32, mm: displacements of weights (n_frames, n_components)."""
        given = readonly(weights, "weights", ("n_frames", len(self.offsets)), np.float32)
        displaced: FloatArray = (given @ _flat(self.offsets)).reshape(len(given), *self.offsets.shape[1:])
        return displaced


@dataclass(frozen=True, slots=True, eq=False)
class SparseFit:
    """What the estimator found.

    components : see there.  weights : (n_frames, n_components) float32, of the frames in their order; the largest
        magnitude of a column is 1, or 0 when its component is zero.
    objective : (n_iterations,) float64, after each iteration; 1/2 squared error plus penalty, both in units of the
        displacements' variance, summed over the frames.
    explained : share of the displacements' squared norm that the components explain.
    change : by which share of their norm the last iteration changed the components.
    converged : that is below the tolerance.
    """

    components: SparseComponents
    weights: FloatArray
    objective: FloatArray
    explained: float
    change: float
    converged: bool

    def __post_init__(self) -> None:
        shape = ("n_frames", len(self.components.offsets))
        object.__setattr__(self, "weights", readonly(self.weights, "weights", shape, np.float32))
        object.__setattr__(self, "objective", readonly(self.objective, "objective", ("n_iterations",), np.float64))


class SparseComponentEstimator:
    """Finds sparse localized components on one template, whose geodesics it keeps factored.

    fit = SparseComponentEstimator(template).fit(displacements); fit.components.transform(other_displacements)
    """

    def __init__(self, template: Template, settings: SparseSettings | None = None) -> None:
        self.template = template
        self.settings = settings or SparseSettings()
        self._support_maps = SupportMaps(HeatGeodesics(template.mesh), *self.settings.support_mm)

    def fit(self, frames: Frames, *, progress: Progress | None = None) -> SparseFit:
        """The components of `frames`: (n_frames, n_vertices, 3) mm, or what streams them, such as `gallery.blocks`.

        progress : is given the iterations and their largest count, and gives them back.
        Raises InputError for fewer frames than components, ShapeError for frames of another shape or not finite,
        FitError when nothing moves.
        """
        settings = self.settings
        blocks = look_through(frames, len(self.template.mesh.vertices), settings.memory_mib * 2**20)
        if blocks.n_frames < settings.n_components:
            raise InputError(
                "components", f"{settings.n_components} cannot be found in {blocks.n_frames} frames, which are fewer"
            )
        if blocks.deviation_mm == 0:
            raise FitError("no components: nothing moves in any frame")
        state = self._first_guess(blocks)
        objective: list[float] = []
        iterations: Iterable[int] = range(settings.max_iterations)
        if progress is not None:
            iterations = progress(iterations, settings.max_iterations)
        for _ in iterations:
            objective.append(self._iterate(state, blocks))
            if state.change <= settings.tolerance:
                break
        return SparseFit(
            components=self._result(state.components),
            weights=state.weights,
            objective=np.array(objective),
            explained=1 - state.squared_error / float(blocks.vertex_energy.sum()),
            change=state.change,
            converged=state.change <= settings.tolerance,
        )

    def _first_guess(self, blocks: DisplacementBlocks) -> _State:
        settings = self.settings
        rows, frames = blocks.sample(INITIAL_FRAMES)
        components, guessed = deflate(
            frames, settings.n_components, self._support_maps, nonnegative=settings.constraint == "one-sided"
        )
        weights = np.zeros((blocks.n_frames, settings.n_components), dtype=np.float32)
        weights[rows] = guessed
        return _State(components, np.zeros_like(components), weights)

    def _iterate(self, state: _State, blocks: DisplacementBlocks) -> float:
        """One update of the weights and one of the components, in one pass over the frames; the objective after it."""
        settings = self.settings
        last = state.components.copy()
        if state.before is not None and not state.rose:
            state.components += np.float32(MOMENTUM) * (state.components - state.before)
        scale, weights_frames = _update_weights(state, blocks, nonnegative=settings.constraint == "one-sided")
        weights_gram = state.weights.T @ state.weights
        thresholds = self._thresholds(state.components)
        # Lengths are in units of the standard deviation; the penalty is linear in them, the error is quadratic.
        thresholds *= np.float32(settings.sparsity * blocks.n_frames * blocks.deviation_mm)
        update_components(
            state.components,
            state.duals,
            weights_frames,
            weights_gram,
            thresholds,
            rho=settings.rho * blocks.n_frames,
            n_steps=settings.admm_steps,
        )
        state.before = last * scale[:, None]
        state.change = _relative_change(state.before, state.components)
        gram = state.components @ state.components.T
        explained = 2 * _inner(weights_frames, state.components) - _inner(weights_gram, gram)
        state.squared_error = float(blocks.vertex_energy.sum()) - explained
        lengths = np.sqrt(_squares(state.components))
        objective = (state.squared_error / 2 + _inner(thresholds, lengths)) / blocks.deviation_mm**2
        state.rose, state.objective = objective > state.objective, objective
        return objective

    def _thresholds(self, components: FloatArray) -> FloatArray:
        """(n_components, n_vertices) float32: the support map of every component."""
        return np.stack([self._support_maps(centre) for centre in _centres(components)])

    def _result(self, components: FloatArray) -> SparseComponents:
        centres = _centres(components)
        offsets = components.reshape(len(components), -1, 3)
        lengths = np.sqrt(_squares(components))
        radii = np.zeros(len(offsets), dtype=np.float32)
        for k, (centre, length) in enumerate(zip(centres, lengths, strict=True)):
            if length[centre] > 0:
                distances = self._support_maps.distances(centre)[length >= MOVING * length[centre]]
                radii[k] = distances[np.isfinite(distances)].max()
        return SparseComponents(
            offsets, self.settings.constraint, np.array(centres, dtype=np.int32), radii, self.template.topology
        )


@dataclass(slots=True, eq=False)
class _State:
    """Where the alternation is.

    components, duals : (n_components, 3 n_vertices) float32.  weights : (n_frames, n_components) float32.
    before : the components of the iteration before, at the scale of the present ones.
    rose : the last iteration raised the objective.
    """

    components: FloatArray
    duals: FloatArray
    weights: FloatArray
    before: FloatArray | None = None
    rose: bool = False
    objective: float = np.inf
    change: float = np.inf
    squared_error: float = np.inf


def _update_weights(state: _State, blocks: DisplacementBlocks, *, nonnegative: bool) -> tuple[FloatArray, FloatArray]:
    """New weights, their scale given to the components; that scale (n_components,), and W'X like the components.

    Sweeps do not feel the scale of a column, so the constraint on its largest magnitude, which needs all frames, waits
    until the pass is over.
    """
    components, weights = state.components, state.weights
    gram = components @ components.T
    weights_frames = np.zeros_like(components)
    first = 0
    for block in blocks:
        of_block = weights[first : first + len(block)]
        update_weights(block @ components.T, gram, of_block, nonnegative=nonnegative, n_sweeps=SWEEPS)
        weights_frames += of_block.T @ block
        first += len(block)
    if first != blocks.n_frames:
        raise ShapeError("frames", f"{blocks.n_frames} in every pass", str(first))
    scale = np.abs(weights).max(axis=0)
    components *= scale[:, None]
    divisor = np.where(scale > 0, scale, np.float32(1))
    weights /= divisor
    weights_frames /= divisor[:, None]
    return scale, weights_frames


def _centres(components: FloatArray) -> list[int]:
    """The vertex that moves most in each component."""
    return [int(centre) for centre in _squares(components).argmax(axis=1)]


def _squares(components: FloatArray) -> FloatArray:
    """(n_components, n_vertices) squared lengths. Summed by planes: numpy is slow along an axis of 3."""
    x, y, z = components[:, 0::3], components[:, 1::3], components[:, 2::3]
    squares: FloatArray = x * x + y * y + z * z
    return squares


def _relative_change(before: FloatArray, after: FloatArray) -> float:
    norm = float(np.linalg.norm(after))
    return float(np.linalg.norm(after - before)) / norm if norm > 0 else 0.0


def _inner(a: FloatArray, b: FloatArray) -> float:
    return float(np.einsum("kd,kd->", a, b, dtype=np.float64))


def _flat(offsets: FloatArray) -> FloatArray:
    return offsets.reshape(len(offsets), -1)
