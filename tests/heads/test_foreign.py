from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from synth_affect.arrays import FloatArray, IntArray
from synth_affect.errors import InputError, MissingDependencyError, ShapeError
from synth_affect.heads import basel_2017
from synth_affect.heads.foreign import MOST_IDENTITY, ForeignHead, foreign_head
from synth_affect.heads.formats import FOREIGN, ICT, PACKED, recognise
from synth_affect.heads.mesh import triangle_normals
from tests.heads.foreign_files import (
    write_basel_2009,
    write_basel_2017,
    write_flame,
    write_gnm,
    write_lsfm,
    write_pickle,
    write_surrey,
)
from tests.heads.ict_file import write_ict

Surface = tuple[FloatArray, IntArray, FloatArray]


@pytest.fixture(scope="module")
def surface() -> Surface:
    """A mask 200 mm high that bulges to the viewer, and an eyeball behind it; two identities."""
    y, x = np.mgrid[-100:101:10, -70:71:10].astype(float)
    mask = np.stack([x, y, 60 - (x**2 + y**2) / 200], axis=-1).reshape(-1, 3)
    row, column = np.mgrid[:20, :14]
    first = (row * 15 + column).ravel()
    triangles = np.concatenate(
        [np.stack([first, first + 1, first + 16], axis=1), np.stack([first, first + 16, first + 15], axis=1)]
    )
    ball = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]])
    of_ball = np.array([[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]]) + len(mask)
    rng = np.random.default_rng(2)
    identity = rng.normal(0, 3, (2, len(mask) + 4, 3))
    return np.concatenate([mask, ball]), np.concatenate([of_ball, triangles]), identity


def in_metres(write: Callable[..., Path]) -> Callable[..., Path]:
    return lambda path, vertices, triangles, identity: write(path, vertices / 1000, triangles, identity / 1000)


WRITERS: dict[str, tuple[str, Callable[..., Path]]] = {
    "gnm": ("gnm_head.npz", in_metres(write_gnm)),
    "flame": ("flame2023.pkl", in_metres(write_flame)),
    "bfm2009": ("01_MorphableModel.mat", write_basel_2009),
    "bfm2017": ("model2017-1_bfm_nomouth.h5", write_basel_2017),
    "lsfm": ("all_all_all.mat", write_lsfm),
    "sfm": ("sfm_shape_3448.bin", write_surrey),
}


def test_every_reader_has_a_writer_here() -> None:
    assert set(WRITERS) == set(FOREIGN)


@pytest.mark.parametrize("name", WRITERS)
def test_each_layout_is_recognised_and_brought_to_our_frame(name: str, surface: Surface, tmp_path: Path) -> None:
    if name == "bfm2017":
        pytest.importorskip("h5py")
    file, write = WRITERS[name]
    path = write(tmp_path / file, *surface)
    assert recognise(path) == name
    head = FOREIGN[name](path)
    assert (head.name, bool(head.licence), bool(head.source)) == (name, True, True)
    vertices, triangles, identity = surface
    n = len(vertices) - 4
    np.testing.assert_allclose(head.mean, vertices[:n], atol=1e-3)  # the eyeball is another piece
    assert len(head.triangles) == len(triangles) - 4
    assert (triangle_normals(head.mean, head.triangles)[:, 2] > 0).all()
    np.testing.assert_allclose(head.identity_basis, identity[:, :n], atol=2e-3)


