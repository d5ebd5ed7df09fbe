from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from synth_affect.arrays import FloatArray
from synth_affect.errors import ShapeError
from synth_affect.fitting.fit import FaceFit
from synth_affect.fitting.photometric.refine import PhotometricRefiner, Refinement
from synth_affect.fitting.photometric.values import Level, RefinementSettings
from synth_affect.heads.camera import to_camera
from synth_affect.heads.model import HeadModel, head_vertices, region_vertices
from tests.fitting.photometric.conftest import Portrait

torch = pytest.importorskip("torch")

QUICK = RefinementSettings(levels=(Level(32, 1, 2), Level(64, 1, 4)), samples=700, outline_side=64)


@pytest.fixture(scope="module")
def refiner(head: HeadModel) -> PhotometricRefiner:
    return PhotometricRefiner(head, "cpu", QUICK)


@pytest.fixture(scope="module")
def refined(refiner: PhotometricRefiner, portraits: list[Portrait]) -> list[Refinement]:
    return refiner.refine_batch([one.image for one in portraits], [one.fit for one in portraits])


def face_error_mm(head: HeadModel, fit: FaceFit, portrait: Portrait) -> float:
    """Median distance of the face's vertices before the camera, its depth and size as they are seen."""
    face = region_vertices(head, "skin", "lips")
    vertices = head_vertices(head, fit.identity_coefficients, fit.expression_weights)[face]
    ours = to_camera(fit.camera, vertices.astype(np.float64))
    true = to_camera(portrait.camera, portrait.vertices[face].astype(np.float64))
    ours, true = ours - ours.mean(0), true - true.mean(0)
    return float(np.median(np.linalg.norm(ours * np.linalg.norm(true) / np.linalg.norm(ours) - true, axis=1)))


def test_the_face_comes_nearer_to_the_truth(
    head: HeadModel, portraits: list[Portrait], refined: list[Refinement]
) -> None:
    for portrait, result in zip(portraits, refined, strict=True):
        before, after = face_error_mm(head, portrait.fit, portrait), face_error_mm(head, result.fit, portrait)
        assert after < 0.5 * before, (before, after)
        assert result.fit.residual_iod < 0.02


def test_the_report_says_what_was_done(head: HeadModel, refined: list[Refinement]) -> None:
    for result in refined:
        report = result.report
        assert (report.device, report.rasterizer, report.steps) == ("cpu", "numba", 6)
        assert 0 < report.accepted <= 6
        assert report.after.total < 0.7 * report.before.total
        assert report.after.pixels < 0.7 * report.before.pixels
        assert report.before.identity == 0
        assert 0 < report.distance_sd <= 0.2
        assert report.moved_mm > 0.5
        assert report.pixels > 300
        assert report.albedo.shape == (len(head.mean), 3)
        assert (report.lighting[0] > 0).all()
        assert result.fit.iterations == 9 + report.accepted


def test_lips_are_found_redder_than_skin(head: HeadModel, refined: list[Refinement]) -> None:
    skin = np.setdiff1d(region_vertices(head, "skin"), region_vertices(head, "lips"))
    lips = np.setdiff1d(region_vertices(head, "lips"), skin)
    for result in refined:
        mean = result.report.albedo[lips].mean(0) / result.report.albedo[skin].mean(0)
        assert mean[1] < 0.8 * mean[0]


def test_the_light_comes_from_where_the_strong_lamp_is(refined: list[Refinement]) -> None:
    for result in refined:
        assert (result.report.lighting[1] > 0).all(), "from above"
        assert (result.report.lighting[3] > 0).all(), "from the right of the picture"


@pytest.fixture(scope="module")
def alone(refiner: PhotometricRefiner, portraits: list[Portrait]) -> list[Refinement]:
    return [refiner(one.image, one.fit) for one in portraits]


def test_a_batch_is_its_single_faces(alone: list[Refinement], refined: list[Refinement]) -> None:
    for single, together in zip(alone, refined, strict=True):
        np.testing.assert_allclose(single.fit.identity_coefficients, together.fit.identity_coefficients, atol=2e-2)
        np.testing.assert_allclose(single.fit.camera.rotation, together.fit.camera.rotation, atol=1e-3)


