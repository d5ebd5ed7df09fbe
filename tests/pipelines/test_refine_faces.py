from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from synth_affect.arrays import ImageArray
from synth_affect.cli import main
from synth_affect.errors import InputError, MissingDependencyError
from synth_affect.fitting.landmarks import Landmarks
from synth_affect.fitting.photometric import device as device_module
from synth_affect.pipelines.picture_faces import FaceSource, open_faces
from synth_affect.pipelines.refine_faces import refine_faces, usable_pixels
from synth_affect.pipelines.synthesize import AffectSynthesizer


@pytest.fixture(scope="module")
def synthesizer() -> AffectSynthesizer:
    return AffectSynthesizer()


def test_a_photograph_is_explained_better_and_its_landmarks_as_well(
    synthesizer: AffectSynthesizer, portrait: ImageArray, portrait_landmarks: Landmarks
) -> None:
    pytest.importorskip("torch")
    fit = synthesizer.fit_landmarks(portrait, portrait_landmarks)
    (refined,) = refine_faces(synthesizer, portrait, [fit], "cpu")
    assert refined.report.after.total < refined.report.before.total
    assert refined.report.after.pixels < 0.95 * refined.report.before.pixels
    assert refined.fit.residual_iod < 1.6 * fit.residual_iod
    assert abs(np.trace(refined.fit.camera.rotation @ fit.camera.rotation.T) - 3) < 0.02
    np.testing.assert_array_equal(refined.fit.landmarks_image, fit.landmarks_image)


def test_what_the_renderer_knows_to_stand_in_front_is_not_used(
    synthesizer: AffectSynthesizer, portrait: ImageArray, portrait_landmarks: Landmarks
) -> None:
    fit = synthesizer.fit_landmarks(portrait, portrait_landmarks)
    held = portrait.copy()
    left, top = fit.landmarks_image[[61, 17]].min(axis=0).astype(int)
    held[top - 8 : top + 90, left - 4 : left + 12] = (10, 40, 160)
    usable = usable_pixels(synthesizer, held, fit)
    assert usable is not None
    assert usable.shape == portrait.shape[:2]
    assert usable[top + 10, left + 3] < 0.5
    assert usable.max() == 1
    assert usable_pixels(synthesizer, portrait, fit) is None


def test_the_command_says_where_it_refined(
    portrait_path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("torch")
    asked = ["--image", str(portrait_path), "--valence", "0.6", "--arousal", "0.3", "-o", str(tmp_path / "o.png")]
    assert main([*asked, "--refine", "--device", "cpu"]) == 0
    assert capsys.readouterr().out == f"wrote {tmp_path / 'o.png'}, refined on cpu\n"
    told = json.loads((tmp_path / "o.png.json").read_text())["fit"]["faces"][0]["refinement"]
    assert (told["device"], told["rasterizer"]) == ("cpu", "numba")
    assert told["energy_after"] < told["energy_before"]


@pytest.mark.parametrize("command", [[], ["grid"]])
def test_a_device_without_refinement_is_refused(command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    target = [] if command else ["--valence", "0", "--arousal", "0"]
    assert main([*command, "--image", "none.png", *target, "--device", "cpu"]) == 2
    assert capsys.readouterr().err == "synth-affect: --device: says where --refine runs; give that too\n"


def test_cuda_that_is_absent_is_one_line_and_writes_nothing(
    portrait_path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    torch = pytest.importorskip("torch")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    asked = ["--image", str(portrait_path), "--valence", "0.6", "--arousal", "0.3", "-o", str(tmp_path / "o.png")]
    assert main([*asked, "--refine", "--device", "cuda"]) == 2
    told = capsys.readouterr().err
    assert told.startswith("synth-affect: --device: cuda was asked for, but ")
    assert told.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_without_torch_the_extra_is_named_before_the_picture_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(module: str, extra: str) -> None:
        raise MissingDependencyError(module, extra, f"No module named {module!r}")

    monkeypatch.setattr(device_module, "import_optional", absent)
    with (
        pytest.raises(MissingDependencyError, match=r"synth-affect\[refine\]"),
        open_faces(FaceSource(Path("none.png"), refine_on="cpu")),
    ):
        pass


def test_an_unknown_device_is_refused() -> None:
    with (
        pytest.raises(InputError, match="--device: tpu"),
        open_faces(
            FaceSource(Path("none.png"), refine_on="tpu")  # type: ignore[arg-type]
        ),
    ):
        pass
