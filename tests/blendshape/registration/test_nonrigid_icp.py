from __future__ import annotations

import numpy as np
import pytest

from synth_affect.arrays import FloatArray
from synth_affect.blendshape.registration.nonrigid_icp import NonRigidIcp, _conjugate_gradients
from synth_affect.blendshape.registration.quality import (
    QualityLimits,
    registration_quality,
    reject_reason,
)
from synth_affect.blendshape.registration.result import Registration
from synth_affect.blendshape.registration.rigid import moved
from synth_affect.blendshape.registration.scan import Scan, prepare_scan
from synth_affect.blendshape.registration.surface import SurfaceTree
from synth_affect.blendshape.registration.visibility import visible_vertices
from synth_affect.blendshape.template import Template
from synth_affect.errors import InputError, ShapeError
from synth_affect.heads.model import HeadModel, region_vertices
from tests.blendshape.registration.raw_scans import EXPRESSIONS, RawScan, identity, random_motion, raw_scan, weights


def errors(registration: Registration, raw: RawScan) -> FloatArray:
    """(n_vertices,) mm from where the vertices truly are."""
    distances: FloatArray = np.linalg.norm(registration.vertices - raw.truth, axis=1)
    return distances


def test_meets_the_scan_and_finds_the_correspondence(
    template: Template, smile: RawScan, smile_scan: Scan, smile_registration: Registration
) -> None:
    quality = registration_quality(template, smile_scan, smile_registration)
    assert quality.mean_distance_mm < 0.2
    assert quality.p95_distance_mm < 0.8
    assert quality.coverage > 0.65
    assert quality.fold_overs < 40
    assert np.median(errors(smile_registration, smile)) < 1.2
    assert np.percentile(errors(smile_registration, smile), 95) < 6.5
    assert reject_reason(quality, QualityLimits()) is None


def test_shapes_and_what_it_says(template: Template, smile_registration: Registration) -> None:
    n = len(template.mesh.vertices)
    assert (smile_registration.vertices.shape, smile_registration.vertices.dtype) == ((n, 3), np.float32)
    assert (smile_registration.matched.shape, smile_registration.matched.dtype) == ((n,), np.bool_)
    assert 8 <= smile_registration.iterations <= 29
    assert 0 < smile_registration.residual_mm < 0.1
    assert 0.6 < smile_registration.matched.mean() < 0.9


def test_brings_the_face_back_into_the_head_frame(smile: RawScan, smile_registration: Registration) -> None:
    round_trip = smile_registration.scan_to_head.rotation @ smile.motion.rotation
    angle = np.arccos(np.clip((np.trace(round_trip) - 1) / 2, -1, 1))
    assert angle < 0.1  # another identity and a smile: not the same shape, but the same pose


@pytest.mark.parametrize("expression", ["jaw open", "pucker"])
def test_strong_expressions(icp: NonRigidIcp, head: HeadModel, template: Template, expression: str) -> None:
    assert expression in EXPRESSIONS
    rng = np.random.default_rng(21)
    raw = raw_scan(head, template, identity(head, rng), weights(head, expression), rng, spacing_mm=1.7)
    scan = prepare_scan(raw.vertices, raw.triangles, name=expression)
    found = icp(scan, raw.landmarks + rng.normal(0, 1, raw.landmarks.shape))
    quality = registration_quality(template, scan, found)
    assert np.median(errors(found, raw)) < 1.4
    assert quality.mean_distance_mm < 0.25
    assert reject_reason(quality, QualityLimits()) is None


def test_moves_with_the_scan(
    icp: NonRigidIcp, smile: RawScan, smile_landmarks: FloatArray, smile_registration: Registration
) -> None:
    motion = random_motion(np.random.default_rng(5), angle_rad=2.0)
    scan = prepare_scan(moved(motion, smile.vertices), smile.triangles, name="moved")
    again = icp(scan, moved(motion, smile_landmarks))
    apart = np.linalg.norm(again.vertices - moved(motion, smile_registration.vertices), axis=1)
    # Single precision decides some partners anew; no more than that.
    assert np.median(apart) < 0.02
    np.testing.assert_allclose(
        again.scan_to_head.rotation @ motion.rotation, smile_registration.scan_to_head.rotation, atol=1e-3
    )


