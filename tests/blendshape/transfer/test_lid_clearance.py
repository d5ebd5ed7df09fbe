from __future__ import annotations

import numpy as np
import pytest

from synth_affect.blendshape.template import face_vertices
from synth_affect.blendshape.transfer.lid_clearance import LidClearance
from synth_affect.heads.camera import Camera, ImageSize, project
from synth_affect.heads.cc0 import load_cc0
from synth_affect.heads.model import HeadModel, region_triangles, region_vertices
from synth_affect.render.rasterizer import rasterize_projected


@pytest.fixture(scope="module")
def head() -> HeadModel:
    return load_cc0()


@pytest.fixture(scope="module")
def clearance(head: HeadModel) -> LidClearance:
    return LidClearance(head, head.mean)


def eyes_seen_px(head: HeadModel, face: np.ndarray) -> int:
    vertices = head.mean.copy()
    vertices[face_vertices(head)] = face
    camera = Camera(np.eye(3), np.array([0, 0, 900.0]), 4500, np.array([240, 120]))
    shown = ~region_triangles(head, "lashes")
    projected = project(camera, vertices).astype(np.float32)
    seen = rasterize_projected(projected, head.triangles[shown], ImageSize(240, 480)).pix_to_face[0, :, :, 0]
    eye = region_triangles(head, "eyeball", "iris")[shown]
    return int((eye[seen] & (seen >= 0)).sum())


def test_a_face_at_rest_stays_as_it_is(clearance: LidClearance, head: HeadModel) -> None:
    rest = head.mean[face_vertices(head)]
    np.testing.assert_allclose(clearance(rest), rest, atol=1e-4)


def test_lids_pressed_into_the_eyes_come_out_again(clearance: LidClearance, head: HeadModel) -> None:
    face = face_vertices(head)
    blink = sum(head.expression_units[head.unit_names.index("eyeBlink" + side)] for side in ("Left", "Right"))
    pressed = (head.mean + blink)[face]
    assert eyes_seen_px(head, pressed) == 0
    pressed[np.isin(face, region_vertices(head, "lids")), 2] -= 4
    before = pressed.copy()
    assert eyes_seen_px(head, pressed) > 300
    assert eyes_seen_px(head, clearance(pressed)) < 20
    np.testing.assert_array_equal(pressed, before)


def test_skin_that_no_eye_is_near_stays(clearance: LidClearance, head: HeadModel) -> None:
    face = face_vertices(head)
    moved = head.mean[face] - np.array([0, 0, 5], np.float32)
    low = head.mean[face, 1] < -25
    np.testing.assert_array_equal(clearance(moved)[low], moved[low])
