from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.spatial import cKDTree

from synth_affect.blendshape.action_units import ARKIT_UNITS
from synth_affect.errors import InputError
from synth_affect.heads.ict import BLINK_TRAVEL, load_ict
from synth_affect.heads.ict_file import ARKIT_TO_ICT
from synth_affect.heads.mesh import triangle_normals
from synth_affect.heads.model import HeadModel, embed, region_triangles, region_vertices
from synth_affect.heads.regions import REGIONS
from tests.heads.ict_file import LIP_RINGS, ict_arrays, write_ict

FLIP = np.array([-1, 1, 1])


@pytest.fixture(scope="module")
def arrays() -> dict[str, Any]:
    return ict_arrays()


@pytest.fixture(scope="module")
def head(tmp_path_factory: pytest.TempPathFactory) -> HeadModel:
    return load_ict(write_ict(tmp_path_factory.mktemp("ict") / "ict.npz"))


def unit(head: HeadModel, name: str) -> np.ndarray:
    return head.expression_units[head.unit_names.index(name)]


# --- Names, units, frame ---


def test_units_carry_the_names_of_arkit_all_but_the_tongue() -> None:
    assert set(ARKIT_UNITS) - set(ARKIT_TO_ICT) == {"tongueOut"}
    assert set(ARKIT_TO_ICT) <= set(ARKIT_UNITS)
    shapes = [ict for parts in ARKIT_TO_ICT.values() for ict in parts]
    assert len(shapes) == len(set(shapes)) == 53


def test_left_is_left_and_both_halves_of_a_unit_are_summed(head: HeadModel, arrays: dict[str, Any]) -> None:
    """The small file moves all vertices alike, so a unit is told by one of them; cm become mm."""

    def of_ict(name: str) -> np.ndarray:
        return arrays["expression"][list(arrays["expression_names"]).index(name), 0].astype(np.float32) * 10

    np.testing.assert_allclose(unit(head, "mouthSmileLeft")[0], of_ict("mouthSmile_L"))
    np.testing.assert_allclose(unit(head, "mouthSmileRight")[0], of_ict("mouthSmile_R"))
    np.testing.assert_allclose(unit(head, "browInnerUp")[0], of_ict("browInnerUp_L") + of_ict("browInnerUp_R"))
    np.testing.assert_allclose(unit(head, "cheekPuff")[0], of_ict("cheekPuff_L") + of_ict("cheekPuff_R"))
    np.testing.assert_allclose(unit(head, "eyeBlinkLeft")[0], BLINK_TRAVEL * of_ict("eyeBlink_L"), rtol=1e-6)


def test_millimetres_from_a_point_between_the_eyes(head: HeadModel) -> None:
    eyes = region_vertices(head, "eyeball", "iris")
    np.testing.assert_allclose(head.mean[eyes].mean(axis=0)[:2], 0, atol=0.5)
    assert 100 < np.ptp(head.mean[region_vertices(head, "skin")], axis=0)[0] < 160
    assert head.identity_basis.dtype == np.float32
    assert len(head.identity_basis) == 3


def test_the_tree_of_names_is_that_of_the_packaged_head(head: HeadModel) -> None:
    assert head.region_names == REGIONS
    assert {head.region_names[k] for k in np.unique(head.triangle_regions)} == set(REGIONS)
    assert (head.name, head.licence) == ("ict", "MIT")


# --- Regions ---


def test_lips_end_at_their_landmarks_and_the_cavity_begins_behind_them(head: HeadModel) -> None:
    lips, cavity = region_vertices(head, "lips"), region_vertices(head, "mouth_cavity")
    border = embed(head.mean, head.triangles, head.landmarks_68)[48:60]
    low, high = border[:, :2].min(axis=0), border[:, :2].max(axis=0)
    assert (head.mean[lips][:, :2] > low - 0.1).all()
    assert (head.mean[lips][:, :2] < high + 0.1).all()
    # The face's rim round the mouth is LIP_RINGS squares further in; the innermost three rows are cavity.
    assert np.ptp(head.mean[lips], axis=0)[1] == pytest.approx((2 * LIP_RINGS + 2) * 3.5, abs=0.1)
    assert len(np.intersect1d(lips, cavity)) > 0


def test_what_the_jaw_carries_is_lower(head: HeadModel) -> None:
    travel = np.abs(unit(head, "jawOpen")[:, 1])
    assert travel[region_vertices(head, "teeth_upper")].max() == 0
    assert travel[region_vertices(head, "teeth_lower")].min() == 40
    assert travel[region_vertices(head, "tongue")].min() == 40
    assert travel[region_vertices(head, "gums")].min() == 0


