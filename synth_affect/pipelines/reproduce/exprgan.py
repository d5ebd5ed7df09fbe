"""Figures 2 to 7 and table 1 of Ding, Sricharan, Chellappa 2018, with a trained ExprGAN.

`fig2`    edits: c of the class 1, all others -1.
`fig3`    intensities: the class from -1, where nothing is left of it and the picture is neutral, to 1.
`fig4`    transfer: a classifier names the class of B, Q reads how strong each of its numbers is, and A is decoded so.
`fig5`    new identities: noise as the code, with each class.
`table1`  accuracy of a classifier (G_enc and FC 6) on people whom nothing was trained on, with more and more made
          pictures among those that it learns from.
`fig6`    t-SNE of the codes g(x): by expression they should not part, by person they should.
`fig7`    retrieval by Euclidean distance: on c as Q reads it, on y as the classifier does, on pixels; among the
          pictures of other people.

Pictures are the crops that G_dec gave, not pasted back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from synth_affect.arrays import FloatArray
from synth_affect.editors.exprgan.classifier import ExpressionClassifier, make_labelled
from synth_affect.editors.exprgan.controller import CLASS_OF_CATEGORY, controller_at
from synth_affect.editors.exprgan.settings import CLASSES, ExprGanSettings
from synth_affect.editors.exprgan.trained import Pictures, TrainedExprGan
from synth_affect.editors.faces import EditorFaces
from synth_affect.errors import InputError
from synth_affect.optional import import_optional
from synth_affect.pipelines.reproduce.experiment import Experiment, Materials, Progress, Result
from synth_affect.pipelines.reproduce.sheets import point_map, tile_sheet

LEVELS = (-1.0, -0.6, -0.2, 0.2, 0.6, 1.0)
PAPERS_COUNTS = (0, 3_000, 6_000, 30_000, 60_000)
PAPERS_ACCURACY = (0.7778, 0.7847, 0.8194, 0.8472, 0.8472)
"""Of table 1, on 144 pictures of Oulu-CASIA."""
CLASSIFIER_STEPS = 200
SHEET_PEOPLE, FOUND = 6, 5
MOST_MAPPED = 600

Classes = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Expressions:
    """Pictures of the six classes, and who shows them.

    pictures : (n, size, size, 3) uint8.  classes : (n,) numbers in CLASSES.  people : (n,) numbers.
    """

    pictures: Pictures
    classes: Classes
    people: npt.NDArray[np.int64]


def expressions(faces: EditorFaces) -> Expressions:
    """Those of `faces` that show one of the six. Raises InputError when none does."""
    classes = CLASS_OF_CATEGORY[faces.categories]
    chosen = np.flatnonzero(classes >= 0)
    if not len(chosen):
        raise InputError("--data", f"has no picture of {', '.join(CLASSES)}")
    return Expressions(faces.pictures[chosen], classes[chosen], faces.people[chosen])


def draw_edits(editor: TrainedExprGan, faces: EditorFaces) -> Image.Image:
    """Figure 2: a row a person; the picture, then each class."""
    pictures = _one_each(faces)
    codes = editor.encode(pictures)
    columns = [pictures, *(_decode_all(editor, codes, number, 1.0) for number in range(len(CLASSES)))]
    return tile_sheet(columns, ["input", *CLASSES])


def draw_intensities(editor: TrainedExprGan, faces: EditorFaces) -> Image.Image:
    """Figure 3: a row a class, each of another person; the picture, then LEVELS of the class."""
    pictures = _one_each(faces, len(CLASSES))
    pictures = pictures[np.arange(len(CLASSES)) % len(pictures)]
    codes = editor.encode(pictures)
    columns = [pictures]
    for level in LEVELS:
        asked = np.stack([controller_at(k, level, editor.settings.controller) for k in range(len(CLASSES))])
        columns.append(editor.decode(codes, asked))
    heads = ["neutral" if level == LEVELS[0] else f"{level:+.1f}" for level in LEVELS]
    return tile_sheet(columns, ["input", *heads], sides=list(CLASSES))


def draw_transfer(
    editor: TrainedExprGan, faces: EditorFaces, classifier: ExpressionClassifier
) -> tuple[Image.Image, dict[str, Any]]:
    """Figure 4: a row is a person A, a column the expression of B, who is on top; and how often B's class was seen."""
    shown = expressions(faces)
    of_a = _one_each(faces)
    of_b = np.array([np.flatnonzero(shown.classes == k)[-1] for k in range(len(CLASSES)) if (shown.classes == k).any()])
    pictures_b = shown.pictures[of_b]
    seen = classifier.probabilities(pictures_b).argmax(axis=1)
    d = editor.settings.controller
    read = editor.read_controllers(pictures_b).reshape(len(of_b), len(CLASSES), d)
    strength = np.clip(np.abs(read[np.arange(len(of_b)), seen]), 0, 1)
    controllers = -np.repeat(strength[:, np.newaxis], len(CLASSES), axis=1)
    controllers[np.arange(len(of_b)), seen] = strength
    controllers = controllers.reshape(len(of_b), -1).astype(np.float32)
    codes = editor.encode(of_a)
    white = np.full_like(of_a[:1], 255)
    columns = [np.concatenate([white, of_a])]
    for picture, controller in zip(pictures_b, controllers, strict=True):
        made = editor.decode(codes, np.repeat(controller[np.newaxis], len(codes), axis=0))
        columns.append(np.concatenate([picture[np.newaxis], made]))
    heads = [f"{CLASSES[truth]}" for truth in shown.classes[of_b]]
    figures = {
        "transferred": [
            {"shown": str(CLASSES[truth]), "seen": str(CLASSES[named]), "strength": round(float(own.mean()), 3)}
            for truth, named, own in zip(shown.classes[of_b], seen, strength, strict=True)
        ]
    }
    return tile_sheet(columns, ["", *heads], sides=["B", *["A"] * len(of_a)]), figures