def test_bridges_a_hole(
    icp: NonRigidIcp, template: Template, smile: RawScan, smile_scan: Scan, smile_landmarks: FloatArray
) -> None:
    cheek = smile.truth[np.linalg.norm(template.mesh.vertices - [40, -30, 0], axis=1).argmin()]
    middle = smile_scan.vertices[smile_scan.triangles].mean(axis=1)
    torn = smile_scan.triangles[np.linalg.norm(middle - cheek, axis=1) > 14]
    found = icp(prepare_scan(smile_scan.vertices, torn, name="torn"), smile_landmarks)
    inside = np.linalg.norm(smile.truth - cheek, axis=1) < 9
    assert not found.matched[inside].any()
    # Off the surface by no more than a cheek bends over 28 mm.
    intact = SurfaceTree(smile_scan.vertices, smile_scan.triangles)
    assert intact.nearest(found.vertices[inside]).distances.max() < 2.0


def test_works_with_few_landmarks(icp: NonRigidIcp, smile: RawScan, smile_scan: Scan) -> None:
    marks = np.full_like(smile.landmarks, np.nan)
    few = [8, 27, 30, 36, 39, 42, 45, 48, 54, 57]
    marks[few] = smile.landmarks[few]
    assert np.median(errors(icp(smile_scan, marks), smile)) < 1.6


def test_needs_landmarks_to_begin_from(icp: NonRigidIcp, smile: RawScan, smile_scan: Scan) -> None:
    none = np.full((68, 3), np.nan)
    with pytest.raises(InputError, match=r"^smile: has 0 of 68 landmarks, a registration begins from 6 or more"):
        icp(smile_scan, none)
    line = np.outer(np.arange(68.0), [1, 1, 0])
    with pytest.raises(InputError, match=r"^smile: has landmarks on one line"):
        icp(smile_scan, line)
    with pytest.raises(ShapeError, match="landmarks"):
        icp(smile_scan, smile.landmarks[:60])


def test_follows_a_sequence(
    icp: NonRigidIcp, head: HeadModel, template: Template, smile: RawScan, smile_registration: Registration
) -> None:
    rng = np.random.default_rng(11)
    person = identity(head, rng)  # as in the fixture
    less = raw_scan(head, template, person, 0.85 * weights(head, "smile"), rng, spacing_mm=1.7, motion=smile.motion)
    scan = prepare_scan(less.vertices, less.triangles, name="next")
    found = icp(scan, np.full((68, 3), np.nan), start=smile_registration.vertices)
    assert found.iterations < smile_registration.iterations
    assert np.median(errors(found, less)) < 1.2


def test_a_face_at_rest_stays_at_rest(
    icp: NonRigidIcp, head: HeadModel, template: Template, smile: RawScan, smile_registration: Registration
) -> None:
    rng = np.random.default_rng(11)
    person = identity(head, rng)  # as in the fixture; the grid and the noise are others
    raw = raw_scan(head, template, person, weights(head, "smile"), rng, spacing_mm=1.7, motion=smile.motion)
    scan = prepare_scan(raw.vertices, raw.triangles, name="next")
    nothing = np.full((68, 3), np.nan)
    found = icp(scan, nothing, start=icp(scan, nothing, start=smile_registration.vertices).vertices)
    again = icp(scan, nothing, start=found.vertices)
    apart = np.linalg.norm(again.vertices - found.vertices, axis=1)
    assert np.median(apart) < 0.1
    assert np.median(np.linalg.norm(found.vertices - smile_registration.vertices, axis=1)) < 0.5


