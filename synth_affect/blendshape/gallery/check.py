"""Looks for damage in a gallery: every checksum, and whether its parts fit together."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from synth_affect.arrays import BoolArray
from synth_affect.blendshape.gallery.format import (
    CHECKSUMS,
    COLUMNS,
    FRAMES_PER_CHUNK,
    OFFSETS,
    SEQUENCES,
    Manifest,
    frame_checksum,
    open_group,
    read_array,
    read_column,
    read_lines,
    read_template,
)
from synth_affect.blendshape.gallery.store import frame_table

Progress = Callable[[Iterable[int], int], Iterable[int]]
"""Passes on what it is given; the count is how many there will be."""


def check_gallery(path: Path, progress: Progress = lambda items, count: items) -> list[str]:
    """What is wrong with the gallery at `path`, a line each; [] where nothing is.

    What an interrupted append left behind the committed frames is no damage: the next append overwrites it.
    Raises InputError when there is no gallery that could be checked.
    """
    group, manifest = open_group(path)
    damage: list[str] = []
    columns = {}
    for name in (*COLUMNS, SEQUENCES):
        try:
            columns[name] = read_column(group, manifest, name)
        except (KeyError, ValueError) as error:
            damage.append(f"column {name}: {_clause(error)}")
    try:
        n_vertices = len(read_template(group, manifest).mesh.vertices)
        if group[OFFSETS].shape[1:] != (n_vertices, 3):
            damage.append(f"offsets: are of {group[OFFSETS].shape[1]} vertices, the template has {n_vertices}")
    except (KeyError, ValueError) as error:
        damage.append(f"template: {_clause(error)}")
    if not damage:
        damage += _misfits(columns)
    if CHECKSUMS in columns:
        damage += _damaged_frames(group, manifest, columns, progress)
    return damage


def _misfits(columns: dict[str, np.ndarray[Any, Any]]) -> Iterator[str]:
    """Intact columns that say what cannot be: of a writer that was not ours."""
    try:
        table = frame_table(columns, read_lines(columns[SEQUENCES]))
    except (KeyError, IndexError, ValueError) as error:
        yield f"sequences: {_clause(error)}"
        return
    same = np.diff(table.sequence) == 0
    if (np.diff(table.sequence) < 0).any() or (np.diff(table.frame)[same] <= 0).any():
        yield "frames: out of order"
    for name in ("valence", "arousal"):
        outside = np.flatnonzero(np.abs(getattr(table, name)) > 1)
        if len(outside):
            yield f"{name}: outside [-1, 1] in {len(outside)} frames, the first is {outside[0]}"


def _damaged_frames(
    group: Any, manifest: Manifest, columns: dict[str, np.ndarray[Any, Any]], progress: Progress
) -> Iterator[str]:
    """One line for each run of damaged frames of one recording."""
    names = _recording_names(columns)
    number = columns.get("sequence", np.zeros(manifest.n_frames, dtype=np.int32))
    bad: BoolArray = np.zeros(manifest.n_frames, dtype=np.bool_)
    reasons: dict[int, str] = {}
    starts = range(0, manifest.n_frames, FRAMES_PER_CHUNK)
    for start in progress(starts, len(starts)):
        stop = min(start + FRAMES_PER_CHUNK, manifest.n_frames)
        try:
            offsets = read_array(group[OFFSETS], start, stop)
            if len(offsets) != stop - start:
                raise ValueError("missing")
        except (KeyError, ValueError) as error:
            bad[start:stop] = True
            reasons.update(dict.fromkeys(range(start, stop), _clause(error)))
            continue
        bad[start:stop] = [frame_checksum(frame) for frame in offsets] != columns[CHECKSUMS][start:stop]
    rows = np.flatnonzero(bad)
    cuts = np.flatnonzero((np.diff(rows) > 1) | (np.diff(number[rows]) != 0)) + 1
    for run in np.split(rows, cuts) if len(rows) else []:
        first, last = int(run[0]), int(run[-1])
        which = f"frame {first}" if first == last else f"frames {first} to {last}"
        reason = reasons.get(first, "do not agree with their checksums" if last > first else "wrong checksum")
        yield f"{which}{names(int(number[first]))}: {reason}"


def _recording_names(columns: dict[str, np.ndarray[Any, Any]]) -> Callable[[int], str]:
    """From a recording's number to " of subject/session/sequence", or to nothing where that cannot be told."""
    if SEQUENCES not in columns or "sequence" not in columns:
        return lambda number: ""
    lines = read_lines(columns[SEQUENCES])

    def name(number: int) -> str:
        line = lines[number]
        return f" of {line['subject']}/{line['session']}/{line['sequence']}"

    return name


def _clause(error: Exception) -> str:
    return "missing" if isinstance(error, KeyError) else " ".join(str(error).split())
