"""A window round a face shows the same edit as the whole picture."""

from __future__ import annotations

import numpy as np
import pytest

from synth_affect.arrays import ImageArray
from synth_affect.fitting.fit import FaceFit
from synth_affect.fitting.landmarks import Landmarks
from synth_affect.heads.camera import project
from synth_affect.heads.model import embed, head_vertices
from synth_affect.pipelines.face_window import face_window, whole_window
from synth_affect.pipelines.synthesize import AffectSynthesizer


@pytest.fixture(scope="module")
def synthesizer() -> AffectSynthesizer:
    return AffectSynthesizer()


@pytest.fixture(scope="module")
def fit(synthesizer: AffectSynthesizer, portrait: ImageArray, portrait_landmarks: Landmarks) -> FaceFit:
    return synthesizer.fit_landmarks(portrait, portrait_landmarks)


def test_an_edit_in_the_window_is_the_edit_of_the_picture(
    synthesizer: AffectSynthesizer, portrait: ImageArray, fit: FaceFit
) -> None:
    whole = synthesizer.synthesize(portrait, fit, valence=0.7, arousal=0.4).image
    window = face_window(portrait, fit, synthesizer.head)
    assert window.pixels.shape == (window.bottom - window.top, window.right - window.left, 3)
    edited = synthesizer.synthesize(window.pixels, window.fit, valence=0.7, arousal=0.4).image
    there = whole[window.top : window.bottom, window.left : window.right]
    difference = np.abs(edited.astype(int) - there)
    assert np.abs(there.astype(int) - portrait[window.top : window.bottom, window.left : window.right]).max() > 60
    assert difference.mean() < 0.05
    outside = whole.copy()
    outside[window.top : window.bottom, window.left : window.right] = 0
    untouched = portrait.copy()
    untouched[window.top : window.bottom, window.left : window.right] = 0
    assert np.array_equal(outside, untouched), "nothing changes beside the window"


@pytest.mark.parametrize("longest_px", [64, 150])
def test_in_a_reduced_window_the_fit_lies_on_the_same_face(
    synthesizer: AffectSynthesizer, portrait: ImageArray, fit: FaceFit, longest_px: int
) -> None:
    window = face_window(portrait, fit, synthesizer.head, longest_px=longest_px)
    assert max(window.pixels.shape) == longest_px
    scale = longest_px / max(window.bottom - window.top, window.right - window.left)
    assert window.fit.landmarks_image == pytest.approx(
        scale * (fit.landmarks_image - [window.left, window.top]), abs=1e-3
    )
    head = synthesizer.head
    vertices = head_vertices(head, fit.identity_coefficients, fit.expression_weights)
    points = embed(vertices, head.triangles, head.landmarks_478)
    before, after = project(fit.camera, points)[:, :2], project(window.fit.camera, points)[:, :2]
    assert after == pytest.approx(scale * (before - [window.left, window.top]), abs=1e-3)
    synthesizer.prepare(window.pixels, window.fit)


def test_the_least_of_both_reductions_counts(
    synthesizer: AffectSynthesizer, portrait: ImageArray, fit: FaceFit
) -> None:
    full = face_window(portrait, fit, synthesizer.head).pixels.shape
    half = face_window(portrait, fit, synthesizer.head, most_scale=0.5)
    assert half.pixels.shape[:2] == pytest.approx((full[0] / 2, full[1] / 2), abs=1)
    assert max(face_window(portrait, fit, synthesizer.head, most_scale=0.5, longest_px=50).pixels.shape) == 50
    assert face_window(portrait, fit, synthesizer.head, longest_px=9999).pixels.shape == full


def test_the_whole_picture_as_a_window(portrait: ImageArray, fit: FaceFit) -> None:
    assert np.array_equal(whole_window(portrait, fit, 512).pixels, portrait)
    window = whole_window((portrait.astype(np.uint16) * 257).astype(np.uint16), fit, 256)
    assert (window.pixels.shape, window.pixels.dtype) == ((256, 256, 3), np.uint8)
    assert (window.left, window.top, window.right, window.bottom) == (0, 0, 512, 512)
