"""What a gallery holds, counted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from synth_affect.arrays import IntArray
from synth_affect.blendshape.gallery.frames import CATEGORIES, FrameTable, annotated
from synth_affect.blendshape.gallery.store import open_gallery

CELLS = 10
"""Along valence and along arousal; 0.2 wide, as in the 4DFAB approach."""


def describe_gallery(path: Path) -> dict[str, Any]:
    """Counts of frames, people and recordings; values for JSON. Reads no displacement.

    `histogram` is the plane as it is drawn: ten rows of falling arousal, in each ten counts of rising valence.
    Raises InputError when there is no gallery that can be read.
    """
    gallery = open_gallery(path)
    frames = gallery.frames
    posed = np.unique(frames.sequence[frames.posed])
    apex = frames.category[frames.apex]
    return {
        "gallery": str(path),
        "format_version": gallery.format_version,
        "template": gallery.template.name,
        "topology": gallery.topology,
        "n_vertices": gallery.n_vertices,
        "bytes": sum(file.stat().st_size for file in path.rglob("*") if file.is_file()),
        "subjects": len(frames.subject_names),
        "sequences": len(frames.sequence_names),
        "posed_sequences": len(posed),
        "frames": len(frames),
        "posed_frames": int(frames.posed.sum()),
        "annotated_frames": int(annotated(frames).sum()),
        "apex_frames": {str(category): int((apex == k).sum()) for k, category in enumerate(CATEGORIES) if k in apex},
        "histogram": _histogram(frames).tolist(),
    }


def _histogram(frames: FrameTable) -> IntArray:
    known = annotated(frames)
    # A label on an edge, such as -0.8, belongs to the cell above it, whichever way float32 rounds it.
    cells = [
        np.clip(np.floor((values[known].astype(np.float64) + 1) * CELLS / 2 + 1e-6), 0, CELLS - 1).astype(np.int64)
        for values in (frames.valence, frames.arousal)
    ]
    counts = np.zeros((CELLS, CELLS), dtype=np.int64)
    np.add.at(counts, (CELLS - 1 - cells[1], cells[0]), 1)
    return counts


def gallery_text(info: dict[str, Any]) -> str:
    """`describe_gallery`'s counts for people."""
    spontaneous = info["frames"] - info["posed_frames"]
    lines = [
        f"{info['gallery']}: gallery of format {info['format_version']}, {info['bytes'] / 2**20:.1f} MiB",
        f"template   {info['template']}, {info['n_vertices']} vertices, topology {info['topology']}",
        f"subjects   {info['subjects']}",
        f"sequences  {info['sequences']}, {info['posed_sequences']} of them posed",
        f"frames     {info['frames']}: {info['posed_frames']} posed, {spontaneous} spontaneous; "
        f"{info['annotated_frames']} annotated",
    ]
    if info["apex_frames"]:
        lines.append("apex       " + ", ".join(f"{name} {count}" for name, count in info["apex_frames"].items()))
    width = max(5, *(len(str(count)) for row in info["histogram"] for count in row))
    lines += ["", "frames by arousal (down) and valence (across), lower edges of the cells:"]
    edges = [2 * k / CELLS - 1 for k in range(CELLS)]
    for arousal, row in zip(reversed(edges), info["histogram"], strict=True):
        lines.append(f"{arousal:5.1f}  " + " ".join(f"{count or '.':>{width}}" for count in row))
    lines.append(" " * 7 + " ".join(f"{valence:{width}.1f}" for valence in edges))
    return "\n".join(lines)
