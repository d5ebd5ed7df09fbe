"""Scans from files: every format as it is written, the order of vertices, and every fault in one line."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from synth_affect.data.bnt import read_bnt, read_range_image
from synth_affect.data.meshes import read_scan_mesh
from synth_affect.errors import InputError

VERTICES = np.array([[0, 0, 0], [10, 0, 1], [10, 10, 2], [0, 10, 1], [50, 50, 50]], np.float32)
UV = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], np.float32)

OBJ = """# a scan
mtllib scan.mtl
o face
v 0 0 0
v 10 0 1
v 10 10 2
v 0 10 1
v 50 50 50
vt 0 0
vt 1 0
vt 1 1
vt 0 1
vn 0 0 1
g upper
usemtl one
f 1/1/1 2/2/1 3/3/1
usemtl two
f 1/1/1 3/3/1 4/4/1
"""

WRL = """#VRML V2.0 utf8
# exported, with [ and IndexedFaceSet { in a comment
Transform { translation 5 5 5 children [ Shape {
  appearance Appearance { texture ImageTexture { url "F0001#AN01WH_F2D.bmp" } }
  geometry IndexedFaceSet {
    solid FALSE
    coord DEF points Coordinate {
      point [
        0 0 0, 10 0 1,
        10 10 2, 0 10 1, 50 50 50,
      ]
    }
    texCoord TextureCoordinate { point [ 0 0, 1 0, 1 1, 0 1 ] }
    coordIndex [ 0, 1, 2, -1, 0, 2, 3, -1 ]
    texCoordIndex [ 0, 1, 2, -1, 0, 2, 3, -1 ]
  }
} ] }
"""

Write = Callable[[str, str | bytes], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write_file(name: str, content: str | bytes) -> Path:
        (tmp_path / name).write_bytes(content.encode() if isinstance(content, str) else content)
        return tmp_path / name

    return write_file


AS_WRITTEN: dict[str, Callable[[str], str]] = {
    "as it is": lambda text: text,
    "CRLF": lambda text: text.replace("\n", "\r\n"),
    "BOM": lambda text: "\ufeff" + text,
    "no last newline": lambda text: text.removesuffix("\n"),
    "blank last lines": lambda text: text + "\n \n",
    "tabs": lambda text: text.replace(" ", "\t"),
}


@pytest.mark.parametrize("way", AS_WRITTEN)
@pytest.mark.parametrize(("name", "text"), [("a.obj", OBJ), ("a.WRL", WRL)])
def test_text_formats(write: Write, name: str, text: str, way: str) -> None:
    mesh = read_scan_mesh(write(name, AS_WRITTEN[way](text)))
    assert mesh.vertices.dtype == np.float32
    np.testing.assert_array_equal(mesh.vertices, VERTICES)
    assert mesh.triangles.tolist() == [[0, 1, 2], [0, 2, 3]]
    assert mesh.uv is not None
    assert mesh.uv_triangles is not None
    np.testing.assert_array_equal(mesh.uv, UV)
    assert mesh.uv_triangles.tolist() == [[0, 1, 2], [0, 2, 3]]


@pytest.mark.parametrize(
    "polygons",
    [
        "f 1 2 3 4\n",
        "f 1//1 2//1 3//1 4//1\n",
        "f 1/1 2/2 3/3\nf 1 3 4\n",
        "f -5 -4 -3 -2\n",
        "f 1 2 \\\n3 4\n",
        "  f 1 2 3 4 # outline\n",
        "f 1/ 2/ 3/ 4/\n",
    ],
)
def test_polygons_of_obj_in_all_their_forms(write: Write, polygons: str) -> None:
    mesh = read_scan_mesh(write("a.obj", OBJ[: OBJ.index("g upper")] + polygons))
    assert mesh.triangles.tolist() == [[0, 1, 2], [0, 2, 3]]
    assert mesh.uv is None


def test_obj_with_a_seam_keeps_its_vertices(write: Write) -> None:
    text = OBJ.replace("f 1/1/1 3/3/1 4/4/1", "f 1/2/1 3/1/1 4/4/1")
    mesh = read_scan_mesh(write("a.obj", text))
    assert len(mesh.vertices) == 5
    assert mesh.uv_triangles is not None
    assert mesh.uv_triangles.tolist() == [[0, 1, 2], [1, 0, 3]]


def test_obj_with_colours(write: Write) -> None:
    text = OBJ.replace("v 10 0 1", "v 10 0 1 .5 .5 .5")
    np.testing.assert_array_equal(read_scan_mesh(write("a.obj", text)).vertices, VERTICES)


@pytest.mark.parametrize("suffix", ["ply", "off"])
@pytest.mark.parametrize("rotation", [0, 3])
def test_formats_of_trimesh_keep_vertices_in_order(tmp_path: Path, suffix: str, rotation: int) -> None:
    trimesh = pytest.importorskip("trimesh")
    vertices = np.roll(VERTICES, rotation, axis=0)  # one of them belongs to no triangle
    triangles = (np.array([[0, 1, 2], [0, 2, 3]]) + rotation) % 5
    trimesh.Trimesh(vertices, triangles, process=False).export(tmp_path / f"a.{suffix}")
    mesh = read_scan_mesh(tmp_path / f"a.{suffix}")
    np.testing.assert_allclose(mesh.vertices, vertices)
    assert mesh.triangles.tolist() == triangles.tolist()


def test_stl_shares_corners(tmp_path: Path) -> None:
    trimesh = pytest.importorskip("trimesh")
    trimesh.Trimesh(VERTICES, [[0, 1, 2], [0, 2, 3]], process=False).export(tmp_path / "a.stl")
    assert read_scan_mesh(tmp_path / "a.stl").vertices.shape == (4, 3)


def test_wrl_of_two_cameras(write: Write) -> None:
    mesh = read_scan_mesh(write("a.wrl", WRL + WRL.replace("0 0 0,", "0 0 9,")))
    assert mesh.vertices.shape == (10, 3)
    assert mesh.vertices[5].tolist() == [0, 0, 9]
    assert mesh.triangles.tolist() == [[0, 1, 2], [0, 2, 3], [5, 6, 7], [5, 7, 8]]
    assert mesh.uv_triangles is not None
    assert mesh.uv_triangles[2].tolist() == [4, 5, 6]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("0, 2, 3, -1 ]\n    tex", "0, 2, 3 ]\n    tex"),
        ("coordIndex [ 0, 1, 2, -1, 0, 2, 3, -1 ]\n    tex", "coordIndex [ 0 1 2 3 -1 ]\n    tex"),
        (
            "coordIndex [ 0, 1, 2, -1, 0, 2, 3, -1 ]\n    tex",
            "coordIndex [ 0, 1, 2, -1, -1, 0, 2, 3, -1, -1 ]\n    tex",
        ),
    ],
)
def test_polygons_of_wrl_in_all_their_forms(write: Write, old: str, new: str) -> None:
    assert old in WRL
    text = WRL.replace(old, new)
    if "0 1 2 3" in new:
        text = text.replace("texCoordIndex [ 0, 1, 2, -1, 0, 2, 3, -1 ]", "texCoordIndex [ 0, 1, 2, 3, -1 ]")
    assert read_scan_mesh(write("a.wrl", text)).triangles.tolist() == [[0, 1, 2], [0, 2, 3]]


def test_wrl_without_indices_of_texture_coordinates(write: Write) -> None:
    mesh = read_scan_mesh(write("a.wrl", WRL.replace("texCoordIndex [ 0, 1, 2, -1, 0, 2, 3, -1 ]", "")))
    assert mesh.uv_triangles is not None
    assert mesh.uv_triangles.tolist() == mesh.triangles.tolist()


def test_wrl_seen_from_behind(write: Write) -> None:
    mesh = read_scan_mesh(write("a.wrl", WRL.replace("solid FALSE", "ccw FALSE")))
    assert mesh.triangles.tolist() == [[2, 1, 0], [3, 2, 0]]


ZMIN = -1e9


def bnt(points: npt.NDArray[np.float64], uv: npt.NDArray[np.float64], name: bytes = b"bs000_N_N_0.png\0") -> bytes:
    rows, columns = points.shape[:2]
    header = struct.pack(f"<HHdH{len(name)}sI", rows, columns, ZMIN, len(name), name, 5 * rows * columns)
    return header + np.concatenate([np.moveaxis(points, -1, 0), np.moveaxis(uv, -1, 0)]).astype("<f8").tobytes()


def range_grid() -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """4 x 3 cells, 1 mm apart; the first row is the lowest. v counts from the top, as pictures do."""
    y, x = np.mgrid[0:4, 0:3].astype(float)
    return np.stack([x, y, 0.1 * x], axis=-1), np.stack([x / 2, 1 - y / 3], axis=-1)


def test_bnt(write: Write) -> None:
    points, uv = range_grid()
    path = write("bs000_N_N_0.bnt", bnt(points, uv))
    image = read_range_image(path)
    assert image.picture == "bs000_N_N_0.png"
    np.testing.assert_array_equal(image.points, points)
    mesh = read_scan_mesh(path)
    np.testing.assert_allclose(mesh.vertices, points.reshape(-1, 3), atol=1e-6)
    assert len(mesh.triangles) == 2 * 3 * 2
    assert (normals(mesh.vertices, mesh.triangles)[:, 2] > 0).all()
    assert mesh.uv is not None
    np.testing.assert_allclose(mesh.uv[:, 1], points[..., 1].ravel() / 3, atol=1e-6)  # upwards


def test_bnt_from_right_to_left(write: Write) -> None:
    points, uv = range_grid()
    mesh = read_bnt(write("a.bnt", bnt(points[:, ::-1], uv)))
    assert (normals(mesh.vertices, mesh.triangles)[:, 2] > 0).all()


@pytest.mark.parametrize(
    ("hole", "n_triangles"),
    [((0, 0), 11), ((0, 2), 11), ((3, 0), 11), ((3, 2), 11), ((1, 1), 8)],
)
def test_bnt_around_a_hole(write: Write, hole: tuple[int, int], n_triangles: int) -> None:
    points, uv = range_grid()
    points[hole] = [7, 7, ZMIN]  # x and y of background mean nothing
    mesh = read_bnt(write("a.bnt", bnt(points, uv)))
    assert mesh.vertices.shape == (11, 3)
    assert len(mesh.triangles) == n_triangles
    assert (normals(mesh.vertices, mesh.triangles)[:, 2] > 0).all()


def test_bnt_is_cut_at_a_step_in_depth(write: Write) -> None:
    points, uv = range_grid()
    points[2:, :, 2] -= 30
    assert len(read_bnt(write("a.bnt", bnt(points, uv))).triangles) == 2 * 2 * 2


def normals(vertices: npt.NDArray[np.floating], triangles: npt.NDArray[np.integer]) -> npt.NDArray[np.floating]:
    a, b, c = np.moveaxis(vertices[triangles], 1, 0)
    return np.cross(b - a, c - a)


def changed(text: str, old: str, new: str) -> str:
    assert old in text
    return text.replace(old, new)


POINTS, UVS = range_grid()
ALL_BACKGROUND = np.full_like(POINTS, ZMIN)
FAULTS: list[tuple[str, str | bytes, str]] = [
    ("a.obj", "", "holds no vertex"),
    ("a.obj", OBJ[: OBJ.index("g upper")], "holds no triangle"),
    ("a.obj", changed(OBJ, "4/4/1", "9/4/1"), "a polygon asks for vertex 8 of 5 (the first is 0)"),
    ("a.obj", changed(OBJ, "4/4/1", "0/4/1"), "a polygon asks for vertex -1 of 5 (the first is 0)"),
    ("a.obj", changed(OBJ, "4/4/1", "4/5/1"), "a polygon asks for texture coordinate 4 of 4 (the first is 0)"),
    ("a.obj", changed(OBJ, " 4/4/1", ""), "polygon 1 has fewer than 3 corners"),
    ("a.obj", changed(OBJ, "4/4/1", "x/4/1"), "a corner of a polygon is not a number"),
    ("a.obj", changed(OBJ, "v 0 10 1", "v nan 10 1"), "vertex 3 is not of finite numbers"),
    ("a.obj", changed(OBJ, "v 0 10 1", "v 1e39 10 1"), "vertex 3 is not of finite numbers"),
    ("a.wrl", "#VRML V1.0 ascii\n", "VRML of version 1; version 2 is read"),
    ("a.wrl", "", "has no IndexedFaceSet; not a VRML 2 scan"),
    (
        "a.wrl",
        changed(WRL, "DEF points Coordinate", "Normal"),
        "an IndexedFaceSet without Coordinate { point [ ... ] }",
    ),
    ("a.wrl", changed(WRL, "    coordIndex", "    colorIndex"), "an IndexedFaceSet without coordIndex [ ... ]"),
    ("a.wrl", changed(WRL, "50 50 50", "50 50"), "Coordinate point [ ... ] holds 14 numbers, not 3 for each point"),
    ("a.wrl", changed(WRL, "50 50 50", "50 50 x"), "Coordinate point [ ... ] holds something that is no number"),
    ("a.wrl", changed(WRL, "50 50 50", "50 50 nan"), "vertex 4 is not of finite numbers"),
    (
        "a.wrl",
        changed(WRL, "[ 0, 1, 2, -1, 0, 2, 3, -1 ]\n    tex", "[ 0, 1, -1 ]\n    tex"),
        "polygon 0 of coordIndex has fewer than 3 corners",
    ),
    (
        "a.wrl",
        changed(WRL, "[ 0, 1, 2, -1, 0, 2, 3, -1 ]\n    tex", "[ 0, 1.5, 2, -1 ]\n    tex"),
        "coordIndex [ ... ] holds a number that is no index",
    ),
    (
        "a.wrl",
        changed(WRL, "[ 0, 1, 2, -1, 0, 2, 3, -1 ]\n    tex", "[ 0, nan, 2, -1 ]\n    tex"),
        "coordIndex [ ... ] holds a number that is no index",
    ),
    (
        "a.wrl",
        changed(WRL, "[ 0, 1, 2, -1, 0, 2, 3, -1 ]\n    tex", "[ 0, 1, 2, -1 ]\n    tex"),
        "the polygons of texCoordIndex are not those of coordIndex",
    ),
    (
        "a.wrl",
        changed(WRL, "[ 0, 1, 2, -1, 0, 2, 3, -1 ]\n    tex", "[ ]\n    tex").replace("texCoord", "normal"),
        "holds no triangle",
    ),
    ("a.bnt", b"", "ends within its header; not a .bnt file"),
    ("a.bnt", bnt(POINTS, UVS)[:20], "ends within its header; not a .bnt file"),
    ("a.bnt", bnt(POINTS, UVS)[:-8], "has 472 of 480 bytes of points; the file is cut short"),
    ("a.bnt", b"\x07" + bnt(POINTS, UVS)[1:], "announces 7 x 3 cells and 60 numbers; not a .bnt file"),
    ("a.bnt", bnt(ALL_BACKGROUND, UVS), "holds background alone"),
    ("a.bnt", bnt(POINTS[:1], UVS[:1]), "holds no triangle"),
    ("a.fbx", b"", "meshes are read from .obj, .wrl, .vrml, .bnt, .ply, .stl, .off"),
]


@pytest.mark.parametrize(("name", "content", "reason"), FAULTS)
def test_faults(write: Write, name: str, content: str | bytes, reason: str) -> None:
    path = write(name, content)
    with pytest.raises(InputError) as caught:
        read_scan_mesh(path)
    assert (caught.value.path, caught.value.reason) == (str(path), reason)


@pytest.mark.parametrize("suffix", ["obj", "wrl", "bnt", "ply"])
def test_what_is_no_file(tmp_path: Path, suffix: str) -> None:
    with pytest.raises(InputError, match="no such mesh"):
        read_scan_mesh(tmp_path / f"a.{suffix}")
    (tmp_path / f"b.{suffix}").mkdir()
    with pytest.raises(InputError, match="a folder, not a mesh"):
        read_scan_mesh(tmp_path / f"b.{suffix}")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.ply", b""),
        ("a.ply", b"ply\nformat ascii 1.0\nelement vertex 9\nproperty float x\nend_header\n1\n"),
        ("a.ply", b"ply\nformat binary_little_endian 1.0\nelement vertex 9\nproperty float x\nend_header\n1\n"),
        ("a.stl", b"solid\n"),
        ("a.stl", b"\0" * 90),
        ("a.off", b"OFF\n3 1 0\n"),
    ],
)
def test_broken_files_of_trimesh_are_one_line(write: Write, name: str, content: bytes) -> None:
    pytest.importorskip("trimesh")
    with pytest.raises(InputError, match=rf"{name}: \S"):
        read_scan_mesh(write(name, content))


def test_points_without_triangles(tmp_path: Path) -> None:
    trimesh = pytest.importorskip("trimesh")
    trimesh.PointCloud(VERTICES).export(tmp_path / "a.ply")
    with pytest.raises(InputError, match=r"a\.ply: holds points without triangles"):
        read_scan_mesh(tmp_path / "a.ply")


@pytest.mark.parametrize("line", ["v 0 10", "v 0 10 x"])
def test_a_vertex_that_is_not_three_numbers(write: Write, line: str) -> None:
    with pytest.raises(InputError, match="a line that begins with v is not 3 numbers"):
        read_scan_mesh(write("a.obj", changed(OBJ, "v 0 10 1", line)))
