"""Brows, lashes and beards: strands rooted in the skin, which move with it."""

from __future__ import annotations

import numpy as np

from synth_affect.arrays import FloatArray
from synth_affect.heads.mesh import vertex_normals
from synth_affect.heads.model import embed
from synth_affect.render.portrait.anatomy import (
    BROW_BOTTOMS,
    BROW_TOPS,
    LOWER_LIDS,
    UPPER_LIDS,
    Anatomy,
    smooth_line,
)
from synth_affect.render.portrait.chart import TEXEL_MM, Chart, on_surface
from synth_affect.render.portrait.person import Beard, Person
from synth_affect.render.portrait.pigment import hair_reflectance, melanin_of, skin_reflectance
from synth_affect.render.portrait.strands import Strands

BROW_HAIRS, BROW_POINTS = 620, 6
UPPER_LASHES, LOWER_LASHES, LASH_POINTS = 120, 60, 6
IRISES = (468, 473)


def rooted(chart: Chart, texels: FloatArray, height_mm: FloatArray, vertices: FloatArray) -> FloatArray:
    """(n, k, 3) float32: places (n, k, 2) of the chart, lifted (n, k) mm off the skin of a face, in its frame."""
    triangle, barycentric = on_surface(chart, texels)
    known = triangle >= 0
    corners = chart.triangles[np.where(known, triangle, 0)]
    normals = vertex_normals(vertices, chart.triangles)
    # Off the chart's surface a strand stays at the last place that it had.
    points = np.einsum("nkt,nktc->nkc", barycentric, vertices[corners])
    lifted = points + height_mm[..., None] * np.einsum("nkt,nktc->nkc", barycentric, normals[corners])
    for j in range(1, lifted.shape[1]):
        lost = ~known[:, j]
        lifted[lost, j] = lifted[lost, j - 1]
    strands: FloatArray = lifted.astype(np.float32)
    return strands


def brow_places(chart: Chart, person: Person) -> tuple[FloatArray, FloatArray]:
    """Texels (n, k, 2) and heights (n, k) mm of the hairs of both brows."""
    rng = np.random.default_rng([person.seed, 2])
    paths, heights = [], []
    arch, thickness = rng.normal(0, 0.8), person.brow_thickness
    for top, bottom, side in zip(BROW_TOPS, BROW_BOTTOMS, (-1, 1), strict=True):
        upper = smooth_line(chart.landmarks[list(top[::-1])], 8)
        lower = smooth_line(chart.landmarks[list(bottom[::-1])], 8)
        n = int(BROW_HAIRS * (0.6 + 0.5 * thickness))
        t = 0.93 * rng.beta(1.05, 1.25, n)
        u = rng.normal(0.45, 0.27, n).clip(0.02, 0.98)
        at = t * (len(upper) - 1)
        low = np.minimum(at.astype(int), len(upper) - 2)
        part = (at - low)[:, None]
        a = upper[low] * (1 - part) + upper[low + 1] * part
        b = lower[low] * (1 - part) + lower[low + 1] * part
        middle = 0.5 * (a + b)
        # Mediapipe's band is as wide as a full brow; the outer end is thinner.
        narrow = (1.05 * thickness * (1 - 0.55 * t**1.5))[:, None]
        roots = middle + (u - 0.5)[:, None] * narrow * (a - b) - np.stack([0 * t, arch * np.sin(np.pi * t)], 1)
        along = upper[low + 1] - upper[low]
        along /= np.linalg.norm(along, axis=1, keepdims=True)
        # Inner hairs stand up, outer ones lie along; those above bend down, those below up.
        rise = 1.15 * (1 - t) ** 1.6 + 0.55 * (0.5 - u) * 2 * np.minimum(t * 2, 1) + 0.16 * rng.standard_normal(n)
        direction = along * np.cos(rise)[:, None] + np.stack([0 * t, -np.sin(rise)], axis=1)
        length = rng.normal(7.2, 1.3, n).clip(3, 11) * (0.75 + 0.35 * np.sin(np.pi * np.minimum(t + 0.15, 1)))
        s = np.linspace(0, 1, BROW_POINTS)
        bend = -(rise * 0.35)[:, None] * s**2
        turned = np.stack(
            [
                direction[:, :1] * np.cos(bend) + side * direction[:, 1:] * np.sin(bend) * side,
                direction[:, 1:] * np.cos(bend) - direction[:, :1] * np.sin(bend) * side,
            ],
            axis=-1,
        )
        paths.append(roots[:, None, :] + turned * (length[:, None] * s / TEXEL_MM)[..., None])
        heights.append(0.15 + 0.9 * np.sin(np.pi * 0.5 * s) * rng.uniform(0.4, 1.0, (n, 1)))
    return np.concatenate(paths).astype(np.float32), np.concatenate(heights).astype(np.float32)


