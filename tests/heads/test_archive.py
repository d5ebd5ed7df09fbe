from __future__ import annotations

import json
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest

from synth_affect.errors import InputError
from synth_affect.heads.archive import load_head, save_head, topology_id
from synth_affect.heads.model import HeadModel, LandmarkEmbedding


def rewritten(path: Path, **changed: np.ndarray) -> None:
    with np.load(path) as arrays:
        content = {name: arrays[name] for name in arrays.files}
    np.savez_compressed(path, **(content | changed))


@pytest.fixture
def packed(tiny_head: HeadModel, tmp_path: Path) -> Path:
    path = tmp_path / "tiny.npz"
    save_head(tiny_head, path)
    return path


def test_a_head_comes_back_whole(tiny_head: HeadModel, packed: Path) -> None:
    returned = load_head(packed)
    for field in fields(HeadModel):
        before, after = getattr(tiny_head, field.name), getattr(returned, field.name)
        if isinstance(before, LandmarkEmbedding):
            np.testing.assert_array_equal(after.triangles, before.triangles)
            np.testing.assert_array_equal(after.barycentric, before.barycentric)
        elif isinstance(before, np.ndarray):
            assert after.dtype == before.dtype, field.name
            np.testing.assert_array_equal(after, before, err_msg=field.name)
        else:
            assert after == before


def test_bases_are_rounded_to_half_precision_and_the_mean_is_not(tiny_head: HeadModel, tmp_path: Path) -> None:
    path, odd = tmp_path / "odd.npz", np.float32(10 / 3)
    save_head(replace(tiny_head, mean=tiny_head.mean + odd, identity_basis=tiny_head.identity_basis + odd), path)
    returned = load_head(path)
    np.testing.assert_array_equal(returned.mean, tiny_head.mean + odd)
    error_mm = np.abs(returned.identity_basis - (tiny_head.identity_basis + odd)).max()
    assert 0 < error_mm < 0.01


def test_the_same_head_gives_the_same_bytes(tiny_head: HeadModel, packed: Path, tmp_path: Path) -> None:
    again = tmp_path / "again.npz"
    save_head(tiny_head, again)
    assert again.read_bytes() == packed.read_bytes()


def test_nothing_in_the_file_is_pickled(packed: Path) -> None:
    with np.load(packed, allow_pickle=False) as arrays:
        assert all(arrays[name].dtype.kind in "fiu" for name in arrays.files)


def test_a_file_with_a_pickled_object_is_refused(packed: Path) -> None:
    rewritten(packed, mean=np.array([{"vertices": 6}], dtype=object))
    with pytest.raises(InputError, match="not a packed head model"):
        load_head(packed)


def test_an_absent_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "absent.npz"
    with pytest.raises(InputError) as caught:
        load_head(path)
    assert str(caught.value) == f"{path}: no such file"


def test_a_folder_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        load_head(tmp_path)


def test_another_format_is_named(packed: Path) -> None:
    with np.load(packed) as arrays:
        meta = json.loads(arrays["meta"].tobytes()) | {"format": "synth-affect/head/9"}
    rewritten(packed, meta=np.frombuffer(json.dumps(meta).encode(), dtype=np.uint8))
    with pytest.raises(InputError, match="head format synth-affect/head/9, expected synth-affect/head/1"):
        load_head(packed)


def damaged_files(whole: bytes) -> dict[str, bytes]:
    middle = bytearray(whole)
    middle[len(whole) // 3 : len(whole) // 3 + 40] = bytes(40)
    return {"empty": b"", "text": b"v 1 2 3\n", "truncated": whole[: len(whole) // 2], "overwritten": bytes(middle)}


@pytest.mark.parametrize("damage", ["empty", "text", "truncated", "overwritten"])
def test_a_damaged_file_is_refused_with_its_name(packed: Path, damage: str) -> None:
    packed.write_bytes(damaged_files(packed.read_bytes())[damage])
    with pytest.raises(InputError, match=r"tiny\.npz: not a packed head model"):
        load_head(packed)


def test_a_single_array_is_no_head(tmp_path: Path) -> None:
    path = tmp_path / "array.npy"
    np.save(path, np.zeros(3))
    with pytest.raises(InputError, match="not a packed head model"):
        load_head(path)


def test_a_file_without_one_of_its_arrays_is_refused(packed: Path) -> None:
    with np.load(packed) as arrays:
        content = {name: arrays[name] for name in arrays.files if name != "mirror"}
    np.savez_compressed(packed, **content)
    with pytest.raises(InputError, match="mirror"):
        load_head(packed)


def test_arrays_that_do_not_belong_together_are_refused(packed: Path) -> None:
    rewritten(packed, mean=np.zeros((5, 3), dtype=np.float32))
    with pytest.raises(InputError, match="not a packed head model"):
        load_head(packed)


def test_the_topology_is_read_from_the_triangles_whatever_their_integers() -> None:
    triangles = np.array([[0, 1, 2], [2, 1, 3]], dtype=np.int32)
    assert topology_id(triangles) == topology_id(triangles.astype(np.uint16)) == topology_id(triangles.astype(np.int64))
    assert topology_id(triangles) != topology_id(triangles[:, [1, 2, 0]])
