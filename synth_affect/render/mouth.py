"""The opened mouth: teeth, gums, tongue and cavity of the head model in the light of the photograph."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import cv2
import numpy as np

from synth_affect.arrays import BoolArray, FloatArray
from synth_affect.heads.camera import ImageSize
from synth_affect.heads.model import HeadModel, region_vertices
from synth_affect.render.colour import linear_to_srgb, luminance
from synth_affect.render.flow import SurfaceFlow
from synth_affect.render.lips import NEIGHBOURS, lip_pixels, meet
from synth_affect.render.pull_push import extend
from synth_affect.render.rasterizer import interpolate, rasterize_projected
from synth_affect.render.scene import INTERIOR_KIND, Region, Scene
from synth_affect.render.upper_teeth import upper_row

# Albedo against that of a tooth, linear RGB; in-house mixes, gums and tongue after photographs of open mouths.
ALBEDO = {
    "teeth_upper": (1.0, 1.0, 1.0),
    "teeth_lower": (0.95, 0.90, 0.82),
    "gums": (0.50, 0.19, 0.19),
    "tongue": (0.80, 0.30, 0.28),
    "mouth_cavity": (0.30, 0.08, 0.075),
}
DARKENING_MM = {"teeth_upper": 11.0, "teeth_lower": 6.5, "gums": 8.0, "tongue": 13.0, "mouth_cavity": 13.0}
"""Depth behind the front teeth at which light has fallen to 1/e: cheeks and tongue stand around the teeth at the sides,
most of all the lower ones, while tongue and palate see the opening."""
HARD = ("teeth_upper", "teeth_lower", "gums")
TEETH_BEHIND_LIPS_MM = 12.0
LIP_SHADOW_MM, LIP_SHADOW_DROP_MM = 1.6, 0.6
"""Width of the shadow that the lips cast on what lies behind them, and how far down: light comes from above."""
DEEPEST_SHADOW = 0.45
"""What is left of the light in it: the strip of upper teeth that a dropped jaw shows lies in it, and is seen."""
RIM_LIGHT, RIM_MM = 0.4, 0.45
"""Share of the light right behind a lip, and how far from it all of it arrives: a mouth that just opens is dark."""
RIM_TINT = np.array([0.35, 0.8, 0.85], dtype=np.float32)
"""Powers of that share: what light there is has come through the lip and off it."""
WIDE_MM, NARROW_LIGHT = 5.5, 0.1
"""Between lips that are so far apart all light comes in, and what does through the narrowest slit: a mouth that is
just parted shows a dark line, not a row of teeth."""
GAP_GRID_MM = 0.4
GAP_TINT = np.array([1.0, 0.5, 0.47], dtype=np.float32)
"""Colour of the light in a slit, which comes through and off lips."""
ENAMEL = 0.7
"""Power of the light on teeth: they pass light on from one to the next, so that no shadow on them is as deep as on skin
(judged on portraits)."""
REDDENING = np.array([1.0, 1.18, 1.22], dtype=np.float32)
"""Power of the light: what is dark in a mouth is lit by its flesh."""
BOUNCED = np.array([0.06, 0.024, 0.022], dtype=np.float32)
"""Light that has come off the mouth's own flesh: teeth that no other light reaches are dark red, not grey."""
SOFT_UP = 0.6
"""How much more light tongue and cheeks get where they face up than where they face down, as the palate does."""
SOFT_MM = 1.2
"""Tongue, palate and cheeks pass into one another over this width: wet, in the dark and out of focus."""
EVEN_MM, EVEN_SHARE = 0.8, 0.05
"""Width over which the rim of the opening is evened out, at most, and as a share of its height: where lips meet in the
corners, triangles of the model cross one another, and a slit is narrower than its notches."""
ROLLED_MM, ROLLED_LIGHT = 0.7, 0.72
"""Width in which lips that open roll in, and what is left there of their sRGB values: without shade, what stretches
there looks like a thread laid round the mouth."""
OPTICS_PX = 0.5
"""Blur of what is drawn, as that of a sharp photograph."""
SUPERSAMPLING = 3
"""Samples a pixel along each axis: tooth edges and the lips' rim are thinner than a pixel."""


