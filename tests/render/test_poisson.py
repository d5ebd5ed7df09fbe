"""Poisson blending against a direct solver, over the masks that break blenders."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from synth_affect.errors import FitError, ShapeError
from synth_affect.render import multigrid
from synth_affect.render.poisson import poisson_blend

SIDES = ((0, 1), (0, -1), (1, 0), (-1, 0))
HEIGHT, WIDTH = 61, 74
ROW, COLUMN = np.mgrid[:HEIGHT, :WIDTH]


def direct(source: np.ndarray, target: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """The blend by a sparse direct solver: at every masked pixel m is the mean of its neighbours."""
    from scipy import sparse
    from scipy.sparse.linalg import spsolve

    height, width = mask.shape
    n = int(mask.sum())
    number = np.full(mask.shape, -1)
    number[mask] = np.arange(n)
    difference = target.astype(np.float64) - source
    matrix = sparse.lil_matrix((n, n))
    charge = np.zeros((n, source.shape[2]))
    for row, column in np.argwhere(mask):
        i = number[row, column]
        for dy, dx in SIDES:
            y, x = row + dy, column + dx
            if not (0 <= y < height and 0 <= x < width):
                continue
            matrix[i, i] += 1
            if mask[y, x]:
                matrix[i, number[y, x]] = -1
            else:
                charge[i] += difference[y, x]
    membrane = spsolve(matrix.tocsc(), charge)
    result = target.astype(np.float64)
    result[mask] = source[mask] + membrane.reshape(n, -1)
    return result


def pictures(seed: int, n_channels: int = 3, height: int = HEIGHT, width: int = WIDTH) -> tuple[np.ndarray, np.ndarray]:
    """Two pictures of 255 grey levels whose difference is large, uneven and noisy."""
    rng = np.random.default_rng(seed)
    slope = np.linspace(0, 150, width)[None, :, None]
    source, target = rng.uniform(0, 255, (2, height, width, n_channels))
    return source.astype(np.float32), (0.4 * target + slope).astype(np.float32)


def rectangle(top: int, bottom: int, left: int, right: int) -> np.ndarray:
    mask = np.zeros((HEIGHT, WIDTH), dtype=bool)
    mask[top:bottom, left:right] = True
    return mask


def pierced() -> np.ndarray:
    """Everything but three pixels far apart."""
    mask = rectangle(0, HEIGHT, 0, WIDTH)
    mask[[3, 40, 58], [60, 8, 70]] = False
    return mask


def maze() -> np.ndarray:
    mask = rectangle(1, HEIGHT - 1, 1, WIDTH - 1)
    mask[4::8, : WIDTH - 3] = False
    mask[8::8, 3:] = False
    return mask


MASKS: dict[str, Callable[[], np.ndarray]] = {
    "rectangle": lambda: rectangle(7, 50, 11, 60),
    "disc": lambda: np.hypot(ROW - 30, COLUMN - 36) < 26.3,
    "ring": lambda: np.abs(np.hypot(ROW - 30, COLUMN - 36) - 20) < 5,
    "ring_one_pixel_wide": lambda: np.abs(np.hypot(ROW - 30, COLUMN - 36) - 20) < 0.6,
    "single_pixel": lambda: rectangle(20, 21, 30, 31),
    "single_pixel_in_the_corner": lambda: rectangle(0, 1, 0, 1),
    "column": lambda: rectangle(5, 55, 30, 31),
    "row_across_the_picture": lambda: rectangle(30, 31, 0, WIDTH),
    "islands_of_one_pixel": lambda: (ROW % 3 == 1) & (COLUMN % 4 == 2),
    "checkerboard": lambda: (ROW + COLUMN) % 2 == 0,
    "two_parts_far_apart": lambda: rectangle(2, 20, 3, 22) | rectangle(40, 59, 50, 73),
    "random": lambda: np.random.default_rng(0).random((HEIGHT, WIDTH)) < 0.7,
    "top_border": lambda: rectangle(0, 30, 10, 60),
    "bottom_border": lambda: rectangle(30, HEIGHT, 10, 60),
    "left_border": lambda: rectangle(10, 50, 0, 31),
    "right_border": lambda: rectangle(10, 50, 33, WIDTH),
    "corner": lambda: rectangle(20, HEIGHT, 40, WIDTH),
    "all_borders": lambda: np.hypot(ROW - 30, COLUMN - 36) > 15,
    "rim_on_one_side_only": lambda: rectangle(0, HEIGHT, 1, WIDTH),
    "pierced": pierced,
    "maze": maze,
}


@pytest.mark.parametrize("name", MASKS)
def test_agrees_with_the_direct_solver(name: str) -> None:
    source, target = pictures(seed=1)
    mask = MASKS[name]()
    result = poisson_blend(source, target, mask)
    assert result.shape == target.shape
    assert result.dtype == np.float32
    assert result[~mask].tobytes() == target[~mask].tobytes()
    np.testing.assert_allclose(result, direct(source, target, mask), atol=0.2)


@pytest.mark.parametrize("name", ["rectangle", "pierced", "maze", "random"])
def test_tolerance_brings_the_result_closer(name: str) -> None:
    source, target = pictures(seed=2)
    mask = MASKS[name]()
    fine = poisson_blend(source, target, mask, tolerance=1e-5)
    np.testing.assert_allclose(fine, direct(source, target, mask), atol=0.003)


@pytest.mark.parametrize("name", MASKS)
def test_ten_iterations_are_enough(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(multigrid, "MAX_ITERATIONS", 10)
    source, target = pictures(seed=14)
    poisson_blend(source, target, MASKS[name]())


def test_solver_that_does_not_arrive_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(multigrid, "MAX_ITERATIONS", 1)
    source, target = pictures(seed=14)
    with pytest.raises(FitError, match="no answer after 1 iterations"):
        poisson_blend(source, target, MASKS["rectangle"]())


def test_large_mask_agrees_with_a_harmonic_function() -> None:
    """A membrane that is known: m = x^2 - y^2 + 3 x y is harmonic for the 5-point Laplacian too."""
    y, x = np.mgrid[:322, :310] / 20.0
    membrane = (x * x - y * y + 3 * x * y)[..., None].astype(np.float32)
    source = np.random.default_rng(3).uniform(0, 255, (322, 310, 1)).astype(np.float32)
    mask = np.zeros((322, 310), dtype=bool)
    mask[10:311, 4:305] = True
    mask[100:103, 40:200] = False
    result = poisson_blend(source, source + membrane, mask)
    # The known function runs from -250 to 950.
    np.testing.assert_allclose(result - source, membrane, atol=0.2)


@pytest.mark.parametrize("name", MASKS)
def test_equal_pictures_come_back_bit_for_bit(name: str) -> None:
    source, _ = pictures(seed=4)
    result = poisson_blend(source, source.copy(), MASKS[name]())
    assert result.tobytes() == source.tobytes()


@pytest.mark.parametrize("name", MASKS)
def test_constant_offset_is_recovered(name: str) -> None:
    """The patch takes on the target's level and nothing else: the noise in it stays the same noise."""
    source, _ = pictures(seed=5)
    target = source + np.array([37.0, -21.5, 0.0], dtype=np.float32)
    np.testing.assert_allclose(poisson_blend(source, target, MASKS[name]()), target, atol=1e-3)


