from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
import skimage.data
from hypothesis import example, given
from hypothesis import strategies as st
from PIL import Image

from synth_affect.affect import ValenceArousal
from synth_affect.data.video_frames import VideoFile
from synth_affect.errors import InputError
from synth_affect.pipelines.affect_path import PathTiming, draw_path, path_points
from synth_affect.pipelines.edit_picture import Target
from synth_affect.pipelines.picture_faces import FaceSource

SETTINGS = Target(ValenceArousal(0, 0))
AXIS = st.floats(-1, 1)


def points_of(*pairs: tuple[float, float]) -> list[ValenceArousal]:
    return [ValenceArousal(*pair) for pair in pairs]


def test_the_way_starts_and_ends_at_its_ends_slowly() -> None:
    way = path_points(points_of((0, 0), (0.8, 0.4)), 61)
    assert (way[0], way[-1]) == (ValenceArousal(0, 0), ValenceArousal(0.8, 0.4))
    valence = np.array([point.valence for point in way])
    steps = np.diff(valence)
    assert (steps >= 0).all()
    assert steps[0] < 0.2 * steps.max() > steps[-1]
    np.testing.assert_allclose([point.arousal for point in way], valence / 2, atol=1e-4)


def test_every_point_is_passed_in_its_order() -> None:
    through = points_of((0, 0), (0.8, 0.4), (-0.6, 0.6), (0, 0))
    way = np.array([[point.valence, point.arousal] for point in path_points(through, 400)])
    nearest = [int(np.argmin(np.hypot(*(way - [p.valence, p.arousal]).T)[1:-1])) for p in through[1:-1]]
    assert nearest == sorted(nearest)
    for place, point in zip(nearest, through[1:-1], strict=True):
        assert np.hypot(*(way[place + 1] - [point.valence, point.arousal])) < 0.02


@given(st.lists(st.tuples(AXIS, AXIS), min_size=2, max_size=6), st.integers(2, 60))
@example([(0.0, 0.0), (0.0, 0.0), (1.0, 2.2e-311)], 2)  # a step whose slope no float holds
def test_the_way_stays_in_the_plane(pairs: list[tuple[float, float]], count: int) -> None:
    way = path_points(points_of(*pairs), count)
    assert len(way) == count
    low, high = np.min(pairs, axis=0) - 1e-4, np.max(pairs, axis=0) + 1e-4
    for point in way:
        assert (low <= [point.valence, point.arousal]).all()
        assert ([point.valence, point.arousal] <= high).all()


@pytest.mark.parametrize(("seconds", "rate"), [(0, 30), (-1, 30), (1, 0), (float("nan"), 30), (1, 1), (1e9, 30)])
def test_times_that_are_none_are_refused(seconds: float, rate: float) -> None:
    with pytest.raises(InputError, match=r"--seconds|--fps"):
        PathTiming(seconds, rate)


@pytest.fixture(scope="module")
def portrait(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("path") / "astronaut.png"
    Image.fromarray(np.asarray(skimage.data.astronaut())[:300, 100:400]).resize((220, 220)).save(path)
    return path


def test_a_folder_has_a_picture_and_a_label_a_frame(portrait: Path, tmp_path: Path) -> None:
    through = points_of((0.8, 0.2), (-0.7, -0.3))
    out = tmp_path / "frames"
    summary = draw_path(FaceSource(portrait), through, PathTiming(0.5, 8), out, SETTINGS)
    assert summary["frames"] == 4
    with (out / "labels.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["path"] for row in rows] == [f"{k:05d}.png" for k in range(4)]
    assert (float(rows[0]["valence"]), float(rows[-1]["arousal"])) == (0.8, -0.3)
    first, last = (np.asarray(Image.open(out / rows[k]["path"])).astype(int) for k in (0, -1))
    assert np.abs(first - last).max() > 60
    assert [path.name for path in tmp_path.iterdir()] == ["frames"]
    with pytest.raises(InputError, match="is there already"):
        draw_path(FaceSource(portrait), through, PathTiming(0.5, 8), out, SETTINGS)


def test_a_video_has_the_frames_and_the_rate(portrait: Path, tmp_path: Path) -> None:
    pytest.importorskip("av")
    out = tmp_path / "a.mp4"
    draw_path(FaceSource(portrait), points_of((0, 0), (0, 0.9)), PathTiming(0.4, 10), out, SETTINGS)
    with VideoFile(out) as video:
        times = [frame.time_s for frame in video.frames()]
    assert times == pytest.approx([0, 0.1, 0.2, 0.3], abs=1e-3)


@pytest.mark.parametrize(
    ("name", "through", "reason"),
    [("a.webm", [(0, 0), (1, 0)], r"\.webm is none of"), ("a.gif", [(0, 0)], "two points or more")],
)
def test_what_cannot_be_made_is_refused(
    portrait: Path, tmp_path: Path, name: str, through: list[tuple[float, float]], reason: str
) -> None:
    with pytest.raises(InputError, match=reason):
        draw_path(FaceSource(portrait), points_of(*through), PathTiming(1, 10), tmp_path / name, SETTINGS)
    assert list(tmp_path.iterdir()) == []
