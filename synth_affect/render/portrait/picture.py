"""From a person, an expression, a camera and light to a picture in linear light."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from synth_affect.arrays import BoolArray, FloatArray, IntArray
from synth_affect.heads.camera import Camera, ImageSize, project
from synth_affect.heads.mesh import vertex_normals
from synth_affect.render.fragments import Fragments
from synth_affect.render.portrait.appearance import Appearance
from synth_affect.render.portrait.body import turned
from synth_affect.render.portrait.eyes import find_eyeballs, paint_pixels
from synth_affect.render.portrait.facial_hair import beard, brows, lashes
from synth_affect.render.portrait.lights import Lights, blurred_panorama, look_up
from synth_affect.render.portrait.materials import Material, materials, surface_table
from synth_affect.render.portrait.shadows import (
    ShadowMaps,
    disc_directions,
    gathered,
    reached,
    shadow_maps,
    sphere_directions,
)
from synth_affect.render.portrait.strands import Strands, draw, far_to_near, lit_by, tangents
from synth_affect.render.rasterizer import interpolate, rasterize_projected

SUPERSAMPLING = 2
SCATTER_MM = (1.7, 0.75, 0.4)
"""How far red, green and blue light wander in skin: the widths of the wide parts of d'Eon & Luebke's skin profile,
drawn together into one Gaussian a channel."""
SCATTER_SHARE = (0.75, 0.6, 0.5)
INTERIOR_BEHIND_MM = 7.0
"""Teeth and tongue are drawn as if so far further away: a stylised lip may pass through them."""
WRAP = (0.20, 0.08, 0.05)
"""How far beyond a right angle each channel's light reaches round."""


@dataclass(frozen=True, slots=True)
class Effort:
    """directions, map_size : of the surroundings' shadows.  lamp_samples, lamp_map_size : of each lamp's.
    strand_share : of all hairs, those that are drawn, wider.
    """

    directions: int
    map_size: int
    lamp_samples: int
    lamp_map_size: int
    strand_share: float


def effort_for(size: int) -> Effort:
    """What a picture of `size` pixels is worth."""
    if size <= 160:
        return Effort(32, 64, 3, 192, 0.15)
    if size <= 320:
        return Effort(48, 80, 4, 320, 0.35)
    return Effort(64, 112, 6, 512, 0.6)


@dataclass(frozen=True, slots=True, eq=False)
class Shot:
    """colour : (height, width, 3) float32, linear light, 0 where nothing is; premultiplied by `cover`.
    cover : (height, width) float32 in [0, 1].  depth_mm : (height, width) float32, of the nearest surface without
    strands, -1 where there is none.  face : (height, width) float32, share of the pixel that is the face's skin, lips,
    lids, eyes or mouth.
    """

    colour: FloatArray
    cover: FloatArray
    depth_mm: FloatArray
    face: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class _Stage:
    """All that stands before the camera, in view axes: x right, y up, z to the viewer, mm.

    canonical : (n, 3), each vertex's place on the mean head.  material : (m,) uint8.  n_head : vertices of the head.
    """

    vertices: FloatArray
    triangles: IntArray
    normals: FloatArray
    canonical: FloatArray
    material: IntArray
    n_head: int
    hair: FloatArray


