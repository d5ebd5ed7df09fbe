"""Names, shapes and outputs of the networks; VGG-Face's weights in them; weights on the disk."""

from __future__ import annotations

import json
import pickle
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from synth_affect.affect import Emotion
from synth_affect.errors import InputError
from synth_affect.regressors.networks import (
    KINDS,
    NetworkSettings,
    activations,
    build_network,
    build_shape_reading,
    layer_names,
)
from synth_affect.regressors.vgg_face import MEAN, read_vgg_face, start_from_vgg_face
from synth_affect.regressors.weight_file import load_network, save_network

if TYPE_CHECKING:
    from torch import Tensor

torch = pytest.importorskip("torch")
SMALL: dict[str, Any] = {"size": 32, "width": 4}


def pictures(n: int = 2, size: int = 32) -> Tensor:
    return torch.rand(n, 3, size, size, generator=torch.Generator().manual_seed(0)) * 2 - 1


def test_the_layers_are_those_of_vgg_face() -> None:
    network = build_network(NetworkSettings("vgg", **SMALL))
    names = [name.removesuffix(".weight") for name in network.state_dict() if name.endswith(".weight")]
    assert names == [*(f"features.{name}" for name in layer_names()), "fc6", "fc7", "out"]
    assert [*layer_names()[:3], layer_names()[-1]] == ["conv1_1", "conv1_2", "conv2_1", "conv5_3"]
    full = NetworkSettings("vgg")
    assert (full.fc_units, NetworkSettings("vgg-gru", width=16).fc_units) == (4096, 1024)


def test_a_judge_that_sees_parts_of_faces_has_less_to_learn() -> None:
    settings = NetworkSettings("va-cnn", **SMALL)
    judges: Any = build_network(settings).eval()
    reading: Any = build_shape_reading(settings)
    seen = judges.see(pictures(6))
    torch.testing.assert_close(judges.judge(seen), judges(pictures(6)))
    landmarks = torch.rand(6, 136, generator=torch.Generator().manual_seed(1))
    for reader in reading.readers:
        torch.nn.init.zeros_(reader.weight)
        torch.nn.init.zeros_(reader.bias)
    assert float(reading(seen, landmarks).detach()) == pytest.approx(1, abs=1e-3), "a guess of the mean"
    unknown = torch.cat([landmarks, torch.full((1, 136), float("nan"))])
    more = [torch.cat([one, one[:1]]) for one in seen]
    assert float(reading(more, unknown).detach()) == pytest.approx(1, abs=1e-3), "faces without landmarks do not count"
    assert float(reading(more[:2], torch.full((7, 136), float("nan"))).detach()) == 0
    torch.nn.init.normal_(reading.readers[0].weight)
    reading(seen, landmarks).backward()
    assert judges.valence.features.conv1_1.weight.grad.abs().sum() > 0


def test_each_gives_what_it_says() -> None:
    x = pictures()
    outputs = {}
    for kind in KINDS:
        categories = (Emotion.ANGER, Emotion.FEAR, Emotion.NEUTRAL) if kind == "classes" else ()
        settings = NetworkSettings(kind, **SMALL, batch_norm=kind == "va-cnn", categories=categories)
        network = build_network(settings).eval()
        if settings.is_recurrent:
            landmarks = torch.zeros(2, 1, 136)
            held = network(x[:, None], landmarks, 5)
            assert held.shape == (2, 5, 2)
            shown = network(x[:, None].expand(2, 5, 3, 32, 32), landmarks.expand(2, 5, 136))
            torch.testing.assert_close(held, shown)
            outputs[kind] = held[:, -1]
        elif settings.takes_landmarks:
            outputs[kind] = network(x, torch.full((2, 136), float("nan")))
            assert torch.isfinite(outputs[kind]).all(), "without landmarks, too"
        else:
            outputs[kind] = network(x)
    assert {kind: tuple(y.shape) for kind, y in outputs.items()} == {
        "vgg": (2, 2), "vgg-gru": (2, 2), "va-cnn": (2, 2), "classes": (2, 3), "identity": (2, 128),
    }  # fmt: skip
    assert float(outputs["va-cnn"].detach().abs().max()) <= 1
    torch.testing.assert_close(outputs["identity"].norm(dim=1), torch.ones(2))


def test_categories_are_read_from_pictures_alone_where_landmarks_are_not_wanted() -> None:
    settings = NetworkSettings(
        "classes", **SMALL, categories=(Emotion.ANGER, Emotion.FEAR, Emotion.NEUTRAL), landmarks=False
    )
    assert not settings.takes_landmarks
    judge: Any = build_network(settings).eval()
    assert judge(pictures()).shape == (2, 3)
    seen = judge.see(pictures())
    torch.testing.assert_close(judge.judge(seen), judge(pictures()))
    reading: Any = build_shape_reading(settings)
    assert len(reading.readers) == len(seen) == 1
    reading(seen, torch.rand(2, 136)).backward()
    assert judge.features.conv1_1.weight.grad.abs().sum() > 0
    assert [NetworkSettings(kind).can_find_landmarks for kind in ("vgg", "vgg-gru", "va-cnn")] == [False, False, True]
    assert not replace(settings, landmarks=True).can_find_landmarks


