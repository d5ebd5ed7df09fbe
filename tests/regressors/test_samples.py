"""Crops and samples: what is refused, and that choosing and joining keep rows together."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from synth_affect.errors import InputError, ShapeError
from synth_affect.regressors.samples import Crops, FaceSamples, join, select, windows

Make = Callable[..., FaceSamples]


def test_choosing_and_joining_keep_what_belongs_together(samples: Make) -> None:
    one, other = samples(3, seed=1), samples(2, seed=2)
    mask = one.subjects == "p1"
    both = join([select(one, mask), other, select(one, np.array([5, 2]))])
    assert len(both) == 8 + 16 + 2
    wanted = np.concatenate([one.pictures.take(np.flatnonzero(mask)), other.pictures.take(np.arange(16))])
    np.testing.assert_array_equal(both.pictures.take(np.arange(24)), wanted)
    np.testing.assert_array_equal(both.pictures.take(np.array([25, 24])), one.pictures.take(np.array([2, 5])))
    np.testing.assert_array_equal(both.affect[24:], one.affect[[5, 2]])
    again = select(both, np.array([24]))
    np.testing.assert_array_equal(again.pictures.take(np.array([0])), one.pictures.take(np.array([5])))


def test_pictures_on_the_disk_stay_there_when_samples_go_to_another_process(samples: Make, tmp_path: Path) -> None:
    given = samples(3).pictures
    np.save(tmp_path / "crops.npy", given.arrays[0])
    file = np.load(tmp_path / "crops.npy", mmap_mode="r")
    for stored, is_small in ((Crops.of(file[:20]), True), (Crops.of(file[4:]), False), (given, False)):
        sent = pickle.dumps(stored)
        assert (len(sent) < 10_000) == is_small
        again = pickle.loads(sent)
        np.testing.assert_array_equal(again.take(np.arange(len(stored))), stored.take(np.arange(len(stored))))


def test_clips_are_cut_in_the_order_of_their_frames(samples: Make) -> None:
    clips = samples(2, 5, clips=True)
    shuffled = select(clips, np.array([9, 3, 1, 0, 2, 4, 5, 6, 8, 7]))
    found = windows(shuffled, 3)
    assert sorted(len(window) for window in found) == [2, 2, 3, 3]
    assert [shuffled.frames[window].tolist() for window in found if shuffled.subjects[window[0]] == "p0"] == [
        [0, 1, 2],
        [3, 4],
    ]
    assert [len(window) for window in windows(samples(2, 5), 3)] == [1] * 10


def test_labels_out_of_range_name_the_picture(samples: Make) -> None:
    good = samples(1)
    affect = good.affect.copy()
    affect[3, 1] = 1.5
    with pytest.raises(InputError, match=r"p0/0003: valence .*, arousal 1.5 are not in \[-1, 1\]"):
        replace(good, affect=affect)


def test_arrays_of_other_shapes_are_refused(samples: Make) -> None:
    with pytest.raises(ShapeError, match="pictures"):
        Crops.of(np.zeros((3, 8, 9, 3), dtype=np.uint8))
    with pytest.raises(ShapeError, match="pictures"):
        Crops.of(np.zeros((3, 8, 8, 3), dtype=np.float32))
    with pytest.raises(ShapeError, match="made"):
        replace(samples(1), made=np.zeros(2, dtype=bool))
    with pytest.raises(ShapeError, match="32 px"):
        join([samples(1), samples(1, size=64)])
