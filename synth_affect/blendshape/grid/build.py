"""The valence-arousal grid of a gallery, read as a stream.

1. Sparse local components of frames taken evenly from all cells: the dictionary.
2. Every annotated frame as weights of it, block by block.
3. In each cell, candidates for its typical expression: kinds of faces that many others are like (`modes`).
4. One candidate a cell, chosen for all cells together (`agreement`).
5. Values over their distance from neutral are smoothed; cells that know nothing are filled by that (`smoothing`).
6. How faces of the chosen kind differ from it (`spread`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from synth_affect.affect import Emotion
from synth_affect.arrays import FloatArray, IntArray
from synth_affect.blendshape.gallery.frames import CATEGORIES, FrameTable, annotated
from synth_affect.blendshape.gallery.store import Gallery
from synth_affect.blendshape.grid.affect_grid import AffectGrid
from synth_affect.blendshape.grid.agreement import choose_modes
from synth_affect.blendshape.grid.cells import CELL_WIDTH, CENTRES, N_CELLS, RADII
from synth_affect.blendshape.grid.dictionary import DEFAULT_COMPONENTS, fit_dictionary
from synth_affect.blendshape.grid.frames import LabelledFrames, evenly, metric_of, n_different, usual_motion
from synth_affect.blendshape.grid.modes import AT_REST, MOST_POOLED, candidates_of, modes_of
from synth_affect.blendshape.grid.smoothing import filled, smoothed
from synth_affect.blendshape.grid.spread import correlation_root, kind_of
from synth_affect.errors import FitError, InputError

THIN_FRAMES, THIN_SUBJECTS = 30, 3
"""A cell with fewer frames, or of fewer people, is filled from those around it: identity would leak in."""
LEAST_RADIUS = 0.3
"""Frames that a category's expression is read from are at least so far from neutral."""

Progress = Callable[[Iterable[Any], int], Iterable[Any]]


def build_grid(
    gallery: Gallery,
    *,
    n_components: int = DEFAULT_COMPONENTS,
    memory_mib: int = 512,
    described: dict[str, str | int | float] | None = None,
    progress: Progress | None = None,
) -> AffectGrid:
    """The grid of all annotated frames of `gallery`, and of its categories.

    n_components : of the dictionary.  memory_mib : for blocks of frames; weights take 4 bytes a frame and component.
    described : added to what the grid says of its source.
    progress : goes through blocks of frames, of which there are so many.
    Raises InputError when there are no annotated frames, fewer than components, labels that are all the same, or one
    person only.
    """
    table = gallery.frames
    rows = np.flatnonzero(annotated(table))
    _check(gallery.path, table, rows, n_components)
    components, explained = fit_dictionary(gallery, rows, n_components, memory_mib)
    posed = np.flatnonzero(table.posed & table.apex & (table.category >= 0) & ~annotated(table))
    wanted = np.union1d(rows, posed)
    weights = np.zeros((len(table), n_components), dtype=np.float32)
    for part, offsets in _shown(gallery, wanted, memory_mib, progress):
        weights[part] = components.transform(offsets)
    frames = LabelledFrames(
        weights[rows],
        np.stack([table.valence[rows], table.arousal[rows]], axis=1).astype(np.float64),
        table.subject[rows],
        table.sequence[rows],
    )
    metric = metric_of(components)
    counts = np.bincount(frames.cells, minlength=N_CELLS)
    few = np.array([counts[c] < THIN_FRAMES or n_different(frames.subjects[frames.cells == c]) < THIN_SUBJECTS
                    for c in range(N_CELLS)])  # fmt: skip
    if few.all():
        raise InputError(gallery.path, f"no cell of the plane has {THIN_FRAMES} frames of {THIN_SUBJECTS} people")
    usual = usual_motion(frames, metric)
    # The four cells round the origin each hold a quarter of all directions.
    known = ~few & (RADII > CELL_WIDTH)
    candidates = [candidates_of(frames, cell, metric, usual) if known[cell] else [] for cell in range(N_CELLS)]
    thin = np.array([not found for found in candidates])
    if thin.all():
        raise FitError("no grid: nothing moves with valence and arousal")
    chosen = choose_modes(candidates)
    kinds = [None if mode is None else kind_of(mode) for mode in chosen]
    k = n_components

    def table_of(values: list[FloatArray | None]) -> FloatArray:
        return np.stack([np.zeros(k) if value is None else value for value in values])

    typical = smoothed(table_of([None if m is None else m.weights for m in chosen]), ~thin, components)
    below, above, deviation = (
        filled(table_of([None if s is None else getattr(s, name) for s in kinds]), ~thin)
        for name in ("below", "above", "deviation")
    )
    means = np.zeros((N_CELLS, k))
    np.add.at(means, frames.cells, frames.weights)
    means /= np.maximum(counts, 1)[:, None]
    names, of_categories = _categories(table, weights, metric)
    return AffectGrid(
        source=_source(gallery, rows, explained) | (described or {}),
        components=components,
        counts=counts,
        thin=thin,
        medians=_medians(frames),
        typical=typical,
        mean=filled(means, ~few),
        deviation=deviation,
        lower=typical + below,
        upper=typical + above,
        correlation_root=correlation_root([s for s in kinds if s is not None], k),
        categories=names,
        category_typical=of_categories,
    )


