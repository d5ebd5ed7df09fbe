"""The finder on a scan of the packaged head, with the detector that the command uses."""

from __future__ import annotations

import numpy as np
import pytest

from synth_affect.arrays import FloatArray, ImageArray
from synth_affect.blendshape.registration.rigid import RigidMotion, inverse, moved
from synth_affect.blendshape.registration.scan import Scan, prepare_scan
from synth_affect.blendshape.registration.surface import SurfaceTree
from synth_affect.blendshape.template import Template, face_template
from synth_affect.errors import NoFaceError
from synth_affect.fitting.landmarks import Landmarks
from synth_affect.fitting.mediapipe_detector import MediaPipeDetector
from synth_affect.heads.cc0 import load_cc0
from synth_affect.pipelines.scan_landmarks import AXIS_VIEWS, OUTLINE, ScanLandmarker
from tests.blendshape.registration.raw_scans import RawScan, identity, raw_scan, weights


class Counted:
    """The detector, with a count of the pictures that it saw; blind on demand."""

    def __init__(self) -> None:
        self.detector, self.pictures, self.blind = MediaPipeDetector(), 0, False

    def detect(self, image: ImageArray) -> list[Landmarks]:
        self.pictures += 1
        return [] if self.blind else self.detector.detect(image)

    def close(self) -> None:
        self.detector.close()


@pytest.fixture(scope="module")
def template() -> Template:
    return face_template(load_cc0())


@pytest.fixture(scope="module")
def detector() -> Counted:
    return Counted()


@pytest.fixture(scope="module")
def finder(template: Template, detector: Counted) -> ScanLandmarker:
    return ScanLandmarker(template, detector)


@pytest.fixture(scope="module")
def raw(template: Template) -> RawScan:
    head, rng = load_cc0(), np.random.default_rng(31)
    turned = RigidMotion(AXIS_VIEWS[1].T, np.array([100.0, -40.0, 900.0]))
    return raw_scan(head, template, identity(head, rng), weights(head, "smile"), rng, motion=turned)


@pytest.fixture(scope="module")
def scan(raw: RawScan) -> Scan:
    return prepare_scan(raw.vertices, raw.triangles, name="anna")


@pytest.fixture(scope="module")
def found(finder: ScanLandmarker, scan: Scan) -> FloatArray:
    return finder(scan)


def test_the_template_is_read_as_the_detector_sees_it(template: Template, finder: ScanLandmarker) -> None:
    before, after = template.landmarks_68, finder.as_seen.landmarks_68
    np.testing.assert_array_equal(after.triangles[OUTLINE], before.triangles[OUTLINE])
    inner = np.setdiff1d(np.arange(68), np.arange(68)[OUTLINE])
    assert (after.triangles[inner] != before.triangles[inner]).mean() > 0.5
    np.testing.assert_allclose(after.barycentric.sum(axis=1), 1, atol=1e-6)


def test_a_face_that_looks_along_another_axis_is_found(
    found: FloatArray, finder: ScanLandmarker, raw: RawScan, scan: Scan
) -> None:
    assert (found.shape, found.dtype) == ((68, 3), np.float64)
    assert np.isnan(found[OUTLINE]).all()
    given = np.isfinite(found).all(axis=1)
    assert given.sum() > 40
    corners = raw.truth[finder.as_seen.mesh.triangles[finder.as_seen.landmarks_68.triangles]]
    truth = np.einsum("lk,lkd->ld", finder.as_seen.landmarks_68.barycentric, corners)
    assert np.median(np.linalg.norm(found - truth, axis=1)[given]) < 4.0
    tree = SurfaceTree(scan.vertices, scan.triangles)
    assert np.median(tree.nearest(found[given]).distances) < 1.0


def test_with_the_pose_of_the_frame_before_it_looks_there_alone(
    found: FloatArray, finder: ScanLandmarker, detector: Counted, raw: RawScan, scan: Scan
) -> None:
    seen = detector.pictures
    again = finder(scan, scan_to_head=inverse(raw.motion))
    assert detector.pictures - seen == 3
    given = np.isfinite(found).all(axis=1) & np.isfinite(again).all(axis=1)
    assert np.median(np.linalg.norm(found - again, axis=1)[given]) < 1.5


def test_a_pose_that_is_wrong_is_corrected_by_a_search(found: FloatArray, finder: ScanLandmarker, scan: Scan) -> None:
    away = RigidMotion(np.diag([-1.0, 1.0, -1.0]), np.zeros(3))
    again = finder(scan, scan_to_head=away)
    np.testing.assert_array_equal(again, found)


def test_a_scan_without_a_face_is_named(finder: ScanLandmarker, detector: Counted, scan: Scan) -> None:
    detector.blind = True
    try:
        with pytest.raises(NoFaceError, match=r"anna.*no face seen on the scan; give its landmarks"):
            finder(scan)
    finally:
        detector.blind = False


def test_a_template_without_a_face_is_named(template: Template) -> None:
    detector = Counted()
    detector.blind = True
    with pytest.raises(NoFaceError, match="no face seen on the template"):
        ScanLandmarker(template, detector)


def test_the_views_are_the_24_rotations_of_axes_onto_axes() -> None:
    assert len({tuple(view.ravel()) for view in AXIS_VIEWS}) == 24
    for view in AXIS_VIEWS:
        np.testing.assert_array_equal(moved(RigidMotion(view, np.zeros(3)), np.eye(3)), view.T)
    np.testing.assert_array_equal(AXIS_VIEWS[0], np.eye(3))
    assert [view[1, 1] for view in AXIS_VIEWS[:4]] == [1, 1, 1, 1]
