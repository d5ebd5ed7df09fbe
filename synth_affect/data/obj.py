"""Wavefront `.obj`: vertices, polygons and texture coordinates; groups, materials and normals mean nothing here.

trimesh reads this format too, but gives one mesh a material and cuts vertices apart at seams of the texture; a
registered scan must keep its vertices.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from synth_affect.arrays import FloatArray, IntArray
from synth_affect.data.scan_mesh import ScanMesh, fans, parse_numbers, read_mesh_bytes, scan_mesh
from synth_affect.errors import InputError

_EVEN_FORMS = (r"\d+", r"\d+/\d+", r"\d+/\d+/\d+")
"""Corners as nearly all files write them: with every polygon in one form and numbers from 1, they are read at once."""


def read_obj(path: Path) -> ScanMesh:
    """The mesh in `path`. Raises InputError, which names the line, where it is not such a file."""
    vertices: list[str] = []
    uv: list[str] = []
    polygons: list[str] = []
    lines = read_mesh_bytes(path).decode("utf-8-sig", errors="replace").replace("\\\r\n", " ").replace("\\\n", " ")
    for line in lines.splitlines():
        words = line.split(None, 1)  # also where tabs stand, or the line is indented
        if len(words) < 2:
            continue
        if words[0] == "v":
            vertices.append(words[1])
        elif words[0] == "vt":
            uv.append(words[1])
        elif words[0] == "f":
            polygons.append(words[1].partition("#")[0])
    points = _columns(vertices, "v", 3, path)
    corners, uv_corners = _corners(polygons, len(points), len(uv), path)
    sizes = np.array([len(polygon.split()) for polygon in polygons], dtype=np.int64)
    if (sizes < 3).any():
        raise InputError(path, f"polygon {int(np.argmax(sizes < 3))} has fewer than 3 corners")
    places = fans(sizes)
    if uv_corners is None:
        return scan_mesh(path, points, corners[places])
    return scan_mesh(path, points, corners[places], _columns(uv, "vt", 2, path), uv_corners[places])


def _columns(lines: list[str], key: str, count: int, path: Path) -> FloatArray:
    """(n_lines, count): the first numbers of each line; colours or a weight may follow."""
    if not lines:
        return np.empty((0, count))
    try:
        return np.loadtxt(lines, dtype=np.float64, usecols=range(count), ndmin=2)
    except ValueError as error:
        raise InputError(path, f"a line that begins with {key} is not {count} numbers ({error})") from None


def _corners(polygons: list[str], n_vertices: int, n_uv: int, path: Path) -> tuple[IntArray, IntArray | None]:
    """Vertex and texture coordinate of each corner, from 0; the latter is None where a corner has none."""
    joined = " ".join(polygons)
    for columns, form in enumerate(_EVEN_FORMS, start=1):
        if re.match(rf"\s*{form}(?![/\d])", joined) and re.fullmatch(rf"(?:\s*{form}(?![/\d]))*\s*", joined):
            table = parse_numbers(joined.replace("/", " ")).astype(np.int64).reshape(-1, columns) - 1
            return table[:, 0], table[:, 1] if columns > 1 else None
    words = [word.split("/") for word in joined.split()]
    vertices = _indices([word[0] for word in words], n_vertices, path)
    with_uv = [word[1] for word in words if len(word) > 1 and word[1]]
    return vertices, _indices(with_uv, n_uv, path) if words and len(with_uv) == len(words) else None


def _indices(words: list[str], count: int, path: Path) -> IntArray:
    """From 0, of numbers that count from 1, or backwards from -1."""
    try:
        numbers = np.array([int(word) for word in words], dtype=np.int64)
    except (ValueError, OverflowError):
        raise InputError(path, "a corner of a polygon is not a number") from None
    # A 0 means nothing in this format; it becomes -1, which the caller refuses as an index.
    return np.where(numbers > 0, numbers - 1, np.where(numbers < 0, count + numbers, -1))
