from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from synth_affect.affect import ValenceArousal
from synth_affect.arrays import FloatArray, ImageArray
from synth_affect.errors import InputError
from synth_affect.fitting.landmarks import Landmarks
from synth_affect.pipelines import verify
from synth_affect.pipelines.edit_picture import EditOutputs, Target, edit_picture
from synth_affect.pipelines.judges.face_heights import READINGS
from synth_affect.pipelines.judges.face_view import FaceView
from synth_affect.pipelines.judges.judge import AffectReading, IdentityCard, JudgeCard
from synth_affect.pipelines.judges.open_judges import OpenJudges
from synth_affect.pipelines.picture_faces import FaceSource
from synth_affect.pipelines.verify import OutputVerifier, VerifierChoice


class Brightness:
    """A judge and an embedding at once."""

    def __init__(self) -> None:
        self.card = JudgeCard("brightness", "none", "none", "free", "b")

    def read(self, face: FaceView) -> AffectReading:
        return AffectReading(float(face.pixels.mean() / 255), 0.0, "bright")


class Colour:
    def __init__(self) -> None:
        self.card = IdentityCard("colour", "distance", 0.2, "none", "free", "c")

    def embed(self, face: FaceView) -> FloatArray:
        return face.pixels.mean(axis=(0, 1)) / 255


@pytest.fixture
def judges(monkeypatch: pytest.MonkeyPatch) -> VerifierChoice:
    monkeypatch.setattr(verify, "check_judges", lambda affect, identity: None)
    monkeypatch.setattr(verify, "open_judges", lambda affect, identity: OpenJudges((Brightness(),), (Colour(),)))
    return VerifierChoice(("a",), ("b",))


def centre_of(landmarks: Landmarks) -> tuple[float, float]:
    x, y = landmarks.points_image[:, :2].mean(axis=0)
    return float(x), float(y)


@pytest.mark.usefixtures("stub_detector")
def test_output_and_input_are_read_and_compared(
    portrait: ImageArray, portrait_landmarks: Landmarks, judges: VerifierChoice
) -> None:
    dark = (portrait // 2).astype(np.uint8)
    with OutputVerifier(judges) as verifier:
        before = verifier.look(portrait, centre_of(portrait_landmarks))
        found = verifier.verify(before, dark, ValenceArousal(0.5, 0.0)).described()
    (affect,), (identity,) = found["affect"], found["identity"]
    assert affect["valence"] == pytest.approx(dark.mean() / 255, abs=1e-4)
    assert affect["input_valence"] == pytest.approx(portrait.mean() / 255, abs=1e-4)
    assert affect["valence_error"] == pytest.approx(dark.mean() / 255 - 0.5, abs=2e-4)
    assert affect["class"] == "bright"
    assert identity["same_person"] is False
    assert identity["distance"] > 0.2
    assert list(found["readings"]) == list(READINGS)
    assert set(found["changes"].values()) == {0.0}, "the stub sees the same points in both"
    json.dumps(found)


@pytest.mark.usefixtures("stub_detector")
def test_a_face_somewhere_else_is_not_taken_for_it(portrait: ImageArray) -> None:
    with OutputVerifier(VerifierChoice()) as verifier:
        found = verifier.verify(verifier.look(portrait, (500.0, 500.0)), portrait, ValenceArousal(0, 0))
    assert found.described() == {"found": False}


@pytest.mark.usefixtures("stub_detector")
def test_the_sidecar_says_what_was_read(portrait_path: Path, tmp_path: Path, judges: VerifierChoice) -> None:
    output = tmp_path / "o.png"
    target = Target(ValenceArousal(0.6, 0.3))
    summary = edit_picture(FaceSource(portrait_path), target, EditOutputs(output), judges)
    sidecar = json.loads(output.with_name("o.png.json").read_text())
    (face,) = sidecar["fit"]["faces"]
    assert face["verification"] == summary["faces"][0]["verification"]
    assert face["verification"]["affect"][0]["judge"] == "brightness"
    assert face["verification"]["identity"][0]["same_person"] is True


@pytest.mark.usefixtures("stub_detector")
def test_without_it_nothing_is_said(portrait_path: Path, tmp_path: Path) -> None:
    summary = edit_picture(FaceSource(portrait_path), Target(ValenceArousal(0, 0)), EditOutputs(tmp_path / "o.png"))
    assert "verification" not in summary["faces"][0]


def run(arguments: Sequence[str]) -> int:
    from synth_affect.cli import main

    return main(list(arguments))


@pytest.mark.usefixtures("stub_detector")
def test_the_command_verifies(portrait_path: Path, tmp_path: Path) -> None:
    output = tmp_path / "o.png"
    base = ["--image", str(portrait_path), "--valence", "0.6", "--arousal", "0.3", "-o", str(output)]
    assert run([*base, "--verify"]) == 0
    (face,) = json.loads(output.with_name("o.png.json").read_text())["fit"]["faces"]
    assert face["verification"]["affect"] == []
    assert face["verification"]["found"] is True


def test_judges_that_cannot_be_used_are_said_before_any_work(
    portrait_path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    base = ["--image", str(portrait_path), "--valence", "0", "--arousal", "0", "-o", str(tmp_path / "o.png")]
    for more, says in (
        (["--judge", "emonet=x"], "--judge: reads the output of --verify"),
        (["--identity", "arcface=x"], "--identity: reads the output of --verify"),
        (["--verify", "--judge", "emonet=absent.pth"], "absent.pth: no such file"),
        (["--verify", "--identity", "face=x"], "--identity: 'face=x' is not KIND=FILE"),
    ):
        assert run([*base, *more]) == 2
        assert says in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
    with pytest.raises(InputError, match="no such file"):
        VerifierChoice(("emonet=absent.pth",))
