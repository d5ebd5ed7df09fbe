"""From a person, an expression, a camera and light to a picture in linear light."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from synth_affect.arrays import BoolArray, FloatArray, IntArray
from synth_affect.heads.camera import Camera, ImageSize, project
from synth_affect.render.fragments import Fragments
from synth_affect.render.portrait.appearance import Appearance
from synth_affect.render.portrait.eyes import find_eyeballs, paint_pixels
from synth_affect.render.portrait.facial_hair import beard, brows, lashes
from synth_affect.render.portrait.lights import Lights, blurred_panorama, look_up
from synth_affect.render.portrait.materials import Material, surface_table
from synth_affect.render.portrait.reflection import add_lamp, bump, fresnel
from synth_affect.render.portrait.shadows import ShadowMaps, reached
from synth_affect.render.portrait.stage import Effort, Illumination, Stage, effort_for, illuminate, set_stage
from synth_affect.render.portrait.strands import Strands, draw, far_to_near, lit_by, tangents
from synth_affect.render.rasterizer import interpolate, rasterize_projected

SUPERSAMPLING = 2
SCATTER_MM = (1.7, 0.75, 0.4)
"""How far red, green and blue light wander in skin: the widths of the wide parts of d'Eon & Luebke's skin profile,
drawn together into one Gaussian a channel."""
SCATTER_SHARE = (0.75, 0.6, 0.5)
INTERIOR_BEHIND_MM = 7.0
"""Teeth and tongue are drawn as if so far further away: a stylised lip may pass through them."""
CORNEA_MM = 2.5
"""So far a cornea stands before the ball that is drawn: lamps reach it past the lids and are mirrored."""
NOTHING_MM = 1e6


@dataclass(frozen=True, slots=True, eq=False)
class Shot:
    """colour : (height, width, 3) float32, linear light, premultiplied by `cover`, 0 where nothing is.
    cover : (height, width) float32 in [0, 1].
    depth_mm : (height, width) float32, of the nearest surface without strands, -1 where there is none.
    face : (height, width) float32, share of the pixel that is the face's skin, lips, lids, eyes or mouth.
    """

    colour: FloatArray
    cover: FloatArray
    depth_mm: FloatArray
    face: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class _View:
    """The camera of the enlarged picture, in view axes. eye : (3,) mm.  px_per_mm : at the head."""

    camera: Camera
    size: ImageSize
    eye: FloatArray
    rotation: FloatArray
    px_per_mm: float


def render_portrait(
    look: Appearance, vertices: FloatArray, camera: Camera, size: ImageSize, lights: Lights, folds: FloatArray | None
) -> Shot:
    """The picture of a person.

    vertices : (n_vertices, 3) float32, mm, head frame, this expression.  size : of the picture.
    folds : (height, width) float32, mm, relief of the expression's wrinkles on the chart; None for none.
    """
    effort = effort_for(max(size.height, size.width))
    view = _view(camera, size)
    stage = set_stage(look, vertices, view.rotation)
    illumination = illuminate(stage, lights, effort)
    projected = project(view.camera, stage.vertices)
    projected[look.interior, 2] += INTERIOR_BEHIND_MM
    fragments = rasterize_projected(projected, stage.triangles, view.size)
    seen = fragments.pix_to_face[0, :, :, 0]
    colour = _surfaces(look, stage, fragments, view, lights, illumination, folds)
    cover = (seen >= 0).astype(np.float32)
    depth = np.where(seen >= 0, fragments.zbuf[0, :, :, 0], np.float32(NOTHING_MM))
    _draw_hairs(look, vertices, view, lights, illumination, effort, colour, depth, cover)
    return Shot(
        colour=_reduced(colour),
        cover=_reduced(cover),
        # Of each pixel's samples one, since depths of two surfaces have no mean.
        depth_mm=np.where(depth < NOTHING_MM, depth, -1)[::SUPERSAMPLING, ::SUPERSAMPLING].astype(np.float32),
        face=_reduced(((seen >= 0) & stage.face[seen]).astype(np.float32)),
    )


def _view(camera: Camera, size: ImageSize) -> _View:
    enlarged = Camera(
        np.eye(3), camera.translation, SUPERSAMPLING * camera.focal_px, SUPERSAMPLING * camera.principal_point
    )
    return _View(
        camera=enlarged,
        size=ImageSize(SUPERSAMPLING * size.height, SUPERSAMPLING * size.width),
        eye=(np.array([-1.0, 1.0, 1.0]) * camera.translation).astype(np.float32),
        rotation=camera.rotation.astype(np.float32),
        px_per_mm=enlarged.focal_px / float(camera.translation[2]),
    )


def _reduced(image: FloatArray) -> FloatArray:
    size = (image.shape[1] // SUPERSAMPLING, image.shape[0] // SUPERSAMPLING)
    small: FloatArray = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    return small


def _surfaces(
    look: Appearance,
    stage: Stage,
    fragments: Fragments,
    view: _View,
    lights: Lights,
    illumination: Illumination,
    folds: FloatArray | None,
) -> FloatArray:
    """(height, width, 3) float32: linear light of all surfaces, 0 where there is none."""
    whole = np.zeros((view.size.height, view.size.width, 3), dtype=np.float32)
    part, rows, columns = _cropped(fragments)
    seen = part.pix_to_face[0, :, :, 0]
    if not seen.size:
        return whole
    table = np.concatenate(
        [
            stage.vertices,
            stage.normals,
            stage.canonical,
            illumination.light,
            illumination.gradient,
            illumination.openness[:, None],
        ],
        axis=1,
    ).astype(np.float32)
    carried = interpolate(part, stage.triangles, table)
    covered = seen >= 0
    material_map = np.where(covered, stage.material[seen], 0)
    texels = look.chart.cylinder.texels(carried[..., 6:9])
    smooth_map, normal_map = _normals(look, carried, texels, material_map, covered, view.eye, folds)

    # From here on pixel by pixel: (n, ...) of those that are covered.
    pixels, material = carried[covered], material_map[covered]
    point, smooth, normal = pixels[:, 0:3], smooth_map[covered], normal_map[covered]
    to_eye = _unit(view.eye - point)
    skin, on_eye = material == Material.SKIN, material == Material.EYE
    colours, rough_of, reflects_of = surface_table(look.cloth, look.knit)
    albedo, rough, reflects = colours[material], rough_of[material], reflects_of[material]
    albedo[skin] = _on_chart(look.skin.colour, texels)[covered][skin]
    rough[skin] = _on_chart(look.skin.roughness, texels)[covered][skin]
    wet, shade = normal, np.ones(len(point), dtype=np.float32)
    if on_eye.any():
        eyes = find_eyeballs(look.chart.head, stage.vertices[: stage.n_head])
        wet = normal.copy()
        albedo[on_eye], normal[on_eye], wet[on_eye] = paint_pixels(eyes, look.eyes, point[on_eye])
        rough[on_eye], reflects[on_eye] = 0.10, 0.035
        shade[on_eye] = _lid_shade(material_map == Material.EYE, view.px_per_mm)[covered][on_eye]

    steady = pixels[:, 9:12]
    turn = np.einsum("nca,na->nc", pixels[:, 12:21].reshape(-1, 3, 3), normal - smooth)
    light = np.maximum(steady + turn, 0.15 * steady)
    shine = _mirrored(lights, wet, to_eye, rough, reflects, pixels[:, 21])
    lifted = point + 1.3 * smooth
    lifted[on_eye] += CORNEA_MM * wet[on_eye]
    for lamp, maps in zip(lights.lamps, illumination.lamps, strict=True):
        reach = reached(maps, lifted, 1.2, 1.5).mean(axis=1)
        add_lamp(lamp, reach, normal, wet, to_eye, rough, reflects, skin, light, shine)
    light_map = np.zeros((*seen.shape, 3), dtype=np.float32)
    light_map[covered] = light * shade[:, None]
    light = _scattered(light_map, material_map == Material.SKIN, view.px_per_mm)[covered]
    whole[rows, columns][covered] = light * albedo + shine * (0.3 + 0.7 * shade[:, None])
    return whole


def _cropped(fragments: Fragments) -> tuple[Fragments, slice, slice]:
    """The part of the picture in which something is seen."""
    seen = fragments.pix_to_face[0, :, :, 0] >= 0
    lines, across = np.flatnonzero(seen.any(axis=1)), np.flatnonzero(seen.any(axis=0))
    rows = slice(int(lines[0]), int(lines[-1]) + 1) if len(lines) else slice(0, 0)
    columns = slice(int(across[0]), int(across[-1]) + 1) if len(across) else slice(0, 0)
    part = Fragments(
        np.ascontiguousarray(fragments.pix_to_face[:, rows, columns]),
        np.ascontiguousarray(fragments.zbuf[:, rows, columns]),
        np.ascontiguousarray(fragments.bary_coords[:, rows, columns]),
    )
    return part, rows, columns


def _normals(
    look: Appearance,
    carried: FloatArray,
    texels: FloatArray,
    material: IntArray,
    covered: BoolArray,
    eye: FloatArray,
    folds: FloatArray | None,
) -> tuple[FloatArray, FloatArray]:
    """(height, width, 3) each: normals of the smooth surface and of its relief."""
    point = np.ascontiguousarray(carried[..., 0:3])
    smooth = _unit(carried[..., 3:6])
    # Surfaces seen from behind, such as the inside of a collar.
    away = np.einsum("hwc,hwc->hw", smooth, eye - point) < 0
    smooth[away & ((material == Material.CLOTH) | (material == Material.KNIT))] *= -1
    relief = _on_chart(look.skin.relief_mm if folds is None else look.skin.relief_mm + folds, texels)
    amount = np.zeros(len(Material), dtype=np.float32)
    amount[Material.SKIN], amount[Material.CLOTH], amount[Material.KNIT] = 1, 2, 3
    bumped = np.empty_like(smooth)
    bump(smooth, point, relief * amount[material], covered, bumped)
    return smooth, bumped


def _unit(vectors: FloatArray) -> FloatArray:
    length = np.sqrt(np.einsum("...c,...c->...", vectors, vectors))[..., None]
    unit: FloatArray = vectors / np.maximum(length, 1e-6)
    return unit


def _on_chart(values: FloatArray, texels: FloatArray) -> FloatArray:
    seen: FloatArray = cv2.remap(
        values, texels[..., 0] - 0.5, texels[..., 1] - 0.5, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101
    )
    return seen


def _lid_shade(on_eye: BoolArray, px_per_mm: float) -> FloatArray:
    """Light on the eyeball: less close to the lids, most of all under the upper one and its lashes."""
    mask = on_eye.astype(np.float32)
    open_above = np.roll(cv2.GaussianBlur(mask, (0, 0), max(1.5 * px_per_mm, 0.6)), round(1.1 * px_per_mm), axis=0)
    near = cv2.GaussianBlur(mask, (0, 0), max(0.5 * px_per_mm, 0.5))
    shade: FloatArray = np.clip(0.30 + 0.85 * open_above, 0.3, 1.0) * np.clip(0.25 + 0.9 * near, 0.4, 1.0)
    return shade


def _mirrored(
    lights: Lights,
    normal: FloatArray,
    to_eye: FloatArray,
    rough: FloatArray,
    reflects: FloatArray,
    openness: FloatArray,
) -> FloatArray:
    """(n, 3) float32: the surroundings in the surface, sharp in eyes, wide in skin."""
    nv = np.clip(np.einsum("nc,nc->n", normal, to_eye), 0, 1)
    ray = 2 * nv[:, None] * normal - to_eye
    seen = look_up(blurred_panorama(lights.radiance, 0.5), ray)
    smooth = rough < 0.42
    blend = np.clip((rough[smooth] - 0.12) / 0.3, 0, 1)[:, None]
    seen[smooth] = blend * seen[smooth] + (1 - blend) * look_up(blurred_panorama(lights.radiance, 0.05), ray[smooth])
    shut = np.clip(openness * 1.15, 0, 1) ** (1 + rough)
    shine: FloatArray = seen * (fresnel(nv, reflects, rough) * shut)[:, None]
    return shine


def _scattered(light: FloatArray, skin: BoolArray, px_per_mm: float) -> FloatArray:
    """`light` (height, width, 3) on skin as it comes out again, some way from where it went in; changed in place."""
    mask = skin.astype(np.float32)
    for channel, (width, share) in enumerate(zip(SCATTER_MM, SCATTER_SHARE, strict=True)):
        pixels = width * px_per_mm
        if pixels < 0.4:
            continue
        weight = cv2.GaussianBlur(mask, (0, 0), pixels)
        spread = cv2.GaussianBlur(light[..., channel] * mask, (0, 0), pixels) / np.maximum(weight, 1e-3)
        light[..., channel] += share * mask * (spread - light[..., channel])
    return light


def _draw_hairs(
    look: Appearance,
    vertices: FloatArray,
    view: _View,
    lights: Lights,
    illumination: Illumination,
    effort: Effort,
    colour: FloatArray,
    depth: FloatArray,
    cover: FloatArray,
) -> None:
    """Blend lashes, brows, beard and hair into colour and cover."""
    chart, person = look.chart, look.person

    def add(strands: Strands, opacity: float, nearer_mm: float, part: float = 1.0) -> None:
        keep = _every(len(strands.points), part)
        points = np.ascontiguousarray(strands.points[keep] @ view.rotation.T, dtype=np.float32)
        light = _strand_light(points, strands.colour[keep], strands.shelter[keep], view.eye, lights, illumination)
        projected = project(view.camera, points)
        taper = np.linspace(1.0, 0.35, points.shape[1], dtype=np.float32)
        half = 0.5 * strands.width_mm[keep, None] * taper * view.px_per_mm / np.sqrt(part)
        # A hair thinner than a pixel still takes its share of it.
        drawn = np.maximum(half, 0.42).astype(np.float32)
        see_through = opacity * float(np.clip(np.median(half / drawn), 0.12, 1.0) ** 0.8)
        draw(projected, light, drawn, far_to_near(projected), see_through, nearer_mm, colour, depth, cover)

    add(lashes(chart, person, vertices), 0.95, 1.2)
    add(brows(chart, person, vertices, look.brows), 0.85, 2.0)
    if look.beard is not None:
        add(beard(chart, person, vertices, look.beard), 0.9, 2.0, effort.strand_share)
    if look.hair is not None:
        add(look.hair, 0.95, 0.8, effort.strand_share)


def _every(n: int, share: float) -> IntArray:
    """Indices of about this share of n, evenly."""
    return (np.arange(max(int(n * share), 1)) / share).astype(np.intp).clip(0, n - 1)


def _strand_light(
    points: FloatArray,
    colour: FloatArray,
    shelter: FloatArray,
    eye: FloatArray,
    lights: Lights,
    illumination: Illumination,
) -> FloatArray:
    """(n, k, 3) float32: light that strands send to the eye."""
    along = tangents(points)
    middle = points.reshape(-1, 3).mean(axis=0)
    to_eye = _unit(eye - middle)
    outward = _unit(points - np.array([0, middle[1] - 30, middle[2]], dtype=np.float32))
    across = _unit(outward - np.einsum("nkc,nkc->nk", outward, along)[..., None] * along + np.float32(1e-4))
    light = look_up(blurred_panorama(lights.radiance, 0.9), across)
    light *= (0.62 * shelter**1.6)[..., None] * colour[:, None]
    light += (
        look_up(blurred_panorama(lights.radiance, 0.6), _unit(across + 0.4 * to_eye)) * (0.022 * shelter**2)[..., None]
    )
    for lamp, maps in zip(lights.lamps, illumination.lamps, strict=True):
        few = ShadowMaps(maps.axes[:2], maps.centre, maps.px_per_mm, maps.depth[:2])
        through = reached(few, points.reshape(-1, 3), 1.5, 14.0).mean(axis=1).reshape(points.shape[:2])
        light += lit_by(points, along, colour, lamp.towards, to_eye) * (through * shelter)[..., None] * lamp.strength
    return np.ascontiguousarray(light, dtype=np.float32)