def brow_colour(person: Person) -> FloatArray:
    """(3,) float32: brows keep some pigment when the hair is light or grey, and are darker than the skin."""
    own = hair_reflectance(max(0.8 * person.eumelanin, 0.38), 0.8 * person.pheomelanin, 0.3 * person.grey)
    skin = skin_reflectance(melanin_of(person.typology_deg, person.blood), person.blood)
    darker: FloatArray = np.minimum(own, 0.4 * skin)
    return darker


def brows(chart: Chart, person: Person, vertices: FloatArray, places: tuple[FloatArray, FloatArray]) -> Strands:
    """Both brows on a face. vertices : (n_vertices, 3) mm."""
    points = rooted(chart, *places, vertices)
    rng = np.random.default_rng([person.seed, 3])
    n = len(points)
    colour = brow_colour(person) * np.exp(0.2 * rng.standard_normal((n, 1)))
    width = rng.uniform(0.15, 0.26, n).astype(np.float32)
    return Strands(points, colour.astype(np.float32), width, np.ones(points.shape[:2], dtype=np.float32))


def lashes(chart: Chart, person: Person, vertices: FloatArray) -> Strands:
    """The lashes of both eyes, from the edges of the lids as they are on this face.

    vertices : (n_vertices, 3) mm.
    """
    head = chart.head
    rng = np.random.default_rng([person.seed, 4])
    now = embed(vertices, head.triangles, head.landmarks_478)
    longer = 1.0 + 0.35 * (1 - person.masculinity) + 0.35 * person.make_up
    points, widths = [], []
    s = np.linspace(0, 1, LASH_POINTS)
    for eye, (upper, lower) in enumerate(zip(UPPER_LIDS, LOWER_LIDS, strict=True)):
        iris = now[IRISES[eye]]
        centre = iris - [0, 0, 12.0]
        outward_x = -1.0 if eye == 0 else 1.0
        for edge, n, length_mm, lift in ((upper, UPPER_LASHES, 5.2, 1.0), (lower, LOWER_LASHES, 2.8, -0.8)):
            line = smooth_line(now[list(edge)], 10)
            t = np.sort(rng.uniform(0.03, 0.90, n))
            at = t * (len(line) - 1)
            low = np.minimum(at.astype(int), len(line) - 2)
            part = (at - low)[:, None]
            roots = line[low] * (1 - part) + line[low + 1] * part + [0, 0, 0.3]
            away = roots - centre
            away /= np.linalg.norm(away, axis=1, keepdims=True)
            fan = (0.5 - t)[:, None] * np.array([outward_x, 0, 0]) * 0.9
            forward = away + fan + [0, 0.10 * lift, 0.25]
            forward += 0.10 * rng.standard_normal((n, 3))
            forward /= np.linalg.norm(forward, axis=1, keepdims=True)
            shape = np.sin(np.pi * (0.2 + 0.65 * (1 - t)))
            length = length_mm * longer * shape * rng.normal(1, 0.13, n).clip(0.5, 1.4)
            curl = np.array([0, 0.5 * lift, 0])
            paths = roots[:, None] + (length[:, None] * s)[..., None] * forward[:, None]
            paths += (length[:, None] * s**2)[..., None] * curl
            points.append(paths)
            widths.append(np.full(n, 0.13 + 0.06 * person.make_up * (lift > 0)))
    colour = hair_reflectance(max(person.eumelanin, 0.75 + 0.25 * min(2 * person.make_up, 1)), 0.1, 0.0) * 0.35
    everything = np.concatenate(points).astype(np.float32)
    n = len(everything)
    return Strands(
        everything,
        np.repeat(colour[None], n, axis=0).astype(np.float32),
        np.concatenate(widths).astype(np.float32),
        np.ones(everything.shape[:2], dtype=np.float32),
    )


