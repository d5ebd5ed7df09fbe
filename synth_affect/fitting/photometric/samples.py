"""The points of the surface that are compared with pixels until visibility is looked up anew."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from synth_affect.fitting.photometric.device import EXTRA
from synth_affect.fitting.photometric.surface import FaceSurface
from synth_affect.fitting.photometric.view import Views, project_views
from synth_affect.fitting.photometric.visible import BatchRasterizer
from synth_affect.fitting.photometric.window import look_up
from synth_affect.optional import import_optional

if TYPE_CHECKING:
    from torch import Tensor

GRAZING, FACING = 0.15, 0.45
"""Cosine between normal and view from which a sample counts, and from which it counts fully."""


@dataclass(frozen=True, slots=True, eq=False)
class Pyramid:
    """The windows of a batch at one level.

    images : (batch, side, side, 3), linear light over the face's median.
    usable : (batch, side, side, 1), in [0, 1].
    origin (batch, 2), px of the picture from the principal point; scale (batch,), pixels of the level a pixel of the
    picture.
    """

    images: Tensor
    usable: Tensor
    origin: Tensor
    scale: Tensor

    @property
    def side(self) -> int:
        """Pixels across."""
        return int(self.images.shape[1])

    def place(self, points: Tensor) -> Tensor:
        """(batch, n, 2) px of the level, of px from the principal point."""
        placed: Tensor = (points - self.origin[:, None]) * self.scale[:, None, None]
        return placed


@dataclass(frozen=True, slots=True, eq=False)
class Samples:
    """n samples a face, on places of the surface that stay.

    points (batch, n, 3), mm from the head's centre, at zero coefficients.  basis (batch, n, 3, k).
    normals (batch, n, 3), head frame, of any length, at the coefficients `around` (batch, k); their derivatives
    normal_basis (batch, n, 3, k).
    bumps (batch, n, n_bumps).  weights (batch, n), of which those of a face sum to 1, or are all 0.
    """

    points: Tensor
    basis: Tensor
    normals: Tensor
    normal_basis: Tensor
    around: Tensor
    bumps: Tensor
    weights: Tensor


def surface_points(surface: FaceSurface, coefficients: Tensor) -> Tensor:
    """(batch, n_kept, 3), mm from the head's centre. coefficients : (batch, k)."""
    n_kept = len(surface.points)
    moved: Tensor = surface.points + (coefficients @ surface.basis.reshape(3 * n_kept, -1).T).reshape(-1, n_kept, 3)
    return moved


def find_samples(
    surface: FaceSurface,
    views: Views,
    coefficients: Tensor,
    pyramid: Pyramid,
    rasterizer: BatchRasterizer,
    count: int,
) -> Samples:
    """At most `count` samples a face, spread evenly over what is seen of its skin and lips."""
    torch = import_optional("torch", EXTRA)
    points = surface_points(surface, coefficients)
    projected, depth = project_views(views, points)
    placed = torch.cat([pyramid.place(projected), depth[..., None]], dim=-1)
    faces, weights = rasterizer(placed, surface.triangles, pyramid.side)
    taken, pixels = spread_evenly(_inside(surface.compared[faces.clamp(min=0)] & (faces >= 0)).flatten(1), count)
    face = faces.flatten(1).gather(1, pixels).clamp(min=0)
    share = weights.flatten(1, 2).gather(1, pixels[..., None].expand(-1, -1, 3)) * taken[..., None]
    corners = surface.triangles[face]
    mesh = torch.arange(len(corners), device=corners.device)[:, None]

    def carried(values: Tensor, of_mesh: tuple[Tensor, ...] = ()) -> Tensor:
        """Values at vertices, (n_kept, ...), or (batch, n_kept, ...) with `of_mesh`, carried to the samples."""
        rest = (1,) * (values.ndim - 1 - len(of_mesh))
        first, second, third = (
            values[(*of_mesh, corners[..., k])] * share[..., k].reshape(*share.shape[:2], *rest) for k in range(3)
        )
        made: Tensor = first + second + third
        return made

    normals, normal_basis = vertex_normals(surface, points), _normal_basis(surface, points)
    samples = Samples(
        points=carried(surface.points),
        basis=carried(surface.basis),
        normals=carried(normals, (mesh,)),
        normal_basis=carried(normal_basis, (mesh,)),
        around=coefficients,
        bumps=carried(surface.bumps),
        weights=taken.to(points.dtype),
    )
    return _weighted(samples, views, pyramid)


