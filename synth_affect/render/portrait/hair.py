"""The hair of the head: strands that grow from the scalp, are combed, fall, curl, and lie on the head."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit
from scipy.spatial import cKDTree

from synth_affect.arrays import FloatArray
from synth_affect.heads.model import embed, region_triangles
from synth_affect.render.portrait.anatomy import Anatomy
from synth_affect.render.portrait.ball import ball_of
from synth_affect.render.portrait.chart import Chart
from synth_affect.render.portrait.person import HairStyle, Person
from synth_affect.render.portrait.pigment import hair_reflectance
from synth_affect.render.portrait.strands import Strands

_NECK_MM, _FACE_MM = 64.0, 74.0


@dataclass(frozen=True, slots=True)
class Cut:
    """How a style is grown.

    n : strands.  steps : points of each.  top_mm, side_mm : lengths.  thickness_mm : of the hair on the head.
    lift : 1 grows away from the skin, 0 along it.  forward, sideways, down, whorl : the comb's pull.
    gravity : of long hair.  curl_mm, curl_wave_mm : of its helix.  clump : how far tips gather.
    hold : how closely it lies, 0 stands free.  spread : of lengths.
    """

    n: int
    steps: int
    top_mm: float
    side_mm: float
    thickness_mm: float
    lift: float
    forward: float = 0.0
    sideways: float = 0.0
    down: float = 0.0
    whorl: float = 0.0
    gravity: float = 0.0
    curl_mm: float = 0.0
    curl_wave_mm: float = 30.0
    clump: float = 0.35
    hold: float = 1.0
    spread: float = 0.15


CUTS: dict[HairStyle, Cut] = {
    HairStyle.BUZZ: Cut(60000, 4, 5.5, 3.5, 2.0, 0.55, forward=0.3, whorl=0.4, clump=0.1),
    HairStyle.CROP: Cut(26000, 9, 34.0, 13.0, 9.0, 0.45, forward=0.55, sideways=0.2, whorl=0.6, down=0.35, clump=0.55),
    HairStyle.SIDE_PART: Cut(
        26000, 14, 85.0, 20.0, 13.0, 0.45, sideways=1.0, forward=-0.1, down=0.3, gravity=0.2, clump=0.5
    ),
    HairStyle.SWEPT_BACK: Cut(26000, 14, 95.0, 30.0, 12.0, 0.5, forward=-1.0, down=0.15, clump=0.5),
    HairStyle.BOB: Cut(
        26000,
        22,
        185.0,
        140.0,
        19.0,
        0.35,
        sideways=0.9,
        forward=-0.35,
        down=0.35,
        gravity=0.9,
        clump=0.45,
        spread=0.05,
    ),
    HairStyle.LONG: Cut(
        32000, 26, 330.0, 290.0, 16.0, 0.3, sideways=0.9, forward=-0.5, down=0.4, gravity=1.0, clump=0.5, spread=0.08
    ),
    HairStyle.WAVY: Cut(
        30000,
        28,
        290.0,
        250.0,
        24.0,
        0.4,
        sideways=0.9,
        forward=-0.45,
        down=0.4,
        gravity=0.9,
        curl_mm=4.5,
        curl_wave_mm=70.0,
        clump=0.6,
    ),
    HairStyle.CURLY: Cut(
        22000,
        28,
        95.0,
        80.0,
        26.0,
        0.8,
        forward=-0.5,
        sideways=0.4,
        whorl=0.2,
        down=0.25,
        gravity=0.15,
        curl_mm=5.0,
        curl_wave_mm=22.0,
        clump=0.75,
        hold=0.3,
    ),
    HairStyle.AFRO: Cut(
        42000, 15, 48.0, 42.0, 8.0, 0.8, curl_mm=5.0, curl_wave_mm=14.0, clump=0.35, hold=0.0, spread=0.18
    ),
    HairStyle.TIED_BACK: Cut(26000, 16, 120.0, 100.0, 5.0, 0.15, whorl=-1.2, clump=0.2, spread=0.0),
    HairStyle.THINNING: Cut(13000, 8, 26.0, 16.0, 6.0, 0.35, forward=0.2, whorl=0.5, down=0.5, sideways=0.3, clump=0.5),
    HairStyle.BEANIE: Cut(6000, 6, 16.0, 12.0, 3.0, 0.2, down=1.0, clump=0.4),
}


def grow_hair(chart: Chart, anatomy: Anatomy, person: Person, neutral: FloatArray) -> Strands | None:
    """The hair of a person at rest, head frame, mm; None for the bald. neutral : (n_vertices, 3) mm."""
    cut = CUTS.get(person.hair_style)
    if cut is None:
        return None
    rng = np.random.default_rng([person.seed, 7])
    head = chart.head
    ball = ball_of(head, neutral)
    roots, normals, canonical = _roots(chart, anatomy, person, neutral, cut.n, rng)
    n = len(roots)
    marks = embed(head.mean, head.triangles, head.landmarks_478)
    top, brow = float(head.mean[:, 1].max()), float(marks[9, 1])
    up = np.clip((canonical[:, 1] - brow) / (0.75 * (top - brow)), 0, 1)
    up = up * up * (3 - 2 * up)
    length = (cut.side_mm + (cut.top_mm - cut.side_mm) * up) * np.exp(cut.spread * rng.standard_normal(n))
    # At the hairline hair is finer and shorter.
    edge = _hair_at(chart, anatomy, canonical)
    length *= 0.45 + 0.55 * np.clip((edge - 0.5) * 2.2, 0, 1)
    layer = rng.random(n).astype(np.float32)
    thickness = cut.thickness_mm * (0.25 + 0.75 * np.clip((edge - 0.55) * 2.5, 0, 1))
    part_x = (
        float(rng.choice([-1, 1]) * rng.uniform(14, 30))
        if person.hair_style is HairStyle.SIDE_PART
        else float(rng.normal(0, 8))
    )
    whim = _whims(roots, rng, 14.0)
    points = np.empty((n, cut.steps, 3), dtype=np.float32)
    crown = np.array([0, top - 6, ball.centre[2] - 34], dtype=np.float32)
    if person.hair_style is HairStyle.TIED_BACK:
        back = float(neutral[:, 2].min())
        crown = np.array([0, ball.centre[1] + rng.uniform(-15, 25), back - 4], dtype=np.float32)
        length = 1.08 * np.linalg.norm(roots - crown, axis=1)
    _grow(
        roots.astype(np.float32),
        normals.astype(np.float32),
        length.astype(np.float32),
        (0.6 + layer * thickness).astype(np.float32),
        whim.astype(np.float32),
        np.array([cut.lift, cut.forward, cut.sideways, cut.down, cut.whorl, cut.gravity], dtype=np.float32),
        part_x,
        cut.hold,
        crown,
        ball.centre,
        ball.radius_mm,
        points,
    )
    for _ in range(3):  # a strand has no corners
        points[:, 1:-1] += 0.5 * (0.5 * (points[:, :-2] + points[:, 2:]) - points[:, 1:-1])
    _gather(points, cut, length, rng)
    if cut.curl_mm:
        _curl(points, cut, length, rng)
    colour = _colours(person, n, roots, rng)
    along = np.linspace(0, 1, cut.steps, dtype=np.float32)
    shelter = np.clip(0.30 + 0.55 * layer[:, None] + 0.30 * along, 0, 1)
    shelter *= 0.45 + 0.55 * np.minimum(along * length[:, None] / 10.0 + 0.35, 1)
    width = rng.uniform(0.22, 0.42, n)
    return Strands(points, colour, width.astype(np.float32), shelter.astype(np.float32))


def _hair_at(chart: Chart, anatomy: Anatomy, canonical: FloatArray) -> FloatArray:
    texels = chart.cylinder.texels(canonical)
    rows = np.clip(texels[:, 1].astype(int), 0, chart.size.height - 1)
    columns = np.clip(texels[:, 0].astype(int), 0, chart.size.width - 1)
    hair: FloatArray = anatomy.hair[rows, columns]
    return hair


def _roots(
    chart: Chart, anatomy: Anatomy, person: Person, neutral: FloatArray, n: int, rng: np.random.Generator
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Places, normals and places on the mean head of about `n` roots."""
    head = chart.head
    triangles = head.triangles[region_triangles(head, "scalp", "skin")]
    at = head.mean[triangles]
    cross = np.cross(at[:, 1] - at[:, 0], at[:, 2] - at[:, 0])
    area = np.linalg.norm(cross, axis=1)
    middle = at.mean(axis=1)
    area = area * (_hair_at(chart, anatomy, middle) > 0.02)
    chosen = rng.choice(len(triangles), size=int(n * 1.15), p=area / area.sum())
    u, v = rng.random((2, len(chosen)))
    flip = u + v > 1
    u, v = np.where(flip, 1 - u, u), np.where(flip, 1 - v, v)
    weights = np.stack([1 - u - v, u, v], axis=1)
    canonical = np.einsum("nk,nkc->nc", weights, at[chosen])
    hair = _hair_at(chart, anatomy, canonical)
    line = 0.5 + 0.22 * _whims(canonical, rng, 9.0)[:, 0] + 0.16 * rng.standard_normal(len(chosen))
    keep = hair > np.clip(line, 0.12, 0.9)
    if person.hair_style is HairStyle.THINNING:
        low, high = float(np.percentile(middle[:, 1], 30)), float(head.mean[:, 1].max())
        bare = np.clip((canonical[:, 1] - low) / (0.55 * (high - low)), 0, 1)
        keep &= rng.random(len(chosen)) > 0.93 * bare
    if person.hair_style is HairStyle.BEANIE:
        marks = embed(head.mean, head.triangles, head.landmarks_478)
        keep &= canonical[:, 1] < float(marks[9, 1]) + 25
    chosen, weights, canonical = chosen[keep], weights[keep], canonical[keep]
    roots = np.einsum("nk,nkc->nc", weights, neutral[triangles[chosen]])
    corners = neutral[triangles[chosen]]
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-6)
    return roots, normals, canonical


