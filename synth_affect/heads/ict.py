"""ICT-FaceKit Light (Li et al. 2020, MIT) as a `HeadModel`: in our units and names."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from synth_affect.arrays import IntArray
from synth_affect.errors import InputError, ShapeError
from synth_affect.heads.archive import topology_id
from synth_affect.heads.eyeball import Eyeball
from synth_affect.heads.ict_file import ARKIT_TO_ICT, PARTS, IctArrays, check_arrays, read_arrays
from synth_affect.heads.ict_folder import read_folder
from synth_affect.heads.ict_regions import label_mouth, label_skin
from synth_affect.heads.mirror import mirror_by_geometry
from synth_affect.heads.model import HeadModel, LandmarkEmbedding
from synth_affect.heads.polygons import edge_graph, triangulated
from synth_affect.heads.regions import REGIONS
from synth_affect.heads.unrolled_uv import unrolled_uv

NAME = "ict"
LICENCE = "MIT"
SOURCE = "ICT-FaceKit Light, USC Institute for Creative Technologies"

NOT_DRAWN = (
    "eye_socket_left", "eye_socket_right", "lacrimal_left", "lacrimal_right", "eye_blend_left", "eye_blend_right",
    "eye_occlusion_left", "eye_occlusion_right",
)  # fmt: skip
"""Shells that imitate shadow and wetness of an eye, and what lies behind the eyeballs."""


LIPS_MEET = 0.025
"""Weight of mouthClose in our mean: ICT's lips stand half a millimetre apart at rest, over a strip of teeth."""
BLINK_TRAVEL = 1.15
"""ICT's eyeBlink leaves a gap that its shell over the eye hides; ours ends at the lower lid (tested)."""


def load_ict(path: Path) -> HeadModel:
    """The head of ICT-FaceKit, packed or as the folder of shapes, without MediaPipe's landmarks (`landmarks_478` is
    empty).

    Its units carry ARKit's names: browInnerUp and cheekPuff, which ICT splits by side, are summed; tongueOut is absent.
    Raises InputError when a file is absent, damaged or something else.
    """
    try:
        return head_of(check_arrays(read_folder(path)) if path.is_dir() else read_arrays(path))
    except ShapeError as error:
        raise InputError(path, f"not an ICT-FaceKit model ({error})") from error


def head_of(arrays: IctArrays) -> HeadModel:
    """The drawn parts as a `HeadModel`, with the origin midway between the eyeballs."""
    corners = triangulated(arrays.mean, arrays.polygons)
    part = arrays.part[corners].max(axis=1)
    drawn = ~np.isin(part, [PARTS.index(name) for name in NOT_DRAWN])
    regions = np.full(len(corners), -1, dtype=np.int64)
    rings = edge_graph(arrays.polygons, len(arrays.mean))
    label_skin(regions, arrays, corners, part, rings)
    label_mouth(regions, arrays, corners, part)
    eyes = [Eyeball.of(arrays, corners, part, side) for side in ("right", "left")]
    for eye in eyes:
        drawn &= ~eye.hidden
        regions[eye.triangles] = np.where(eye.iris, REGIONS.index("iris"), REGIONS.index("eyeball"))
    regions[np.isin(part, [PARTS.index("eyelashes_left"), PARTS.index("eyelashes_right")])] = REGIONS.index("lashes")

    used, triangles = np.unique(corners[drawn], return_inverse=True)
    triangles = triangles.reshape(-1, 3).astype(np.int32)
    new_index = np.full(len(arrays.mean), -1, dtype=np.int64)
    new_index[used] = np.arange(len(used))
    centre = np.mean([arrays.mean[np.unique(corners[eye.triangles])].mean(axis=0) for eye in eyes], axis=0)
    units = {
        name: sum(arrays.units[ict][used] for ict in parts) * (BLINK_TRAVEL if name.startswith("eyeBlink") else 1)
        for name, parts in ARKIT_TO_ICT.items()
    }
    mean = (arrays.mean - centre * [0, 1, 1])[used].astype(np.float32) + np.float32(LIPS_MEET) * units["mouthClose"]
    if (new_index[arrays.landmarks_68] < 0).any():
        raise ShapeError("landmarks_68", "vertices of the skin", "others")
    uv, uv_triangles = unrolled_uv(mean, triangles, regions[drawn])
    for eye in eyes:
        uv[new_index[eye.vertices]] = eye.uv
    return HeadModel(
        name=NAME,
        licence=LICENCE,
        source=SOURCE,
        topology=topology_id(triangles),
        mean=mean,
        triangles=triangles,
        identity_basis=arrays.identity[:, used],
        expression_units=np.stack(list(units.values())),
        unit_names=tuple(units),
        triangle_regions=regions[drawn],
        region_names=REGIONS,
        uv=uv,
        uv_triangles=uv_triangles,
        mirror=mirror_by_geometry(mean, arrays.part[used], _COUNTERPARTS),
        landmarks_478=LandmarkEmbedding(np.zeros(0, np.int32), np.zeros((0, 3), np.float32)),
        landmarks_68=_at_vertices(new_index[arrays.landmarks_68], triangles),
    )


_COUNTERPARTS = np.array(
    [PARTS.index(name.replace("left", "#").replace("right", "left").replace("#", "right")) for name in PARTS]
)


def _at_vertices(vertices: IntArray, triangles: IntArray) -> LandmarkEmbedding:
    """Landmarks on vertices: each on the first triangle that has it as a corner."""
    order = np.argsort(triangles.ravel(), kind="stable")
    first = order[np.searchsorted(triangles.ravel()[order], vertices)]
    barycentric = np.zeros((len(vertices), 3), dtype=np.float32)
    barycentric[np.arange(len(vertices)), first % 3] = 1
    return LandmarkEmbedding(first // 3, barycentric)
