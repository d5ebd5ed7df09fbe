"""Raw scans with known correspondences: a head seen by three depth cameras, with noise, holes and a motion of its own.

Each camera gives a grid of depths, and of its triangles those that no other camera sees more squarely, with a little
overlap; so the scan has its own topology, seams, and holes where a nose hides a cheek. Teeth, tongue and eyeballs are
seen like the skin.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from synth_affect.arrays import BoolArray, FloatArray, IntArray
from synth_affect.blendshape.registration.rigid import RigidMotion, moved
from synth_affect.blendshape.template import Template, face_vertices
from synth_affect.heads.camera import ImageSize
from synth_affect.heads.model import HeadModel, embed, head_vertices, region_triangles
from synth_affect.render.rasterizer import rasterize_projected

EXPRESSIONS: dict[str, dict[str, float]] = {
    "neutral": {},
    "jaw open": {"jawOpen": 0.8, "eyeWideLeft": 0.6, "eyeWideRight": 0.6, "browInnerUp": 0.5},
    "smile": {"mouthSmileLeft": 0.9, "mouthSmileRight": 0.8, "cheekSquintLeft": 0.6, "cheekSquintRight": 0.6},
    "pucker": {"mouthPucker": 0.9, "browDownLeft": 0.7, "browDownRight": 0.7},
    "disgust": {"noseSneerLeft": 0.9, "noseSneerRight": 0.9, "mouthUpperUpLeft": 0.6, "mouthUpperUpRight": 0.6},
    "brows up": {"browInnerUp": 0.9, "browOuterUpLeft": 0.9, "browOuterUpRight": 0.9, "jawOpen": 0.3},
    "blink": {"eyeBlinkLeft": 1.0, "eyeBlinkRight": 1.0, "mouthFrownLeft": 0.8, "mouthFrownRight": 0.8},
    "aside": {"mouthLeft": 0.7, "jawLeft": 0.5, "mouthStretchLeft": 0.6, "eyeSquintRight": 0.7},
}
VIEWS = ((0.0, 0.05), (0.85, -0.15), (-0.85, -0.15))
"""Yaw and pitch of the cameras, rad; the pitched ones look from below."""
DEPTH_MM = 5000.0


@dataclass(frozen=True, slots=True, eq=False)
class RawScan:
    """vertices, triangles : as a scanner gives them, mm.
    truth : (n_template_vertices, 3) where the template's vertices truly are.  landmarks : (68, 3), true ones.
    motion : from the head frame into the scan's.
    """

    vertices: FloatArray
    triangles: IntArray
    truth: FloatArray
    landmarks: FloatArray
    motion: RigidMotion


def identity(head: HeadModel, rng: np.random.Generator, *, spread: float = 1.0) -> FloatArray:
    return np.clip(rng.normal(0, spread, len(head.identity_basis)), -2.5, 2.5).astype(np.float32)


def weights(head: HeadModel, expression: str) -> FloatArray:
    named = EXPRESSIONS[expression]
    return np.array([named.get(name, 0.0) for name in head.unit_names], dtype=np.float32)


def raw_scan(
    head: HeadModel,
    template: Template,
    identity_coefficients: FloatArray,
    expression_weights: FloatArray,
    rng: np.random.Generator,
    *,
    spacing_mm: float = 1.4,
    noise_mm: float = 0.2,
    n_holes: int = 4,
    motion: RigidMotion | None = None,
) -> RawScan:
    surface = head_vertices(head, identity_coefficients, expression_weights).astype(np.float64)
    seen = region_triangles(head, *[name for name in head.region_names if name != "lashes"])
    views = [_view(surface, head.triangles[seen], angles, spacing_mm) for angles in VIEWS]
    parts = [_depth_mesh(views, number) for number in range(len(views))]
    offsets = np.cumsum([0] + [len(points) for points, _ in parts[:-1]])
    points = np.concatenate([points for points, _ in parts])
    triangles = np.concatenate([corners + offset for (_, corners), offset in zip(parts, offsets, strict=True)])
    for _ in range(n_holes):
        centre = points[triangles[rng.integers(len(triangles)), 0]]
        triangles = triangles[np.linalg.norm(points[triangles].mean(axis=1) - centre, axis=1) > rng.uniform(2, 8)]
    used, compact = np.unique(triangles, return_inverse=True)
    points = points[used] + rng.normal(0, noise_mm, (len(used), 3))
    motion = random_motion(rng) if motion is None else motion
    truth = surface[face_vertices(head)]
    marks = embed(truth, template.mesh.triangles, template.landmarks_68)
    return RawScan(moved(motion, points), compact.reshape(-1, 3), moved(motion, truth), moved(motion, marks), motion)


def random_motion(rng: np.random.Generator, *, angle_rad: float = 0.4, shift_mm: float = 200.0) -> RigidMotion:
    yaw, pitch, roll = rng.uniform(-angle_rad, angle_rad, 3)
    return RigidMotion(_turn(yaw, pitch) @ _roll(roll), rng.uniform(-shift_mm, shift_mm, 3))


def _turn(yaw: float, pitch: float) -> FloatArray:
    c, s = np.cos(yaw), np.sin(yaw)
    about_y = np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]])
    c, s = np.cos(pitch), np.sin(pitch)
    return np.array([[1, 0, 0], [0, c, -s], [0, s, c]]) @ about_y


def _roll(angle: float) -> FloatArray:
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])


@dataclass(frozen=True, slots=True, eq=False)
class _View:
    """turn : (3, 3), into the camera's frame.  corner : (2,) mm, top left of its grid.  z : (height, width) mm."""

    turn: FloatArray
    corner: FloatArray
    spacing: float
    z: FloatArray


