"""VRML 2 `.wrl` as BU-3DFE and BU-4DFE write it: the `IndexedFaceSet`s of a file as one mesh.

Coordinates stay as they are: the `.bnd` files beside these scans repeat them, so `Transform` nodes are not applied.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from synth_affect.arrays import FloatArray, IntArray
from synth_affect.data.scan_mesh import ScanMesh, fans, parse_numbers, read_mesh_bytes, scan_mesh
from synth_affect.errors import InputError

_COMMENT = re.compile(r'("(?:\\.|[^"\\])*")|#[^\r\n]*')
_NODE = re.compile(r"\bIndexedFaceSet\s*\{")
_LIST = re.compile(r"\[([^][]*)\]")
_POINTS = r"\b{node}\s*\{{\s*point\s*\[(\d+)\]"
_INDICES = r"(?<!\w){field}\s*\[(\d+)\]"


def read_vrml(path: Path) -> ScanMesh:
    """The mesh in `path`; of several face sets, vertices and triangles follow each other.

    Texture coordinates are left out where not every face set has them.
    Raises InputError when it is VRML of another version, has no face set, or one that is not whole.
    """
    text = read_mesh_bytes(path).decode("utf-8-sig", errors="replace").lstrip()
    if text.startswith("#VRML V1"):
        raise InputError(path, "VRML of version 1; version 2 is read")
    text = text.removeprefix("#VRML V2.0 utf8")
    if "#" in text:
        text = _COMMENT.sub(lambda found: found[1] or " ", text)
    # The lists are nearly all of a file: taken out, what is left is searched in no time.
    pieces = _LIST.split(text)
    lists = pieces[1::2]
    outline = "".join(f"{piece}[{number}]" for number, piece in enumerate(pieces[::2]))
    starts = [found.end() for found in _NODE.finditer(outline)]
    if not starts:
        raise InputError(path, "has no IndexedFaceSet; not a VRML 2 scan")
    ends = [*starts[1:], len(outline)]
    parts = [_face_set(outline[start:end], lists, path) for start, end in zip(starts, ends, strict=True)]
    return parts[0] if len(parts) == 1 else _together(parts)


def _face_set(text: str, lists: list[str], path: Path) -> ScanMesh:
    """text : the outline of the face set, in which `[k]` stands for `lists[k]`."""
    points = _points(text, lists, "Coordinate", 3, path)
    if points is None:
        raise InputError(path, "an IndexedFaceSet without Coordinate { point [ ... ] }")
    corners, sizes = _polygons(text, lists, "coordIndex", path)
    if corners is None:
        raise InputError(path, "an IndexedFaceSet without coordIndex [ ... ]")
    if (sizes < 3).any():
        raise InputError(path, f"polygon {int(np.argmax(sizes < 3))} of coordIndex has fewer than 3 corners")
    places = fans(sizes)
    if re.search(r"\bccw\s+FALSE\b", text):
        places = places[:, ::-1]
    uv = _points(text, lists, "TextureCoordinate", 2, path)
    if uv is None:
        return scan_mesh(path, points, corners[places])
    uv_corners, uv_sizes = _polygons(text, lists, "texCoordIndex", path)
    if uv_corners is None:  # then texture coordinates go with the vertices
        uv_corners, uv_sizes = corners, sizes
    if not np.array_equal(sizes, uv_sizes):
        raise InputError(path, "the polygons of texCoordIndex are not those of coordIndex")
    return scan_mesh(path, points, corners[places], uv, uv_corners[places])


def _points(text: str, lists: list[str], node: str, count: int, path: Path) -> FloatArray | None:
    """(n, count) the points of the first such node; None where there is none."""
    values = _numbers(text, lists, _POINTS.format(node=node), f"{node} point", path)
    if values is None:
        return None
    if len(values) % count:
        raise InputError(path, f"{node} point [ ... ] holds {len(values)} numbers, not {count} for each point")
    return values.reshape(-1, count)


def _polygons(text: str, lists: list[str], field: str, path: Path) -> tuple[IntArray | None, IntArray]:
    """The corners of all polygons, and how many each has; a -1 behind the last one may be missing."""
    values = _numbers(text, lists, _INDICES.format(field=field), field, path)
    if values is None:
        return None, np.empty(0, dtype=np.int64)
    if not (np.equal(values, np.rint(values)) & (values >= -1) & (values < 1 << 31)).all():
        raise InputError(path, f"{field} [ ... ] holds a number that is no index")
    indices = values.astype(np.int64)
    ends = np.flatnonzero(indices == -1)
    if len(indices) and (not len(ends) or ends[-1] != len(indices) - 1):
        ends = np.append(ends, len(indices))
    sizes = np.diff(ends, prepend=-1) - 1
    # Some writers end the list with a -1 too many.
    return indices[indices != -1], sizes[sizes > 0]


def _numbers(text: str, lists: list[str], pattern: str, what: str, path: Path) -> FloatArray | None:
    found = re.search(pattern, text)
    if found is None or int(found[1]) >= len(lists):
        return None
    try:
        return parse_numbers(lists[int(found[1])].replace(",", " "))
    except ValueError:
        raise InputError(path, f"{what} [ ... ] holds something that is no number") from None


def _together(parts: list[ScanMesh]) -> ScanMesh:
    vertex_starts = np.cumsum([0, *(len(part.vertices) for part in parts)])
    triangles = np.concatenate([part.triangles + start for part, start in zip(parts, vertex_starts, strict=False)])
    vertices = np.concatenate([part.vertices for part in parts])
    all_uv = [part.uv for part in parts if part.uv is not None]
    all_corners = [part.uv_triangles for part in parts if part.uv_triangles is not None]
    if len(all_uv) < len(parts):
        return ScanMesh(vertices, triangles)
    uv_starts = np.cumsum([0, *(len(uv) for uv in all_uv)])
    uv_triangles = np.concatenate([corners + start for corners, start in zip(all_corners, uv_starts, strict=False)])
    return ScanMesh(vertices, triangles, np.concatenate(all_uv), uv_triangles)
