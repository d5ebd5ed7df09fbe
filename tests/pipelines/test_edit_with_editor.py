"""`synth-affect edit --editor NAME`: a picture file in, an edited one with its companions out."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from synth_affect.affect import Emotion, ValenceArousal
from synth_affect.data.pictures import read_picture
from synth_affect.editors.recipes import Recipe
from synth_affect.editors.weights import save_editor
from synth_affect.errors import InputError, NoFaceError
from synth_affect.pipelines.edit_with_editor import EditorRequest, edit_with_editor
from synth_affect.pipelines.open_editor import EditorChoice

pytest.importorskip("torch")
Ask = Callable[..., EditorRequest]


@pytest.fixture
def ask(shade: Recipe, tmp_path: Path, portrait_path: Path) -> Ask:
    from tests.shade_editor import make_faces

    weights = tmp_path / "shade.safetensors"
    state = shade.build_learner(shade.settings(), make_faces(), None).state_dict()
    save_editor(weights, shade, shade.settings(), state, {"licence": "free"})

    def make(image: Path = portrait_path, output: str = "o.png", **more: object) -> EditorRequest:
        choice = EditorChoice("shade", weights, "cpu")
        start: dict[str, object] = {"point": ValenceArousal(0.6, 0.3), "editor": choice}
        return EditorRequest(image=image, output=tmp_path / output, **{**start, **more})  # type: ignore[arg-type]

    return make


def test_picture_sidecar_and_summary(ask: Ask, portrait_path: Path, tmp_path: Path) -> None:
    request = ask(emotion=Emotion.HAPPINESS)
    summary = edit_with_editor(request)
    before, after = read_picture(portrait_path).pixels, read_picture(request.output).pixels
    changed = (before != after).any(axis=2)
    assert 0.005 < changed.mean() < 0.1
    with Image.open(request.output) as picture:
        assert "compositeSynthetic" in picture.info["xmp"].decode()
    sidecar = json.loads((tmp_path / "o.png.json").read_text())
    assert sidecar["request"] == summary["request"] == {
        "valence": 0.6, "arousal": 0.3, "category": "happiness", "editor": "shade", "face": "largest", "shows": "edit",
    }  # fmt: skip
    assert sidecar["fit"]["licence"] == "free"
    assert sidecar["fit"]["weights_sha256"] == summary["weights_sha256"]
    first = request.output.read_bytes()
    edit_with_editor(request)
    assert request.output.read_bytes() == first


def test_deep_grey_and_transparent_pictures_stay_so(ask: Ask, portrait_path: Path, tmp_path: Path) -> None:
    with Image.open(portrait_path) as portrait:
        portrait.convert("L").save(tmp_path / "grey.png")
        faint = portrait.convert("RGBA")
        faint.putalpha(77)
        faint.save(tmp_path / "faint.png")
        deep = np.asarray(portrait.convert("L")).astype(np.uint16) * 257
    Image.fromarray(deep).save(tmp_path / "deep.png")
    for name in ("grey", "faint", "deep"):
        request = ask(tmp_path / f"{name}.png", f"{name}_o.png")
        edit_with_editor(request)
        before, after = read_picture(request.image), read_picture(request.output)
        assert (after.pixels.dtype, after.grey) == (before.pixels.dtype, before.grey)
        assert (after.pixels != before.pixels).any()
        if before.alpha is not None:
            np.testing.assert_array_equal(after.alpha, before.alpha)


def test_what_cannot_be_done_is_one_error_and_no_file(ask: Ask, tmp_path: Path) -> None:
    Image.new("RGB", (64, 64), (90, 90, 90)).save(tmp_path / "wall.png")
    with pytest.raises(NoFaceError, match=r"wall\.png: no face found"):
        edit_with_editor(ask(tmp_path / "wall.png"))
    with pytest.raises(InputError, match="the output is the input"):
        edit_with_editor(ask(tmp_path / "wall.png", "wall.png"))
    assert not (tmp_path / "o.png").exists()


@pytest.mark.parametrize(
    ("name", "weights", "message"),
    [
        ("deepfake", "w", "--editor: 'deepfake' is none of 3dmm, caae"),
        ("3dmm", "w", "--weights: 3dmm has none"),
        ("caae", None, "--weights: missing; caae needs what synth-affect train caae wrote"),
    ],
)
def test_editors_and_weights_go_together(name: str, weights: str | None, message: str) -> None:
    with pytest.raises(InputError) as error:
        EditorChoice(name, None if weights is None else Path(weights))
    assert message in str(error.value)
