"""The outline's part of the energy: where skin ends before the background, the picture has an edge.

    energy = sum_i weight_i / 2 (n_i . (projected point i - edge_i))^2 / (noise^2 + spread_i^2)

A point i is where the surface turns away from the camera, n_i the outline's normal there in the picture. edge_i is
where along n_i the colour changes from that of the skin beside it, as the mean over all places within reach, each as
likely as its contrast and its nearness make it; spread_i is how far these lie apart. weight_i grows with the square of
the sine of the face's turn: seen from the front a face ends at hair, ears and beard, of which the head knows little.
Points and edges are held between two looks at visibility, as in iterative closest points.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from synth_affect.fitting.photometric.device import EXTRA
from synth_affect.fitting.photometric.samples import Pyramid, spread_evenly, surface_points, vertex_normals
from synth_affect.fitting.photometric.surface import FaceSurface
from synth_affect.fitting.photometric.values import RefinementSettings
from synth_affect.fitting.photometric.view import Views, project_views, projection_derivatives, sine_of_turn
from synth_affect.fitting.photometric.visible import BatchRasterizer
from synth_affect.fitting.photometric.window import look_up
from synth_affect.optional import import_optional

if TYPE_CHECKING:
    from torch import Tensor

POINTS = 160
"""At most so many of an outline."""
BESIDE_PX = 2.0
"""So far on either side of the outline must be skin, and none of the head."""
REACH_MM, STEP_MM = 9.0, 1.0
"""Edges are looked for so far from the outline, in such steps."""
PIECE_MM = 3.0
"""Colours before and after a place are means over such pieces."""
SKIN_MM = 6.0
"""What is taken for the skin beside a point is a stretch of this length, before the first of the pieces."""
SKIN_SD = 0.35
"""Of the colour before an edge about that of the skin beside it, relative to the face's median."""
ALONG_MM = 8.0
"""A stretch of the outline of this length counts as one observation."""


@dataclass(frozen=True, slots=True, eq=False)
class OutlineTerm:
    """points (batch, n, 3), mm from the head's centre, at zero coefficients; basis (batch, n, 3, k).

    normals (batch, n, 2) of unit length, outwards.  edges (batch, n, 2), px from the principal point.
    weights (batch, n), 1/mm^2, 0 where there is no point.  mm_per_px (batch,), at the face.
    """

    points: Tensor
    basis: Tensor
    normals: Tensor
    edges: Tensor
    weights: Tensor
    mm_per_px: Tensor


def outline_term(
    surface: FaceSurface,
    views: Views,
    coefficients: Tensor,
    pyramid: Pyramid,
    rasterizer: BatchRasterizer,
    mm_per_px: Tensor,
    settings: RefinementSettings,
) -> OutlineTerm:
    """The term around a state."""
    torch = import_optional("torch", EXTRA)
    vertices = surface_points(surface, coefficients)
    normals = vertex_normals(surface, vertices)
    at = vertices @ views.head_to_camera.transpose(1, 2)
    at = at + torch.cat([views.shift_mm, views.log_distance.exp()[:, None]], dim=1)[:, None]
    normals = torch.nn.functional.normalize(normals @ views.head_to_camera.transpose(1, 2), dim=-1)
    facing = -(normals * at).sum(-1) / at.norm(dim=-1)
    first, second = facing[:, surface.sides[:, 0]], facing[:, surface.sides[:, 1]]
    turning = (first > 0) != (second > 0)

    # All places where the surface turns away, then those of them that are seen against the background.
    share = torch.where(turning, first / torch.where(turning, first - second, torch.ones_like(first)), 0.5)
    projected, depth = project_views(views, vertices)
    placed = pyramid.place(projected)
    faces, _ = rasterizer(torch.cat([placed, depth[..., None]], dim=-1), surface.triangles, pyramid.side)
    middle, across = (
        values[:, surface.sides[:, 0]].lerp(values[:, surface.sides[:, 1]], share[..., None])
        for values in (placed, normals[..., :2])
    )
    across = torch.nn.functional.normalize(across, dim=-1)
    outside, inside = (_nearest(faces, middle + beside * across) for beside in (BESIDE_PX, -BESIDE_PX))
    contour = turning & (outside < 0) & (inside >= 0) & surface.compared[inside.clamp(min=0)]

    taken, chosen = spread_evenly(contour, POINTS)
    sides, share = surface.sides[chosen], share.gather(1, chosen)

    def carried(values: Tensor) -> Tensor:
        by = share.reshape(*share.shape, *(1,) * (values.ndim - 1))
        made: Tensor = values[sides[..., 0]] * (1 - by) + values[sides[..., 1]] * by
        return made

    points, basis = carried(surface.points), carried(surface.basis)
    across = across.gather(1, chosen[..., None].expand(-1, -1, 2))
    now = project_views(views, points + torch.einsum("bndk,bk->bnd", basis, coefficients))[0]
    offset, variance, sure = _edges(now, across, pyramid, mm_per_px, settings)
    place_mm = now * mm_per_px[:, None, None]
    apart = torch.cdist(place_mm, place_mm)
    crowd = (torch.exp(-0.5 * (apart / ALONG_MM) ** 2) * taken[:, None]).sum(-1).clamp(min=1e-6)
    weights = taken * sure * sine_of_turn(views)[:, None] ** 2 * np.sqrt(2 * np.pi) / crowd
    weights = weights / (settings.outline_noise_mm**2 + variance)
    edges = now + (offset / mm_per_px[:, None])[..., None] * across
    return OutlineTerm(points, basis, across, edges, weights, mm_per_px)


