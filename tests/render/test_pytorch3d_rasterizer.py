"""pytorch3d's rasterizer, live: `make gpu-contract` installs it. Without it, what a user is told."""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING

import numpy as np
import pytest

from synth_affect.errors import MissingDependencyError, ShapeError
from synth_affect.heads.camera import Camera, ImageSize, project
from synth_affect.heads.mesh import Mesh
from synth_affect.render.pytorch3d_rasterizer import PyTorch3DRasterizer, rasterize_batch
from synth_affect.render.rasterizer import NumbaRasterizer
from tools.golden_fragments.archive import GoldenLayer
from tools.golden_fragments.cases import ball, golden_camera, knot
from tools.golden_fragments.compare import agreement

if TYPE_CHECKING:
    from torch import Tensor

INSTALLED = importlib.util.find_spec("pytorch3d") is not None
live = pytest.mark.skipif(not INSTALLED, reason="pytorch3d is not installed (make gpu-contract)")
SIZE = ImageSize(height=40, width=56)
CAMERA = Camera(np.eye(3), np.array([0.0, 0.0, 600.0]), 110.0, np.array([28.3, 19.8]))


@pytest.mark.skipif(INSTALLED, reason="pytorch3d is installed")
def test_without_pytorch3d_the_extra_is_named() -> None:
    with pytest.raises(MissingDependencyError, match=r"synth-affect\[gpu\]"):
        PyTorch3DRasterizer("cpu").rasterize(ball(90.0, 6, 8), CAMERA, SIZE)


@live
@pytest.mark.parametrize("cull_backfaces", [False, True])
@pytest.mark.parametrize("pose", [1, 3])
@pytest.mark.parametrize("mesh", [ball(95.0, 12, 18), knot(70.0, 20.0, 60, 8)], ids=["ball", "knot"])
def test_both_rasterizers_agree_on_a_picture_that_is_not_square(mesh: Mesh, pose: int, cull_backfaces: bool) -> None:
    camera = Camera(golden_camera(pose).rotation, CAMERA.translation, CAMERA.focal_px, CAMERA.principal_point)
    ours = NumbaRasterizer(cull_backfaces=cull_backfaces).rasterize(mesh, camera, SIZE)
    layer = GoldenLayer(ours.pix_to_face[0, :, :, 0], ours.zbuf[0, :, :, 0], ours.bary_coords[0, :, :, 0])
    theirs = PyTorch3DRasterizer("cpu", cull_backfaces=cull_backfaces).rasterize(mesh, camera, SIZE)
    assert agreement(theirs, layer).holds, agreement(theirs, layer)
    assert (layer.faces >= 0).sum() > 200


@live
def test_what_reaches_behind_the_camera_is_dropped_by_both() -> None:
    mesh = ball(95.0, 12, 18)
    close = Camera(np.eye(3), np.array([0.0, 0.0, 60.0]), 15.0, np.array([28.3, 19.8]))
    ours = NumbaRasterizer().rasterize(mesh, close, SIZE)
    theirs = PyTorch3DRasterizer("cpu").rasterize(mesh, close, SIZE)
    np.testing.assert_array_equal(theirs.pix_to_face, ours.pix_to_face)
    assert (ours.pix_to_face >= 0).any()
    behind = Camera(np.eye(3), np.array([0.0, 0.0, -600.0]), 110.0, np.array([28.3, 19.8]))
    assert (PyTorch3DRasterizer("cpu").rasterize(mesh, behind, SIZE).pix_to_face == -1).all()


@live
def test_a_batch_is_its_single_meshes() -> None:
    torch = pytest.importorskip("torch")
    mesh = knot(70.0, 20.0, 60, 8)
    cameras = [
        Camera(golden_camera(pose).rotation, CAMERA.translation, 110.0, np.array([28.3, 19.8])) for pose in (0, 1, 2)
    ]
    vertices = torch.as_tensor(np.stack([project(camera, mesh.vertices) for camera in cameras]), dtype=torch.float32)
    triangles = torch.tensor(mesh.triangles.tolist())
    together = rasterize_batch(vertices, triangles, SIZE)
    for index in range(3):
        alone = rasterize_batch(vertices[index : index + 1], triangles, SIZE)
        for ours, theirs in zip(together, alone, strict=True):
            assert torch.equal(ours[index], theirs[0])


@live
def test_barycentrics_have_the_gradient_of_finite_differences() -> None:
    torch = pytest.importorskip("torch")
    triangle = torch.tensor([[[8.2, 33.1, 500.0], [49.7, 30.4, 640.0], [22.6, 4.3, 560.0]]])
    faces = torch.tensor([[0, 1, 2]])
    weights = torch.rand((1, 40, 56, 3), generator=torch.Generator().manual_seed(3))

    def value(vertices: Tensor) -> Tensor:
        pix_to_face, _, barycentric = rasterize_batch(vertices, faces, SIZE)
        inside = torch.zeros_like(pix_to_face, dtype=torch.bool)
        inside[:, 12:28, 20:30] = True
        assert (pix_to_face[inside] == 0).all()
        return (barycentric * weights)[inside].double().sum()

    moving = triangle.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(value(moving), moving)
    for corner in range(3):
        for axis in range(3):
            step = torch.zeros_like(triangle)
            step[0, corner, axis] = 0.5 if axis < 2 else 5.0
            difference = (value(triangle + step) - value(triangle - step)) / (2 * step[0, corner, axis])
            expected = float(gradient[0, corner, axis])
            assert float(difference) == pytest.approx(expected, rel=0.02, abs=2e-3 * float(gradient.abs().max()))


@live
def test_vertices_of_another_shape_are_refused() -> None:
    torch = pytest.importorskip("torch")
    with pytest.raises(ShapeError, match="vertices_image"):
        rasterize_batch(torch.zeros(3, 3), torch.tensor([[0, 1, 2]]), SIZE)
