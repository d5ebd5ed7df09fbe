from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from synth_affect.errors import InputError
from synth_affect.heads import ict_folder as module
from synth_affect.heads.ict import load_ict
from synth_affect.heads.ict_folder import neutral_digest, read_folder, shapes_folder
from tests.heads.foreign_files import write_shape
from tests.heads.ict_file import ict_arrays, write_ict


@pytest.fixture(scope="module")
def arrays() -> Iterator[dict[str, Any]]:
    """Of the small packed file, whose parts and landmarks the folder's reader is told."""
    arrays = ict_arrays()
    names, ranges = arrays["region_names"].tolist(), arrays["region_vertex_ranges"].tolist()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "RANGES", dict(zip(names, ranges, strict=True)))
        patch.setattr(module, "LANDMARKS_68", tuple(arrays["landmarks_68"].tolist()))
        patch.setattr(module, "N_IDENTITY", 3)
        yield arrays


@pytest.fixture(scope="module")
def folder(arrays: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    shapes = tmp_path_factory.mktemp("download") / "ICT-FaceKit" / "FaceXModel"
    shapes.mkdir(parents=True)
    mean, polygons = arrays["mean"].astype(np.float64), arrays["polygons"]
    write_shape(shapes / module.NEUTRAL, mean, polygons)
    for k, offsets in enumerate(arrays["identity"]):
        write_shape(shapes / f"identity{k:03d}.obj", mean + offsets, polygons[:1])
    for name, offsets in zip(arrays["expression_names"], arrays["expression"], strict=True):
        write_shape(shapes / f"{name}.obj", mean + offsets, polygons[:1])
    return shapes.parent


def test_the_folder_is_the_packed_file(folder: Path, arrays: dict[str, Any], tmp_path: Path) -> None:
    read = read_folder(folder)
    assert set(read) == set(arrays)
    for name in ("mean", "polygons", "identity", "landmarks_68", "region_vertex_ranges"):
        np.testing.assert_array_equal(read[name], arrays[name])
    order = [list(arrays["expression_names"]).index(name) for name in read["expression_names"]]
    np.testing.assert_array_equal(read["expression"], arrays["expression"][order])
    head, packed = load_ict(folder), load_ict(write_ict(tmp_path / "ict.npz"))
    assert head.topology == packed.topology
    np.testing.assert_array_equal(head.expression_units, packed.expression_units)


def test_the_download_or_its_folder_may_be_given(folder: Path, tmp_path: Path) -> None:
    assert shapes_folder(folder) == shapes_folder(folder / "FaceXModel") == folder / "FaceXModel"
    assert shapes_folder(tmp_path) is None
    with pytest.raises(InputError, match="it has no generic_neutral_mesh"):
        read_folder(tmp_path)


def test_a_shape_that_is_missing_cut_off_or_of_another_mesh_is_named(folder: Path) -> None:
    shape = folder / "FaceXModel" / "jawOpen.obj"
    text = shape.read_text()
    for broken, reason in (
        (text[:9], "no vertices in it"),
        (text.replace("\nv ", "\nv 1 2 3\nv ", 1), "vertices, the neutral mesh has"),
        (text.replace("\nv ", "\nv x", 1), "not a shape"),
    ):
        shape.write_text(broken)
        with pytest.raises(InputError, match=reason) as caught:
            read_folder(folder)
        assert "jawOpen.obj" in caught.value.path
    shape.unlink()
    with pytest.raises(InputError, match="no such file"):
        read_folder(folder)
    shape.write_text(text)


def test_the_sum_is_of_what_is_read(folder: Path) -> None:
    shape = folder / "FaceXModel" / module.NEUTRAL
    before = neutral_digest(shape)
    shape.write_text("# a comment\n" + shape.read_text())
    assert neutral_digest(shape) == before
    text = shape.read_text()
    shape.write_text(text.replace("\nf ", "\nf 1/1 2/1 3/1\nf ", 1))
    assert neutral_digest(shape) != before
    shape.write_text(text)
