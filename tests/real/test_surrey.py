"""The Surrey Face Model itself: what is made of it, and a photograph edited with it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from synth_affect.data.pictures import read_picture
from synth_affect.fitting.mediapipe_detector import MediaPipeDetector
from synth_affect.heads.model import HeadModel, embed, region_vertices
from synth_affect.heads.surrey import load_surrey
from synth_affect.pipelines import embed_landmarks as embedding
from synth_affect.pipelines.foreign_head.furnish import furnish_head
from synth_affect.pipelines.synthesize import AffectSynthesizer

SHARED = Path(__file__).parents[3] / "shared"
MODEL, FACE = SHARED / "models" / "sfm" / "sfm_shape_3448.bin", SHARED / "faces" / "woman_front_b.jpg"
pytestmark = pytest.mark.skipif(not MODEL.is_file() or not FACE.is_file(), reason=f"{MODEL.name} is not here")

# From the project's ibug_to_sfm.txt: corners of the eyes and of the mouth, by MediaPipe's point.
NAMED = {33: 177, 133: 181, 263: 610, 362: 614, 61: 398, 291: 812}


@pytest.fixture(scope="module")
def head() -> HeadModel:
    """With fewer renderings than a conversion takes."""
    with pytest.MonkeyPatch.context() as patch, MediaPipeDetector() as detector:
        patch.setattr(embedding, "N_HEADS", 4)
        patch.setattr(embedding, "YAWS_DEG", (0.0,))
        return furnish_head(load_surrey(MODEL), detector)


def test_the_file_is_read_to_its_conventions() -> None:
    foreign = load_surrey(MODEL)
    assert foreign.mean.shape == (3448, 3)
    assert foreign.triangles.shape == (6736, 3)
    assert foreign.identity_basis.shape == (63, 3448, 3)
    spread = np.linalg.norm(foreign.identity_basis.reshape(63, -1), axis=1)
    assert (np.diff(spread) <= 1e-3).all()


def test_landmarks_lie_where_its_project_names_them(head: HeadModel) -> None:
    """Its own list names vertices; ours were seen."""
    foreign = load_surrey(MODEL)
    named = foreign.mean[list(NAMED.values())]
    seen = embed(head.mean, head.triangles, head.landmarks_478)[list(NAMED)]
    shift = np.median(seen - named, axis=0)
    assert np.linalg.norm(seen - shift - named, axis=1).max() < 5


def test_a_photograph_opens_its_mouth_and_keeps_its_surroundings(head: HeadModel) -> None:
    image = read_picture(FACE).pixels
    with AffectSynthesizer(head) as synthesizer:
        fit = synthesizer.fit(image)
        result = synthesizer.synthesize(image, fit, valence=0.2, arousal=0.8)
        with MediaPipeDetector() as detector:
            (before,), (after,) = detector.detect(image), detector.detect(result.image)
    assert after.blendshapes["jawOpen"] > before.blendshapes["jawOpen"] + 0.25
    changed = (result.image != image).any(axis=2)
    assert 0.01 < changed.mean() < 0.5
    assert not changed[[0, -1]].any()
    assert len(region_vertices(head, "teeth_upper")) > 100
