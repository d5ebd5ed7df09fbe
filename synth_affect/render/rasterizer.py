"""The z-buffer rasterizer of the CPU: which triangle is seen through every pixel centre, how deep and where on it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numba import njit

from synth_affect.arrays import FloatArray, IntArray, readonly
from synth_affect.errors import ShapeError
from synth_affect.heads.camera import Camera, ImageSize, project
from synth_affect.heads.mesh import Mesh
from synth_affect.render.fragments import Fragments

NEAR_MM = 1.0
"""Triangles that reach nearer to the camera than this are dropped; no head in a photograph comes so close."""


class Rasterizer(Protocol):
    """Finds the nearest triangle under every pixel centre."""

    def rasterize(self, mesh: Mesh, camera: Camera, size: ImageSize) -> Fragments:
        """The fragments of `mesh` seen by `camera` in a picture of `size`."""
        ...


@dataclass(frozen=True, slots=True)
class NumbaRasterizer:
    """The `Rasterizer` of the CPU, one thread.

    cull_backfaces : draw only triangles whose outside faces the camera.
    near_mm : triangles with a corner at this depth or nearer are dropped whole.
    """

    cull_backfaces: bool = False
    near_mm: float = NEAR_MM

    def rasterize(self, mesh: Mesh, camera: Camera, size: ImageSize) -> Fragments:
        """See `rasterize_projected`; batch and faces_per_pixel are 1."""
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            vertices_image = project(camera, mesh.vertices)
        # A corner in the plane of the camera has no place in the picture, and its triangles are dropped: any will do.
        vertices_image[vertices_image[:, 2] <= self.near_mm, :2] = 0
        return rasterize_projected(
            vertices_image, mesh.triangles, size, cull_backfaces=self.cull_backfaces, near_mm=self.near_mm
        )


def rasterize_projected(
    vertices_image: FloatArray,
    triangles: IntArray,
    size: ImageSize,
    *,
    cull_backfaces: bool = False,
    near_mm: float = NEAR_MM,
) -> Fragments:
    """The nearest triangle under every pixel centre, of a mesh that is projected already.

    vertices_image : (n_vertices, 3) float32, x px, y px, depth mm; subtract a region's corner from x and y to
        rasterize only that region.
    triangles : (n_triangles, 3) int32; both windings are drawn unless `cull_backfaces`.
    Returns Fragments with batch = faces_per_pixel = 1. A centre on an edge belongs to the triangles of both sides, so
    a closed surface shows no cracks; of triangles at the same float32 depth the one with the lowest index is seen.
    Raises ShapeError for vertices that are not finite and for indices that name no vertex.

    Convention: the centre of pixel (row, column) is (column + 0.5, row + 0.5); x right, y down, so that a front face,
    counter-clockwise to the eye, has a negative cross product of its edges. The triangle (0, 4), (4, 4), (0, 0) px is
    a front face and covers columns 0 to r of row r: its edge from (0, 0) to (4, 4) runs through the last centres.
    """
    vertices = readonly(vertices_image, "vertices_image", ("n_vertices", 3), np.float32)
    corners = _checked_triangles(triangles, len(vertices))
    # One block for the three: numpy asks for large pages from 4 MB on; touching small ones can cost as much as drawing.
    block = np.full(5 * size.height * size.width, -1, dtype=np.float32)
    n_pixels = size.height * size.width
    pix_to_face = block[:n_pixels].view(np.int32).reshape(size.height, size.width)
    pix_to_face.fill(-1)
    zbuf = block[n_pixels : 2 * n_pixels].reshape(size.height, size.width)
    bary_coords = block[2 * n_pixels :].reshape(size.height, size.width, 3)
    _draw(vertices, corners, bool(cull_backfaces), float(near_mm), pix_to_face, zbuf, bary_coords)
    return Fragments(pix_to_face[None, :, :, None], zbuf[None, :, :, None], bary_coords[None, :, :, None])


def interpolate(fragments: Fragments, triangles: IntArray, values: FloatArray) -> FloatArray:
    """(height, width, d) float32: values at the corners of triangles, carried to the pixels; 0 where no triangle is.

    fragments : batch = faces_per_pixel = 1.
    triangles : (n_triangles, 3) int32.  values : (n_vertices, d), one row a vertex.
    """
    batch, height, width, faces_per_pixel = fragments.pix_to_face.shape
    if (batch, faces_per_pixel) != (1, 1):
        raise ShapeError("fragments", (1, "height", "width", 1), fragments.pix_to_face.shape)
    table = readonly(values, "values", ("n_vertices", "d"), np.float32)
    corners = _checked_triangles(triangles, len(table))
    if fragments.pix_to_face.size and fragments.pix_to_face.max() >= len(corners):
        raise ShapeError("triangles", f"more than {fragments.pix_to_face.max()}", str(len(corners)))
    interpolated = np.zeros((height, width, table.shape[1]), dtype=np.float32)
    _interpolate(fragments.pix_to_face[0, :, :, 0], fragments.bary_coords[0, :, :, 0], corners, table, interpolated)
    return interpolated


def _checked_triangles(triangles: IntArray, n_vertices: int) -> IntArray:
    """`triangles` in the one layout for which the kernels are compiled, once its indices are safe to follow."""
    corners: IntArray = readonly(triangles, "triangles", ("n_triangles", 3), np.int32)
    if corners.size and not (corners.min() >= 0 and corners.max() < n_vertices):
        raise ShapeError("triangles", f"indices in [0, {n_vertices})", f"{corners.min()} to {corners.max()}")
    return corners


@njit(cache=True)  # type: ignore[untyped-decorator]
def _draw(
    vertices: FloatArray,
    triangles: IntArray,
    cull_backfaces: bool,
    near_mm: float,
    pix_to_face: IntArray,
    zbuf: FloatArray,
    bary_coords: FloatArray,
) -> None:
    """Fill the three buffers, which come full of -1.

    An edge's function is computed from its two ends and the pixel centre alone, by a formula that changes its sign and
    nothing else when the ends change places: the triangles of its two sides agree, so no centre falls between them.
    """
    height, width = pix_to_face.shape
    for triangle in range(triangles.shape[0]):
        a, b, c = triangles[triangle, 0], triangles[triangle, 1], triangles[triangle, 2]
        az, bz, cz = np.float64(vertices[a, 2]), np.float64(vertices[b, 2]), np.float64(vertices[c, 2])
        if min(az, bz, cz) <= near_mm:
            continue
        ax, ay = np.float64(vertices[a, 0]), np.float64(vertices[a, 1])
        bx, by = np.float64(vertices[b, 0]), np.float64(vertices[b, 1])
        cx, cy = np.float64(vertices[c, 0]), np.float64(vertices[c, 1])
        # Bounds are cut to the picture before they become integers, which hold less than floats do.
        first_column = int(max(np.ceil(min(ax, bx, cx) - 0.5), 0.0))
        last_column = int(min(np.floor(max(ax, bx, cx) - 0.5), width - 1.0))
        first_row = int(max(np.ceil(min(ay, by, cy) - 0.5), 0.0))
        last_row = int(min(np.floor(max(ay, by, cy) - 0.5), height - 1.0))
        if first_column > last_column or first_row > last_row:
            continue
        doubled_area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
        if doubled_area == 0.0 or (cull_backfaces and doubled_area > 0.0):
            continue
        sign = 1.0 if doubled_area > 0.0 else -1.0
        a_nearness, b_nearness, c_nearness = 1.0 / az, 1.0 / bz, 1.0 / cz
        for row in range(first_row, last_row + 1):
            y = row + 0.5
            a_dy, b_dy, c_dy = sign * (ay - y), sign * (by - y), sign * (cy - y)
            entered = False
            for column in range(first_column, last_column + 1):
                x = column + 0.5
                a_dx, b_dx, c_dx = ax - x, bx - x, cx - x
                a_weight = b_dx * c_dy - b_dy * c_dx
                b_weight = c_dx * a_dy - c_dy * a_dx
                c_weight = a_dx * b_dy - a_dy * b_dx
                if a_weight < 0.0 or b_weight < 0.0 or c_weight < 0.0:
                    if entered:  # a triangle is convex: the rest of the row is outside
                        break
                    continue
                entered = True
                # Depth is not linear in the picture, its inverse is; so are barycentrics divided by depth.
                a_weight *= a_nearness
                b_weight *= b_nearness
                c_weight *= c_nearness
                total = a_weight + b_weight + c_weight
                if total <= 0.0:  # too thin for its own weights
                    continue
                scale = 1.0 / total
                a_weight *= scale
                b_weight *= scale
                c_weight *= scale
                depth = np.float32(a_weight * az + b_weight * bz + c_weight * cz)
                if pix_to_face[row, column] < 0 or depth < zbuf[row, column]:
                    pix_to_face[row, column] = triangle
                    zbuf[row, column] = depth
                    bary_coords[row, column, 0] = a_weight
                    bary_coords[row, column, 1] = b_weight
                    bary_coords[row, column, 2] = c_weight


@njit(cache=True)  # type: ignore[untyped-decorator]
def _interpolate(
    pix_to_face: IntArray, bary_coords: FloatArray, triangles: IntArray, values: FloatArray, interpolated: FloatArray
) -> None:
    height, width, n_channels = interpolated.shape
    for row in range(height):
        for column in range(width):
            triangle = pix_to_face[row, column]
            if triangle < 0:
                continue
            a, b, c = triangles[triangle, 0], triangles[triangle, 1], triangles[triangle, 2]
            a_weight = bary_coords[row, column, 0]
            b_weight = bary_coords[row, column, 1]
            c_weight = bary_coords[row, column, 2]
            for channel in range(n_channels):
                interpolated[row, column, channel] = (
                    a_weight * values[a, channel] + b_weight * values[b, channel] + c_weight * values[c, channel]
                )