def draw_new_people(editor: TrainedExprGan, seed: int = 0) -> Image.Image:
    """Figure 5: a row a person whom nobody is; each class."""
    codes = editor.draw_codes(SHEET_PEOPLE, np.random.default_rng([seed, 5]))
    columns = [_decode_all(editor, codes, number, 1.0) for number in range(len(CLASSES))]
    return tile_sheet(columns, list(CLASSES))


def augmentation_table(
    editor: TrainedExprGan,
    training: EditorFaces,
    test: EditorFaces,
    progress: Progress,
    *,
    counts: Sequence[int] = PAPERS_COUNTS,
    steps: int = CLASSIFIER_STEPS,
    seed: int = 0,
) -> list[dict[str, Any]]:
    """Table 1: for each count of made pictures the accuracy on `test`, and the paper's where it has that count."""
    learnt, tested = expressions(training), expressions(test)
    rows = []
    for count in progress(counts, len(counts), "training"):
        made = make_labelled(editor, count, seed) if count else None
        classifier = ExpressionClassifier(editor, learnt.pictures, learnt.classes, made=made, steps=steps, seed=seed)
        right = classifier.probabilities(tested.pictures).argmax(axis=1) == tested.classes
        paper = dict(zip(PAPERS_COUNTS, PAPERS_ACCURACY, strict=True)).get(count)
        rows.append({"made": int(count), "real": len(learnt.classes), "accuracy": float(right.mean()), "paper": paper})
    return rows


def draw_codes(editor: TrainedExprGan, faces: EditorFaces, seed: int = 0) -> tuple[Image.Image, dict[str, Any]]:
    """Figure 6: t-SNE of g(x), coloured by expression; and how often the nearest code of another picture is of the same
    expression, and of the same person.
    """
    manifold = import_optional("sklearn.manifold", "train")
    shown = expressions(faces)
    if len(shown.classes) < 3:
        raise InputError("--data", "three pictures are the least of which a map is drawn")
    codes = editor.encode(shown.pictures[:MOST_MAPPED])
    classes, people = shown.classes[:MOST_MAPPED], shown.people[:MOST_MAPPED]
    perplexity = min(30.0, (len(codes) - 1) / 3)
    places = manifold.TSNE(perplexity=perplexity, init="pca", random_state=seed).fit_transform(codes)
    nearest = _distances(codes, codes)
    np.fill_diagonal(nearest, np.inf)
    first = nearest.argmin(axis=1)
    return point_map(places, classes, CLASSES), {
        "pictures": len(codes),
        "nearest_of_same_expression": float((classes[first] == classes).mean()),
        "chance_of_same_expression": _chance(classes),
        "nearest_of_same_person": float((people[first] == people).mean()),
        "chance_of_same_person": _chance(people),
    }