def _weighted(samples: Samples, views: Views, pyramid: Pyramid) -> Samples:
    """With weights for how far the skin is turned to the camera, and for what may be used of the picture."""
    torch = import_optional("torch", EXTRA)
    points = samples.points + torch.einsum("bndk,bk->bnd", samples.basis, samples.around)
    at = points @ views.head_to_camera.transpose(1, 2)
    at = at + torch.cat([views.shift_mm, views.log_distance.exp()[:, None]], dim=1)[:, None]
    normals = samples.normals @ views.head_to_camera.transpose(1, 2)
    cosine = -(normals * at).sum(-1) / (normals.norm(dim=-1) * at.norm(dim=-1)).clamp(min=1e-9)
    facing = ((cosine - GRAZING) / (FACING - GRAZING)).clamp(0, 1)
    usable, _ = look_up(pyramid.usable, pyramid.place(project_views(views, points)[0]))
    weights = samples.weights * facing * usable[..., 0].clamp(0, 1)
    weights = weights / weights.sum(1, keepdim=True).clamp(min=1e-9)
    return Samples(
        samples.points, samples.basis, samples.normals, samples.normal_basis, samples.around, samples.bumps, weights
    )


def _inside(seen: Tensor) -> Tensor:
    """Without the pixels at the border, which mix face and background. seen : (batch, side, side) bool."""
    inside = seen.clone()
    inside[:, 1:] &= seen[:, :-1]
    inside[:, :-1] &= seen[:, 1:]
    inside[:, :, 1:] &= seen[:, :, :-1]
    inside[:, :, :-1] &= seen[:, :, 1:]
    return inside


def spread_evenly(seen: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """Which of `count` places are taken (batch, count), 1 or 0, and the pixels (batch, count) int64 in them: all that
    are seen, or every so many of them. seen : (batch, n_pixels) bool.
    """
    torch = import_optional("torch", EXTRA)
    order = torch.argsort((~seen).to(torch.uint8), dim=1, stable=True)
    total = seen.sum(1, keepdim=True)
    place = torch.arange(count, device=seen.device)[None]
    spread = torch.where(total > count, (place * total) // count, place)
    pixels = order.gather(1, spread.clamp(max=seen.shape[1] - 1))
    return (spread < total).float(), pixels


def vertex_normals(surface: FaceSurface, points: Tensor) -> Tensor:
    """(batch, n_kept, 3), mm^2: sums of the edge products around each compared vertex."""
    torch = import_optional("torch", EXTRA)
    first, second = _edges(surface, points)
    normals = torch.linalg.cross(first, second).repeat(1, 3, 1)
    made: Tensor = torch.zeros_like(points).index_add_(1, surface.shaded.T.flatten(), normals)
    return made


def _normal_basis(surface: FaceSurface, points: Tensor) -> Tensor:
    """(batch, n_kept, 3, k), derivatives of `vertex_normals` by the coefficients."""
    first, second = _edges(surface, points)
    by_first, by_second = surface.edges
    derivatives = _cross(first, by_second) - _cross(second, by_first)
    spread = points.new_zeros(*points.shape[:2], *derivatives.shape[2:])
    for k in range(3):
        spread.index_add_(1, surface.shaded[:, k], derivatives)
    return spread


def _edges(surface: FaceSurface, points: Tensor) -> tuple[Tensor, Tensor]:
    """(batch, n_shaded, 3) each, from corner 0 to 1 and to 2."""
    corners = points[:, surface.shaded]
    return corners[:, :, 1] - corners[:, :, 0], corners[:, :, 2] - corners[:, :, 0]


def _cross(vectors: Tensor, columns: Tensor) -> Tensor:
    """(batch, n, 3, k): vectors (batch, n, 3) x each column of (n, 3, k)."""
    torch = import_optional("torch", EXTRA)
    x, y, z = (vectors[..., axis, None] for axis in range(3))
    u, v, w = columns[:, 0], columns[:, 1], columns[:, 2]
    made: Tensor = torch.stack([y * w - z * v, z * u - x * w, x * v - y * u], dim=2)
    return made
