"""Build the packaged valence-arousal grid from a synthetic gallery that is made for it.

    python -m tools.build_default_grid [--workers 4] [--keep GALLERY]

The same as these two commands, in a folder that is removed again unless it is named (--keep; it takes 4 GB):

    synth-affect gallery synthesize --out GALLERY --subjects 48 --sequences 384
    synth-affect grid-model build GALLERY --out synth_affect/blendshape/default_grid.npz

Nobody was recorded: the grid holds what invented people do. It has to be built again whenever `FORMAT` of
`pipelines/gallery/synthesize` changes; a test compares the two.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import Any

import synth_affect.blendshape
from synth_affect.blendshape.grid.dictionary import DEFAULT_COMPONENTS
from synth_affect.blendshape.synthetic.recordings import GalleryRecipe
from synth_affect.pipelines.gallery.build_grid import build_grid_file
from synth_affect.pipelines.gallery.synthesize import synthesize_gallery
from synth_affect.pipelines.open_expressions import GRID_FILE

RECIPE = GalleryRecipe(n_subjects=48, n_sequences=384, seed=0)
OUTPUT = Path(synth_affect.blendshape.__file__).parent / GRID_FILE


def build(
    recipe: GalleryRecipe,
    gallery: Path,
    out: Path,
    *,
    workers: int = 1,
    n_components: int = DEFAULT_COMPONENTS,
) -> dict[str, Any]:
    """Make the gallery, or what is missing of it, and its grid; the summary of the grid."""
    synthesize_gallery(recipe, gallery, workers=workers)
    return build_grid_file(gallery, out, n_components=n_components)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--keep", type=Path, help="make the gallery here, and leave it")
    arguments = parser.parse_args()
    if arguments.keep is not None:
        summary = build(RECIPE, arguments.keep, OUTPUT, workers=arguments.workers)
    else:
        with tempfile.TemporaryDirectory() as folder:
            summary = build(RECIPE, Path(folder) / "gallery", OUTPUT, workers=arguments.workers)
    print(f"wrote {summary['output']}: {summary['frames']} frames, {OUTPUT.stat().st_size} bytes")


if __name__ == "__main__":
    main()