def _whims(points: FloatArray, rng: np.random.Generator, width_mm: float) -> FloatArray:
    """(n, 3) noise that neighbours share: random waves."""
    total = np.zeros((len(points), 3))
    for _ in range(8):
        wave = rng.standard_normal(3) / width_mm
        total += np.sin(points @ wave + rng.uniform(0, 2 * np.pi))[:, None] * rng.standard_normal(3)
    return total / 2.0


@njit(cache=True)  # type: ignore[untyped-decorator]
def _surface(table: FloatArray, x: float, y: float, z: float) -> float:
    rows, columns = table.shape
    r = np.sqrt(x * x + y * y + z * z)
    row = np.arccos(min(max(y / max(r, 1e-6), -1.0), 1.0)) / np.pi * rows - 0.5
    column = (np.arctan2(x, z) / (2 * np.pi)) % 1.0 * columns - 0.5
    i, j = int(np.floor(row)), int(np.floor(column))
    u, v = row - i, column - j
    i0, i1 = min(max(i, 0), rows - 1), min(max(i + 1, 0), rows - 1)
    j0, j1 = j % columns, (j + 1) % columns
    radius: float = (1 - u) * ((1 - v) * table[i0, j0] + v * table[i0, j1]) + u * (
        (1 - v) * table[i1, j0] + v * table[i1, j1]
    )
    return radius