def render_portrait(
    look: Appearance, vertices: FloatArray, camera: Camera, size: ImageSize, lights: Lights, folds: FloatArray | None
) -> Shot:
    """The picture of a person.

    vertices : (n_vertices, 3) float32, mm, head frame, this expression.  size : of the picture.
    folds : (height, width) float32, mm, relief of the expression's wrinkles on the chart; None for none.
    """
    effort = effort_for(max(size.height, size.width))
    fine = ImageSize(SUPERSAMPLING * size.height, SUPERSAMPLING * size.width)
    rotation = camera.rotation.astype(np.float32)
    eye_camera = Camera(
        np.eye(3), camera.translation, SUPERSAMPLING * camera.focal_px, SUPERSAMPLING * camera.principal_point
    )
    stage = _stage(look, vertices, rotation, effort)
    eye = (np.array([-1.0, 1.0, 1.0]) * camera.translation).astype(np.float32)
    directions = sphere_directions(effort.directions)
    focus = stage.vertices[: stage.n_head]
    around = shadow_maps(stage.vertices, stage.triangles, stage.hair[::3], directions, effort.map_size, focus=focus)
    lamp_maps = [
        shadow_maps(
            stage.vertices,
            stage.triangles,
            stage.hair,
            disc_directions(lamp, effort.lamp_samples),
            effort.lamp_map_size,
            focus=focus,
        )
        for lamp in lights.lamps
    ]
    projected = project(eye_camera, stage.vertices)
    projected[look.interior, 2] += INTERIOR_BEHIND_MM
    fragments = rasterize_projected(projected, stage.triangles, fine)
    px_per_mm = eye_camera.focal_px / float(camera.translation[2])
    surface = _surface_light(look, stage, fragments, eye, px_per_mm, lights, around, lamp_maps, folds)
    seen = fragments.pix_to_face[0, :, :, 0]
    colour = surface
    cover = (seen >= 0).astype(np.float32)
    depth = np.where(seen >= 0, fragments.zbuf[0, :, :, 0], np.float32(1e6)).astype(np.float32)
    solid_depth = depth.copy()
    _draw_hairs(
        look, vertices, rotation, eye_camera, eye, px_per_mm, lights, around, lamp_maps, effort, (colour, depth, cover)
    )
    on_face = np.isin(
        np.where(seen >= 0, stage.material[seen], 0),
        (Material.EYE, Material.CAVITY, Material.TEETH, Material.TONGUE, Material.GUMS),
    )
    kept_regions = np.concatenate(
        [
            look.chart.head.triangle_regions[_kept(look)],
            np.full(len(stage.triangles) - int(_kept(look).sum()), 255, np.uint8),
        ]
    )
    face_codes = [look.chart.head.region_names.index(name) for name in ("skin", "lips", "lids")]
    on_face |= (seen >= 0) & np.isin(np.where(seen >= 0, kept_regions[seen], 255), face_codes)
    return Shot(
        colour=_reduced(colour),
        cover=_reduced(cover),
        depth_mm=_nearest(np.where(seen >= 0, solid_depth, -1).astype(np.float32)),
        face=_reduced(on_face.astype(np.float32)),
    )


def _kept(look: Appearance) -> BoolArray:
    kept: BoolArray = look.body.kept & (materials(look.chart.head) != Material.HIDDEN)
    return kept


def _reduced(image: FloatArray) -> FloatArray:
    height, width = image.shape[0] // SUPERSAMPLING, image.shape[1] // SUPERSAMPLING
    small: FloatArray = cv2.resize(np.ascontiguousarray(image), (width, height), interpolation=cv2.INTER_AREA)
    return small


def _nearest(depth: FloatArray) -> FloatArray:
    """Of each pixel's samples one, since depths of two surfaces have no mean."""
    return np.ascontiguousarray(depth[::SUPERSAMPLING, ::SUPERSAMPLING])


def _stage(look: Appearance, vertices: FloatArray, rotation: FloatArray, effort: Effort) -> _Stage:
    head, body = look.chart.head, look.body
    kept = _kept(look)
    parts = [vertices, turned(body, rotation.astype(np.float64))]
    triangles = [head.triangles[kept], body.triangles + len(vertices)]
    material = [materials(head)[kept], np.where(body.cloth, Material.CLOTH, Material.SKIN).astype(np.uint8)]
    canonical = [head.mean, body.canonical]
    if look.cap is not None:
        triangles.append(look.cap[1] + len(vertices) + len(body.vertices))
        parts.append(look.cap[0])
        canonical.append(look.cap[0])
        material.append(np.full(len(look.cap[1]), Material.KNIT, dtype=np.uint8))
    everything = np.concatenate(parts).astype(np.float32) @ rotation.T
    corners = np.ascontiguousarray(np.concatenate(triangles), dtype=np.int32)
    hair = np.zeros((0, 3), dtype=np.float32)
    if look.hair is not None:
        hair = np.ascontiguousarray(look.hair.points[::3].reshape(-1, 3) @ rotation.T, dtype=np.float32)
    return _Stage(
        vertices=np.ascontiguousarray(everything),
        triangles=corners,
        normals=vertex_normals(everything, corners),
        canonical=np.concatenate(canonical).astype(np.float32),
        material=np.concatenate(material),
        n_head=len(vertices),
        hair=hair,
    )