@dataclass(frozen=True, slots=True, eq=False)
class Interior:
    """box : where in the scene's region it lies.  colours : (height, width, 3) float32 sRGB, 0-255, of the box.
    coverage : (height, width) float32 in [0, 1], the share of each pixel that is interior.
    lip_light : (height, width) float32, factor on the sRGB values of the lips around.
    """

    box: Region
    colours: FloatArray
    coverage: FloatArray
    lip_light: FloatArray


def mouth_interior(scene: Scene, surface: SurfaceFlow, *, upper_teeth: bool = True) -> Interior | None:
    """The interior that the displaced face shows, drawn with several samples a pixel; None when the mouth is
    shut, or a slit too narrow to be seen.

    upper_teeth : whether to draw the upper teeth and their gums; what lies behind them otherwise.

    A tooth that faces the camera at the lips is as bright as the face's white; deeper, further under a lip, between
    two teeth and on surfaces that turn away it is darker.
    """
    inside = surface.kind_map == INTERIOR_KIND
    if not inside.any():
        return None
    rolled = max(ROLLED_MM * scene.px_per_mm, 0.5)
    box = _box(inside, pad=3 + round(3 * rolled))
    scale = SUPERSAMPLING
    corner = np.array([box.left, box.top, 0], dtype=np.float32)
    projected = (surface.projected - corner) * np.array([scale, scale, 1], dtype=np.float32)
    size = ImageSize(box.size.height * scale, box.size.width * scale)
    triangles = scene.triangles
    if not upper_teeth:  # a triangle without an area is not drawn
        hidden = np.asarray(upper_row(scene.head)[triangles].all(axis=1))
        triangles = np.where(hidden[:, None], 0, triangles)
    fragments = rasterize_projected(projected, triangles, size)
    seen = fragments.pix_to_face[0, :, :, 0]
    fine = (seen >= 0) & (scene.kinds[seen] == INTERIOR_KIND)
    into = into_mouth_mm(scene, surface.vertices)
    table = np.concatenate([surface.vertex_normals, scene.crevices[:, None], into[:, None]], axis=1)
    carried = interpolate(fragments, scene.triangles, table)[fine]
    albedo = _by_region(scene.head, ALBEDO)[scene.regions[seen[fine]]]
    hard = _by_region(scene.head, dict.fromkeys(HARD, 1.0))[scene.regions[seen[fine]]]
    behind = np.maximum(carried[:, 4] - TEETH_BEHIND_LIPS_MM, 0)
    normals = carried[:, :3] / np.maximum(np.linalg.norm(carried[:, :3], axis=1, keepdims=True), 1e-6)
    toward = np.clip((normals @ scene.camera.rotation.T.astype(np.float32))[:, 2], 0, 1)
    light = np.exp(-behind / _by_region(scene.head, DARKENING_MM)[scene.regions[seen[fine]]])
    light *= np.where(hard > 0, 1, 1 + SOFT_UP * normals[:, 1])
    light *= (0.4 + 0.6 * toward) * carried[:, 3] * _lip_shadow(scene, fine, scale)[fine]
    light = np.where(hard > 0, light**ENAMEL, light)
    from_rim = cv2.distanceTransform(fine.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5)[fine]
    rim = np.clip(RIM_LIGHT + from_rim / (RIM_MM * scene.px_per_mm * scale), RIM_LIGHT, 1)[:, None]
    passed = _through_the_gap(fine, scene.px_per_mm * scale)[fine][:, None]
    light = light[:, None] ** REDDENING * rim**RIM_TINT * passed * (passed + (1 - passed) * GAP_TINT)
    drawn = scene.white * albedo * np.maximum(light, BOUNCED)
    grey = luminance(drawn)[:, None]
    drawn = grey + scene.chroma * (drawn - grey)
    teeth = _layer(fine, drawn, hard, box.size, OPTICS_PX)
    flesh = _layer(fine, drawn, 1 - hard, box.size, max(SOFT_MM * scene.px_per_mm, OPTICS_PX))
    drawn_share = cv2.resize(fine.astype(np.float32), (box.size.width, box.size.height), interpolation=cv2.INTER_AREA)
    share = (teeth[..., 3] / np.maximum(cv2.GaussianBlur(drawn_share, (0, 0), OPTICS_PX), 1e-6))[..., None]
    linear = share * _unmixed(teeth) + (1 - share) * _unmixed(flesh)
    linear = np.where(drawn_share[..., None] > 0, linear, extend(linear, drawn_share))
    even = even_rim(fine, scene.px_per_mm * scale)
    coverage = cv2.resize(even, (box.size.width, box.size.height), interpolation=cv2.INTER_AREA)
    coverage = cv2.GaussianBlur(coverage, (0, 0), OPTICS_PX)
    if not coverage.any():
        return None
    lip_light = 1 - (1 - ROLLED_LIGHT) * np.clip(2 * cv2.GaussianBlur(coverage, (0, 0), rolled), 0, 1)
    return Interior(box, linear_to_srgb(linear) * np.float32(255), coverage, lip_light)


