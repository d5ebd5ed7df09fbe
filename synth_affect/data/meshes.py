"""A scan from a file of any of the formats that the databases use."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from synth_affect.data.bnt import read_bnt
from synth_affect.data.obj import read_obj
from synth_affect.data.scan_mesh import ScanMesh, read_mesh_bytes, scan_mesh
from synth_affect.data.vrml import read_vrml
from synth_affect.errors import InputError
from synth_affect.optional import import_optional

_OWN = {".obj": read_obj, ".wrl": read_vrml, ".vrml": read_vrml, ".bnt": read_bnt}
_TRIMESH = (".ply", ".stl", ".off")
MESH_SUFFIXES = (*_OWN, *_TRIMESH)


def read_scan_mesh(path: Path) -> ScanMesh:
    """The scan in `path`, by its suffix; vertices keep their order and count, except in STL, which repeats each corner.

    Raises InputError when it cannot be read, is empty or not finite; MissingDependencyError for PLY, STL and OFF
    without the extra `gallery`.
    """
    suffix = path.suffix.lower()
    if suffix in _OWN:
        return _OWN[suffix](path)
    if suffix not in _TRIMESH:
        raise InputError(path, f"meshes are read from {', '.join(MESH_SUFFIXES)}")
    read_mesh_bytes(path)
    return _read_with_trimesh(path)


def _read_with_trimesh(path: Path) -> ScanMesh:
    trimesh = import_optional("trimesh", "gallery")
    try:
        # Vertices stay in order: nothing is merged, dropped or repaired.
        mesh = trimesh.load(path, process=False, skip_materials=True)
    except (ValueError, KeyError, IndexError, TypeError, AttributeError, OSError, NotImplementedError) as error:
        raise InputError(path, f"cannot be read as a mesh ({error or type(error).__name__})") from error
    if not isinstance(mesh, trimesh.Trimesh):
        raise InputError(path, "holds points without triangles" if hasattr(mesh, "vertices") else "holds no mesh")
    if path.suffix.lower() == ".stl":
        mesh.merge_vertices()
    return scan_mesh(path, np.asarray(mesh.vertices), np.asarray(mesh.faces))
