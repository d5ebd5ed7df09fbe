"""The landmarks' part of the energy, as tensors, for a batch of faces of one markup.

    energy = 1/2 sum_d r_d . P . r_d,   P^-1 = bias^2 exp(-apart^2 / 2 length^2) + diag(noise^2 / weight)

r_d (n,) is how far all points are off along one axis of the picture, P their precision. It is that of `fitting.energy`
but for what neighbouring points of a turned face have in common, which that takes for evidence; and robust weights are
held between two looks at visibility.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from synth_affect.arrays import FloatArray
from synth_affect.fitting.contour import contour_strips, outermost
from synth_affect.fitting.fit import FaceFit
from synth_affect.fitting.markup import Markup
from synth_affect.fitting.photometric.device import EXTRA
from synth_affect.fitting.photometric.values import RefinementSettings
from synth_affect.fitting.photometric.view import Views, project_views, projection_derivatives, sine_of_turn
from synth_affect.heads.mesh import vertex_normals
from synth_affect.heads.model import HeadModel, embed
from synth_affect.optional import import_optional

if TYPE_CHECKING:
    from torch import Tensor

OUTLINE_WEIGHT = 0.5
HIDDEN_WEIGHT = 0.05
"""As of the landmark fit."""


@dataclass(frozen=True, slots=True, eq=False)
class LandmarkModel:
    """A head at the landmarks of one markup, as tensors.

    centre : (3,) float64 array, mm, head frame; points count from it.
    points (n, 3), basis (n, 3, k), normals (n, 3), weights (n,).
    strip_points (n_outline, n_samples, 3), strip_basis (n_outline, n_samples, 3, k) : where an outline point may slide.
    outline : (n_outline,) int64.
    """

    markup: Markup
    centre: FloatArray
    points: Tensor
    basis: Tensor
    normals: Tensor
    weights: Tensor
    strip_points: Tensor
    strip_basis: Tensor
    outline: Tensor


def landmark_model(head: HeadModel, markup: Markup, device: str, dtype: str = "float32") -> LandmarkModel:
    """What of `head` belongs to the landmarks of `markup`."""
    torch = import_optional("torch", EXTRA)
    embedding = markup.embedding(head)
    mean = head.mean.astype(np.float64)
    points = embed(mean, head.triangles, embedding)
    centre = points[markup.inner].mean(axis=0)
    corners = head.triangles[embedding.triangles]
    bases = np.concatenate([head.identity_basis, head.expression_units])
    basis = np.einsum("lk,mlkd->ldm", embedding.barycentric, bases[:, corners])
    strips = contour_strips(mean, points, markup)
    normals = embed(vertex_normals(mean, head.triangles), head.triangles, embedding)
    weights = np.full(len(points), markup.weight)
    weights[markup.outline] *= OUTLINE_WEIGHT
    eye_units = basis[markup.irises][..., len(head.identity_basis) :]
    weights[markup.irises] *= float(np.abs(eye_units).max(initial=0.0) > 0)

    def tensor(values: FloatArray) -> Tensor:
        made: Tensor = torch.tensor(values, dtype=getattr(torch, dtype), device=device)
        return made

    own_points, own_basis = points[markup.outline, None], basis[markup.outline, None]
    along = bases[:, strips].transpose(1, 2, 3, 0)
    return LandmarkModel(
        markup=markup,
        centre=centre,
        points=tensor(points - centre),
        basis=tensor(basis),
        normals=tensor(normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-9)),
        weights=tensor(weights),
        strip_points=tensor(np.concatenate([own_points, mean[strips]], axis=1) - centre),
        strip_basis=tensor(np.concatenate([own_basis, along], axis=1)),
        outline=torch.tensor(np.asarray(markup.outline).tolist(), dtype=torch.int64, device=device),
    )


@dataclass(frozen=True, slots=True, eq=False)
class LandmarkTerm:
    """What the landmarks of a batch say until the outline chooses other points.

    points (batch, n, 3), basis (batch, n, 3, k).  precision (batch, n, n), 1/mm^2.
    detected (batch, n, 2), px from the principal point.  mm_per_px (batch,), at the face.
    """

    points: Tensor
    basis: Tensor
    precision: Tensor
    detected: Tensor
    mm_per_px: Tensor


def detected_points(fits: Sequence[FaceFit], like: Tensor) -> Tensor:
    """(batch, n, 2) px from the principal point."""
    made: Tensor = like.new_tensor(
        np.stack([fit.landmarks_image - fit.camera.principal_point for fit in fits]).tolist()
    )
    return made


def landmark_term(
    model: LandmarkModel,
    views: Views,
    coefficients: Tensor,
    detected: Tensor,
    trust: Tensor,
    mm_per_px: Tensor,
    settings: RefinementSettings,
) -> LandmarkTerm:
    """The term around a state: which places the outline stands for, which points are seen, which are far off.

    coefficients : (batch, k).  trust : (n,) >= 0, of each landmark.
    """
    torch = import_optional("torch", EXTRA)
    batch = len(coefficients)
    points, basis = model.points.expand(batch, -1, -1), model.basis.expand(batch, -1, -1, -1)
    samples = model.strip_points + torch.einsum("osdk,bk->bosd", model.strip_basis, coefficients)
    projected, _ = project_views(views, samples.reshape(batch, -1, 3))
    outline = list(model.markup.outline)
    seen_at = projected.reshape(*samples.shape[:3], 2).cpu().numpy()
    drawn = detected[:, outline].cpu().numpy()
    choice = torch.tensor(
        np.stack([outermost(*pair, closed=model.markup.closed) for pair in zip(seen_at, drawn, strict=True)]),
        dtype=torch.int64,
        device=coefficients.device,
    )
    each = torch.arange(len(outline), device=choice.device)
    points = points.index_copy(1, model.outline, model.strip_points[each, choice])
    basis = basis.index_copy(1, model.outline, model.strip_basis[each, choice])

    moved = points + torch.einsum("bldk,bk->bld", basis, coefficients)
    at = moved @ views.head_to_camera.transpose(1, 2)
    at = at + torch.cat([views.shift_mm, views.log_distance.exp()[:, None]], dim=1)[:, None]
    normals = model.normals @ views.head_to_camera.transpose(1, 2)
    facing = -(normals * at).sum(-1) / at.norm(dim=-1)
    smooth = ((facing + 0.1) / 0.4).clamp(0, 1)
    weights = HIDDEN_WEIGHT + (1 - HIDDEN_WEIGHT) * smooth * smooth * (3 - 2 * smooth)
    weights = weights.index_fill(1, model.outline, 1.0) * model.weights * trust
    residual = (project_views(views, moved)[0] - detected) * mm_per_px[:, None, None]
    far = settings.robust_landmark_mm**2
    weights = weights * (far / (far + (residual**2).sum(-1))) ** 2
    return LandmarkTerm(points, basis, _precision(moved, weights, sine_of_turn(views), settings), detected, mm_per_px)


def _precision(points: Tensor, weights: Tensor, turned: Tensor, settings: RefinementSettings) -> Tensor:
    """(batch, n, n), 1/mm^2.

    points : (batch, n, 3), mm.  weights : (batch, n), with 0 for points that say nothing.  turned : (batch,), the sine
    of the angle between where the face and the camera look.
    """
    torch = import_optional("torch", EXTRA)
    root = weights.double().sqrt() / settings.landmark_noise_mm
    apart = torch.cdist(points, points).double()
    bias = settings.turned_bias_mm * turned.double()
    common = bias[:, None, None] ** 2 * torch.exp(-0.5 * (apart / settings.bias_length_mm) ** 2)
    # (C + W^-1)^-1 by what also stands for weights of 0: W^1/2 (I + W^1/2 C W^1/2)^-1 W^1/2.
    spread = root[:, :, None] * common * root[:, None]
    spread.diagonal(dim1=1, dim2=2)[:] += 1
    inverse = torch.cholesky_inverse(torch.linalg.cholesky(spread))
    made: Tensor = (root[:, :, None] * inverse * root[:, None]).to(points.dtype)
    return made


def landmark_energy(term: LandmarkTerm, views: Views, coefficients: Tensor) -> Tensor:
    """(batch,)."""
    residual = _residual(term, views, _points(term, coefficients))
    made: Tensor = 0.5 * (residual * (term.precision @ residual)).sum((1, 2))
    return made


def landmark_quadratic(term: LandmarkTerm, views: Views, coefficients: Tensor) -> tuple[Tensor, Tensor]:
    """Gradient (batch, 7 + k) and Gauss-Newton matrix (batch, 7 + k, 7 + k)."""
    torch = import_optional("torch", EXTRA)
    points = _points(term, coefficients)
    residual = _residual(term, views, points)
    by_point, by_view = projection_derivatives(views, points)
    jacobian = torch.cat([by_view, by_point @ term.basis], dim=-1) * term.mm_per_px[:, None, None, None]
    weighted = (term.precision @ jacobian.flatten(2)).reshape(jacobian.shape).flatten(1, 2).transpose(1, 2)
    return (weighted @ residual.flatten(1)[..., None])[..., 0], weighted @ jacobian.flatten(1, 2)


def _points(term: LandmarkTerm, coefficients: Tensor) -> Tensor:
    torch = import_optional("torch", EXTRA)
    made: Tensor = term.points + torch.einsum("bldk,bk->bld", term.basis, coefficients)
    return made


def _residual(term: LandmarkTerm, views: Views, points: Tensor) -> Tensor:
    projected, _ = project_views(views, points)
    made: Tensor = (projected - term.detected) * term.mm_per_px[:, None, None]
    return made
