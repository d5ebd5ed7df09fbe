from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from synth_affect.arrays import ImageArray
from synth_affect.pipelines.picture_faces import FaceSource, open_faces
from synth_affect.pipelines.report import (
    CAPTION_PX,
    GAP_PX,
    PANEL_HEIGHT_PX,
    ReportedFace,
    _flow_colours,
    _flow_px,
    draw_report,
)


@pytest.fixture
def face(portrait_path: Path, stub_detector: Any) -> ReportedFace:
    """The portrait's face, at rest."""
    with open_faces(FaceSource(portrait_path)) as opened:
        fit = opened.faces[0].fit
        scene = opened.synthesizer.prepare(opened.picture.pixels, fit)
    return ReportedFace(fit, scene, scene.vertices)


def lifted(face: ReportedFace, up_mm: float) -> ReportedFace:
    return ReportedFace(face.fit, face.scene, face.vertices + np.array([0, up_mm, 0], np.float32))


def test_what_is_lifted_has_come_from_below(face: ReportedFace, portrait: ImageArray) -> None:
    size = portrait.shape[:2]
    assert not _flow_px(size, [face]).any()
    flow = _flow_px(size, [lifted(face, 4.0)])
    moved = np.abs(flow).max(axis=2) > 0
    assert moved.mean() > 0.05
    # 4 mm upwards at the scale of the face, to within its perspective; the picture's y points down.
    np.testing.assert_allclose(np.median(flow[moved][:, 1]), -4 * face.scene.px_per_mm, rtol=0.1)
    region = face.scene.region
    outside = np.ones(size, dtype=bool)
    outside[region.top : region.bottom, region.left : region.right] = False
    assert not moved[outside].any()


def test_directions_have_their_own_colours_and_stillness_is_white() -> None:
    flow = np.array([[[0, 0], [5, 0], [0, -5], [-5, 0], [0, 5], [2.5, 0]]], dtype=np.float32)
    white, right, up, left, down, half = _flow_colours(flow, 5.0)[0].astype(int)
    assert white.tolist() == [255, 255, 255]
    assert right.tolist() == [255, 0, 0]
    assert left.tolist() == [0, 255, 255]
    assert len({tuple(colour) for colour in (right, up, left, down)}) == 4
    np.testing.assert_allclose(half, (white + right) / 2, atol=1)


def test_five_panels_of_one_size(face: ReportedFace, portrait: ImageArray) -> None:
    after = portrait.copy()
    region = face.scene.region
    row, column = (region.top + region.bottom) // 2, (region.left + region.right) // 2
    after[row : row + 20, column : column + 20] = 255 - after[row : row + 20, column : column + 20]
    report = draw_report(portrait, after, [lifted(face, 4.0)])
    width = (report.shape[1] + GAP_PX) // 5 - GAP_PX
    assert report.shape == (PANEL_HEIGHT_PX + CAPTION_PX, 5 * (width + GAP_PX) - GAP_PX, 3)
    assert abs(width - PANEL_HEIGHT_PX * region.size.width / region.size.height) <= 1
    panels = [report[CAPTION_PX:, k * (width + GAP_PX) :][:, :width].astype(int) for k in range(5)]
    before, overlay, flow, difference, output = panels
    assert (overlay != before).any(axis=2).mean() > 0.02
    assert (flow != 255).any(axis=2).mean() > 0.1
    # Bright where the two pictures differ, and nowhere else; at the square's edge resizing blurs both.
    differs, bright = np.abs(output - before).max(axis=2) > 25, difference.max(axis=2) > 25
    assert differs.any()
    assert (differs != bright).sum() < 0.1 * differs.sum()


def test_two_faces_share_one_frame(face: ReportedFace, portrait: ImageArray) -> None:
    one = draw_report(portrait, portrait, [face])
    np.testing.assert_array_equal(
        draw_report(portrait, portrait, [face, face])[CAPTION_PX:, :50], one[CAPTION_PX:, :50]
    )
