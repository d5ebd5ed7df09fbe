"""Files in the layouts of other projects' head models, of any surface: what their readers are tested with."""

from __future__ import annotations

import pickle
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from synth_affect.arrays import FloatArray, IntArray


class _Named:
    """Pickles as an instance of a class that is not there: `module` and `name` as in the file, `state` its content."""

    def __init__(self, module: str, name: str, state: dict[str, Any]) -> None:
        self.module, self.name, self.state = module, name, state


class _Pickler(pickle._Pickler):
    """The one that is written in Python, whose opcodes can be added to; what it adds with is in no stub."""

    write: Callable[[bytes], object]

    def save(self, obj: Any, save_persistent_id: bool = True) -> None:
        if not isinstance(obj, _Named):
            super().save(obj, save_persistent_id)  # type: ignore[misc]
            return
        # As Python 2 pickles objects: copy_reg._reconstructor(class, object, None), then the state.
        self.write(b"ccopy_reg\n_reconstructor\n(")
        self.write(f"c{obj.module}\n{obj.name}\n".encode() + b"c__builtin__\nobject\nNtR")
        super().save(obj.state)  # type: ignore[misc]
        self.write(b"b")


def write_pickle(path: Path, content: Any) -> Path:
    with path.open("wb") as file:
        _Pickler(file, protocol=2).dump(content)
    return path


def write_flame(path: Path, vertices: FloatArray, triangles: IntArray, identity: FloatArray) -> Path:
    """vertices (n, 3) in metres; identity (k, n, 3). Behind 300 identities come expressions, which move everything."""
    shapes = np.concatenate([identity, np.zeros((300 - len(identity), *vertices.shape)), np.ones((2, *vertices.shape))])
    return write_pickle(
        path,
        {
            "v_template": vertices.astype(np.float64),
            "f": triangles.astype(np.uint32),
            "shapedirs": _Named("chumpy.ch", "Ch", {"x": np.moveaxis(shapes, 0, 2), "_dirty_vars": {1: 2}}),
            "J_regressor": _Named("scipy.sparse.csc", "csc_matrix", {"data": np.ones(3), "_shape": (5, len(vertices))}),
            "bs_style": "lbs",
        },
    )


def write_basel_2009(path: Path, vertices: FloatArray, triangles: IntArray, identity: FloatArray) -> Path:
    """Micrometres, from 1, wound the other way, deviations beside unit columns."""
    import scipy.io

    basis, deviations = _unit_columns(identity * 1000)
    content = {"shapeMU": vertices.reshape(-1, 1) * 1000, "shapePC": basis, "shapeEV": deviations[:, None]}
    scipy.io.savemat(path, {**content, "tl": triangles[:, ::-1].astype(np.float64) + 1}, appendmat=False)
    return path


def write_lsfm(path: Path, vertices: FloatArray, triangles: IntArray, identity: FloatArray) -> Path:
    import scipy.io

    basis, deviations = _unit_columns(identity)
    content = {"mean": vertices.reshape(1, -1), "components": basis, "eigenvalues": deviations[None] ** 2}
    scipy.io.savemat(path, {**content, "trilist": triangles.astype(np.uint32)}, appendmat=False)
    return path


def write_basel_2017(path: Path, vertices: FloatArray, triangles: IntArray, identity: FloatArray) -> Path:
    """Needs h5py."""
    import h5py

    basis, deviations = _unit_columns(identity)
    with h5py.File(path, "w") as file:
        file["shape/model/mean"] = vertices.reshape(-1)
        file["shape/model/pcaBasis"] = basis
        file["shape/model/pcaVariance"] = deviations**2
        file["shape/representer/cells"] = triangles.T.astype(np.int32)
    return path


def write_surrey(path: Path, vertices: FloatArray, triangles: IntArray, identity: FloatArray) -> Path:
    basis, deviations = _unit_columns(identity)

    def matrix(values: FloatArray) -> bytes:
        return struct.pack("<II", *values.shape) + values.T.astype("<f4").tobytes()

    content = [struct.pack("<I", 1), matrix(vertices.reshape(-1, 1)), matrix(basis), matrix(deviations[:, None] ** 2)]
    content += [struct.pack("<Q", len(triangles)), triangles.astype("<i4").tobytes()]
    path.write_bytes(b"".join(content) + bytes(32))
    return path


def write_gnm(path: Path, vertices: FloatArray, triangles: IntArray, identity: FloatArray) -> Path:
    """Metres."""
    arrays = {"template_vertex_positions": vertices, "triangles": triangles, "vertex_identity_basis": identity}
    np.savez_compressed(path, **arrays, expression_names=np.array(["lower_face_region_0"]))  # type: ignore[arg-type]
    return path


def write_shape(path: Path, vertices: FloatArray, polygons: IntArray) -> None:
    """An .obj as ICT-FaceKit has it."""
    points = "\n".join(map("v {} {} {}".format, *vertices.T.tolist()))
    faces = "\n".join("f " + " ".join(f"{corner + 1}/1" for corner in row if corner >= 0) for row in polygons.tolist())
    path.write_text(f"mtllib some.mtl\n{points}\nvt 0.5 0.5\n{faces}\n")


def _unit_columns(identity: FloatArray) -> tuple[FloatArray, FloatArray]:
    """(3 n, k) of unit length, and (k,) what they were multiplied with."""
    columns = identity.reshape(len(identity), -1).T.astype(np.float64)
    length = np.linalg.norm(columns, axis=0)
    return columns / length, length
