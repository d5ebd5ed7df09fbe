"""Figures 6 to 8, 10 and 11 of Barradas-Chacon, Salvador, Werner, and what became of their comparator.

`classifier:fig6`  t-SNE of the classifier's last dense layer.
`siamese:accuracy` how well the comparator tells pairs of people whom it never saw; theirs stayed at .5.
`fader:fig7`       mean activation of each latent, emotion by emotion.
`fader:fig8`       for each emotion the latent that it raises most, in six equal steps between the least and the largest
                   that were seen, the others as on the mean neutral face.
`beta-vae:fig10`   distributions of the seven latents, emotion by emotion.
`beta-vae:fig11`   each axis from where its emotion is least to where it is most, the others 0.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from synth_affect.arrays import FloatArray
from synth_affect.editors.beta_vae.latents import latent_figures
from synth_affect.editors.beta_vae.networks import AXES
from synth_affect.editors.beta_vae.settings import BetaVaeSettings
from synth_affect.editors.beta_vae.trained import TrainedBetaVae
from synth_affect.editors.expression_classifier.augmentation import NEUTRAL, labels_of
from synth_affect.editors.expression_classifier.reading import Readings, accuracy, read_expressions
from synth_affect.editors.expression_classifier.settings import CLASSES, EMOTIONS, ClassifierSettings
from synth_affect.editors.faces import EditorFaces
from synth_affect.editors.fader.settings import FaderSettings
from synth_affect.editors.fader.trained import TrainedFader
from synth_affect.editors.siamese_vae.comparing import comparison_accuracy
from synth_affect.editors.siamese_vae.settings import SiameseSettings
from synth_affect.errors import InputError
from synth_affect.optional import import_optional
from synth_affect.pipelines.drawing import FAINT_INK, blank, write
from synth_affect.pipelines.reproduce.experiment import Experiment, Materials, Result
from synth_affect.pipelines.reproduce.sheets import HEAD_PX, INKS, SIDE_PX, TEXT_PX, bar_rows, point_map, tile_sheet

MOST_MAPPED = 600
STEPS = 6
BINS, PANEL_PX = 40, (200, 72)
SHOWN_LATENTS = 24


def shown_classes(faces: EditorFaces) -> EditorFaces:
    """Those of the paper's classes. Raises InputError when there is no neutral one, or no other."""
    found = labels_of(faces.categories)
    if not (found == NEUTRAL).any() or not ((found >= 0) & (found != NEUTRAL)).any():
        raise InputError("--data", "needs neutral pictures, and others of the paper's classes")
    return faces.select(found >= 0)


def draw_features(readings: Readings, faces: EditorFaces, seed: int = 0) -> tuple[Image.Image, dict[str, Any]]:
    """Classifier, figure 6; and the accuracy. readings : of `faces`, all of the paper's classes."""
    manifold = import_optional("sklearn.manifold", "train")
    if len(faces) < 4:
        raise InputError("--data", "four pictures are the least of which a map is drawn")
    features, labels = readings.features[:MOST_MAPPED], labels_of(faces.categories)[:MOST_MAPPED]
    perplexity = min(30.0, (len(features) - 1) / 3)
    places = manifold.TSNE(perplexity=perplexity, init="pca", random_state=seed).fit_transform(features)
    share, confusion = accuracy(readings.probabilities, faces)
    centres = {CLASSES[k]: places[labels == k].mean(axis=0) for k in range(len(CLASSES)) if (labels == k).any()}
    middle = np.mean(list(centres.values()), axis=0)
    away = {name: float(np.linalg.norm(centre - middle)) for name, centre in centres.items()}
    figures = {
        "accuracy": share,
        "confusion": confusion.tolist(),
        "distance_from_the_middle": {str(name): round(distance, 2) for name, distance in away.items()},
        "nearest_the_middle": str(min(away, key=lambda name: away[name])),
    }
    return point_map(places, labels, list(CLASSES)), figures


def draw_activations(fader: TrainedFader, faces: EditorFaces) -> tuple[Image.Image, dict[str, Any]]:
    """Fader, figure 7: the latents that differ most between classes, a row a class."""
    means = _class_means(fader.encode(faces.pictures), faces)
    chosen = np.argsort(-np.ptp(means, axis=0), kind="stable")[:SHOWN_LATENTS]
    sheet = bar_rows(means[:, chosen], list(CLASSES), [str(number) for number in chosen], (24, 26))
    silent = int((means.max(axis=0) <= 1e-6).sum())
    return sheet, {"latents": means.shape[1], "silent": silent, "shown": chosen.tolist()}


def draw_traversals(fader: TrainedFader, faces: EditorFaces) -> tuple[Image.Image, dict[str, Any]]:
    """Fader, figure 8: a row an emotion, six steps of the latent that it raises most above neutral."""
    latents = fader.encode(faces.pictures)
    means = _class_means(latents, faces)
    low, high = latents.min(axis=0), latents.max(axis=0)
    rows, sides, chosen = [], [], {}
    for emotion in EMOTIONS:
        number = CLASSES.index(emotion)
        if not (labels_of(faces.categories) == number).any():
            continue
        raised = int((means[number] - means[NEUTRAL]).argmax())
        asked = np.repeat(means[NEUTRAL][np.newaxis], STEPS, axis=0)
        asked[:, raised] = np.linspace(low[raised], high[raised], STEPS)
        rows.append(fader.decode(asked))
        sides.append(str(emotion))
        chosen[str(emotion)] = raised
    columns = [np.stack([row[step] for row in rows]) for step in range(STEPS)]
    heads = ["least", *[""] * (STEPS - 2), "largest"]
    return tile_sheet(columns, heads, sides), {"loss": fader.settings.loss, "latent_of": chosen}


