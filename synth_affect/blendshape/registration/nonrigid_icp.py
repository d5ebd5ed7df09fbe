"""Optimal-step non-rigid ICP: the template is bent onto a scan in steps of falling stiffness."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_matrix, diags, eye
from scipy.sparse.linalg import splu
from scipy.spatial import cKDTree
from scipy.spatial.transform import Rotation

from synth_affect.arrays import BoolArray, FloatArray, readonly
from synth_affect.blendshape.registration.nonrigid_icp_settings import Level, NonRigidIcpSettings
from synth_affect.blendshape.registration.partners import Partners, Pull
from synth_affect.blendshape.registration.result import Registration
from synth_affect.blendshape.registration.rigid import RigidMotion, fit_rigid, fit_rigid_robust, inverse, moved
from synth_affect.blendshape.registration.scan import Scan
from synth_affect.blendshape.registration.surface import SurfaceTree
from synth_affect.blendshape.registration.thin_plate import membrane_matrix, plate_matrix, vertex_areas
from synth_affect.blendshape.registration.visibility import visible_vertices
from synth_affect.blendshape.template import Template
from synth_affect.errors import FitError, InputError

JAW_LINE = 17
"""The first landmarks of ibug's markup follow the jaw; the others sit on features."""
NOSE = slice(10, 19)
"""Of the others."""
MIN_LANDMARKS = 6
"""Fewer leave the pose of a face to their noise."""

RIGID_STEPS = 4
"""To carry the frame before along with the head."""
JUMP_MM = 6.0
"""From one frame to the next a face moves less."""
RIGID = Level(0.0, 0.0, 8.0, 0.6)
"""Of the search for the motion of the head."""


