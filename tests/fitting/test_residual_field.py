from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial import cKDTree
from scipy.spatial.transform import Rotation

from synth_affect.errors import ShapeError
from synth_affect.fitting.fit import FaceFit
from synth_affect.fitting.residual_field import ResidualField
from synth_affect.heads.camera import Camera, ImageSize, project
from synth_affect.heads.cc0 import load_cc0
from synth_affect.heads.model import HeadModel, embed, head_vertices, region_vertices

INNER = np.arange(468)
UPPER_INNER_LIP = (191, 80, 81, 82, 13, 312, 311, 310, 415)
LOWER_INNER_LIP = (95, 88, 178, 87, 14, 317, 402, 318, 324)


@pytest.fixture(scope="module")
def head() -> HeadModel:
    return load_cc0()


@pytest.fixture(scope="module")
def field(head: HeadModel) -> ResidualField:
    return ResidualField(head)


def seen(head: HeadModel, fit: FaceFit) -> np.ndarray:
    """(n_vertices, 2) px: the fit's own vertices in the picture."""
    vertices = head_vertices(head, fit.identity_coefficients, fit.expression_weights)
    return project(fit.camera, vertices)[:, :2]


def at_landmarks(head: HeadModel, values: np.ndarray) -> np.ndarray:
    return embed(values, head.triangles, head.landmarks_478)


def exact_fit(head: HeadModel, yaw_deg: float = 0.0, seed: int | None = None) -> FaceFit:
    """A fit whose landmarks lie where its own are."""
    rotation = Rotation.from_euler("y", yaw_deg, degrees=True).as_matrix()
    identity = np.zeros(len(head.identity_basis))
    if seed is not None:
        identity = np.random.default_rng(seed).normal(0, 0.7, len(identity))
    fit = FaceFit(
        head=head.name,
        topology=head.topology,
        image_size=ImageSize(512, 512),
        camera=Camera(rotation, np.array([0.0, 0.0, 700.0]), 1400.0, np.array([256.0, 256.0])),
        identity_coefficients=identity,
        expression_weights=np.zeros(len(head.unit_names)),
        landmarks_image=np.zeros((478, 2)),
        residual_iod=0.0,
        converged=True,
        iterations=1,
    )
    return replace(fit, landmarks_image=at_landmarks(head, seen(head, fit)))


def with_residual(fit: FaceFit, residual: np.ndarray) -> FaceFit:
    return replace(fit, landmarks_image=fit.landmarks_image + residual)


def smooth_residual(fit: FaceFit) -> np.ndarray:
    """(478, 2) px, a few pixels, waves over a third of the face."""
    x, y = fit.landmarks_image.T / 60
    return np.stack([3 * np.sin(x + 0.3 * y), 2 * np.cos(y - 0.5 * x)], axis=1).astype(np.float32)


def test_gives_two_pixels_a_vertex(head: HeadModel, field: ResidualField) -> None:
    fit = exact_fit(head)
    offsets = field(with_residual(fit, smooth_residual(fit)))
    assert offsets.shape == (len(head.mean), 2)
    assert offsets.dtype == np.float32


@pytest.mark.parametrize("yaw_deg", [0.0, 40.0])
def test_landmarks_that_are_met_move_nothing(head: HeadModel, field: ResidualField, yaw_deg: float) -> None:
    assert np.abs(field(exact_fit(head, yaw_deg, seed=1))).max() < 1e-3


def test_meets_landmarks_that_the_fit_alone_misses(head: HeadModel, field: ResidualField) -> None:
    fit = exact_fit(head, seed=2)
    residual = smooth_residual(fit)
    left_over = at_landmarks(head, field(with_residual(fit, residual))) - residual
    inside = np.hypot(*residual[INNER].T).mean()
    # The outline is turned away from the camera and not followed to the end; the points that face it are.
    facing = np.setdiff1d(INNER, turned_away(head, fit))
    assert inside > 2
    assert np.hypot(*left_over[facing].T).mean() < 0.1 * inside


def turned_away(head: HeadModel, fit: FaceFit) -> np.ndarray:
    """Landmarks that stand further back than the outer eye corners: the sides of the face."""
    depth = at_landmarks(
        head, project(fit.camera, head_vertices(head, fit.identity_coefficients, fit.expression_weights))
    )
    return np.flatnonzero(depth[:, 2] > depth[[33, 263], 2].max())


def test_brings_another_persons_face_onto_the_landmarks(head: HeadModel, field: ResidualField) -> None:
    fit, other = exact_fit(head), exact_fit(head, seed=5)
    wrong = replace(fit, landmarks_image=other.landmarks_image)
    front = np.setdiff1d(INNER, turned_away(head, fit))
    before = np.hypot(*(fit.landmarks_image - other.landmarks_image)[front].T).mean()
    after = at_landmarks(head, seen(head, fit) + field(wrong)) - other.landmarks_image
    assert np.hypot(*after[front].T).mean() < 0.2 * before


def test_is_linear_in_the_residual(head: HeadModel, field: ResidualField) -> None:
    fit = exact_fit(head)
    one, other = smooth_residual(fit), np.roll(smooth_residual(fit), 7, axis=0)
    nothing = field(fit)
    together = field(with_residual(fit, 2 * one - other))
    apart = 2 * (field(with_residual(fit, one)) - nothing) - (field(with_residual(fit, other)) - nothing)
    np.testing.assert_allclose(together - nothing, apart, atol=5e-3)


