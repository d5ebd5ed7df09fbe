"""Who learns from which loss in which stage, and that it is learnt."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from synth_affect.affect import Emotion
from synth_affect.editors.adversarial import code_discriminator_loss
from synth_affect.editors.exprgan.controller import draw_controller
from synth_affect.editors.exprgan.learner import SamePerson, build_learner, is_learnt_from
from synth_affect.editors.exprgan.settings import CLASSES, ExprGanSettings
from synth_affect.editors.faces import CATEGORIES, MIXED, EditorFaces
from synth_affect.errors import InputError
from tests.editors.banded import batch_of
from tests.editors.learning import Features, Watched, reached_of

torch = pytest.importorskip("torch")
TINY = ExprGanSettings(
    size=32, code=6, controller=2, encoder=(4, 8), decoder=(8, 8, 8, 8), discriminator=(4, 8), shared=16, branch=4,
    code_discriminator=(8,), stages=(2, 3, 4), batch=8, identity_pictures=4,
)  # fmt: skip
OURS = replace(TINY, edits=0.5, readings=0.25)
NETWORKS = ("encoder", "decoder", "discriminator", "code_discriminator")
FIRST_EPOCH = {"controller": 0, "reconstruction": 2, "refining": 5}


def some_faces(n: int = 8, size: int = 32, categories: list[int] | None = None) -> EditorFaces:
    """Coarse patterns; without `categories`, of the paper's classes in turn."""
    rng = np.random.default_rng(0)
    coarse = rng.integers(0, 256, (n, 4, 4, 3), dtype=np.uint8)
    in_turn = [CATEGORIES.index(CLASSES[i % len(CLASSES)]) for i in range(n)]
    return EditorFaces(
        pictures=coarse.repeat(size // 4, axis=1).repeat(size // 4, axis=2),
        affect=np.full((n, 2), np.nan, dtype=np.float32),
        categories=np.array(in_turn if categories is None else categories),
        subjects=np.array([f"p{i // 2}" for i in range(n)]),
        keys=np.array([f"k{i}" for i in range(n)]),
    )


def learner_of(settings: ExprGanSettings = TINY, features: Features | None = None, stage: str = "controller") -> Any:
    torch.manual_seed(0)
    learner: Any = build_learner(settings, some_faces(), features)  # type: ignore[arg-type]
    learner.begin_epoch(FIRST_EPOCH[stage])
    assert learner.stage == stage
    return learner


def reached(learner: Any, loss: Any) -> dict[str, str]:
    return reached_of(learner, loss, NETWORKS)


def test_epochs_have_their_stages() -> None:
    learner = learner_of()
    stages = []
    for epoch in range(TINY.epochs):
        learner.begin_epoch(epoch)
        stages.append(learner.stage)
    assert stages == ["controller"] * 2 + ["reconstruction"] * 3 + ["refining"] * 4
    learner.begin_epoch(3)  # a run that goes on
    assert learner.stage == "reconstruction"


def test_a_stage_of_no_epochs_is_left_out() -> None:
    learner = learner_of(replace(TINY, stages=(0, 0, 2)), stage="refining")
    learner.begin_epoch(0)
    assert learner.stage == "refining"


def test_the_stages_have_the_papers_losses_and_weights() -> None:
    learner = learner_of(ExprGanSettings(stages=(2, 3, 4), encoder=(4,), decoder=(4,) * 7), Features())
    assert learner.weights == {"control": 1, "realism": 1}
    learner.begin_epoch(2)
    assert learner.weights == {"pixel": 1, "identity": 1, "control": 0.1}
    learner.begin_epoch(5)
    assert learner.weights == {
        "pixel": 1, "identity": 1, "control": 1, "realism": 0.01, "prior": 0.01, "variation": 0.001,
    }  # fmt: skip
    losses = {"pixel": 0.5, "identity": 2.0, "control": 3.0, "realism": 40.0, "prior": 30.0, "variation": 100.0}
    total = learner.total({name: torch.tensor(value) for name, value in losses.items()})
    assert float(total) == pytest.approx(0.5 + 2 + 3 + 0.4 + 0.3 + 0.1)


def test_each_loss_reaches_its_networks() -> None:
    features = Features()
    learner, batch = learner_of(OURS, features, "refining"), batch_of(some_faces())
    classes = torch.arange(8) % 6
    codes, made, edited = learner.make(batch.pictures, classes)
    losses = learner.pair_losses(batch.pictures, codes, made, edited)
    both = {"encoder": "all", "decoder": "all"}
    assert reached(learner, losses["pixel"]) == both
    assert reached(learner, losses["identity"]) == both
    assert reached(learner, losses["variation"]) == both
    # Q and D_img share; what is the other's own stays out.
    for name in ("control", "realism", "edit_control", "edit_realism"):
        assert reached(learner, losses[name]) == {**both, "discriminator": "some"}, name
    branches = list(learner.discriminator.branches.parameters())
    head = list(learner.discriminator.realism.parameters())
    for name, trained, other in (("control", branches, head), ("realism", head, branches)):
        found = torch.autograd.grad(losses[name], [*trained, *other], retain_graph=True, allow_unused=True)
        assert [g is not None for g in found] == [True] * len(trained) + [False] * len(other)
    assert reached(learner, losses["prior"]) == {"encoder": "all", "code_discriminator": "all"}
    assert features.shown == [4, 4]
    assert features.weights.grad is None

    judged = learner.discriminator_losses(batch.pictures, classes, made, edited)
    assert judged.keys() == {"reading", "discriminator", "edit_reading", "edit_discriminator", "real_reading"}
    for loss in judged.values():
        assert reached(learner, loss) == {"discriminator": "some"}
    assert reached(learner, code_discriminator_loss(learner.code_discriminator, codes.detach())) == {
        "code_discriminator": "all"
    }


def test_in_the_first_stage_codes_are_noise() -> None:
    learner, batch = learner_of(OURS), batch_of(some_faces())
    codes, made, edited = learner.make(batch.pictures, torch.arange(8) % 6)
    assert not codes.requires_grad
    assert (codes.shape, edited) == ((8, 6), None)
    assert codes.abs().max() <= 1
    assert reached(learner, made.pictures.sum()) == {"decoder": "all"}


def test_made_pictures_have_their_controllers() -> None:
    """The first part has the classes of the pictures, the second those that were drawn."""
    learner, batch = learner_of(OURS, stage="reconstruction"), batch_of(some_faces())
    classes = torch.arange(8) % 6
    codes, made, edited = learner.make(batch.pictures, classes)
    torch.testing.assert_close(made.classes, classes)
    assert not torch.equal(edited.classes, classes)
    for part in (made, edited):
        present = part.controllers.view(8, 6, 2)[torch.arange(8), part.classes]
        assert (present > 0).all()
        torch.testing.assert_close(learner.decoder(codes, part.controllers), part.pictures)


def test_q_learns_from_real_and_made_pictures_by_their_share() -> None:
    batch, classes = batch_of(some_faces()), torch.arange(8) % 6
    found = {}
    for share in (0.0, 0.25, 1.0):
        learner = learner_of(replace(OURS, edits=0.5, readings=share), stage="refining")
        _, made, edited = learner.make(batch.pictures, classes)
        torch.manual_seed(1)
        found[share] = learner.discriminator_losses(batch.pictures, classes, made, edited)
    names = {"reading", "edit_reading", "discriminator", "edit_discriminator"}
    assert found[0.0].keys() == names
    assert found[0.25].keys() == names | {"real_reading"}
    assert found[1.0].keys() == {"discriminator", "edit_discriminator", "real_reading"}
    for name in ("reading", "edit_reading"):
        torch.testing.assert_close(found[0.25][name], 0.75 * found[0.0][name])
    torch.testing.assert_close(found[0.25]["real_reading"], 0.25 * found[1.0]["real_reading"])


SHARED, Q, HEAD = "discriminator.layers", "discriminator.branches", "discriminator.realism"


def part_of(name: str) -> str:
    """Discriminators have parts that learn apart."""
    return ".".join(name.split(".")[: 2 if name.startswith("disc") else 1])


@pytest.mark.parametrize(
    ("stage", "wanted"),
    [
        ("controller", [{SHARED, Q, HEAD}, {"decoder"}]),
        ("reconstruction", [{SHARED, Q}, {"encoder", "decoder"}]),
        ("refining", [{SHARED, Q, HEAD}, {"code_discriminator"}, {"encoder", "decoder"}]),
    ],
)
def test_a_step_trains_the_parts_of_its_stage(stage: str, wanted: list[set[str]]) -> None:
    learner = learner_of(stage=stage)
    steps: list[set[str]] = []
    losses = learner.training_step(batch_of(some_faces()), [Watched(learner, steps, part_of)] * 3)
    assert steps == wanted
    assert all(p.requires_grad for p in learner.parameters())
    assert not any(loss.requires_grad for loss in losses.values())
    assert {"total", "control", "reading"} < losses.keys()


def test_optimizers_share_nothing() -> None:
    learner = learner_of(features=Features())
    optimizers = learner.optimizers()
    held = [{id(p) for group in o.param_groups for p in group["params"]} for o in optimizers]
    named = {name: {id(p) for p in getattr(learner, name).parameters()} for name in NETWORKS}
    assert held == [named["encoder"] | named["decoder"], named["discriminator"], named["code_discriminator"]]
    assert all((g["lr"], g["betas"]) == (2e-4, (0.5, 0.999)) for o in optimizers for g in o.param_groups)
    assert not any("identity" in name for name in learner.state_dict())


def test_pictures_of_no_class_are_passed_over() -> None:
    """Neutral, contempt and mixtures change nothing, and a batch of them is no step."""
    neutral, contempt, anger, fear = (CATEGORIES.index(name) for name in ("neutral", "contempt", "anger", "fear"))
    mixed = batch_of(some_faces(6, categories=[anger, neutral, fear, MIXED, contempt, anger]))
    learner = learner_of(stage="refining")
    before = [p.detach().clone() for p in learner.parameters()]
    none = batch_of(some_faces(4, categories=[neutral, MIXED, contempt, anger]))
    assert learner.training_step(none, learner.optimizers()) == {}
    assert all(torch.equal(a, b) for a, b in zip(before, learner.parameters(), strict=True))

    seen: list[Any] = []
    learner.encoder.register_forward_hook(lambda _, inputs, __: seen.append(inputs[0]))
    learner.training_step(mixed, learner.optimizers())
    assert seen[0].shape == (3, 3, 32, 32)
    with pytest.raises(InputError, match="fewer than two of its faces show one of anger, disgust"):
        build_learner(TINY, some_faces(4, categories=[neutral, MIXED, contempt, anger]), None)


def test_one_batch_is_overfitted() -> None:
    """The pictures come back, and edits are read as what was asked for.

    L_Q is 0.22 where nothing is read (the variance of c), and 1 / 12 where the class is but not how strong it is.
    """
    settings = replace(
        OURS, encoder=(8, 16), decoder=(16, 16, 16, 8), discriminator=(8, 16), shared=32, code=16, edits=1.0,
        readings=0.5, stages=(2, 1, 0), learning_rate=6e-3,
    )  # fmt: skip
    learner, batch = learner_of(settings, stage="reconstruction"), batch_of(some_faces(6))
    optimizers = learner.optimizers()
    lines = [{n: float(loss) for n, loss in learner.training_step(batch, optimizers).items()} for _ in range(80)]
    assert lines[0]["pixel"] > 0.5
    assert lines[-1]["pixel"] < 0.8 * lines[0]["pixel"]
    assert np.mean([line["control"] for line in lines[-20:]]) < 0.15
    assert np.mean([line["edit_control"] for line in lines[-20:]]) < 0.18


def test_a_step_at_full_size() -> None:
    """On as few pictures as batch norm takes; the last stage trains everything."""
    settings = ExprGanSettings(stages=(0, 0, 1))
    torch.manual_seed(0)
    faces = some_faces(2, 128)
    learner: Any = build_learner(settings, faces, None)
    before = {name: p.detach().clone() for name, p in learner.named_parameters()}
    losses = learner.training_step(batch_of(faces), learner.optimizers())
    assert all(np.isfinite(float(loss)) for loss in losses.values())
    still = [name for name, p in learner.named_parameters() if torch.equal(p, before[name])]
    assert still == []


def test_a_sheet_has_a_row_a_person() -> None:
    learner = learner_of().eval()
    faces = some_faces()
    with torch.no_grad():
        sheet = learner.sheet(faces)
        again = learner.sheet(faces)
    assert sheet.shape == (4 * 32, 9 * 32, 3)
    assert sheet.dtype == np.uint8
    np.testing.assert_array_equal(sheet[32:64, :32], faces.pictures[2])
    np.testing.assert_array_equal(sheet, again)


def test_pairs_encode_another_picture_of_the_person() -> None:
    """The picture that is encoded is drawn among the person's own, and the loss compares with the batch's."""
    faces = some_faces(categories=[CATEGORIES.index(c) for c in (CLASSES[0], CLASSES[1])] * 4)
    for neutral in (False, True):
        same = SamePerson(faces, neutral=neutral)
        torch.manual_seed(1)
        drawn = {tuple(np.round(same.draw(torch.tensor([2]))[0, :, 0, 0].tolist(), 3)) for _ in range(30)}
        own = {tuple(np.round(faces.pictures[number, 0, 0] / 127.5 - 1, 3)) for number in (4, 5)}
        assert drawn == own
    torch.manual_seed(0)
    learner: Any = build_learner(replace(TINY, pairs=True, stages=(0, 9, 0)), faces, None)
    learner.begin_epoch(0)
    encoded: list[Any] = []
    learner.encoder.register_forward_hook(lambda _, given, __: encoded.append(given[0].detach()))
    batch = batch_of(faces.select(np.array([0, 2, 4, 6])))  # of four people their first pictures
    learner.training_step(batch, learner.optimizers())
    both = [torch.cat([batch.pictures, batch_of(faces.select(np.array([1, 3, 5, 7]))).pictures])]
    both.append(both[0].flip(3))
    for person, picture in enumerate(encoded[0]):
        own_pictures = [side[number] for side in both for number in (person, person + 4)]
        assert any(torch.equal(picture, one) for one in own_pictures)
    assert not torch.equal(encoded[0], batch.pictures)


def test_neutral_faces_are_learnt_from_where_they_are_asked_for() -> None:
    neutral = CATEGORIES.index(Emotion.NEUTRAL)
    faces = some_faces(categories=[neutral, CATEGORIES.index(CLASSES[0])] * 4)
    assert is_learnt_from(faces.categories, neutral=True).all()
    assert is_learnt_from(faces.categories, neutral=False).tolist() == [False, True] * 4
    shown: list[int] = []
    for settings in (replace(TINY, stages=(0, 9, 0)), replace(TINY, stages=(0, 9, 0), neutral=True)):
        torch.manual_seed(0)
        learner: Any = build_learner(settings, faces, None)
        learner.begin_epoch(0)
        learner.encoder.register_forward_hook(lambda _, given, __: shown.append(len(given[0])))
        assert all(
            torch.isfinite(loss) for loss in learner.training_step(batch_of(faces), learner.optimizers()).values()
        )
    assert shown == [4, 8]


def test_neutral_has_a_negative_controller_and_no_class_in_the_discriminator() -> None:
    controllers = draw_controller(torch.tensor([-1, 2]), 2).view(2, 6, 2)
    assert (controllers[0] <= 0).all()
    assert (controllers[1, 2] >= 0).all()
    learner = learner_of(replace(TINY, neutral=True), stage="refining")
    judged = learner.discriminator(batch_of(some_faces()).pictures)
    of_known = judged.of(torch.tensor([-1, 1, 2, -1, 3, 4, 5, 0]))
    torch.testing.assert_close(of_known, judged.realism[[1, 2, 4, 5, 6, 7], [1, 2, 3, 4, 5, 0]])
