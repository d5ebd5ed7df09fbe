"""`synth-affect reproduce caae:fig3`: an experiment of a paper, into a folder.

OUT/caae_fig3.png   the figure, where there is one
OUT/caae_fig3.json  its numbers; which weights and faces it is of
OUT/crops/          the faces, cut out; another experiment at this size finds them there
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import synth_affect
from synth_affect.data.atomic import atomic_write
from synth_affect.editors.weights import StoredEditor, load_editor
from synth_affect.errors import InputError
from synth_affect.pipelines.figure_file import write_figure
from synth_affect.pipelines.reproduce.experiment import Materials, Progress
from synth_affect.pipelines.reproduce.registry import open_experiment
from synth_affect.pipelines.training.editor_faces import EditorParts, as_editor_faces, load_editor_faces
from synth_affect.pipelines.training.face_samples import FaceSource, LoadedFaces
from synth_affect.pipelines.training.face_samples import Progress as ReadingProgress
from synth_affect.regressors.devices import choose_device


@dataclass(frozen=True, slots=True)
class ReproduceRequest:
    """experiment : its name.  weights : of its network.  sources : labelled faces."""

    experiment: str
    weights: Path
    sources: tuple[FaceSource, ...]
    seed: int = 0


def reproduce(
    request: ReproduceRequest,
    out: Path,
    *,
    device: str = "auto",
    reading: ReadingProgress | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Do the experiment, write what the module's docstring lists, and return what is in the JSON file.

    Raises InputError for another name, weights or faces that it cannot be done with, and an `out` that is not written.
    """
    editor, experiment = open_experiment(request.experiment)
    stored = load_editor(request.weights, editor)
    chosen = choose_device(device)
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(out, f"cannot be made ({error.strerror or error})") from error
    size = stored.settings.size
    loaded = load_editor_faces(
        request.sources, stored.recipe, size, cache=out / "crops" / f"{editor}-{size}", progress=reading
    )
    parts = parts_by_card(loaded, stored)
    materials = Materials(stored, parts, chosen, request.seed, _silent if progress is None else progress)
    result = experiment.run(materials)
    name = request.experiment.replace(":", "_")
    about = {
        "experiment": request.experiment,
        "shows": experiment.title,
        "weights_sha256": stored.sha256,
        "data": loaded.digest,
        "pictures": {"train": len(parts.training), "validation": len(parts.validation), "test": len(parts.test)},
        "seed": request.seed,
        "version": synth_affect.__version__,
        "figures": dict(result.figures),
    }
    if result.picture is not None:
        shows = {"experiment": request.experiment, "shows": experiment.title}
        pixels = np.asarray(result.picture.convert("RGB"))
        write_figure(pixels, out / f"{name}.png", shows=shows, maker=f"{editor} {stored.sha256}", digest=loaded.digest)
    with atomic_write(out / f"{name}.json") as file:
        file.write((json.dumps(about, indent=2) + "\n").encode())
    written = out / (f"{name}.json" if result.picture is None else f"{name}.png")
    return {**about, "output": str(written)}


def parts_by_card(loaded: LoadedFaces, stored: StoredEditor) -> EditorParts:
    """Training and validation people are those whom the card names as such; everybody else is tested.

    Raises InputError when nobody is left to be tested.
    """
    people = stored.card.get("people") or {}
    names = loaded.samples.subjects

    def of(part: str) -> Any:
        return np.isin(names, people.get(part) or [])

    known = of("train") | of("validation")
    if known.all():
        raise InputError("--data", "shows only people whom the network was trained on; others are needed")
    numbers = (np.flatnonzero(of("train")), np.flatnonzero(of("validation") & ~of("train")), np.flatnonzero(~known))
    return EditorParts(*(as_editor_faces(loaded, own) for own in numbers))


def _silent(items: Iterable[Any], count: int, description: str) -> Iterable[Any]:
    return items
