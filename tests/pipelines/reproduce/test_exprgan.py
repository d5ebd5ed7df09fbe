"""The figures of ExprGAN with weights that were drawn, and with rooms in which the answer is known."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from synth_affect.editors.exprgan.classifier import ExpressionClassifier, make_labelled
from synth_affect.editors.exprgan.controller import controller_at
from synth_affect.editors.exprgan.crop_editor import PARTS
from synth_affect.editors.exprgan.networks import build_networks
from synth_affect.editors.exprgan.recipe import RECIPE
from synth_affect.editors.exprgan.settings import CLASSES, ExprGanSettings
from synth_affect.editors.exprgan.trained import TrainedExprGan
from synth_affect.editors.faces import CATEGORIES, MIXED, EditorFaces
from synth_affect.editors.weights import EditorWeights, StoredEditor
from synth_affect.errors import InputError
from synth_affect.pipelines.reproduce import exprgan
from synth_affect.pipelines.reproduce.experiment import Materials
from synth_affect.pipelines.reproduce.registry import open_experiment
from synth_affect.pipelines.reproduce.sheets import GAP_PX, HEAD_PX, SIDE_PX, TILE_PX
from synth_affect.pipelines.training.editor_faces import EditorParts

torch = pytest.importorskip("torch")
TINY = ExprGanSettings(
    size=32, code=6, encoder=(8, 16), decoder=(8, 8, 8, 8), discriminator=(4, 8), shared=16, branch=4, batch=16,
    learning_rate=5e-3,
)  # fmt: skip
STEP = TILE_PX + GAP_PX


def weights() -> EditorWeights:
    torch.manual_seed(3)
    networks = build_networks(TINY)
    state: dict[str, Any] = {}
    for part in PARTS:
        state |= {f"{part}.{name}": tensor for name, tensor in getattr(networks, part).state_dict().items()}
    return EditorWeights(Path("w.safetensors"), state)


def some_faces(n_people: int = 8, size: int = 32) -> EditorFaces:
    """Each person shows the six, a mixture and neutral: a bright band at a height of its own, in a little noise."""
    rng = np.random.default_rng(0)
    numbers = [*(CATEGORIES.index(emotion) for emotion in CLASSES), MIXED, 0]
    n = n_people * len(numbers)
    band = size // len(numbers)
    bright = np.arange(size) // band == np.tile(np.arange(len(numbers)), n_people)[:, np.newaxis]
    shade = np.where(bright, 250, 60)[:, :, np.newaxis, np.newaxis]
    return EditorFaces(
        pictures=np.clip(shade + rng.normal(0, 5, (n, size, size, 3)), 0, 255).astype(np.uint8),
        affect=np.full((n, 2), np.nan),
        categories=np.tile(numbers, n_people),
        subjects=np.repeat([f"p{person}" for person in range(n_people)], len(numbers)),
        keys=np.array([f"k{i}" for i in range(n)]),
    )


def plain(items: Iterable[Any], _: int, __: str) -> Iterable[Any]:
    return items


@pytest.fixture(scope="module")
def editor() -> TrainedExprGan:
    return TrainedExprGan(TINY, weights(), "cpu")


@pytest.fixture(scope="module")
def classifier(editor: TrainedExprGan) -> ExpressionClassifier:
    shown = exprgan.expressions(some_faces())
    return ExpressionClassifier(editor, shown.pictures, shown.classes, steps=60)


def tile(sheet: Any, row: int, column: int, left: int = 0) -> Any:
    y, x = HEAD_PX + row * STEP, left + column * STEP
    return np.asarray(sheet)[y : y + TILE_PX, x : x + TILE_PX]


def test_arrays_are_as_the_networks_have_them(editor: TrainedExprGan) -> None:
    pictures = some_faces().pictures
    codes = editor.encode(pictures)
    assert codes.shape == (64, 6)
    assert codes.dtype == np.float32
    assert editor.read_controllers(pictures).shape == (64, 30)
    controllers = np.repeat(controller_at(2, 1.0, 5)[np.newaxis], 70, axis=0)
    made = editor.decode(np.repeat(codes[:1], 70, axis=0), controllers)  # more than a batch
    assert made.shape == (70, 32, 32, 3)
    assert made.dtype == np.uint8
    with torch.no_grad():
        wanted = editor.networks.decoder(torch.from_numpy(codes[:1]), torch.from_numpy(controllers[:1]))[0]
    np.testing.assert_allclose(made[-1], (wanted.permute(1, 2, 0).numpy() + 1) * 127.5, atol=0.51)


def test_made_pictures_are_of_the_classes_in_turn(editor: TrainedExprGan) -> None:
    before = torch.get_rng_state()
    pictures, classes = make_labelled(editor, 14, seed=1)
    assert torch.equal(torch.get_rng_state(), before)
    assert (pictures.shape, classes.tolist()) == ((14, 32, 32, 3), [*range(6), *range(6), 0, 1])
    np.testing.assert_array_equal(make_labelled(editor, 14, seed=1)[0], pictures)
    assert not np.array_equal(make_labelled(editor, 14, seed=2)[0], pictures)


def test_the_classifier_learns_and_leaves_the_editor_alone(editor: TrainedExprGan) -> None:
    shown = exprgan.expressions(some_faces())
    before = editor.encode(shown.pictures)
    made = (255 - shown.pictures, shown.classes)
    alone = ExpressionClassifier(editor, shown.pictures, shown.classes, steps=60)
    both = ExpressionClassifier(editor, shown.pictures, shown.classes, made=made, steps=1)
    np.testing.assert_array_equal(editor.encode(shown.pictures), before)
    found = alone.probabilities(shown.pictures)
    assert found.shape == (48, 6)
    np.testing.assert_allclose(found.sum(axis=1), 1, atol=1e-5)
    assert (found.argmax(axis=1) == shown.classes).mean() > 0.8
    assert not np.allclose(both.probabilities(shown.pictures), found, atol=1e-3)


def test_only_the_six_are_expressions() -> None:
    shown = exprgan.expressions(some_faces(2))
    assert shown.classes.tolist() == [*range(6)] * 2
    assert shown.people.tolist() == [0] * 6 + [1] * 6
    neutral = np.flatnonzero(some_faces(2).categories <= 0)
    with pytest.raises(InputError, match="has no picture of anger"):
        exprgan.expressions(some_faces(2).select(neutral))


def test_edits_have_a_row_a_person_and_a_column_a_class(editor: TrainedExprGan) -> None:
    faces = some_faces(4)
    sheet = exprgan.draw_edits(editor, faces)
    assert sheet.size == (7 * STEP, HEAD_PX + 4 * STEP)
    assert abs(tile(sheet, 1, 0).mean() - faces.pictures[8].mean()) < 1
    code = editor.encode(faces.pictures[8:9])
    wanted = editor.decode(code, controller_at(4, 1.0, 5)[np.newaxis])[0]
    assert abs(tile(sheet, 1, 1 + 4).astype(float).mean() - wanted.mean()) < 1


def test_intensities_begin_with_neutral_for_every_class(editor: TrainedExprGan) -> None:
    faces = some_faces(1)  # one person for all rows
    sheet = exprgan.draw_intensities(editor, faces)
    assert sheet.size == (SIDE_PX + 7 * STEP, HEAD_PX + 6 * STEP)
    first = [tile(sheet, row, 1, SIDE_PX) for row in range(6)]
    assert all(np.array_equal(first[0], other) for other in first)
    assert not np.array_equal(tile(sheet, 0, 6, SIDE_PX), tile(sheet, 1, 6, SIDE_PX))


def test_transfer_takes_the_class_from_b(editor: TrainedExprGan, classifier: ExpressionClassifier) -> None:
    sheet, figures = exprgan.draw_transfer(editor, some_faces(), classifier)
    assert sheet.size == (SIDE_PX + 7 * STEP, HEAD_PX + 7 * STEP)
    rows = figures["transferred"]
    assert [row["shown"] for row in rows] == list(CLASSES)
    assert sum(row["shown"] == row["seen"] for row in rows) >= 4
    assert all(0 <= row["strength"] <= 1 for row in rows)


def test_new_people_follow_the_seed(editor: TrainedExprGan) -> None:
    sheet = np.asarray(exprgan.draw_new_people(editor, seed=1))
    np.testing.assert_array_equal(sheet, np.asarray(exprgan.draw_new_people(editor, seed=1)))
    assert not np.array_equal(sheet, np.asarray(exprgan.draw_new_people(editor, seed=2)))


def test_the_table_has_the_papers_rows_beside_ours(editor: TrainedExprGan) -> None:
    faces = some_faces()
    rows = exprgan.augmentation_table(editor, faces, faces, plain, counts=(0, 12, 3000), steps=2)
    assert [(row["made"], row["paper"]) for row in rows] == [(0, 0.7778), (12, None), (3000, 0.7847)]
    assert all(row["real"] == 48 and 0 <= row["accuracy"] <= 1 for row in rows)


def test_the_map_counts_neighbours(editor: TrainedExprGan) -> None:
    sheet, figures = exprgan.draw_codes(editor, some_faces())
    assert sheet.size[0] > 0
    assert figures["pictures"] == 48
    assert figures["nearest_of_same_expression"] > 0.8  # a band's place, which any code keeps
    assert figures["chance_of_same_expression"] == pytest.approx(7 / 47)
    assert figures["chance_of_same_person"] == pytest.approx(5 / 47)


def test_retrieval_is_among_other_people(editor: TrainedExprGan, classifier: ExpressionClassifier) -> None:
    sheet, figures = exprgan.draw_retrieval(editor, some_faces(), classifier)
    assert sheet.size == (SIDE_PX + 16 * STEP, HEAD_PX + 6 * STEP)
    shares = figures["same_class_of_nearest"]
    assert shares.keys() == {"c", "y", "pixels"}
    assert shares["pixels"] == 1.0  # each class is a band, and seven others show it
    assert shares["y"] > 0.6
    with pytest.raises(InputError, match="5 pictures of others"):
        exprgan.draw_retrieval(editor, some_faces(1), classifier)


def test_every_figure_of_the_paper_can_be_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """By name, with training and test people; a small editor makes a tenth of the paper's pictures."""
    monkeypatch.setattr(exprgan, "PAPERS_COUNTS", (0, 100))
    monkeypatch.setattr(exprgan, "PAPERS_ACCURACY", (0.7, 0.8))
    monkeypatch.setattr(exprgan, "CLASSIFIER_STEPS", 2)
    stored = StoredEditor(RECIPE, TINY, weights(), {})
    parts = EditorParts(some_faces(3), some_faces(2), some_faces())
    found = {}
    for name in ("fig2", "fig3", "fig4", "fig5", "fig6", "fig7", "table1"):
        _, experiment = open_experiment(f"exprgan:{name}")
        found[name] = experiment.run(Materials(stored, parts, "cpu", 0, plain))
        assert (found[name].picture is None) == (name == "table1")
        json.dumps(dict(found[name].figures))
    table = found["table1"].figures
    assert [row["made"] for row in table["rows"]] == [0, 10]
    assert table["test_pictures"] == 48
    with pytest.raises(InputError, match="exprgan:fig1"):
        open_experiment("exprgan:fig1")
