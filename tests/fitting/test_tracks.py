import numpy as np

from synth_affect.fitting.tracks import track_faces


def _box(x: float, y: float = 0.0, side: float = 100.0) -> np.ndarray:
    return np.array([[x, y], [x + side, y + side]])


def test_moving_faces_keep_their_numbers_when_their_order_changes() -> None:
    frames = [[_box(0), _box(300)], [_box(290), _box(10)], [_box(20), _box(280)]]
    assert track_faces(frames, [0.0, 0.04, 0.08]) == [[0, 1], [1, 0], [0, 1]]


def test_one_face_is_not_two_people() -> None:
    assert track_faces([[_box(0)], [_box(5), _box(20)]], [0.0, 0.04]) == [[0], [0, 1]]


def test_a_face_may_be_gone_for_a_moment_but_not_for_long() -> None:
    assert track_faces([[_box(0)], [], [_box(10)]], [0.0, 0.5, 0.9]) == [[0], [], [0]]
    assert track_faces([[_box(0)], [], [_box(10)]], [0.0, 0.5, 1.5]) == [[0], [], [1]]


def test_a_face_elsewhere_is_another() -> None:
    assert track_faces([[_box(0)], [_box(200)]], [0.0, 0.04]) == [[0], [1]]