def draw_retrieval(
    editor: TrainedExprGan, faces: EditorFaces, classifier: ExpressionClassifier
) -> tuple[Image.Image, dict[str, Any]]:
    """Figure 7: for a picture of each class those nearest to it by c, by y and by pixels; and over all pictures the
    share of the FOUND nearest that are of their class.
    """
    shown = expressions(faces)
    pixels = shown.pictures.reshape(len(shown.pictures), -1).astype(np.float32)
    spaces = {
        "c": editor.read_controllers(shown.pictures),
        "y": classifier.probabilities(shown.pictures),
        "pixels": pixels,
    }
    same_person = shown.people[:, np.newaxis] == shown.people
    if not (~same_person).sum(axis=1).min() >= FOUND:
        raise InputError("--data", f"too few people: {FOUND} pictures of others are looked for")
    queries = [np.flatnonzero(shown.classes == k)[0] for k in range(len(CLASSES)) if (shown.classes == k).any()]
    shares: dict[str, float] = {}
    columns: list[Pictures] = [shown.pictures[queries]]
    heads = ["query"]
    for name, features in spaces.items():
        distances = np.where(same_person, np.inf, _distances(features, features))
        order = np.argsort(distances, axis=1, kind="stable")[:, :FOUND]
        shares[name] = float((shown.classes[order] == shown.classes[:, np.newaxis]).mean())
        for place in range(FOUND):
            columns.append(shown.pictures[order[queries, place]])
            heads.append(f"{name} {place + 1}")
    sides = [CLASSES[shown.classes[query]] for query in queries]
    figures = {"pictures": len(shown.classes), "same_class_of_nearest": shares, "chance": _chance(shown.classes)}
    return tile_sheet(columns, heads, sides=list(sides)), figures


def _one_each(faces: EditorFaces, n: int = SHEET_PEOPLE) -> Pictures:
    """The first picture of each of the first n people."""
    return faces.pictures[np.unique(faces.people, return_index=True)[1][:n]]


def _decode_all(editor: TrainedExprGan, codes: FloatArray, number: int, level: float) -> Pictures:
    controller = controller_at(number, level, editor.settings.controller)
    return editor.decode(codes, np.repeat(controller[np.newaxis], len(codes), axis=0))


def _distances(one: FloatArray, other: FloatArray) -> FloatArray:
    """(n, m) squared Euclidean distances."""
    squares = (one.astype(np.float64) ** 2).sum(axis=1)[:, np.newaxis] + (other.astype(np.float64) ** 2).sum(axis=1)
    distances: FloatArray = squares - 2 * one.astype(np.float64) @ other.astype(np.float64).T
    return distances


def _chance(labels: npt.NDArray[np.int64]) -> float:
    """That another picture, any, has the same label."""
    counts = np.bincount(labels)
    return float((counts * (counts - 1)).sum() / max(len(labels) * (len(labels) - 1), 1))


def _open(materials: Materials) -> TrainedExprGan:
    stored = materials.stored
    return TrainedExprGan(_settings(materials), stored.weights, materials.device)


def _settings(materials: Materials) -> ExprGanSettings:
    settings = materials.stored.settings
    assert isinstance(settings, ExprGanSettings)  # the registry asks for weights of this editor
    return settings


def _classifier(editor: TrainedExprGan, materials: Materials) -> ExpressionClassifier:
    learnt = expressions(materials.parts.training)
    return ExpressionClassifier(editor, learnt.pictures, learnt.classes, steps=CLASSIFIER_STEPS, seed=materials.seed)


def _table_1(materials: Materials) -> Result:
    full = _settings(materials).size >= ExprGanSettings().size
    counts = PAPERS_COUNTS if full else tuple(count // 10 for count in PAPERS_COUNTS)
    rows = augmentation_table(
        _open(materials), materials.parts.training, materials.parts.test, materials.progress,
        counts=counts, steps=CLASSIFIER_STEPS, seed=materials.seed,
    )  # fmt: skip
    return Result(figures={"rows": rows, "test_pictures": len(expressions(materials.parts.test).classes)})


def _figure_4(materials: Materials) -> Result:
    editor = _open(materials)
    return Result(*draw_transfer(editor, materials.parts.test, _classifier(editor, materials)))


def _figure_7(materials: Materials) -> Result:
    editor = _open(materials)
    return Result(*draw_retrieval(editor, materials.parts.test, _classifier(editor, materials)))


EXPERIMENTS = {
    "fig2": Experiment("six people with each of six expressions", lambda m: Result(draw_edits(_open(m), m.parts.test))),
    "fig3": Experiment(
        "each expression from neutral to its most", lambda m: Result(draw_intensities(_open(m), m.parts.test))
    ),
    "fig4": Experiment("one person's expression on others", _figure_4),
    "fig5": Experiment("people whom nobody is", lambda m: Result(draw_new_people(_open(m), m.seed))),
    "fig6": Experiment(
        "t-SNE of the codes, by expression", lambda m: Result(*draw_codes(_open(m), m.parts.test, m.seed))
    ),
    "fig7": Experiment("retrieval by controller, by class and by pixels", _figure_7),
    "table1": Experiment("a classifier with more and more made pictures", _table_1),
}
