"""Videos written: H.264 in MP4, with the sound of another video where wanted; and animated GIF."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image

from synth_affect.arrays import ImageArray, readonly
from synth_affect.data.atomic import atomic_write
from synth_affect.errors import InputError
from synth_affect.optional import import_optional

CLOCK = 90_000
"""Ticks a second of the pictures' times."""
CONSTANT_RATE_FACTOR = 16
"""Of x264: visually lossless on faces; its own default is 23."""
COPIED_SOUND = frozenset({"aac", "mp3", "ac3", "eac3", "alac", "opus", "flac"})
"""Codecs that MP4 holds as they are; others become AAC."""
GIF_STEP_S = 0.01
GIF_COLOURS = 256
KEPT_KEYS = 6
"""Frames from which the colours of a GIF are chosen: the latest that brought new ones."""
WORST_SHARE, TOLERATED_LEVELS = 1e-3, 8.0
"""A frame brings new colours where so much of it lies so much further from those that there are than the frames from
which they were chosen.
"""


def write_mp4(
    path: Path, frames: Iterable[tuple[float, ImageArray]], *, about: str, sound_of: Path | None = None
) -> int:
    """Write `frames`, pairs of a time in seconds, rising from 0 or later, and (height, width, 3) uint8 RGB.

    about : put into the file's metadata as its comment.  sound_of : a video whose first sound track is taken over,
    as it is where MP4 allows.  Sides of an odd length gain a copy of their last row or column.
    Returns the number of frames. Raises InputError when it cannot be written, or there are no frames.
    """
    av = import_optional("av", "video")
    count = 0
    with ExitStack() as opened:
        file = opened.enter_context(atomic_write(path))
        try:
            fast = {"movflags": "+faststart"}  # its table stands in front, so that it plays while it loads
            output = opened.enter_context(av.open(file, "w", format="mp4", container_options=fast))
            output.metadata["comment"] = about
            stream = None
            sound = _Sound(av, output, sound_of, opened) if sound_of is not None else None
            for time_s, pixels in frames:
                even = _even(pixels)
                if stream is None:
                    stream = _picture_stream(output, even)
                # FFmpeg's own conversion rounds by where in memory the pixels lie, so the bytes would not be the same.
                planes = cv2.cvtColor(even, cv2.COLOR_RGB2YUV_I420)
                frame = av.VideoFrame.from_ndarray(planes, format="yuv420p")
                frame.pts, frame.time_base = round(time_s * CLOCK), Fraction(1, CLOCK)
                output.mux(stream.encode(frame))
                count += 1
            if stream is None:
                raise InputError(path, "cannot be written, there are no frames")
            output.mux(stream.encode(None))
            if sound is not None:
                sound.write()
        except av.FFmpegError as error:
            raise InputError(path, f"cannot be written ({error.strerror or error})") from error
    return count


def _picture_stream(output: Any, pixels: ImageArray) -> Any:
    stream = output.add_stream("libx264", options={"crf": str(CONSTANT_RATE_FACTOR), "preset": "medium"})
    stream.height, stream.width = pixels.shape[:2]
    stream.pix_fmt = "yuv420p"  # what every player plays
    stream.time_base = stream.codec_context.time_base = Fraction(1, CLOCK)
    return stream


class _Sound:
    """The first sound track of a video, on its way into another."""

    def __init__(self, av: Any, output: Any, path: Path, opened: ExitStack) -> None:
        self._output, self._source, self._track = output, None, None
        source = opened.enter_context(av.open(str(path)))
        if not source.streams.audio:
            return
        self._source, self._track = source, source.streams.audio[0]
        self._copied = self._track.codec_context.name in COPIED_SOUND
        if self._copied:
            self._stream = output.add_stream_from_template(self._track)
        else:
            # A file may count its channels without saying where they stand.
            layout = "mono" if self._track.layout.nb_channels == 1 else "stereo"
            self._stream = output.add_stream("aac", rate=self._track.rate, layout=layout)
            self._resampler = av.AudioResampler("fltp", layout, self._track.rate)

    def write(self) -> None:
        if self._source is None:
            return
        if self._copied:
            for packet in self._source.demux(self._track):
                if packet.dts is not None:
                    packet.stream = self._stream
                    self._output.mux(packet)
            return
        for frame in self._source.decode(self._track):
            for part in self._resampler.resample(frame):
                self._output.mux(self._stream.encode(part))
        self._output.mux(self._stream.encode(None))


def _even(pixels: ImageArray) -> ImageArray:
    """Both sides of an even length, which the format asks for."""
    height, width = pixels.shape[:2]
    even = np.pad(pixels, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
    return readonly(even, "pixels", ("height", "width", 3), np.uint8)


def write_gif(path: Path, frames: Iterable[ImageArray], rate: float, *, about: str) -> int:
    """Write (height, width, 3) uint8 RGB frames as a GIF that runs for ever.

    The frames share their colours, so that what stands still does not flicker; a frame that brings new ones has them.
    rate : frames a second; the format knows hundredths of a second only, and players nothing above 50.
    about : put into the file as its comment.  Returns the number of frames. Raises InputError as `write_mp4`.
    """
    colours = _GifColours()
    pictures = [colours.reduce(frame) for frame in frames]
    if not pictures:
        raise InputError(path, "cannot be written, there are no frames")
    step_ms = 1000 * max(round(1 / rate / GIF_STEP_S), 2) * GIF_STEP_S
    with atomic_write(path) as file:
        pictures[0].save(
            file,
            format="GIF",
            save_all=True,
            append_images=pictures[1:],
            duration=step_ms,
            loop=0,
            comment=about.encode(),
        )
    return len(pictures)


class _GifColours:
    """The colours of one frame after the other, chosen anew only where a frame needs others.

    An octree keeps small parts of a rare colour, such as lips, which a median cut gives to the skin round them.
    """

    def __init__(self) -> None:
        self._keys: list[ImageArray] = []
        self._palette: Image.Image | None = None
        self._own = 0.0

    def reduce(self, frame: ImageArray) -> Image.Image:
        """The frame with GIF_COLOURS colours."""
        part: ImageArray = frame[::2, ::2].copy()
        if self._palette is None or _worst_error(part, self._palette) > self._own + TOLERATED_LEVELS:
            self._keys = [*self._keys[1 - KEPT_KEYS :], part]
            self._palette = Image.fromarray(np.concatenate(self._keys)).quantize(
                GIF_COLOURS, method=Image.Quantize.FASTOCTREE
            )
            self._own = max(_worst_error(key, self._palette) for key in self._keys)
        return Image.fromarray(frame).quantize(palette=self._palette, dither=Image.Dither.FLOYDSTEINBERG)


def _worst_error(pixels: ImageArray, palette: Image.Image) -> float:
    """How far the nearest colour of `palette` lies from the WORST_SHARE of pixels that are furthest, grey levels."""
    nearest = Image.fromarray(pixels).quantize(palette=palette, dither=Image.Dither.NONE).convert("RGB")
    furthest = np.abs(pixels.astype(np.int16) - np.asarray(nearest)).max(axis=2)
    return float(np.quantile(furthest, 1 - WORST_SHARE))
