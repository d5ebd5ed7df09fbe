from __future__ import annotations

import numpy as np
import pytest

from synth_affect.arrays import FloatArray
from synth_affect.blendshape.registration.result import Registration
from synth_affect.blendshape.registration.rigid import RigidMotion, fit_rigid, moved
from synth_affect.blendshape.registration.scan import Scan
from synth_affect.blendshape.registration.surface import SurfaceTree
from synth_affect.blendshape.registration.uv_registration import UvRegistration
from synth_affect.blendshape.template import Template
from synth_affect.errors import InputError
from tests.blendshape.registration.raw_scans import RawScan


@pytest.fixture(scope="module")
def way(template: Template) -> UvRegistration:
    return UvRegistration(template)


@pytest.fixture(scope="module")
def found(way: UvRegistration, smile_scan: Scan, smile_landmarks: FloatArray) -> Registration:
    return way(smile_scan, smile_landmarks)


def test_vertices_lie_on_the_scan(found: Registration, smile_scan: Scan) -> None:
    tree = SurfaceTree(smile_scan.vertices, smile_scan.triangles)
    distances = tree.nearest(found.vertices[found.matched].astype(np.float64)).distances
    assert found.matched.mean() > 0.6
    assert distances.mean() < 0.15


def test_vertices_lie_where_they_should(found: Registration, smile: RawScan) -> None:
    error = np.linalg.norm(found.vertices - smile.truth, axis=1)
    assert np.median(error) < 1.8


def test_it_is_better_than_its_landmarks_alone(
    found: Registration, template: Template, smile: RawScan, smile_landmarks: FloatArray
) -> None:
    from synth_affect.heads.model import embed

    at = embed(template.mesh.vertices.astype(np.float64), template.mesh.triangles, template.landmarks_68)
    rigid = moved(fit_rigid(at, smile_landmarks), template.mesh.vertices)
    error = np.linalg.norm(found.vertices - smile.truth, axis=1)
    assert np.median(error) < 0.5 * np.median(np.linalg.norm(rigid - smile.truth, axis=1))


def test_the_frame_of_the_scan_does_not_matter(
    way: UvRegistration, found: Registration, smile_scan: Scan, smile_landmarks: FloatArray
) -> None:
    turn = np.array([[0.0, 0, 1], [1, 0, 0], [0, 1, 0]])
    motion = RigidMotion(turn, np.array([300.0, -20, 5]))
    elsewhere = Scan(
        smile_scan.name,
        moved(motion, smile_scan.vertices).astype(np.float32),
        smile_scan.triangles,
        smile_scan.raw_vertex,
        smile_scan.unit,
        smile_scan.repairs,
    )
    again = way(elsewhere, moved(motion, smile_landmarks))
    assert np.abs(again.vertices - moved(motion, found.vertices)).max() < 0.05


def test_the_last_frame_is_a_start(
    way: UvRegistration, found: Registration, smile_scan: Scan, smile_landmarks: FloatArray, smile: RawScan
) -> None:
    again = way(smile_scan, smile_landmarks, start=found.vertices)
    error = np.linalg.norm(again.vertices - smile.truth, axis=1)
    assert np.median(error) < 1.8
    # The start is this very frame: little is left to move.
    assert np.median(np.linalg.norm(again.vertices - found.vertices, axis=1)) < 0.6


def test_a_few_landmarks_will_do(
    way: UvRegistration, smile_scan: Scan, smile_landmarks: FloatArray, smile: RawScan
) -> None:
    few = np.full_like(smile_landmarks, np.nan)
    some = [17, 26, 30, 36, 39, 42, 45, 48, 51, 54, 57]
    few[some] = smile_landmarks[some]
    error = np.linalg.norm(way(smile_scan, few).vertices - smile.truth, axis=1)
    assert np.median(error) < 3.0


def test_too_few_landmarks_are_refused(way: UvRegistration, smile_scan: Scan, smile_landmarks: FloatArray) -> None:
    few = np.full_like(smile_landmarks, np.nan)
    few[:5] = smile_landmarks[:5]
    with pytest.raises(InputError, match="smile: has 5 landmarks, 6 are needed"):
        way(smile_scan, few)


def test_landmarks_of_another_place_are_refused(
    way: UvRegistration, smile_scan: Scan, smile_landmarks: FloatArray
) -> None:
    with pytest.raises(InputError, match="no surface where the landmarks put the face"):
        way(smile_scan, smile_landmarks + np.array([0, 900, 0]))


def test_inputs_are_left_alone(way: UvRegistration, smile_scan: Scan, smile_landmarks: FloatArray) -> None:
    given = smile_landmarks.copy()
    given.flags.writeable = False
    way(smile_scan, given)
    np.testing.assert_array_equal(given, smile_landmarks)