def even_rim(opened: BoolArray, px_per_mm: float) -> FloatArray:
    """(height, width) float32, 0 or 1: `opened`, which is not empty, without notches and spurs of its rim."""
    rows = np.flatnonzero(opened.any(axis=1))
    sigma = min(EVEN_MM * px_per_mm, EVEN_SHARE * (rows[-1] + 1 - rows[0]))
    if sigma < 0.5:
        return opened.astype(np.float32)
    even: FloatArray = (cv2.GaussianBlur(opened.astype(np.float32), (0, 0), sigma) > 0.5).astype(np.float32)
    return even


def _through_the_gap(opened: BoolArray, px_per_mm: float) -> FloatArray:
    """(height, width) float32: share of the light that comes in between lips as far apart as they are near a sample."""
    half_gap = cv2.distanceTransform(opened.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5)
    # The widest gap near by changes slowly, and to look for it among all samples of a large mouth would take seconds.
    every = max(1, round(GAP_GRID_MM * px_per_mm))
    coarse = cv2.dilate(half_gap, np.ones((every, every), np.uint8))[every // 2 :: every, every // 2 :: every]
    width = 1 + 2 * round(0.5 * WIDE_MM * px_per_mm / every)
    coarse = cv2.dilate(coarse, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (width, width)))
    widest = cv2.resize(coarse, opened.shape[::-1], interpolation=cv2.INTER_LINEAR)
    passed: FloatArray = np.clip(widest / (0.5 * WIDE_MM * px_per_mm), NARROW_LIGHT, 1)
    return passed


