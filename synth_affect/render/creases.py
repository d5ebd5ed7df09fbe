"""Creases of an expression that is taken away: the skin beside them is continued over them.

Flow carries the photograph's furrows along; a mouth that no longer smiles would keep the lines of the smile. Where the
maps of folds lie, and some way around, because a person's fold is not where the map's is, what is dark and narrow is a
crease (a closing of the lightness fills it). What has fine dark lines in all directions is hair, and stays.
"""

from __future__ import annotations

import cv2
import numpy as np

from synth_affect.arrays import BoolArray, FloatArray
from synth_affect.heads.model import embed
from synth_affect.render.flow import SurfaceFlow
from synth_affect.render.mask_box import mask_box
from synth_affect.render.pull_push import extend
from synth_affect.render.rising import rising
from synth_affect.render.scene import Scene
from synth_affect.render.wrinkles import WrinkleMaps, on_surface

GONE = 0.5
"""Of the strength of a fold's group: a fold that loses as much goes wholly."""
MAP_MM, REACH_MM = 0.3, 5.0
"""A map this deep is a fold; so far around it creases are looked for."""
WIDTH_MM = 6.0
"""What is dark and narrower than this is a crease."""
LEAST_DEPTH, FULL_DEPTH, SHARE = 0.12, 0.4, 0.9
"""In log light: skin that is known, creases that are filled as far as SHARE."""
HOLE_DEPTH = (1.8, 3.0)
"""From which depth on, and from which on wholly, it is no crease of the skin but a hole."""
NOSE, NOSE_MM = (48, 64, 98, 97, 2, 326, 327, 294, 278, 4, 1, 19, 94), 1.0
"""MediaPipe's points around the nostrils, and how far around their hull all stays."""
FINE_MM, SPREAD_MM = 0.35, 2.0
HAIR = (0.025, 0.05)
"""Fine contrast in log light that has no direction, of skin at most and of hair at least."""
LARGEST_PX_PER_MM = 4.5
"""Finer pictures are looked at in this size: creases are no finer."""


def fill_creases(
    picture: FloatArray, scene: Scene, surface: SurfaceFlow, maps: WrinkleMaps, strengths: FloatArray
) -> FloatArray:
    """(height, width, 3) float32: `picture`, sRGB 0-255, with the creases of groups of negative strength filled.

    strengths : (n_groups,), of `fold_strengths`.
    """
    going = np.clip(-strengths / GONE, 0, 1)
    if not going.any():
        return picture
    depths = np.clip(np.abs(maps.heights_mm[going > 0]) / MAP_MM, 0, 1)
    place = on_surface(scene, surface, maps, (depths * going[going > 0, None, None]).max(axis=0).astype(np.float32))
    skin = _skin(scene, surface)
    place = np.where(skin, place, 0)
    if not place.any():
        return picture
    box = mask_box(place, pad=2 + round(2 * (REACH_MM + WIDTH_MM) * scene.px_per_mm))
    height, width = place[box].shape
    shrink = min(1.0, LARGEST_PX_PER_MM / scene.px_per_mm)
    size = (max(round(width * shrink), 1), max(round(height * shrink), 1))
    small, place, skin = (
        cv2.resize(np.ascontiguousarray(field[box], dtype=np.float32), size, interpolation=cv2.INTER_AREA)
        for field in (picture, place, skin)
    )
    lighter = _lighter(small, place, skin, scene.px_per_mm * shrink)
    filled = picture.copy()
    filled[box] += cv2.resize(lighter, (width, height), interpolation=cv2.INTER_LINEAR)
    return filled


def _skin(scene: Scene, surface: SurfaceFlow) -> BoolArray:
    """(height, width) bool: skin of the face without the nostrils' surroundings."""
    seen = surface.fragments.pix_to_face[0, :, :, 0]
    skin = (seen >= 0) & (scene.regions[seen] == scene.head.region_names.index("skin"))
    points = embed(surface.projected[:, :2], scene.head.triangles, scene.head.landmarks_478)[list(NOSE)]
    nose = np.zeros(skin.shape, dtype=np.uint8)
    hull = np.rint(cv2.convexHull(points.astype(np.float32))).astype(np.int32)
    cv2.fillConvexPoly(nose, hull, 1)
    cv2.polylines(nose, [hull], True, 1, thickness=1 + 2 * max(1, round(NOSE_MM * scene.px_per_mm)))
    clear: BoolArray = skin & (nose == 0)
    return clear


def _lighter(picture: FloatArray, place: FloatArray, skin: FloatArray, px_per_mm: float) -> FloatArray:
    """(height, width, 3) float32, >= 0: what fills the creases of `picture` near `place`, on `skin`, both in [0, 1]."""
    near = cv2.dilate(place, _disc(REACH_MM * px_per_mm))
    near = cv2.GaussianBlur(near, (0, 0), 0.4 * REACH_MM * px_per_mm) * skin
    # sRGB is nearly a power of 1 / 2.2; what is as good as black has no say.
    light = 2.2 * np.log(np.maximum(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), 0) + 8)
    fine = max(0.7 * FINE_MM * px_per_mm, 0.5)
    smooth = cv2.GaussianBlur(light, (0, 0), fine)
    depth = np.maximum(cv2.morphologyEx(smooth, cv2.MORPH_CLOSE, _disc(0.5 * WIDTH_MM * px_per_mm)) - smooth, 0)
    depth = cv2.GaussianBlur(depth, (0, 0), fine)
    share = SHARE * near * np.minimum(depth / FULL_DEPTH, 1) * (1 - rising(depth, *HOLE_DEPTH))
    share *= 1 - rising(_roughness(light, px_per_mm), *HAIR)
    share = cv2.GaussianBlur(share, (0, 0), max(0.3 * px_per_mm, 0.6))
    known = ((depth < LEAST_DEPTH) & (skin > 0.9)).astype(np.float32)
    lighter: FloatArray = share[..., None] * np.maximum(extend(picture, known) - picture, 0)
    return lighter


def _roughness(light: FloatArray, px_per_mm: float) -> FloatArray:
    """(height, width) float32: fine contrast, less what of it runs in one direction (the structure tensor's coherence,
    Bigun & Granlund 1987).
    """
    contrast = np.abs(light - cv2.GaussianBlur(light, (0, 0), max(FINE_MM * px_per_mm, 0.7)))
    x, y = cv2.Sobel(light, cv2.CV_32F, 1, 0), cv2.Sobel(light, cv2.CV_32F, 0, 1)
    contrast, xx, yy, xy = (
        cv2.GaussianBlur(field, (0, 0), SPREAD_MM * px_per_mm) for field in (contrast, x * x, y * y, x * y)
    )
    coherence = np.sqrt((xx - yy) ** 2 + 4 * xy**2) / (xx + yy + 1e-6)
    rough: FloatArray = contrast * (1 - coherence)
    return rough


def _disc(radius_px: float) -> FloatArray:
    width = 1 + 2 * max(1, round(radius_px))
    disc: FloatArray = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (width, width))
    return disc
