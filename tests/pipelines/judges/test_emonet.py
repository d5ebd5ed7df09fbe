from __future__ import annotations

from pathlib import Path

import pytest

from synth_affect.errors import InputError
from synth_affect.pipelines.judges.emonet import CLASSES, EmoNetJudge, build_emonet
from synth_affect.pipelines.judges.face_view import FaceView

torch = pytest.importorskip("torch")


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Random weights in the form of the published ones, whose last layer says: happiness, valence .25, arousal 7."""
    torch.manual_seed(0)
    state = {f"module.{name}": value for name, value in build_emonet(8).state_dict().items()}
    answer = torch.zeros(10)
    answer[CLASSES.index("happiness")], answer[8], answer[9] = 3.0, 0.25, 7.0
    state["module.emo_fc_2.3.weight"].zero_()
    state["module.emo_fc_2.3.bias"].copy_(answer)
    path = tmp_path_factory.mktemp("emonet") / "emonet_8.pth"
    torch.save(state, path)
    return path


def test_parts_have_their_published_names() -> None:
    state = build_emonet(5).state_dict()
    assert tuple(state["m0.b2_plus_1.conv3.weight"].shape) == (64, 64, 3, 3)
    assert tuple(state["conv2.downsample.2.weight"].shape) == (128, 64, 1, 1)
    assert tuple(state["al0.weight"].shape) == (256, 68, 1, 1)
    assert tuple(state["conv1x1_input_emo_2.weight"].shape) == (256, 768, 1, 1)
    assert tuple(state["emo_net_2.6.conv1.weight"].shape) == (128, 256, 3, 3)
    assert tuple(state["emo_fc_2.3.weight"].shape) == (7, 128)
    assert "al1.weight" not in state
    assert "downsample" not in "".join(name for name in state if name.startswith("conv3."))


def test_it_reads_the_last_two_answers(face: FaceView, weights: Path) -> None:
    reading = EmoNetJudge(weights).read(face)
    assert (reading.valence, reading.arousal) == (pytest.approx(0.25), 1.0)
    assert reading.emotion == "happiness"


def test_weights_of_another_network_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.pth"
    torch.save({"layer.weight": torch.zeros(2)}, path)
    with pytest.raises(InputError, match="not the weights of EmoNet"):
        EmoNetJudge(path)
    state = build_emonet(8).state_dict()
    state["conv1.weight"] = torch.zeros(1)
    torch.save(state, path)
    with pytest.raises(InputError, match="does not fit EmoNet"):
        EmoNetJudge(path)


def test_a_pickle_is_not_executed(tmp_path: Path) -> None:
    path = tmp_path / "evil.pth"
    torch.save({"emo_fc_2.3.bias": Path("x")}, path)
    with pytest.raises(InputError, match="no weights that torch can read"):
        EmoNetJudge(path)
    path.write_bytes(b"")
    with pytest.raises(InputError, match="no weights that torch can read"):
        EmoNetJudge(path)
