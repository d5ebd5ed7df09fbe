"""Light of rooms and weather."""

from __future__ import annotations

import numpy as np
import pytest

from synth_affect.render.portrait.lights import draw_lights, look_up, panorama_directions
from synth_affect.render.portrait.shadows import gathered, sphere_directions


def test_a_panorama_looked_up_where_its_pixels_look_is_itself() -> None:
    rng = np.random.default_rng(0)
    panorama = rng.random((64, 128, 3)).astype(np.float32)
    assert np.abs(look_up(panorama, panorama_directions()) - panorama).max() < 2e-3


def test_convention() -> None:
    panorama = np.zeros((64, 128, 3), dtype=np.float32)
    panorama[:32] = 1  # the sky
    panorama[:, 64:, 1] = 5  # what lies to +x
    up, right, left = look_up(panorama, np.array([[0, 1, 0.01], [1, -0.2, 0], [-1, -0.2, 0]], dtype=np.float32))
    assert up[0] == 1
    assert right[1] == 5
    assert left[1] == 0


def test_gathered_light_is_all_of_it() -> None:
    radiance = np.full((64, 128, 3), 2.0, dtype=np.float32)
    light = gathered(radiance, sphere_directions(64))
    assert light.sum(axis=0) == pytest.approx(2 * 4 * np.pi, rel=1e-4)


@pytest.mark.parametrize("seed", range(8))
def test_a_white_face_has_a_radiance_of_about_one(seed: int) -> None:
    lights = draw_lights(np.random.default_rng(seed))
    again = draw_lights(np.random.default_rng(seed))
    assert np.array_equal(lights.radiance, again.radiance)
    directions = sphere_directions(256)
    sky = (gathered(lights.radiance, directions) * np.maximum(directions[:, 2:], 0)).sum(axis=0) / np.pi
    lamps = sum(lamp.strength * max(float(lamp.towards[2]), 0.0) for lamp in lights.lamps)
    assert 0.5 < float((sky + lamps).mean()) < 1.3
