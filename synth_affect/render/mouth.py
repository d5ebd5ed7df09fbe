"""The opened mouth: teeth, gums, tongue and cavity of the head model in the light of the photograph."""

from __future__ import annotations

import cv2
import numpy as np

from synth_affect.arrays import FloatArray
from synth_affect.heads.model import region_triangles
from synth_affect.render.colour import linear_to_srgb
from synth_affect.render.flow import SurfaceFlow
from synth_affect.render.scene import Scene

# Albedo against that of a tooth, linear RGB; in-house mixes, gums and tongue after photographs of open mouths.
ALBEDO = {
    "teeth_upper": (1.0, 1.0, 1.0),
    "teeth_lower": (0.92, 0.91, 0.90),
    "gums": (0.52, 0.20, 0.20),
    "tongue": (0.46, 0.17, 0.17),
    "mouth_cavity": (0.22, 0.07, 0.07),
}
DARKENING_MM = 17.0
"""Depth behind the lips at which light has fallen to 1/e."""
LIP_SHADOW_MM = 2.6
"""Width of the shadow that the lips cast on what lies behind them."""
DARKEST = 0.03


def mouth_interior(scene: Scene, surface: SurfaceFlow) -> FloatArray:
    """(height, width, 3) float32 sRGB, 0-255: the interior's colour where kind_map is 3; 0 elsewhere.

    A tooth that faces the camera at the lips is as bright as the face's white; deeper, further under a lip and on
    surfaces that turn away it is darker.
    """
    inside = surface.kind_map == 3
    colours = np.zeros((*inside.shape, 3), dtype=np.float32)
    if not inside.any():
        return colours
    shown = ~region_triangles(scene.head, "lashes")
    table = np.zeros((len(scene.head.region_names), 3), dtype=np.float32)
    for name, albedo in ALBEDO.items():
        table[scene.head.region_names.index(name)] = albedo
    regions = scene.head.triangle_regions[shown]
    seen = surface.fragments.pix_to_face[0, :, :, 0][inside]
    albedo = table[regions[seen]]
    depth = surface.fragments.zbuf[0, :, :, 0]
    lips = depth[cv2.dilate(inside.astype(np.uint8), np.ones((5, 5), np.uint8)).astype(bool) & (surface.kind_map == 1)]
    lip_depth = float(np.median(lips)) if len(lips) else float(depth[inside].min())
    behind = np.maximum(depth[inside] - lip_depth - 6.0, 0)  # teeth stand about 6 mm behind the front of the lips
    normals = surface.normals[inside]
    normals = normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-6)
    toward = np.clip((normals @ scene.camera.rotation.T.astype(np.float32))[:, 2], 0, 1)
    light = np.exp(-behind / DARKENING_MM) * (0.45 + 0.55 * toward)
    sigma = max(LIP_SHADOW_MM * scene.px_per_mm, 0.6)
    openness = cv2.GaussianBlur(inside.astype(np.float32), (0, 0), sigma)
    light *= np.clip((openness[inside] - 0.30) / 0.55, 0.12, 1)
    linear = scene.white * albedo * np.maximum(light, DARKEST)[:, None]
    colours[inside] = 255 * linear_to_srgb(linear)
    return colours
