"""Who learns from which loss, what is compared with what, and that it is learnt."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from synth_affect.editors.faces import CATEGORIES, MIXED, EditorFaces
from synth_affect.editors.fexgan.learner import build_learner, edit, jitter
from synth_affect.editors.fexgan.settings import CLASSES, FexganSettings
from synth_affect.editors.fexgan.targets import CLASS_OF_CATEGORY, SamePerson
from synth_affect.errors import InputError
from tests.editors.banded import batch_of, reached

torch = pytest.importorskip("torch")
TINY = FexganSettings(size=32, width=8, code=6, batch=8)
NETWORKS = ("encoder", "decoder", "discriminator")


def flat_faces(n_people: int = 3, categories: tuple[int, ...] = (0, 1, 3, 1), size: int = 32) -> EditorFaces:
    """Each person has a shade, and each category a dark band."""
    n = n_people * len(categories)
    people = np.repeat(np.arange(n_people), len(categories))
    shown = np.tile(categories, n_people)
    pictures = np.empty((n, size, size, 3), dtype=np.uint8)
    pictures[:] = (60 + 60 * people)[:, None, None, None]
    for picture, category in zip(pictures, shown, strict=True):
        picture[8 * category : 8 * category + 8] = 0
    keys = np.array([f"k{i}" for i in range(n)])
    return EditorFaces(pictures, np.zeros((n, 2), dtype=np.float32), shown, np.array([f"p{p}" for p in people]), keys)


def learner_of(faces: EditorFaces, settings: FexganSettings = TINY) -> Any:
    torch.manual_seed(0)
    return build_learner(settings, faces, None)


def test_each_loss_reaches_its_networks() -> None:
    faces = flat_faces()
    learner, batch = learner_of(faces), batch_of(faces)
    wanted = torch.from_numpy(CLASS_OF_CATEGORY[faces.categories])
    labels = torch.nn.functional.one_hot(wanted, len(CLASSES)).float()
    means, log_variances = learner.encoder(batch.pictures, labels)
    made = learner.decoder(means, labels)
    losses = learner.pair_losses(made, batch.pictures, wanted, means, log_variances)
    assert reached(learner, losses["reconstruction"], NETWORKS) == {"encoder", "decoder"}
    assert reached(learner, losses["divergence"], NETWORKS) == {"encoder"}
    assert reached(learner, losses["adversarial"], NETWORKS) == {"encoder", "decoder", "discriminator"}
    for loss in learner.discriminator_losses(batch.pictures, wanted, made.detach(), wanted).values():
        assert reached(learner, loss, NETWORKS) == {"discriminator"}


def test_a_step_moves_each_network_by_its_own_optimizer() -> None:
    faces = flat_faces()
    learner, batch = learner_of(faces), batch_of(faces)
    of_pair, of_discriminator = learner.optimizers()
    for kept, still in ((of_pair, ("discriminator",)), (of_discriminator, ("encoder", "decoder"))):
        for group in (of_pair, of_discriminator):
            group.param_groups[0]["lr"] = TINY.learning_rate if group is kept else 0.0
        before = {name: p.clone() for name, p in learner.named_parameters()}
        learner.training_step(batch, [of_pair, of_discriminator])
        moved = {name.partition(".")[0] for name, p in learner.named_parameters() if not torch.equal(p, before[name])}
        assert moved == set(NETWORKS) - set(still)


def test_the_adversarial_weight_falls() -> None:
    learner = learner_of(flat_faces(), replace(TINY, late_after=5, adversarial=2.0, late_adversarial=0.5))
    weights = []
    for epoch in (0, 4, 5, 99, 1):
        learner.begin_epoch(epoch)
        weights.append(learner.adversarial)
    assert weights == [2.0, 2.0, 0.5, 0.5, 2.0]


def test_targets_are_of_the_same_person_and_the_class_asked_for() -> None:
    categories = (CATEGORIES.index("neutral"), CATEGORIES.index("anger"), CATEGORIES.index("contempt"), MIXED)
    faces = flat_faces(4, categories)
    torch.manual_seed(1)
    people = torch.from_numpy(np.repeat(np.arange(4), 50))
    classes, numbers = SamePerson(faces).draw(people)
    assert (faces.people[numbers] == people.numpy()).all()
    assert (CLASS_OF_CATEGORY[faces.categories[numbers]] == classes.numpy()).all()
    seen, counts = np.unique(classes, return_counts=True)
    assert [CLASSES[c] for c in seen] == ["anger", "neutral"]  # contempt is none of the paper's
    assert counts.min() > 60  # of 200, each as likely


def test_people_of_one_expression_teach_nothing() -> None:
    with pytest.raises(InputError, match="two of the seven"):
        build_learner(TINY, flat_faces(3, (1, 1, MIXED)), None)


def test_pictures_without_a_class_are_passed_over() -> None:
    faces = flat_faces(3, (0, 1, MIXED))
    learner, batch = learner_of(faces), batch_of(faces)
    losses = learner.training_step(batch, learner.optimizers())
    assert all(torch.isfinite(loss) for loss in losses.values())
    mixed = batch_of(faces.select(faces.categories == MIXED))
    assert learner.training_step(mixed, learner.optimizers()) == {}


def test_jitter_keeps_flat_pictures_and_cuts_within() -> None:
    torch.manual_seed(0)
    flat = torch.full((64, 3, 16, 16), 0.25)
    ramp = torch.linspace(-1, 1, 16).expand(64, 3, 16, 16)
    kept, moved = jitter(flat, ramp)
    torch.testing.assert_close(kept, flat)
    falling = moved[:, 0, 0, 0] > moved[:, 0, 0, -1]
    assert 16 < int(falling.sum()) < 48  # half of them are mirrored
    spans = (moved[:, 0, 0, -1] - moved[:, 0, 0, 0]).abs()
    assert float(spans.max()) < 1.9  # never the whole picture
    assert len(set(moved[:, 0, 0, 0].tolist())) > 4


def test_a_target_is_jittered_as_its_picture() -> None:
    torch.manual_seed(0)
    pictures = torch.rand(8, 3, 16, 16)
    moved, target = jitter(pictures, -pictures)
    torch.testing.assert_close(target, -moved)
    assert not torch.equal(moved, pictures)


def test_a_few_people_are_learnt_by_heart() -> None:
    """What is asked for comes out: the band of the class, not that of another."""
    faces = flat_faces(3, (0, 1, 3))
    settings = replace(TINY, learning_rate=4e-3, adversarial=1.0, divergence=0.01, folded=True)
    learner, batch = learner_of(faces, settings), batch_of(faces)
    optimizers = learner.optimizers()
    for _ in range(80):
        learner.training_step(batch, optimizers)
    learner.eval()
    pictures = batch.pictures[::3]  # neutral
    errors = {}
    with torch.no_grad():
        for asked in (1, 3):
            label = torch.eye(len(CLASSES))[int(CLASS_OF_CATEGORY[asked])]
            made = edit(learner.encoder, learner.decoder, pictures, label, reach=1.0)
            for shown in (1, 3):
                truth = batch.pictures[batch.categories == shown]
                errors[asked, shown] = float((made - truth).abs().mean())
    assert errors[1, 1] < 0.5 * errors[1, 3]
    assert errors[3, 3] < 0.5 * errors[3, 1]


def test_the_sheet_shows_a_row_a_person() -> None:
    faces = flat_faces(3)
    sheet = learner_of(faces).eval().sheet(faces)
    assert sheet.shape == (3 * 32, (1 + len(CLASSES)) * 32, 3)
    assert sheet.dtype == np.uint8
    assert (sheet[:32, :32] == faces.pictures[0]).all()