def test_the_same_call_gives_the_same_bytes(
    refiner: PhotometricRefiner, portraits: list[Portrait], alone: list[Refinement]
) -> None:
    results = [alone[0], refiner(portraits[0].image, portraits[0].fit)]
    np.testing.assert_array_equal(results[0].fit.identity_coefficients, results[1].fit.identity_coefficients)
    np.testing.assert_array_equal(results[0].fit.camera.rotation, results[1].fit.camera.rotation)
    assert results[0].report.after == results[1].report.after


def test_what_stands_in_front_is_left_out(
    head: HeadModel, refiner: PhotometricRefiner, portraits: list[Portrait], refined: list[Refinement]
) -> None:
    """A bright bar over the mouth and the chin: with a mask it does less harm than without."""
    portrait = portraits[0]
    image = portrait.image.copy()
    hidden = np.zeros(image.shape[:2], dtype=bool)
    hidden[105:130, 60:130] = True
    image[hidden] = (225, 180, 165)
    usable: FloatArray = (~hidden).astype(np.float32)
    clean = face_error_mm(head, refined[0].fit, portrait)
    masked = face_error_mm(head, refiner(image, portrait.fit, usable).fit, portrait)
    assert masked < 1.5 * clean


def test_nothing_usable_leaves_landmarks_alone_to_speak(refiner: PhotometricRefiner, portraits: list[Portrait]) -> None:
    portrait = portraits[0]
    nothing = np.zeros(portrait.image.shape[:2], np.float32)
    result = refiner(portrait.image, portrait.fit, nothing)
    assert result.report.pixels == 0
    assert result.report.after.pixels == 0
    assert result.fit.residual_iod < 0.02
    assert np.isfinite(result.fit.identity_coefficients).all()


def test_expression_stays_in_its_box_and_identity_within_its_bound(
    head: HeadModel, portraits: list[Portrait], refined: list[Refinement]
) -> None:
    for result in refined:
        weights = result.fit.expression_weights
        assert weights.min() >= 0
        assert weights.max() <= 1
        assert np.abs(result.fit.identity_coefficients).max() <= QUICK.identity_limit


def test_distance_may_be_held(head: HeadModel, portraits: list[Portrait]) -> None:
    portrait = portraits[1]
    result = PhotometricRefiner(head, "cpu", replace(QUICK, focal=False))(portrait.image, portrait.fit)
    assert result.fit.camera.rotation.tolist() != portrait.fit.camera.rotation.tolist()
    # The head's centre, from which the distance counts, is near the frame's origin but not in it.
    assert result.fit.camera.translation[2] == pytest.approx(portrait.fit.camera.translation[2], abs=5)


def test_inputs_are_left_alone_and_an_empty_batch_is_empty(
    refiner: PhotometricRefiner, portraits: list[Portrait]
) -> None:
    image = portraits[0].image.copy()
    refiner(image, portraits[0].fit)
    np.testing.assert_array_equal(image, portraits[0].image)
    assert refiner.refine_batch([], []) == []


def test_what_does_not_belong_together_is_refused(refiner: PhotometricRefiner, portraits: list[Portrait]) -> None:
    image, fit = portraits[0].image, portraits[0].fit
    with pytest.raises(ShapeError, match="images"):
        refiner.refine_batch([image], [fit, fit])
    with pytest.raises(ShapeError, match="image: expected uint8"):
        refiner(image[:-1], fit)
    with pytest.raises(ShapeError, match="usable"):
        refiner(image, fit, np.ones((3, 3), np.float32))
    with pytest.raises(ShapeError, match="one of cc0"):
        refiner(image, replace(fit, topology="other", head="other"))
    with pytest.raises(ShapeError, match="one markup"):
        refiner.refine_batch([image, image], [fit, replace(fit, landmarks_image=fit.landmarks_image[:68])])
