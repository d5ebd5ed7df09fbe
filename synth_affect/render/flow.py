"""The backward flow: for every pixel of the new picture, where in the photograph its surface point was.

The photograph itself is the texture. Sampling it once along the flow keeps every pore; only what the photograph does
not show (teeth, cavity, revealed eye) is drawn by other modules.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from synth_affect.arrays import BoolArray, FloatArray, IntArray
from synth_affect.heads.mesh import vertex_normals
from synth_affect.heads.model import region_vertices
from synth_affect.render.drooping_lids import unroll_lids
from synth_affect.render.fragments import Fragments
from synth_affect.render.lips import NEIGHBOURS
from synth_affect.render.mask_box import mask_box
from synth_affect.render.pull_push import extend
from synth_affect.render.rasterizer import interpolate, rasterize_projected
from synth_affect.render.scene import EYE_KIND, FACE_KIND, INTERIOR_KIND, Scene, face_mask, project_with
from synth_affect.render.spherical_harmonics import shading_ratio
from synth_affect.render.surroundings import FASTEST
from synth_affect.render.upper_teeth import show_upper_teeth

FADE_MM = 34.0
"""Past the face's outline the flow fades to zero over this distance: more than twice what a jaw travels, so that the
neck is pressed together and never folded."""
LIGHT_FADE_MM = 5.0
"""Past the outline the light fades sooner: what lies there is hair or background, and a white wall shows every shade.
Not at once, because a fitted outline lies some millimetres beside the true one."""
HIDDEN_MM = 2.5
"""A surface point this much deeper than what the photograph shows at its place was hidden there."""
SUNK_MM = 3.0
"""What is in the mouth is drawn so much further off: a fitted jaw's teeth may reach into the skin under a thin lip."""
RELIGHT_LIMIT = (0.72, 1.15)
"""Gentle: the light estimated from one picture is not known well enough for more, and skin that lights up looks swollen
where skin in the shade looks only shaded."""
FACING = (0.08, 0.3)
"""Cosines from which and up to which a surface of the photograph becomes a texture: inner lips and folded lids were
seen too flatly. A range and not a limit, or texture would come and go from pixel to pixel."""

RIM_MM, RIM_REACH_MM = 0.7, 2.5
"""Width over which the flow of lips is evened out where they open, and how far from the opening all of it and half."""

FOLD_STEP = (0.7, 1.2)
"""Steps of the flow, in pixels from one pixel to the next, from which and up to which skin folds over itself."""
FOLD_MM, FOLD_CLEAR_MM, FOLD_GRID_MM = 2.0, 3.0, 1.0
"""Width over which such a fold is evened out, how far from lips, lids and outline (there, steps are right), and how
finely it is looked for."""


@dataclass(frozen=True, slots=True, eq=False)
class SurfaceFlow:
    """The new face in the scene's region.

    fragments : of the displaced mesh.  kind_map : (height, width) uint8, as in Scene.
    flow : (height, width, 2) float32, px, zero far from the face: the photograph's place = pixel + flow.
    shown : (height, width) bool, whether the photograph shows the surface point itself.
    own_flow : (height, width, 2), the surface's flow before extension; meaningful where the mesh is.
    relight : (height, width) float32, factor on linear light, 1 far from the face.
    vertices : (n_vertices, 3) float32, mm, the displaced mesh, with the upper teeth as far down as they are drawn.
    projected : (n_vertices, 3) float32, the displaced mesh in the region (px, px, mm), what is in the mouth by SUNK_MM
        further off.
    vertex_normals : (n_vertices, 3), of the displaced mesh.
    """

    fragments: Fragments
    kind_map: IntArray
    flow: FloatArray
    shown: BoolArray
    own_flow: FloatArray
    relight: FloatArray
    vertices: FloatArray
    projected: FloatArray
    vertex_normals: FloatArray


