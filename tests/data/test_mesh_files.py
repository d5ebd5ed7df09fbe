import importlib.util
import io
import json
import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from synth_affect.data.mesh_files import TexturedMesh, encode_glb, encode_obj, encode_ply
from synth_affect.data.obj import read_obj

needs_trimesh = pytest.mark.skipif(importlib.util.find_spec("trimesh") is None, reason="trimesh is not installed")


def _png() -> bytes:
    file = io.BytesIO()
    Image.fromarray(np.arange(48, dtype=np.uint8).reshape(4, 4, 3)).save(file, "PNG")
    return file.getvalue()


@pytest.fixture
def mesh() -> TexturedMesh:
    """Two triangles that share an edge on the mesh and none on the texture; one vertex belongs to neither."""
    return TexturedMesh(
        vertices=np.array([[0, 0, 0], [10, 0, 0], [0, 20, 0], [10, 20, 5], [1, 1, 1]]),
        triangles=np.array([[0, 1, 2], [1, 3, 2]]),
        uv=np.array([[0, 0], [0.4, 0], [0, 0.4], [0.6, 0.6], [1, 0.6], [1, 1]]),
        uv_triangles=np.array([[0, 1, 2], [3, 4, 5]]),
        vertex_colours=np.arange(15, dtype=np.uint8).reshape(5, 3),
        texture_png=_png(),
    )


def test_an_obj_is_read_again_and_its_files_name_each_other(mesh: TexturedMesh, tmp_path: Path) -> None:
    files = encode_obj(mesh, "face", ["synthetic"])
    (tmp_path / "face.obj").write_bytes(files[".obj"])
    found = read_obj(tmp_path / "face.obj")
    np.testing.assert_allclose(found.vertices, mesh.vertices)
    np.testing.assert_array_equal(found.triangles, mesh.triangles)
    assert files[".obj"].startswith(b"# synthetic\nmtllib face.mtl\nusemtl face\n")
    assert b"map_Kd face.png" in files[".mtl"]
    assert files[".png"] == mesh.texture_png


def test_a_ply_has_places_and_colours(mesh: TexturedMesh) -> None:
    content = encode_ply(mesh, ["synthetic"])
    header, _, body = content.partition(b"end_header\n")
    assert b"comment synthetic" in header
    assert len(body) == 5 * 15 + 2 * 13
    assert struct.unpack_from("<fff3B", body, 3 * 15) == (10.0, 20.0, 5.0, 9, 10, 11)
    assert struct.unpack_from("<Biii", body, 5 * 15 + 13) == (3, 1, 3, 2)


def test_a_glb_is_laid_out_as_its_lengths_say(mesh: TexturedMesh) -> None:
    content = encode_glb(mesh, {"synthetic": True})
    magic, version, length = struct.unpack_from("<4sII", content)
    assert (magic, version, length) == (b"glTF", 2, len(content))
    n_json, kind = struct.unpack_from("<I4s", content, 12)
    assert kind == b"JSON"
    scene = json.loads(content[20 : 20 + n_json])
    n_binary, kind = struct.unpack_from("<I4s", content, 20 + n_json)
    assert kind == b"BIN\0"
    assert n_json % 4 == n_binary % 4 == 0
    assert scene["buffers"][0]["byteLength"] == n_binary == len(content) - 28 - n_json
    assert scene["asset"]["extras"] == {"synthetic": True}
    assert scene["accessors"][0]["count"] == 6
    np.testing.assert_allclose(scene["accessors"][0]["max"], [0.01, 0.02, 0.005], atol=1e-7)
    for view in scene["bufferViews"]:
        assert view["byteOffset"] % 4 == 0
    image = scene["bufferViews"][scene["images"][0]["bufferView"]]
    start = 28 + n_json + image["byteOffset"]
    assert content[start : start + image["byteLength"]] == mesh.texture_png


@needs_trimesh
@pytest.mark.parametrize("suffix", [".obj", ".ply", ".glb"])
def test_another_reader_sees_the_same_surface(mesh: TexturedMesh, tmp_path: Path, suffix: str) -> None:
    import trimesh

    path = tmp_path / f"face{suffix}"
    if suffix == ".obj":
        for ending, content in encode_obj(mesh, "face", []).items():
            path.with_suffix(ending).write_bytes(content)
    else:
        path.write_bytes(encode_ply(mesh, []) if suffix == ".ply" else encode_glb(mesh, {}))
    found = trimesh.load(path, process=False, force="mesh")
    scale = 1000.0 if suffix == ".glb" else 1.0
    corners = np.asarray(found.vertices)[np.asarray(found.faces)] * scale
    np.testing.assert_allclose(corners, mesh.vertices[mesh.triangles], atol=1e-3)
    if suffix != ".ply":
        uv = np.asarray(found.visual.uv)[np.asarray(found.faces)]
        np.testing.assert_allclose(uv, mesh.uv[mesh.uv_triangles], atol=1e-5)