@pytest.mark.parametrize("name", WRITERS)
def test_half_a_file_and_another_file_are_refused_in_one_line(name: str, surface: Surface, tmp_path: Path) -> None:
    if name == "bfm2017":
        pytest.importorskip("h5py")
    file, write = WRITERS[name]
    path = write(tmp_path / file, *surface)
    content = path.read_bytes()
    for broken in (content[: len(content) // 2], content[: len(content) // 50], content[:40], b"", b"nothing\n" * 99):
        path.write_bytes(broken)
        with pytest.raises(InputError) as caught:
            FOREIGN[name](path)
        assert "\n" not in str(caught.value)
    path.unlink()
    with pytest.raises(InputError, match="no such file"):
        FOREIGN[name](path)


def test_a_flame_pickle_without_a_template_is_no_flame(tmp_path: Path) -> None:
    path = write_pickle(tmp_path / "model.pkl", {"f": np.zeros((3, 3), int)})
    with pytest.raises(InputError, match=r"not a FLAME model \(nothing is named v_template"):
        FOREIGN["flame"](path)
    with pytest.raises(InputError, match="it is no dictionary"):
        FOREIGN["flame"](write_pickle(path, [1, 2]))


def test_matlab_of_a_newer_kind_is_named(tmp_path: Path) -> None:
    path = tmp_path / "all.mat"
    path.write_bytes(b"MATLAB 7.3 MAT-file" + bytes(600))
    with pytest.raises(InputError, match="save it with -v7"):
        FOREIGN["lsfm"](path)


def test_without_h5py_the_extra_is_named(surface: Surface, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "h5py", None)
    path = tmp_path / "model.h5"
    path.write_bytes(basel_2017.MAGIC)
    assert recognise(path) == "bfm2017"
    with pytest.raises(MissingDependencyError, match=r"synth-affect\[heads\]"):
        FOREIGN["bfm2017"](path)


def made(vertices: FloatArray, triangles: IntArray, identity: FloatArray) -> ForeignHead:
    return foreign_head("some", "CC0", "tests", vertices, triangles, identity)


@pytest.mark.parametrize("scale", [0.001, 0.1, 1.0, 1000.0])
def test_the_size_tells_the_unit(scale: float, surface: Surface) -> None:
    vertices, triangles, identity = surface
    head = made(vertices * scale, triangles, identity * scale)
    np.testing.assert_allclose(head.mean, vertices[:-4], atol=1e-3)
    np.testing.assert_allclose(head.identity_basis, identity[:, :-4], rtol=1e-4)


def test_no_head_is_so_small_and_arrays_must_belong_together(surface: Surface) -> None:
    vertices, triangles, identity = surface
    with pytest.raises(ShapeError, match="a head in metres"):
        made(vertices * 0.01, triangles, identity)
    with pytest.raises(ShapeError, match="triangles"):
        made(vertices, triangles + len(vertices), identity)
    with pytest.raises(ShapeError, match="identity"):
        made(vertices, triangles, identity[:, 1:])
    with pytest.raises(ShapeError, match="components that move the face"):
        made(vertices, triangles, identity[:0])


def test_many_components_are_cut_and_those_without_effect_left_out(surface: Surface) -> None:
    vertices, triangles, identity = surface
    many = np.repeat(identity[:1], MOST_IDENTITY + 7, axis=0)
    many[3, :-4] = 0  # moves the eyeball alone
    head = made(vertices, triangles, many)
    assert len(head.identity_basis) == MOST_IDENTITY
    assert np.abs(head.identity_basis).max(axis=(1, 2)).min() > 0


def test_what_is_recognised_and_what_is_not(tmp_path: Path) -> None:
    assert recognise(write_ict(tmp_path / "ict.npz")) == ICT
    np.savez(tmp_path / "ours.npz", meta=np.zeros(1))
    assert recognise(tmp_path / "ours.npz") == PACKED
    (tmp_path / "photo.jpg").write_bytes(b"\xff\xd8\xff")
    for path, reason in (
        (tmp_path / "photo.jpg", "models list"),
        (tmp_path, "a folder without"),
        (tmp_path / "absent.npz", "no such file"),
    ):
        with pytest.raises(InputError, match=reason):
            recognise(path)
    import zipfile

    with zipfile.ZipFile(tmp_path / "FLAME2023Open.zip", "w") as archive:
        archive.writestr("FLAME2023Open/flame2023_Open.pkl", "x")
    with pytest.raises(InputError, match="unpack it, and give flame2023_Open"):
        recognise(tmp_path / "FLAME2023Open.zip")


def test_a_triangle_without_area_is_left_out(surface: Surface) -> None:
    vertices, triangles, identity = surface
    flat = np.concatenate([triangles, [[0, 1, 1], [16, 16, 17]]])
    np.testing.assert_array_equal(
        made(vertices, flat, identity).triangles, made(vertices, triangles, identity).triangles
    )
