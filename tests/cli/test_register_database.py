"""`register --database`: the files of a database, in its own formats, to registered faces."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from synth_affect.arrays import FloatArray, IntArray
from synth_affect.blendshape.template import Template, face_template, face_vertices
from synth_affect.cli import main
from synth_affect.data.registered_scans import read_registered, sequence_vertices
from synth_affect.heads.cc0 import load_cc0
from synth_affect.heads.model import embed

SMILE_MM = 1.0


def wrl(vertices: FloatArray, triangles: IntArray) -> str:
    points = ",\n".join(f"{x:.4f} {y:.4f} {z:.4f}" for x, y, z in vertices)
    corners = ",\n".join(f"{a}, {b}, {c}, -1" for a, b, c in triangles)
    return (
        "#VRML V2.0 utf8\r\nShape { geometry IndexedFaceSet {\r\n"
        f"coord Coordinate {{ point [ {points} ] }}\r\ncoordIndex [ {corners} ] }} }}\r\n"
    )


def bnd(vertices: FloatArray, triangles: IntArray, template: Template) -> str:
    """83 points at vertices: the groups of BU-3DFE from ibug's points, in any order within a group."""
    own = embed(template.mesh.vertices, template.mesh.triangles, template.landmarks_68)
    nearest = np.square(template.mesh.vertices[None] - own[:, None]).sum(axis=2).argmin(axis=1)
    groups = (range(36, 42), range(42, 48), range(17, 22), range(22, 27), range(27, 36), range(48, 60), range(60, 68))
    sizes = (8, 8, 10, 10, 12, 12, 8)
    rows = [nearest[np.resize(list(group), size)] for group, size in zip(groups, sizes, strict=True)]
    chosen = np.concatenate([*rows, nearest[1:16]])
    return "".join("\t".join([str(k), *(f"{c:.4f}" for c in vertices[k])]) + "\r\n" for k in chosen) + "\r\n"


@pytest.fixture(scope="module")
def bu_3dfe(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("database") / "BU_3DFE"
    head, template = load_cc0(), face_template(load_cc0())
    smile = [head.unit_names.index(name) for name in ("mouthSmileLeft", "mouthSmileRight")]
    moved = head.expression_units[smile][:, face_vertices(head)].sum(axis=0)
    (root / "F0001").mkdir(parents=True)
    for name, amount in (("NE00", 0.0), ("HA03", 0.8)):
        vertices = template.mesh.vertices + amount * moved
        (root / f"F0001/F0001_{name}WH_F3D.wrl").write_text(wrl(vertices, template.mesh.triangles))
        (root / f"F0001/F0001_{name}WH_F3D.bnd").write_text(bnd(vertices, template.mesh.triangles, template))
    return root


def test_bu_3dfe_from_its_own_files(bu_3dfe: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "registered"
    command = ["register", str(bu_3dfe.parent), "--database", "bu-3dfe", "--out", str(out), "--workers", "1", "--json"]
    assert main(command) == 0
    assert json.loads(capsys.readouterr().out)["registered"] == 2
    assert '"landmarks": "files"' in (out / "register.json").read_text()
    scans = read_registered(out)
    (recording,) = scans.sequences
    assert (recording.subject, recording.sequence, recording.frame.tolist()) == ("F0001", "happiness", [0, 3])
    neutral, happy = sequence_vertices(scans, recording)
    corner = embed(happy - neutral, scans.template.mesh.triangles, scans.template.landmarks_68)[[48, 54]]
    assert (corner[:, 1] > SMILE_MM).all()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--database", "coma"], "no folder of CoMA"),
        (["--database", "bfm"], "--database: 'bfm' is none of 4dfab"),
        (["--database", "bu-3dfe", "--layout", "{subject}.obj"], "--layout: the files of BU-3DFE lie in one way only"),
        (["--layout", "{subject}.obj"], "--layout: goes with --database"),
        (["more", "--database", "bu-3dfe"], "--database: lies in one folder, 2 are given"),
    ],
)
def test_what_does_not_go(
    options: list[str], said: str, bu_3dfe: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["register", str(bu_3dfe), *options, "--out", str(tmp_path / "r")]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert said in line
    assert not (tmp_path / "r").exists()


def test_what_is_registered_is_sent_elsewhere(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mesh = tmp_path / "FaceTalk_1_2_TA/mouth_up/mouth_up.000001.ply"
    mesh.parent.mkdir(parents=True)
    mesh.touch()
    assert main(["register", str(tmp_path), "--database", "coma", "--out", str(tmp_path / "r")]) == 2
    assert "coma is registered already; see synth-affect gallery from-registered" in capsys.readouterr().err
