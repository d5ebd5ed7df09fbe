"""Two flat lips (or lids) before a wall: what is seen between them is their opening."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

from tools.cc0_head.assembly import REGIONS, Assembly
from tools.cc0_head.parts import grid_triangles
from tools.cc0_head.seams import (
    EYE,
    INSIDE_MOUTH,
    LID_OVERLAP,
    LIP_OVERLAP_MM,
    close_lips,
    just_closing,
    opening,
)

N_ROWS, N_COLUMNS = 12, 61
HALF_WIDTH_MM, MIDDLE_MM = 24.0, 40.0


def sheet(low: np.ndarray, high: np.ndarray, depth: float, x: np.ndarray) -> np.ndarray:
    """Rows from `high` down to `low`, both (n_columns,) mm."""
    share = np.linspace(0, 1, N_ROWS)[:, None]
    y = high * (1 - share) + low * share
    return np.stack([np.broadcast_to(x, y.shape), y, np.full(y.shape, depth)], -1).reshape(-1, 3)


def scene(gap: np.ndarray, x: np.ndarray, front: str, behind: str) -> tuple[np.ndarray, Assembly]:
    """Upper and lower sheet `gap` (n_columns,) mm apart, and a narrower wall 3 mm behind them."""
    upper = sheet(gap / 2, np.full_like(x, 12.0), 0.0, x)
    lower = sheet(np.full_like(x, -12.0), -gap / 2, 0.0, x)
    wall = sheet(np.full_like(x, -10.0), np.full_like(x, 10.0), -3.0, x.mean() + 0.95 * (x - x.mean()))
    grid = grid_triangles(N_ROWS, N_COLUMNS)
    n = N_ROWS * N_COLUMNS
    vertices = np.concatenate([upper, lower, wall])
    regions = np.repeat([REGIONS.index(front), REGIONS.index(front), REGIONS.index(behind)], len(grid))
    column = np.arange(3 * n) % N_COLUMNS
    assembly = Assembly(
        sparse.identity(3 * n, format="csr"),
        np.zeros((3 * n, 3)),
        np.concatenate([grid, grid + n, grid + 2 * n]),
        regions,
        np.zeros((3 * n, 2)),
        np.concatenate([grid, grid + n, grid + 2 * n]),
        np.arange(3 * n) - column + N_COLUMNS - 1 - column,
    )
    return vertices, assembly


@pytest.fixture
def mouth() -> tuple[np.ndarray, np.ndarray, Assembly]:
    """Vertices of lips that are open in both halves but not in the middle, their jaw, and their assembly."""
    x = np.linspace(-HALF_WIDTH_MM, HALF_WIDTH_MM, N_COLUMNS)
    along = 1 - (x / HALF_WIDTH_MM) ** 2
    vertices, assembly = scene(0.8 * along * (x / HALF_WIDTH_MM) ** 2, x, "lips", "mouth_cavity")
    jaw = np.zeros_like(vertices)
    lower = np.arange(N_ROWS * N_COLUMNS, 2 * N_ROWS * N_COLUMNS)
    jaw[lower, 1] = -25 * np.tile(along, N_ROWS)
    return vertices, jaw, assembly


def visible_columns(vertices: np.ndarray, assembly: Assembly) -> int:
    return len(opening(vertices, assembly, INSIDE_MOUTH)[0].corners)


def test_edges_are_those_of_the_sheets(mouth: tuple[np.ndarray, np.ndarray, Assembly]) -> None:
    vertices, jaw, assembly = mouth
    opened = vertices + 0.3 * jaw
    upper, lower = opening(opened, assembly, INSIDE_MOUTH)
    x = np.linspace(-HALF_WIDTH_MM, HALF_WIDTH_MM, N_COLUMNS)
    first, last = (
        slice((N_ROWS - 1) * N_COLUMNS, N_ROWS * N_COLUMNS),
        slice(N_ROWS * N_COLUMNS, (N_ROWS + 1) * N_COLUMNS),
    )
    for edge, row in ((upper, first), (lower, last)):
        found = edge.read(opened)
        np.testing.assert_allclose(found[:, 1], np.interp(found[:, 0], x, opened[row, 1]), atol=0.11)  # a pixel
        np.testing.assert_allclose(edge.weights.sum(1), 1, atol=1e-5)
    assert len(upper.corners) > 400


def test_lips_that_part_are_closed_and_hardly_moved(mouth: tuple[np.ndarray, np.ndarray, Assembly]) -> None:
    vertices, jaw, assembly = mouth
    assert visible_columns(vertices, assembly) > 100
    closed, _ = close_lips(vertices, np.zeros((1, *vertices.shape)), jaw, assembly)
    assert visible_columns(closed, assembly) == 0
    assert np.abs(closed - vertices).max() < 0.8 + LIP_OVERLAP_MM
    np.testing.assert_allclose(closed[:, [0, 2]], vertices[:, [0, 2]], atol=1e-9)
    wall = np.unique(assembly.triangles[assembly.regions == REGIONS.index("mouth_cavity")])
    rims = np.abs(vertices[:, 1]) > 11.5
    assert np.abs(closed - vertices)[np.setdiff1d(np.flatnonzero(rims), wall)].max() < 0.02


def test_no_component_parts_the_lips_any_more(mouth: tuple[np.ndarray, np.ndarray, Assembly]) -> None:
    vertices, jaw, assembly = mouth
    part, rise = np.zeros_like(vertices), np.zeros_like(vertices)
    part[: N_ROWS * N_COLUMNS, 1] = 0.5
    rise[:, 1] = 0.5
    _, (parting, rising) = close_lips(vertices, np.stack([part, rise]), jaw, assembly)
    upper, lower = opening(vertices + 0.15 * jaw, assembly, INSIDE_MOUTH)
    middle = np.abs(upper.read(vertices)[:, 0]) < 18
    before = (upper.read(part) - lower.read(part))[middle, 1]
    after = (upper.read(parting) - lower.read(parting))[middle, 1]
    np.testing.assert_allclose(before, 0.5, atol=1e-5)
    assert np.abs(after).max() < 0.02
    np.testing.assert_allclose(rising, rise, atol=1e-6)  # lips that move together keep their way


def test_a_blink_comes_just_over_the_lower_lid_all_along_the_eye() -> None:
    x = np.linspace(MIDDLE_MM - 14, MIDDLE_MM + 14, N_COLUMNS)
    height = 8 * (1 - ((x - MIDDLE_MM) / 14) ** 2)
    vertices, assembly = scene(height, x, "lids", "eyeball")
    blink = np.zeros_like(vertices)
    travel = height * (1.9 + 0.03 * (x - MIDDLE_MM))  # runs on far below, more so on one side
    blink[: N_ROWS * N_COLUMNS, 1] = -np.tile(travel, N_ROWS)
    closing = just_closing(blink, vertices, assembly)
    upper, lower = opening(vertices, assembly, EYE, left_half=True)
    inner = np.abs(upper.read(vertices)[:, 0] - MIDDLE_MM) < 6
    below = (lower.read(vertices)[:, 1] - upper.read(vertices + closing)[:, 1])[inner]
    opened = (upper.read(vertices) - lower.read(vertices))[inner, 1]
    np.testing.assert_allclose(below / opened, LID_OVERLAP, atol=0.03)
