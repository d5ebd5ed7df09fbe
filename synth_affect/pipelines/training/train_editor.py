"""`synth-affect train caae|exprgan|...`: an editor from labelled faces.

OUT/plan.json             what the run is; a run with another plan needs another folder
OUT/crops/                the faces, cut out and aligned (see editor_faces)
OUT/last.ckpt, log.csv    of the training, for going on; a line an interval
OUT/samples/epoch_007.png what the editor makes of people whom it is not trained on, after each epoch
OUT/weights.safetensors   the networks, with their card weights.json
"""

from __future__ import annotations

import platform
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

import synth_affect
from synth_affect.editors.faces import EditorFaces
from synth_affect.editors.identity_features import IdentityFeatures
from synth_affect.editors.recipes import RecipeSettings, open_recipe
from synth_affect.editors.training import EXTRA, LoopSettings, train_editor
from synth_affect.editors.weights import EditorWeights, as_json, load_editor, save_editor
from synth_affect.optional import import_optional
from synth_affect.pipelines.figure_file import write_figure
from synth_affect.pipelines.open_identity import IdentityChoice, open_identity
from synth_affect.pipelines.training.editor_faces import (
    EditorParts,
    category_counts,
    divide,
    load_editor_faces,
)
from synth_affect.pipelines.training.face_samples import RENDERED, FaceSource, Progress
from synth_affect.pipelines.training.people_choice import PeopleChoice
from synth_affect.pipelines.training.run_plan import claim_run
from synth_affect.pipelines.training.train_regressor import GATED_LICENCE, RENDERED_LICENCE, WEIGHTS
from synth_affect.regressors.devices import choose_device
from synth_affect.regressors.vgg_face import LICENCE as VGG_FACE_LICENCE

SAMPLES = "samples"
MOST_NAMED = 10_000
"""People whom a card names; of more it has the numbers alone."""


@dataclass(frozen=True, slots=True)
class TrainEditorRequest:
    """editor : a name of RECIPES.  settings : of its recipe.  sources : labelled faces.
    identity : which network says whether two faces are one person's, where the editor's losses ask.
    max_yaw_deg : faces turned farther are left out.  interval : steps between checkpoints, at most.
    """

    editor: str
    settings: RecipeSettings
    sources: tuple[FaceSource, ...]
    people: PeopleChoice = field(default_factory=PeopleChoice)
    identity: IdentityChoice = field(default_factory=IdentityChoice)
    max_yaw_deg: float = 90.0
    interval: int = 500
    seed: int = 0


def train_one_editor(
    request: TrainEditorRequest, out: Path, *, device: str = "auto", progress: Progress | None = None
) -> dict[str, Any]:
    """Train, and write what the module's docstring lists; returns the card of the weights.

    A run that was stopped is gone on with; a finished one is read.  progress : of the pictures as they are read.
    Raises InputError for data that nothing can be trained on, and when `out` holds another run.
    """
    recipe, settings = open_recipe(request.editor), request.settings
    loop = LoopSettings(settings.epochs, settings.batch, request.interval, request.seed)
    chosen = choose_device(device)
    identity = open_identity(request.identity) if recipe.needs_identity else None
    loaded = load_editor_faces(
        request.sources, recipe, settings.size,
        max_yaw_deg=request.max_yaw_deg, cache=out / "crops", progress=progress,
    )  # fmt: skip
    parts = divide(loaded, request.people, request.seed)
    claim_run(
        out,
        {
            "editor": recipe.name,
            "settings": as_json(settings),
            "data": loaded.digest,
            "people": asdict(request.people),
            "identity network": None if identity is None else identity.sha256,
            "interval": request.interval,
            "seed": request.seed,
        },
    )
    if (out / WEIGHTS).is_file():
        return dict(load_editor(out / WEIGHTS, recipe.name).card)
    import_optional("torch", EXTRA).manual_seed(request.seed)
    training = parts.training if recipe.prepare is None else recipe.prepare(settings, parts.training, request.seed)
    learner = recipe.build_learner(settings, training, identity)

    def draw(epoch: int, sheet: npt.NDArray[np.uint8]) -> None:
        (out / SAMPLES).mkdir(exist_ok=True)
        write_figure(
            sheet, out / SAMPLES / f"epoch_{epoch:03d}.png",
            shows={"shows": "a sheet of samples", "editor": recipe.name, "epoch": epoch}, maker=recipe.name,
            digest=loaded.digest,
        )  # fmt: skip

    trained = train_editor(
        learner, loop, training, out, device=chosen, draw=draw, shown=parts.validation or parts.training
    )
    about = {
        "licence": _licence(request, identity),
        "training": {
            **asdict(loop), "steps": trained.steps, "seconds": round(trained.seconds, 1), "losses": trained.losses,
            "device": chosen, "hardware": _hardware(chosen),
        },
        "identity_network": None if identity is None else {"name": identity.name, "sha256": identity.sha256},
        "data": {
            "source": sorted({source.kind for source in request.sources}),
            "paths": [str(source.path) for source in request.sources],
            "digest": loaded.digest,
            "max_yaw_deg": request.max_yaw_deg,
            **{name: _counts(part) for name, part in _named(parts).items()},
            "turned_down": sum(one.count for one in loaded.rejected),
        },
        "people": _people(parts),
        "version": synth_affect.__version__,
    }  # fmt: skip
    if recipe.score is not None and len(parts.test):
        about["test"] = dict(recipe.score(settings, EditorWeights(out / WEIGHTS, trained.state), parts.test))
    return save_editor(out / WEIGHTS, recipe, settings, trained.state, about)


def _named(parts: EditorParts) -> Mapping[str, EditorFaces]:
    return {"train": parts.training, "validation": parts.validation, "test": parts.test}


def _counts(faces: EditorFaces) -> dict[str, Any]:
    return {"pictures": len(faces), "people": len(np.unique(faces.subjects)), "categories": category_counts(faces)}


def _people(parts: EditorParts) -> dict[str, list[str]] | None:
    names = {name: sorted({str(subject) for subject in part.subjects}) for name, part in _named(parts).items()}
    return names if sum(map(len, names.values())) <= MOST_NAMED else None


def _licence(request: TrainEditorRequest, identity: IdentityFeatures | None) -> str:
    if identity is not None and identity.licence == VGG_FACE_LICENCE:
        return VGG_FACE_LICENCE
    rendered = all(source.kind == RENDERED for source in request.sources)
    own = identity is None or identity.licence == RENDERED_LICENCE
    return RENDERED_LICENCE if rendered and own else GATED_LICENCE


def _hardware(device: str) -> str:
    torch = import_optional("torch", EXTRA)
    if device != "cpu":
        return str(torch.cuda.get_device_name())
    threads = torch.get_num_threads()
    return f"{platform.machine()} CPU, {threads} {'thread' if threads == 1 else 'threads'}"
