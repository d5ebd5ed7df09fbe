"""Figures 4 to 6 and table 1 of Siddiqui 2022, with a trained FExGAN.

`fig4`    random samples: z drawn from N(0, 1), each class.
`fig5`    neutral pictures of people, transformed to each class.
`fig6`    mixtures of two expressions: a label with half of each.
`table1`  the discriminator: real pictures taken for real, made ones for made, and the classes of both, right; on
          people who were trained on and people who were not.

Pictures are the crops that the decoder gave, not pasted back.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from PIL import Image

from synth_affect.affect import Emotion
from synth_affect.editors.faces import CATEGORIES, EditorFaces
from synth_affect.editors.fexgan.settings import CLASSES, FexganSettings
from synth_affect.editors.fexgan.targets import CLASS_OF_CATEGORY
from synth_affect.editors.fexgan.trained import TrainedFexgan, one_hot
from synth_affect.errors import InputError
from synth_affect.pipelines.reproduce.experiment import Experiment, Materials, Result
from synth_affect.pipelines.reproduce.sheets import tile_sheet

MIXTURES = (
    (Emotion.ANGER, Emotion.SADNESS),
    (Emotion.HAPPINESS, Emotion.DISGUST),
    (Emotion.FEAR, Emotion.SURPRISE),
)
PAPERS_TABLE = {
    "training": {"real_binary": 0.981, "real_class": 1.0, "made_binary": 0.998, "made_class": 0.994},
    "test": {"real_binary": 0.913, "real_class": 0.997, "made_binary": 1.0, "made_class": 0.995},
}
"""On FERG-DB, six characters, which are in both parts."""
SHEET_PEOPLE, MOST_JUDGED = 6, 700


def draw_samples(editor: TrainedFexgan, seed: int = 0) -> Image.Image:
    """Figure 4: a row a drawn code, a column a class."""
    codes = np.random.default_rng([seed, 4]).standard_normal((SHEET_PEOPLE, editor.settings.code))
    columns = [editor.sample(codes, one_hot([number])) for number in range(len(CLASSES))]
    return tile_sheet(columns, list(CLASSES))


def draw_transformations(editor: TrainedFexgan, faces: EditorFaces) -> Image.Image:
    """Figure 5: a row a person; their neutral picture, then each class."""
    pictures = _neutral(faces)
    columns = [pictures, *(editor.edit(pictures, one_hot([number])) for number in range(len(CLASSES)))]
    return tile_sheet(columns, ["input", *CLASSES])


def draw_mixtures(editor: TrainedFexgan, faces: EditorFaces) -> Image.Image:
    """Figure 6: a row a person; for each mixture its one part, both, and the other part."""
    pictures = _neutral(faces)
    columns, heads = [pictures], ["input"]
    for one, other in MIXTURES:
        numbers = CLASSES.index(one), CLASSES.index(other)
        for shares, head in (((numbers[0],), one), (numbers, "both"), ((numbers[1],), other)):
            columns.append(editor.edit(pictures, one_hot(shares)))
            heads.append(str(head))
    return tile_sheet(columns, heads)


def discriminator_table(editor: TrainedFexgan, faces: EditorFaces, seed: int = 0) -> dict[str, float]:
    """A row of table 1. Each of up to MOST_JUDGED faces is judged as it is, and transformed to a drawn class."""
    classes = CLASS_OF_CATEGORY[faces.categories]
    shown = np.flatnonzero(classes >= 0)[:MOST_JUDGED]
    if not len(shown):
        raise InputError("--data", f"has no picture of {', '.join(CLASSES)}")
    pictures, truth = faces.pictures[shown], classes[shown]
    real, named = editor.judge(pictures)
    asked = np.random.default_rng([seed, 1]).integers(0, len(CLASSES), len(shown))
    made = np.empty_like(pictures)
    for number in range(len(CLASSES)):
        own = asked == number
        if own.any():
            made[own] = editor.edit(pictures[own], one_hot([number]))
    made_real, made_named = editor.judge(made)
    return {
        "pictures": len(shown),
        "real_binary": float(real.mean()),
        "real_class": float((named == truth).mean()),
        "made_binary": float((~made_real).mean()),
        "made_class": float((made_named == asked).mean()),
    }


def _neutral(faces: EditorFaces) -> Any:
    """The neutral picture of each of the first people who have one."""
    own = np.flatnonzero(faces.categories == CATEGORIES.index(Emotion.NEUTRAL))
    if not len(own):
        raise InputError("--data", "has no neutral picture")
    return faces.pictures[own[np.unique(faces.people[own], return_index=True)[1]][:SHEET_PEOPLE]]


def _open(materials: Materials) -> TrainedFexgan:
    settings = materials.stored.settings
    assert isinstance(settings, FexganSettings)
    return TrainedFexgan(settings, materials.stored.weights, materials.device)


def _table_1(materials: Materials) -> Result:
    editor, parts = _open(materials), materials.parts
    rows = {"test": discriminator_table(editor, parts.test, materials.seed)}
    if len(parts.training):
        rows["training"] = discriminator_table(editor, parts.training, materials.seed)
    return Result(figures={"ours": rows, "paper": PAPERS_TABLE})


EXPERIMENTS = {
    "fig4": Experiment("random samples of each class", lambda m: Result(draw_samples(_open(m), m.seed))),
    "fig5": Experiment(
        "neutral pictures transformed to each class", lambda m: Result(draw_transformations(_open(m), m.parts.test))
    ),
    "fig6": Experiment("mixtures of two expressions", lambda m: Result(draw_mixtures(_open(m), m.parts.test))),
    "table1": Experiment("how well the discriminator tells real from made, and classes", _table_1),
}
