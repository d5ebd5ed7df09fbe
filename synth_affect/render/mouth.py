"""The opened mouth: teeth, gums, tongue and cavity of the head model in the light of the photograph."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from synth_affect.arrays import BoolArray, FloatArray
from synth_affect.heads.camera import ImageSize
from synth_affect.heads.model import HeadModel, region_vertices
from synth_affect.render.colour import linear_to_srgb, luminance
from synth_affect.render.flow import SurfaceFlow
from synth_affect.render.rasterizer import interpolate, rasterize_projected
from synth_affect.render.scene import FACE_KIND, INTERIOR_KIND, Region, Scene

# Albedo against that of a tooth, linear RGB; in-house mixes, gums and tongue after photographs of open mouths.
ALBEDO = {
    "teeth_upper": (1.0, 1.0, 1.0),
    "teeth_lower": (0.90, 0.89, 0.87),
    "gums": (0.50, 0.19, 0.19),
    "tongue": (0.55, 0.20, 0.20),
    "mouth_cavity": (0.20, 0.06, 0.06),
}
DARKENING_MM = 15.0
"""Depth behind the front teeth at which light has fallen to 1/e."""
TEETH_BEHIND_LIPS_MM = 12.0
LIP_SHADOW_MM = 1.6
"""Width of the shadow that the lips cast on what lies behind them."""
RIM_LIGHT, RIM_MM = 0.25, 0.6
"""Share of the light right behind a lip, and how far from it all of it arrives: a mouth that just opens is dark."""
DARKEST = 0.02
SUPERSAMPLING = 3
"""Samples a pixel along each axis: tooth edges and the lips' rim are thinner than a pixel."""


@dataclass(frozen=True, slots=True, eq=False)
class Interior:
    """box : where in the scene's region it lies.  colours : (height, width, 3) float32 sRGB, 0-255, of the box.
    coverage : (height, width) float32 in [0, 1], the share of each pixel that is interior.
    """

    box: Region
    colours: FloatArray
    coverage: FloatArray


def mouth_interior(scene: Scene, surface: SurfaceFlow) -> Interior | None:
    """The interior that the displaced face shows, drawn with several samples a pixel; None when the mouth is shut.

    A tooth that faces the camera at the lips is as bright as the face's white; deeper, further under a lip, between
    two teeth and on surfaces that turn away it is darker.
    """
    inside = surface.kind_map == INTERIOR_KIND
    if not inside.any():
        return None
    box = _box(inside)
    scale = SUPERSAMPLING
    corner = np.array([box.left, box.top, 0], dtype=np.float32)
    projected = (surface.projected - corner) * np.array([scale, scale, 1], dtype=np.float32)
    size = ImageSize(box.size.height * scale, box.size.width * scale)
    fragments = rasterize_projected(projected, scene.triangles, size)
    seen = fragments.pix_to_face[0, :, :, 0]
    fine = (seen >= 0) & (scene.kinds[seen] == INTERIOR_KIND)
    into = into_mouth_mm(scene, surface.vertices)
    table = np.concatenate([surface.vertex_normals, scene.crevices[:, None], into[:, None]], axis=1)
    carried = interpolate(fragments, scene.triangles, table)[fine]
    behind = np.maximum(carried[:, 4] - TEETH_BEHIND_LIPS_MM, 0)
    normals = carried[:, :3] / np.maximum(np.linalg.norm(carried[:, :3], axis=1, keepdims=True), 1e-6)
    toward = np.clip((normals @ scene.camera.rotation.T.astype(np.float32))[:, 2], 0, 1)
    light = np.exp(-behind / DARKENING_MM) * (0.4 + 0.6 * toward) * carried[:, 3]
    sigma = max(LIP_SHADOW_MM * scene.px_per_mm, 0.6) * scale
    openness = cv2.GaussianBlur(fine.astype(np.float32), (0, 0), sigma)[fine]
    light *= np.clip((openness - 0.2) / 0.45, 0.3, 1)
    linear = np.zeros((*fine.shape, 4), dtype=np.float32)
    albedo = _albedo(scene.head)[scene.regions[seen[fine]]]
    from_rim = cv2.distanceTransform(fine.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5)[fine]
    light *= np.clip(RIM_LIGHT + from_rim / (RIM_MM * scene.px_per_mm * scale), RIM_LIGHT, 1)
    drawn = scene.white * albedo * np.maximum(light, DARKEST)[:, None]
    grey = luminance(drawn)[:, None]
    linear[fine, :3] = grey + scene.chroma * (drawn - grey)
    linear[fine, 3] = 1
    mean = cv2.resize(linear, (box.size.width, box.size.height), interpolation=cv2.INTER_AREA)
    coverage = mean[..., 3]
    colours = linear_to_srgb(mean[..., :3] / np.maximum(coverage, 1e-6)[..., None]) * np.float32(255)
    return Interior(box, colours, coverage)


