"""Strands and how they are drawn."""

from __future__ import annotations

import numpy as np
import pytest

from synth_affect.render.portrait.strands import draw, far_to_near, tangents

Canvas = tuple[np.ndarray, np.ndarray, np.ndarray]
"""Colour, depth and cover."""


def canvas(size: int = 20) -> Canvas:
    return (
        np.zeros((size, size, 3), np.float32),
        np.full((size, size), 1e6, np.float32),
        np.zeros((size, size), np.float32),
    )


def strand(x0: float, x1: float, y: float, z: float, n: int = 4) -> np.ndarray:
    points = np.zeros((1, n, 3), dtype=np.float32)
    points[0, :, 0], points[0, :, 1], points[0, :, 2] = np.linspace(x0, x1, n), y, z
    return points


def paint(
    strands: list[np.ndarray], light: list[list[int]], target: Canvas, half: float = 0.5, opacity: float = 1.0
) -> None:
    projected = np.concatenate(strands)
    colours = np.repeat(np.asarray(light, dtype=np.float32)[:, None], projected.shape[1], axis=1)
    widths = np.full(projected.shape[:2], half, dtype=np.float32)
    draw(projected, colours, widths, far_to_near(projected), opacity, 0.5, *target)


@pytest.mark.parametrize("steep", [False, True])
def test_a_strand_covers_its_width(steep: bool) -> None:
    target = canvas()
    points = strand(3, 15, 10.25, 500)
    if steep:
        points = points[..., [1, 0, 2]]
    paint([points], [[1, 2, 3]], target)
    cover = target[2].T if steep else target[2]
    # Half a pixel each side of 10.25: a quarter of row 9, three quarters of row 10.
    assert cover[9, 5] == pytest.approx(0.25)
    assert cover[10, 5] == pytest.approx(0.75)
    assert cover.sum() == pytest.approx(12.0, abs=1e-3)
    assert target[0].sum(axis=(0, 1)) == pytest.approx(12 * np.array([1, 2, 3]), rel=1e-3)


def test_the_nearer_strand_lies_over_the_farther_one_whatever_their_order() -> None:
    near, far = strand(3, 15, 10.5, 400), strand(3, 15, 10.5, 500)
    for strands, light in (([near, far], [[1, 0, 0], [0, 1, 0]]), ([far, near], [[0, 1, 0], [1, 0, 0]])):
        target = canvas()
        paint(strands, light, target, opacity=0.75)
        assert target[0][10, 8] == pytest.approx([0.75, 0.1875, 0], abs=1e-4)
        assert target[2][10, 8] == pytest.approx(0.9375)


def test_a_surface_before_it_hides_it() -> None:
    target = canvas()
    target[1][:, :8] = 450
    paint([strand(3, 15, 10.5, 500)], [[1, 1, 1]], target)
    assert target[2][10, 5] == 0
    assert target[2][10, 10] == 1


def test_strands_beyond_the_picture_do_no_harm() -> None:
    target = canvas()
    paint([strand(-30, 50, 10.5, 500), strand(3, 5, -40, 500), strand(3, 9, 10.5, -1)], [[1, 1, 1]] * 3, target)
    assert target[2][10] == pytest.approx(np.ones(20))


def test_tangents_are_unit_and_along() -> None:
    rng = np.random.default_rng(0)
    along = tangents(rng.normal(size=(5, 6, 3)).astype(np.float32))
    assert np.linalg.norm(along, axis=2) == pytest.approx(np.ones((5, 6)), rel=1e-5)
    assert tangents(strand(0, 9, 2, 5))[0, 0] == pytest.approx([1, 0, 0])
