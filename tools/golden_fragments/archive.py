"""The golden file: fragments of all cases, small."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from synth_affect.arrays import FloatArray, IntArray
from synth_affect.render.fragments import Fragments
from tools.golden_fragments.cases import POSES_DEG, golden_meshes

STEPS = 65535
"""Barycentrics and depths are kept as 16-bit shares: to 1e-5, and to some 1e-5 of the depth."""
NONE = 65535
"""The face of a pixel that shows none."""


@dataclass(frozen=True, slots=True, eq=False)
class GoldenLayer:
    """One case. faces (height, width) int32, -1 where there is none; depth (height, width), weights (height, width, 3)
    float32, defined where there is a face.
    """

    faces: IntArray
    depth: FloatArray
    weights: FloatArray


def save_golden(layers: dict[tuple[str, int], Fragments], path: Path) -> None:
    """Write the fragments of all cases, by mesh and pose."""
    arrays: dict[str, np.ndarray] = {}
    for name, mesh in golden_meshes().items():
        arrays[f"{name}_checksum"] = mesh_checksum(mesh.vertices, mesh.triangles)
        for pose in range(len(POSES_DEG)):
            fragments = layers[name, pose]
            faces, depth = fragments.pix_to_face[0, :, :, 0], fragments.zbuf[0, :, :, 0]
            hit = faces >= 0
            near, far = depth[hit].min(), depth[hit].max()
            share = fragments.bary_coords[0, :, :, 0][hit][:, :2]
            arrays[f"{name}_{pose}_faces"] = np.where(hit, faces, NONE).astype(np.uint16)
            arrays[f"{name}_{pose}_range"] = np.array([near, far], dtype=np.float32)
            arrays[f"{name}_{pose}_depth"] = _shares((depth[hit] - near) / (far - near))
            arrays[f"{name}_{pose}_weights"] = _shares(share)
    np.savez_compressed(path, **arrays)  # type: ignore[arg-type]


def load_golden(path: Path) -> dict[tuple[str, int], GoldenLayer]:
    """By mesh and pose. Raises ValueError where the meshes are no longer those of which the file was made."""
    layers = {}
    with np.load(path, allow_pickle=False) as arrays:
        for name, mesh in golden_meshes().items():
            if not np.allclose(arrays[f"{name}_checksum"], mesh_checksum(mesh.vertices, mesh.triangles), rtol=1e-5):
                raise ValueError(f"{path} shows another {name}: make it anew with tools/build_golden_fragments.py")
            for pose in range(len(POSES_DEG)):
                stored = arrays[f"{name}_{pose}_faces"]
                hit = stored != NONE
                near, far = arrays[f"{name}_{pose}_range"].astype(np.float64)
                depth = np.full(hit.shape, -1, dtype=np.float32)
                depth[hit] = near + (far - near) * arrays[f"{name}_{pose}_depth"] / STEPS
                weights = np.full((*hit.shape, 3), -1, dtype=np.float32)
                share = arrays[f"{name}_{pose}_weights"] / STEPS
                weights[hit] = np.concatenate([share, 1 - share.sum(axis=1, keepdims=True)], axis=1)
                layers[name, pose] = GoldenLayer(np.where(hit, stored.astype(np.int32), -1), depth, weights)
    return layers


def mesh_checksum(vertices: FloatArray, triangles: IntArray) -> FloatArray:
    """(4,) float64 that change with any vertex or triangle by more than rounding."""
    where = np.cos(np.arange(vertices.size)).reshape(vertices.shape)
    order = np.cos(np.arange(triangles.size)).reshape(triangles.shape)
    return np.array(
        [*vertices.shape[:1], (vertices * where).sum(), len(triangles), (triangles * order).sum()], np.float64
    )


def _shares(values: FloatArray) -> IntArray:
    shares: IntArray = np.rint(np.clip(values, 0, 1) * STEPS).astype(np.uint16)
    return shares
