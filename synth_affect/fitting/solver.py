"""`LandmarkSolver`: camera, pose, identity and expression of a head from the landmarks of a face in a picture.

Levenberg-Marquardt on the reprojection error with its analytic derivatives (`energy`). Three things make it different
from the textbook: every point's weight follows how well it is explained and whether it is seen (iteratively reweighted
least squares), the outline's points slide over the cheek (`contour`), and each step is the exact minimum inside the box
of allowed coefficients (`box_quadratic`), so that a unit which would have to be negative stays at zero instead of
pulling others along.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from synth_affect.arrays import FloatArray, IntArray, readonly
from synth_affect.errors import FitError, ShapeError
from synth_affect.fitting.box_quadratic import minimise_in_box
from synth_affect.fitting.contour import contour_strips, outermost
from synth_affect.fitting.energy import (
    HeadState,
    LandmarkEnergy,
    LandmarkRows,
    energy_at,
    energy_quadratic,
    landmark_points,
    projected_landmarks,
)
from synth_affect.fitting.fit import FaceFit
from synth_affect.fitting.landmarks import Landmarks
from synth_affect.fitting.markup import IBUG, MEDIAPIPE, Markup, interocular_distance_px, markup_of
from synth_affect.fitting.perspective import N_VIEW, HeadView, camera_of_view, moved, project_view, view_of_camera
from synth_affect.fitting.priors import ExpressionBelief, Lens, expression_prior, lens_distance_mm
from synth_affect.fitting.weak_perspective import weak_perspective
from synth_affect.heads.camera import ImageSize
from synth_affect.heads.mesh import vertex_normals
from synth_affect.heads.model import HeadModel, embed


@dataclass(frozen=True, slots=True)
class SolverSettings:
    """What the solver believes before it sees the picture, and when it stops. Lengths are mm on the face.

    noise_mm : standard deviation of one landmark about the head that explains it: the detector's error, and what the
        basis cannot express. Larger trusts the priors more.
    robust_mm : distance from which a point counts as wrong (Geman-McClure).
    identity_limit : bound of the identity coefficients, standard deviations.
    contour_weight, iris_weight : weights of the outline's and the irises' points beside 1 for all others.
    hidden_weight : weight of a point on skin that is turned away, where the detector guesses.
    expression, lens : priors of the expression weights and of the camera's distance.
    max_iterations : cap on accepted and refused steps together.
    tolerance_mm : stop when a step moves the landmarks by less than this (root mean square).
    """

    noise_mm: float = 3.0
    robust_mm: float = 5.0
    identity_limit: float = 3.0
    contour_weight: float = 0.5
    iris_weight: float = 1.0
    hidden_weight: float = 0.05
    expression: ExpressionBelief = field(default_factory=ExpressionBelief)
    lens: Lens = field(default_factory=Lens)
    max_iterations: int = 30
    tolerance_mm: float = 0.02


_CONTOUR_ITERATIONS = 6
"""Iterations in which the outline may choose other points; afterwards they stand, so that the rest can converge."""

_ROBUST_START = 4.0
"""The robust distance starts this many times larger and halves: far points must be able to pull a poor first pose."""

_FIRST_DAMPING = 1e-3
_LAST_DAMPING = 1e6


@dataclass(frozen=True, slots=True, eq=False)
class _MarkedHead:
    """A head model at the landmarks of one markup.

    centre : (3,) mm, head frame, where the rows' points count from.
    normals : (n_landmarks, 3) of unit length.  rows : of the landmarks.
    strips : rows of shape (n_outline, n_samples): where on the skin each point of the outline may slide to.
    eyes_turn : 1 where a unit moves the irises, 0 where they would pull at the head instead.
    """

    markup: Markup
    centre: FloatArray
    normals: FloatArray
    rows: LandmarkRows
    strips: LandmarkRows
    eyes_turn: float


def _marked(head: HeadModel, markup: Markup) -> _MarkedHead:
    embedding = markup.embedding(head)
    mean = head.mean.astype(np.float64)
    points = embed(mean, head.triangles, embedding)
    centre = points[markup.inner].mean(axis=0)
    normals = embed(vertex_normals(mean, head.triangles), head.triangles, embedding)
    bases = [*head.identity_basis, *head.expression_units]
    embedded = [embed(basis, head.triangles, embedding).astype(np.float64) for basis in bases]
    rows = LandmarkRows(points - centre, np.stack(embedded, axis=2))
    strips = contour_strips(mean, points, markup)
    own = rows.points[markup.outline, None], rows.basis[markup.outline, None]
    along = np.stack([basis[strips].astype(np.float64) for basis in bases], axis=3)
    eye_units = rows.basis[markup.irises, :, len(head.identity_basis) :]
    return _MarkedHead(
        markup=markup,
        centre=centre,
        normals=normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-9),
        rows=rows,
        strips=LandmarkRows(
            np.concatenate([own[0], mean[strips] - centre], axis=1), np.concatenate([own[1], along], axis=1)
        ),
        eyes_turn=float(np.abs(eye_units).max(initial=0.0) > 0),
    )


def _known(marked: _MarkedHead, identity: FloatArray) -> _MarkedHead:
    """The same for a person whose identity is known: expression units alone are left to find."""

    def worn(rows: LandmarkRows) -> LandmarkRows:
        own, units = rows.basis[..., : len(identity)], rows.basis[..., len(identity) :]
        return LandmarkRows(rows.points + own @ identity, np.ascontiguousarray(units))

    return replace(marked, rows=worn(marked.rows), strips=worn(marked.strips))


@dataclass(frozen=True, slots=True, eq=False)
class IdentityEvidence:
    """Energy of one picture as a quadratic of the identity c: gradient . d + 1/2 d . hessian . d, d = c - coefficients.

    coefficients, gradient : (n_identity,) float64.  hessian : (n_identity, n_identity) float64.
    """

    coefficients: FloatArray
    gradient: FloatArray
    hessian: FloatArray


class LandmarkSolver:
    """Fits one head model to landmarks; made once a model, called once a face.

    What of the head belongs to a set of landmarks is worked out at its first call and kept; the answers depend on no
    call before.

    head : with MediaPipe's 478 points and ibug's 68 embedded; ShapeError otherwise.
    settings : the defaults when absent.

    Convention: landmarks are MediaPipe's 478 points or ibug's 68; the principal point is the centre of the picture.
    """

    def __init__(self, head: HeadModel, settings: SolverSettings | None = None) -> None:
        self.settings = settings if settings is not None else SolverSettings()
        self._head = head
        self._n_identity = len(head.identity_basis)
        for name, markup in (("landmarks_478", MEDIAPIPE), ("landmarks_68", IBUG)):
            triangles = markup.embedding(head).triangles
            if len(triangles) != markup.n_landmarks:
                raise ShapeError(name, (markup.n_landmarks,), triangles.shape)
        self._marked: dict[int, _MarkedHead] = {}
        limit = self.settings.identity_limit
        n_units = len(head.expression_units)
        self._lower = np.concatenate([np.full(self._n_identity, -limit), np.zeros(n_units)])
        self._upper = np.concatenate([np.full(self._n_identity, limit), np.ones(n_units)])

    def __call__(
        self,
        landmarks: Landmarks,
        image_size: ImageSize,
        *,
        weights: FloatArray | None = None,
        identity: FloatArray | None = None,
        start: FaceFit | None = None,
    ) -> FaceFit:
        """The head behind one face.

        landmarks : its 478 or 68 points, px.  image_size : of the picture they lie in.
        weights : (n_landmarks,) float, >= 0, how far each point is to be trusted; 1 for all when absent.
        identity : (n_identity,) standard deviations, of a person who is known; found as well when absent.
        start : an earlier fit of these landmarks, near which the answer lies; that is quicker.
        Raises ShapeError for another count of points, bad weights or another count of coefficients, FitError when the
            points give no pose or the eyes no distance.
        """
        marked = self._marked_head(markup_of(landmarks.points_image))
        if identity is not None:
            identity = readonly(identity, "identity", (self._n_identity,), np.float64)
            marked = _known(marked, identity)
        n_landmarks = marked.markup.n_landmarks
        trust = np.ones(n_landmarks) if weights is None else readonly(weights, "weights", (n_landmarks,), np.float64)
        if trust.min() < 0:
            raise ShapeError("weights", "numbers of at least 0", f"{trust.min():g}")
        iod_px = interocular_distance_px(landmarks.points_image)
        if not iod_px > 0:
            raise FitError("the outer corners of both eyes are one point")
        principal_point = np.array([image_size.width, image_size.height]) / 2.0
        energy, state = self._begin(marked, landmarks, image_size, principal_point, trust)
        if start is not None:
            began = start.expression_weights.astype(np.float64)
            if identity is None:
                began = np.concatenate([start.identity_coefficients, began])
            state = HeadState(view_of_camera(start.camera, marked.centre), began)
        descent = self._descend(marked, energy, state, _ROBUST_START if start is None else 1.0)
        distance_px = np.linalg.norm(projected_landmarks(descent.rows, descent.state) - energy.detected, axis=1)
        used = trust > 0
        found = descent.state.coefficients
        n_found = len(found) - len(self._head.expression_units)  # of the identity: all or none
        return FaceFit(
            head=self._head.name,
            topology=self._head.topology,
            image_size=image_size,
            camera=camera_of_view(descent.state.view, marked.centre, principal_point),
            identity_coefficients=found[:n_found] if identity is None else identity,
            expression_weights=found[n_found:],
            landmarks_image=landmarks.points_image[:, :2],
            residual_iod=float(distance_px[used].mean()) / iod_px,
            converged=descent.converged,
            iterations=descent.iterations,
        )

    def identity_evidence(self, landmarks: Landmarks, fit: FaceFit) -> IdentityEvidence:
        """What the landmarks of one picture say of the identity, near `fit` of them, when pose and expression follow.

        The prior of the identity is not part of it, so that the evidence of many pictures of a person can be added.
        """
        marked = self._marked_head(markup_of(landmarks.points_image))
        trust = np.ones(marked.markup.n_landmarks)
        energy, _ = self._begin(marked, landmarks, fit.image_size, fit.camera.principal_point, trust)
        state, rows = self._state_of(marked, fit, energy.detected)
        seen = _seen(marked, state, rows, self.settings.hidden_weight)
        quadratic = energy_quadratic(replace(energy, rows=rows, weights=energy.weights * seen), state)
        own = np.arange(N_VIEW, N_VIEW + self._n_identity)
        at_rest = (fit.expression_weights <= 0) | (fit.expression_weights >= 1)  # held there by the box
        free = np.concatenate([np.arange(N_VIEW), own[-1] + 1 + np.flatnonzero(~at_rest)])
        hessian, gradient = quadratic.hessian, quadratic.gradient
        # The Schur complement: the others take their best values for every identity.
        follow = np.linalg.solve(hessian[np.ix_(free, free)], hessian[np.ix_(free, own)])
        return IdentityEvidence(
            coefficients=state.coefficients[: self._n_identity],
            gradient=gradient[own] - state.coefficients[: self._n_identity] - follow.T @ gradient[free],
            hessian=hessian[np.ix_(own, own)] - np.eye(self._n_identity) - hessian[np.ix_(own, free)] @ follow,
        )

    def likeliest_identity(self, evidence: Sequence[IdentityEvidence], weight: float = 1.0) -> FloatArray:
        """(n_identity,) float64: of the person in all those pictures, each of which counts `weight`."""
        hessian, gradient = np.eye(self._n_identity), np.zeros(self._n_identity)
        for one in evidence:
            hessian += weight * one.hessian
            gradient += weight * (one.gradient - one.hessian @ one.coefficients)
        own = slice(0, self._n_identity)
        return minimise_in_box((hessian + hessian.T) / 2, gradient, self._lower[own], self._upper[own])

    def residual_iod(self, fit: FaceFit) -> float:
        """Mean distance of the points of `fit` from its landmarks, in inter-ocular distances of the picture."""
        marked = self._marked_head(markup_of(fit.landmarks_image))
        detected = fit.landmarks_image - fit.camera.principal_point
        state, rows = self._state_of(marked, fit, detected)
        distance_px = np.linalg.norm(projected_landmarks(rows, state) - detected, axis=1)
        return float(distance_px.mean()) / interocular_distance_px(fit.landmarks_image)

    def _state_of(self, marked: _MarkedHead, fit: FaceFit, detected: FloatArray) -> tuple[HeadState, LandmarkRows]:
        coefficients = np.concatenate([fit.identity_coefficients, fit.expression_weights]).astype(np.float64)
        state = HeadState(view_of_camera(fit.camera, marked.centre), coefficients)
        return state, _rows_with_outline(marked, _outline(marked, state, detected))

    def _marked_head(self, markup: Markup) -> _MarkedHead:
        # When it is first needed: most callers bring one kind of points.
        if markup.n_landmarks not in self._marked:
            self._marked[markup.n_landmarks] = _marked(self._head, markup)
        return self._marked[markup.n_landmarks]

    def _begin(
        self,
        marked: _MarkedHead,
        landmarks: Landmarks,
        image_size: ImageSize,
        principal_point: FloatArray,
        trust: FloatArray,
    ) -> tuple[LandmarkEnergy, HeadState]:
        """What is to be explained, and the mean head where weak perspective puts it."""
        settings = self.settings
        detected = landmarks.points_image[:, :2] - principal_point
        weights = trust * marked.markup.weight
        weights[marked.markup.outline] *= settings.contour_weight
        weights[marked.markup.irises] *= settings.iris_weight * marked.eyes_turn
        pose = weak_perspective(marked.rows.points, detected, weights)
        log_distance = float(np.log(lens_distance_mm(settings.lens, image_size, pose.scale)))
        view = HeadView(pose.head_to_camera, pose.offset / pose.scale, float(np.log(pose.scale)), log_distance)
        prior = expression_prior(self._head.unit_names, landmarks.blendshapes, settings.expression)
        n_all = marked.rows.basis.shape[2]
        n_identity = n_all - len(prior.slope)  # none of a person who is known
        curvature = np.eye(n_all)
        curvature[n_identity:, n_identity:] = prior.curvature
        energy = LandmarkEnergy(
            rows=marked.rows,
            detected=detected,
            mm_per_px=1.0 / pose.scale,
            weights=weights,
            noise_mm=settings.noise_mm,
            robust_mm=settings.robust_mm,
            curvature=curvature,
            slope=np.concatenate([np.zeros(n_identity), prior.slope]),
            log_distance=log_distance,
            log_distance_sd=settings.lens.log_distance_sd,
        )
        return energy, HeadState(view, np.zeros(n_all))

    def _descend(self, marked: _MarkedHead, energy: LandmarkEnergy, state: HeadState, robust_start: float) -> _Descent:
        """Levenberg-Marquardt from `state`."""
        settings = self.settings
        rows, damping = energy.rows, _FIRST_DAMPING
        choice: IntArray = np.zeros(len(marked.markup.outline), dtype=np.intp)
        for iteration in range(settings.max_iterations):
            annealing = max(robust_start * 0.5**iteration, 1.0)
            settled = annealing == 1.0
            if iteration < _CONTOUR_ITERATIONS:
                chosen = _outline(marked, state, energy.detected)
                if (chosen != choice).any():
                    choice, rows, settled = chosen, _rows_with_outline(marked, chosen), False
            current = replace(
                energy,
                rows=rows,
                weights=energy.weights * _seen(marked, state, rows, settings.hidden_weight),
                robust_mm=settings.robust_mm * annealing,
            )
            quadratic = energy_quadratic(current, state)
            before = projected_landmarks(rows, state)
            while True:
                trial = self._stepped(state, quadratic.gradient, quadratic.hessian, damping)
                if energy_at(current, trial) <= quadratic.value:
                    break
                damping *= 10.0
                if damping > _LAST_DAMPING:
                    # No step, however short, leads down: this is the minimum as far as floats can tell.
                    return _Descent(state, rows, iteration + 1, settled)
            damping = max(damping * 0.1, 1e-9)
            change_px = projected_landmarks(rows, trial) - before
            change_mm = np.sqrt((change_px**2).sum(axis=1).mean()) * energy.mm_per_px
            state = trial
            if settled and change_mm < settings.tolerance_mm:
                return _Descent(state, rows, iteration + 1, True)
        return _Descent(state, rows, settings.max_iterations, False)

    def _stepped(self, state: HeadState, gradient: FloatArray, hessian: FloatArray, damping: float) -> HeadState:
        """The state after the best step that stays inside the box."""
        damped = hessian.copy()
        np.einsum("ii->i", damped)[:] *= 1.0 + damping
        unbounded = np.full(N_VIEW, np.inf)
        # Of a person who is known, only the expression's bounds.
        lower, upper = (bound[-len(state.coefficients) :] for bound in (self._lower, self._upper))
        step = minimise_in_box(
            damped,
            gradient,
            np.concatenate([-unbounded, lower - state.coefficients]),
            np.concatenate([unbounded, upper - state.coefficients]),
        )
        # The bounds are met exactly: a sum of differences may miss them by a rounding.
        coefficients = np.clip(state.coefficients + step[N_VIEW:], lower, upper)
        return HeadState(moved(state.view, step[:N_VIEW]), coefficients)


def _outline(marked: _MarkedHead, state: HeadState, detected: FloatArray) -> IntArray:
    """(n_outline,) which sample of its strip each outline point stands for."""
    samples = landmark_points(marked.strips, state.coefficients)
    projected = project_view(state.view, samples.reshape(-1, 3)).reshape(*samples.shape[:2], 2)
    return outermost(projected, detected[marked.markup.outline], closed=marked.markup.closed)


def _rows_with_outline(marked: _MarkedHead, choice: IntArray) -> LandmarkRows:
    points, basis = marked.rows.points.copy(), marked.rows.basis.copy()
    outline, each = marked.markup.outline, np.arange(len(choice))
    points[outline] = marked.strips.points[each, choice]
    basis[outline] = marked.strips.basis[each, choice]
    return LandmarkRows(points, basis)


def _seen(marked: _MarkedHead, state: HeadState, rows: LandmarkRows, hidden_weight: float) -> FloatArray:
    """(n_landmarks,) weight of each point for how far its skin is turned towards the camera; 1 on the outline, which is
    where the skin turns away.
    """
    turned = landmark_points(rows, state.coefficients) @ state.view.head_to_camera.T
    to_camera = -(turned + np.array([*state.view.shift_mm, np.exp(state.view.log_distance)]))
    to_camera /= np.linalg.norm(to_camera, axis=1, keepdims=True)
    facing = ((marked.normals @ state.view.head_to_camera.T) * to_camera).sum(axis=1)
    smooth = np.clip((facing + 0.1) / 0.4, 0.0, 1.0)
    seen: FloatArray = hidden_weight + (1.0 - hidden_weight) * smooth * smooth * (3.0 - 2.0 * smooth)
    seen[marked.markup.outline] = 1.0
    return seen


@dataclass(frozen=True, slots=True, eq=False)
class _Descent:
    """Where a descent ended, with which outline, after how many iterations, and whether it came to rest."""

    state: HeadState
    rows: LandmarkRows
    iterations: int
    converged: bool