class NonRigidIcp:
    """Registers scans to one template; the factorised systems of all levels are kept between scans.

    Of the paper stay the schedule of falling stiffness, the landmarks that fade with it, and the rejection of partners
    by normal and open edge. It differs where that is more exact for the time:

    - The unknowns are displacements (3 a vertex) from the affine image of the template (in a sequence: of the frame
      before) nearest to the shape so far, under the energy of a thin plate, not an affine map a vertex (12) that
      likes to be its neighbours'. Both let affine motions go free; the plate's weight is a length in mm whatever the
      template's resolution.
    - A vertex is drawn to the plane through its partner more than to the partner itself, so that it may slide.
    - Partners count less the further they are (Geman-McClure), not all or nothing.
    - Vertices that no eye in front can see (inner lips and lids) have no partners.
    - The systems hold the weights that all vertices and landmarks would have if they were found, which depend on
      the template alone. The true weights enter by conjugate gradients, with these as preconditioner.

    A frame that follows another begins there, but is found as the neutral face under the least displacement that
    brings it onto the scan: so errors of frames do not add up, and what is not known to move stays.

    Source: Amberg, Romdhani, Vetter 2007, "Optimal step nonrigid ICP algorithms for surface registration".
    """

    def __init__(self, template: Template, settings: NonRigidIcpSettings | None = None) -> None:
        self.template = template
        self.settings = NonRigidIcpSettings() if settings is None else settings
        self._rest: FloatArray = template.mesh.vertices.astype(np.float64)
        self._triangles = template.mesh.triangles
        self._visible = visible_vertices(self._rest, self._triangles)
        self._to_landmarks = _embedding_matrix(template)
        self._from_landmarks = self._to_landmarks.T.tocsr()
        self._rest_landmarks: FloatArray = self._to_landmarks @ self._rest
        self._areas = areas = vertex_areas(self._rest, self._triangles)
        # Between one weight a vertex and one a mm^2: lips and lids, with most of the vertices, follow more closely.
        self._weights: FloatArray = np.sqrt(areas * areas.mean())
        plate = plate_matrix(self._rest, self._triangles, _stiffness(self._rest, self._rest_landmarks[JAW_LINE:]))
        # A nose has relief, but it does not move.
        moving = np.delete(self._rest_landmarks[JAW_LINE:], NOSE, axis=0)
        self._inertia = areas * _stiffness(self._rest, moving)
        membrane = membrane_matrix(self._rest, self._triangles)
        self._systems = [self._system(level, plate, membrane) for level in self.settings.levels]
        self._track_systems = [self._system(level, plate, membrane) for level in self.settings.track]

    def __call__(
        self,
        scan: Scan,
        landmarks: FloatArray,
        *,
        start: FloatArray | None = None,
        neutral: FloatArray | None = None,
    ) -> Registration:
        """The template on `scan`.

        landmarks : (n_landmarks, 3) mm, in the scan's frame, in the order of the template's; NaN rows are missing.
        start : (n_vertices, 3) mm, the registered vertices of the frame before, in the same frame (of a head that has
            moved on since, the landmarks tell); None begins from the landmarks. With it they may all be missing.
        neutral : (n_vertices, 3) mm, any frame: the same face in the recording's reference frame, from which
            displacements are taken; None takes the start for it.
        Raises InputError(scan.name, ...) where fewer than six landmarks are there to begin from, or lie on one line.
        """
        marks = readonly(landmarks, "landmarks", (len(self._rest_landmarks), 3), np.float64, finite=False)
        given = np.isfinite(marks).all(axis=1)
        to_head = self._motion_from_landmarks(scan, marks, given) if start is None else self._motion_from(start)
        tree = SurfaceTree(moved(to_head, scan.vertices), scan.triangles)
        marks_head = np.where(given[:, None], moved(to_head, np.where(given[:, None], marks, 0.0)), 0.0)
        partners = Partners(tree, self._triangles, self._visible if start is None else None)
        if start is None:
            shape, iterations, change = self._bent(partners, marks_head, given)
        else:
            before = self._caught_up(moved(to_head, start), marks_head, given)
            shape, iterations, change = self._followed(
                partners, marks_head, given, before, before if neutral is None else neutral
            )
        last = partners.pull(shape, self.settings.levels[-1], self._weights)
        vertices = moved(inverse(to_head), shape)
        if not np.isfinite(vertices).all():
            raise FitError(f"{scan.name}: the registration left the finite numbers")
        matched = last.weights > 0
        return Registration(
            vertices=vertices,
            scan_to_head=fit_rigid_robust(vertices, self._rest, self._areas),
            matched=matched,
            iterations=iterations,
            converged=change < self.settings.settled_mm,
            residual_mm=float(np.median(last.distances[matched])) if matched.any() else float("nan"),
        )

    def _bent(self, partners: Partners, marks: FloatArray, given: BoolArray) -> tuple[FloatArray, int, float]:
        """The shape, from the template on; the number of solves, and how far the last one moved the vertices, mm."""
        shape, iterations, change = self._rest, 0, float("inf")
        for level, system in zip(self.settings.levels, self._systems, strict=True):
            base = _affine_image(self._rest, shape)
            displacement: FloatArray = shape - base
            if level.look or iterations == 0:
                partners.look(shape)
            for _ in range(level.steps):
                pull = partners.pull(shape, level, self._weights)
                drag = self.settings.tangential * pull.weights
                new = self._solve(system, level, pull, base, marks, given, displacement, drag, pull.points - base)
                change = _rms(new - displacement)
                displacement, shape = new, base + new
                iterations += 1
                if change < self.settings.settled_mm:
                    break
        return shape, iterations, change

    def _followed(
        self, partners: Partners, marks: FloatArray, given: BoolArray, before: FloatArray, neutral: FloatArray
    ) -> tuple[FloatArray, int, float]:
        """The same, from the frame before on, as the neutral face with the least displacement."""
        partners.look(before)
        stay = self.settings.stay * self._inertia
        nowhere = np.zeros_like(before)
        shape, iterations, change = self._carried(before, partners), 0, float("inf")
        for level, system in zip(self.settings.track, self._track_systems, strict=True):
            base = moved(fit_rigid_robust(neutral, shape, self._areas * self._visible), neutral)
            displacement: FloatArray = shape - base
            if level.look:
                partners.look(shape)
            for _ in range(level.steps):
                pull = partners.pull(shape, level, self._weights, level.reach_mm / 4)
                new = self._solve(system, level, pull, base, marks, given, displacement, stay, nowhere)
                change = _rms(new - displacement)
                displacement, shape = new, base + new
                iterations += 1
                if change < self.settings.track_settled_mm:
                    break
        return shape, iterations, change

    def _carried(self, before: FloatArray, partners: Partners) -> FloatArray:
        """The frame before, moved rigidly to where the head is now, as most of its surface tells."""
        shape = before
        weights = self._areas * self._visible
        for _ in range(RIGID_STEPS):
            pull = partners.pull(shape, RIGID, weights)
            shape = _to_planes(shape, pull)
        return shape

    def _motion_from_landmarks(self, scan: Scan, marks: FloatArray, given: BoolArray) -> RigidMotion:
        if given.sum() < MIN_LANDMARKS:
            have = f"{int(given.sum())} of {len(given)} landmarks"
            raise InputError(scan.name, f"has {have}, a registration begins from {MIN_LANDMARKS} or more")
        try:
            return fit_rigid(marks[given], self._rest_landmarks[given])
        except FitError as error:
            raise InputError(scan.name, "has landmarks on one line") from error

    def _motion_from(self, start: FloatArray) -> RigidMotion:
        before = readonly(start, "start", self._rest.shape, np.float64)
        return fit_rigid_robust(before, self._rest, self._areas)

    def _caught_up(self, before: FloatArray, marks: FloatArray, given: BoolArray) -> FloatArray:
        """The frame before, moved to the landmarks of this one where the head has jumped."""
        if given.sum() < MIN_LANDMARKS:
            return before
        own = (self._to_landmarks @ before)[given]
        if np.median(np.linalg.norm(own - marks[given], axis=1)) < JUMP_MM:
            return before
        return moved(fit_rigid(own, marks[given]), before)

    def _system(self, level: Level, plate: csr_matrix, membrane: csr_matrix) -> _System:
        stiffness = level.plate_mm**4 * plate + self.settings.membrane * level.plate_mm**2 * membrane
        # Half of a partner's pull across the surface: between what it is across and what it is along.
        expected = self._visible * self._weights * (0.5 + self.settings.tangential)
        matrix = stiffness + diags(expected) + level.landmark_mm2 * (self._from_landmarks @ self._to_landmarks)
        # The least bit of identity keeps it definite where the template is not seen and nothing bends.
        matrix = matrix + 1e-6 * eye(len(expected))
        factor = splu(
            matrix.tocsc(), permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.0, options={"SymmetricMode": True}
        )
        return _System(stiffness.tocsr(), factor.solve)

    def _solve(
        self,
        system: _System,
        level: Level,
        pull: Pull,
        base: FloatArray,
        marks: FloatArray,
        given: BoolArray,
        displacement: FloatArray,
        drag: FloatArray,
        aim: FloatArray,
    ) -> FloatArray:
        """The displacement from `base` of least energy, from the one before.

        drag : (n_vertices,), weight of the distance from the displacement `aim`, (n_vertices, 3).
        """
        landmark_weights = (level.landmark_mm2 * given)[:, None]

        def across(field: FloatArray) -> FloatArray:
            height = pull.weights * np.einsum("nd,nd->n", pull.normals, field)
            weighted: FloatArray = height[:, None] * pull.normals
            return weighted

        def operator(field: FloatArray) -> FloatArray:
            image: FloatArray = system.stiffness @ field + across(field) + drag[:, None] * field
            if level.landmark_mm2 > 0:
                image += self._from_landmarks @ (landmark_weights * (self._to_landmarks @ field))
            return image

        right = across(pull.points - base) + drag[:, None] * aim
        right += self._from_landmarks @ (landmark_weights * (marks - self._to_landmarks @ base))
        return _conjugate_gradients(operator, system.precondition, right, displacement, self.settings.solver_steps)