def test_an_eyeball_goes_as_one_where_its_iris_is_seen(head: HeadModel, field: ResidualField) -> None:
    fit = exact_fit(head)
    residual = smooth_residual(fit)
    residual[468:473] = [(2, 1), (4, 1), (2, 3), (0, 1), (2, -1)]  # the subject's right, around (2, 1)
    residual[473:478] = (-1, 0.5)
    offsets = field(with_residual(fit, residual))
    ball = region_vertices(head, "eyeball", "iris")
    right, left = ball[head.mean[ball, 0] < 0], ball[head.mean[ball, 0] > 0]
    np.testing.assert_allclose(offsets[right], np.broadcast_to([2, 1], (len(right), 2)), atol=1e-3)
    np.testing.assert_allclose(offsets[left], np.broadcast_to([-1, 0.5], (len(left), 2)), atol=1e-3)


@pytest.mark.parametrize("pulled", ["upper", "lower"])
def test_lips_do_not_pull_each_other(head: HeadModel, field: ResidualField, pulled: str) -> None:
    fit = exact_fit(head)
    with_jaw = at_landmarks(head, head.expression_units[head.unit_names.index("jawOpen")])[:, 1]
    on_lips = head.triangle_regions[head.landmarks_478.triangles] == head.region_names.index("lips")
    lip = on_lips & ((with_jaw > -10) if pulled == "upper" else (with_jaw < -15))
    own, other = (UPPER_INNER_LIP, LOWER_INNER_LIP) if pulled == "upper" else (LOWER_INNER_LIP, UPPER_INNER_LIP)
    residual = np.zeros((478, 2), dtype=np.float32)
    residual[lip] = (0, 6)
    moved = at_landmarks(head, field(with_residual(fit, residual)))
    middle = slice(2, 7)  # lips meet in the corners
    assert np.abs(moved[np.array(own)[middle], 1] - 6).max() < 1.5
    assert np.abs(moved[np.array(other)[middle]]).max() < 0.3


def test_what_is_far_from_all_landmarks_stays(head: HeadModel, field: ResidualField) -> None:
    fit = exact_fit(head)
    offsets = field(with_residual(fit, np.full((478, 2), 5.0)))
    away_mm, _ = cKDTree(at_landmarks(head, head.mean)).query(head.mean)
    on_skin = np.isin(np.arange(len(head.mean)), region_vertices(head, "skin", "scalp", "ears", "neck"))
    far = on_skin & (away_mm > 120)
    assert far.sum() > 20
    assert np.abs(offsets[far]).max() < 0.5
    assert np.abs(offsets[on_skin & (away_mm > 105)]).max() < 2
    lips = region_vertices(head, "lips")
    assert np.abs(offsets[lips] - 5).max() < 1.5


def test_the_far_side_of_a_turned_head_is_not_trusted(head: HeadModel, field: ResidualField) -> None:
    """A detector guesses what it cannot see; the surface there is turned away from the camera."""
    fit = exact_fit(head, yaw_deg=60.0)  # to the right of the picture: the subject's left side is hidden
    residual = np.zeros((478, 2), dtype=np.float32)
    left_cheek = [454, 323, 361, 356, 447, 366]
    residual[left_cheek] = (8, 0)
    assert np.abs(field(with_residual(fit, residual))).max() < 0.05
    right_cheek = [234, 93, 132, 127, 227, 137]
    residual = np.zeros((478, 2), dtype=np.float32)
    residual[right_cheek] = (8, 0)
    assert np.abs(field(with_residual(fit, residual))).max() > 4


def test_one_field_serves_many_fits_and_leaves_them_alone(head: HeadModel, field: ResidualField) -> None:
    fit = exact_fit(head, seed=3)
    shifted = with_residual(fit, smooth_residual(fit))
    before = shifted.landmarks_image.copy()
    first = field(shifted)
    field(exact_fit(head, yaw_deg=-20.0))
    np.testing.assert_array_equal(field(shifted), first)
    np.testing.assert_array_equal(shifted.landmarks_image, before)


def test_68_points_are_met_and_the_eyeballs_follow_the_lids(head: HeadModel, field: ResidualField) -> None:
    fit = exact_fit(head, seed=2)
    places = embed(seen(head, fit), head.triangles, head.landmarks_68)
    assert np.abs(field(replace(fit, landmarks_image=places))).max() < 1e-3
    x, y = places.T / 60
    residual = np.stack([3 * np.sin(x + 0.3 * y), 2 * np.cos(y - 0.5 * x)], axis=1).astype(np.float32)
    offsets = field(replace(fit, landmarks_image=places + residual))
    left_over = embed(offsets, head.triangles, head.landmarks_68) - residual
    assert np.linalg.norm(left_over[17:], axis=1).mean() < 0.2 * np.linalg.norm(residual[17:], axis=1).mean()
    ball = region_vertices(head, "eyeball", "iris")
    right = ball[head.mean[ball, 0] < 0]  # the subject's right is left in the picture
    np.testing.assert_allclose(offsets[right], np.tile(residual[36:42].mean(axis=0), (len(right), 1)), atol=1e-3)


def test_landmarks_of_no_markup_are_refused(head: HeadModel, field: ResidualField) -> None:
    with pytest.raises(ShapeError, match="478 points, or ibug's 68, got 5"):
        field(replace(exact_fit(head), landmarks_image=np.zeros((5, 2))))