@njit(cache=True)  # type: ignore[untyped-decorator]
def _grow(
    roots: FloatArray,
    normals: FloatArray,
    length: FloatArray,
    offset: FloatArray,
    whim: FloatArray,
    comb: FloatArray,
    part_x: float,
    hold: float,
    crown: FloatArray,
    centre: FloatArray,
    table: FloatArray,
    points: FloatArray,
) -> None:
    n, steps = points.shape[0], points.shape[1]
    lift, forward, sideways, down, whorl, gravity = comb[0], comb[1], comb[2], comb[3], comb[4], comb[5]
    for k in range(n):
        px, py, pz = roots[k, 0], roots[k, 1], roots[k, 2]
        points[k, 0] = roots[k]
        dx, dy, dz = normals[k, 0], normals[k, 1], normals[k, 2]
        step = length[k] / (steps - 1)
        side = 1.0 if roots[k, 0] > part_x else -1.0
        grown = 0.0
        for s in range(1, steps):
            t = s / (steps - 1)
            ux, uy, uz = px - centre[0], py - centre[1], pz - centre[2]
            r = np.sqrt(ux * ux + uy * uy + uz * uz)
            ux, uy, uz = ux / r, uy / r, uz / r
            wx, wy, wz = px - crown[0], py - crown[1], pz - crown[2]
            w = np.sqrt(wx * wx + wy * wy + wz * wz) + 1e-3
            fade = min(max((uy + 0.30) / 0.5, 0.0), 1.0)  # a comb parts the hair above; below it falls
            cx = fade * side * sideways + whorl * wx / w + 0.25 * whim[k, 0]
            cy = -down + whorl * wy / w + 0.15 * whim[k, 1]
            cz = (0.25 + 0.75 * fade) * forward + whorl * wz / w + 0.25 * whim[k, 2]
            out = cx * ux + cy * uy + cz * uz
            cx, cy, cz = cx - out * ux, cy - out * uy, cz - out * uz
            early = lift * np.exp(-3.0 * t)
            dx = 0.55 * dx + 0.45 * cx + 0.6 * early * normals[k, 0]
            dy = 0.55 * dy + 0.45 * cy + 0.6 * early * normals[k, 1] - 0.45 * gravity * (0.25 + t)
            dz = 0.55 * dz + 0.45 * cz + 0.6 * early * normals[k, 2]
            m = np.sqrt(dx * dx + dy * dy + dz * dz) + 1e-6
            dx, dy, dz = dx / m, dy / m, dz / m
            ox, oy, oz = px, py, pz
            px, py, pz = px + step * dx, py + step * dy, pz + step * dz
            grown += step
            ux, uy, uz = px - centre[0], py - centre[1], pz - centre[2]
            r = np.sqrt(ux * ux + uy * uy + uz * uz)
            off = offset[k] * (1 - np.exp(-grown / 9.0))
            least = _surface(table, ux, uy, uz) + off
            if uy < -0.5 * r:
                # Below the head hair hangs about the neck.
                across = np.sqrt(ux * ux + uz * uz) + 1e-3
                if across < _NECK_MM + off:
                    px = centre[0] + ux / across * (_NECK_MM + off)
                    pz = centre[2] + uz / across * (_NECK_MM + off)
                # In front it falls beside the face, not before it.
                if pz - centre[2] > 20.0 and abs(px - centre[0]) < _FACE_MM + off:
                    beside = 1.0 if px > centre[0] else -1.0
                    px += 0.35 * (centre[0] + beside * (_FACE_MM + off) - px)
                    pz -= 0.5 * step
            elif r < least:
                px, py, pz = centre[0] + ux / r * least, centre[1] + uy / r * least, centre[2] + uz / r * least
                dx, dy, dz = px - ox, py - oy, pz - oz
                m = np.sqrt(dx * dx + dy * dy + dz * dz) + 1e-6
                dx, dy, dz = dx / m, dy / m, dz / m
            elif uy > -0.35 * r and hold > 0.0:
                # Combed hair lies on the head; it does not stand off it.
                most = least + 2.0 + 6.0 * (1.0 - hold)
                if r > most:
                    r2 = r + 0.6 * hold * (most - r)
                    px, py, pz = centre[0] + ux / r * r2, centre[1] + uy / r * r2, centre[2] + uz / r * r2
            points[k, s, 0], points[k, s, 1], points[k, s, 2] = px, py, pz


