from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from synth_affect.arrays import FloatArray
from synth_affect.blendshape.template import face_template
from synth_affect.data.landmark_markups import BOSPHORUS, SIDES, ibug_points
from synth_affect.data.landmarks_3d import Landmarks3D
from synth_affect.errors import InputError
from synth_affect.heads.cc0 import load_cc0
from synth_affect.heads.model import embed

PATH = Path("face.lm3")
TURN = np.array([[0.0, 0, 1], [1, 0, 0], [0, 1, 0]])


@pytest.fixture(scope="module")
def face() -> FloatArray:
    template = face_template(load_cc0())
    return embed(template.mesh.vertices.astype(np.float64), template.mesh.triangles, template.landmarks_68)


def test_ibug_s_own_points_stay(face: FloatArray) -> None:
    points = ibug_points(Landmarks3D("ibug-68", (), face), PATH)
    np.testing.assert_allclose(points, face, atol=1e-4)


@pytest.mark.parametrize("turn", [np.eye(3), TURN])
@pytest.mark.parametrize("viewer", [False, True], ids=["subject's sides", "viewer's sides"])
def test_bosphorus_names_find_their_points(face: FloatArray, turn: FloatArray, viewer: bool) -> None:
    names = tuple(name.replace("middle right", "Middle of the right") for name in BOSPHORUS)
    other = dict(SIDES) | {left: right for right, left in SIDES}
    rows = [other.get(row, row) if viewer else row for row in BOSPHORUS.values()]
    points = ibug_points(Landmarks3D("named", names, face[rows] @ turn.T), PATH)
    given = np.isfinite(points).all(axis=1)
    assert sorted(np.flatnonzero(given)) == sorted(BOSPHORUS.values())
    np.testing.assert_allclose(points[given], face[given] @ turn.T, atol=1e-4)


def test_names_without_counterpart_are_left_out(face: FloatArray) -> None:
    names = (*BOSPHORUS, "Left ear lobe", "Chin middle")
    points = ibug_points(Landmarks3D("named", names, np.vstack([face[list(BOSPHORUS.values())], face[:2]])), PATH)
    assert np.isfinite(points).all(axis=1).sum() == len(BOSPHORUS)


def binghamton(face: FloatArray, left_first: bool) -> FloatArray:
    """83 points in the groups of BU-3DFE, each group in an order of its own."""
    rng = np.random.default_rng(5)

    def group(rows: FloatArray, n_points: int) -> FloatArray:
        between = rows[:-1] * 0.5 + rows[1:] * 0.5
        return rng.permutation(np.vstack([rows, between])[:n_points])

    right, left = group(face[36:42], 8), group(face[42:48], 8)
    eyes = (left, right) if left_first else (right, left)
    brows = group(face[17:27], 19), face[17:18]
    nose, mouth = np.vstack([face[27:36], face[30:33]]), (face[48:60], face[60:68])
    return np.vstack([*eyes, *brows, nose, *mouth, face[:15]])


@pytest.mark.parametrize("turn", [np.eye(3), TURN])
@pytest.mark.parametrize("left_first", [False, True])
def test_binghamton_s_corners_are_found(face: FloatArray, left_first: bool, turn: FloatArray) -> None:
    given = binghamton(face, left_first)
    assert len(given) == 83
    points = ibug_points(Landmarks3D("bu-83", (), given @ turn.T), PATH)
    found = np.flatnonzero(np.isfinite(points).all(axis=1))
    assert found.tolist() == [36, 39, 42, 45, 48, 51, 54, 57, 62, 66]
    np.testing.assert_allclose(points[found], face[found] @ turn.T, atol=1e-4)


def test_too_few_points_are_refused(face: FloatArray) -> None:
    names = tuple(BOSPHORUS)[:5]
    with pytest.raises(InputError, match="has 5 points that are among ibug's 68, 6 are needed"):
        ibug_points(Landmarks3D("named", names, face[:5]), PATH)


def test_an_unknown_markup_is_refused(face: FloatArray) -> None:
    with pytest.raises(InputError, match="has 51 points; 68 of ibug's"):
        ibug_points(Landmarks3D("unknown", (), face[17:]), PATH)
