"""The rasterizer of the GPU: pytorch3d's, in this project's camera convention. It runs on a CPU too, slowly.

pytorch3d measures a picture in normalised coordinates, x to the left and y up, of which the shorter side reaches from
-1 to 1: x_ndc = (width - 2 x_px) / shorter, y_ndc = (height - 2 y_px) / shorter. Pixel centres are the same points in
both. Its depth is ours (mm along the optical axis), so its barycentrics are perspective-correct as ours are.

A centre exactly on an edge belongs to neither side in pytorch3d, and to both in `NumbaRasterizer`; that, and which of
two triangles at one depth is seen, is all that they may differ in.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from synth_affect.errors import ShapeError
from synth_affect.heads.camera import Camera, ImageSize, project
from synth_affect.heads.mesh import Mesh
from synth_affect.optional import import_optional
from synth_affect.render.fragments import Fragments

if TYPE_CHECKING:
    from torch import Tensor

EXTRA = "gpu"
NEAR_MM = 1.0
"""Triangles that reach nearer to the camera than this are dropped whole, as `NumbaRasterizer` drops them."""


@dataclass(frozen=True, slots=True)
class PyTorch3DRasterizer:
    """The `Rasterizer` of the GPU.

    device : of torch, "cuda" or "cpu".
    cull_backfaces, near_mm : as of `NumbaRasterizer`.
    """

    device: str = "cuda"
    cull_backfaces: bool = False
    near_mm: float = NEAR_MM

    def rasterize(self, mesh: Mesh, camera: Camera, size: ImageSize) -> Fragments:
        """The fragments of `mesh` seen by `camera`; batch and faces_per_pixel are 1.

        Raises MissingDependencyError without torch or pytorch3d.
        """
        torch = import_optional("torch", EXTRA)
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            vertices_image = project(camera, mesh.vertices)
        kept = np.flatnonzero(vertices_image[mesh.triangles, 2].min(axis=1) > self.near_mm)
        vertices_image[vertices_image[:, 2] <= self.near_mm, :2] = 0
        vertices = torch.as_tensor(vertices_image, dtype=torch.float32, device=self.device)[None]
        triangles = torch.as_tensor(mesh.triangles[kept], dtype=torch.int64, device=self.device)
        faces, depth, weights = (
            found.cpu().numpy()
            for found in rasterize_batch(vertices, triangles, size, cull_backfaces=self.cull_backfaces)
        )
        # -1 takes the last entry, which stands for "none".
        faces = np.append(kept, -1).astype(np.int32)[faces]
        return Fragments(faces[..., None], depth[..., None], weights[..., None, :])


def rasterize_batch(
    vertices_image: Tensor, triangles: Tensor, size: ImageSize, *, cull_backfaces: bool = False
) -> tuple[Tensor, Tensor, Tensor]:
    """The nearest triangle under every pixel centre, of a batch of meshes of one topology, on the tensors' device.

    vertices_image : (batch, n_vertices, 3) float32, x px, y px, depth mm (positive).
    triangles : (n_triangles, 3) int64.
    Returns pix_to_face (batch, height, width) int64, counted within each mesh; zbuf, alike, float32; bary_coords
        (batch, height, width, 3) float32, differentiable in the vertices; -1 where there is none.
    Raises ShapeError for vertices of another shape, MissingDependencyError without pytorch3d.
    """
    torch = import_optional("torch", EXTRA)
    structures = import_optional("pytorch3d.structures", EXTRA)
    renderer = import_optional("pytorch3d.renderer.mesh.rasterize_meshes", EXTRA)
    if vertices_image.ndim != 3 or vertices_image.shape[2] != 3:
        raise ShapeError("vertices_image", ("batch", "n_vertices", 3), tuple(vertices_image.shape))
    batch = len(vertices_image)
    if not len(triangles):
        empty = (batch, size.height, size.width)
        none = torch.full(empty, -1.0, device=vertices_image.device)
        return none.long(), none, none[..., None].expand(*empty, 3)
    shorter = min(size.height, size.width)
    extent = torch.tensor([size.width, size.height], dtype=vertices_image.dtype, device=vertices_image.device)
    vertices_ndc = torch.cat([(extent - 2 * vertices_image[..., :2]) / shorter, vertices_image[..., 2:]], dim=-1)
    meshes = structures.Meshes(vertices_ndc, triangles.expand(batch, -1, -1))
    faces, depth, weights, _ = renderer.rasterize_meshes(
        meshes,
        image_size=(size.height, size.width),
        blur_radius=0.0,
        faces_per_pixel=1,
        perspective_correct=True,
        cull_backfaces=cull_backfaces,
    )
    # Indices run on from mesh to mesh of a batch.
    first = len(triangles) * torch.arange(batch, device=faces.device)[:, None, None]
    faces = torch.where(faces[..., 0] >= 0, faces[..., 0] - first, faces[..., 0])
    return faces, depth[..., 0], weights[..., 0, :]
