"""Videos that are written can be read back: frames, times, sound, and what they say of themselves."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageSequence

from synth_affect.arrays import ImageArray
from synth_affect.data.video_frames import VideoFile
from synth_affect.data.video_writing import write_gif, write_mp4
from synth_affect.errors import InputError

av = pytest.importorskip("av")


def frames(count: int, height: int = 64, width: int = 48) -> list[ImageArray]:
    """A bright square that moves over a ramp."""
    ramp = np.repeat(np.linspace(40, 160, width, dtype=np.uint8)[None], height, axis=0)
    pictures: list[ImageArray] = []
    for k in range(count):
        picture = np.repeat(ramp[..., None], 3, axis=2).copy()
        picture[10:26, 2 * k : 2 * k + 16] = 230
        pictures.append(picture)
    return pictures


@pytest.mark.parametrize(("height", "width"), [(64, 48), (63, 47)])
def test_frames_and_times_come_back(tmp_path: Path, height: int, width: int) -> None:
    path = tmp_path / "a.mp4"
    written = frames(8, height, width)
    times = [0.0, 0.04, 0.08, 0.2, 0.24, 0.28, 0.32, 0.36]
    assert write_mp4(path, zip(times, written, strict=True), about="synthetic") == 8
    with VideoFile(path) as video:
        read = list(video.frames())
    assert [frame.time_s for frame in read] == pytest.approx(times, abs=1e-3)
    for frame, picture in zip(read, written, strict=True):
        assert frame.pixels.shape == (height + height % 2, width + width % 2, 3)
        assert np.abs(frame.pixels[:height, :width].astype(int) - picture).mean() < 3
    with av.open(str(path)) as container:
        assert container.metadata["comment"] == "synthetic"


@pytest.mark.parametrize("codec", ["aac", "pcm_s16le"])
def test_the_sound_is_kept(tmp_path: Path, codec: str) -> None:
    source = tmp_path / ("source.mp4" if codec == "aac" else "source.avi")
    tone = (0.3 * np.sin(2 * np.pi * 440 * np.arange(24_000) / 48_000)).astype(np.float32)
    with av.open(str(source), "w") as container:
        stream = container.add_stream(codec, rate=48_000, layout="mono")
        samples = tone[None] if codec == "aac" else (32767 * tone[None]).astype(np.int16)
        for start in range(0, samples.shape[1] - 1023, 1024):
            part = np.ascontiguousarray(samples[:, start : start + 1024])
            frame = av.AudioFrame.from_ndarray(part, format="fltp" if codec == "aac" else "s16", layout="mono")
            frame.sample_rate, frame.pts, frame.time_base = 48_000, start, Fraction(1, 48_000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    path = tmp_path / "a.mp4"
    write_mp4(path, ((k / 20, frame) for k, frame in enumerate(frames(10))), about="", sound_of=source)
    with av.open(str(path)) as container:
        heard = np.concatenate([frame.to_ndarray()[0] for frame in container.decode(audio=0)])
    with av.open(str(source)) as container:
        said = np.concatenate([frame.to_ndarray()[0] for frame in container.decode(audio=0)]).astype(np.float64)
    said /= 1 if codec == "aac" else 32767
    middle = heard[8_000:16_000]
    assert np.std(middle) == pytest.approx(np.std(said[8_000:16_000]), rel=0.05)
    assert np.argmax(np.abs(np.fft.rfft(middle))) * 48_000 / len(middle) == pytest.approx(440, abs=6)


def test_a_silent_source_gives_a_silent_video(tmp_path: Path) -> None:
    write_mp4(tmp_path / "a.mp4", enumerate(frames(3)), about="")
    write_mp4(tmp_path / "b.mp4", enumerate(frames(3)), about="", sound_of=tmp_path / "a.mp4")
    with av.open(str(tmp_path / "b.mp4")) as container:
        assert not container.streams.audio


def test_nothing_is_left_of_a_video_that_fails(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no frames"):
        write_mp4(tmp_path / "a.mp4", [], about="")

    def broken() -> object:
        yield 0.0, frames(1)[0]
        raise InputError("frame 1", "cannot be read")

    with pytest.raises(InputError, match="frame 1"):
        write_mp4(tmp_path / "a.mp4", broken(), about="")  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []


def test_a_gif_runs_for_ever_at_its_rate(tmp_path: Path) -> None:
    path = tmp_path / "a.gif"
    assert write_gif(path, frames(5), 20.0, about="synthetic " * 40) == 5
    with Image.open(path) as gif:
        assert (len(list(ImageSequence.Iterator(gif))), gif.info["loop"], gif.info["duration"]) == (5, 0, 50)
        assert gif.info["comment"] == b"synthetic " * 40, "in several blocks of the file"
        gif.seek(4)
        assert np.abs(np.asarray(gif.convert("RGB")).astype(int) - frames(5)[4]).mean() < 6
    with pytest.raises(InputError, match="no frames"):
        write_gif(tmp_path / "b.gif", [], 20.0, about="")


def test_what_stands_still_in_a_gif_does_not_flicker(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    still = rng.integers(0, 256, (64, 96, 3), dtype=np.uint8)
    pictures = [still.copy() for _ in range(6)]
    for k, picture in enumerate(pictures):
        picture[-8:, 10 * k : 10 * k + 8] = 255  # below it: an error is handed on to the pixels that follow
    write_gif(tmp_path / "a.gif", pictures, 20.0, about="")
    read = gif_frames(tmp_path / "a.gif")
    assert all(np.array_equal(frame[:-9], read[0][:-9]) for frame in read)


def test_a_gif_has_the_colours_that_come_late(tmp_path: Path) -> None:
    pictures = frames(9, 120, 90)
    late = ((5, (200, 30, 60)), (7, (20, 90, 230)))
    for first, colour in late:
        for picture in pictures[first:]:
            picture[8 * first : 8 * first + 4, 70:76] = colour  # 24 pixels: lips, or an iris
    write_gif(tmp_path / "a.gif", pictures, 20.0, about="")
    read = gif_frames(tmp_path / "a.gif")
    for first, colour in late:
        for frame in read[first:]:
            seen = frame[8 * first : 8 * first + 4, 70:76].reshape(-1, 3).mean(axis=0)
            assert np.abs(seen - colour).max() < 12
    assert np.abs(read[0].astype(int) - pictures[0]).mean() < 6


def gif_frames(path: Path) -> list[ImageArray]:
    with Image.open(path) as gif:
        return [np.asarray(frame.convert("RGB")) for frame in ImageSequence.Iterator(gif)]