def test_judges_share_nothing() -> None:
    judges: Any = build_network(NetworkSettings("va-cnn", **SMALL))
    judges(pictures())[:, 0].sum().backward()
    assert all(p.grad is None or not p.grad.any() for p in judges.arousal.parameters())
    assert any(p.grad.any() for p in judges.valence.parameters())


def test_activations_are_those_of_the_named_layers() -> None:
    network: Any = build_network(NetworkSettings("identity", **SMALL))
    x = pictures()
    found = activations(network.features, x)
    assert [tuple(layer.shape[1:]) for layer in found] == [
        (4, 32, 32), (8, 16, 16), (16, 8, 8), (32, 4, 4), (32, 2, 2),
    ]  # fmt: skip
    first = network.features
    wanted = torch.relu(first.conv1_2(torch.relu(first.conv1_1(x))))
    torch.testing.assert_close(found[0], wanted)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"kind": "vgg", "size": 100}, "--size: 100 is not a multiple of 32"),
        ({"kind": "vgg", "width": 0}, "--width: 0"),
        ({"kind": "vgg", "width": 2.5}, "--width: 2.5 is no whole number"),
        ({"kind": "vgg", "size": 64.0}, "--size: 64.0 is not a multiple"),
        ({"kind": "lenet"}, "'lenet' is none of vgg"),
        ({"kind": "vgg", "dropout": 1.0}, "--dropout"),
        ({"kind": "classes"}, "--categories: two different ones or more are needed; there are: none"),
        ({"kind": "classes", "categories": ("fear", "fear")}, "there are: fear, fear"),
        ({"kind": "classes", "categories": ("fear", "vim")}, "'vim' is none of"),
        ({"kind": "vgg", "categories": ("fear", "anger")}, "and this is vgg"),
        ({"kind": "vgg-gru", "landmarks": False}, "--no-landmarks: is for networks of kind classes, and this is vgg-g"),
    ],
)
def test_settings_that_are_none(settings: dict[str, object], said: str) -> None:
    with pytest.raises(InputError, match=said):
        NetworkSettings(**settings)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def vgg_face_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file as the user's, with small random numbers."""
    torch.manual_seed(0)
    state = {}
    network: Any = build_network(NetworkSettings("vgg", size=32, hidden=8))
    for name, tensor in network.features.state_dict().items():
        if name.startswith("conv"):
            state[name] = tensor
    state["fc8.weight"] = torch.zeros(3, 4)
    path = tmp_path_factory.mktemp("vgg") / "vgg_face_dag.pth"
    torch.save(state, path)
    return path


def test_vgg_face_sees_its_own_pictures(vgg_face_file: Path) -> None:
    found = read_vgg_face(vgg_face_file)
    network: Any = build_network(NetworkSettings("vgg-gru", size=32, hidden=8))
    start_from_vgg_face(network, found.weights, vgg_face_file)
    x = pictures()
    state = torch.load(vgg_face_file, weights_only=True)
    raw = (x + 1) * 127.5 - torch.tensor(MEAN).view(3, 1, 1)
    wanted = torch.nn.functional.conv2d(raw, state["conv1_1.weight"], state["conv1_1.bias"], padding=1)
    torch.testing.assert_close(network.features[:2](x), wanted, atol=1e-3, rtol=1e-5)


def test_vgg_face_of_another_width_is_refused(vgg_face_file: Path) -> None:
    weights = read_vgg_face(vgg_face_file).weights
    with pytest.raises(InputError, match=r"conv1_1.weight are \(64, 3, 3, 3\), the layer takes \(4, 3, 3, 3\)"):
        start_from_vgg_face(build_network(NetworkSettings("vgg", **SMALL)), weights, vgg_face_file)
    with pytest.raises(InputError, match="no batch norm"):
        start_from_vgg_face(build_network(NetworkSettings("vgg", **SMALL, batch_norm=True)), weights, vgg_face_file)


