"""Registration in the cylindrical unwrap, the way of 4DFAB: landmarks bend the template's picture onto the scan's, flow
between the pictures refines it, and each vertex reads its position from the scan's.

Source: Cheng, Kotsia, Pantic, Zafeiriou 2018, "4DFAB: a large scale 4D facial expression database", section 4. Their
flow is between textures; ours is between pictures of the surface's relief, so scans need no texture. How they fill what
the scan does not show is not said: here it follows its neighbours as a thin plate does.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np
from scipy.interpolate import RBFInterpolator
from scipy.sparse import coo_matrix, csc_matrix, diags
from scipy.sparse.linalg import splu

from synth_affect.arrays import BoolArray, FloatArray, IntArray, readonly
from synth_affect.blendshape.registration.cylinder import UvMap, cylinder_around, draw_map, unwrap, wrap
from synth_affect.blendshape.registration.dense_flow import FlowSettings, relief_flow
from synth_affect.blendshape.registration.result import Registration
from synth_affect.blendshape.registration.rigid import fit_rigid, fit_rigid_robust, inverse, moved
from synth_affect.blendshape.registration.scan import Scan
from synth_affect.blendshape.template import Template
from synth_affect.errors import InputError
from synth_affect.heads.mesh import vertex_normals
from synth_affect.heads.model import embed

N_JAW = 17
"""The first of ibug's 68 points: they lie on no feature of the surface."""
MIN_LANDMARKS = 6
N_ANCHORS = 32
"""Without them the spline runs away from the landmarks: a forehead without one was bent to a point."""


@dataclass(frozen=True, slots=True)
class UvSettings:
    """jaw_smoothing, smoothing, anchor_smoothing : of the thin-plate spline at the landmarks of the jaw, at the others,
        and at points all over the face that would rather stay (RBF coefficients; 0 passes through them).
    tracking : factor on all three when a sequence is followed from frame to frame, where the flow is the better guide.
    max_flow_mm : more is cut off.
    hidden_mm : a vertex this far below the outermost surface of its own face is not seen.
    min_cosine : between the normals of the vertex and of the scan there, for it to count as seen.
    max_gap_mm : a position further than this from where the landmarks put the vertex is not taken.
    stiffness : of the plate that fills what is not seen, per vertex; it also takes a little of the scan's noise away.
    tension : of the same; without it what is not seen swings out further with every frame.
    """

    flow: FlowSettings = field(default_factory=FlowSettings)
    jaw_smoothing: float = 5000.0
    smoothing: float = 400.0
    anchor_smoothing: float = 30000.0
    tracking: float = 5.0
    max_flow_mm: float = 12.0
    hidden_mm: float = 0.5
    min_cosine: float = 0.8
    max_gap_mm: float = 15.0
    stiffness: float = 0.5
    tension: float = 0.02