def _surface_light(
    look: Appearance,
    stage: _Stage,
    fragments: Fragments,
    eye: FloatArray,
    px_per_mm: float,
    lights: Lights,
    around: ShadowMaps,
    lamp_maps: list[ShadowMaps],
    folds: FloatArray | None,
) -> FloatArray:
    """(height, width, 3) float32: linear light of all surfaces, 0 where there is none."""
    directions = around.axes[:, 2]
    sky = gathered(lights.radiance, directions)
    visible = reached(around, stage.vertices + 1.5 * stage.normals, 2.5, 4.0)
    cosine = stage.normals @ directions.T
    facing = np.maximum(cosine, 0) * visible
    irradiance = facing @ sky / np.pi
    openness = facing.sum(axis=1) / np.maximum(np.maximum(cosine, 0).sum(axis=1), 1e-3)
    partly = np.where(cosine > -0.25, visible, 0)
    vector = np.einsum("vd,dc,da->vca", partly, sky, directions, optimize=True).reshape(-1, 9) / np.pi * 0.5
    # What reaches the skin from other skin: what is hidden from the sky sees the face instead.
    lamp_mean = sum((lamp.strength for lamp in lights.lamps), np.zeros(3, dtype=np.float32))
    bounce = (sky.sum(axis=0) / (4 * np.pi) + 0.5 * lamp_mean) * np.array([0.42, 0.22, 0.17], dtype=np.float32)
    irradiance = irradiance + (1 - openness)[:, None] * bounce * np.clip(openness * 2.5, 0.06, 1)[:, None]
    table = np.concatenate(
        [stage.vertices, stage.normals, stage.canonical, irradiance, vector, openness[:, None]], axis=1
    ).astype(np.float32)
    rows, columns = _box(fragments)
    if rows.stop <= rows.start:
        return np.zeros((*fragments.pix_to_face.shape[1:3], 3), dtype=np.float32)
    part = Fragments(
        np.ascontiguousarray(fragments.pix_to_face[:, rows, columns]),
        np.ascontiguousarray(fragments.zbuf[:, rows, columns]),
        np.ascontiguousarray(fragments.bary_coords[:, rows, columns]),
    )
    carried = interpolate(part, stage.triangles, table)
    seen = part.pix_to_face[0, :, :, 0]
    material = np.where(seen >= 0, stage.material[seen], 0)
    point, smooth, canonical = carried[..., 0:3], _unit(carried[..., 3:6]), carried[..., 6:9]
    to_eye = _unit(eye - point)
    # Surfaces seen from behind, such as the inside of a collar.
    smooth = np.where((smooth * to_eye).sum(-1, keepdims=True) < -0.2, -smooth, smooth)
    texels = look.chart.cylinder.texels(canonical)
    relief_map = look.skin.relief_mm if folds is None else look.skin.relief_mm + folds
    relief = _on_chart(relief_map, texels)
    is_skin = material == Material.SKIN
    relief = np.where(
        is_skin, relief, np.where((material == Material.CLOTH) | (material == Material.KNIT), 3 * relief, 0)
    )
    normal = _bumped(smooth, point, relief, material)
    colours, rough_of, reflects_of = surface_table(look.cloth, look.knit)
    albedo = colours[material]
    albedo[is_skin] = _on_chart(look.skin.colour, texels)[is_skin]
    rough = rough_of[material]
    rough[is_skin] = _on_chart(look.skin.roughness, texels)[is_skin]
    reflects = reflects_of[material]
    wet = normal
    lid_shade = np.ones(seen.shape, dtype=np.float32)
    on_eye = material == Material.EYE
    if on_eye.any():
        eyes = find_eyeballs(look.chart.head, stage.vertices[: stage.n_head])
        eye_colour, ball, cornea, iris = paint_pixels(eyes, look.eyes, point[on_eye])
        albedo[on_eye], wet = eye_colour, normal.copy()
        normal[on_eye], wet[on_eye] = ball, cornea
        rough[on_eye], reflects[on_eye] = 0.10, 0.035
        lid_shade[on_eye] = _lid_shade(on_eye, px_per_mm)[on_eye]

    light = carried[..., 9:12] + np.einsum(
        "hwca,hwa->hwc", carried[..., 12:21].reshape(*seen.shape, 3, 3), normal - smooth, optimize=True
    )
    light = np.maximum(light, 0.15 * carried[..., 9:12])
    openness_px = carried[..., 21]
    shine = _mirrored(lights, wet, to_eye, rough, reflects, openness_px)
    covered = seen >= 0
    wrap = np.where(is_skin[..., None], np.array(WRAP, dtype=np.float32), np.float32(0.02))
    for lamp, maps in zip(lights.lamps, lamp_maps, strict=True):
        reach = np.zeros(seen.shape, dtype=np.float32)
        reach[covered] = reached(maps, (point + 1.3 * smooth)[covered], 1.2, 1.5).mean(axis=1)
        cosine_px = (normal * lamp.towards).sum(axis=-1)[..., None]
        diffuse = np.maximum((cosine_px + wrap) / (1 + wrap) ** 2, 0)
        light = light + diffuse * reach[..., None] * lamp.strength
        shine = shine + _highlight(wet, to_eye, lamp.towards, rough, reflects, lamp.radius_rad)[..., None] * (
            reach[..., None] * lamp.strength
        )
    light = light * lid_shade[..., None]
    shine = shine * (0.3 + 0.7 * lid_shade[..., None])
    light = _scattered(light, is_skin, px_per_mm)
    result = np.where(covered[..., None], light * albedo + shine, 0)
    whole = np.zeros((*fragments.pix_to_face.shape[1:3], 3), dtype=np.float32)
    whole[rows, columns] = result
    return whole


