"""What stands before the camera, and the light that comes to it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from synth_affect.arrays import BoolArray, FloatArray, IntArray
from synth_affect.heads.mesh import vertex_normals
from synth_affect.render.portrait.appearance import Appearance
from synth_affect.render.portrait.body import turned
from synth_affect.render.portrait.lights import Lights
from synth_affect.render.portrait.materials import Material, materials
from synth_affect.render.portrait.shadows import (
    ShadowMaps,
    disc_directions,
    gathered,
    reached,
    shadow_maps,
    sphere_directions,
)

FACE_REGIONS = ("skin", "lips", "lids")
FACE_MATERIALS = (Material.EYE, Material.CAVITY, Material.TEETH, Material.GUMS, Material.TONGUE)
BOUNCE = np.array([0.42, 0.22, 0.17], dtype=np.float32)
"""What is hidden from the sky sees skin and flesh instead: the share of the mean light that these send back."""


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
class Stage:
    """In view axes: x right, y up, z to the viewer, mm.

    vertices, normals, canonical : (n, 3) float32; canonical is each vertex's place on the mean head.
    triangles : (m, 3) int32.  material : (m,) uint8.  face : (m,) bool, what counts as the face.
    n_head : the first so many vertices are the head's.  hair : (n_points, 3), some points of the hair.
    """

    vertices: FloatArray
    triangles: IntArray
    normals: FloatArray
    canonical: FloatArray
    material: IntArray
    face: BoolArray
    n_head: int
    hair: FloatArray


def set_stage(look: Appearance, vertices: FloatArray, rotation: FloatArray) -> Stage:
    """vertices : (n_vertices, 3) mm, head frame, this expression.  rotation : (3, 3), of the head."""
    head, body = look.chart.head, look.body
    of_head = materials(head)
    kept = body.kept & (of_head != Material.HIDDEN)
    parts = [vertices, turned(body, rotation.astype(np.float64))]
    triangles = [head.triangles[kept], body.triangles + len(vertices)]
    material = [of_head[kept], np.where(body.cloth, Material.CLOTH, Material.SKIN).astype(np.uint8)]
    canonical = [head.mean, body.canonical]
    if look.cap is not None:
        triangles.append(look.cap[1] + len(vertices) + len(body.vertices))
        parts.append(look.cap[0])
        canonical.append(look.cap[0])
        material.append(np.full(len(look.cap[1]), Material.KNIT, dtype=np.uint8))
    everything = np.ascontiguousarray(np.concatenate(parts).astype(np.float32) @ rotation.T)
    corners = np.ascontiguousarray(np.concatenate(triangles), dtype=np.int32)
    of_all = np.concatenate(material)
    named = np.isin(head.triangle_regions, [head.region_names.index(name) for name in FACE_REGIONS])
    face = np.isin(of_all, FACE_MATERIALS)
    face[: int(kept.sum())] |= named[kept]
    hair = np.zeros((0, 3), dtype=np.float32)
    if look.hair is not None:
        hair = np.ascontiguousarray(look.hair.points[::3].reshape(-1, 3) @ rotation.T, dtype=np.float32)
    return Stage(
        vertices=everything,
        triangles=corners,
        normals=vertex_normals(everything, corners),
        canonical=np.concatenate(canonical).astype(np.float32),
        material=of_all,
        face=face,
        n_head=len(vertices),
        hair=hair,
    )


@dataclass(frozen=True, slots=True, eq=False)
class Illumination:
    """lamps : shadow maps of each of the lights' lamps.

    light : (n, 3) float32, what comes to each vertex of the surroundings: radiance of a white surface.
    gradient : (n, 9) float32, how that changes with the normal, channel by channel.
    openness : (n,) float32, share of the sky over each vertex that it sees.
    """

    lamps: tuple[ShadowMaps, ...]
    light: FloatArray
    gradient: FloatArray
    openness: FloatArray


def illuminate(stage: Stage, lights: Lights, effort: Effort) -> Illumination:
    """Cast all shadows: of every direction at the vertices, of the lamps as maps."""
    focus = stage.vertices[: stage.n_head]
    directions = sphere_directions(effort.directions)
    around = shadow_maps(stage.vertices, stage.triangles, stage.hair[::3], directions, effort.map_size, focus=focus)
    sky = gathered(lights.radiance, directions) / np.float32(np.pi)
    visible = reached(around, stage.vertices + 1.5 * stage.normals, 2.5, 4.0)
    cosine = stage.normals @ directions.T
    unshadowed = np.maximum(cosine, 0)
    facing = unshadowed * visible
    openness = facing.sum(axis=1) / np.maximum(unshadowed.sum(axis=1), 1e-3)
    partly = np.where(cosine > -0.25, visible, 0)
    outer = (sky[:, :, None] * directions[:, None, :]).reshape(len(directions), 9)
    lamps = sum((lamp.strength for lamp in lights.lamps), np.zeros(3, dtype=np.float32))
    bounce = (0.25 * sky.sum(axis=0) + 0.5 * lamps) * BOUNCE
    light = facing @ sky + ((1 - openness) * np.clip(2.5 * openness, 0.06, 1))[:, None] * bounce
    maps = tuple(
        shadow_maps(
            stage.vertices,
            stage.triangles,
            stage.hair,
            disc_directions(lamp, effort.lamp_samples),
            effort.lamp_map_size,
            focus=focus,
        )
        for lamp in lights.lamps
    )
    return Illumination(maps, light, 0.5 * partly @ outer, openness)