def test_parts_that_imitate_wetness_and_the_inner_shells_are_not_drawn(head: HeadModel, arrays: dict[str, Any]) -> None:
    ranges = dict(zip(arrays["region_names"], arrays["region_vertex_ranges"], strict=True))
    kept = np.ptp(ranges["eyelashes_left"]) + 1
    assert len(region_vertices(head, "lashes")) == 2 * kept
    ball = region_vertices(head, "eyeball", "iris")
    first, last = ranges["eyeball_left"]
    left = arrays["mean"][first : last + 1] * 10
    outer, inner = left[: len(left) // 2], left[len(left) // 2 :]
    drawn = head.mean[ball[head.mean[ball, 0] > 0]]
    up = embed(head.mean, head.triangles, head.landmarks_68)[8] - arrays["mean"][arrays["landmarks_68"][8]] * 10
    np.testing.assert_allclose(cKDTree(outer + up).query(drawn)[0], 0, atol=1e-3)
    assert np.min(cKDTree(inner + up).query(drawn)[0]) > 0.5
    assert len(drawn) < 0.7 * len(outer)  # without its back


def test_every_vertex_is_drawn_and_every_triangle_faces_outwards(head: HeadModel) -> None:
    np.testing.assert_array_equal(np.unique(head.triangles), np.arange(len(head.mean)))
    face = head.triangles[region_triangles(head, "skin", "lips", "lids")]
    assert (triangle_normals(head.mean, face)[:, 2] > 0).all()
    assert np.linalg.norm(triangle_normals(head.mean, head.triangles), axis=1).min() > 0


def test_texture_coordinates_are_in_the_square_and_keep_the_shape_of_triangles(head: HeadModel) -> None:
    assert head.uv.min() >= 0
    assert head.uv.max() <= 1
    assert np.ptp(head.uv[head.uv_triangles], axis=1).max() < 0.5  # no triangle spans the seam


def test_mirror_is_an_involution_across_the_middle(head: HeadModel) -> None:
    np.testing.assert_array_equal(head.mirror[head.mirror], np.arange(len(head.mean)))
    face = region_vertices(head, "skin", "lips", "lids")
    np.testing.assert_allclose(head.mean[head.mirror[face]] * FLIP, head.mean[face], atol=0.01)
    left = region_vertices(head, "iris")
    assert (head.mean[head.mirror[left], 0] * head.mean[left, 0] <= 1e-3).all()


def test_landmarks_are_those_of_the_file(head: HeadModel, arrays: dict[str, Any]) -> None:
    points = embed(head.mean, head.triangles, head.landmarks_68)
    theirs = arrays["mean"][arrays["landmarks_68"]] * 10
    np.testing.assert_allclose(points - points[8], theirs - theirs[8], atol=1e-3)
    assert len(head.landmarks_478.triangles) == 0


# --- Files that are something else ---


def object_array(path: Path) -> Path:
    np.savez(path, **{**ict_arrays(), "mean": np.array([{"a": 1}], dtype=object)})
    return path


def truncated(path: Path) -> Path:
    whole = write_ict(path).read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    return path


def damaged(path: Path) -> Path:
    whole = bytearray(write_ict(path).read_bytes())
    whole[2000:2400] = bytes(400)
    path.write_bytes(whole)
    return path


def single_array(path: Path) -> Path:
    with path.open("wb") as file:
        np.save(file, np.zeros(3))
    return path


def text(path: Path) -> Path:
    path.write_text("v 0 0 0\n")
    return path


@pytest.mark.parametrize("make", [object_array, truncated, damaged, single_array, text])
def test_a_file_of_another_kind_is_one_line(make: Any, tmp_path: Path) -> None:
    path = make(tmp_path / "model.npz")
    with pytest.raises(InputError, match="not a packed ICT-FaceKit model") as caught:
        load_ict(path)
    assert caught.value.path == str(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"mean": None}, "mean is not a file in the archive"),
        ({"mean": np.zeros((5, 3), np.float32)}, "polygons"),
        ({"mean": np.full((20, 3), np.nan, np.float32)}, "NaN"),
        ({"polygons": np.array([[0, 1, -1, -1]])}, "fourth column only"),
        ({"polygons": np.array([[0, 1, 2, 10**6]])}, "polygons: expected indices"),
        ({"polygons": np.zeros((2, 4))}, "whole numbers"),
        ({"expression_names": np.array(["jawOpen"])}, "expression: expected"),
        ({"landmarks_68": np.zeros(67, dtype=np.int32)}, "landmarks_68: expected"),
        ({"landmarks_68": np.full(68, -1)}, "landmarks_68: expected"),
        ({"region_names": np.array(["face"])}, "region_vertex_ranges: expected"),
    ],
)
def test_arrays_that_do_not_fit_are_named(changed: dict[str, Any], says: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=says):
        load_ict(write_ict(tmp_path / "model.npz", **changed))


def test_a_missing_unit_and_a_missing_part_are_named(tmp_path: Path) -> None:
    names = ict_arrays()["expression_names"].copy()
    names[list(names).index("jawOpen")] = "yawn"
    with pytest.raises(InputError, match="none named jawOpen"):
        load_ict(write_ict(tmp_path / "model.npz", expression_names=names))
    regions = ict_arrays()["region_names"].copy()
    regions[list(regions).index("teeth")] = "tusks"
    with pytest.raises(InputError, match="none named teeth"):
        load_ict(write_ict(tmp_path / "model.npz", region_names=regions))


def test_vertices_out_of_range_are_named(tmp_path: Path) -> None:
    ranges = ict_arrays()["region_vertex_ranges"].copy()
    ranges[3, 1] = 10**6
    with pytest.raises(InputError, match="region_vertex_ranges: expected vertices"):
        load_ict(write_ict(tmp_path / "model.npz", region_vertex_ranges=ranges))


def test_no_file_and_a_folder(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        load_ict(tmp_path / "absent.npz")
    with pytest.raises(InputError, match="has no generic_neutral_mesh"):
        load_ict(tmp_path)
