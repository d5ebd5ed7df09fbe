"""Displacements that are read again and again in blocks of frames: held in memory where they fit, else streamed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from synth_affect.arrays import FloatArray, IntArray
from synth_affect.errors import ShapeError

Blocks = Callable[[], Iterable[tuple[IntArray, FloatArray]]]
"""Gives (rows, offsets) pairs, the same in every call; the frames count in the order in which they come."""
Frames = FloatArray | Blocks
"""(n_frames, n_vertices, 3) of any float dtype, mm; or what reads it block by block, such as `gallery.blocks`."""

BLOCK_FRAMES = 256
"""Frames in a block. Fixed, so that sums come out the same whether frames are held or streamed."""


@dataclass(frozen=True, slots=True, eq=False)
class DisplacementBlocks:
    """Frames that were looked through once.

    source : where they come from: (n_frames, n_vertices, 3) float32 when they are held in memory.
    n_frames, n_vertices : their counts.
    vertex_energy : (n_vertices,) float64, mm^2: sum over frames of the squared length.
    deviation_mm : standard deviation of all coordinates of all frames.
    """

    source: Frames
    n_frames: int
    n_vertices: int
    vertex_energy: FloatArray
    deviation_mm: float

    def __iter__(self) -> Iterator[FloatArray]:
        """Blocks (<= BLOCK_FRAMES, 3 n_vertices) float32, contiguous; all but the last are full."""
        return _full_blocks(self.source, self.n_vertices)

    def sample(self, count: int) -> tuple[IntArray, FloatArray]:
        """Places of `count` frames, evenly spread (all, when there are fewer), and (count, 3 n_vertices) float32."""
        count = min(count, self.n_frames)
        rows = np.arange(count) * self.n_frames // count
        if not callable(self.source):
            flat = self.source.reshape(self.n_frames, -1)
            return rows, flat if count == self.n_frames else flat[rows]
        chosen = np.empty((count, 3 * self.n_vertices), dtype=np.float32)
        first = 0
        for block in self:
            low, high = np.searchsorted(rows, [first, first + len(block)])
            chosen[low:high] = block[rows[low:high] - first]
            first += len(block)
        return rows, chosen


def look_through(frames: Frames, n_vertices: int, memory_bytes: int) -> DisplacementBlocks:
    """One pass over `frames`, which checks and measures them, and keeps them as float32 if `memory_bytes` allow.

    An array that is float32 and contiguous already is used as it is, whatever its size.
    Raises ShapeError for another count of vertices, another dtype, and numbers that are not finite.
    """
    total, n_frames = 0.0, 0
    energy = np.zeros(n_vertices)
    if not callable(frames):
        frames = _checked_array(frames, n_vertices, memory_bytes)
    held: list[FloatArray] | None = [] if callable(frames) else None
    for block in _full_blocks(frames, n_vertices):
        squares = np.einsum("fd,fd->d", block, block, dtype=np.float64)
        if not np.isfinite(squares).all():
            raise ShapeError("frames", "finite numbers", "NaN or infinity")
        energy += squares.reshape(n_vertices, 3).sum(axis=1)
        total += float(block.sum(dtype=np.float64))
        n_frames += len(block)
        if held is not None:
            # Twice: the blocks and the array that they become are there together for a moment.
            held.append(block)
            if 2 * n_frames * block.shape[1] * 4 > memory_bytes:
                held = None
    if n_frames == 0:
        raise ShapeError("frames", "at least one", "none")
    if held is not None:
        frames = np.concatenate(held).reshape(n_frames, n_vertices, 3)
    count = 3 * n_vertices * n_frames
    variance = float(energy.sum()) / count - (total / count) ** 2
    return DisplacementBlocks(frames, n_frames, n_vertices, energy, max(variance, 0.0) ** 0.5)


def _checked_array(frames: FloatArray, n_vertices: int, memory_bytes: int) -> FloatArray:
    if frames.ndim != 3 or frames.shape[1:] != (n_vertices, 3):
        raise ShapeError("frames", ("n_frames", n_vertices, 3), frames.shape)
    if frames.dtype.kind != "f":
        raise ShapeError("frames", "floating-point numbers", str(frames.dtype))
    if frames.size * 4 <= memory_bytes:
        return np.ascontiguousarray(frames, dtype=np.float32)
    return frames


def _full_blocks(frames: Frames, n_vertices: int) -> Iterator[FloatArray]:
    """`frames` in contiguous float32 blocks of BLOCK_FRAMES rows, the last with what is left."""
    if not callable(frames):
        for first in range(0, len(frames), BLOCK_FRAMES):
            block = np.ascontiguousarray(frames[first : first + BLOCK_FRAMES], dtype=np.float32)
            yield block.reshape(len(block), -1)
        return
    waiting = np.empty((BLOCK_FRAMES, 3 * n_vertices), dtype=np.float32)
    filled = 0
    for _, offsets in frames():
        if offsets.ndim != 3 or offsets.shape[1:] != (n_vertices, 3):
            raise ShapeError("offsets of a block", ("n_frames", n_vertices, 3), offsets.shape)
        flat = offsets.reshape(len(offsets), -1)
        taken = 0
        while taken < len(flat):
            step = min(BLOCK_FRAMES - filled, len(flat) - taken)
            waiting[filled : filled + step] = flat[taken : taken + step]
            filled, taken = filled + step, taken + step
            if filled == BLOCK_FRAMES:
                yield waiting
                waiting, filled = np.empty_like(waiting), 0
    if filled:
        yield waiting[:filled]
