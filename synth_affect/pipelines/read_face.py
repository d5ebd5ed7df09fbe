"""The picture of a record of a database: a file of its own, or a frame of a video."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from synth_affect.data.faces.record import FaceRecord
from synth_affect.data.faces.videos import count_frames
from synth_affect.data.picture import Picture
from synth_affect.data.pictures import read_picture
from synth_affect.data.provenance import sha256_file
from synth_affect.data.video_frames import VideoFile
from synth_affect.errors import InputError


@dataclass(frozen=True, slots=True, eq=False)
class FacePicture:
    """sha256 : of the file that it comes from, hexadecimal."""

    picture: Picture
    sha256: str


class FacePictures:
    """Reads pictures of records; goes on in the video of the last one, so frames in their order cost the least.

    A context manager.
    """

    def __init__(self) -> None:
        self._video: VideoFile | None = None
        self._path, self._sha256 = Path(), ""

    def __enter__(self) -> FacePictures:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the video."""
        if self._video is not None:
            self._video.__exit__(None, None, None)
            self._video = None

    def read(self, record: FaceRecord) -> FacePicture:
        """Raises InputError when it cannot be read."""
        if record.frame is None:
            return FacePicture(read_picture(record.path), sha256_file(record.path))
        return self._frame(record.path, record.frame)

    def _frame(self, path: Path, index: int) -> FacePicture:
        if self._video is None or self._path != path or self._video.n_read > index:
            self.close()
            count_frames(path)  # nothing but a video is opened: a playlist would name any file of this machine
            self._video = VideoFile(path)
            self._path, self._sha256 = path, sha256_file(path)
        frame = next(self._video.frames(skip=range(index)), None)
        if frame is None or frame.index != index:
            raise InputError(path, f"frame {index} cannot be read")
        return FacePicture(Picture(frame.pixels, None, None, None, "PNG", path), self._sha256)
