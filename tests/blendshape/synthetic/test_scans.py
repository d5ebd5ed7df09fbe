import numpy as np
import pytest
from scipy.spatial import cKDTree

from synth_affect.blendshape.synthetic.scans import (
    RawScan,
    ScannedSurface,
    ScanSettings,
    draw_pose,
    raw_scan,
    scanned_surface,
)
from synth_affect.blendshape.template import face_vertices
from synth_affect.errors import InputError
from synth_affect.heads.mesh import triangle_normals
from synth_affect.heads.model import HeadModel, region_vertices

SETTINGS = ScanSettings(n_vertices=12_000, noise_mm=0.2)


@pytest.fixture(scope="module")
def surface(cc0: HeadModel) -> ScannedSurface:
    return scanned_surface(cc0)


@pytest.fixture(scope="module")
def scan(cc0: HeadModel, surface: ScannedSurface) -> RawScan:
    return raw_scan(surface, cc0.mean, np.random.default_rng(0), SETTINGS)


def test_a_scan_has_about_the_vertices_asked_for_and_uses_them_all(scan: RawScan) -> None:
    n_vertices = len(scan.mesh.vertices)
    assert n_vertices == pytest.approx(SETTINGS.n_vertices, rel=0.05)
    np.testing.assert_array_equal(np.unique(scan.mesh.triangles), np.arange(n_vertices))
    edges = np.sort(scan.mesh.triangles[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2), axis=1)
    assert np.unique(edges, axis=0, return_counts=True)[1].max() == 2  # manifold


def test_each_scan_has_a_mesh_of_its_own(cc0: HeadModel, surface: ScannedSurface, scan: RawScan) -> None:
    other = raw_scan(surface, cc0.mean, np.random.default_rng(1), SETTINGS)
    assert other.mesh.vertices.shape != scan.mesh.vertices.shape
    near = cKDTree(scan.true_vertices).query(other.true_vertices)[0]
    assert np.median(near) > 0.2  # not the same points in another order
    again = raw_scan(surface, cc0.mean, np.random.default_rng(0), SETTINGS)
    np.testing.assert_array_equal(again.mesh.vertices, scan.mesh.vertices)
    np.testing.assert_array_equal(again.mesh.triangles, scan.mesh.triangles)


def test_noise_is_as_asked_and_truth_is_on_the_surface(cc0: HeadModel, scan: RawScan) -> None:
    noise = np.linalg.norm(scan.mesh.vertices - scan.true_vertices, axis=1)
    assert np.sqrt((noise**2).mean()) == pytest.approx(0.2, rel=0.05)
    trimesh = pytest.importorskip("trimesh")
    head = trimesh.Trimesh(cc0.mean, cc0.triangles, process=False)
    some = scan.true_vertices[:: len(scan.true_vertices) // 200]
    _, distance, _ = trimesh.proximity.closest_point_naive(head, some)
    assert distance.max() < 1e-3


def test_the_face_is_there_and_the_mouth_is_not(cc0: HeadModel, scan: RawScan) -> None:
    face = cc0.mean[face_vertices(cc0)]
    front = face[:, 2] > 0
    tree = cKDTree(scan.true_vertices)
    to_scan = np.asarray(tree.query(face)[0])
    assert np.median(to_scan[front]) < 1.5
    assert np.percentile(to_scan[front], 75) < 3
    scalp = cc0.mean[region_vertices(cc0, "scalp")]
    assert (np.asarray(tree.query(scalp)[0]) < 4).mean() > 0.2
    teeth = cc0.mean[region_vertices(cc0, "teeth_upper", "tongue")]
    assert np.percentile(cKDTree(scan.true_vertices).query(teeth)[0], 10) > 1.5


def test_triangles_face_outward(scan: RawScan) -> None:
    normals = triangle_normals(scan.true_vertices, scan.mesh.triangles)
    outward = scan.true_vertices[scan.mesh.triangles].mean(axis=1) - (0, 0, -70)
    assert ((normals * outward).sum(axis=1) > 0).mean() > 0.99


def test_scans_have_holes(scan: RawScan) -> None:
    edges = np.sort(scan.mesh.triangles[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2), axis=1)
    unique, count = np.unique(edges, axis=0, return_counts=True)
    rim = scan.true_vertices[unique[count == 1].ravel()]
    nose = (np.abs(rim[:, 0]) < 15) & (np.abs(rim[:, 1] + 45) < 15) & (rim[:, 2] > 10)
    assert nose.sum() > 6


def test_a_pose_moves_scan_and_truth_alike(cc0: HeadModel, surface: ScannedSurface, scan: RawScan) -> None:
    rotations, translations = draw_pose(np.arange(120) / 60, np.random.default_rng(3))
    np.testing.assert_allclose(rotations @ rotations.transpose(0, 2, 1), np.tile(np.eye(3), (120, 1, 1)), atol=1e-12)
    assert np.abs(np.diff(translations, axis=0)).max() < 0.5
    assert np.abs(np.diff(rotations, axis=0)).max() < np.radians(0.5)
    moved = raw_scan(
        surface,
        cc0.mean,
        np.random.default_rng(0),
        SETTINGS,
        rotation=rotations[5],
        translation=translations[5],
    )
    back = (moved.mesh.vertices - translations[5]) @ rotations[5]
    np.testing.assert_allclose(back, scan.mesh.vertices, atol=1e-3)
    back = (moved.template_vertices - translations[5]) @ rotations[5]
    np.testing.assert_allclose(back, cc0.mean[face_vertices(cc0)], atol=1e-3)


def test_settings_off_the_scale_name_their_option() -> None:
    with pytest.raises(InputError, match="--vertices"):
        ScanSettings(n_vertices=10)
    with pytest.raises(InputError, match="--noise"):
        ScanSettings(noise_mm=float("nan"))
