import io
import json
import struct
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from synth_affect.arrays import ImageArray
from synth_affect.cli import main
from synth_affect.data.obj import read_obj
from synth_affect.data.provenance import DIGITAL_SOURCE_TYPE


@pytest.fixture(scope="module")
def face_path(tmp_path_factory: pytest.TempPathFactory, portrait: ImageArray) -> Path:
    path = tmp_path_factory.mktemp("export") / "face.png"
    cv2.imwrite(str(path), portrait[:256, 96:352, ::-1])
    return path


def test_an_obj_with_its_material_texture_and_sidecar(face_path: Path, tmp_path: Path) -> None:
    out = tmp_path / "face.obj"
    assert main(["export", "--image", str(face_path), "-o", str(out), "--texture-size", "256"]) == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["face.mtl", "face.obj", "face.obj.json", "face.png"]
    mesh = read_obj(out)
    assert 120 < np.ptp(mesh.vertices[:, 0]) < 250  # a head's width, mm
    assert DIGITAL_SOURCE_TYPE in out.read_text()
    with Image.open(tmp_path / "face.png") as texture:
        assert texture.size == (256, 256)
        assert DIGITAL_SOURCE_TYPE in texture.info["XML:com.adobe.xmp"]
    facts = json.loads((tmp_path / "face.obj.json").read_text())
    assert facts["request"]["shows"] == "mesh"
    assert 0.2 < facts["fit"]["texture_seen"] <= 1
    assert facts["fit"]["faces"][0]["quality"]["score"] > 0.5


def test_a_target_moves_the_mesh_and_is_written_down(face_path: Path, tmp_path: Path) -> None:
    found = []
    for name, options in (("a.glb", []), ("b.glb", ["--valence", "0.8", "--arousal", "0.5"])):
        out = tmp_path / name
        assert main(["export", "--image", str(face_path), "-o", str(out), "--texture-size", "256", *options]) == 0
        content = out.read_bytes()
        (n_json,) = struct.unpack_from("<I", content, 12)
        scene = json.loads(content[20 : 20 + n_json])
        start, length = (scene["bufferViews"][0][key] for key in ("byteOffset", "byteLength"))
        binary = content[28 + n_json :]
        found.append((scene, np.frombuffer(binary[start : start + length], "<f4").reshape(-1, 3)))
        image = scene["bufferViews"][4]
        png = binary[image["byteOffset"] : image["byteOffset"] + image["byteLength"]]
        assert Image.open(io.BytesIO(png)).size == (256, 256)
    moved = 1000 * np.linalg.norm(found[0][1] - found[1][1], axis=1)
    assert 2 < moved.max() < 40
    assert found[1][0]["asset"]["extras"]["request"]["valence"] == 0.8
    assert found[1][0]["asset"]["extras"]["digital_source_type"] == DIGITAL_SOURCE_TYPE


def test_the_same_picture_gives_the_same_bytes(face_path: Path, tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        assert (
            main(["export", "--image", str(face_path), "-o", str(tmp_path / name / "f.ply"), "--texture-size", "256"])
            == 0
        )
    assert (tmp_path / "a" / "f.ply").read_bytes() == (tmp_path / "b" / "f.ply").read_bytes()


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["-o", "face.stl"], "face.stl: meshes are written as .obj, .ply, .glb"),
        (["-o", "face.obj", "--texture-size", "10"], "--texture-size: 10 is not in [256, 8192]"),
        (["-o", "face.obj", "--face", "all"], "--face: a mesh holds one face"),
        (["-o", "face.obj", "--valence", "0.5"], "--arousal: missing"),
        (["-o", "face.obj", "--min-quality", "-1"], "--min-quality: -1 is not in [0, 1]"),
        ([], "--output: missing"),
        (["-o", "none/face.obj"], "does not exist"),
    ],
)
def test_what_cannot_be_done_is_one_line_and_leaves_nothing(
    face_path: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    options: list[str],
    reason: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["export", "--image", str(face_path), *options]) == 2
    said = capsys.readouterr().err
    assert reason in said
    assert said.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_the_texture_does_not_overwrite_the_photograph(
    face_path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    picture = tmp_path / "face.png"
    picture.write_bytes(face_path.read_bytes())
    assert main(["export", "--image", str(picture), "-o", str(tmp_path / "face.obj")]) == 2
    assert "would be overwritten" in capsys.readouterr().err
    assert picture.read_bytes() == face_path.read_bytes()
