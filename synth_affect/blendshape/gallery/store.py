"""Galleries on disk, opened and read. How they lie there is `format`'s business, how they grow `writer`'s."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from synth_affect.affect import Emotion
from synth_affect.arrays import FloatArray, IntArray
from synth_affect.blendshape.gallery.format import (
    CHECKSUMS,
    COLUMNS,
    FRAMES_PER_CHUNK,
    OFFSETS,
    SEQUENCES,
    frame_checksum,
    open_group,
    read_array,
    read_column,
    read_lines,
    read_template,
)
from synth_affect.blendshape.gallery.frames import CATEGORIES, NO_CATEGORY, FrameTable
from synth_affect.blendshape.template import Template
from synth_affect.errors import InputError, ShapeError

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
