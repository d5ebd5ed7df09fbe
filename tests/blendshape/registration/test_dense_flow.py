from __future__ import annotations

import numpy as np
import pytest

from synth_affect.arrays import FloatArray
from synth_affect.blendshape.registration.cylinder import UvMap
from synth_affect.blendshape.registration.dense_flow import FlowSettings, blur_covered, relief_flow

PIXEL_MM = 0.6


def bumps(shift: tuple[float, float] = (0, 0), covered: FloatArray | None = None, size: int = 240) -> UvMap:
    rows, columns = np.mgrid[:size, :size].astype(np.float64)
    rows, columns = rows - shift[1], columns - shift[0]
    radius = 80 + 1.5 * np.sin(columns / 9) * np.cos(rows / 11) + 1.0 * np.sin((columns + rows) / 17)
    if covered is not None:
        radius = np.where(covered, radius, 0)
    nothing = np.zeros((size, size, 3), dtype=np.float32)
    return UvMap(nothing, nothing, radius.astype(np.float32))


@pytest.mark.parametrize("shift", [(3, 0), (0, -4), (2, 2)])
def test_a_shift_is_found(shift: tuple[int, int]) -> None:
    flow = relief_flow(bumps(), bumps(shift), PIXEL_MM, FlowSettings(stay=1e-4))
    assert flow.shape == (240, 240, 2)
    assert flow.dtype == np.float32
    middle = flow[60:-60, 60:-60]
    assert np.abs(np.median(middle, axis=(0, 1)) - shift).max() < 0.4


def test_a_preference_for_staying_shortens_the_way() -> None:
    lengths = [
        np.linalg.norm(relief_flow(bumps(), bumps((3, 0)), PIXEL_MM, FlowSettings(stay=stay))[60:-60, 60:-60], axis=2)
        for stay in (1e-4, 0.04, 10.0)
    ]
    least, default, most = (float(np.median(length)) for length in lengths)
    assert most < 0.1 < default < least


def test_nothing_moves_where_nothing_shows() -> None:
    rows = np.mgrid[:240, :240][0]
    nothing = np.zeros((240, 240, 3), dtype=np.float32)
    smooth = UvMap(nothing, nothing, (80 + 0.01 * rows).astype(np.float32))
    assert np.abs(relief_flow(smooth, smooth, PIXEL_MM, FlowSettings())).max() < 0.01


def test_a_hole_does_not_pull() -> None:
    covered = np.ones((240, 240), dtype=bool)
    covered[100:125, 100:125] = False
    flow = relief_flow(bumps(), bumps(covered=covered), PIXEL_MM, FlowSettings())
    assert np.abs(flow).max() < 1.0  # the blur at its edge is one-sided


def test_a_covered_blur_is_the_mean_of_what_is_covered() -> None:
    covered = np.zeros((40, 40), dtype=bool)
    covered[:, :20] = True
    values = np.where(covered, 5.0, 1e6).astype(np.float32)
    assert blur_covered(values, covered, 2.0)[:, :20] == pytest.approx(5.0, rel=1e-5)
