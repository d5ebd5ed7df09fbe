"""Frames of a video file, one after the other, upright, with the times that the container gives them."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import cv2
import numpy as np

from synth_affect.arrays import ImageArray, readonly
from synth_affect.errors import InputError
from synth_affect.fitting.native_log import native_log_silenced

VIDEO_SUFFIXES = (".mp4", ".m4v", ".mov", ".avi", ".mkv", ".webm", ".mpg", ".mpeg", ".wmv")


@dataclass(frozen=True, slots=True, eq=False)
class VideoFrame:
    """index : from 0.  time_s : seconds from the video's beginning.  pixels : (height, width, 3) uint8 RGB, upright."""

    index: int
    time_s: float
    pixels: ImageArray

    def __post_init__(self) -> None:
        object.__setattr__(self, "pixels", readonly(self.pixels, "pixels", ("height", "width", 3), np.uint8))


class VideoFile:
    """A video, read once from its beginning. A context manager.

    announced : how many frames the container says it has; 0 where it says nothing.
    n_read : frames that were read so far.
    Raises InputError when the file is none that OpenCV's FFmpeg can open.
    """

    def __init__(self, path: Path) -> None:
        if not path.is_file():
            raise InputError(path, "no such file" if not path.exists() else "not a regular file")
        self._path = path
        with native_log_silenced():
            # A rotation that the container asks for is applied; that is OpenCV's default.
            self._capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
            opened = self._capture.isOpened()
        if not opened:
            raise InputError(path, "not a video that can be opened (damaged, cut short, or of an unknown format)")
        self.announced = max(int(self._capture.get(cv2.CAP_PROP_FRAME_COUNT)), 0)
        self.n_read = 0
        self._last_s = -1.0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._capture.release()

    def frames(self, skip: Collection[int] = ()) -> Iterator[VideoFrame]:
        """What can be read, without the frames in `skip`. Times rise, whatever a broken container says.

        Raises InputError when nothing can be read.
        """
        while True:
            with native_log_silenced():
                more = self._capture.grab()
            if not more:
                break
            time_s = self._time_s()
            index, self.n_read = self.n_read, self.n_read + 1
            if index in skip:
                continue
            with native_log_silenced():
                readable, pixels = self._capture.retrieve()
            if readable:
                yield VideoFrame(index, time_s, cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB))
        if not self.n_read:
            raise InputError(self._path, "a video of which no frame can be read")

    @property
    def missing(self) -> int:
        """Frames that the container announces and that could not be read; after the last frame."""
        return max(self.announced - self.n_read, 0)

    def _time_s(self) -> float:
        time_s = float(self._capture.get(cv2.CAP_PROP_POS_MSEC)) / 1000.0
        if time_s <= self._last_s:
            rate = float(self._capture.get(cv2.CAP_PROP_FPS))
            time_s = self._last_s + 1.0 / (rate if 1.0 <= rate <= 1000.0 else 25.0)
        self._last_s = time_s
        return time_s


def is_video(path: Path) -> bool:
    """By its suffix."""
    return path.suffix.lower() in VIDEO_SUFFIXES
