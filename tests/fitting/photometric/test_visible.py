"""One contract for both batch rasterizers; pytorch3d's runs where `make gpu-contract` installed it."""

from __future__ import annotations

import importlib.util

import numpy as np
import pytest

from synth_affect.fitting.photometric.visible import BatchRasterizer, NumbaBatch, PyTorch3DBatch, rasterizer_of
from synth_affect.heads.camera import ImageSize, project
from synth_affect.heads.model import HeadModel
from synth_affect.render.rasterizer import rasterize_projected
from tests.fitting.photometric.conftest import Portrait

torch = pytest.importorskip("torch")

SIDE = 36
live = pytest.mark.skipif(importlib.util.find_spec("pytorch3d") is None, reason="pytorch3d (make gpu-contract)")


@pytest.fixture(params=[NumbaBatch, pytest.param(PyTorch3DBatch, marks=live)], ids=["numba", "pytorch3d"])
def rasterizer(request: pytest.FixtureRequest) -> BatchRasterizer:
    return request.param()


def test_every_window_holds_its_own_face(
    rasterizer: BatchRasterizer, head: HeadModel, portraits: list[Portrait]
) -> None:
    placed = np.stack([project(one.camera, one.vertices) * [0.2, 0.2, 1] for one in portraits]).astype(np.float32)
    faces, weights = rasterizer(torch.tensor(placed), torch.tensor(head.triangles.tolist()), SIDE)
    assert faces.shape == (2, SIDE, SIDE)
    assert weights.shape == (2, SIDE, SIDE, 3)
    assert faces.dtype == torch.int64
    for index in range(2):
        expected = rasterize_projected(placed[index], head.triangles, ImageSize(SIDE, SIDE))
        same = faces[index].numpy() == expected.pix_to_face[0, :, :, 0]
        assert same.mean() >= 0.999
        np.testing.assert_allclose(weights[index].numpy()[same], expected.bary_coords[0, :, :, 0][same], atol=1e-4)
    assert (faces[0] != faces[1]).any()


def test_each_device_has_its_rasterizer() -> None:
    assert rasterizer_of("cpu").name == "numba"
    assert rasterizer_of("cuda").name == rasterizer_of("cuda:1").name == "pytorch3d"
