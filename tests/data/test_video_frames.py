from pathlib import Path

import cv2
import numpy as np
import pytest

from synth_affect.data.video_frames import VideoFile, is_video
from synth_affect.errors import InputError

N, RATE = 20, 25.0


@pytest.fixture(scope="module", params=["a.mp4", "a.avi"])
def video_path(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_video(tmp_path_factory.mktemp("video") / request.param)


def make_video(path: Path) -> Path:
    """Each frame is one grey, 10 brighter than the last; its left half is red."""
    codec = cv2.VideoWriter.fourcc(*("mp4v" if path.suffix == ".mp4" else "MJPG"))
    writer = cv2.VideoWriter(str(path), codec, RATE, (64, 48))
    assert writer.isOpened()
    for k in range(N):
        frame = np.full((48, 64, 3), 10 * k, np.uint8)
        frame[:, :32] = 0, 0, 255
        writer.write(frame)
    writer.release()
    return path


def test_frames_come_in_order_with_their_times_and_colours(video_path: Path) -> None:
    with VideoFile(video_path) as video:
        frames = list(video.frames())
        assert video.announced == N
        assert video.missing == 0
    assert [frame.index for frame in frames] == list(range(N))
    np.testing.assert_allclose([frame.time_s for frame in frames], np.arange(N) / RATE, atol=1e-3)
    assert frames[0].pixels.shape == (48, 64, 3)
    red, green, blue = frames[0].pixels[24, 8]
    assert red > 200
    assert green < 60
    assert blue < 60
    greys = [float(frame.pixels[:, 40:].mean()) for frame in frames]
    np.testing.assert_allclose(greys, 10 * np.arange(N), atol=6)


def test_frames_that_are_known_are_left_out_and_the_others_keep_their_numbers(video_path: Path) -> None:
    with VideoFile(video_path) as video:
        frames = list(video.frames(skip=range(15)))
    assert [frame.index for frame in frames] == [15, 16, 17, 18, 19]
    assert frames[0].time_s == pytest.approx(15 / RATE, abs=1e-3)


def test_a_video_cut_short_gives_what_is_readable_and_says_so(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    whole = make_video(tmp_path / "whole.avi").read_bytes()
    cut = tmp_path / "cut.avi"
    cut.write_bytes(whole[: whole.index(b"movi") + (len(whole) - whole.index(b"movi")) // 2])
    with VideoFile(cut) as video:
        n_read = len(list(video.frames()))
        assert 0 < n_read < N
        assert video.missing == N - n_read
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("content", [b"", b"no video at all", None])
def test_what_is_no_video_is_refused_in_one_line(
    tmp_path: Path, content: bytes | None, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "a.mp4"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match=r"a\.mp4: (no such file|not a video)"):
        VideoFile(path)
    assert capfd.readouterr().err == ""


def test_a_video_turned_by_its_container_stands_upright(tmp_path: Path) -> None:
    """The track's matrix in an mp4 is overwritten with a quarter turn, as phones write it."""
    path = make_video(tmp_path / "a.mp4")
    content = bytearray(path.read_bytes())
    at = content.index(b"tkhd") + 4 + 40  # version and flags, times, id, duration, layer, volume: 40 bytes (version 0)
    one, none = (1 << 16).to_bytes(4, "big"), bytes(4)
    minus, last = (-1 << 16).to_bytes(4, "big", signed=True), (1 << 30).to_bytes(4, "big")
    width = (48 << 16).to_bytes(4, "big")
    content[at : at + 36] = none + one + none + minus + none + none + width + none + last
    path.write_bytes(content)
    with VideoFile(path) as video:
        frame = next(video.frames())
    assert frame.pixels.shape == (64, 48, 3)


def test_videos_are_known_by_their_suffix() -> None:
    assert is_video(Path("a.MP4"))
    assert not is_video(Path("a.png"))
