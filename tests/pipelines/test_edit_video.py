from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import skimage.data
from PIL import Image

from synth_affect.affect import ValenceArousal
from synth_affect.arrays import ImageArray
from synth_affect.data.video_frames import VideoFile
from synth_affect.errors import InputError, NoFaceError
from synth_affect.fitting.fit import FaceFit
from synth_affect.heads.camera import Camera, ImageSize
from synth_affect.pipelines.edit_picture import Target
from synth_affect.pipelines.edit_video import VideoSettings, _smooth_points, edit_video
from synth_affect.pipelines.workers import LocalEngine

pytest.importorskip("av")
SADLY = Target(ValenceArousal(-0.7, -0.3))


def write_video(path: Path, frames: list[ImageArray]) -> Path:
    from synth_affect.data.video_writing import write_mp4

    write_mp4(path, ((k / 10, frame) for k, frame in enumerate(frames)), about="")
    return path


def read_video(path: Path) -> list[ImageArray]:
    with VideoFile(path) as video:
        return [frame.pixels for frame in video.frames()]


@pytest.fixture(scope="module")
def walk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A face that drifts to the right; in frame 3 it is covered, in the last one it is gone."""
    portrait = Image.fromarray(np.asarray(skimage.data.astronaut())[:300, 60:440]).resize((260, 204))
    frames = [np.asarray(portrait)[:, 2 * (7 - k) : 2 * (7 - k) + 220].copy() for k in range(8)]
    frames[3][10:140, 40:180] = 128
    frames[7][:] = 128
    return write_video(tmp_path_factory.mktemp("video") / "walk.mp4", frames)


@pytest.fixture(scope="module")
def edited(walk: Path) -> tuple[dict[str, object], list[ImageArray]]:
    out = walk.with_name("sad.mp4")
    summary = edit_video(walk, SADLY, out, VideoSettings(), LocalEngine(1))
    return summary, read_video(out)


def test_the_face_changes_in_every_frame_that_shows_it(
    walk: Path, edited: tuple[dict[str, object], list[ImageArray]]
) -> None:
    summary, frames = edited
    before = read_video(walk)
    assert (summary["frames"], len(frames)) == (8, 8)
    change = [np.abs(one.astype(int) - other).mean() for one, other in zip(before, frames, strict=True)]
    assert min(change[:3] + change[4:7]) > 1.5
    assert change[7] < 1.0


def test_a_short_gap_is_bridged(edited: tuple[dict[str, object], list[ImageArray]]) -> None:
    assert edited[0]["edited"] == 7


def test_what_is_not_the_face_stays(walk: Path, edited: tuple[dict[str, object], list[ImageArray]]) -> None:
    for before, after in zip(read_video(walk), edited[1], strict=True):
        assert np.abs(before[:, :16].astype(int) - after[:, :16]).mean() < 2.0  # what the codec does to it


def test_two_processes_make_the_same_video(
    walk: Path, edited: tuple[dict[str, object], list[ImageArray]], tmp_path: Path
) -> None:
    edit_video(walk, SADLY, tmp_path / "two.mp4", VideoSettings(), LocalEngine(2))
    assert (tmp_path / "two.mp4").read_bytes() == walk.with_name("sad.mp4").read_bytes()


def test_a_video_without_a_face_is_refused(tmp_path: Path) -> None:
    path = write_video(tmp_path / "grey.mp4", [np.full((64, 64, 3), 128, np.uint8)] * 3)
    with pytest.raises(NoFaceError):
        edit_video(path, SADLY, tmp_path / "out.mp4", VideoSettings(), LocalEngine(1))
    assert [file.name for file in tmp_path.iterdir()] == ["grey.mp4"]


def test_what_is_no_video_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(b"not a video")
    with pytest.raises(InputError, match="not a video"):
        edit_video(path, SADLY, tmp_path / "out.mp4", VideoSettings(), LocalEngine(1))
    with pytest.raises(InputError, match=r"written as \.mp4"):
        edit_video(path, SADLY, tmp_path / "out.avi", VideoSettings(), LocalEngine(1))


def test_landmarks_do_not_tremble() -> None:
    trembling, steps = np.random.default_rng(0), np.arange(30)
    fits = []
    for step in steps:
        points = np.linspace(0, 200, 68)[:, None] + [0.5 * step, 4 * np.sin(0.3 * step)]
        fits.append(
            FaceFit(
                head="h",
                topology="t",
                image_size=ImageSize(400, 400),
                camera=Camera(np.eye(3), np.array([0.0, 0.0, 600.0]), 900.0, np.array([200.0, 200.0])),
                identity_coefficients=np.zeros(2),
                expression_weights=np.zeros(2),
                landmarks_image=points + trembling.normal(0, 0.3, points.shape),
                residual_iod=0.0,
                converged=True,
                iterations=1,
            )
        )
    smooth = np.stack([fit.landmarks_image for fit in _smooth_points(fits, steps / 25)])
    before = np.stack([fit.landmarks_image for fit in fits])
    true = np.linspace(0, 200, 68)[:, None] + np.stack([0.5 * steps, 4 * np.sin(0.3 * steps)], axis=1)[:, None]
    assert np.abs(np.diff(smooth, n=2, axis=0)).mean() < 0.6 * np.abs(np.diff(before, n=2, axis=0)).mean()
    assert np.abs(smooth - true).mean() < 0.7 * np.abs(before - true).mean()
    assert _smooth_points(fits[:3], steps[:3] / 25) == fits[:3]
