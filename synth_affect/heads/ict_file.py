"""ICT-FaceKit Light as it is stored: the packed arrays, checked.

The packed file is one npz: `mean` (n, 3) float32, `polygons` (m, 4) int32 with -1 as the fourth corner of a triangle,
`identity` (n_identity, n, 3) and `expression` (53, n, 3) float16, all in centimetres; `expression_names` (53,);
`landmarks_68` (68,) vertices; `region_names` and `region_vertex_ranges` (k, 2), first and last vertex of each part.
"""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from synth_affect.arrays import FloatArray, IntArray, readonly
from synth_affect.errors import InputError, ShapeError

MM_PER_CM = 10.0

PARTS = (
    "head_and_neck", "face", "narrow_face", "mouth_socket", "eye_socket_left", "eye_socket_right", "gums_and_tongue",
    "teeth", "eyeball_left", "eyeball_right", "lacrimal_left", "lacrimal_right", "eye_blend_left", "eye_blend_right",
    "eye_occlusion_left", "eye_occlusion_right", "eyelashes_left", "eyelashes_right",
)  # fmt: skip
"""The file's parts. A vertex belongs to the last that holds it (the narrow face lies in the face), a polygon to the
last of its corners'."""


@dataclass(frozen=True, slots=True, eq=False)
class IctArrays:
    """The file's content, checked; mm, head frame, the origin still the file's.

    mean : (n, 3) float32.  polygons : (m, 4) int32, the last -1 in a triangle.
    identity : (n_identity, n, 3) float32.  units : by ICT's name, (n, 3) float32.
    landmarks_68 : (68,) int32, vertices.  part : (n,) index into PARTS.
    """

    mean: FloatArray
    polygons: IntArray
    identity: FloatArray
    units: Mapping[str, FloatArray]
    landmarks_68: IntArray
    part: IntArray


def _both(*stems: str) -> dict[str, tuple[str, ...]]:
    return {stem + side: (f"{stem}_{side[0]}",) for stem in stems for side in ("Left", "Right")}


ARKIT_TO_ICT: Mapping[str, tuple[str, ...]] = dict(
    sorted(
        {
            **_both(
                "browDown", "browOuterUp", "cheekSquint", "eyeBlink", "eyeLookDown", "eyeLookIn", "eyeLookOut",
                "eyeLookUp", "eyeSquint", "eyeWide", "mouthDimple", "mouthFrown", "mouthLowerDown", "mouthPress",
                "mouthSmile", "mouthStretch", "mouthUpperUp", "noseSneer",
            ),
            **{name: (f"{name}_L", f"{name}_R") for name in ("browInnerUp", "cheekPuff")},
            **{
                name: (name,)
                for name in (
                    "jawForward", "jawLeft", "jawOpen", "jawRight", "mouthClose", "mouthFunnel", "mouthLeft",
                    "mouthPucker", "mouthRight", "mouthRollLower", "mouthRollUpper", "mouthShrugLower",
                    "mouthShrugUpper",
                )
            },
        }.items()
    )
)  # fmt: skip
"""ARKit's units by name, and the shapes of ICT that add up to each; left and right are the subject's in both."""


def read_arrays(path: Path) -> IctArrays:
    """The file's arrays. Raises InputError as `load_ict`."""
    try:
        # As a file of its own: np.load leaves a damaged archive open.
        with path.open("rb") as file:
            if file.read(2) != b"PK":
                raise InputError(path, "not a packed ICT-FaceKit model (no npz archive)")
            file.seek(0)
            with np.load(file, allow_pickle=False) as arrays:
                return check_arrays({name: arrays[name] for name in _FIELDS})
    except FileNotFoundError:
        raise InputError(path, "no such file") from None
    except (KeyError, TypeError, ValueError, EOFError, MemoryError, zipfile.BadZipFile, zlib.error) as error:
        reason = str(error).strip("'\"").splitlines()[0] if str(error) else type(error).__name__
        raise InputError(path, f"not a packed ICT-FaceKit model ({reason})") from error
    except OSError as error:
        raise InputError(path, f"cannot be read ({error.strerror})") from error


_FIELDS = (
    "mean", "polygons", "identity", "expression", "expression_names", "landmarks_68", "region_names",
    "region_vertex_ranges",
)  # fmt: skip


def check_arrays(arrays: Mapping[str, FloatArray | IntArray]) -> IctArrays:
    """The packed file's arrays as a value. Raises ShapeError where one is not as it should be."""
    mean = readonly(arrays["mean"] * np.float32(MM_PER_CM), "mean", ("n_vertices", 3), np.float32)
    n = len(mean)
    polygons = _indices(arrays["polygons"], "polygons", ("n_polygons", 4))
    if not len(polygons) or polygons[:, :3].min() < 0 or polygons.min() < -1 or polygons.max() >= n:
        raise ShapeError("polygons", f"indices of {n} vertices, with -1 in the fourth column only", "others")
    identity = readonly(arrays["identity"], "identity", ("n_identity", n, 3), np.float32)
    names = tuple(str(name) for name in arrays["expression_names"])
    expression = readonly(arrays["expression"], "expression", (len(names), n, 3), np.float32)
    units = dict(zip(names, expression * np.float32(MM_PER_CM), strict=True))
    missing = sorted({ict for parts in ARKIT_TO_ICT.values() for ict in parts} - set(units))
    if missing:
        raise ShapeError("expression_names", "ICT's 53", "none named " + ", ".join(missing))
    landmarks = _indices(arrays["landmarks_68"], "landmarks_68", (68,))
    if landmarks.min() < 0 or landmarks.max() >= n:
        raise ShapeError("landmarks_68", f"indices of {n} vertices", "others")
    ranges = _indices(arrays["region_vertex_ranges"], "region_vertex_ranges", (len(arrays["region_names"]), 2))
    part = np.full(n, -1, dtype=np.int32)
    by_name = {str(name): vertices for name, vertices in zip(arrays["region_names"], ranges, strict=True)}
    for index, name in enumerate(PARTS):
        if name not in by_name:
            raise ShapeError("region_names", "ICT's parts", f"none named {name}")
        first, last = by_name[name]
        if not 0 <= first <= last < n:
            raise ShapeError("region_vertex_ranges", f"vertices from 0 to {n - 1}", f"{first} to {last} ({name})")
        part[first : last + 1] = index
    if part.min() < 0:
        raise ShapeError("region_vertex_ranges", "a part for every vertex", f"none for {int((part < 0).sum())}")
    return IctArrays(mean, polygons, identity * np.float32(MM_PER_CM), units, landmarks, part)


def _indices(array: FloatArray | IntArray, name: str, shape: tuple[int | str, ...]) -> IntArray:
    if array.dtype.kind not in "iu":
        raise ShapeError(name, "whole numbers", str(array.dtype))
    return readonly(array, name, shape, np.int32)
