"""How well a fit explains points that it did not see; shared by the benchmark and the tests on real pictures."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from synth_affect.arrays import BoolArray, FloatArray, IntArray
from synth_affect.fitting.fit import FaceFit
from synth_affect.fitting.landmarks import Landmarks
from synth_affect.fitting.markup import INNER, N_LANDMARKS, interocular_distance_px
from synth_affect.fitting.solver import LandmarkSolver
from synth_affect.heads.camera import ImageSize, project, to_camera
from synth_affect.heads.mesh import vertex_normals
from synth_affect.heads.model import HeadModel, embed, head_vertices

FITTED, HELD_OUT = INNER[::2], INNER[1::2]
"""Every second inner point (neither outline nor iris) is fitted, the others are only scored."""

FRONTAL = (
    *("man_front_a", "man_front_b", "man_bald", "man_beard", "man_stern", "man_stubble", "woman_front_a"),
    *("woman_front_b", "woman_portrait", "woman_dark_low", "einstein_grey", "man_glasses_smile", "hand_on_face"),
)
"""Frontal pictures by name."""


@dataclass(frozen=True, slots=True)
class FitScore:
    """held_out : mean distance of the held-out points, all : of all inner points when all are fitted; visible points
    only, in inter-ocular distances. largest_coefficient : of the two fits' identities, standard deviations.
    """

    held_out: float
    all: float
    largest_coefficient: float


def score_fit(solver: LandmarkSolver, head: HeadModel, landmarks: Landmarks, size: ImageSize) -> FitScore:
    """Both fits of one face, scored."""
    whole = solver(landmarks, size)
    half = fit_of_points(solver, landmarks, size, FITTED)
    return FitScore(
        held_out=mean_error(head, half, landmarks, HELD_OUT),
        all=mean_error(head, whole, landmarks, INNER),
        largest_coefficient=float(max(np.abs(fit.identity_coefficients).max() for fit in (whole, half))),
    )


def fit_of_points(solver: LandmarkSolver, landmarks: Landmarks, size: ImageSize, points: IntArray) -> FaceFit:
    """The fit that sees only `points`. The detector's readings, which it takes from all of the picture, are
    withheld.
    """
    weights = np.zeros(N_LANDMARKS)
    weights[points] = 1.0
    return solver(Landmarks(landmarks.points_image, {}), size, weights=weights)


def mean_error(head: HeadModel, fit: FaceFit, landmarks: Landmarks, points: IntArray) -> float:
    """Mean distance of the visible ones of `points` from where they were detected, in inter-ocular distances."""
    vertices = head_vertices(head, fit.identity_coefficients, fit.expression_weights).astype(np.float64)
    fitted = project(fit.camera, embed(vertices, head.triangles, head.landmarks_478))[:, :2]
    distance = np.linalg.norm(fitted - landmarks.points_image[:, :2], axis=1)
    seen = points[facing_camera(head, fit, vertices)[points]]
    return float(distance[seen].mean()) / interocular_distance_px(landmarks.points_image)


def facing_camera(head: HeadModel, fit: FaceFit, vertices: FloatArray) -> BoolArray:
    """(478,) bool: the skin under a landmark is turned towards the camera."""
    points_camera = to_camera(fit.camera, embed(vertices, head.triangles, head.landmarks_478))
    normals = embed(vertex_normals(vertices, head.triangles), head.triangles, head.landmarks_478)
    # Of two points of the head frame along a normal, the difference in the camera frame is the normal there.
    normals_camera = to_camera(fit.camera, normals) - to_camera(fit.camera, np.zeros_like(normals))
    facing: BoolArray = (normals_camera * points_camera).sum(axis=1) < 0
    return facing
