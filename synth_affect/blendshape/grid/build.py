"""The valence-arousal grid of a gallery, read as a stream.

1. Sparse local components of frames taken evenly from all cells: the dictionary.
2. Every annotated frame as weights of it, block by block.
3. In each cell, candidates for its typical expression: the frames of the cell and, at a lower weight, of those around
   it, each scaled along its ray to the centre's distance from neutral, are clustered; from each cluster the mean shift
   climbs to where faces are densest. A recording counts once, however long it holds.
4. One candidate a cell, chosen for all cells together: the densest that agrees with what the neighbours chose, so that
   anger, fear and disgust do not alternate from cell to cell. Faces at rest are not an expression.
5. Values over their distance from neutral are smoothed between neighbours; cells that know nothing are filled by that.

Distances between expressions are root mean square mm over the template.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from synth_affect.affect import Emotion
from synth_affect.arrays import BoolArray, FloatArray, IntArray
from synth_affect.blendshape.gallery.frames import CATEGORIES, FrameTable, annotated
from synth_affect.blendshape.gallery.store import Gallery
from synth_affect.blendshape.grid.affect_grid import (
    CELL_WIDTH,
    CELLS_PER_SIDE,
    N_CELLS,
    AffectGrid,
    cell_centres,
    cell_of,
)
from synth_affect.blendshape.sparse.components import SparseComponentEstimator, SparseComponents, SparseSettings
from synth_affect.errors import FitError, InputError

DEFAULT_COMPONENTS = 60
DICTIONARY_FRAMES = 3000
"""From which the components are made; evenly from all cells."""
THIN_FRAMES, THIN_SUBJECTS = 30, 3
"""A cell with fewer frames, or of fewer people, is filled from those around it: identity would leak in."""
REACH_ALONG, REACH_ACROSS = 0.2, 0.08
"""Standard deviations of the weight of frames around a cell, along its ray and across: along it they are alike."""
POOLED_WITHIN = 0.4
"""Frames further from a cell's centre than this are not looked at for it."""
MOST_POOLED = 3000
"""Frames that are clustered for a cell; of more, an even selection."""
N_CLUSTERS = 5
AT_REST, MISLABELLED = 0.35, 2.0
"""A face that moves less than this share of what is usual at its distance from neutral is at rest; one that moves more
than the second has a label that is not its own, such as that of a moment before."""
AGREEMENT = 6.0
"""What a difference to a neighbour as large as an expression costs, in nats of density."""
SMOOTHING_ALONG, SMOOTHING_ACROSS, EVENING = 3.5, 0.4, 12
"""What differences between neighbours count along a ray and across, against the cell's own value; and how often these
are weighted anew. With them no vertex of the packaged grid's paths moves more than twice its usual step."""
LIKE_TYPICAL = 1.5
"""Faces up to this many bandwidths from the typical one are its kind."""
RANGE = (0.05, 0.95)
"""Quantiles of the weights among those: expressions drawn at random stay between them."""
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
    components, explained = _dictionary(gallery, rows, n_components, memory_mib)
    posed = np.flatnonzero(table.posed & table.apex & (table.category >= 0) & ~annotated(table))
    wanted = np.union1d(rows, posed)
    weights = np.zeros((len(table), n_components), dtype=np.float32)
    for part, offsets in _shown(gallery, wanted, memory_mib, progress):
        weights[part] = components.transform(offsets)
    frames = _Frames(
        weights[rows],
        np.stack([table.valence[rows], table.arousal[rows]], axis=1).astype(np.float64),
        table.subject[rows],
        table.sequence[rows],
    )
    metric = _metric(components)
    found_in = [_gather(frames, cell, metric) for cell in range(N_CELLS)]
    counts = np.bincount(frames.cells, minlength=N_CELLS)
    few = np.array([counts[c] < THIN_FRAMES or _n_different(frames.subjects[frames.cells == c]) < THIN_SUBJECTS
                    for c in range(N_CELLS)])  # fmt: skip
    if few.all():
        raise InputError(gallery.path, f"no cell of the plane has {THIN_FRAMES} frames of {THIN_SUBJECTS} people")
    usual = _usual_motion(frames, metric)
    candidates = [
        [mode for mode in found if AT_REST <= mode.size / (usual * radius) <= MISLABELLED] if known else []
        for found, radius, known in zip(found_in, _RADII, ~few & (_RADII > CELL_WIDTH), strict=True)
    ]
    thin = np.array([not found for found in candidates])
    if thin.all():
        raise FitError("no grid: nothing moves with valence and arousal")
    chosen = _choose(candidates, usual)
    kinds = [None if mode is None else _kind(mode) for mode in chosen]
    k = n_components

    def table_of(values: list[FloatArray | None]) -> FloatArray:
        return np.stack([np.zeros(k) if value is None else value for value in values])

    typical = _smoothed(table_of([None if m is None else m.weights for m in chosen]), ~thin, components)
    below, above, deviation = (
        _filled(table_of([None if s is None else getattr(s, name) for s in kinds]), ~thin)
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
        mean=_filled(means, ~few),
        deviation=deviation,
        lower=typical + below,
        upper=typical + above,
        correlation_root=_correlation_root([s for s in kinds if s is not None], k),
        categories=names,
        category_typical=of_categories,
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Frames:
    """weights : (n, k) float32.  labels : (n, 2) float64.  subjects, sequences : (n,) codes."""

    weights: FloatArray
    labels: FloatArray
    subjects: IntArray
    sequences: IntArray

    @property
    def cells(self) -> IntArray:
        return cell_of(self.labels[:, 0], self.labels[:, 1])


@dataclass(frozen=True, slots=True, eq=False)
class _Mode:
    """A place where faces are dense. weights : (k,).  place : (k,), the same in mm.  density : share of the cell.

    near : (m, k) weights of the faces of its kind.  near_shares : (m,) their weights in the cell.
    """

    weights: FloatArray
    place: FloatArray
    density: float
    near: FloatArray
    near_shares: FloatArray

    @property
    def size(self) -> float:
        return float(np.linalg.norm(self.place))


_CENTRES = cell_centres()
_RADII = np.hypot(*_CENTRES.T)


def _check(path: Path, table: FrameTable, rows: IntArray, n_components: int) -> None:
    if len(rows) == 0:
        raise InputError(path, "no frame has valence and arousal")
    if _n_different(table.subject[rows]) < 2:
        raise InputError(path, "one person only; a grid of one is that person's, not the feeling's")
    for name in ("valence", "arousal"):
        if np.ptp(getattr(table, name)[rows]) == 0:
            raise InputError(path, f"{name} is the same in all frames")
    if n_components < 1:
        raise InputError("--components", f"{n_components} is not 1 or more")
    if n_components > len(rows):
        raise InputError("--components", f"{n_components} cannot be found in {len(rows)} frames, which are fewer")


def _dictionary(gallery: Gallery, rows: IntArray, n_components: int, memory_mib: int) -> tuple[SparseComponents, float]:
    table = gallery.frames
    cells = cell_of(table.valence[rows], table.arousal[rows])
    share = max(1, DICTIONARY_FRAMES // max(1, _n_different(cells)))
    picked = np.concatenate([_evenly(rows[cells == cell], share) for cell in np.unique(cells)])
    if len(picked) < n_components:
        picked = rows
    settings = SparseSettings(n_components=n_components, memory_mib=memory_mib, constraint="two-sided")
    fit = SparseComponentEstimator(gallery.template, settings).fit(gallery.read(np.sort(picked)))
    return fit.components, fit.explained


def _shown(
    gallery: Gallery, rows: IntArray, memory_mib: int, progress: Progress | None
) -> Iterator[tuple[IntArray, FloatArray]]:
    blocks = gallery.blocks(rows, memory_mib=memory_mib)
    per_block = max(1, (memory_mib << 18) // (gallery.n_vertices * 6))
    yield from blocks if progress is None else progress(blocks, -(-len(rows) // per_block))


def _metric(components: SparseComponents) -> FloatArray:
    """(k, k): weights times this are in mm, root mean square over the template."""
    flat = components.offsets.reshape(len(components.offsets), -1).astype(np.float64)
    gram = flat @ flat.T / components.offsets.shape[1]
    values, vectors = np.linalg.eigh(gram)
    root: FloatArray = vectors * np.sqrt(np.maximum(values, 0))
    return root


def _usual_motion(frames: _Frames, metric: FloatArray) -> float:
    """Median motion of frames, mm, over their distance from neutral; of those that are far from it."""
    radius = np.hypot(*frames.labels.T)
    far = radius >= min(0.5, float(np.quantile(radius, 0.75)))
    return float(np.median(np.linalg.norm(frames.weights[far] @ metric, axis=1) / radius[far]))


def _gather(frames: _Frames, cell: int, metric: FloatArray) -> list[_Mode]:
    """Candidates for the typical expression of a cell, the densest first."""
    apart = frames.labels - _CENTRES[cell]
    radius = np.hypot(*frames.labels.T)
    rows: IntArray = np.flatnonzero((np.square(apart).sum(axis=1) < POOLED_WITHIN**2) & (radius > CELL_WIDTH / 2))
    if len(rows) == 0:
        return []
    rows = _evenly(rows, MOST_POOLED)
    apart, radius = apart[rows], radius[rows]
    ray = _CENTRES[cell] / _RADII[cell]
    along, across = apart @ ray, apart @ [-ray[1], ray[0]]
    # Of a face near neutral an error of its label says most: its distance is what it is scaled by.
    near = radius * np.exp(-((along / REACH_ALONG) ** 2 + (across / REACH_ACROSS) ** 2) / 2)
    # A recording counts by how near it comes, not by how long it stays.
    shares = near**2 / np.bincount(frames.sequences[rows], near)[frames.sequences[rows]]
    weights = frames.weights[rows].astype(np.float64) * np.clip(_RADII[cell] / radius, 0.5, 2.0)[:, None]
    return _modes(weights, weights @ metric, shares / shares.sum())


def _modes(weights: FloatArray, places: FloatArray, shares: FloatArray) -> list[_Mode]:
    """Where `places` (m, k) are dense, from the densest on."""
    labels, centres = _clusters(places, shares)
    spread = np.square(places - centres[labels]).sum(axis=1)
    bandwidth = float(np.sqrt(shares @ spread))
    if bandwidth < 1e-6:
        bandwidth = 1e-6
    found: list[_Mode] = []
    for centre in centres:
        place = centre
        for _ in range(30):
            near = shares * np.exp(-np.square(places - place).sum(axis=1) / (2 * bandwidth**2))
            moved = near @ places / near.sum()
            change = float(np.linalg.norm(moved - place))
            place = moved
            if change < 1e-3 * bandwidth:
                break
        if any(np.linalg.norm(place - other.place) < 0.5 * bandwidth for other in found):
            continue
        distance = np.linalg.norm(places - place, axis=1)
        near = shares * np.exp(-(distance**2) / (2 * bandwidth**2))
        kind = distance <= LIKE_TYPICAL * bandwidth
        found.append(_Mode(near @ weights / near.sum(), place, float(near.sum()), weights[kind], shares[kind]))
    return sorted(found, key=lambda mode: -mode.density)


def _clusters(places: FloatArray, shares: FloatArray) -> tuple[IntArray, FloatArray]:
    """Weighted k-means from centres far apart; labels (m,) and centres (n, k)."""
    middle = shares @ places
    centres = [places[np.argmin(np.square(places - middle).sum(axis=1))]]
    for _ in range(N_CLUSTERS - 1):
        nearest = np.min([np.square(places - c).sum(axis=1) for c in centres], axis=0)
        if nearest.max() <= 1e-12:
            break
        centres.append(places[np.argmax(nearest * shares)])
    table = np.array(centres)
    labels = np.zeros(len(places), dtype=np.intp)
    for _ in range(25):
        distances = np.square(places).sum(axis=1)[:, None] - 2 * places @ table.T + np.square(table).sum(axis=1)
        nearest_one = distances.argmin(axis=1)
        totals = np.bincount(nearest_one, shares, minlength=len(table))
        for c in np.flatnonzero(totals > 0):
            of_cluster = nearest_one == c
            table[c] = shares[of_cluster] @ places[of_cluster] / totals[c]
        if np.array_equal(nearest_one, labels):
            break
        labels = nearest_one
    return labels, table


def _choose(candidates: list[list[_Mode]], usual: float) -> list[_Mode | None]:
    """One of each cell's modes: iterated conditional modes, from the densest of each cell."""
    chosen: list[_Mode | None] = [modes[0] if modes else None for modes in candidates]
    neighbours = [_around(cell) for cell in range(N_CELLS)]

    def cost(mode: _Mode, cell: int) -> float:
        total = -float(np.log(mode.density))
        for other in neighbours[cell]:
            there = chosen[other]
            if there is not None:
                apart = float(np.linalg.norm(mode.place / _RADII[cell] - there.place / _RADII[other]))
                total += AGREEMENT / 4 * min(apart / usual, 1.5)
        return total

    for _ in range(20):
        changed = False
        for cell, modes in enumerate(candidates):
            if len(modes) > 1:
                best = min(modes, key=lambda mode, cell=cell: cost(mode, cell))  # type: ignore[misc]
                changed |= best is not chosen[cell]
                chosen[cell] = best
        if not changed:
            break
    return chosen


def _around(cell: int) -> list[int]:
    row, column = divmod(cell, CELLS_PER_SIDE)
    steps = ((-1, 0), (1, 0), (0, -1), (0, 1))
    return [
        (row + i) * CELLS_PER_SIDE + column + j
        for i, j in steps
        if 0 <= row + i < CELLS_PER_SIDE and 0 <= column + j < CELLS_PER_SIDE
    ]


@dataclass(frozen=True, slots=True, eq=False)
class _Kind:
    """Of the faces like a typical one. deviation, below, above : (k,) of their weights.
    scaled : (m, k), in deviations.  shares : (m,).
    """

    deviation: FloatArray
    below: FloatArray
    above: FloatArray
    scaled: FloatArray
    shares: FloatArray


def _kind(mode: _Mode) -> _Kind:
    shares = mode.near_shares / mode.near_shares.sum()
    away = mode.near - mode.weights
    middle = shares @ away
    deviation = np.sqrt(shares @ np.square(away - middle))
    low, high = (_weighted_quantile(away, shares, q) for q in RANGE)
    scaled = (away - middle) / np.where(deviation > 1e-9, deviation, 1)
    return _Kind(deviation, np.minimum(low, 0), np.maximum(high, 0), scaled, shares)


def _weighted_quantile(values: FloatArray, shares: FloatArray, quantile: float) -> FloatArray:
    """(k,) of values (m, k)."""
    order = values.argsort(axis=0, kind="stable")
    cumulated = shares[order].cumsum(axis=0)
    place = (cumulated >= quantile * cumulated[-1]).argmax(axis=0)
    column = np.arange(values.shape[1])
    found: FloatArray = values[order[place, column], column]
    return found


def _correlation_root(kinds: list[_Kind], k: int) -> FloatArray:
    """(k, k): Cholesky root of how weights go together within a kind, pooled over cells."""
    pooled = sum((np.einsum("m,mi,mj->ij", s.shares, s.scaled, s.scaled) for s in kinds), np.zeros((k, k)))
    # Held away from singular: a component that nothing uses, or fewer faces than components.
    correlation = 0.98 * pooled / max(1, len(kinds)) + 0.02 * np.eye(k)
    root: FloatArray = np.linalg.cholesky(correlation).astype(np.float32)
    return root


def _smoothed(values: FloatArray, known: BoolArray, components: SparseComponents) -> FloatArray:
    """(100, k) float32: weights near their own, and over the distance from neutral near their neighbours'.

    known : (100,) cells that have values; the others come from their neighbours alone.
    Where neighbours differ much they are drawn together more: a change of family is spread over several cells, as the
    minimum of a higher power of the differences spreads it, found by iterated reweighting.
    """
    offsets = components.offsets.reshape(len(components.offsets), -1)
    first, second, along, at_distance = _edges()
    trust = np.where(known, np.square(_RADII), 0)
    own = trust[:, None] * np.where(known[:, None], values / _RADII[:, None], 0)
    stiffness = at_distance * (SMOOTHING_ALONG * along + SMOOTHING_ACROSS * (1 - along))
    stretch = np.ones(len(first))
    for _ in range(EVENING):
        field = np.linalg.solve(np.diag(trust) + _laplacian(first, second, stiffness * stretch), own)
        differences = ((field[first] - field[second]).astype(np.float32) @ offsets).reshape(len(first), -1, 3)
        lengths = np.linalg.norm(differences, axis=2).max(axis=1) * np.sqrt(at_distance)
        relative = lengths / max(float(lengths.mean()), 1e-9)
        stretch = np.sqrt(stretch * np.clip(np.square(relative), 0.05, 20))
    smooth: FloatArray = (field * _RADII[:, None]).astype(np.float32)
    return smooth


def _filled(values: FloatArray, known: BoolArray) -> FloatArray:
    """(100, k) float32: `values`, and for cells that are not known what lies evenly between those that are."""
    first, second, _, at_distance = _edges()
    laplacian = _laplacian(first, second, at_distance)
    over_radius = np.where(known[:, None], values / _RADII[:, None], 0)
    free = np.flatnonzero(~known)
    from_known = laplacian[np.ix_(free, np.flatnonzero(known))] @ over_radius[known]
    over_radius[free] = np.linalg.solve(laplacian[np.ix_(free, free)], -from_known)
    filled: FloatArray = (over_radius * _RADII[:, None]).astype(np.float32)
    return filled


def _edges() -> tuple[IntArray, IntArray, FloatArray, FloatArray]:
    """Of all pairs of neighbours: both cells, the squared cosine between what joins them and the ray, and the squared
    distance from neutral, with which differences of values over the distance are in mm, as the errors are.
    """
    pairs = [(cell, other) for cell in range(N_CELLS) for other in _around(cell) if cell < other]
    first, second = np.array(pairs).T
    between, middle = _CENTRES[second] - _CENTRES[first], (_CENTRES[second] + _CENTRES[first]) / 2
    at_distance = np.square(middle).sum(axis=1)
    sizes = np.square(between).sum(axis=1) * at_distance
    along = np.square((between * middle).sum(axis=1)) / np.where(sizes > 0, sizes, 1)
    # Across the origin, where a distance of nothing would leave a cell alone.
    return first, second, along, np.maximum(at_distance, (CELL_WIDTH / 2) ** 2)


def _laplacian(first: IntArray, second: IntArray, weights: FloatArray) -> FloatArray:
    form = np.zeros((N_CELLS, N_CELLS))
    np.add.at(form, (first, second), -weights)
    form += form.T
    form[np.diag_indices(N_CELLS)] = -form.sum(axis=1)
    return form


def _medians(frames: _Frames) -> FloatArray:
    medians = _CENTRES.copy()
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
        if len(rows) < THIN_FRAMES or _n_different(table.subject[rows]) < THIN_SUBJECTS:
            continue
        rows = _evenly(rows, MOST_POOLED)
        shares = 1 / np.bincount(table.sequence[rows])[table.sequence[rows]]
        at_one = weights[rows].astype(np.float64) / radius[rows, None]
        names.append(emotion)
        found.append(_modes(at_one, at_one @ metric, shares / shares.sum())[0].weights)
    return tuple(names), np.array(found, dtype=np.float32).reshape(len(found), weights.shape[1])


def _source(gallery: Gallery, rows: IntArray, explained: float) -> dict[str, str | int | float]:
    table = gallery.frames
    digest = hashlib.sha256()
    for column in (gallery.checksums, table.subject, table.sequence, table.valence, table.arousal, table.category):
        digest.update(np.ascontiguousarray(column).tobytes())
    return {
        "template": gallery.template.name,
        "gallery_sha256": digest.hexdigest(),
        "subjects": _n_different(table.subject[rows]),
        "sequences": _n_different(table.sequence[rows]),
        "frames": len(rows),
        "explained": round(explained, 4),
    }


def _evenly(rows: IntArray, most: int) -> IntArray:
    """At most so many of them, evenly spread."""
    return rows if len(rows) <= most else rows[np.arange(most) * len(rows) // most]


def _n_different(codes: IntArray) -> int:
    return len(np.unique(codes))
