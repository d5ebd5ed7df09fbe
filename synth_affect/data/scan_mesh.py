"""`ScanMesh`: a scan as its file holds it, and what the readers of mesh formats share."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from synth_affect.arrays import FloatArray, IntArray, readonly
from synth_affect.errors import InputError

MAX_MESH_BYTES = 1 << 30
"""Ten times the largest scan of the databases that are read."""


@dataclass(frozen=True, slots=True, eq=False)
class ScanMesh:
    """The surface of a scan; vertices keep their order and count.

    vertices : (n_vertices, 3) float32, in the file's own unit and frame.
    triangles : (n_triangles, 3) int32; polygons with more corners are cut into fans.
    uv : (n_uv, 2) float32, v up, where the file has texture coordinates for every triangle.
    uv_triangles : (n_triangles, 3) int32, index into uv; None where uv is.
    """

    vertices: FloatArray
    triangles: IntArray
    uv: FloatArray | None = None
    uv_triangles: IntArray | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "vertices", readonly(self.vertices, "vertices", ("n_vertices", 3), np.float32))
        object.__setattr__(self, "triangles", readonly(self.triangles, "triangles", ("n_triangles", 3), np.int32))
        if self.uv is not None:
            object.__setattr__(self, "uv", readonly(self.uv, "uv", ("n_uv", 2), np.float32))
        if self.uv_triangles is not None:
            shape = (len(self.triangles), 3)
            object.__setattr__(self, "uv_triangles", readonly(self.uv_triangles, "uv_triangles", shape, np.int32))


def scan_mesh(
    path: Path,
    vertices: FloatArray,
    triangles: IntArray,
    uv: FloatArray | None = None,
    uv_triangles: IntArray | None = None,
) -> ScanMesh:
    """A `ScanMesh` of what was read from `path`.

    Raises InputError for a mesh without vertices or triangles, coordinates that are not finite in float32, and indices
    of vertices that are not there.
    """
    if not len(vertices):
        raise InputError(path, "holds no vertex")
    if not len(triangles):
        raise InputError(path, "holds no triangle")
    _check_finite(vertices, path, "vertex")
    _check_indices(triangles, len(vertices), path, "vertex")
    if uv is not None and uv_triangles is not None:
        _check_finite(uv, path, "texture coordinate")
        _check_indices(uv_triangles, len(uv), path, "texture coordinate")
    return ScanMesh(vertices, triangles, uv, uv_triangles)


def _check_finite(points: FloatArray, path: Path, what: str) -> None:
    fine = (np.abs(points) < 1e30).all(axis=1)  # false for NaN; float32 holds what passes
    if not fine.all():
        raise InputError(path, f"{what} {int(np.argmin(fine))} is not of finite numbers")


def _check_indices(indices: IntArray, count: int, path: Path, what: str) -> None:
    outside = (indices < 0) | (indices >= count)
    if outside.any():
        raise InputError(path, f"a polygon asks for {what} {int(indices[outside][0])} of {count} (the first is 0)")


def read_mesh_bytes(path: Path) -> bytes:
    """The content of a mesh file. Raises InputError where it cannot be read or is beyond all measure."""
    try:
        if path.exists() and not path.is_file():
            raise InputError(path, "a folder, not a mesh" if path.is_dir() else "not a regular file")
        with path.open("rb") as file:
            content = file.read(MAX_MESH_BYTES + 1)
    except FileNotFoundError:
        raise InputError(path, "no such mesh") from None
    except OSError as error:
        raise InputError(path, f"cannot be read ({error.strerror})") from error
    if len(content) > MAX_MESH_BYTES:
        raise InputError(path, "too large for a mesh")
    return content


def parse_numbers(text: str) -> FloatArray:
    """(n,) float64: the numbers of `text`, apart by blanks. Raises ValueError where it holds anything else."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", DeprecationWarning)  # numpy's way to say that it stopped before the end
        try:
            return np.fromstring(text, dtype=np.float64, sep=" ")
        except DeprecationWarning:
            raise ValueError("not numbers alone") from None


def fans(sizes: IntArray) -> IntArray:
    """(n_triangles, 3) places of the corners of triangles, when polygons are cut into fans around their first corners.

    sizes : (n_polygons,) numbers of corners, 3 or more; a place counts the corners of all polygons, in order.
    """
    starts = np.cumsum(sizes) - sizes
    n_triangles = sizes - 2
    first = np.repeat(starts, n_triangles)
    step = np.arange(int(n_triangles.sum())) - np.repeat(np.cumsum(n_triangles) - n_triangles, n_triangles)
    return np.stack([first, first + step + 1, first + step + 2], axis=1)