@dataclass(frozen=True, slots=True, eq=False)
class _System:
    """stiffness : of plate and membrane.  precondition : solves it with the expected weights."""

    stiffness: csr_matrix
    precondition: Callable[[FloatArray], FloatArray]


def _embedding_matrix(template: Template) -> csr_matrix:
    """(n_landmarks, n_vertices): from the vertices to the landmarks."""
    marks = template.landmarks_68
    n_landmarks = len(marks.triangles)
    row_starts = np.arange(0, 3 * n_landmarks + 1, 3)
    columns = template.mesh.triangles[marks.triangles].ravel()
    weights = marks.barycentric.astype(np.float64).ravel()
    return csr_matrix((weights, columns, row_starts), shape=(n_landmarks, len(template.mesh.vertices)))


def _stiffness(vertices: FloatArray, landmarks: FloatArray) -> FloatArray:
    """(n_vertices,) around 1: less at the landmarks, more away from them, on cheeks and forehead."""
    distance, _ = cKDTree(landmarks).query(vertices)
    stiffness: FloatArray = np.clip(distance / 15.0, 0.3, 2.0) ** 2
    return stiffness


def _to_planes(points: FloatArray, pull: Pull) -> FloatArray:
    """`points` after the small rigid motion that brings them nearest to the planes of `pull`."""
    centre = points.mean(axis=0)
    arms = points - centre
    rows = np.concatenate([np.cross(arms, pull.normals), pull.normals], axis=1)
    height = np.einsum("nd,nd->n", pull.normals, pull.points - points)
    weighted = rows * pull.weights[:, None]
    turn_and_shift = np.linalg.lstsq(weighted.T @ rows, weighted.T @ height, rcond=1e-6)[0]
    motion = RigidMotion(Rotation.from_rotvec(turn_and_shift[:3]).as_matrix(), turn_and_shift[3:])
    after: FloatArray = moved(motion, arms) + centre
    return after


def _rms(field: FloatArray) -> float:
    return float(np.sqrt((field**2).sum(axis=1).mean()))


def _affine_image(source: FloatArray, target: FloatArray) -> FloatArray:
    """(n, 3): the affine image of `source` that is nearest to `target`."""
    homogeneous = np.concatenate([source, np.ones((len(source), 1))], axis=1)
    image: FloatArray = homogeneous @ np.linalg.solve(homogeneous.T @ homogeneous, homogeneous.T @ target)
    return image


def _conjugate_gradients(
    operator: Callable[[FloatArray], FloatArray],
    precondition: Callable[[FloatArray], FloatArray],
    right: FloatArray,
    start: FloatArray,
    steps: int,
) -> FloatArray:
    """For (n, 3) unknowns that the operator couples; ends early at 1e-5 of the first squared residual."""
    unknowns = start.copy()
    residual = right - operator(unknowns)
    direction = conditioned = precondition(residual)
    product = first = float(np.vdot(residual, conditioned))
    for _ in range(steps):
        if product <= 1e-5 * first:
            break
        image = operator(direction)
        length = product / float(np.vdot(direction, image))
        unknowns += length * direction
        residual -= length * image
        conditioned = precondition(residual)
        before, product = product, float(np.vdot(residual, conditioned))
        direction = conditioned + (product / before) * direction
    return unknowns