def _box(fragments: Fragments) -> tuple[slice, slice]:
    seen = fragments.pix_to_face[0, :, :, 0] >= 0
    rows, columns = np.flatnonzero(seen.any(axis=1)), np.flatnonzero(seen.any(axis=0))
    if not len(rows):
        return slice(0, 0), slice(0, 0)
    return slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)


def _unit(vectors: FloatArray) -> FloatArray:
    length = np.sqrt(np.einsum("...c,...c->...", vectors, vectors))[..., None]
    unit: FloatArray = vectors / np.maximum(length, 1e-6)
    return unit


def _on_chart(values: FloatArray, texels: FloatArray) -> FloatArray:
    seen: FloatArray = cv2.remap(
        values, texels[..., 0] - 0.5, texels[..., 1] - 0.5, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101
    )
    return seen


STEEPEST = 1.2


def _bumped(normal: FloatArray, point: FloatArray, height_mm: FloatArray, material: IntArray) -> FloatArray:
    """Normals of a surface lifted by `height_mm`: Mikkelsen 2010, from differences in the picture."""
    px, py = np.zeros_like(point), np.zeros_like(point)
    px[:, :-1], py[:-1] = point[:, 1:] - point[:, :-1], point[1:] - point[:-1]
    hx, hy = np.zeros_like(height_mm), np.zeros_like(height_mm)
    hx[:, :-1], hy[:-1] = height_mm[:, 1:] - height_mm[:, :-1], height_mm[1:] - height_mm[:-1]
    first, second = np.cross(py, normal), np.cross(normal, px)
    determinant = (px * first).sum(axis=-1)
    # Where the surface breaks off, neighbouring pixels say nothing about its slope.
    apart = np.maximum((px**2).sum(-1), (py**2).sum(-1))
    usual = np.median(apart[material > 0]) if (material > 0).any() else 1.0
    fine = (apart < 25 * usual) & (np.abs(determinant) > 1e-9)
    safe = np.where(fine, determinant, 1.0)
    slope = (hx[..., None] * first + hy[..., None] * second) / safe[..., None]
    steepness = np.sqrt((slope**2).sum(-1, keepdims=True))
    slope = slope * (np.minimum(steepness, STEEPEST) / np.maximum(steepness, 1e-6))
    return _unit(normal - np.where(fine[..., None], slope, 0))


