"""What the pictures on disk hold, against the scene that the renderer was given."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from synth_affect.affect import Emotion, ValenceArousal, position
from synth_affect.errors import InputError
from synth_affect.pipelines.edit_picture import EditOutputs, Target, default_output, edit_picture, make_target
from synth_affect.pipelines.picture_faces import FaceSource, open_faces

STRONGEST = Target(ValenceArousal(0.1, 0.99))


@pytest.mark.usefixtures("stub_detector")
@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_outside_the_region_every_bit_stays(portrait_path: Path, tmp_path: Path, suffix: str) -> None:
    source = FaceSource(portrait_path)
    output = tmp_path / f"o{suffix}"
    edit_picture(source, STRONGEST, EditOutputs(output))
    with open_faces(source) as opened:
        region = opened.synthesizer.prepare(opened.picture.pixels, opened.faces[0].fit).region
        before = opened.picture.pixels
    with Image.open(output) as image:
        changed = (np.asarray(image) != before).any(axis=2)
    assert changed.any()
    outside = np.ones_like(changed)
    outside[region.top : region.bottom, region.left : region.right] = False
    assert outside.mean() > 0.25, "the region is most of the picture: this says nothing"
    assert not changed[outside].any()
    # Inside, too, most of the rectangle is hair, neck and background: what does not move keeps its bytes.
    assert changed[~outside].mean() < 0.6


def test_the_input_file_is_left_alone(portrait_path: Path, tmp_path: Path, stub_detector: type) -> None:
    before = portrait_path.read_bytes()
    edit_picture(FaceSource(portrait_path), STRONGEST, EditOutputs(tmp_path / "o.png"))
    assert portrait_path.read_bytes() == before


def test_a_target_is_a_point_a_category_or_both() -> None:
    assert make_target(0.1, -0.2, None) == Target(ValenceArousal(0.1, -0.2))
    assert make_target(None, None, Emotion.SADNESS).point == position(Emotion.SADNESS)
    assert make_target(0.1, -0.2, Emotion.SADNESS).point == ValenceArousal(0.1, -0.2)
    for valence, arousal, missing in ((0.1, None, "--arousal"), (None, 0.1, "--valence")):
        with pytest.raises(InputError, match=f"^{missing}: missing"):
            make_target(valence, arousal, Emotion.SADNESS)


def test_names_round_towards_one_nothing() -> None:
    assert default_output(Path("a/b.jpg"), make_target(-0.001, -1, None)) == Path("a/b_v+0.00_a-1.00.png")
    named = default_output(Path("b.tar.png"), make_target(-0.5, 0.5, Emotion.FEAR))
    assert named == Path("b.tar_fear_v-0.50_a+0.50.png")
    assert math.isclose(make_target(None, None, Emotion.JOYFUL).point.valence, position(Emotion.JOYFUL).valence)
