"""Shadows."""

from __future__ import annotations

import numpy as np
import pytest

from synth_affect.render.portrait.lights import Lamp
from synth_affect.render.portrait.shadows import disc_directions, reached, shadow_maps, sphere_directions

# A floor of 200 mm, and a plate of 40 mm, 60 mm above it.
_SQUARE = np.array([[-1, 0, -1], [1, 0, -1], [1, 0, 1], [-1, 0, 1]], dtype=np.float32)
VERTICES = np.concatenate([100 * _SQUARE, 20 * _SQUARE + [0, 60, 0]]).astype(np.float32)
TRIANGLES = np.array([[0, 2, 1], [0, 3, 2], [4, 6, 5], [4, 7, 6]], dtype=np.int32)
NO_HAIR = np.zeros((0, 3), dtype=np.float32)


def test_a_plate_shades_what_lies_below_it() -> None:
    down = np.array([[0, 1, 0]], dtype=np.float32)
    maps = shadow_maps(VERTICES, TRIANGLES, NO_HAIR, down, 128, focus=VERTICES)
    points = np.array([[0, 0, 0], [10, 0, -10], [40, 0, 0], [0, 60, 0]], dtype=np.float32)
    assert reached(maps, points, 1.0, 1.0)[:, 0] == pytest.approx([0, 0, 1, 1])


def test_slanting_light_moves_the_shadow() -> None:
    slanting = np.array([[1, 1, 0]], dtype=np.float32) / np.sqrt(2, dtype=np.float32)
    maps = shadow_maps(VERTICES, TRIANGLES, NO_HAIR, slanting, 128, focus=VERTICES)
    points = np.array([[0, 0, 0], [-60, 0, 0]], dtype=np.float32)
    assert reached(maps, points, 5.0, 1.0)[:, 0] == pytest.approx([1, 0])


def test_hair_shades() -> None:
    down = np.array([[0, 1, 0]], dtype=np.float32)
    hair = np.array([[60, 30, 60]], dtype=np.float32)
    maps = shadow_maps(VERTICES, TRIANGLES, hair, down, 32, focus=VERTICES)
    lit = reached(maps, np.array([[60, 0, 60], [-60, 0, 60]], dtype=np.float32), 1.0, 1.0)[:, 0]
    assert lit[0] < 0.9
    assert lit[1] == 1


def test_directions() -> None:
    all_around = sphere_directions(200)
    assert np.abs(np.linalg.norm(all_around, axis=1) - 1).max() < 1e-5
    assert np.abs(all_around.mean(axis=0)).max() < 0.01
    lamp = Lamp(np.array([0, 0.6, 0.8]), 0.2, np.ones(3))
    disc = disc_directions(lamp, 16)
    angles = np.arccos(disc @ lamp.towards)
    assert angles.max() <= 0.2 + 1e-5
    assert angles.max() > 0.15
