"""What a surface does with light."""

from __future__ import annotations

import numpy as np
import pytest

from synth_affect.render.portrait.lights import Lamp
from synth_affect.render.portrait.reflection import WRAP, add_lamp, bump


def plane(size: int = 12, px_mm: float = 0.25) -> tuple[np.ndarray, np.ndarray]:
    rows, columns = np.mgrid[:size, :size].astype(np.float32)
    point = np.stack([columns * px_mm, -rows * px_mm, 0 * rows], axis=-1)
    normal = np.zeros_like(point)
    normal[..., 2] = 1
    return point, normal


@pytest.mark.parametrize(("slope_x", "slope_y"), [(0.3, 0.0), (0.0, 0.3), (-0.2, 0.4)])
def test_a_ramp_turns_the_normal_as_geometry_does(slope_x: float, slope_y: float) -> None:
    point, normal = plane()
    height = slope_x * point[..., 0] + slope_y * point[..., 1]
    bumped = np.empty_like(normal)
    bump(normal, point, height, np.ones(height.shape, dtype=bool), bumped)
    expected = np.array([-slope_x, -slope_y, 1]) / np.sqrt(1 + slope_x**2 + slope_y**2)
    assert np.abs(bumped[:-1, :-1] - expected).max() < 1e-4


def test_no_relief_across_an_edge_of_the_surface() -> None:
    point, normal = plane()
    point[:, 6:, 2] -= 50
    height = np.where(np.arange(12) < 6, 0.0, 1.0)[None, :].repeat(12, axis=0).astype(np.float32)
    bumped = np.empty_like(normal)
    bump(normal, point, height, np.ones(height.shape, dtype=bool), bumped)
    assert np.array_equal(bumped, normal)


def lit(cosine: float, *, skin: bool) -> tuple[np.ndarray, np.ndarray]:
    light, shine = np.zeros((1, 3), dtype=np.float32), np.zeros((1, 3), dtype=np.float32)
    towards = np.array([np.sqrt(1 - cosine**2), 0, cosine])
    lamp = Lamp(towards, 0.05, np.array([1.0, 0.5, 0.25]))
    facing = np.array([[0, 0, 1]], dtype=np.float32)
    full = np.ones(1, dtype=np.float32)
    add_lamp(lamp, full, facing, facing, facing, 0.3 * full, 0.03 * full, np.array([skin]), light, shine)
    return light[0], shine[0]


def test_diffuse_light_is_lamberts_on_what_is_not_skin() -> None:
    light, _ = lit(0.6, skin=False)
    assert light == pytest.approx(np.array([1.0, 0.5, 0.25]) * (0.6 + 0.02) / 1.02**2, rel=1e-4)


def test_light_reaches_round_in_skin_red_most() -> None:
    light, shine = lit(-0.06, skin=True)
    assert light[0] == pytest.approx((-0.06 + WRAP[0]) / (1 + WRAP[0]) ** 2, rel=1e-4)
    assert light[2] == 0
    assert (shine == 0).all()


def test_the_highlight_is_where_the_lamp_is_mirrored() -> None:
    assert lit(0.999, skin=True)[1][0] > 5 * lit(0.6, skin=True)[1][0]