def test_catches_up_with_a_head_that_jumped(
    icp: NonRigidIcp, smile: RawScan, smile_scan: Scan, smile_landmarks: FloatArray, smile_registration: Registration
) -> None:
    before = smile_registration.vertices + np.array([25, -10, 5], np.float32)
    assert np.median(errors(icp(smile_scan, smile_landmarks, start=before), smile)) < 1.2


def test_a_scan_of_something_else_is_rejected(icp: NonRigidIcp, template: Template, smile: RawScan) -> None:
    n = 60
    x, y = np.meshgrid(np.linspace(-100, 100, n), np.linspace(-100, 100, n))
    index = np.arange(n * n).reshape(n, n)
    a, b, c, d = index[:-1, :-1], index[:-1, 1:], index[1:, :-1], index[1:, 1:]
    triangles = np.concatenate([np.stack(t, axis=-1).reshape(-1, 3) for t in ((a, b, c), (b, d, c))])
    wall = np.stack([x, y, 40 * np.sin(x / 9) * np.sin(y / 9)], axis=-1).reshape(-1, 3)
    scan = prepare_scan(moved(smile.motion, wall), triangles, name="egg box")
    found = icp(scan, smile.landmarks)
    assert reject_reason(registration_quality(template, scan, found), QualityLimits()) is not None


def test_leaves_its_inputs_alone(
    icp: NonRigidIcp, smile_scan: Scan, smile_landmarks: FloatArray, smile_registration: Registration
) -> None:
    marks, before = smile_landmarks.copy(), smile_registration.vertices.copy()
    marks.flags.writeable = before.flags.writeable = False
    once = icp(smile_scan, marks, start=before)
    twice = icp(smile_scan, marks, start=before)
    np.testing.assert_array_equal(once.vertices, twice.vertices)


def test_the_insides_of_lips_and_lids_are_not_seen(head: HeadModel, template: Template) -> None:
    seen = visible_vertices(template.mesh.vertices, template.mesh.triangles)
    assert 0.85 < seen.mean() < 0.97
    nose = np.linalg.norm(template.mesh.vertices - [0, -30, 30], axis=1) < 20
    assert seen[nose].mean() > 0.75
    assert len(region_vertices(head, "lips")) > 0


def test_what_nothing_tells_stays_at_the_neutral_face(
    icp: NonRigidIcp, head: HeadModel, template: Template, smile: RawScan
) -> None:
    rng = np.random.default_rng(11)
    person = identity(head, rng)  # as in the fixture
    rest = raw_scan(head, template, person, weights(head, "neutral"), rng, spacing_mm=1.7, motion=smile.motion)
    calm = icp(prepare_scan(rest.vertices, rest.triangles, name="rest"), rest.landmarks).vertices
    found, nothing = calm, np.full((68, 3), np.nan)
    for share in (0.35, 0.7):
        raw = raw_scan(head, template, person, share * weights(head, "smile"), rng, spacing_mm=1.7, motion=smile.motion)
        scan = prepare_scan(raw.vertices, raw.triangles, name="next")
        found = icp(scan, nothing, start=found, neutral=calm).vertices
    truly, moved_mm = np.linalg.norm(raw.truth - rest.truth, axis=1), np.linalg.norm(found - calm, axis=1)
    still = truly < 0.1
    assert still.mean() > 0.2
    assert np.sqrt((moved_mm[still] ** 2).mean()) < 0.5
    error = found - calm - (raw.truth - rest.truth)
    assert (error**2).sum() < 0.6 * (truly**2).sum()


def test_conjugate_gradients_solve() -> None:
    rng = np.random.default_rng(9)
    root = rng.normal(0, 1, (30, 30))
    matrix = root @ root.T + np.eye(30)
    right = rng.normal(0, 1, (30, 3))
    solved = _conjugate_gradients(lambda f: matrix @ f, lambda f: f, right, np.zeros((30, 3)), 200)
    np.testing.assert_allclose(solved, np.linalg.solve(matrix, right), atol=0.02)