def _lid_shade(on_eye: BoolArray, px_per_mm: float) -> FloatArray:
    """Light on the eyeball: less close to the lids, most of all under the upper one and its lashes."""
    mask = on_eye.astype(np.float32)
    open_above = np.roll(cv2.GaussianBlur(mask, (0, 0), max(1.5 * px_per_mm, 0.6)), round(1.1 * px_per_mm), axis=0)
    near = cv2.GaussianBlur(mask, (0, 0), max(0.5 * px_per_mm, 0.5))
    shade: FloatArray = np.clip(0.30 + 0.85 * open_above, 0.3, 1.0) * np.clip(0.25 + 0.9 * near, 0.4, 1.0)
    return shade


def _fresnel(cosine: FloatArray, reflects: FloatArray, rough: FloatArray) -> FloatArray:
    """Schlick 1994, with the grazing end held back on rough surfaces."""
    fresnel: FloatArray = reflects + (np.maximum(1 - rough, reflects) - reflects) * (1 - cosine) ** 5 * (
        1 - 0.5 * rough
    )
    return fresnel


def _highlight(
    normal: FloatArray, to_eye: FloatArray, towards: FloatArray, rough: FloatArray, reflects: FloatArray, radius: float
) -> FloatArray:
    """(height, width) float32: reflected radiance for a lamp of unit strength; GGX (Walter et al. 2007), widened by the lamp."""
    half = _unit(to_eye + towards)
    nh = np.clip((normal * half).sum(-1), 0, 1)
    nl = np.clip((normal * towards).sum(-1), 0, 1)
    nv = np.clip((normal * to_eye).sum(-1), 0.05, 1)
    alpha = np.minimum(rough**2 + 0.5 * radius, 1.0)
    a2 = alpha**2
    spread = a2 / (np.pi * ((nh**2) * (a2 - 1) + 1) ** 2)
    k = rough**2 / 2 + 1e-3
    hidden = 1 / ((nl * (1 - k) + k) * (nv * (1 - k) + k))
    vh = np.clip((to_eye * half).sum(-1), 0, 1)
    radiance: FloatArray = 0.25 * np.pi * spread * hidden * _fresnel(vh, reflects, rough) * nl
    return np.minimum(radiance, 6.0)


def _mirrored(
    lights: Lights,
    normal: FloatArray,
    to_eye: FloatArray,
    rough: FloatArray,
    reflects: FloatArray,
    openness: FloatArray,
) -> FloatArray:
    """(height, width, 3) float32: the surroundings in the surface, sharp in eyes, wide in skin."""
    nv = np.clip((normal * to_eye).sum(-1), 0, 1)
    ray = 2 * nv[..., None] * normal - to_eye
    sharp = look_up(blurred_panorama(lights.radiance, 0.05), ray)
    wide = look_up(blurred_panorama(lights.radiance, 0.5), ray)
    blend = np.clip((rough - 0.12) / 0.3, 0, 1)[..., None]
    seen = sharp + blend * (wide - sharp)
    shut = np.clip(openness * 1.15, 0, 1) ** (1 + rough)
    shine: FloatArray = seen * (_fresnel(nv, reflects, rough) * shut)[..., None]
    return shine


