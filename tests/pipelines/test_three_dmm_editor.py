from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from synth_affect.affect import ValenceArousal
from synth_affect.arrays import ImageArray
from synth_affect.pipelines.synthesize import AffectSynthesizer
from synth_affect.pipelines.three_dmm_editor import MAKES_PICTURES, PACKAGE, ThreeDmmEditor, files_digest


@pytest.mark.usefixtures("stub_detector")
def test_targets_come_in_their_order_and_as_the_command_makes_them(portrait: ImageArray) -> None:
    targets = [ValenceArousal(0.8, 0.4), ValenceArousal(-0.7, -0.3)]
    editor = ThreeDmmEditor()
    pictures = list(editor.edit(portrait, targets))
    editor.close()
    assert [(picture.shape, picture.dtype) for picture in pictures] == [(portrait.shape, portrait.dtype)] * 2
    with AffectSynthesizer() as synthesizer:
        fit = synthesizer.fit(portrait)
        alone = synthesizer.synthesize(portrait, fit, valence=-0.7, arousal=-0.3).image
    np.testing.assert_array_equal(pictures[1], alone)
    assert "head cc0" in editor.fingerprint
    assert editor.fingerprint == ThreeDmmEditor().fingerprint


def test_what_makes_the_pictures_is_in_the_fingerprint() -> None:
    for name in MAKES_PICTURES:
        assert (PACKAGE / name).exists()
    data = {path for part in ("heads", "blendshape", "render") for path in (PACKAGE / part).rglob("*.npz")}
    assert {"cc0_head.npz", "cc0_wrinkles.npz", "default_grid.npz"} <= {path.name for path in data}


@pytest.mark.parametrize(
    "changed", ["render/warp.py", "blendshape/grid/prototypes.json", "heads/head.npz", "affect.py"]
)
def test_any_file_that_is_changed_added_or_renamed_gives_another_digest(tmp_path: Path, changed: str) -> None:
    parts = ("affect.py", "heads", "blendshape", "render")
    for name in ("affect.py", "heads/head.npz", "blendshape/grid/prototypes.json", "render/warp.py", "web/page.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    before = files_digest(tmp_path, parts).hexdigest()
    (tmp_path / "web" / "page.py").write_text("other")
    (tmp_path / "render" / "__pycache__").mkdir()
    (tmp_path / "render" / "__pycache__" / "warp.pyc").write_text("compiled")
    assert files_digest(tmp_path, parts).hexdigest() == before
    (tmp_path / changed).write_text("other")
    assert files_digest(tmp_path, parts).hexdigest() != before
    (tmp_path / changed).write_text(changed)
    assert files_digest(tmp_path, parts).hexdigest() == before
    (tmp_path / "heads" / "head.npz").rename(tmp_path / "heads" / "tail.npz")
    assert files_digest(tmp_path, parts).hexdigest() != before