class UvRegistration:
    """The template onto scans, by way of the unwrap."""

    def __init__(self, template: Template, settings: UvSettings | None = None) -> None:
        self._template = template
        self._settings = UvSettings() if settings is None else settings
        self._cylinder = cylinder_around(template)
        self._rest = template.mesh.vertices.astype(np.float64)
        self._anchors = _spread(self._rest, N_ANCHORS)
        self._plate = _plate(template.mesh.triangles, len(self._rest), self._settings)

    def __call__(
        self,
        scan: Scan,
        landmarks: FloatArray,
        *,
        start: FloatArray | None = None,
        neutral: FloatArray | None = None,
    ) -> Registration:
        """The template's vertices on `scan`.

        landmarks : (68, 3), mm, scan frame, in the order of the template's; rows of NaN where a point is missing.
        start : (n_vertices, 3), mm, scan frame: the registration of the frame before, where there is one; then the
            landmarks may all be missing.
        neutral : not needed here; each frame is read from its own scan.
        Raises InputError when too few landmarks are given, or the scan is nowhere beneath the template.
        """
        points = readonly(landmarks, "landmarks", (68, 3), np.float64, finite=False)
        given = np.isfinite(points).all(axis=1)
        triangles, marks = self._template.mesh.triangles, self._template.landmarks_68
        if start is None:
            if given.sum() < MIN_LANDMARKS:
                raise InputError(scan.name, f"has {int(given.sum())} landmarks, {MIN_LANDMARKS} are needed")
            inner = given & (np.arange(len(given)) >= N_JAW)
            use = inner if inner.sum() >= MIN_LANDMARKS else given
            to_head = fit_rigid_robust(points[use], embed(self._rest, triangles, marks)[use])
            shape: FloatArray = self._rest
            smoothing = 1.0
        else:
            before = readonly(start, "start", (len(self._rest), 3), np.float64)
            to_head = fit_rigid(before, self._rest)
            shape, smoothing = moved(to_head, before), self._settings.tracking
        bent = self._bend(shape, given, moved(to_head, points), smoothing)
        scan_map = draw_map(self._cylinder, moved(to_head, scan.vertices), scan.triangles)
        read, seen = self._read(bent, scan_map)
        if not seen.any():
            raise InputError(scan.name, "has no surface where the landmarks put the face")
        guess = wrap(self._cylinder, bent)
        vertices_head = guess + self._filled(read - guess, seen)
        vertices = moved(inverse(to_head), vertices_head)
        residual = np.median(np.linalg.norm((vertices_head - read)[seen], axis=1))
        return Registration(
            vertices=vertices,
            scan_to_head=fit_rigid_robust(vertices, self._rest),
            matched=seen,
            iterations=self._settings.flow.rounds,
            converged=True,
            residual_mm=float(residual),
        )

    def _bend(self, shape: FloatArray, given: BoolArray, points: FloatArray, smoothing: float) -> FloatArray:
        """(n_vertices, 3) unwrapped: `shape` (head frame) bent so that its landmarks come near `points`."""
        s = self._settings
        source = embed(shape, self._template.mesh.triangles, self._template.landmarks_68)
        stay = shape[self._anchors]
        before, after = (unwrap(self._cylinder, np.concatenate([p[given], stay])) for p in (source, points))
        marks = np.where(np.arange(len(given)) < N_JAW, s.jaw_smoothing, s.smoothing)[given]
        weights = smoothing * np.concatenate([marks, np.full(len(stay), s.anchor_smoothing)])
        spline = RBFInterpolator(before[:, :2], after - before, smoothing=weights, kernel="thin_plate_spline")
        unwrapped = unwrap(self._cylinder, shape)
        bent: FloatArray = unwrapped + spline(unwrapped[:, :2])
        return bent

    def _read(self, bent: FloatArray, scan_map: UvMap) -> tuple[FloatArray, BoolArray]:
        """(n_vertices, 3) positions, mm, head frame, on the scan after the flow, and (n_vertices,) which are there."""
        s, pixel = self._settings, self._cylinder.pixel_mm
        guess, triangles = wrap(self._cylinder, bent), self._template.mesh.triangles
        own_map = draw_map(self._cylinder, guess, triangles)
        flow = _sampled(relief_flow(own_map, scan_map, pixel, s.flow), bent)
        length = np.linalg.norm(flow, axis=1, keepdims=True)
        flow = flow * np.minimum(1, s.max_flow_mm / pixel / np.maximum(length, 1e-9))
        at = np.column_stack([bent[:, :2] + flow, bent[:, 2]])
        read = _sampled(scan_map.positions, at).astype(np.float64)
        seen = _sampled(scan_map.covered.astype(np.float32), at) > 0.999
        seen &= bent[:, 2] > _sampled(own_map.radius, bent) - s.hidden_mm
        cosine = (_sampled(scan_map.normals, at) * vertex_normals(guess, triangles)).sum(axis=1)
        seen &= cosine > s.min_cosine  # the rims of lids and lips do not lie on eyeball and teeth
        seen &= np.linalg.norm(read - wrap(self._cylinder, at), axis=1) < s.max_gap_mm
        return read, seen

    def _filled(self, displacement: FloatArray, seen: BoolArray) -> FloatArray:
        """(n_vertices, 3) mm: `displacement` where it is seen, as a thin plate continues it elsewhere."""
        # The last term settles pieces of which nothing is seen: they stay with the landmarks.
        system = self._plate + diags(seen + 1e-9)
        solver = splu(
            system.tocsc(), permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.0, options={"SymmetricMode": True}
        )
        return np.asarray(solver.solve(np.where(seen[:, None], displacement, 0.0)))


def _spread(points: FloatArray, count: int) -> IntArray:
    """`count` of the points, far from each other: from the highest on, each the furthest from those before."""
    chosen = [int(points[:, 1].argmax())]
    distance = np.full(len(points), np.inf)
    while len(chosen) < count:
        distance = np.minimum(distance, np.linalg.norm(points - points[chosen[-1]], axis=1))
        chosen.append(int(distance.argmax()))
    return np.array(chosen)


def _sampled(picture: FloatArray, unwrapped: FloatArray) -> FloatArray:
    """(n,) or (n, d) float32: bilinear values of `picture` at columns and rows; 0 beyond its edge."""
    at = (unwrapped[:, :2] - 0.5).astype(np.float32)  # pixel centres lie at .5 here, at whole numbers in OpenCV
    return np.asarray(cv2.remap(picture, at[:, :1], at[:, 1:], cv2.INTER_LINEAR, borderValue=0)[:, 0])


def _plate(triangles: IntArray, n_vertices: int, settings: UvSettings) -> csc_matrix:
    """What a thin plate under tension resists, on the mesh's graph: squared Laplacian and Laplacian."""
    ends = np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]])
    ends = np.unique(np.concatenate([ends, ends[:, ::-1]]), axis=0)
    neighbours = coo_matrix((np.ones(len(ends)), (ends[:, 0], ends[:, 1])), shape=(n_vertices, n_vertices)).tocsr()
    degree = np.maximum(np.asarray(neighbours.sum(axis=1)).ravel(), 1)
    bending = diags(np.ones(n_vertices)) - diags(1 / degree) @ neighbours
    return csc_matrix(settings.stiffness * (bending.T @ bending) + settings.tension * (diags(degree) - neighbours))
