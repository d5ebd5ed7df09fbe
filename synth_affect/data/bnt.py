"""Bosphorus' `.bnt`: a range image, whose cells are points of the face, and the mesh between them.

Little-endian: `uint16` rows and columns, `float64` z of the background, `uint16` length and name of the picture,
`uint32` 5 x rows x columns, then as many `float64`: x, y, z and the coordinates u, v in the picture, a block each, row
by row from below.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from synth_affect.arrays import BoolArray, FloatArray, readonly
from synth_affect.data.scan_mesh import ScanMesh, read_mesh_bytes, scan_mesh
from synth_affect.errors import InputError

MAX_EDGE_MM = 6.0
"""Cells stand 0.3 mm apart; an edge twenty times as long leads from one surface to another behind it."""


@dataclass(frozen=True, slots=True, eq=False)
class RangeImage:
    """points : (n_rows, n_columns, 3) float64, mm, the first row is the lowest; NaN where nothing was measured.
    uv : (n_rows, n_columns, 2) float64 in [0, 1], place in the picture as the file counts it.
    picture : name of the picture's file.
    """

    points: FloatArray
    uv: FloatArray
    picture: str

    def __post_init__(self) -> None:
        shape = ("n_rows", "n_columns", 3)
        object.__setattr__(self, "points", readonly(self.points, "points", shape, np.float64, finite=False))
        grid = (*self.points.shape[:2], 2)
        object.__setattr__(self, "uv", readonly(self.uv, "uv", grid, np.float64, finite=False))


def read_range_image(path: Path) -> RangeImage:
    """The range image in `path`. Raises InputError where it is not such a file, or is cut short."""
    content = read_mesh_bytes(path)
    try:
        n_rows, n_columns, background, length = struct.unpack_from("<HHdH", content)
        name, count = struct.unpack_from(f"<{length}sI", content, 14)
    except struct.error:
        raise InputError(path, "ends within its header; not a .bnt file") from None
    if count != 5 * n_rows * n_columns or not count:
        raise InputError(path, f"announces {n_rows} x {n_columns} cells and {count} numbers; not a .bnt file")
    start = 14 + length + 4
    if len(content) < start + 8 * count:
        raise InputError(path, f"has {len(content) - start} of {8 * count} bytes of points; the file is cut short")
    blocks = np.frombuffer(content, "<f8", count, start).reshape(5, n_rows, n_columns)
    points = np.moveaxis(blocks[:3], 0, -1).copy()
    points[blocks[2] == background] = np.nan
    return RangeImage(points, np.moveaxis(blocks[3:], 0, -1), name.split(b"\0")[0].decode("latin-1").strip())


def read_bnt(path: Path) -> ScanMesh:
    """The mesh of the range image in `path`, mm: the measured cells row by row from below, as vertices.

    Raises InputError where it is not such a file, or holds no surface.
    """
    image = read_range_image(path)
    seen = np.isfinite(image.points).all(axis=2)
    if not seen.any():
        raise InputError(path, "holds background alone")
    number = np.full(seen.shape, -1)
    number[seen] = np.arange(int(seen.sum()))
    a, b, c, d = number[:-1, :-1], number[:-1, 1:], number[1:, 1:], number[1:, :-1]  # around a cell, from below left
    whole = np.stack([np.stack([a, b, c], axis=-1), np.stack([a, c, d], axis=-1)], axis=2)
    # Where one corner is missing the other three still are a triangle.
    without_a, without_c = np.stack([b, c, d], axis=-1), np.stack([a, b, d], axis=-1)
    whole[..., 0, :] = np.where((a < 0)[..., None], without_a, whole[..., 0, :])
    whole[..., 1, :] = np.where((c < 0)[..., None], without_c, whole[..., 1, :])
    triangles = whole.reshape(-1, 3)
    triangles = triangles[(triangles >= 0).all(axis=1)]
    vertices = image.points[seen]
    triangles = triangles[_short(vertices[triangles])]
    corners = vertices[triangles]
    towards_viewer = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])[:, 2].sum()
    if towards_viewer < 0:  # columns from right to left
        triangles = triangles[:, ::-1]
    uv = image.uv[seen]
    if not np.isfinite(uv).all():
        return scan_mesh(path, vertices, triangles)
    return scan_mesh(path, vertices, triangles, _v_up(uv, vertices[:, 1]), triangles)


def _short(corners: FloatArray) -> BoolArray:
    """(n_triangles,) bool: no edge leads over a step in depth."""
    edges = corners - np.roll(corners, 1, axis=1)
    return np.asarray((np.square(edges).sum(axis=2) < MAX_EDGE_MM**2).all(axis=1))


def _v_up(uv: FloatArray, height: FloatArray) -> FloatArray:
    """`uv` with v growing upwards on the face, whichever end the file counts from."""
    rises = np.dot(uv[:, 1] - uv[:, 1].mean(), height - height.mean()) >= 0
    return uv if rises else np.stack([uv[:, 0], 1 - uv[:, 1]], axis=1)
