import cv2
import numpy as np
import pytest

from synth_affect.errors import ShapeError
from synth_affect.fitting.perspective import turn
from synth_affect.heads.camera import Camera, ImageSize
from synth_affect.heads.cc0 import load_cc0
from synth_affect.heads.mesh import Mesh
from synth_affect.heads.model import HeadModel, region_triangles, region_vertices
from synth_affect.render.face_texture import FaceTexture, PosedHead, spread_uv, unwrap
from synth_affect.render.rasterizer import NumbaRasterizer, interpolate

SIZE = ImageSize(360, 320)


@pytest.fixture(scope="module")
def head() -> HeadModel:
    return load_cc0()


def _camera(yaw: float = 0.0) -> Camera:
    return Camera(turn(np.array([0, yaw, 0])), np.array([0.0, 20.0, 800.0]), 1000.0, np.array([160.0, 180.0]))


def _picture(head: HeadModel, camera: Camera, colours: np.ndarray) -> np.ndarray:
    """The mean head in these colours (n_vertices, 3) before green."""
    fragments = NumbaRasterizer().rasterize(Mesh(head.mean, head.triangles), camera, SIZE)
    drawn = interpolate(fragments, head.triangles, colours)
    drawn[fragments.pix_to_face[0, :, :, 0] < 0] = 0, 255, 0
    return np.rint(drawn).astype(np.uint8)


def _posed(head: HeadModel, camera: Camera) -> PosedHead:
    return PosedHead(head, head.mean, camera, np.zeros((len(head.mean), 2), np.float32))


def _smooth_colours(head: HeadModel) -> np.ndarray:
    x, y = head.mean[:, 0], head.mean[:, 1]
    return np.stack([180 + 0.4 * x, 140 + 0.5 * y, 120 - 0.2 * x], axis=1).clip(60, 250).astype(np.float32)


def _front(head: HeadModel) -> np.ndarray:
    skin = region_vertices(head, "skin")
    return skin[head.mean[skin, 2] > np.quantile(head.mean[skin, 2], 0.6)]


@pytest.fixture(scope="module")
def frontal(head: HeadModel) -> FaceTexture:
    return unwrap(_picture(head, _camera(), _smooth_colours(head)), _posed(head, _camera()), 256)


def test_what_the_picture_shows_is_on_the_texture_and_the_vertices(head: HeadModel, frontal: FaceTexture) -> None:
    assert frontal.pixels.shape == (256, 256, 3)
    assert frontal.pixels.dtype == frontal.vertex_colours.dtype == np.uint8
    front = _front(head)
    difference = np.abs(frontal.vertex_colours[front] - _smooth_colours(head)[front])
    assert np.median(difference) < 4
    place_of = np.zeros(len(head.mean), np.intp)
    place_of[head.triangles] = head.uv_triangles
    uv = frontal.uv[place_of[front]]
    texels = frontal.pixels[((1 - uv[:, 1]) * 255.9).astype(int), (uv[:, 0] * 255.9).astype(int)]
    assert np.median(np.abs(texels - _smooth_colours(head)[front])) < 5
    assert 0.3 < frontal.seen < 1


def test_drawn_again_the_head_looks_like_the_picture_and_nothing_is_background(
    head: HeadModel, frontal: FaceTexture
) -> None:
    for yaw in (-0.6, 0.0, 0.6):
        fragments = NumbaRasterizer().rasterize(Mesh(head.mean, head.triangles), _camera(yaw), SIZE)
        uv = interpolate(fragments, head.uv_triangles, frontal.uv)
        x, y = (uv[..., 0] * 256 - 0.5).astype(np.float32), ((1 - uv[..., 1]) * 256 - 0.5).astype(np.float32)
        drawn = cv2.remap(frontal.pixels, x, y, cv2.INTER_LINEAR).astype(int)
        seen = fragments.pix_to_face[0, :, :, 0]
        face = (seen >= 0) & np.isin(seen, np.flatnonzero(region_triangles(head, "skin", "scalp", "ears", "neck")))
        greener = drawn[face][:, 1] - drawn[face][:, 0]
        assert (greener > 60).mean() < 0.002, yaw


def test_the_far_cheek_is_the_near_one_mirrored(head: HeadModel) -> None:
    """A mark on the near cheek of a face that is turned away appears on the far one, which the picture hides."""
    colours = np.full((len(head.mean), 3), 150, np.float32)
    skin = region_vertices(head, "skin")
    side = np.abs(head.mean[skin, 0])
    cheek = skin[(side > np.quantile(side, 0.85)) & (np.abs(head.mean[skin, 1]) < 40)]
    colours[cheek] = 150, 60, 60
    camera = _camera(0.9)
    texture = unwrap(_picture(head, camera, colours), _posed(head, camera), 256)
    for sign in (-1, 1):
        own = cheek[head.mean[cheek, 0] * sign > 0]
        assert np.median(texture.vertex_colours[own, 1].astype(int)) < 110, sign


def test_what_stands_in_front_is_not_skin(head: HeadModel) -> None:
    picture = _picture(head, _camera(), _smooth_colours(head))
    cover = np.zeros(picture.shape[:2], np.float32)
    cover[200:240, 140:180] = 1
    picture[cover > 0] = 0, 0, 255
    blue = [unwrap(picture, _posed(head, _camera()), 256, c).vertex_colours for c in (None, cover)]
    front = _front(head)
    n_blue = [int(((c[front, 2].astype(int) - c[front, 0]) > 60).sum()) for c in blue]
    assert n_blue[0] > 20
    assert n_blue[1] == 0


def test_the_face_takes_most_of_the_texture_and_nothing_overlaps(head: HeadModel) -> None:
    uv = spread_uv(head)
    assert uv.min() >= 0
    assert uv.max() <= 1
    front = np.isin(head.triangles, _front(head)).all(axis=1)

    def area(layout: np.ndarray) -> np.ndarray:
        a, b, c = (layout[head.uv_triangles[:, k]] for k in range(3))
        return ((b - a)[:, 0] * (c - a)[:, 1] - (b - a)[:, 1] * (c - a)[:, 0]) / 2

    assert np.abs(area(uv)[front]).sum() > 4 * np.abs(area(head.uv)[front]).sum()
    for axis in (0, 1):
        order = np.argsort(head.uv[:, axis], kind="stable")
        assert (np.diff(uv[order, axis]) >= -1e-7).all()


def test_a_head_without_texture_coordinates_is_refused(head: HeadModel) -> None:
    import dataclasses

    bare = dataclasses.replace(head, uv=np.zeros_like(head.uv))
    with pytest.raises(ShapeError, match="uv"):
        unwrap(np.zeros((20, 20, 3), np.uint8), _posed(bare, _camera()), 64)