class Harmful:
    """Would be called by a pickle that is trusted."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return Path.mkdir, (Path("harm"),)  # type: ignore[return-value]


def test_vgg_face_executes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    bad = tmp_path / "bad.pth"
    for content in (pickle.dumps(Harmful()), b"", b"no weights"):
        bad.write_bytes(content)
        with pytest.raises(InputError, match=r"bad\.pth"):
            read_vgg_face(bad)
    torch.save({"conv1_1.weight": torch.zeros(64, 3, 3, 3)}, bad)
    with pytest.raises(InputError, match=r"has no weights conv1_1\.bias"):
        read_vgg_face(bad)
    assert [path.name for path in tmp_path.iterdir()] == ["bad.pth"]


@pytest.fixture
def stored(tmp_path: Path) -> Path:
    pytest.importorskip("safetensors")
    settings = NetworkSettings("va-cnn", **SMALL, batch_norm=True)
    path = tmp_path / "weights.safetensors"
    save_network(path, settings, build_network(settings).state_dict(), {"licence": "none"})
    return path


def test_weights_come_back(stored: Path) -> None:
    first, second = load_network(stored), load_network(stored)
    assert first.settings == NetworkSettings("va-cnn", **SMALL, batch_norm=True)
    assert first.card["licence"] == "none"
    assert not first.network.training
    with torch.inference_mode():
        np.testing.assert_array_equal(first.network(pictures()), second.network(pictures()))


def test_weights_in_half_precision_and_categories_come_back(tmp_path: Path) -> None:
    pytest.importorskip("safetensors")
    settings = NetworkSettings("classes", **SMALL, categories=(Emotion.FEAR, Emotion.ANGER))
    network: Any = build_network(settings)
    path = tmp_path / "half.safetensors"
    save_network(path, settings, {name: tensor.half() for name, tensor in network.state_dict().items()}, {})
    stored = load_network(path)
    again: Any = stored.network
    assert stored.settings == settings
    assert again.out.weight.dtype == torch.float32
    torch.testing.assert_close(again.out.weight, network.out.weight.half().float())


def test_weights_of_another_shape_name_the_layer(stored: Path) -> None:
    card = json.loads(stored.with_suffix(".json").read_text())
    card["network"]["width"] = 8
    stored.with_suffix(".json").write_text(json.dumps(card))
    with pytest.raises(InputError, match=r"conv1_1.weight are \(4, 3, 3, 3\), the layer takes \(8, 3, 3, 3\)"):
        load_network(stored)


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ({"training": []}, "training is no JSON object"),
        ({"data": 5}, "data is no JSON object"),
        ({"training": {"steps": "many"}}, "steps is no whole number"),
        ({"training": {"steps": 10**9}}, "steps is no whole number"),
        ({"data": {"held_out_people": "anna"}}, "held_out_people is no list of names"),
        ({"data": {"seen_people": [3]}}, "seen_people is no list of names"),
        ({"network": []}, "names no network"),
        ({"network": {"kind": "va-cnn", "width": None}}, "names no network"),
        ({"network": {"kind": "va-cnn", "width": 10**9}}, "--width: 1000000000 is no whole number"),
    ],
)
def test_cards_that_say_nonsense_are_one_line(stored: Path, said: dict[str, object], reason: str) -> None:
    card = json.loads(stored.with_suffix(".json").read_text())
    stored.with_suffix(".json").write_text(json.dumps({**card, **said}))
    with pytest.raises(InputError, match=reason):
        load_network(stored)


def test_a_card_of_a_hundred_thousand_brackets_is_none(stored: Path) -> None:
    stored.with_suffix(".json").write_text("[" * 100_000)
    with pytest.raises(InputError, match="is no JSON"):
        load_network(stored)


@pytest.mark.parametrize("harm", ["card", "weights", "both", "format"])
def test_damaged_weights_are_one_line(stored: Path, harm: str) -> None:
    card = stored.with_suffix(".json")
    if harm == "card":
        card.unlink()
    elif harm == "weights":
        stored.write_bytes(stored.read_bytes()[:-1])
    elif harm == "both":
        stored.unlink()
    else:
        card.write_text("{}")
    with pytest.raises(InputError) as raised:
        load_network(stored)
    assert "\n" not in str(raised.value)


def test_landmarks_are_the_same_wherever_the_face_lies() -> None:
    network: Any = build_network(NetworkSettings("vgg-gru", **SMALL)).eval()
    rng = np.random.default_rng(0)
    points = rng.normal(size=(68, 2))
    turn = np.array([[np.cos(0.4), -np.sin(0.4)], [np.sin(0.4), np.cos(0.4)]])
    moved = 0.3 * points @ turn.T + [0.2, -0.1]
    other = points + 0.1 * rng.normal(size=(68, 2))
    shapes = network.shape(torch.tensor(np.stack([points, moved, other]).reshape(3, 136), dtype=torch.float32))
    torch.testing.assert_close(shapes[0], shapes[1], atol=1e-5, rtol=0)
    assert float((shapes[0] - shapes[2]).abs().max()) > 0.05
    assert torch.isfinite(network.shape(torch.zeros(2, 136))).all()
    assert not network.shape(torch.full((2, 136), float("nan"))).any()


def test_landmarks_are_standardised() -> None:
    network: Any = build_network(NetworkSettings("vgg-gru", **SMALL)).train()
    points = np.random.default_rng(0).normal(size=(1, 68, 2)) + 0.01 * np.random.default_rng(1).normal(size=(32, 68, 2))
    shapes = network.shape(torch.tensor(points.reshape(32, 136), dtype=torch.float32))
    torch.testing.assert_close(shapes.std(dim=0, correction=0), torch.ones(136), atol=0.1, rtol=0)