def _view(surface: FloatArray, triangles: IntArray, angles: tuple[float, float], spacing: float) -> _View:
    """An orthographic grid of depths; NaN where the camera sees nothing."""
    turn = _turn(*angles)
    points = surface @ turn.T
    low, high = points.min(axis=0)[:2] - 2 * spacing, points.max(axis=0)[:2] + 2 * spacing
    corner = np.array([low[0], high[1]])
    width, height = np.ceil((high - low) / spacing).astype(int)
    image = np.concatenate([(points[:, :2] - corner) / spacing * [1, -1], DEPTH_MM - points[:, 2:]], axis=1)
    fragments = rasterize_projected(image, triangles, ImageSize(int(height), int(width)))
    z = DEPTH_MM - fragments.zbuf[0, :, :, 0].astype(np.float64)
    z[fragments.pix_to_face[0, :, :, 0] < 0] = np.nan
    return _View(turn, corner, spacing, z)


def _depth_mesh(views: list[_View], number: int) -> tuple[FloatArray, IntArray]:
    """The part of the surface that no other view sees more squarely, in the head frame."""
    view = views[number]
    height, width = view.z.shape
    column, row = np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)
    grid = np.stack(
        [view.corner[0] + column * view.spacing, view.corner[1] - row * view.spacing, view.z], axis=-1
    ).reshape(-1, 3)
    index = np.arange(width * height).reshape(height, width)
    a, b, c, d = index[:-1, :-1], index[:-1, 1:], index[1:, :-1], index[1:, 1:]
    corners = np.concatenate([np.stack(t, axis=-1).reshape(-1, 3) for t in ((a, c, b), (b, c, d))])
    corners = corners[np.ptp(grid[corners, 2], axis=1) < 2.5 * view.spacing]  # NaN compares false
    points = grid @ view.turn
    normals = np.cross(points[corners[:, 1]] - points[corners[:, 0]], points[corners[:, 2]] - points[corners[:, 0]])
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    kept = np.ones(len(corners), dtype=bool)
    for other in views:
        kept &= ~((normals @ (other.turn[2] - view.turn[2]) > 0.06) & _sees(other, points[corners].mean(axis=1)))
    return points, corners[kept]


def _sees(view: _View, points: FloatArray) -> BoolArray:
    at = points @ view.turn.T
    column = np.floor((at[:, 0] - view.corner[0]) / view.spacing).astype(int)
    row = np.floor((view.corner[1] - at[:, 1]) / view.spacing).astype(int)
    height, width = view.z.shape
    inside = (column >= 0) & (column < width) & (row >= 0) & (row < height)
    z = view.z[np.clip(row, 0, height - 1), np.clip(column, 0, width - 1)]
    return inside & (at[:, 2] > z - 1.5 * view.spacing)
