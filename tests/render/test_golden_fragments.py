"""The CPU's rasterizer against what pytorch3d made of the same meshes, kept in a file: the contract of both."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from synth_affect.render.fragments import Fragments
from synth_affect.render.rasterizer import NumbaRasterizer
from tools.golden_fragments.archive import GoldenLayer, load_golden, save_golden
from tools.golden_fragments.cases import POSES_DEG, SIZE, golden_camera, golden_meshes
from tools.golden_fragments.compare import agreement

GOLDEN = Path(__file__).with_name("golden_fragments.npz")
CASES = [(name, pose) for name in ("head", "ball", "knot") for pose in range(len(POSES_DEG))]


@pytest.fixture(scope="module")
def golden() -> dict[tuple[str, int], GoldenLayer]:
    return load_golden(GOLDEN)


@pytest.mark.parametrize(("name", "pose"), CASES)
def test_the_cpu_draws_what_pytorch3d_draws(name: str, pose: int, golden: dict[tuple[str, int], GoldenLayer]) -> None:
    found = agreement(NumbaRasterizer().rasterize(golden_meshes()[name], golden_camera(pose), SIZE), golden[name, pose])
    assert found.holds, found
    assert (golden[name, pose].faces >= 0).mean() > 0.05, "something is seen"


def test_every_mesh_is_closed_or_hides_parts_of_itself(golden: dict[tuple[str, int], GoldenLayer]) -> None:
    """Else the file would not tell a rasterizer that forgets depth from one that does not."""
    for name in ("head", "knot"):
        seen = np.unique(golden[name, 0].faces)
        assert len(seen) < 0.5 * len(golden_meshes()[name].triangles)


@pytest.mark.parametrize(("what", "amount"), [("faces", 1), ("weights", 2e-4), ("depth", 2e-4)])
def test_a_difference_beyond_the_tolerance_is_found(what: str, amount: float) -> None:
    mesh, camera = golden_meshes()["ball"], golden_camera(1)
    true = NumbaRasterizer().rasterize(mesh, camera, SIZE)
    faces, depth, weights = true.pix_to_face.copy(), true.zbuf.copy(), true.bary_coords.copy()
    hit = np.argwhere(faces[0, :, :, 0] >= 0)
    for row, column in hit[: len(hit) // 20]:
        if what == "faces":
            faces[0, row, column] += amount
        elif what == "weights":
            weights[0, row, column, 0, 0] += amount
        else:
            depth[0, row, column] *= 1 + amount
    layer = GoldenLayer(true.pix_to_face[0, :, :, 0], true.zbuf[0, :, :, 0], true.bary_coords[0, :, :, 0])
    assert agreement(true, layer).holds
    assert not agreement(Fragments(faces, depth, weights), layer).holds


def test_the_file_keeps_what_it_is_given(tmp_path: Path) -> None:
    layers = {
        (name, pose): NumbaRasterizer().rasterize(golden_meshes()[name], golden_camera(pose), SIZE)
        for name, pose in CASES
    }
    save_golden(layers, tmp_path / "golden.npz")
    for case, layer in load_golden(tmp_path / "golden.npz").items():
        found = agreement(layers[case], layer)
        assert found.same_faces == 1
        assert max(found.worst_weight, found.worst_depth) < 2e-5


def test_a_file_of_other_meshes_is_refused(tmp_path: Path) -> None:
    with np.load(GOLDEN) as stored:
        arrays = dict(stored)
    arrays["ball_checksum"] = arrays["ball_checksum"] * 1.01
    np.savez(tmp_path / "other.npz", **arrays)
    with pytest.raises(ValueError, match="another ball"):
        load_golden(tmp_path / "other.npz")
