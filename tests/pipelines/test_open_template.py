from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from synth_affect.blendshape.template import Template, face_template
from synth_affect.errors import InputError
from synth_affect.heads.cc0 import load_cc0
from synth_affect.heads.model import embed
from synth_affect.pipelines.open_template import open_template


@pytest.fixture(scope="module")
def face() -> Template:
    return face_template(load_cc0())


def write(folder: Path, face: Template, *, scale: float = 1.0, turn: np.ndarray | None = None, off: float = 0) -> Path:
    """An OBJ and the landmarks beside it."""
    turn = np.eye(3) if turn is None else turn
    vertices = face.mesh.vertices.astype(np.float64) @ turn.T * scale
    points = embed(vertices, face.mesh.triangles, face.landmarks_68) + np.array([0, 0, off * scale])
    path = folder / "mine.obj"
    rows = [f"v {x:.6f} {y:.6f} {z:.6f}" for x, y, z in vertices]
    rows += [f"f {a} {b} {c}" for a, b, c in face.mesh.triangles + 1]
    path.write_text("\n".join(rows) + "\n")
    lines = "\n".join(f"{x:.6f} {y:.6f} {z:.6f}" for x, y, z in points)
    path.with_suffix(".pts").write_text(f"version: 1\nn_points: 68\n{{\n{lines}\n}}\n")
    return path


def test_cc0_is_the_embedded_head_s_face(face: Template) -> None:
    assert open_template("cc0").topology == face.topology


@pytest.mark.parametrize("scale", [1.0, 0.1, 0.001], ids=["mm", "cm", "m"])
def test_a_mesh_with_landmarks_beside_it(tmp_path: Path, face: Template, scale: float) -> None:
    opened = open_template(str(write(tmp_path, face, scale=scale)))
    assert opened.name == "mine"
    assert opened.topology == face.topology
    np.testing.assert_allclose(opened.mesh.vertices, face.mesh.vertices, atol=2e-3)
    expected, found = (embed(t.mesh.vertices, t.mesh.triangles, t.landmarks_68) for t in (face, opened))
    np.testing.assert_allclose(found, expected, atol=0.01)


def test_landmarks_of_another_mesh_are_refused(tmp_path: Path, face: Template) -> None:
    with pytest.raises(InputError, match=r"mm off the surface of mine\.obj"):
        open_template(str(write(tmp_path, face, off=40)))


def test_a_face_that_looks_elsewhere_is_refused(tmp_path: Path, face: Template) -> None:
    with pytest.raises(InputError, match="must look along z"):
        open_template(str(write(tmp_path, face, turn=np.array([[0.0, 0, 1], [1, 0, 0], [0, 1, 0]]))))


def test_missing_landmarks_are_asked_for(tmp_path: Path, face: Template) -> None:
    path = write(tmp_path, face)
    marks = path.with_suffix(".pts").rename(tmp_path / "marks.pts")
    with pytest.raises(InputError, match="needs a file with 68 landmarks beside it"):
        open_template(str(path))
    assert open_template(str(path), marks).topology == face.topology


def test_a_head_model_has_its_own_landmarks() -> None:
    with pytest.raises(InputError, match="cc0 has its own"):
        open_template("cc0", Path("marks.pts"))


def test_an_absent_file_is_named() -> None:
    with pytest.raises(InputError, match="no such"):
        open_template("nothing.obj")