def _lip_shadow(scene: Scene, fine: BoolArray, scale: int) -> FloatArray:
    """(height, width) float32 factor on light, of the samples `fine` that are interior: dark near the lips."""
    height, width = fine.shape
    coarse = cv2.resize(fine.astype(np.float32), (width // scale, height // scale), interpolation=cv2.INTER_AREA)
    openness = cv2.GaussianBlur(coarse, (0, 0), max(LIP_SHADOW_MM * scene.px_per_mm, 0.6))
    drop = LIP_SHADOW_DROP_MM * scene.px_per_mm * scale * down_in_picture(scene)
    centre = 0.5 * (scale - 1)
    to_fine = np.array([[scale, 0, centre + drop[0]], [0, scale, centre + drop[1]]], dtype=np.float32)
    openness = cv2.warpAffine(openness, to_fine, (width, height), flags=cv2.INTER_LINEAR)
    shadow: FloatArray = np.clip((openness - 0.2) / 0.45, DEEPEST_SHADOW, 1)
    return shadow


def _layer(fine: BoolArray, drawn: FloatArray, share: FloatArray, size: ImageSize, blur_px: float) -> FloatArray:
    """(height, width, 4) float32: colours (n, 3) of the samples `fine`, weighted by `share` (n,), and that weight."""
    samples = np.zeros((*fine.shape, 4), dtype=np.float32)
    samples[fine] = np.concatenate([drawn, np.ones_like(share)[:, None]], axis=1) * share[:, None]
    mean = cv2.resize(samples, (size.width, size.height), interpolation=cv2.INTER_AREA)
    blurred: FloatArray = cv2.GaussianBlur(mean, (0, 0), blur_px)
    return blurred


def _unmixed(layer: FloatArray) -> FloatArray:
    """(height, width, 3): the colours of a layer where it has any weight."""
    colours: FloatArray = layer[..., :3] / np.maximum(layer[..., 3:], 1e-6)
    return colours


CONTACT_MM = 0.45
"""Width of the dark line between lips that have come together."""
CONTACT_LIGHT = 0.35
CONTACT_PX = 0.8
"""Least blur of that line: drawn finer it is a stair. Being finer, it is fainter then."""
CONTACT_GAP_MM = 1.5
"""Lips that were this far apart in the photograph get the full line; those that touched there have their own."""


def lip_contact(scene: Scene, surface: SurfaceFlow) -> FloatArray:
    """(height, width) float32: factor on light, below 1 where lips that the photograph shows apart now touch.

    There the flow of the upper lip ends and that of the lower begins.
    """
    upper, lower = lip_pixels(scene.head, scene.triangles, scene.regions, surface.fragments)
    lips = upper | lower
    if not (scene.kind_map == INTERIOR_KIND).any() or not lips.any():
        return np.ones(lips.shape, dtype=np.float32)
    down = down_in_picture(scene)
    along = surface.own_flow @ down
    line = np.zeros(lips.shape, dtype=np.float32)
    for (first, second), upright in zip(NEIGHBOURS, np.abs(down[::-1]), strict=True):
        # Beside each other, not one above the other, lips are past the corner of the mouth.
        parted = upright * np.abs(along[second] - along[first]) / (CONTACT_GAP_MM * scene.px_per_mm)
        line[first] = np.maximum(line[first], meet(upper, lower, first, second) * np.clip(parted - 0.3, 0, 1))
    width = CONTACT_MM * scene.px_per_mm
    # Along a line one pixel wide a blur leaves 1 / (sqrt(2 pi) sigma) of it.
    blurred = cv2.GaussianBlur(line, (0, 0), max(width, CONTACT_PX))
    shade = np.clip(blurred * np.sqrt(2 * np.pi) * width, 0, 1)
    factor: FloatArray = (1 - (1 - CONTACT_LIGHT) * shade * lips).astype(np.float32)
    return factor


def down_in_picture(scene: Scene) -> FloatArray:
    """(2,) float32 unit vector in the picture from forehead to chin."""
    up = scene.camera.rotation[:2, 1]
    down: FloatArray = (np.array([-up[0], up[1]]) / np.linalg.norm(up)).astype(np.float32)
    return down


def into_mouth_mm(scene: Scene, vertices: FloatArray) -> FloatArray:
    """(n_vertices,) how far each vertex lies behind the front of the lips, along the head's own axis."""
    front = float(np.quantile(vertices[region_vertices(scene.head, "lips"), 2], 0.9))
    into: FloatArray = front - vertices[:, 2]
    return into


def _by_region(head: HeadModel, values: Mapping[str, float] | Mapping[str, tuple[float, float, float]]) -> FloatArray:
    """(n_regions,) or (n_regions, 3) float32, 0 for regions without a value."""
    table = np.zeros((len(head.region_names), *np.asarray(next(iter(values.values()))).shape), dtype=np.float32)
    for name, value in values.items():
        table[head.region_names.index(name)] = value
    return table


def _box(inside: BoolArray, pad: int) -> Region:
    rows, columns = np.flatnonzero(inside.any(axis=1)), np.flatnonzero(inside.any(axis=0))
    height, width = inside.shape
    return Region(
        max(int(rows[0]) - pad, 0),
        min(int(rows[-1]) + pad + 1, height),
        max(int(columns[0]) - pad, 0),
        min(int(columns[-1]) + pad + 1, width),
    )
