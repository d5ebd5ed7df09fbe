"""Records: keys that are safe to write under, labels in their range, scales of labels."""

from __future__ import annotations

import math
import pickle
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from synth_affect.data.faces.database import LabelScale
from synth_affect.data.faces.record import FaceRecord, Rejected, check_key, key_of
from synth_affect.errors import InputError, ShapeError

PICTURE = Path("a.png")


@pytest.mark.parametrize("key", ["1", "017/00042", "Anna Müller/smile 2", "a.b/..c", "%2E%2E/x", "日本/語"])
def test_names_of_outputs(key: str) -> None:
    assert FaceRecord(key, PICTURE).key == key


@pytest.mark.parametrize(
    "key", ["", "/a", "a/", "a//b", ".", "..", "../a", "a/../b", "a/..", "C:/a", "a\\b", "a\0", "a\nb", "x" * 201,
            "a/" * 250 + "a", "a\udcff"]
)  # fmt: skip
def test_names_that_could_leave_a_folder(key: str) -> None:
    with pytest.raises(InputError, match="is no name for an output"):
        FaceRecord(key, PICTURE)


@given(st.lists(st.text(st.characters(), max_size=30), min_size=1, max_size=4))
@example(["\ud800", "\udc80"])  # half a character, and a byte of a name that is no UTF-8
def test_any_names_give_a_safe_key(names: list[str]) -> None:
    check_key(key_of(*names))


@given(st.text(max_size=6), st.text(max_size=6))
def test_other_names_have_other_keys(first: str, second: str) -> None:
    assert (key_of(first) == key_of(second)) == (first == second)


def test_common_names_stay() -> None:
    assert key_of("Anna Müller", "IMG_0001 (2)") == "Anna Müller/IMG_0001 (2)"
    assert key_of("..", "a/b", "c:d", "x.", "50%") == "%2E%2E/a%2Fb/c%3Ad/x%2E/50%25"


@pytest.mark.parametrize(("valence", "arousal"), [(1.01, 0), (0, -5), (math.inf, 0), (math.nan, 0.5), (0.5, math.nan)])
def test_labels_outside_the_plane(valence: float, arousal: float) -> None:
    with pytest.raises(InputError, match="are not in"):
        FaceRecord("a", PICTURE, valence=valence, arousal=arousal)


@pytest.mark.parametrize("name", ["", "a\nb", "\udcff", "x" * 201, "\0"])
def test_names_that_could_not_be_written(name: str) -> None:
    with pytest.raises(InputError, match=r"its subject .* is no name in UTF-8"):
        FaceRecord("a", PICTURE, subject=name)
    with pytest.raises(InputError, match=r"its sequence .* is no name in UTF-8"):
        FaceRecord("a", PICTURE, sequence=name)


def test_files_of_which_the_name_could_not_be_written() -> None:
    with pytest.raises(InputError, match=r"'M\\udcfcller.png', is not UTF-8; rename it"):
        FaceRecord("a", Path("M\udcfcller.png"))
    rejected = Rejected("\ud800", Path("M\udcfcller.png"), "no \udcfc")
    assert (rejected.key, rejected.path, rejected.reason) == ("?", Path("M?ller.png"), "no ?")


def test_a_record_is_whole_and_goes_to_a_worker() -> None:
    record = FaceRecord("a", PICTURE, 3, valence=0.5, arousal=-0.5, landmarks=np.ones((68, 2)), box=(0, 1, 2, 3))
    copy = pickle.loads(pickle.dumps(record))
    assert (copy.key, copy.frame, copy.valence, copy.box) == ("a", 3, 0.5, (0, 1, 2, 3))
    np.testing.assert_array_equal(copy.landmarks, record.landmarks)
    assert copy.landmarks.dtype == np.float32
    assert record.has_affect
    assert not FaceRecord("a", PICTURE).has_affect


def test_geometry_is_checked() -> None:
    with pytest.raises(ShapeError):
        FaceRecord("a", PICTURE, landmarks=np.ones((5, 2)))
    with pytest.raises(ShapeError, match="NaN"):
        FaceRecord("a", PICTURE, landmarks=np.full((68, 2), np.nan))
    for box in ((0, 0, 0, 1), (0, 2, 1, 1), (0, 0, math.inf, 1), (math.nan, 0, 1, 1)):
        with pytest.raises(InputError, match="is no box"):
            FaceRecord("a", PICTURE, box=box)


def test_scales_of_labels() -> None:
    tenths = LabelScale(limit=10, integer=True)
    assert [tenths.from_affect(value) for value in (0.35, 0.349, 0.05, -0.05, -0.35, 0.04, 1)] == [
        4,
        3,
        1,
        -1,
        -4,
        0,
        10,
    ]
    assert [tenths.as_written(k / 10) for k in range(-10, 11)] == [k / 10 for k in range(-10, 11)]
    assert math.copysign(1, tenths.from_affect(-0.01)) == 1  # no "-0" in a file
    assert LabelScale().as_written(0.123) == 0.123
