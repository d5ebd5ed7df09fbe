"""What of a run is done, one line a face, in a file that survives a kill at any moment.

A line is written after the pictures that it tells of lie on the disk under their final names. A torn last line is as
good as none: its face is done again, and gives the same bytes.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO

from synth_affect.errors import InputError
from synth_affect.pipelines.augment.check import Fault, PictureCheck

JOURNAL = "journal.jsonl"


@dataclass(frozen=True, slots=True)
class DonePicture:
    """path : below the output folder, with forward slashes.  valence, arousal : its label, in [-1, 1].
    cell : index in the 10 x 10 grid.  sha256 : of the file, hexadecimal.
    landmarks : 68 points of ibug's markup on the new face, px, as x0, y0, x1, ... rounded to a tenth.
    check : what was read of it; None where nothing was.
    """

    path: str
    valence: float
    arousal: float
    cell: int
    sha256: str
    landmarks: tuple[float, ...]
    check: PictureCheck | None = None


@dataclass(frozen=True, slots=True)
class DroppedPicture:
    """One that was drawn, and that the gate turned down; of a sequence, which is dropped as a whole, the frame.

    number : of the target among those of its face.  fault, detail : see `CheckSettings.fault`.
    """

    number: int
    valence: float
    arousal: float
    fault: Fault
    detail: str
    check: PictureCheck


@dataclass(frozen=True, slots=True)
class DoneFace:
    """What became of one face of the database.

    place : its number among the chosen faces, from 0; outputs are sorted by it.  key : its name in the database.
    reason : why it was left out; empty when it was not.
    width, height : of its picture, px.  measures : of its fit, by name.
    dropped : what the gate turned down.  tile, tile_of : one of these as a small JPEG in base64, and its place among
        them; there is no other copy of it to look at.
    """

    place: int
    key: str
    reason: str
    source_sha256: str
    width: int
    height: int
    measures: dict[str, float]
    pictures: tuple[DonePicture, ...]
    dropped: tuple[DroppedPicture, ...] = ()
    tile: str = ""
    tile_of: int = 0


class Journal:
    """Appends lines, each at once on the disk. Made by `open_journal`."""

    def __init__(self, file: BinaryIO, path: Path) -> None:
        """file : open for appending."""
        self._file, self._path = file, path

    def append(self, face: DoneFace) -> None:
        """Raises InputError when it cannot be written."""
        line = json.dumps(asdict(face), separators=(",", ":"), allow_nan=False)
        try:
            self._file.write(line.encode() + b"\n")
            self._file.flush()
            os.fsync(self._file.fileno())
        except OSError as error:
            raise InputError(self._path, f"cannot be written ({error.strerror or error})") from error


@contextmanager
def open_journal(folder: Path) -> Iterator[Journal]:
    """The journal of `folder`, without the torn end that a kill may have left. While it is open, no other run has it.

    Raises InputError.
    """
    path = folder / JOURNAL
    try:
        with path.open("ab") as file:
            _lock(file, folder)
            file.truncate(_whole_bytes(path))
            yield Journal(file, path)
    except OSError as error:
        raise InputError(path, f"cannot be written ({error.strerror or error})") from error


class JournalReader:
    """The whole lines of a journal, found by the place of their face; faces are read when they are asked for, because
    all of a large run do not fit into memory. Made by `read_journal`.
    """

    def __init__(self, file: BinaryIO | None, path: Path) -> None:
        """file : open for reading; None where there is none yet.  Raises InputError for one that no run has written."""
        self._file, self._path = file, path
        self._offsets: dict[int, int] = {}
        self.keys: dict[int, str] = {}
        """Of the faces that are done, by place."""
        if file is None:
            return
        offset = 0
        for number, line in enumerate(file, start=1):
            if line.endswith(b"\n"):
                face = _face(line, path, number)
                self._offsets[face.place], self.keys[face.place] = offset, face.key
            offset += len(line)

    def __getitem__(self, place: int) -> DoneFace:
        """Raises KeyError when the face is not done."""
        offset = self._offsets[place]
        assert self._file is not None
        self._file.seek(offset)
        return _face(self._file.readline(), self._path, 0)

    def __len__(self) -> int:
        return len(self._offsets)


@contextmanager
def read_journal(folder: Path) -> Iterator[JournalReader]:
    """What is done in `folder`. Raises InputError when its journal cannot be read, or is none."""
    path = folder / JOURNAL
    try:
        if not path.exists():
            yield JournalReader(None, path)
            return
        with path.open("rb") as file:
            yield JournalReader(file, path)
    except OSError as error:
        raise InputError(path, f"cannot be read ({error.strerror or error})") from error


def _lock(file: BinaryIO, folder: Path) -> None:
    """Until the file is closed, which the system sees to when a process is killed."""
    try:
        import fcntl
    except ImportError:  # Windows
        return
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise InputError(folder, "another run is writing there") from None
    except OSError:  # a file system without locks
        return


def _face(line: bytes, path: Path, number: int) -> DoneFace:
    try:
        values: dict[str, Any] = json.loads(line)
        pictures = tuple(
            DonePicture(**{**one, "landmarks": tuple(one["landmarks"]), "check": _check(one["check"])})
            for one in values.pop("pictures")
        )
        dropped = tuple(DroppedPicture(**{**one, "check": _check(one["check"])}) for one in values.pop("dropped"))
        return DoneFace(**values, pictures=pictures, dropped=dropped)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise InputError(path, f"line {number} is not of a journal ({error})") from None


def _check(values: dict[str, Any] | None) -> PictureCheck | None:
    if values is None:
        return None
    affect = tuple((valence, arousal) for valence, arousal in values["affect"])
    return PictureCheck(**{**values, "affect": affect, "likeness": tuple(values["likeness"])})


def _whole_bytes(path: Path) -> int:
    """How much of the file is whole lines."""
    if not path.exists():
        return 0
    size = path.stat().st_size
    with path.open("rb") as file:
        end = size
        while end > 0:
            start = max(end - _BLOCK, 0)
            file.seek(start)
            newline = file.read(end - start).rfind(b"\n")
            if newline >= 0:
                return start + newline + 1
            end = start
    return 0


_BLOCK = 1 << 16
