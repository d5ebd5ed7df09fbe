"""Who learns from which loss, and that it is learnt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from synth_affect.editors.adversarial import code_discriminator_loss
from synth_affect.editors.caae.learner import SHEET_LABELS, build_learner
from synth_affect.editors.caae.settings import CaaeSettings
from synth_affect.editors.faces import EditorFaces
from synth_affect.editors.training import EditorBatch
from tests.editors.banded import batch_of
from tests.editors.learning import Features, Watched, reached_of

torch = pytest.importorskip("torch")
TINY = CaaeSettings(size=32, width=4, judging_width=4, code=6, label_copies=3, batch=8, identity_pictures=4)
NETWORKS = ("encoder", "generator", "picture_judge", "code_judge")


def learner_of(settings: CaaeSettings = TINY, features: Features | None = None, seed: int = 0) -> Any:
    torch.manual_seed(seed)
    return build_learner(settings, some_faces(), features)  # type: ignore[arg-type]


def some_faces(n: int = 8, size: int = 32) -> EditorFaces:
    rng = np.random.default_rng(0)
    coarse = rng.integers(0, 256, (n, 4, 4, 3), dtype=np.uint8)
    return EditorFaces(
        pictures=coarse.repeat(size // 4, axis=1).repeat(size // 4, axis=2),
        affect=rng.uniform(-1, 1, (n, 2)).astype(np.float32),
        categories=np.full(n, -1),
        subjects=np.array([f"p{i // 2}" for i in range(n)]),
        keys=np.array([f"k{i}" for i in range(n)]),
    )


def reached(learner: Any, loss: Any) -> dict[str, str]:
    return reached_of(learner, loss, NETWORKS)


def test_each_loss_reaches_its_networks() -> None:
    features = Features()
    learner, batch = learner_of(features=features), batch_of(some_faces())
    codes = learner.encoder(batch.pictures)
    made = learner.generator(codes, batch.affect)
    losses = learner.pair_losses(batch.pictures, batch.affect, codes, made)
    assert losses.keys() == {"reconstruction", "identity", "code_prior", "realism"}
    both = {"encoder": "all", "generator": "all"}
    assert reached(learner, losses["reconstruction"]) == both
    assert reached(learner, losses["identity"]) == both
    assert reached(learner, losses["realism"]) == {**both, "picture_judge": "all"}
    assert reached(learner, losses["code_prior"]) == {"encoder": "all", "code_judge": "all"}
    assert features.shown == [4, 4]
    assert features.weights.grad is None

    judged = learner.judge_pictures_loss(batch.pictures, made.detach(), batch.affect)
    assert reached(learner, judged) == {"picture_judge": "all"}
    assert reached(learner, code_discriminator_loss(learner.code_judge, codes.detach())) == {"code_judge": "all"}


def test_the_total_has_the_papers_weights() -> None:
    learner = learner_of(CaaeSettings(size=32, width=4, judging_width=4))
    losses = {"reconstruction": 0.5, "identity": 6.0, "code_prior": 30.0, "realism": 200.0}
    total = learner.total({name: torch.tensor(value) for name, value in losses.items()})
    assert float(total) == pytest.approx(1 * 0.5 + 6 / 3 + 0.01 * 30 + 0.01 * 200)


def test_a_step_trains_discriminators_and_then_the_pair() -> None:
    learner = learner_of(features=Features())
    steps: list[set[str]] = []
    watched = Watched(learner, steps, lambda name: name.partition(".")[0])
    losses = learner.training_step(batch_of(some_faces()), [watched] * 3)
    assert steps == [{"picture_judge"}, {"code_judge"}, {"encoder", "generator"}]
    assert all(p.requires_grad for p in learner.parameters())
    assert losses.keys() == {
        "total", "reconstruction", "identity", "code_prior", "realism", "picture_judge", "code_judge",
    }  # fmt: skip
    assert not any(loss.requires_grad for loss in losses.values())


def test_optimizers_share_nothing() -> None:
    learner = learner_of(features=Features())
    optimizers = learner.optimizers()
    held = [{id(p) for group in o.param_groups for p in group["params"]} for o in optimizers]
    named = {name: {id(p) for p in getattr(learner, name).parameters()} for name in NETWORKS}
    assert held == [named["encoder"] | named["generator"], named["picture_judge"], named["code_judge"]]
    assert all((g["lr"], g["betas"]) == (2e-4, (0.5, 0.999)) for o in optimizers for g in o.param_groups)
    assert not any("identity" in name for name in learner.state_dict())


def train(learner: Any, batch: EditorBatch, optimizers: Sequence[Any], n: int) -> list[float]:
    return [float(learner.training_step(batch, optimizers)["reconstruction"]) for _ in range(n)]


def test_one_batch_is_overfitted() -> None:
    settings = replace(TINY, width=16, code=16, learning_rate=2e-3, mirror=False)
    learner, batch = learner_of(settings), batch_of(some_faces(2))
    first, *_, last = train(learner, batch, learner.optimizers(), 100)
    assert first > 0.4
    assert last < 0.2


def test_half_of_the_pictures_are_mirrored() -> None:
    learner = learner_of()
    pictures = torch.arange(100).expand(3, 1, 100).permute(2, 0, 1)[:, :, None].float() + torch.tensor([0.0, 0.5])
    shown = learner._mirrored(pictures)
    mirrored = (shown == pictures.flip(3)).all(dim=(1, 2, 3))
    assert 30 < int(mirrored.sum()) < 70
    torch.testing.assert_close(shown[~mirrored], pictures[~mirrored])
    assert learner_of(replace(TINY, mirror=False))._mirrored(pictures) is pictures


def test_a_step_at_full_size() -> None:
    """On as few pictures as batch norm takes."""
    settings = CaaeSettings(batch=2)
    faces = some_faces(2, 96)
    learner = learner_of(settings)
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
    assert sheet.shape == (4 * 32, (2 + len(SHEET_LABELS)) * 32, 3)
    np.testing.assert_array_equal(sheet[32:64, :32], faces.pictures[2])
