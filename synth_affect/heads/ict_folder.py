"""ICT-FaceKit Light as its project publishes it: a folder of `.obj` files, one a shape, read into the packed arrays."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np

from synth_affect.arrays import FloatArray, IntArray
from synth_affect.errors import InputError
from synth_affect.heads.foreign import reading
from synth_affect.heads.ict_file import ARKIT_TO_ICT

WHAT = "ICT-FaceKit Light's folder FaceXModel"
NEUTRAL, SHAPES = "generic_neutral_mesh.obj", "FaceXModel"
N_IDENTITY = 100
NEUTRAL_SHA256 = "1b89a4c8bcf7a8376b956804335896d8148723569fcd619b337f17edb913b758"
"""Of the neutral mesh's vertices and polygons, as `neutral_digest` finds it."""
EXPRESSIONS = tuple(sorted(name for parts in ARKIT_TO_ICT.values() for name in parts))
RANGES = {
    "face": (0, 9408), "narrow_face": (0, 6705), "head_and_neck": (9409, 11247), "mouth_socket": (11248, 13293),
    "eye_socket_left": (13294, 13677), "eye_socket_right": (13678, 14061), "gums_and_tongue": (14062, 17038),
    "teeth": (17039, 21450), "eyeball_left": (21451, 23020), "eyeball_right": (23021, 24590),
    "lacrimal_left": (24591, 24794), "lacrimal_right": (24795, 24998), "eye_blend_left": (24999, 25022),
    "eye_blend_right": (25023, 25046), "eye_occlusion_left": (25047, 25198), "eye_occlusion_right": (25199, 25350),
    "eyelashes_left": (25351, 26034), "eyelashes_right": (26035, 26718),
}  # fmt: skip
"""First and last vertex of each part, from the project's README."""
LANDMARKS_68 = (
    1225, 1888, 1052, 367, 1719, 1722, 2199, 1447, 966, 3661, 4390, 3927, 3924, 2608, 3272, 4088, 3443, 268, 493, 1914,
    2044, 1401, 3615, 4240, 4114, 2734, 2509, 978, 4527, 4942, 4857, 1140, 2075, 1147, 4269, 3360, 1507, 1542, 1537,
    1528, 1518, 1511, 3742, 3751, 3756, 3721, 3725, 3732, 5708, 5695, 2081, 0, 4275, 6200, 6213, 6346, 6461, 5518,
    5957, 5841, 5702, 5711, 5533, 6216, 6207, 6470, 5517, 5966,
)  # fmt: skip
"""Vertices of ibug's points, from the project's README."""


def file_names() -> tuple[str, ...]:
    """The files of the folder that are read."""
    return (NEUTRAL, *(f"identity{k:03d}.obj" for k in range(N_IDENTITY)), *(f"{name}.obj" for name in EXPRESSIONS))


def shapes_folder(path: Path) -> Path | None:
    """Where the shapes lie when `path` is the download or its folder FaceXModel; else None."""
    return next((folder for folder in (path, path / SHAPES) if (folder / NEUTRAL).is_file()), None)


def read_folder(path: Path) -> dict[str, Any]:
    """The arrays of the packed file (see `ict_file`) from the folder `path`.

    Raises InputError when a shape is absent, damaged or of another mesh.
    """
    folder = shapes_folder(path)
    if folder is None:
        raise InputError(path, f"not {WHAT}: it has no {NEUTRAL}")
    neutral, polygons = read_shape(folder / NEUTRAL)

    def offsets(name: str) -> FloatArray:
        points = _vertices(folder / name)
        if points.shape != neutral.shape:
            raise InputError(folder / name, f"{len(points)} vertices, the neutral mesh has {len(neutral)}")
        return (points - neutral).astype(np.float16)

    _, *shapes = file_names()
    bases = np.stack([offsets(name) for name in shapes])
    return {
        "mean": neutral.astype(np.float32),
        "polygons": polygons,
        "identity": bases[:N_IDENTITY],
        "expression": bases[N_IDENTITY:],
        "expression_names": np.array(EXPRESSIONS),
        "landmarks_68": np.array(LANDMARKS_68, dtype=np.int32),
        "region_names": np.array(list(RANGES)),
        "region_vertex_ranges": np.array(list(RANGES.values()), dtype=np.int32),
    }


def neutral_digest(path: Path) -> str:
    """The sha256 of a neutral mesh, which the name of a commit vouches for but no published sum. Raises InputError."""
    vertices, polygons = read_shape(path)
    content = vertices.astype("<f4").tobytes() + polygons.astype("<i4").tobytes()
    return hashlib.sha256(content).hexdigest()


def read_shape(path: Path) -> tuple[FloatArray, IntArray]:
    """(n, 3) float64 vertices and (m, 4) int32 polygons, -1 the last of a triangle. Raises InputError."""
    vertices = _vertices(path)
    with reading(path, f"a shape of {WHAT}"):
        lines = (line.split()[1:] for line in path.read_text("ascii").splitlines() if line.startswith("f "))
        corners = [[int(word.partition("/")[0]) - 1 for word in words] for words in lines]
        polygons = np.array([polygon if len(polygon) == 4 else [*polygon, -1] for polygon in corners], dtype=np.int32)
        if polygons.ndim != 2:
            raise ValueError("no polygons in it")
        return vertices, polygons


def _vertices(path: Path) -> FloatArray:
    with reading(path, f"a shape of {WHAT}"):
        lines = path.read_text("ascii").splitlines()
        numbers = " ".join(line[2:] for line in lines if line.startswith("v ")).split()
        if not numbers:
            raise ValueError("no vertices in it")
        return np.array(numbers, dtype=np.float64).reshape(-1, 3)