_BEARDS = {
    Beard.STUBBLE: (9000, 1.6),
    Beard.SHORT: (14000, 6.0),
    Beard.MOUSTACHE: (2600, 7.0),
    Beard.GOATEE: (4500, 7.0),
}
"""Number of strands on the whole area, and their length in mm."""


def beard_places(chart: Chart, anatomy: Anatomy, person: Person) -> tuple[FloatArray, FloatArray] | None:
    """Texels (n, k, 2) and heights (n, k) mm of the beard's hairs; None without one."""
    if person.beard not in _BEARDS:
        return None
    rng = np.random.default_rng([person.seed, 5])
    number, length_mm = _BEARDS[person.beard]
    mask = {Beard.MOUSTACHE: anatomy.moustache, Beard.GOATEE: anatomy.goatee}.get(person.beard, anatomy.beard)
    chance = (mask.astype(np.float64) ** 1.5).ravel()
    cumulated = np.cumsum(chance)
    index = np.searchsorted(cumulated, rng.random(number) * cumulated[-1])
    roots = np.stack([index % mask.shape[1], index // mask.shape[1]], axis=1) + rng.random((number, 2))
    middle = chart.size.width / 2
    sideways = np.clip((roots[:, 0] - middle) / (70 / TEXEL_MM), -1, 1)
    nose_y, lip_y = chart.landmarks[2, 1], chart.landmarks[0, 1]
    above_lip = np.clip((lip_y + 4 - roots[:, 1]) / max(lip_y - nose_y, 1), 0, 1)
    angle = np.pi / 2 - sideways * (0.25 + 1.6 * above_lip) + 0.28 * rng.standard_normal(number)
    length = length_mm * rng.normal(1, 0.2, number).clip(0.4, 1.6) * (0.55 + 0.45 * mask.ravel()[index])
    s = np.linspace(0, 1, 5)
    direction = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    flat = 0.75 if length_mm > 3 else 0.5
    paths = roots[:, None] + direction[:, None] * (flat * length[:, None] * s / TEXEL_MM)[..., None]
    paths[..., 0] += (0.5 * rng.standard_normal((number, 1)) * s**2 * length[:, None]).astype(np.float64)
    lift = np.minimum(length, 4.5)[:, None] * 0.55 * rng.uniform(0.3, 1.0, (number, 1)) * np.sin(np.pi * 0.5 * s)
    return paths.astype(np.float32), lift.astype(np.float32)


def beard(chart: Chart, person: Person, vertices: FloatArray, places: tuple[FloatArray, FloatArray]) -> Strands:
    """The beard on a face. vertices : (n_vertices, 3) mm."""
    points = rooted(chart, *places, vertices)
    rng = np.random.default_rng([person.seed, 6])
    n = len(points)
    colour = hair_reflectance(0.9 * person.eumelanin, 1.1 * person.pheomelanin, person.grey)
    greyer = (rng.random((n, 1)) < 0.35 * person.grey).astype(np.float32)
    colours = colour * np.exp(0.25 * rng.standard_normal((n, 1))) + 0.25 * greyer
    shelter = np.broadcast_to(np.linspace(0.35, 1, points.shape[1]), points.shape[:2])
    return Strands(points, colours.astype(np.float32), rng.uniform(0.12, 0.2, n).astype(np.float32), shelter)