def surface_flow(scene: Scene, vertices: FloatArray) -> SurfaceFlow:
    """Draw the displaced mesh and find where its surface was.

    vertices : (n_vertices, 3) float32, mm, head frame.
    """
    vertices = show_upper_teeth(scene, vertices)
    shift = np.array([scene.region.left, scene.region.top, 0], dtype=np.float32)
    projected = project_with(scene.camera, vertices, scene.offsets_px) - shift
    projected[scene.within, 2] += SUNK_MM
    fragments = rasterize_projected(projected, scene.triangles, scene.region.size)
    normals = vertex_normals(vertices, scene.triangles)
    vertex_relight = shading_ratio(scene.lighting, scene.normals, normals, limit=RELIGHT_LIMIT)
    # A lid that droops turns to the light, but under the brow's shade.
    lids = region_vertices(scene.head, "lids")
    vertex_relight[lids] = np.minimum(vertex_relight[lids], 1)
    table = np.concatenate(
        [scene.projected[:, :2] - projected[:, :2], scene.projected[:, 2:], scene.facing[:, None],
         vertex_relight[:, None] - 1],
        axis=1,
    )  # fmt: skip
    carried = interpolate(fragments, scene.triangles, table)
    own_flow, rest_depth, rest_facing, relight = carried[..., :2], carried[..., 2], carried[..., 3], carried[..., 4]
    seen = fragments.pix_to_face[0, :, :, 0]
    kind_map = np.where(seen >= 0, scene.kinds[seen], 0).astype(np.uint8)
    shown = _shown(scene, own_flow, rest_depth, kind_map) & ((rest_facing > FACING[0]) | (kind_map != FACE_KIND))
    # At the outline a pixel may belong to the underside of the jaw, which stays where it was.
    outline = cv2.dilate((kind_map == 0).astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    texture = (kind_map == FACE_KIND) & shown & ~outline
    weights = texture * np.clip((rest_facing - FACING[0]) / (FACING[1] - FACING[0]), 0, 1).astype(np.float32)
    field = extend(np.concatenate([own_flow, relight[..., None]], axis=2), weights)
    _smooth_rims(field, kind_map, scene.px_per_mm)
    every = max(1, round(FOLD_GRID_MM * scene.px_per_mm))
    skin = scene.regions[seen[::every, ::every]] == scene.head.region_names.index("skin")
    _smooth_folds(field, texture[::every, ::every] & skin, every, scene.px_per_mm)
    up = scene.camera.rotation[:2, 1] * [1, -1]
    up = (up / np.linalg.norm(up)).astype(np.float32)
    unroll_lids(field[..., :2], kind_map == EYE_KIND, scene.kind_map == EYE_KIND, scene.skin, up, scene.px_per_mm)
    face = face_mask(scene, fragments)
    distance = cv2.distanceTransform((~face).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5) / scene.px_per_mm
    # Past an edge it fades sooner: what is not the neck stays, and the chin covers it.
    apart = np.clip(scene.apart_mm, distance, FASTEST * distance)
    field[..., :2] *= _fade(apart, FADE_MM)[..., None]
    field[..., 2] *= _fade(distance, LIGHT_FADE_MM)
    return SurfaceFlow(
        fragments, kind_map, field[..., :2], shown, own_flow, 1 + field[..., 2], vertices, projected, normals
    )


def _smooth_rims(field: FloatArray, kind_map: IntArray, px_per_mm: float) -> None:
    """Even out `field` on the rims of an opened mouth, in place, and let no light be added there.

    What the photograph shows of them is a few grazing pixels drawn out over many: every step of them would show. And
    the model's rims roll out to the light, where lips that open turn inwards.
    """
    opened = kind_map == INTERIOR_KIND
    if not opened.any():
        return
    sigma = max(RIM_MM * px_per_mm, 1.0)
    reach = RIM_REACH_MM * px_per_mm
    box = mask_box(opened, pad=2 + round(2 * reach + 3 * sigma))
    on_face = (kind_map[box] == FACE_KIND).astype(np.float32)
    weight = cv2.GaussianBlur(on_face, (0, 0), sigma)[..., None]
    smooth = cv2.GaussianBlur(field[box] * on_face[..., None], (0, 0), sigma) / np.maximum(weight, 1e-4)
    distance = cv2.distanceTransform((~opened[box]).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5)
    smooth[..., 2] = np.minimum(smooth[..., 2], 0)
    share = np.clip(2 - distance / reach, 0, 1)[..., None] * np.minimum(10 * weight, 1)
    field[box] += share * (smooth - field[box])


def _smooth_folds(field: FloatArray, skin: BoolArray, every: int, px_per_mm: float) -> None:
    """Even out `field` where the cheek folds over what lies beside it, in place: such a step is seen as a tear.

    skin : bool, for every `every`-th pixel, whether the picture shows skin there that the photograph shows as well.
    """
    flow = np.ascontiguousarray(field[::every, ::every, :2]) / every
    fold = np.zeros(skin.shape, dtype=np.float32)
    for first, second in NEIGHBOURS:
        step = np.maximum(*cv2.split(np.abs(flow[second] - flow[first])))
        fold[first] = np.maximum(fold[first], step)
    clear = cv2.distanceTransform(skin.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5)
    clear = np.minimum(clear, np.float32(sum(skin.shape))) * every  # where all is skin it is no distance
    fold = np.clip((fold - FOLD_STEP[0]) / (FOLD_STEP[1] - FOLD_STEP[0]), 0, 1)
    fold *= np.clip(clear / (FOLD_CLEAR_MM * px_per_mm) - 0.5, 0, 1)
    if not fold.any():
        return
    sigma = max(FOLD_MM * px_per_mm, 1.0)
    pad = 2 + round(4 * sigma / every)
    rows, columns = np.flatnonzero(fold.any(axis=1)), np.flatnonzero(fold.any(axis=0))
    top, left = max(int(rows[0]) - pad, 0), max(int(columns[0]) - pad, 0)
    coarse = fold[top : rows[-1] + pad + 1, left : columns[-1] + pad + 1]
    part = field[top * every : (rows[-1] + pad + 1) * every, left * every : (columns[-1] + pad + 1) * every]
    width = 1 + 2 * round(sigma / every)
    spread = cv2.dilate(coarse, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (width, width)))
    spread = cv2.GaussianBlur(spread, (0, 0), 0.5 * sigma / every)
    share = cv2.resize(spread, (part.shape[1], part.shape[0]), interpolation=cv2.INTER_LINEAR)[..., None]
    part += share * (cv2.GaussianBlur(part, (0, 0), sigma) - part)


