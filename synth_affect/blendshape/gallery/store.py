"""Galleries on disk: created, extended, opened, read. How they lie there is `format`'s business."""

from __future__ import annotations

import errno
import json
import secrets
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

import numpy as np

from synth_affect.affect import Emotion
from synth_affect.arrays import FloatArray, IntArray
from synth_affect.blendshape.gallery.format import (
    CHECKSUMS,
    COLUMNS,
    FRAMES_PER_CHUNK,
    OFFSETS,
    SEQUENCES,
    TEMPORARY,
    Manifest,
    column_checksum,
    create_group,
    frame_checksum,
    open_group,
    read_array,
    read_column,
    read_lines,
    read_template,
    remove_temporaries,
    synchronise_folders,
    why_unwritten,
    write_manifest,
)
from synth_affect.blendshape.gallery.frames import CATEGORIES, NO_CATEGORY, FrameTable, GallerySequence
from synth_affect.blendshape.template import Template
from synth_affect.errors import InputError, ShapeError

SequenceKey = tuple[str, str, str]
"""Subject, session, sequence."""
LOCK = ".lock"
SPAN_BYTES = 16 << 20
"""Decoded at a time by `Gallery.read`."""


@dataclass(frozen=True, slots=True, eq=False)
class Gallery:
    """An open gallery: what is known of its frames, and a handle to their displacements, which stay on disk.

    What was committed when it was opened; later appends are not seen.
    template : displacements are per vertex of its mesh.  checksums : (n_frames,) uint32, verified by every reading.
    format_version : of the files.
    """

    path: Path
    template: Template
    frames: FrameTable
    checksums: IntArray
    offsets: Any
    format_version: int

    @property
    def topology(self) -> str:
        """Id of the template's triangles."""
        return self.template.topology

    @property
    def n_vertices(self) -> int:
        """Of the template."""
        return len(self.template.mesh.vertices)

    def read(self, rows: IntArray | Sequence[int]) -> FloatArray:
        """(n, n_vertices, 3) float32, mm: the displacements of `rows`, (n,) indices in any order.

        Raises ShapeError when there is no such row, InputError when a frame is damaged.
        """
        wanted = self._checked(rows)
        order = np.argsort(wanted, kind="stable")
        result = np.empty((len(wanted), self.n_vertices, 3), dtype=np.float32)
        self._gather(wanted[order], result, order, SPAN_BYTES)
        return result

    def blocks(
        self, rows: IntArray | Sequence[int] | None = None, *, memory_mib: int = 256
    ) -> Iterator[tuple[IntArray, FloatArray]]:
        """Streams `rows` (all where None), each once, in the order in which they lie on disk.

        memory_mib : what a block, the one before it, and the reading may take together; less than about 8 helps no
            more, since a chunk is decoded whole and a block has at least one frame.
        Yields the block's rows, (n,) increasing, and their displacements, (n, n_vertices, 3) float16, mm. A block is
        a new array: keeping many keeps their memory.
        Raises ShapeError when there is no such row, InputError when a frame is damaged.
        """
        wanted = np.arange(len(self.frames)) if rows is None else np.unique(self._checked(rows))
        # Half for two blocks, because a loop holds the last while it asks for the next; the rest for a span, which
        # zarr holds encoded, decoded, and put together.
        n_block = max(1, (memory_mib << 18) // self._frame_bytes)
        start = 0
        while start < len(wanted):
            stop = min(start + n_block, len(wanted))
            if stop < len(wanted):  # back to where a chunk begins, so that none is decoded twice
                chunk_start = wanted[stop] // FRAMES_PER_CHUNK * FRAMES_PER_CHUNK
                whole = int(np.searchsorted(wanted, chunk_start))
                stop = whole if whole > start else stop
            part = wanted[start:stop]
            block = np.empty((len(part), self.n_vertices, 3), dtype=np.float16)
            self._gather(part, block, np.arange(len(part)), memory_mib << 16)
            yield part, block
            del block
            start = stop

    @property
    def _frame_bytes(self) -> int:
        return self.n_vertices * 3 * 2

    def _checked(self, rows: IntArray | Sequence[int]) -> IntArray:
        wanted = np.asarray(rows)
        if wanted.size == 0:
            return np.zeros(0, dtype=np.int64)
        if wanted.ndim != 1 or wanted.dtype.kind not in "iu":
            raise ShapeError("rows", "indices, (n,) integers", f"{wanted.dtype} of shape {wanted.shape}")
        if wanted.min() < 0 or wanted.max() >= len(self.frames):
            raise ShapeError("rows", f"indices of {len(self.frames)} frames", f"{wanted.min()} .. {wanted.max()}")
        return wanted.astype(np.int64)

    def _gather(self, rows: IntArray, result: FloatArray, places: IntArray, span_bytes: int) -> None:
        """Write frame `rows[k]` to `result[places[k]]`; rows do not decrease. Decodes a span at a time."""
        max_span = max(1, span_bytes // (self._frame_bytes * FRAMES_PER_CHUNK)) * FRAMES_PER_CHUNK
        for start, stop in _spans(rows, max_span):
            first = int(rows[start])
            try:
                decoded = read_array(self.offsets, first, int(rows[stop - 1]) + 1)
            except ValueError as error:
                raise InputError(self.path, f"near frame {first}: {error}") from error
            picked = rows[start:stop] - first
            for row, offset in zip(rows[start:stop].tolist(), picked.tolist(), strict=True):
                if frame_checksum(decoded[offset]) != self.checksums[row]:
                    raise InputError(self.path, f"frame {row} is damaged; synth-affect gallery check lists all damage")
            result[places[start:stop]] = decoded[picked]
            del decoded


def _spans(rows: IntArray, max_span: int) -> Iterator[tuple[int, int]]:
    """Cuts `rows` where chunks between neighbours need not be read, or more than `max_span` frames would be."""
    chunk = rows // FRAMES_PER_CHUNK
    start = 0
    while start < len(rows):
        within = int(np.searchsorted(chunk, chunk[start] + max(1, max_span // FRAMES_PER_CHUNK)))
        gaps = np.flatnonzero(np.diff(chunk[start:within]) > 1)
        stop = start + int(gaps[0]) + 1 if len(gaps) else within
        yield start, stop
        start = stop


def open_gallery(path: Path) -> Gallery:
    """The gallery at `path`. Reads what is known of its frames, no displacement.

    Raises InputError when it is no gallery, of a newer format, or damaged there.
    """
    group, manifest = open_group(path)
    part = "its template"
    try:
        template = read_template(group, manifest)
        columns = {}
        for name in COLUMNS:
            part = f"its column {name}"
            columns[name] = read_column(group, manifest, name)
        part = "its list of sequences"
        table = frame_table(columns, read_lines(read_column(group, manifest, SEQUENCES)))
        return Gallery(path, template, table, columns[CHECKSUMS], group[OFFSETS], manifest.version)
    except (KeyError, IndexError, ValueError) as error:
        raise InputError(path, f"{part} is damaged ({error})") from error


def frame_table(columns: dict[str, np.ndarray[Any, Any]], lines: list[dict[str, Any]]) -> FrameTable:
    """The table of frames, from the stored columns and the recordings that they number.

    Raises KeyError, IndexError or ValueError when they do not fit together.
    """
    number = columns["sequence"]
    if len(number) and (number.min() < 0 or number.max() >= len(lines)):
        raise ValueError("a frame of a sequence that is not listed")
    subjects, subject = _codes([line["subject"] for line in lines])
    sessions, session = _codes([line["session"] for line in lines])
    categories = [NO_CATEGORY if c is None else CATEGORIES.index(Emotion(c)) for c in (x["category"] for x in lines)]
    return FrameTable(
        subject_names=subjects,
        session_names=sessions,
        sequence_names=tuple(line["sequence"] for line in lines),
        subject=subject[number],
        session=session[number],
        sequence=number,
        frame=columns["frame"],
        valence=columns["valence"],
        arousal=columns["arousal"],
        posed=np.array([line["posed"] for line in lines], dtype=np.bool_)[number],
        apex=columns["apex"],
        category=np.array(categories, dtype=np.int8)[number],
    )


def _codes(names: list[str]) -> tuple[tuple[str, ...], IntArray]:
    """The different names in order of appearance, and for each its index among them."""
    distinct = {name: None for name in names}
    code = {name: k for k, name in enumerate(distinct)}
    return tuple(distinct), np.array([code[name] for name in names], dtype=np.int32)


def create_gallery(path: Path, template: Template) -> None:
    """An empty gallery of displacements of `template`, whole under its name or not there.

    Raises InputError when there is something at `path` already, or it cannot be written.
    """
    try:
        if not _is_vacant(path):
            raise InputError(path, "is there already, and not empty")
        target = path.resolve()
        if not target.parent.is_dir():
            raise InputError(path, f"the folder {target.parent} does not exist")
        temporary = target.with_name(f".{secrets.token_hex(8)}{TEMPORARY}")
        try:
            create_group(temporary, template)
            if target.is_dir():
                target.rmdir()
            temporary.rename(target)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
    except (OSError, RuntimeError, ValueError) as error:  # the last two: a ring of links, a null character
        raise InputError(path, f"cannot be written ({getattr(error, 'strerror', None) or error})") from error


def ensure_gallery(path: Path, template: Template) -> None:
    """Make an empty gallery at `path`, or see that the one there is of `template`.

    Raises InputError when it is of another mesh, or something else than a gallery.
    """
    if _is_vacant(path):
        create_gallery(path, template)
        return
    group, manifest = open_group(path)
    if manifest.topology != template.topology:
        raise InputError(
            path,
            f"holds displacements of the template {manifest.template} ({manifest.topology}), "
            f"not of {template.name} ({template.topology})",
        )
    try:
        vertices = read_template(group, manifest).mesh.vertices
    except (KeyError, ValueError) as error:
        raise InputError(path, f"its template is damaged ({error})") from error
    if not np.array_equal(vertices, template.mesh.vertices):
        raise InputError(path, f"its template has the triangles of {template.name}, but other vertices")


def _is_vacant(path: Path) -> bool:
    """Whether a gallery can be made there: nothing is, or an empty folder."""
    try:
        return not path.exists() or (path.is_dir() and not any(path.iterdir()))
    except OSError as error:
        raise InputError(path, f"cannot be written ({error.strerror or error})") from error


def append_sequences(path: Path, sequences: Iterable[GallerySequence]) -> None:
    """Append to the gallery at `path`, as `GalleryWriter.append_all` does; what was there before stands.

    Raises InputError as `GalleryWriter` does.
    """
    with GalleryWriter(path) as writer:
        writer.append_all(sequences)


class GalleryWriter:
    """The one writer of a gallery, as a context manager. An `append` that returned is on disk for good.

    When an append fails (full disk, Ctrl-C, kill), the gallery is as before it, and the next one just works.
    Raises InputError when `path` is no gallery, or another process writes to it.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        open_group(path)  # so that nothing but a gallery gets a lock
        self._lock = _lock(path)
        try:
            remove_temporaries(path)
            self._group, self._manifest = open_group(path, writable=True)
            self._arrays = {name: self._group[name] for name in (OFFSETS, SEQUENCES, *COLUMNS)}
            lines = read_lines(read_column(self._group, self._manifest, SEQUENCES))
            self._keys = {(line["subject"], line["session"], line["sequence"]) for line in lines}
            self._n_vertices = self._arrays[OFFSETS].shape[1]
        except (KeyError, ValueError) as error:
            self.close()
            raise InputError(path, f"its list of sequences is damaged ({error})") from error
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Let others write."""
        self._lock.close()

    def __len__(self) -> int:
        """Frames that are committed."""
        return self._manifest.n_frames

    def __contains__(self, key: SequenceKey) -> bool:
        """Whether the gallery has the recording (subject, session, sequence)."""
        return key in self._keys

    def append(self, *sequences: GallerySequence) -> None:
        """Append the sequences together: all of them are committed, or none. Give short ones many at a time.

        Raises InputError when a recording is there already or has another number of vertices, or the disk is full.
        """
        keys = [(s.subject, s.session, s.sequence) for s in sequences]
        for k, (key, sequence) in enumerate(zip(keys, sequences, strict=True)):
            name = "/".join(key)
            if key in self._keys or key in keys[:k]:
                raise InputError(self._path, f"{name} is in it already")
            if sequence.offsets.shape[1] != self._n_vertices:
                raise InputError(
                    self._path,
                    f"its template has {self._n_vertices} vertices, the frames of {name} {sequence.offsets.shape[1]}",
                )
        if not sequences:
            return
        try:
            manifest = self._write(sequences)
            synchronise_folders(self._path)
            write_manifest(self._group, manifest)
        except OSError as error:
            raise InputError(self._path, why_unwritten(error)) from error
        self._manifest = manifest
        self._keys.update(keys)

    def append_all(self, sequences: Iterable[GallerySequence]) -> None:
        """Append what comes, many short ones at a time: what waits is less than two chunks.

        When taking the next one fails, those that came before are appended before the error goes on.
        Raises InputError as `append` does.
        """
        waiting: list[GallerySequence] = []
        try:
            for sequence in sequences:
                waiting.append(sequence)
                if sum(len(s.frame) for s in waiting) >= 2 * FRAMES_PER_CHUNK:
                    ready, waiting = waiting, []
                    self.append(*ready)
        finally:
            self.append(*waiting)

    def _write(self, sequences: Sequence[GallerySequence]) -> Manifest:
        """Write what follows the committed part; returns what holds once that is said."""
        before = self._manifest
        values = _columns(sequences, len(self._keys))
        n_new = len(values["frame"])
        starts = dict.fromkeys([OFFSETS, *COLUMNS], before.n_frames) | {SEQUENCES: before.n_line_bytes}

        def write(name: str) -> None:
            array, start = self._arrays[name], starts[name]
            new = [s.offsets for s in sequences] if name == OFFSETS else [values[name]]
            array.resize((start + sum(len(part) for part in new), *array.shape[1:]))
            for part in new:
                array[start : start + len(part)] = part
                start += len(part)

        with ThreadPoolExecutor(len(starts)) as pool:  # they wait for the disk, and can do so together
            for done in [pool.submit(write, name) for name in starts]:
                done.result()
        return replace(
            before,
            n_frames=before.n_frames + n_new,
            n_line_bytes=before.n_line_bytes + len(values[SEQUENCES]),
            crc32={name: column_checksum(values[name], before.crc32[name]) for name in before.crc32},
        )


def _columns(sequences: Sequence[GallerySequence], first_number: int) -> dict[str, np.ndarray[Any, Any]]:
    lengths = [len(s.frame) for s in sequences]

    def joined(value: Callable[[GallerySequence], Any]) -> Any:
        return np.concatenate([value(s) for s in sequences])

    lines = [
        json.dumps(
            {
                "subject": s.subject,
                "session": s.session,
                "sequence": s.sequence,
                "posed": bool(s.posed),
                "category": None if s.category is None else str(s.category),
            }
        )
        for s in sequences
    ]
    return {
        "sequence": np.repeat(np.arange(first_number, first_number + len(sequences), dtype=np.int32), lengths),
        "frame": joined(lambda s: s.frame),
        "valence": joined(lambda s: s.valence),
        "arousal": joined(lambda s: s.arousal),
        "apex": joined(lambda s: s.apex),
        CHECKSUMS: np.array([frame_checksum(frame) for s in sequences for frame in s.offsets], dtype=np.uint32),
        SEQUENCES: np.frombuffer("".join(line + "\n" for line in lines).encode(), dtype=np.uint8),
    }


def _lock(path: Path) -> IO[bytes]:
    """The open lock file; the system lets go of it when it is closed or its process ends, however that does.

    It lies in an array's folder, where zarr does not take it for a part of the hierarchy.
    """
    try:
        file = (path / OFFSETS / LOCK).open("ab")
    except OSError as error:
        raise InputError(path, f"cannot be written ({error.strerror or error})") from error
    try:
        _lock_file(file)
    except OSError as error:
        file.close()
        if error.errno in (errno.EACCES, errno.EAGAIN):
            raise InputError(path, "another process is writing to it") from None
        raise InputError(path, f"cannot be locked ({error.strerror or error})") from error
    return file


def _lock_file(file: IO[bytes]) -> None:
    """Raises OSError at once when the file is locked by another opening of it."""
    if sys.platform == "win32":
        import msvcrt

        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
