"""The packaged head, measured: what it has, whether it is whole, and whether lids and lips close."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

import numpy as np
import pytest
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree
from scipy.spatial.distance import cdist
from scipy.spatial.transform import Rotation

from synth_affect.blendshape.action_units import ARKIT_UNITS, mirrored
from synth_affect.heads.camera import HEAD_TO_CAMERA_AXES, Camera, ImageSize, project
from synth_affect.heads.cc0 import FILE_NAME, load_cc0
from synth_affect.heads.mesh import triangle_normals
from synth_affect.heads.model import HeadModel, embed, head_vertices, region_triangles, region_vertices
from synth_affect.render.rasterizer import rasterize_projected

REGIONS = {
    "skin", "lips", "lids", "eyeball", "iris", "lashes", "mouth_cavity", "teeth_upper", "teeth_lower", "gums", "tongue",
    "neck", "scalp", "ears",
}  # fmt: skip
SKIN = ("skin", "lips", "lids", "mouth_cavity", "neck", "scalp", "ears")
INSIDE_MOUTH = ("mouth_cavity", "teeth_upper", "teeth_lower", "gums", "tongue")
EYE = ("eyeball", "iris")
PIXEL_MM = 0.25
YAWS_DEG = (-30.0, 0.0, 30.0)
FLIP = np.array([-1.0, 1.0, 1.0])
# MediaPipe's points round the opening of the subject's right and left eye, and along the inner lips.
RIGHT_LIDS = (33, 246, 161, 160, 159, 158, 157, 173, 133, 155, 154, 153, 145, 144, 163, 7)
LEFT_LIDS = (263, 466, 388, 387, 386, 385, 384, 398, 362, 382, 381, 380, 374, 373, 390, 249)
UPPER_INNER_LIP = (191, 80, 81, 82, 13, 312, 311, 310, 415)
LOWER_INNER_LIP = (95, 88, 178, 87, 14, 317, 402, 318, 324)


@pytest.fixture(scope="module")
def head() -> HeadModel:
    return load_cc0()


def unit(head: HeadModel, *names: str) -> np.ndarray:
    return sum(head.expression_units[head.unit_names.index(name)] for name in names)


def random_heads(head: HeadModel, n: int, seed: int = 0) -> list[np.ndarray]:
    coefficients = np.random.default_rng(seed).normal(size=(n, len(head.identity_basis)))
    return [head_vertices(head, c, np.zeros(len(head.unit_names))) for c in coefficients]


def landmarks(head: HeadModel, values: np.ndarray) -> np.ndarray:
    return embed(values, head.triangles, head.landmarks_478)


def seen_from(
    head: HeadModel, vertices: np.ndarray, regions: tuple[str, ...], yaw_deg: float, centre: tuple[float, float, float]
) -> tuple[np.ndarray, Camera]:
    """(240, 480) bool: where a triangle of `regions` is nearest, without lashes; the camera 600 mm from `centre`."""
    rotation = Rotation.from_euler("y", yaw_deg, degrees=True).as_matrix()
    translation = [0, 0, 600] - HEAD_TO_CAMERA_AXES @ rotation @ np.array(centre)
    camera = Camera(rotation, translation, 600 / PIXEL_MM, np.array([240.0, 120.0]))
    shown = ~region_triangles(head, "lashes")
    fragments = rasterize_projected(project(camera, vertices), head.triangles[shown], ImageSize(240, 480))
    face = fragments.pix_to_face[0, :, :, 0]
    return (face >= 0) & region_triangles(head, *regions)[shown][face], camera


def eyes_seen(head: HeadModel, vertices: np.ndarray, yaw_deg: float) -> tuple[np.ndarray, Camera]:
    return seen_from(head, vertices, EYE, yaw_deg, (0.0, 0.0, 0.0))


def inside_mouth_seen(head: HeadModel, vertices: np.ndarray, yaw_deg: float = 0.0) -> np.ndarray:
    return seen_from(head, vertices, INSIDE_MOUTH, yaw_deg, (0.0, -68.0, 0.0))[0]


def border_loops(triangles: np.ndarray) -> list[np.ndarray]:
    """The vertices of each closed border of a mesh; edges that three triangles share are an error."""
    edges = triangles[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2)
    unique, used = np.unique(np.sort(edges, axis=1), axis=0, return_counts=True)
    assert used.max() <= 2
    rim = unique[used == 1]
    vertices, ends = np.unique(rim, return_inverse=True)
    ends = ends.reshape(-1, 2)
    n_loops, loop = connected_components(coo_matrix((np.ones(len(ends)), ends.T), shape=(len(vertices),) * 2))
    return [vertices[loop == k] for k in range(n_loops)]


def test_is_small_free_and_says_where_it_comes_from(head: HeadModel) -> None:
    assert len((files("synth_affect.heads") / FILE_NAME).read_bytes()) <= 6_000_000
    assert head.licence == "CC0-1.0"
    assert "MakeHuman" in head.source


def test_has_the_52_units_of_arkit(head: HeadModel) -> None:
    assert sorted(head.unit_names) == sorted(ARKIT_UNITS)
    largest_mm = np.linalg.norm(head.expression_units, axis=2).max(axis=1)
    for name, mm in zip(head.unit_names, largest_mm, strict=True):
        assert 1.0 < mm < 60.0, name


def test_every_region_has_triangles(head: HeadModel) -> None:
    assert set(head.region_names) == REGIONS
    assert set(np.unique(head.triangle_regions)) == set(range(len(REGIONS)))
    for name in (*EYE, "lids", "lashes", "ears"):
        x = head.mean[region_vertices(head, name), 0]
        assert x.min() == pytest.approx(-x.max(), abs=0.01), name


def test_textures_have_places_in_the_unit_square(head: HeadModel) -> None:
    assert head.uv.min() >= 0
    assert head.uv.max() <= 1
    assert head.uv_triangles.max() < len(head.uv)


# --- Whole ---


def test_the_skin_is_one_sheet_whose_only_border_is_the_neck(head: HeadModel) -> None:
    """Eyes and mouth open into closed sockets and a closed cavity, not into holes."""
    skin = head.triangles[region_triangles(head, *SKIN)]
    n = len(head.mean)
    links = coo_matrix((np.ones(3 * len(skin)), (skin.ravel(), np.roll(skin, 1, axis=1).ravel())), shape=(n, n))
    _, piece = connected_components(links, directed=False)
    assert len(np.unique(piece[skin])) == 1
    (neck,) = border_loops(skin)
    assert np.isin(neck, region_vertices(head, "neck")).all()
    n_edges = len(np.unique(np.sort(skin[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2), axis=1), axis=0))
    assert len(np.unique(skin)) - n_edges + len(skin) == 1  # Euler's number of a disk: no handles either


def test_the_inner_parts_are_open_only_where_they_are_hidden(head: HeadModel) -> None:
    assert border_loops(head.triangles[region_triangles(head, "tongue")]) == []
    eyes = border_loops(head.triangles[region_triangles(head, *EYE)])
    assert len(eyes) == 2
    assert max(head.mean[loop, 2].max() for loop in eyes) < head.mean[region_vertices(head, "iris"), 2].min() - 10
    jaws = border_loops(head.triangles[region_triangles(head, "teeth_upper", "teeth_lower", "gums")])
    assert len(jaws) == 2


def test_triangles_are_counter_clockwise_from_outside(head: HeadModel) -> None:
    """Every skin triangle that is the first a ray from outside meets looks at the ray; and closed parts hold volume."""
    for yaw_deg in (0.0, 90.0, 180.0, 270.0):
        rotation = Rotation.from_euler("y", yaw_deg, degrees=True).as_matrix()
        camera = Camera(rotation, np.array([0.0, 0.0, 900.0]), 700.0, np.array([120.0, 120.0]))
        skin = head.triangles[region_triangles(head, *SKIN)]
        fragments = rasterize_projected(project(camera, head.mean), skin, ImageSize(240, 240))
        first = np.unique(fragments.pix_to_face)[1:]
        corners = project(camera, head.mean)[skin[first]]
        edges = corners[:, 1:, :2] - corners[:, :1, :2]
        facing = edges[:, 0, 0] * edges[:, 1, 1] - edges[:, 0, 1] * edges[:, 1, 0] < 0
        # From behind and aside, the inside of the neck's open end may be seen.
        away = ~facing & ~np.isin(skin[first], region_vertices(head, "neck")).any(1)
        assert away.sum() == 0, yaw_deg
    tongue = head.triangles[region_triangles(head, "tongue")]
    centre = head.mean[region_vertices(head, "tongue")].mean(0)
    assert np.einsum("td,td->", triangle_normals(head.mean, tongue), head.mean[tongue].mean(1) - centre) > 0
    for side in (-1, 1):
        triangles = head.triangles[region_triangles(head, *EYE)]
        triangles = triangles[head.mean[triangles[:, 0], 0] * side > 0]
        back = head.mean[np.unique(triangles)].mean(0) - [0, 0, 6.0]
        outward = np.einsum("td,td->t", triangle_normals(head.mean, triangles), head.mean[triangles].mean(1) - back)
        assert (outward > 0).all()


def test_no_triangle_is_degenerate(head: HeadModel) -> None:
    assert np.linalg.norm(triangle_normals(head.mean, head.triangles), axis=1).min() / 2 > 1e-3  # mm^2


# --- Symmetric ---


def test_mirror_is_an_involution_that_keeps_regions(head: HeadModel) -> None:
    np.testing.assert_array_equal(head.mirror[head.mirror], np.arange(len(head.mean)))
    for name in head.region_names:
        mine = region_vertices(head, name)
        share = np.isin(head.mirror[mine], mine).mean()
        assert share > (0.99 if name in EYE else 0.97), name


def test_the_mean_is_symmetric(head: HeadModel) -> None:
    np.testing.assert_allclose(head.mean[head.mirror] * FLIP, head.mean, atol=1e-4)


def test_units_of_one_side_are_the_mirror_image_of_the_others(head: HeadModel) -> None:
    for name in head.unit_names:
        offsets = unit(head, name)
        other = unit(head, mirrored(name))[head.mirror] * FLIP
        rounding = 2.0**-10 * np.abs(offsets) + 2.0**-14  # two roundings to float16
        assert (np.abs(offsets - other) <= rounding).all(), name


def test_identity_is_almost_symmetric(head: HeadModel) -> None:
    """People differ far more than their halves do."""
    asymmetric = head.identity_basis - head.identity_basis[:, head.mirror] * FLIP
    assert (asymmetric**2).sum() < 0.01 * (head.identity_basis**2).sum()


# --- People ---


def test_identity_is_scaled_so_that_random_heads_are_plausible(head: HeadModel) -> None:
    """Bounds in mm hold all of 200 heads (pupils: 50 to 78 mm, as Dodgson 2004 found for nearly all adults)."""
    assert len(head.identity_basis) >= 60
    points = np.stack([landmarks(head, vertices) for vertices in random_heads(head, 200)])

    def across(a: int, b: int) -> np.ndarray:
        return np.linalg.norm(points[:, a] - points[:, b], axis=1)

    for name, distance, low, high, least_spread in (
        ("width of the face", across(234, 454), 110, 165, 3),
        ("nasion to chin", across(168, 152), 85, 135, 3),
        ("outer corners of the eyes", across(33, 263), 70, 110, 2),
        ("irises", across(468, 473), 50, 78, 1.5),
        ("width of the mouth", across(61, 291), 35, 65, 1.5),
    ):
        assert low < distance.min(), name
        assert distance.max() < high, name
        assert least_spread < distance.std() < 10, name


def test_the_unit_is_the_millimetre_and_the_origin_lies_between_the_eyes(head: HeadModel) -> None:
    """Pupils of adults: 63 mm apart with a standard deviation of 4 (Dodgson 2004); outer corners some 25 mm wider."""
    points = landmarks(head, head.mean)
    assert 80 < np.linalg.norm(points[33] - points[263]) < 100
    assert abs(np.linalg.norm(points[468] - points[473]) - 63) < 2 * 4
    np.testing.assert_allclose(head.mean[region_vertices(head, *EYE)].mean(0), 0, atol=0.01)
    extent = np.ptp(head.mean[region_vertices(head, "skin", "scalp", "neck")], axis=0)
    assert (extent > [130, 200, 170]).all()
    assert (extent < [180, 290, 230]).all()  # a head, not a bust
    # x is right of the viewer's picture, where the subject's left is; y up; z to the viewer.
    assert points[263, 0] > points[33, 0]
    assert points[10, 1] > points[152, 1]
    assert points[4, 2] > points[234, 2]


# --- Lids ---


@cache
def blink_heads() -> tuple[np.ndarray, ...]:
    return tuple(random_heads(load_cc0(), 12, seed=3))


@pytest.mark.parametrize("yaw_deg", YAWS_DEG)
def test_closed_lids_cover_the_eyeballs_of_the_mean(head: HeadModel, yaw_deg: float) -> None:
    opened, _ = eyes_seen(head, head.mean, yaw_deg)
    assert opened.sum() * PIXEL_MM**2 > 150  # mm^2: an open eye is seen, so the test can fail
    closed, _ = eyes_seen(head, head.mean + unit(head, "eyeBlinkLeft", "eyeBlinkRight"), yaw_deg)
    assert closed.sum() == 0


@pytest.mark.parametrize("yaw_deg", YAWS_DEG)
def test_closed_lids_cover_the_eyeballs_of_random_people(head: HeadModel, yaw_deg: float) -> None:
    """Identity opens eyes more or less and the unit is one for all: what stays open in the corners is below 1 mm^2."""
    blink = unit(head, "eyeBlinkLeft", "eyeBlinkRight")
    left_open = [eyes_seen(head, vertices + blink, yaw_deg)[0].sum() * PIXEL_MM**2 for vertices in blink_heads()]
    assert max(left_open) < 1.0
    assert np.median(left_open) == 0


@pytest.mark.parametrize("weight", [0.0, 0.25, 0.5, 0.75])
def test_half_closed_lids_are_not_pierced(head: HeadModel, weight: float) -> None:
    """All that is seen of the eyeballs lies in the opening of the lids (1 mm for the coarseness of its outline)."""
    blink = weight * unit(head, "eyeBlinkLeft", "eyeBlinkRight")
    rows, columns = np.mgrid[:240, :480] + 0.5
    for vertices in (head.mean, *blink_heads()[:6]):
        for yaw_deg in YAWS_DEG:
            seen, camera = eyes_seen(head, vertices + blink, yaw_deg)
            outline = landmarks(head, project(camera, vertices + blink))[:, :2]
            pixels = np.stack([columns[seen], rows[seen]], 1)
            outside = np.minimum(*(outside_polygon(pixels, outline[list(eye)]) for eye in (RIGHT_LIDS, LEFT_LIDS)))
            assert not len(pixels) or outside.max() * PIXEL_MM < 1.0, yaw_deg


def outside_polygon(points: np.ndarray, corners: np.ndarray) -> np.ndarray:
    """(n,) distance of points to a polygon, 0 within (even-odd rule)."""
    a, b = corners, np.roll(corners, -1, axis=0)
    along = np.clip(((points[:, None] - a) * (b - a)).sum(-1) / ((b - a) ** 2).sum(-1), 0, 1)
    distance = np.linalg.norm(points[:, None] - (a + along[..., None] * (b - a)), axis=-1).min(1)
    crosses = (a[:, 1] > points[:, 1:]) != (b[:, 1] > points[:, 1:])
    with np.errstate(divide="ignore", invalid="ignore"):
        crossing = a[:, 0] + (points[:, 1:] - a[:, 1]) / (b[:, 1] - a[:, 1]) * (b[:, 0] - a[:, 0])
    within = (crosses & (points[:, :1] < crossing)).sum(1) % 2 == 1
    return np.where(within, 0, distance)


def test_a_blink_ends_at_the_lower_lid(head: HeadModel) -> None:
    """The upper lid comes down over the lower one by less than half the opening, in both halves of the eye."""
    points = landmarks(head, head.mean)
    closed = landmarks(head, head.mean + unit(head, "eyeBlinkLeft", "eyeBlinkRight"))
    for upper, lower in ((159, 145), (158, 153), (160, 144), (386, 374), (385, 380), (387, 373)):
        opening = points[upper, 1] - points[lower, 1]
        overlap = closed[lower, 1] - closed[upper, 1]
        assert opening > 6
        assert 0 < overlap < 0.5 * opening


def test_a_blink_leaves_the_other_eye_alone(head: HeadModel) -> None:
    front = region_vertices(head, "skin", "lips", "lids", "lashes", *EYE)
    right = front[head.mean[front, 0] < -5]
    assert np.abs(unit(head, "eyeBlinkLeft")[right]).max() < 0.05


# --- Mouth ---


@pytest.mark.parametrize("yaw_deg", YAWS_DEG)
def test_lips_meet_in_the_neutral_mean(head: HeadModel, yaw_deg: float) -> None:
    assert inside_mouth_seen(head, head.mean + 0.3 * unit(head, "jawOpen"), yaw_deg).sum() > 500
    assert inside_mouth_seen(head, head.mean, yaw_deg).sum() == 0


def test_lips_meet_on_almost_all_random_people(head: HeadModel) -> None:
    """48 of 50 when this was written; what stays open is small."""
    gaps = [inside_mouth_seen(head, vertices).sum() * PIXEL_MM**2 for vertices in random_heads(head, 50)]
    assert sum(gap > 0 for gap in gaps) <= 4
    assert max(gaps) < 8.0


def test_lower_teeth_and_tongue_go_with_the_jaw_and_upper_teeth_stay(head: HeadModel) -> None:
    jaw = unit(head, "jawOpen")
    assert np.abs(jaw[region_vertices(head, "teeth_upper")]).max() == 0
    lower, tongue = jaw[region_vertices(head, "teeth_lower"), 1], jaw[region_vertices(head, "tongue"), 1]
    assert lower.max() < -8
    front = np.argmax(head.mean[region_vertices(head, "tongue"), 2])
    assert tongue[front] < -20
    assert tongue.max() < 1.5  # its root hardly moves
    # A jaw turns as a whole: the distances between lower teeth stay.
    teeth = region_vertices(head, "teeth_lower")[::40]
    before, after = (cdist(v[teeth], v[teeth]) for v in (head.mean, head.mean + 0.3 * jaw))
    np.testing.assert_allclose(after, before, atol=3.0)


def test_an_open_mouth_shows_teeth_and_tongue(head: HeadModel) -> None:
    opened = head.mean + 0.6 * unit(head, "jawOpen")
    for name, least_mm2 in (("teeth_upper", 3), ("teeth_lower", 20), ("tongue", 50), ("mouth_cavity", 20)):
        shown, _ = seen_from(head, opened, (name,), 0.0, (0.0, -75.0, 0.0))
        assert shown.sum() * PIXEL_MM**2 > least_mm2, name


# --- Landmarks ---


def test_landmarks_lie_on_triangles(head: HeadModel) -> None:
    for embedding, n in ((head.landmarks_478, 478), (head.landmarks_68, 68)):
        assert embedding.triangles.shape == (n,)
        assert embedding.triangles.min() >= 0
        assert embedding.triangles.max() < len(head.triangles)
        assert embedding.barycentric.min() >= -1e-6
        np.testing.assert_allclose(embedding.barycentric.sum(1), 1, atol=1e-5)


def landmark_regions(head: HeadModel, points: tuple[int, ...]) -> set[str]:
    held = head.triangle_regions[head.landmarks_478.triangles[list(points)]]
    return {head.region_names[region] for region in held}


def test_landmarks_lie_on_the_regions_they_are_named_for(head: HeadModel) -> None:
    assert landmark_regions(head, tuple(range(468))) <= {"skin", "lips", "lids", "ears", "neck", "scalp"}
    assert landmark_regions(head, tuple(range(468, 478))) <= {"iris", "eyeball"}
    assert landmark_regions(head, UPPER_INNER_LIP + LOWER_INNER_LIP) == {"lips"}
    assert landmark_regions(head, RIGHT_LIDS + LEFT_LIDS) == {"lids"}
    points = landmarks(head, head.mean)
    assert (points[468:473, 0] < -15).all()  # the subject's right
    assert (points[473:478, 0] > 15).all()
    for centre, ring in ((468, range(469, 473)), (473, range(474, 478))):
        radius = np.linalg.norm(points[list(ring)] - points[centre], axis=1)
        assert (radius > 2.5).all()
        assert (radius < 7.5).all()


def test_points_of_the_lower_lip_go_with_the_jaw_and_those_of_the_upper_lip_stay(head: HeadModel) -> None:
    moved = landmarks(head, unit(head, "jawOpen"))[:, 1]
    upper, lower = moved[list(UPPER_INNER_LIP)], moved[list(LOWER_INNER_LIP)]
    assert upper.min() > -10
    assert lower.max() < -15
    # Further to the middle, further down: no point strays to the other lip.
    assert (np.diff(lower[:5]) < 0).all()
    assert (np.diff(lower[4:]) > 0).all()


def test_lids_landmarks_close_with_the_blink(head: HeadModel) -> None:
    moved = landmarks(head, unit(head, "eyeBlinkRight"))[:, 1]
    assert moved[[160, 159, 158]].max() < -6
    assert np.abs(moved[[144, 145, 153]]).max() < 2


@pytest.mark.parametrize("markup", ["landmarks_478", "landmarks_68"])
def test_landmarks_are_symmetric(head: HeadModel, markup: str) -> None:
    points = embed(head.mean, head.triangles, getattr(head, markup))
    distance, partner = map(np.asarray, cKDTree(points).query(points * FLIP))
    assert distance.max() < 0.5
    np.testing.assert_array_equal(partner[partner], np.arange(len(points)))


def test_known_pairs_of_landmarks_face_each_other(head: HeadModel) -> None:
    points = landmarks(head, head.mean)
    right = [33, 133, 159, 145, 61, 78, 178, 132, 234, 172, 58, 64, 48, 105, 468, 469, 471]
    left = [263, 362, 386, 374, 291, 308, 402, 361, 454, 397, 288, 294, 278, 334, 473, 476, 474]
    np.testing.assert_allclose(points[right] * FLIP, points[left], atol=0.5)


def test_no_two_landmarks_are_one(head: HeadModel) -> None:
    points = landmarks(head, head.mean)[:468]
    distance = np.asarray(cKDTree(points).query(points, k=2)[0])
    assert distance[:, 1].min() > 0.3


def test_ibug_points_are_among_the_478(head: HeadModel) -> None:
    points, ibug = landmarks(head, head.mean), embed(head.mean, head.triangles, head.landmarks_68)
    # ibug: 8 chin, 30 nose tip, 36 and 45 outer eye corners, 48 and 54 mouth corners, 62 and 66 inner lips.
    for place, point in ((8, 152), (30, 4), (36, 33), (45, 263), (48, 61), (54, 291), (62, 13), (66, 14)):
        np.testing.assert_allclose(ibug[place], points[point], atol=1.5)