def test_patch_stays_in_its_place() -> None:
    """A single bright pixel of the source is found where it was, for a mask that is not centred on it."""
    source = np.zeros((HEIGHT, WIDTH, 1), dtype=np.float32)
    source[17, 22] = 100
    result = poisson_blend(source, np.zeros_like(source), rectangle(10, 45, 15, 70))
    np.testing.assert_array_equal(result, source)


@pytest.mark.parametrize("shift", [(1, 0), (0, 1), (3, 5), (-2, -7)])
def test_moving_everything_moves_the_result(shift: tuple[int, int]) -> None:
    source, target = pictures(seed=6)
    mask = np.hypot(ROW - 30, COLUMN - 36) < 20.3
    moved = [np.roll(field, shift, axis=(0, 1)) for field in (source, target, mask)]
    np.testing.assert_array_equal(
        poisson_blend(*moved), np.roll(poisson_blend(source, target, mask), shift, axis=(0, 1))
    )


def test_mirroring_everything_mirrors_the_result() -> None:
    source, target = pictures(seed=7)
    mask = MASKS["corner"]()
    mirrored = poisson_blend(source[:, ::-1], target[:, ::-1], mask[:, ::-1])
    np.testing.assert_allclose(mirrored[:, ::-1], poisson_blend(source, target, mask), atol=0.2)


def test_channels_do_not_mix_and_may_be_any_number() -> None:
    source, target = pictures(seed=8, n_channels=5)
    mask = MASKS["ring"]()
    together = poisson_blend(source, target, mask, tolerance=1e-5)
    for channel in range(5):
        alone = poisson_blend(source[..., channel, None], target[..., channel, None], mask, tolerance=1e-5)
        np.testing.assert_allclose(together[..., channel, None], alone, atol=0.003)


def test_scale_of_the_values_does_not_matter() -> None:
    source, target = pictures(seed=9)
    mask = MASKS["disc"]()
    small = poisson_blend(source / 256, target / 256, mask)
    np.testing.assert_array_equal(small * 256, poisson_blend(source, target, mask))


def test_empty_mask_gives_the_target_and_full_mask_the_source() -> None:
    source, target = pictures(seed=10)
    nothing, everything = rectangle(0, 0, 0, 0), rectangle(0, HEIGHT, 0, WIDTH)
    for mask, expected in ((nothing, target), (everything, source)):
        result = poisson_blend(source, target, mask)
        assert result.tobytes() == expected.tobytes()
        assert not np.shares_memory(result, expected)


def test_outside_the_mask_the_target_may_hold_anything() -> None:
    source, target = pictures(seed=11)
    target[0, 0] = np.nan
    target[-1, -1] = -0.0
    mask = MASKS["disc"]()
    result = poisson_blend(source, target, mask)
    assert result[~mask].tobytes() == target[~mask].tobytes()
    assert np.isfinite(result[mask]).all()


def test_inputs_may_be_read_only_and_stay_as_they_are() -> None:
    source, target = pictures(seed=12)
    mask = MASKS["disc"]()
    before = [field.copy() for field in (source, target, mask)]
    for field in (source, target, mask):
        field.flags.writeable = False
    poisson_blend(source, target, mask)
    for field, kept in zip((source, target, mask), before, strict=True):
        np.testing.assert_array_equal(field, kept)


def test_bad_input_is_refused() -> None:
    source, target = pictures(seed=13)
    mask = MASKS["disc"]()
    with pytest.raises(ShapeError, match=r"mask: expected \(height, width\) bool, got \(61, 74\) uint8"):
        poisson_blend(source, target, mask.astype(np.uint8))
    with pytest.raises(ShapeError, match="mask"):
        poisson_blend(source, target, mask[..., None])
    with pytest.raises(ShapeError, match=r"target: expected \(60, 74, channels\)"):
        poisson_blend(source, target, mask[1:])
    with pytest.raises(ShapeError, match="source"):
        poisson_blend(source[..., :1], target, mask)
    source[30, 36, 1] = np.nan
    with pytest.raises(ShapeError, match="source: expected finite numbers"):
        poisson_blend(source, target, mask)