def _nearest(faces: Tensor, places: Tensor) -> Tensor:
    """(batch, n) of faces (batch, side, side) at places (batch, n, 2), px."""
    side = faces.shape[1]
    column, row = places.floor().long().clamp(0, side - 1).unbind(-1)
    made: Tensor = faces.flatten(1).gather(1, row * side + column)
    return made


def _edges(
    points: Tensor, across: Tensor, pyramid: Pyramid, mm_per_px: Tensor, settings: RefinementSettings
) -> tuple[Tensor, Tensor, Tensor]:
    """How far outwards the edge lies (batch, n) mm, its variance mm^2, and how sure it is that there is one."""
    torch = import_optional("torch", EXTRA)
    reach, piece = round(REACH_MM / STEP_MM), round(PIECE_MM / STEP_MM)
    n_skin = round(SKIN_MM / STEP_MM)
    begin = -(n_skin + piece + reach)
    steps = torch.arange(begin, reach + piece, device=points.device) + 0.5
    along = (steps * STEP_MM)[None, None] / mm_per_px[:, None, None]
    places = points[:, :, None] + along[..., None] * across[:, :, None]
    both = torch.cat([pyramid.images, pyramid.usable], dim=-1)
    seen, _ = look_up(both, pyramid.place(places.flatten(1, 2)))
    seen = seen.reshape(*places.shape[:3], -1)
    colours, usable = seen[..., :3], seen[..., 3].clamp(0, 1)
    pieces = colours.unfold(2, piece, 1).mean(-1)
    trusted = usable.unfold(2, piece, 1).min(-1).values
    offsets = torch.arange(-reach, reach + 1, device=points.device)
    before, after = offsets - begin - piece, offsets - begin
    skin = colours[:, :, :n_skin].mean(2, keepdim=True)
    contrast = (pieces[:, :, after] - pieces[:, :, before]).norm(dim=-1)
    strange = (pieces[:, :, before] - skin).norm(dim=-1)
    offsets = offsets.to(points.dtype) * STEP_MM
    near = torch.exp(-0.5 * (offsets / settings.outline_search_mm) ** 2)
    likely = near * (contrast / settings.outline_contrast) ** 4 * torch.exp(-0.5 * (strange / SKIN_SD) ** 2)
    likely = likely * trusted[:, :, after] * trusted[:, :, before]
    total = likely.sum(-1)
    mean = (likely * offsets).sum(-1) / total.clamp(min=1e-9)
    variance = (likely * (offsets - mean[..., None]) ** 2).sum(-1) / total.clamp(min=1e-9)
    return mean, variance, total / (total + near.sum())


def outline_energy(term: OutlineTerm, views: Views, coefficients: Tensor) -> Tensor:
    """(batch,)."""
    away = _away(term, views, _points(term, coefficients))
    made: Tensor = 0.5 * (term.weights * away**2).sum(-1)
    return made


def outline_quadratic(term: OutlineTerm, views: Views, coefficients: Tensor) -> tuple[Tensor, Tensor]:
    """Gradient (batch, 7 + k) and Gauss-Newton matrix (batch, 7 + k, 7 + k)."""
    torch = import_optional("torch", EXTRA)
    points = _points(term, coefficients)
    by_point, by_view = projection_derivatives(views, points)
    along = term.normals[:, :, None] * (term.weights.sqrt() * term.mm_per_px[:, None])[..., None, None]
    jacobian = torch.cat([along @ by_view, (along @ by_point) @ term.basis], dim=-1)[:, :, 0]
    weighted = _away(term, views, points) * term.weights.sqrt()
    return (jacobian.transpose(1, 2) @ weighted[..., None])[..., 0], jacobian.transpose(1, 2) @ jacobian


def _points(term: OutlineTerm, coefficients: Tensor) -> Tensor:
    torch = import_optional("torch", EXTRA)
    made: Tensor = term.points + torch.einsum("bndk,bk->bnd", term.basis, coefficients)
    return made


def _away(term: OutlineTerm, views: Views, points: Tensor) -> Tensor:
    """(batch, n) mm, of the points from their edges along the normals."""
    projected, _ = project_views(views, points)
    made: Tensor = ((projected - term.edges) * term.normals).sum(-1) * term.mm_per_px[:, None]
    return made
