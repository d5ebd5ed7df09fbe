"""What is seen of a batch of faces: for every window the triangle under each pixel, from either rasterizer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np

from synth_affect.fitting.photometric.device import EXTRA
from synth_affect.heads.camera import ImageSize
from synth_affect.optional import import_optional

if TYPE_CHECKING:
    from torch import Tensor


class BatchRasterizer(Protocol):
    """A `Rasterizer` for windows of projected meshes of one topology."""

    name: str

    def __call__(self, vertices_window: Tensor, triangles: Tensor, side: int) -> tuple[Tensor, Tensor]:
        """Triangle (batch, side, side) int64, -1 for none, and barycentrics (batch, side, side, 3).

        vertices_window : (batch, n_vertices, 3) x px, y px, depth mm.  triangles : (n_triangles, 3) int64.
        """
        ...


class NumbaBatch:
    """The CPU's rasterizer, face after face."""

    name = "numba"

    def __call__(self, vertices_window: Tensor, triangles: Tensor, side: int) -> tuple[Tensor, Tensor]:
        """See `BatchRasterizer`."""
        # Here, because it brings numba, which what runs on a GPU does without.
        from synth_affect.render.rasterizer import rasterize_projected

        torch = import_optional("torch", EXTRA)
        corners = triangles.cpu().numpy().astype(np.int32)
        found = [
            rasterize_projected(vertices, corners, ImageSize(side, side))
            for vertices in vertices_window.detach().float().cpu().numpy()
        ]
        faces = torch.tensor(np.stack([one.pix_to_face[0, :, :, 0] for one in found]), dtype=torch.int64)
        weights = torch.tensor(np.stack([one.bary_coords[0, :, :, 0] for one in found]), dtype=vertices_window.dtype)
        return faces.to(vertices_window.device), weights.to(vertices_window.device)


class PyTorch3DBatch:
    """pytorch3d's rasterizer, all faces at once on their device."""

    name = "pytorch3d"

    def __call__(self, vertices_window: Tensor, triangles: Tensor, side: int) -> tuple[Tensor, Tensor]:
        """See `BatchRasterizer`."""
        from synth_affect.render.pytorch3d_rasterizer import rasterize_batch

        faces, _, weights = rasterize_batch(vertices_window.detach().float(), triangles, ImageSize(side, side))
        return faces, weights.to(vertices_window.dtype)


def rasterizer_of(device: str) -> BatchRasterizer:
    """That of a device."""
    return PyTorch3DBatch() if device.startswith("cuda") else NumbaBatch()