def _scattered(light: FloatArray, skin: BoolArray, px_per_mm: float) -> FloatArray:
    """`light` on skin as it comes out again, some way from where it went in."""
    mask = skin.astype(np.float32)
    softened = light.copy()
    for channel, (width, share) in enumerate(zip(SCATTER_MM, SCATTER_SHARE, strict=True)):
        pixels = width * px_per_mm
        if pixels < 0.4:
            continue
        weight = cv2.GaussianBlur(mask, (0, 0), pixels)
        spread = cv2.GaussianBlur(light[..., channel] * mask, (0, 0), pixels) / np.maximum(weight, 1e-3)
        softened[..., channel] += share * (spread - light[..., channel])
    scattered: FloatArray = np.where(skin[..., None], softened, light)
    return scattered


def _draw_hairs(
    look: Appearance,
    vertices: FloatArray,
    rotation: FloatArray,
    camera: Camera,
    eye: FloatArray,
    px_per_mm: float,
    lights: Lights,
    around: ShadowMaps,
    lamp_maps: list[ShadowMaps],
    effort: Effort,
    target: tuple[FloatArray, FloatArray, FloatArray],
) -> None:
    """Lashes, brows, beard and hair, drawn into colour, depth and cover."""
    chart, person = look.chart, look.person
    share = effort.strand_share

    def strands_of(strands: Strands, opacity: float, nearer_mm: float, part: float = 1.0) -> None:
        keep = _every(len(strands.points), part)
        points = np.ascontiguousarray(strands.points[keep] @ rotation.T, dtype=np.float32)
        lit = _strand_light(points, strands.colour[keep], strands.shelter[keep], eye, lights, around, lamp_maps)
        projected = project(camera, points)
        n_points = points.shape[1]
        taper = np.linspace(1.0, 0.35, n_points, dtype=np.float32)
        half = 0.5 * strands.width_mm[keep, None] * taper * px_per_mm / np.sqrt(part)
        # A hair thinner than a pixel still takes its share of it.
        drawn = np.maximum(half, 0.42).astype(np.float32)
        see_through = opacity * float(np.clip(np.median(half / drawn), 0.12, 1.0) ** 0.8)
        draw(projected, lit, drawn, far_to_near(projected), see_through, nearer_mm, *target)

    strands_of(lashes(chart, person, vertices, look.neutral), 0.95, 1.2)
    strands_of(brows(chart, person, vertices, look.brows), 0.85, 2.0)
    if look.beard is not None and look.beard[0].size:
        strands_of(beard(chart, person, vertices, look.beard), 0.9, 2.0, share)
    if look.hair is not None:
        strands_of(look.hair, 0.95, 0.8, share)


def _every(n: int, share: float) -> IntArray:
    return np.unique((np.arange(max(int(n * share), 1)) / max(share, 1e-6)).astype(np.intp).clip(0, n - 1))


def _strand_light(
    points: FloatArray,
    colour: FloatArray,
    shelter: FloatArray,
    eye: FloatArray,
    lights: Lights,
    around: ShadowMaps,
    lamp_maps: list[ShadowMaps],
) -> FloatArray:
    """(n, k, 3) float32: light that strands send to the eye."""
    along = tangents(points)
    middle = points.reshape(-1, 3).mean(axis=0)
    to_eye = _unit(eye - middle)
    outward = _unit(points - np.array([0, middle[1] - 30, middle[2]], dtype=np.float32))
    across = _unit(outward - (outward * along).sum(-1, keepdims=True) * along + 1e-4)
    diffuse = look_up(blurred_panorama(lights.radiance, 0.9), across)
    light = diffuse * (0.62 * shelter**1.6)[..., None] * colour[:, None]
    mirrored = look_up(blurred_panorama(lights.radiance, 0.6), _unit(across + 0.4 * to_eye))
    light = light + mirrored * (0.022 * shelter**2)[..., None]
    for lamp, maps in zip(lights.lamps, lamp_maps, strict=True):
        few = ShadowMaps(maps.axes[:2], maps.centre, maps.px_per_mm, maps.depth[:2])
        through = reached(few, points.reshape(-1, 3), 1.5, 14.0).mean(axis=1).reshape(points.shape[:2])
        light = (
            light + lit_by(points, along, colour, lamp.towards, to_eye) * (through * shelter)[..., None] * lamp.strength
        )
    return np.ascontiguousarray(light, dtype=np.float32)