CONTACT_MM = 0.45
"""Width of the dark line between lips that have come together."""
CONTACT_LIGHT = 0.35
CONTACT_GAP_MM = 1.5
"""Lips that were this far apart in the photograph get the full line; those that touched there have their own."""


def lip_contact(scene: Scene, surface: SurfaceFlow) -> FloatArray:
    """(height, width) float32: factor on light, below 1 where lips that the photograph shows apart now touch.

    There the flow of the upper lip ends and that of the lower begins.
    """
    lips = scene.regions[surface.fragments.pix_to_face[0, :, :, 0]] == scene.head.region_names.index("lips")
    lips &= surface.kind_map == FACE_KIND
    if not (scene.kind_map == INTERIOR_KIND).any() or not lips.any():
        return np.ones(lips.shape, dtype=np.float32)
    lower = lips & lower_lip(scene)[surface.fragments.pix_to_face[0, :, :, 0]]
    upper = lips & ~lower
    along = surface.own_flow @ _down(scene)
    line = np.zeros(lips.shape, dtype=np.float32)
    for first, second in (((slice(None, -1), slice(None)), (slice(1, None), slice(None))),
                          ((slice(None), slice(None, -1)), (slice(None), slice(1, None)))):  # fmt: skip
        meet = (upper[first] & lower[second]) | (lower[first] & upper[second])
        parted = np.abs(along[second] - along[first]) / (CONTACT_GAP_MM * scene.px_per_mm)
        line[first] = np.maximum(line[first], meet * np.clip(parted - 0.3, 0, 1))
    sigma = max(CONTACT_MM * scene.px_per_mm, 0.6)
    # Along a line one pixel wide a blur leaves 1 / (sqrt(2 pi) sigma) of it.
    shade = np.clip(cv2.GaussianBlur(line, (0, 0), sigma) * np.sqrt(2 * np.pi) * sigma, 0, 1)
    factor: FloatArray = (1 - (1 - CONTACT_LIGHT) * shade * lips).astype(np.float32)
    return factor


def lower_lip(scene: Scene) -> BoolArray:
    """(n_triangles,) bool: drawn triangles that go more with the opening jaw than half of the lips do."""
    jaw = scene.head.expression_units[scene.head.unit_names.index("jawOpen"), :, 1]
    travel = jaw[scene.triangles].mean(axis=1)
    lips = scene.regions == scene.head.region_names.index("lips")
    lower: BoolArray = travel < 0.5 * float(travel[lips].min())
    return lower


def opening_height_mm(scene: Scene) -> float:
    """How high the mouth stands open in the photograph, from the forehead's direction to the chin's; 0 when shut."""
    rows, columns = np.nonzero(scene.kind_map == INTERIOR_KIND)
    if len(rows) == 0:
        return 0.0
    return float(np.ptp(np.stack([columns, rows], axis=1) @ _down(scene)) + 1) / scene.px_per_mm


def _down(scene: Scene) -> FloatArray:
    """(2,) float32 unit vector in the picture from forehead to chin."""
    up = scene.camera.rotation[:2, 1]
    down: FloatArray = (np.array([-up[0], up[1]]) / np.linalg.norm(up)).astype(np.float32)
    return down


def into_mouth_mm(scene: Scene, vertices: FloatArray) -> FloatArray:
    """(n_vertices,) how far each vertex lies behind the front of the lips, along the head's own axis."""
    front = float(np.quantile(vertices[region_vertices(scene.head, "lips"), 2], 0.9))
    into: FloatArray = front - vertices[:, 2]
    return into


def _albedo(head: HeadModel) -> FloatArray:
    """(n_regions, 3) float32."""
    table = np.zeros((len(head.region_names), 3), dtype=np.float32)
    for name, albedo in ALBEDO.items():
        table[head.region_names.index(name)] = albedo
    return table


def _box(inside: BoolArray, pad: int = 3) -> Region:
    rows, columns = np.flatnonzero(inside.any(axis=1)), np.flatnonzero(inside.any(axis=0))
    height, width = inside.shape
    return Region(
        max(int(rows[0]) - pad, 0),
        min(int(rows[-1]) + pad + 1, height),
        max(int(columns[0]) - pad, 0),
        min(int(columns[-1]) + pad + 1, width),
    )