def _shown(scene: Scene, own_flow: FloatArray, rest_depth: FloatArray, kind_map: IntArray) -> BoolArray:
    """Whether the photograph shows the surface point, of the same kind, at the place that the flow names."""
    depth = _nearest(scene.fragments.zbuf[0, :, :, 0], own_flow)
    there = _nearest(scene.kind_map, own_flow)
    shown: BoolArray = (kind_map > 0) & (rest_depth < depth + HIDDEN_MM) & (there == kind_map)
    return shown


def _fade(distance_mm: FloatArray, reach_mm: float) -> FloatArray:
    """(height, width) float32: 1 on the face, to 0 at reach_mm around it, so smoothly that no rim is left to blend.

    The region reaches MARGIN_MM past the face, which is more, so nothing is left at its border.
    """
    t = np.clip(1 - distance_mm / reach_mm, 0, 1)
    faded: FloatArray = t * t * t * (t * (6 * t - 15) + 10)
    return faded


def _places(flow: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Columns and rows in OpenCV's frame, where the centre of pixel (row, column) is (column, row)."""
    height, width = flow.shape[:2]
    x = flow[..., 0] + np.arange(width, dtype=np.float32)
    y = flow[..., 1] + np.arange(height, dtype=np.float32)[:, None]
    return x, y


def _nearest(field: FloatArray | IntArray, flow: FloatArray) -> FloatArray:
    """(height, width): `field` at the pixel that holds pixel + flow."""
    read: FloatArray = cv2.remap(field, *_places(flow), cv2.INTER_NEAREST, borderMode=cv2.BORDER_REPLICATE)
    return read


def sample(pixels: FloatArray, flow: FloatArray, corner: tuple[int, int] = (0, 0)) -> FloatArray:
    """(height, width, 3) float32: `pixels` read bicubically at pixel + flow; exactly `pixels` where the flow is 0.

    corner : row and column of `pixels` where the first pixel of `flow` lies.
    """
    x, y = (place + np.float32(start) for place, start in zip(_places(flow), corner[::-1], strict=True))
    sampled: FloatArray = cv2.remap(pixels, x, y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    return sampled
