"""From a gallery on disk to a grid on disk, and what a grid has to say of itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from synth_affect.blendshape.gallery.store import open_gallery
from synth_affect.blendshape.grid.affect_grid import AffectGrid
from synth_affect.blendshape.grid.build import build_grid
from synth_affect.blendshape.grid.cells import CELLS_PER_SIDE
from synth_affect.blendshape.grid.dictionary import DEFAULT_COMPONENTS
from synth_affect.blendshape.grid.grid_file import save_grid
from synth_affect.blendshape.template import face_template
from synth_affect.data.atomic import check_writable
from synth_affect.errors import FitError, InputError
from synth_affect.pipelines.gallery.synthesize import FORMAT as SYNTHETIC_FORMAT
from synth_affect.pipelines.gallery.synthesize import read_recipe, recipe_path
from synth_affect.pipelines.open_head import DEFAULT, open_head

Progress = Callable[[Iterable[Any], int], Iterable[Any]]


def build_grid_file(
    gallery: Path,
    out: Path,
    *,
    n_components: int = DEFAULT_COMPONENTS,
    head: str = DEFAULT,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Build the grid of the gallery and write it; returns a summary as JSON values.

    head : the gallery's faces must be registered to its face template, or no picture could be edited with the grid.
    Raises InputError when the gallery gives no grid or `out` cannot be written; then nothing is.
    """
    check_writable(out)
    opened = open_gallery(gallery)
    wanted = face_template(open_head(head)).topology
    if opened.topology != wanted:
        raise InputError(gallery, f"a gallery of template {opened.topology}, expected {wanted}, the face of {head}")
    try:
        grid = build_grid(opened, n_components=n_components, described=_origin(gallery), progress=progress)
    except FitError as error:
        raise InputError(gallery, str(error)) from error
    save_grid(grid, out)
    return {"output": str(out)} | describe_grid(grid)


def describe_grid(grid: AffectGrid) -> dict[str, Any]:
    """JSON values. cells : rows from arousal +0.9 down, in each valence from -0.9 on."""

    def table(values: Any) -> list[Any]:
        return list(np.asarray(values).reshape(CELLS_PER_SIDE, CELLS_PER_SIDE)[::-1].tolist())

    return {
        "topology": grid.topology,
        "components": len(grid.components.offsets),
        "source": grid.source,
        "categories": [str(emotion) for emotion in grid.categories],
        "frames": int(grid.counts.sum()),
        "thin_cells": int(grid.thin.sum()),
        "counts": table(grid.counts),
        "thin": table(grid.thin),
    }


def grid_text(found: dict[str, Any]) -> str:
    """For people: `describe_grid`."""
    source = found["source"]
    lines = [
        f"{found['frames']} frames of {source['sequences']} recordings of {source['subjects']} people",
        f"{found['components']} components explain {100 * source['explained']:.1f} % of the motion they were made from",
        "source: " + ", ".join(f"{key} {value}" for key, value in sorted(source.items())),
        "categories: " + (", ".join(found["categories"]) or "none"),
        "frames in each cell, valence to the right, arousal upwards; * filled from around:",
    ]
    for counts, thin in zip(found["counts"], found["thin"], strict=True):
        lines.append(
            "".join(f"{count:>8}{'*' if is_thin else ' '}" for count, is_thin in zip(counts, thin, strict=True))
        )
    return "\n".join(lines)


def _origin(gallery: Path) -> dict[str, str | int | float]:
    """Where the gallery's faces come from, as far as it is said beside it."""
    if not recipe_path(gallery).exists():
        return {"origin": "recorded or registered faces"}
    recipe = {f"recipe_{key}": value for key, value in asdict(read_recipe(gallery)).items()}
    return {"origin": "synthetic faces", "recipe_format": SYNTHETIC_FORMAT} | recipe