def draw_latents(vae: TrainedBetaVae, faces: EditorFaces) -> tuple[Image.Image, dict[str, Any]]:
    """Beta-VAE, figure 10: a row a class, a panel a latent; the line is 0."""
    latents, labels = vae.encode(faces.pictures), labels_of(faces.categories)
    width, height = PANEL_PX
    reach = float(np.abs(latents).max()) or 1.0
    edges = np.linspace(-reach, reach, BINS + 1)
    sheet = blank(HEAD_PX + len(CLASSES) * height, SIDE_PX + AXES * width)
    draw = ImageDraw.Draw(sheet)
    for axis in range(AXES):
        write(draw, (SIDE_PX + (axis + 0.5) * width, HEAD_PX / 2), f"axis of {CLASSES[axis]}", TEXT_PX, ink=FAINT_INK)
        for number in range(len(CLASSES)):
            left, bottom = SIDE_PX + axis * width, HEAD_PX + (number + 1) * height
            draw.line((left + width / 2, bottom - height, left + width / 2, bottom), fill=(220, 220, 220))
            counts = np.histogram(latents[labels == number, axis], edges)[0]
            for place, count in enumerate(counts / max(counts.max(), 1)):
                x = left + place * width / BINS
                if count:
                    draw.rectangle((x, bottom - count * (height - 6), x + width / BINS - 1, bottom), fill=INKS[number])
    for number, name in enumerate(CLASSES):
        write(draw, (SIDE_PX - 6, HEAD_PX + (number + 0.5) * height), name, TEXT_PX, anchor="rm", ink=INKS[number])
    return sheet, latent_figures(latents, faces)


def draw_axes(vae: TrainedBetaVae, faces: EditorFaces) -> tuple[Image.Image, dict[str, Any]]:
    """Beta-VAE, figure 11: a row an axis, six steps from the least to the largest that was seen; the seventh is 0."""
    latents = vae.encode(faces.pictures)
    rows = []
    for axis in range(AXES):
        asked = np.zeros((STEPS + 1, AXES), dtype=np.float32)
        asked[:STEPS, axis] = np.linspace(latents[:, axis].min(), latents[:, axis].max(), STEPS)
        rows.append(vae.decode(asked))
    columns = [np.stack([row[step] for row in rows]) for step in range(STEPS + 1)]
    heads = ["least", *[""] * (STEPS - 2), "largest", "origin"]
    return tile_sheet(columns, heads, [str(name) for name in CLASSES]), latent_figures(latents, faces)


def _class_means(values: FloatArray, faces: EditorFaces) -> FloatArray:
    """(classes, n) float32; zeros for a class that is not shown."""
    labels = labels_of(faces.categories)
    means = np.zeros((len(CLASSES), values.shape[1]), dtype=np.float32)
    for number in range(len(CLASSES)):
        if (labels == number).any():
            means[number] = values[labels == number].mean(axis=0)
    return means


def _classifier_6(materials: Materials) -> Result:
    settings, faces = materials.stored.settings, shown_classes(materials.parts.test)
    assert isinstance(settings, ClassifierSettings)
    readings = read_expressions(settings, materials.stored.weights, faces.pictures, materials.device)
    return Result(*draw_features(readings, faces, materials.seed))


def _siamese_accuracy(materials: Materials) -> Result:
    settings, weights = materials.stored.settings, materials.stored.weights
    assert isinstance(settings, SiameseSettings)
    parts = {"test": materials.parts.test, "training": materials.parts.training}
    figures = {
        name: comparison_accuracy(settings, weights, faces, materials.seed, materials.device)
        for name, faces in parts.items()
        if len(faces)
    }
    return Result(figures={"accuracy": figures, "pairing": settings.pairing, "chance": 0.5, "paper": {"test": 0.5}})


def _of_fader(draw: Callable[[TrainedFader, EditorFaces], tuple[Image.Image, dict[str, Any]]]) -> Any:
    def run(materials: Materials) -> Result:
        settings = materials.stored.settings
        assert isinstance(settings, FaderSettings)
        fader = TrainedFader(settings, materials.stored.weights, materials.device)
        return Result(*draw(fader, shown_classes(materials.parts.test)))

    return run


def _of_vae(draw: Callable[[TrainedBetaVae, EditorFaces], tuple[Image.Image, dict[str, Any]]]) -> Any:
    def run(materials: Materials) -> Result:
        settings = materials.stored.settings
        assert isinstance(settings, BetaVaeSettings)
        vae = TrainedBetaVae(settings, materials.stored.weights, materials.device)
        return Result(*draw(vae, shown_classes(materials.parts.test)))

    return run


CLASSIFIER = {"fig6": Experiment("t-SNE of the last dense layer, and the accuracy", _classifier_6)}
SIAMESE = {"accuracy": Experiment("how well the comparator tells pairs of one emotion from others", _siamese_accuracy)}
FADER = {
    "fig7": Experiment("mean activations of the latents, emotion by emotion", _of_fader(draw_activations)),
    "fig8": Experiment("six steps of the latent that an emotion raises most", _of_fader(draw_traversals)),
}
BETA_VAE = {
    "fig10": Experiment("distributions of the seven latents", _of_vae(draw_latents)),
    "fig11": Experiment("each axis from the least to the largest", _of_vae(draw_axes)),
}