def _gather(points: FloatArray, cut: Cut, length: FloatArray, rng: np.random.Generator) -> None:
    """Tips of neighbours draw together into locks, in place."""
    n, steps = points.shape[:2]
    guides = rng.choice(n, size=max(n // 28, 1), replace=False)
    nearest = guides[cKDTree(points[guides, 0]).query(points[:, 0])[1]]
    t = np.linspace(0, 1, steps, dtype=np.float32)[None, :, None]
    pull = cut.clump * t**1.3 * rng.uniform(0.5, 1.0, (n, 1, 1)).astype(np.float32)
    points += pull * (points[nearest] - points)
    stray = (
        rng.standard_normal((n, 1, 3)).astype(np.float32) * np.float32(0.02) * length[:, None, None].astype(np.float32)
    )
    often = (rng.random((n, 1, 1)) ** 3).astype(np.float32)
    points += stray * often * t**2


def _curl(points: FloatArray, cut: Cut, length: FloatArray, rng: np.random.Generator) -> None:
    """A helix about each strand, in place; the phases of neighbours are alike."""
    n, steps = points.shape[:2]
    phase = 2.2 * _whims(points[:, 0], rng, 9.0)[:, 0] + 0.5 * rng.standard_normal(n)
    wave = cut.curl_wave_mm * np.exp(0.15 * rng.standard_normal(n))
    s = np.linspace(0, 1, steps)
    angle = phase[:, None] + 2 * np.pi * length[:, None] * s / wave[:, None]
    along = np.gradient(points, axis=1)
    along /= np.maximum(np.linalg.norm(along, axis=2, keepdims=True), 1e-6)
    first = np.cross(along, np.array([0.3, 0.2, 0.93]))
    first /= np.maximum(np.linalg.norm(first, axis=2, keepdims=True), 1e-3)
    second = np.cross(along, first)
    grow = np.minimum(length[:, None] * s / 25.0, 1.0)
    swing = cut.curl_mm * grow
    points += ((swing * np.cos(angle))[..., None] * first + (swing * np.sin(angle))[..., None] * second).astype(
        np.float32
    )


def _colours(person: Person, n: int, roots: FloatArray, rng: np.random.Generator) -> FloatArray:
    locks = _whims(roots, rng, 5.0)[:, 0]
    pigment = np.clip(person.eumelanin + 0.04 * locks + 0.03 * rng.standard_normal(n), 0, 1.1)
    white = rng.random(n) < person.grey * 0.9
    colours = np.stack([hair_reflectance(1.0, person.pheomelanin, 0.0)] * n)
    levels = np.linspace(0, 1.1, 24)
    table = np.stack([hair_reflectance(float(level), person.pheomelanin, 0.0) for level in levels])
    for c in range(3):
        colours[:, c] = np.interp(pigment, levels, table[:, c])
    colours[white] = hair_reflectance(0.0, 0.0, 1.0) * rng.uniform(0.7, 1.1, (int(white.sum()), 1))
    return colours.astype(np.float32)
