"""Another project's head model before it is furnished: a surface and how it varies, in our units and frame."""

from __future__ import annotations

import contextlib
import pickle
import struct
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from synth_affect.arrays import FloatArray, IntArray, readonly
from synth_affect.errors import InputError, ShapeError
from synth_affect.heads.mesh import triangle_normals

MOST_IDENTITY = 100
"""Components that are kept, from the largest variance on: of Basel's 199 they hold more than 99 % of it."""
HEAD_HEIGHT_MM = (100.0, 700.0)
"""Of a face alone, up to a head with neck and shoulders."""
LEAST_AREA_MM2 = 1e-4
"""A smaller triangle covers nothing, and has no shape that could be deformed."""
MM_PER_UNIT = {"metres": 1000.0, "centimetres": 10.0, "millimetres": 1.0, "micrometres": 0.001}


@dataclass(frozen=True, slots=True, eq=False)
class ForeignHead:
    """A surface without regions, units and landmarks.

    name, licence, source : as of `HeadModel`.
    mean : (n_vertices, 3) float32, mm; x right of the viewer's picture, y up, z to the viewer; the origin anywhere.
    triangles : (n_triangles, 3) int32, counter-clockwise from outside; of one piece.
    identity_basis : (n_identity, n_vertices, 3) float32, mm for one standard deviation.
    """

    name: str
    licence: str
    source: str
    mean: FloatArray
    triangles: IntArray
    identity_basis: FloatArray

    def __post_init__(self) -> None:
        object.__setattr__(self, "mean", readonly(self.mean, "mean", ("n_vertices", 3), np.float32))
        object.__setattr__(self, "triangles", readonly(self.triangles, "triangles", ("n_triangles", 3), np.int32))
        shape = ("n_identity", len(self.mean), 3)
        object.__setattr__(self, "identity_basis", readonly(self.identity_basis, "identity_basis", shape, np.float32))


def foreign_head(
    name: str, licence: str, source: str, vertices: FloatArray, triangles: IntArray, identity: FloatArray
) -> ForeignHead:
    """What a file says, brought to our conventions.

    vertices : (n, 3), in a unit that the head's size tells; x right, y up, z to the viewer.  triangles : (m, 3), from
        0, wound either way.  identity : (n_identity, n, 3), offsets for one standard deviation, the largest first.

    Of several pieces (eyeballs, teeth) the largest is kept: an edit needs eyes and a mouth in known regions, and takes
    the packaged head's.
    Raises ShapeError where arrays do not belong together, or the size is no head's.
    """
    mean = readonly(vertices, "vertices", ("n_vertices", 3), np.float64)
    corners = readonly(triangles, "triangles", ("n_triangles", 3), np.int64)
    if not len(corners) or corners.min() < 0 or corners.max() >= len(mean):
        raise ShapeError("triangles", f"indices of {len(mean)} vertices", "others")
    basis = readonly(identity, "identity", ("n_identity", len(mean), 3), np.float32)
    used, kept = _largest_piece(corners, len(mean))
    scale = _mm_per_unit(mean[used])
    points = mean[used] * scale
    back = np.array([points[:, 0].mean(), points[:, 1].mean(), points[:, 2].min()])
    # Seen from behind the face, all of it looks away, be it a mask or a whole head.
    from_behind = points[kept].mean(axis=1) - back
    if float((triangle_normals(points, kept) * from_behind).sum()) < 0:
        kept = kept[:, ::-1]
    kept = kept[np.linalg.norm(triangle_normals(points, kept), axis=1) > 2 * LEAST_AREA_MM2]
    offsets = basis[:, used] * np.float32(scale)
    moves = np.abs(offsets).max(axis=(1, 2), initial=0) > 0
    if not moves.any():
        raise ShapeError("identity", "components that move the face", "none")
    return ForeignHead(name, licence, source, points, kept, offsets[moves][:MOST_IDENTITY])


def components(basis: FloatArray, deviations: FloatArray) -> FloatArray:
    """(n_identity, n, 3) offsets for one standard deviation, at most MOST_IDENTITY.

    basis : (3 n, n_components), x y z of each vertex in turn.  deviations : (n_components,).
    """
    columns = readonly(basis, "basis", ("3 n_vertices", "n_components"), np.float32)[:, :MOST_IDENTITY]
    spread = readonly(np.ravel(deviations), "deviations", ("n_components",), np.float32)[: columns.shape[1]]
    if columns.shape[0] % 3 or len(spread) != columns.shape[1]:
        raise ShapeError("basis", f"3 rows a vertex, {len(spread)} columns", columns.shape)
    offsets: FloatArray = (columns * spread).T.reshape(len(spread), -1, 3)
    return offsets


@contextlib.contextmanager
def reading(path: Path, what: str) -> Iterator[None]:
    """Turns what goes wrong with a model file into InputError: absent, cut off, or something else than `what`."""
    try:
        yield
    except FileNotFoundError:
        raise InputError(path, "no such file") from None
    except (
        ShapeError, KeyError, IndexError, AttributeError, TypeError, ValueError, EOFError, MemoryError, OverflowError,
        NotImplementedError, struct.error, zlib.error, zipfile.BadZipFile, pickle.UnpicklingError,
    ) as error:  # fmt: skip
        raise InputError(path, f"not {what} ({_first_line(error)})") from error
    except OSError as error:  # also what h5py says of a damaged file
        raise InputError(path, f"cannot be read ({error.strerror or _first_line(error)})") from error


def _first_line(error: Exception) -> str:
    if isinstance(error, KeyError):
        return f"nothing is named {error.args[0]}"
    text = str(error).strip()
    return text.splitlines()[0] if text else type(error).__name__


def _largest_piece(triangles: IntArray, n_vertices: int) -> tuple[IntArray, IntArray]:
    """The vertices of the piece with the most triangles, and its triangles in terms of them."""
    after = np.roll(triangles, -1, axis=1)
    links = coo_matrix((np.ones(triangles.size), (triangles.ravel(), after.ravel())), shape=(n_vertices,) * 2)
    piece = connected_components(links, directed=False)[1][triangles[:, 0]]
    largest = triangles[piece == np.bincount(piece).argmax()]
    used, local = np.unique(largest, return_inverse=True)
    return used, local.reshape(-1, 3)


def _mm_per_unit(points: FloatArray) -> float:
    height = float(np.ptp(points[:, 1]))
    for scale in MM_PER_UNIT.values():
        if HEAD_HEIGHT_MM[0] <= height * scale <= HEAD_HEIGHT_MM[1]:
            return scale
    raise ShapeError("vertices", "a head in " + ", ".join(MM_PER_UNIT), f"one {height:g} high")
