"""One edit taken apart for the eye: input, landmarks and mesh, flow, difference, output, side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from PIL import Image, ImageDraw

from synth_affect.arrays import FloatArray, ImageArray, as_uint8
from synth_affect.fitting.fit import FaceFit
from synth_affect.pipelines.drawing import FAINT_INK, blank, resized, write
from synth_affect.render.rasterizer import interpolate, rasterize_projected
from synth_affect.render.scene import Region, Scene, project_with

PANEL_HEIGHT_PX = 560
GAP_PX = 12
CAPTION_PX = 44
TEXT_PX = 20

MESH_COLOUR = (90, 220, 255)
LANDMARK_COLOUR = (255, 70, 60)
MESH_OPACITY = 0.45


@dataclass(frozen=True, slots=True, eq=False)
class ReportedFace:
    """vertices : (n_vertices, 3) float32, mm, head frame, the face as it was asked for; `scene` holds it at rest."""

    fit: FaceFit
    scene: Scene
    vertices: FloatArray


def draw_report(before: ImageArray, after: ImageArray, faces: Sequence[ReportedFace]) -> ImageArray:
    """before, after : (height, width, 3) uint8 or uint16.  faces : those that were edited, one or more.

    Returns (height, width, 3) uint8: five panels of the part of the picture that may have changed.
    """
    before, after = as_uint8(before), as_uint8(after)
    shown = _around([face.scene.region for face in faces])
    height = PANEL_HEIGHT_PX
    scale = height / shown.size.height
    width = max(1, round(shown.size.width * scale))
    flow_px = _flow_px(before.shape[:2], faces)
    longest = float(np.linalg.norm(flow_px, axis=2).max())
    difference = np.abs(after.astype(np.float32) - before).max(axis=2)
    panels = [
        ("input", resized(shown.of(before), height, width)),
        ("landmarks and mesh", _overlay(resized(shown.of(before), height, width), faces, shown, scale)),
        (f"motion, up to {longest:.1f} px", resized(_flow_colours(shown.of(flow_px), longest), height, width)),
        (f"difference, up to {difference.max():.0f} of 255", resized(_heat(shown.of(difference)), height, width)),
        ("output", resized(shown.of(after), height, width)),
    ]
    sheet = blank(height + CAPTION_PX, len(panels) * (width + GAP_PX) - GAP_PX)
    draw = ImageDraw.Draw(sheet)
    for place, (caption, panel) in enumerate(panels):
        left = place * (width + GAP_PX)
        sheet.paste(Image.fromarray(panel), (left, CAPTION_PX))
        write(draw, (left + width / 2, CAPTION_PX / 2), caption, TEXT_PX)
    _draw_wheel(sheet, 2 * (width + GAP_PX), CAPTION_PX)
    return np.asarray(sheet)


def _around(regions: Sequence[Region]) -> Region:
    return Region(
        min(region.top for region in regions),
        max(region.bottom for region in regions),
        min(region.left for region in regions),
        max(region.right for region in regions),
    )


def _overlay(panel: ImageArray, faces: Sequence[ReportedFace], shown: Region, scale: float) -> ImageArray:
    """The edges of the triangles that are seen, and the landmarks, on the enlarged input."""
    lines = panel.copy()
    for face in faces:
        scene = face.scene
        seen = scene.fragments.pix_to_face
        corners = scene.triangles[np.unique(seen[seen >= 0])]
        places = scene.projected[:, :2] + (scene.region.left - shown.left, scene.region.top - shown.top)
        # OpenCV takes a fixed point with 4 binary places, and a pixel's centre for its coordinate.
        fixed = np.round((places[corners] * scale - 0.5) * 16).astype(np.int32)
        cv2.polylines(lines, list(fixed), True, MESH_COLOUR, 1, cv2.LINE_AA, 4)
    mixed = cv2.addWeighted(lines, MESH_OPACITY, panel, 1 - MESH_OPACITY, 0)
    for face in faces:
        for x, y in (face.fit.landmarks_image - (shown.left, shown.top)) * scale - 0.5:
            cv2.circle(mixed, (round(float(x) * 16), round(float(y) * 16)), 24, LANDMARK_COLOUR, -1, cv2.LINE_AA, 4)
    return np.asarray(mixed, dtype=np.uint8)


def _flow_px(size: tuple[int, ...], faces: Sequence[ReportedFace]) -> FloatArray:
    """(height, width, 2) float32: how far the surface that is now seen at a pixel has come, px; 0 off the faces."""
    flow: FloatArray = np.zeros((size[0], size[1], 2), dtype=np.float32)
    for face in faces:
        scene = face.scene
        corner = np.array([scene.region.left, scene.region.top, 0], dtype=np.float32)
        moved = project_with(scene.camera, face.vertices, scene.offsets_px) - corner
        fragments = rasterize_projected(moved, scene.triangles, scene.region.size)
        travel = interpolate(fragments, scene.triangles, moved[:, :2] - scene.projected[:, :2])
        scene.region.of(flow)[...] += travel
    return flow


def _flow_colours(flow_px: FloatArray, longest_px: float) -> ImageArray:
    """Hue is direction, saturation is length; what stands still is white."""
    hue = np.degrees(np.arctan2(-flow_px[..., 1], flow_px[..., 0])) % 360
    length = np.linalg.norm(flow_px, axis=2) / max(longest_px, 1e-6)
    hsv = np.stack([hue, length, np.ones_like(length)], axis=2).astype(np.float32)
    return np.asarray(np.rint(cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB) * 255), dtype=np.uint8)


def _draw_wheel(sheet: Image.Image, left: int, top: int) -> None:
    """The key to the colours of the motion panel: each direction's hue, at its place on a disk."""
    radius = 34
    y, x = np.mgrid[-radius : radius + 1, -radius : radius + 1].astype(np.float32)
    disk = np.hypot(x, y) <= radius
    colours = _flow_colours(np.stack([x, y], axis=2), radius)
    corner = (left + GAP_PX, top + GAP_PX)
    sheet.paste(Image.fromarray(colours), corner, Image.fromarray(disk))
    ImageDraw.Draw(sheet).ellipse(
        (corner[0], corner[1], corner[0] + 2 * radius, corner[1] + 2 * radius), outline=FAINT_INK
    )


def _heat(difference: FloatArray) -> ImageArray:
    """Black where nothing changed, over red to yellow at the largest change."""
    scaled = np.rint(difference * (255 / max(float(difference.max()), 1.0))).astype(np.uint8)
    coloured = cv2.applyColorMap(scaled, cv2.COLORMAP_INFERNO)
    return np.asarray(coloured[..., ::-1], dtype=np.uint8)
