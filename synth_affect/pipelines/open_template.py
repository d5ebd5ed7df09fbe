"""The template that a name or a file stands for."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from synth_affect.arrays import FloatArray
from synth_affect.blendshape.registration.embed_points import embed_points
from synth_affect.blendshape.registration.scan import MM_PER_UNIT, prepare_scan
from synth_affect.blendshape.template import Template, face_template
from synth_affect.data.landmark_markups import N_IBUG, ibug_points
from synth_affect.data.landmarks_3d import SUFFIXES, read_landmarks_3d
from synth_affect.data.meshes import MESH_SUFFIXES, read_scan_mesh
from synth_affect.errors import InputError
from synth_affect.heads.archive import topology_id
from synth_affect.heads.mesh import Mesh
from synth_affect.pipelines.open_head import open_head

EYES, LIPS = slice(36, 48), slice(48, 68)
NOSE_TIP = 30
FAR_MM = 10.0
"""A landmark further off the surface belongs to another mesh."""


def open_template(name: str, landmarks: Path | None = None) -> Template:
    """The face of a head model (`cc0`, or a file that `open_head` reads), or a mesh with 68 landmarks.

    landmarks : 68 points of ibug's markup on the mesh; where None, the file beside it with the same stem.
    A mesh stands in the head frame: x right of the viewer's picture, y up, z to the viewer; millimetres, or a unit that
    its size tells. Its vertices keep their order and count.
    Raises InputError when a file is absent or damaged, or the face looks elsewhere than along z.
    """
    path = Path(name)
    if path.suffix.lower() not in MESH_SUFFIXES:
        if landmarks is not None:
            raise InputError(landmarks, f"landmarks go with a template that is a mesh; {name} has its own")
        return face_template(open_head(name))
    raw = read_scan_mesh(path)
    unit = MM_PER_UNIT[prepare_scan(raw.vertices, raw.triangles, name=str(path)).unit]
    vertices = raw.vertices.astype(np.float64) * unit
    file = _beside(path) if landmarks is None else landmarks
    points = ibug_points(read_landmarks_3d(file), file) * unit
    if not np.isfinite(points).all():
        raise InputError(file, f"a template needs all {N_IBUG} points")
    _check_frame(points, path)
    embedding, distances = embed_points(points, vertices, raw.triangles)
    if distances.max() > FAR_MM:
        worst = int(distances.argmax())
        raise InputError(file, f"point {worst} lies {distances[worst]:.0f} mm off the surface of {path.name}")
    return Template(
        name=path.stem,
        topology=topology_id(raw.triangles),
        mesh=Mesh(vertices.astype(np.float32), raw.triangles),
        landmarks_68=embedding,
    )


def _beside(path: Path) -> Path:
    for suffix in SUFFIXES:
        if path.with_suffix(suffix).is_file():
            return path.with_suffix(suffix)
    raise InputError(path, f"needs a file with {N_IBUG} landmarks beside it ({', '.join(SUFFIXES)})")


def _check_frame(points: FloatArray, path: Path) -> None:
    up = points[EYES].mean(axis=0) - points[LIPS].mean(axis=0)
    out = points[NOSE_TIP] - (points[EYES].mean(axis=0) + points[LIPS].mean(axis=0)) / 2
    right_to_left = points[45] - points[36]
    if not (up.argmax() == 1 and right_to_left.argmax() == 0 and out[2] > 0):
        raise InputError(path, "the face must look along z with y up and its left at larger x")
