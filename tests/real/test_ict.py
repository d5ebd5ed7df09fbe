"""ICT-FaceKit itself: what the loader makes of it, and expressions of the packaged head on it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from synth_affect.blendshape.template import face_vertices
from synth_affect.blendshape.transfer.expression_transfer import ExpressionTransfer
from synth_affect.fitting.mediapipe_detector import MediaPipeDetector
from synth_affect.heads.camera import Camera, ImageSize, project
from synth_affect.heads.cc0 import load_cc0
from synth_affect.heads.ict import load_ict
from synth_affect.heads.mesh import triangle_normals
from synth_affect.heads.model import HeadModel, embed, region_triangles, region_vertices
from synth_affect.pipelines import embed_landmarks as embedding
from synth_affect.render.rasterizer import rasterize_projected

MODEL = Path(__file__).parents[3] / "shared" / "models" / "ict_facekit.npz"
pytestmark = pytest.mark.skipif(not MODEL.is_file(), reason="../shared/models/ict_facekit.npz is not here")

INSIDE = ("mouth_cavity", "teeth_upper", "teeth_lower", "gums", "tongue")
EYE = ("eyeball", "iris")
PIXEL_MM = 0.2


@pytest.fixture(scope="module")
def bare() -> HeadModel:
    return load_ict(MODEL)


@pytest.fixture(scope="module")
def head(bare: HeadModel) -> HeadModel:
    """With landmarks of fewer renderings than a conversion takes."""
    with pytest.MonkeyPatch.context() as patch, MediaPipeDetector() as detector:
        patch.setattr(embedding, "N_HEADS", 5)
        patch.setattr(embedding, "YAWS_DEG", (0.0,))
        return replace(bare, landmarks_478=embedding.embed_landmarks(bare, detector))


def seen_mm2(head: HeadModel, vertices: np.ndarray, regions: tuple[str, ...], y: float, yaw_deg: float = 0.0) -> float:
    """Area of regions that is seen from the front, in a window about height `y` of the head."""
    c, s = np.cos(np.radians(yaw_deg)), np.sin(np.radians(yaw_deg))
    rotation = np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]])
    camera = Camera(rotation, np.array([0, y, 900.0]), 900 / PIXEL_MM, np.array([300, 150]))
    shown = ~region_triangles(head, "lashes")
    projected = project(camera, vertices).astype(np.float32)
    seen = rasterize_projected(projected, head.triangles[shown], ImageSize(300, 600)).pix_to_face[0, :, :, 0]
    wanted = region_triangles(head, *regions)[shown]
    return float((wanted[seen] & (seen >= 0)).sum()) * PIXEL_MM**2


def unit(head: HeadModel, *names: str) -> np.ndarray:
    return sum(head.expression_units[head.unit_names.index(name)] for name in names)


def test_it_is_a_whole_head_in_our_frame(bare: HeadModel) -> None:
    assert {bare.region_names[k] for k in np.unique(bare.triangle_regions)} == set(bare.region_names)
    assert len(bare.unit_names) == 51
    assert len(bare.identity_basis) == 100
    np.testing.assert_allclose(bare.mean[region_vertices(bare, *EYE)].mean(axis=0), 0, atol=0.5)
    chin, brow = embed(bare.mean, bare.triangles, bare.landmarks_68)[[8, 27]]
    assert 90 < brow[1] - chin[1] < 130
    assert np.linalg.norm(triangle_normals(bare.mean, bare.triangles), axis=1).min() / 2 > 1e-3


def test_both_halves_mirror_each_other(bare: HeadModel) -> None:
    flip = np.array([-1, 1, 1])
    np.testing.assert_array_equal(bare.mirror[bare.mirror], np.arange(len(bare.mean)))
    assert np.abs(bare.mean[bare.mirror] * flip - bare.mean).max() < 0.3
    for stem in ("mouthSmile", "eyeBlink", "browDown"):
        left, right = unit(bare, stem + "Left"), unit(bare, stem + "Right")
        assert np.abs(left[bare.mean[:, 0] > 15]).max() > 3 > np.abs(left[bare.mean[:, 0] < -15]).max()
        face = region_vertices(bare, "skin", "lips", "lids")
        assert np.abs(left[bare.mirror] * flip - right)[face].mean() < 0.02 < np.abs(left).max()


def test_lips_meet_at_rest_and_open_on_teeth_and_tongue(bare: HeadModel) -> None:
    assert seen_mm2(bare, bare.mean, INSIDE, -72) == 0
    opened = bare.mean + 0.5 * unit(bare, "jawOpen")
    assert seen_mm2(bare, opened, ("tongue",), -72) > 80
    bared = bare.mean + unit(bare, "mouthUpperUpLeft", "mouthUpperUpRight", "mouthLowerDownLeft", "mouthLowerDownRight")
    assert seen_mm2(bare, bared, ("teeth_upper",), -72) > 120
    assert seen_mm2(bare, bared, ("teeth_lower",), -72) > 60
    assert np.abs(unit(bare, "jawOpen")[region_vertices(bare, "teeth_upper")]).max() == 0


@pytest.mark.parametrize("yaw_deg", [-30.0, 0.0, 30.0])
def test_a_blink_covers_the_eyes(bare: HeadModel, yaw_deg: float) -> None:
    assert seen_mm2(bare, bare.mean, EYE, 0, yaw_deg) > 150
    assert seen_mm2(bare, bare.mean + unit(bare, "eyeBlinkLeft", "eyeBlinkRight"), EYE, 0, yaw_deg) < 0.5


def test_the_iris_has_the_size_of_irises(bare: HeadModel) -> None:
    iris = region_vertices(bare, "iris")
    left = bare.mean[iris][bare.mean[iris, 0] > 0]
    assert 10.5 < np.ptp(left[:, 0]) < 13


def test_landmarks_lie_where_they_are_named(head: HeadModel) -> None:
    def regions(points: list[int]) -> set[str]:
        return {head.region_names[k] for k in head.triangle_regions[head.landmarks_478.triangles[points]]}

    points = embed(head.mean, head.triangles, head.landmarks_478)
    ibug = embed(head.mean, head.triangles, head.landmarks_68)
    assert regions([13, 14, 82, 312, 87, 317]) == {"lips"}
    assert regions([159, 145, 386, 374]) <= {"lids", "skin"}
    assert regions([468, 473]) == {"iris"}
    for ours, theirs in ((152, 8), (33, 36), (263, 45), (61, 48), (291, 54), (1, 30)):
        assert np.linalg.norm(points[ours] - ibug[theirs]) < 7
    jaw = embed(unit(head, "jawOpen"), head.triangles, head.landmarks_478)[:, 1]
    assert jaw[13] > -6
    assert jaw[14] < -28


def test_expressions_of_the_packaged_head_arrive(head: HeadModel) -> None:
    """Corners, chin, brows and lids go where the packaged head's go, to a third of the way or 1.5 mm."""
    cc0 = load_cc0()
    transfer = ExpressionTransfer(cc0, head)
    for names, points in (
        (("jawOpen",), (152, 14, 17)),
        (("mouthSmileLeft", "mouthSmileRight"), (61, 291, 205, 425)),
        (("browInnerUp", "browOuterUpLeft", "browOuterUpRight"), (107, 336, 105, 334)),
        (("eyeBlinkLeft", "eyeBlinkRight"), (159, 386)),
    ):
        offsets = unit(cc0, *names)
        moved = transfer(offsets[face_vertices(cc0)])
        asked = embed(offsets, cc0.triangles, cc0.landmarks_478)[list(points)]
        found = embed(moved, head.triangles, head.landmarks_478)[list(points)]
        wrong = np.linalg.norm(found - asked, axis=1)
        assert (wrong < np.maximum(0.34 * np.linalg.norm(asked, axis=1), 1.5)).all(), (names, wrong)
    blink = head.mean + transfer(unit(cc0, "eyeBlinkLeft", "eyeBlinkRight")[face_vertices(cc0)])
    assert seen_mm2(head, blink, EYE, 0) < 0.1 * seen_mm2(head, head.mean, EYE, 0)
    opened = head.mean + transfer(0.6 * unit(cc0, "jawOpen")[face_vertices(cc0)])
    assert seen_mm2(head, opened, INSIDE, -72) > 250
    closed = head.mean + transfer(unit(cc0, "mouthSmileLeft", "mouthSmileRight")[face_vertices(cc0)])
    assert seen_mm2(head, closed, INSIDE, -72) < 15