def _check(path: Path, table: FrameTable, rows: IntArray, n_components: int) -> None:
    if len(rows) == 0:
        raise InputError(path, "no frame has valence and arousal")
    if n_different(table.subject[rows]) < 2:
        raise InputError(path, "one person only; a grid of one is that person's, not the feeling's")
    for name in ("valence", "arousal"):
        if np.ptp(getattr(table, name)[rows]) == 0:
            raise InputError(path, f"{name} is the same in all frames")
    if n_components < 1:
        raise InputError("--components", f"{n_components} is not 1 or more")
    if n_components > len(rows):
        raise InputError("--components", f"{n_components} cannot be found in {len(rows)} frames, which are fewer")


def _shown(
    gallery: Gallery, rows: IntArray, memory_mib: int, progress: Progress | None
) -> Iterator[tuple[IntArray, FloatArray]]:
    blocks = gallery.blocks(rows, memory_mib=memory_mib)
    per_block = max(1, (memory_mib << 18) // (gallery.n_vertices * 6))
    yield from blocks if progress is None else progress(blocks, -(-len(rows) // per_block))


def _medians(frames: LabelledFrames) -> FloatArray:
    medians = CENTRES.copy()
    for cell in np.unique(frames.cells):
        medians[cell] = np.median(frames.labels[frames.cells == cell], axis=0)
    return medians


def _categories(table: FrameTable, weights: FloatArray, metric: FloatArray) -> tuple[tuple[Emotion, ...], FloatArray]:
    """Categories with enough apex frames of enough people, and their typical weights at distance 1 from neutral.

    A posed expression has no valence and arousal; it is taken for one at distance 1.
    """
    radius = np.hypot(table.valence, table.arousal).astype(np.float64)
    radius[~annotated(table) & table.posed] = 1.0
    names, found = [], []
    for code, emotion in enumerate(CATEGORIES):
        rows: IntArray = np.flatnonzero((table.category == code) & table.apex & (radius >= LEAST_RADIUS))
        if len(rows) < THIN_FRAMES or n_different(table.subject[rows]) < THIN_SUBJECTS:
            continue
        rows = evenly(rows, MOST_POOLED)
        shares = 1 / np.bincount(table.sequence[rows])[table.sequence[rows]]
        at_one = weights[rows].astype(np.float64) / radius[rows, None]
        motion = np.linalg.norm(at_one @ metric, axis=1)
        moves = motion > AT_REST * np.median(motion)
        if not moves.any():
            continue
        at_one, shares = at_one[moves], shares[moves]
        names.append(emotion)
        found.append(modes_of(at_one, metric, shares / shares.sum())[0].weights)
    return tuple(names), np.array(found, dtype=np.float32).reshape(len(found), weights.shape[1])


def _source(gallery: Gallery, rows: IntArray, explained: float) -> dict[str, str | int | float]:
    table = gallery.frames
    digest = hashlib.sha256()
    for column in (gallery.checksums, table.subject, table.sequence, table.valence, table.arousal, table.category):
        digest.update(np.ascontiguousarray(column).tobytes())
    return {
        "template": gallery.template.name,
        "gallery_sha256": digest.hexdigest(),
        "subjects": n_different(table.subject[rows]),
        "sequences": n_different(table.sequence[rows]),
        "frames": len(rows),
        "explained": round(explained, 4),
    }
