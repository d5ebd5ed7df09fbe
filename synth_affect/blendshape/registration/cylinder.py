"""The cylindrical unwrap of a face: pictures in which a pixel stands for a direction and a height, not for a ray."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit

from synth_affect.arrays import BoolArray, FloatArray, IntArray, readonly
from synth_affect.blendshape.template import Template
from synth_affect.heads.mesh import vertex_normals
from synth_affect.heads.model import embed

JAW_ENDS = (0, 16)
"""Of ibug's 68 points: before the subject's right and left ear."""
PIXEL_MM = 0.6
MARGIN_MM = 9.0


@dataclass(frozen=True, slots=True)
class Cylinder:
    """A vertical axis in the head frame, and the picture around it.

    x_mm, z_mm : where the axis stands.  radius_mm : at which a pixel is as wide as it is high.
    top_mm : y of the picture's upper edge.  height, width : pixels.  pixel_mm : their height.

    Convention: column = width / 2 + angle * radius_mm / pixel_mm, angle = atan2(x - x_mm, z - z_mm), so the picture
    looks like the face from in front; row = (top_mm - y) / pixel_mm. The centre of pixel (row, column) is
    (column + 0.5, row + 0.5). With the axis at 0, radius 80, width 400, pixels of 0.5 and top 100 the point
    (80, 90, 0) has the angle 90 degrees and lies at column 200 + 251.33, row 20.
    """

    x_mm: float
    z_mm: float
    radius_mm: float
    top_mm: float
    height: int
    width: int
    pixel_mm: float


def cylinder_around(template: Template) -> Cylinder:
    """The axis through the middle between the ends of the jaw, and a picture that holds the whole template."""
    vertices = template.mesh.vertices.astype(np.float64)
    ends = embed(vertices, template.mesh.triangles, template.landmarks_68)[list(JAW_ENDS)].mean(axis=0)
    x, z = float(ends[0]), float(ends[2])
    across, ahead = vertices[:, 0] - x, vertices[:, 2] - z
    radius = float(np.median(np.hypot(across, ahead)))
    widest = float(np.abs(np.arctan2(across, ahead)).max()) * radius + MARGIN_MM
    top, bottom = float(vertices[:, 1].max()) + MARGIN_MM, float(vertices[:, 1].min()) - MARGIN_MM
    width = 2 * int(np.ceil(min(widest, np.pi * radius) / PIXEL_MM))
    return Cylinder(x, z, radius, top, int(np.ceil((top - bottom) / PIXEL_MM)), width, PIXEL_MM)


def unwrap(cylinder: Cylinder, points_head: FloatArray) -> FloatArray:
    """(n, 3) float64: column and row in pixels, radius in mm, of points (n, 3) of the head frame."""
    across, ahead = points_head[:, 0] - cylinder.x_mm, points_head[:, 2] - cylinder.z_mm
    column = cylinder.width / 2 + np.arctan2(across, ahead) * (cylinder.radius_mm / cylinder.pixel_mm)
    row = (cylinder.top_mm - points_head[:, 1]) / cylinder.pixel_mm
    return np.stack([column, row, np.hypot(across, ahead)], axis=1).astype(np.float64)


def wrap(cylinder: Cylinder, unwrapped: FloatArray) -> FloatArray:
    """(n, 3) float64, mm, head frame: the inverse of `unwrap`."""
    angle = (unwrapped[:, 0] - cylinder.width / 2) * (cylinder.pixel_mm / cylinder.radius_mm)
    return np.stack(
        [
            cylinder.x_mm + unwrapped[:, 2] * np.sin(angle),
            cylinder.top_mm - unwrapped[:, 1] * cylinder.pixel_mm,
            cylinder.z_mm + unwrapped[:, 2] * np.cos(angle),
        ],
        axis=1,
    ).astype(np.float64)


@dataclass(frozen=True, slots=True, eq=False)
class UvMap:
    """The outermost surface around the axis, seen through every pixel centre.

    positions : (height, width, 3) float32, mm, head frame; 0 where nothing is.
    normals : (height, width, 3) float32, about unit length, outward; 0 where nothing is.
    radius : (height, width) float32, mm; 0 where nothing is.
    """

    positions: FloatArray
    normals: FloatArray
    radius: FloatArray

    @property
    def covered(self) -> BoolArray:
        """(height, width) bool: there is surface."""
        return np.asarray(self.radius > 0)


def draw_map(cylinder: Cylinder, vertices_head: FloatArray, triangles: IntArray) -> UvMap:
    """The map of a mesh. Triangles behind the head, where the unwrap is cut, are left out.

    vertices_head : (n_vertices, 3), mm.  triangles : (n_triangles, 3) int32.
    """
    vertices = readonly(vertices_head, "vertices_head", ("n_vertices", 3), np.float32)
    corners = readonly(triangles, "triangles", ("n_triangles", 3), np.int32)
    unwrapped = np.ascontiguousarray(unwrap(cylinder, vertices))
    values = np.concatenate([vertices, vertex_normals(vertices, corners)], axis=1)
    drawn = np.zeros((cylinder.height, cylinder.width, 6), dtype=np.float32)
    radius = np.zeros((cylinder.height, cylinder.width), dtype=np.float32)
    half_turn = np.pi * cylinder.radius_mm / cylinder.pixel_mm
    _draw(unwrapped, values, corners, float(half_turn), drawn, radius)
    return UvMap(np.ascontiguousarray(drawn[..., :3]), np.ascontiguousarray(drawn[..., 3:]), radius)


@njit(cache=True)  # type: ignore[untyped-decorator]
def _draw(
    unwrapped: FloatArray,
    values: FloatArray,
    triangles: IntArray,
    half_turn: float,
    drawn: FloatArray,
    radius: FloatArray,
) -> None:
    """Fill the two pictures, which come full of 0, with the surface furthest from the axis."""
    height, width = radius.shape
    for triangle in range(triangles.shape[0]):
        a, b, c = triangles[triangle, 0], triangles[triangle, 1], triangles[triangle, 2]
        ax, ay, bx, by = unwrapped[a, 0], unwrapped[a, 1], unwrapped[b, 0], unwrapped[b, 1]
        cx, cy = unwrapped[c, 0], unwrapped[c, 1]
        left, right = min(ax, bx, cx), max(ax, bx, cx)
        if right - left > half_turn:
            continue
        area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
        if area == 0.0:
            continue
        first_column, last_column = int(max(np.ceil(left - 0.5), 0.0)), int(min(np.floor(right - 0.5), width - 1.0))
        first_row = int(max(np.ceil(min(ay, by, cy) - 0.5), 0.0))
        last_row = int(min(np.floor(max(ay, by, cy) - 0.5), height - 1.0))
        for row in range(first_row, last_row + 1):
            y = row + 0.5
            for column in range(first_column, last_column + 1):
                x = column + 0.5
                wa = ((bx - x) * (cy - y) - (by - y) * (cx - x)) / area
                wb = ((cx - x) * (ay - y) - (cy - y) * (ax - x)) / area
                wc = 1.0 - wa - wb
                if wa < -1e-9 or wb < -1e-9 or wc < -1e-9:
                    continue
                r = wa * unwrapped[a, 2] + wb * unwrapped[b, 2] + wc * unwrapped[c, 2]
                if r > radius[row, column]:
                    radius[row, column] = r
                    for k in range(values.shape[1]):
                        drawn[row, column, k] = wa * values[a, k] + wb * values[b, k] + wc * values[c, k]
