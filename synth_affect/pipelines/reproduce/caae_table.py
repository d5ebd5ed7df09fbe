"""Tables III and IV of Lindt et al. 2019: what judges read in real pictures, and in those that a trained CAAE makes.

The judges of valence and of arousal are trained here, on the people whom the editor was trained on, as the paper's
were. They read the tested people's pictures (table III), and each of them with 7 x 7 labels: all, and the four corners,
which the paper calls extreme. They see crops, not pasted back. For judges who learnt from other people there is the
yardstick, `synth-affect evaluate editor --targets labels,corners`.
"""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from synth_affect.affect import grid
from synth_affect.arrays import FloatArray
from synth_affect.editors.caae.settings import CaaeSettings
from synth_affect.editors.faces import EditorFaces
from synth_affect.editors.neural_editor import CropEditor
from synth_affect.pipelines.evaluate_editor.targets import LABEL_STEPS
from synth_affect.pipelines.reproduce.crops import as_crop, as_picture
from synth_affect.pipelines.reproduce.experiment import Materials, Progress, Result
from synth_affect.regressors.metrics import score_affect
from synth_affect.regressors.networks import NetworkSettings, build_network
from synth_affect.regressors.predicting import predict
from synth_affect.regressors.samples import FaceSamples, unlabelled
from synth_affect.regressors.train_settings import TrainSettings
from synth_affect.regressors.training import train_network
from synth_affect.regressors.weight_file import StoredNetwork

JUDGE_EPOCHS = 12
JUDGED_PICTURES = 100
"""Of the tested people, each with 49 labels; the paper has 4,500."""
PAPERS_TABLES = {
    "real": {"rmse": (0.450, 0.411), "sagr": (0.676, 0.708), "ccc": (0.484, 0.405)},
    "all": {"rmse": (0.528, 0.607), "sagr": (0.567, 0.483), "ccc": (0.312, 0.210)},
    "extreme": {"rmse": (0.671, 0.720), "sagr": (0.691, 0.624), "ccc": (0.353, 0.267)},
}
"""Tables III and IV: valence, arousal."""


def judge_generated(materials: Materials) -> Result:
    """Our figures beside the paper's."""
    parts, settings = materials.parts, materials.stored.settings
    assert isinstance(settings, CaaeSettings)
    judges = train_judges(
        parts.training, parts.validation, width=settings.width, seed=materials.seed, device=materials.device
    )
    ours = judge_edits(materials.open_editor(), judges, parts.test, materials.progress)
    return Result(figures={"ours": ours, "paper": PAPERS_TABLES, "order": ["valence", "arousal"]})


def train_judges(faces: EditorFaces, validation: EditorFaces, *, width: int, seed: int, device: str) -> StoredNetwork:
    """`va-cnn` on crops, by its CCC rather than the paper's mean absolute error, which few pictures teach less."""
    network = NetworkSettings("va-cnn", size=faces.size, width=width, batch_norm=True)
    settings = TrainSettings(epochs=JUDGE_EPOCHS, loss="ccc", seed=seed)
    with tempfile.TemporaryDirectory() as folder:
        trained = train_network(network, settings, _samples(faces), _samples(validation), Path(folder), device=device)
    judges = build_network(network)
    judges.load_state_dict(trained.state)
    return StoredNetwork(judges.eval(), network, {})


def judge_edits(editor: CropEditor, judges: StoredNetwork, faces: EditorFaces, progress: Progress) -> dict[str, Any]:
    """Tables III and IV: RMSE, SAGR and CCC (valence, arousal) of `real`, `all` and `extreme`, and how many pictures.

    SAGR counts 0 as a sign of its own.
    """
    labels = grid(LABEL_STEPS)
    asked = np.array([(label.valence, label.arousal) for label in labels])
    n = min(len(faces), JUDGED_PICTURES)
    few = faces.select(np.linspace(0, len(faces) - 1, n).round().astype(np.int64))
    read = []
    for picture in progress(few.pictures, n, "judging"):
        made = as_picture(editor.edit_crops(as_crop(picture), labels))
        read.append(_read(judges, made))
    edited, targets = np.concatenate(read), np.tile(asked, (n, 1))
    extreme = (np.abs(targets) == 1).all(axis=1)
    return {
        "real": _row(few.affect.astype(np.float64), _read(judges, few.pictures)),
        "all": _row(targets, edited),
        "extreme": _row(targets[extreme], edited[extreme]),
    }


def _row(asked: FloatArray, read: FloatArray) -> dict[str, Any]:
    scores = score_affect(asked, read)
    found: dict[str, Any] = {
        name: [getattr(own, name).value for own in (scores.valence, scores.arousal)] for name in ("rmse", "sagr", "ccc")
    }
    return {"pictures": len(asked), **found}


def _read(judges: StoredNetwork, pictures: npt.NDArray[np.uint8]) -> FloatArray:
    found: FloatArray = predict(judges.network, judges.settings, unlabelled(pictures)).astype(np.float64)
    return found


def _samples(faces: EditorFaces) -> FaceSamples:
    return replace(unlabelled(faces.pictures), affect=faces.affect, subjects=faces.subjects, keys=faces.keys)
