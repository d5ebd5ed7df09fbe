"""The pixels' part of the energy.

    energy = N / (2 sd^2) sum_s weight_s rho(|r_s|^2) + 1/2 y . curvature . y,   rho(q) = q R^2 / (q + R^2)
    r_sc = I_c(projected point s) - (1 + bumps_s . albedo_c) (harmonics(normal_s) . light_c)

I is the picture in linear light over the face's median colour, c a channel, y the light (as far as it is not even) and
the albedo. In y a residual is linear but for one product, and channels do not share any of it: Gauss-Newton steps of
all unknowns come from one small system of the pose and shape, after y is eliminated channel by channel.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from synth_affect.fitting.photometric.device import EXTRA
from synth_affect.fitting.photometric.samples import Pyramid, Samples
from synth_affect.fitting.photometric.shading import BAND_SD, N_LIGHT, Y00, harmonics, harmonics_gradient
from synth_affect.fitting.photometric.values import RefinementSettings
from synth_affect.fitting.photometric.view import Views, project_views, projection_derivatives
from synth_affect.fitting.photometric.window import look_up
from synth_affect.optional import import_optional

if TYPE_CHECKING:
    from torch import Tensor

UP_TO_CAMERA = (1.0, -1.0, -1.0)
"""From axes x right, y up, z to the viewer to the camera's, and back."""


@dataclass(frozen=True, slots=True, eq=False)
class Appearance:
    """light (batch, 3, 9) and albedo (batch, 3, n_bumps) of each channel, relative to the face's median colour."""

    light: Tensor
    albedo: Tensor


@dataclass(frozen=True, slots=True, eq=False)
class AppearancePrior:
    """1/2 (y - mean) . curvature . (y - mean) of one channel; y is light, then albedo.

    curvature : (9 + n_bumps, 9 + n_bumps).  mean : (9 + n_bumps,).
    """

    curvature: Tensor
    mean: Tensor


@dataclass(frozen=True, slots=True)
class PixelNoise:
    """sd, robust : of a channel.  count : what all pixels of a face together count as."""

    sd: float
    robust: float
    count: float


@dataclass(frozen=True, slots=True, eq=False)
class PixelTerm:
    """What a level's pictures say of the faces, held between two looks at visibility."""

    samples: Samples
    pyramid: Pyramid
    noise: PixelNoise
    prior: AppearancePrior


@dataclass(frozen=True, slots=True, eq=False)
class PixelQuadratic:
    """The energy around a state, priors of the appearance included; k unknowns of pose and shape, m of a channel's
    appearance.

    gradient (batch, k), hessian (batch, k, k).
    appearance_gradient (batch, 3, m), appearance_hessian (batch, 3, m, m), mixed (batch, 3, k, m).
    """

    gradient: Tensor
    hessian: Tensor
    appearance_gradient: Tensor
    appearance_hessian: Tensor
    mixed: Tensor


def appearance_prior(counterpart: Tensor, settings: RefinementSettings, like: Tensor) -> AppearancePrior:
    """The prior. counterpart : (n_bumps,) as of `FaceSurface`; the last bump is the lips."""
    torch = import_optional("torch", EXTRA)
    n_bumps = len(counterpart)
    sd = torch.full((n_bumps,), settings.albedo_sd, dtype=like.dtype, device=like.device)
    sd[-1] = settings.lips_sd
    curvature = torch.diag(torch.cat([like.new_tensor(BAND_SD), sd]) ** -2)
    each = torch.arange(n_bumps, device=like.device)
    paired = counterpart != each
    # Every pair is met twice, once from either side.
    difference = 0.5 * paired.to(like.dtype) / settings.albedo_difference_sd**2
    rows = N_LIGHT + each
    curvature[rows, rows] += 2 * difference
    curvature[rows, N_LIGHT + counterpart] -= 2 * difference
    mean = like.new_zeros(N_LIGHT + n_bumps)
    mean[0] = 1 / Y00
    return AppearancePrior(curvature, mean)


def even_appearance(batch: int, n_bumps: int, like: Tensor) -> Appearance:
    """The same light from everywhere on skin of one colour."""
    light = like.new_zeros(batch, 3, N_LIGHT)
    light[..., 0] = 1 / Y00
    return Appearance(light, like.new_zeros(batch, 3, n_bumps))


def pixel_energy(term: PixelTerm, views: Views, coefficients: Tensor, appearance: Appearance) -> Tensor:
    """(batch,), without the priors of the appearance. Differentiable by autograd in everything it is given."""
    noise = term.noise
    squared = (_Place.of(term, views, coefficients, appearance).residual ** 2).sum(-1)
    rho = squared * noise.robust**2 / (squared + noise.robust**2)
    made: Tensor = 0.5 * noise.count / noise.sd**2 * (term.samples.weights * rho).sum(-1)
    return made


def light_energy(prior: AppearancePrior, appearance: Appearance) -> Tensor:
    """(batch,), the prior of the light."""
    away = appearance.light - prior.mean[:N_LIGHT]
    return _quadratic_form(prior.curvature[:N_LIGHT, :N_LIGHT], away)


def albedo_energy(prior: AppearancePrior, appearance: Appearance) -> Tensor:
    """(batch,), the prior of the albedo."""
    return _quadratic_form(prior.curvature[N_LIGHT:, N_LIGHT:], appearance.albedo)


def appearance_quadratic(
    term: PixelTerm, views: Views, coefficients: Tensor, appearance: Appearance
) -> tuple[Tensor, Tensor]:
    """The part of `pixel_quadratic` that is of the appearance alone: its gradient and Gauss-Newton matrix."""
    place = _Place.of(term, views, coefficients, appearance)
    root = _root_weights(term, place)
    return _by_appearance(_looks(term.samples, place, root), place.residual * root, term.prior, appearance)


def pixel_quadratic(term: PixelTerm, views: Views, coefficients: Tensor, appearance: Appearance) -> PixelQuadratic:
    """Exact gradient of `pixel_energy` and the appearance's prior, and their Gauss-Newton matrix."""
    place = _Place.of(term, views, coefficients, appearance)
    root = _root_weights(term, place)
    shape = _by_shape(term, views, place, appearance) * root[..., None]
    looks, residual = _looks(term.samples, place, root), place.residual * root
    appearance_gradient, appearance_hessian = _by_appearance(looks, residual, term.prior, appearance)
    flat = shape.flatten(1, 2)
    return PixelQuadratic(
        gradient=(flat.transpose(1, 2) @ residual.flatten(1)[..., None])[..., 0],
        hessian=flat.transpose(1, 2) @ flat,
        appearance_gradient=appearance_gradient,
        appearance_hessian=appearance_hessian,
        mixed=shape.permute(0, 2, 3, 1) @ looks,
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Place:
    """At one state, for samples n and channels 3: points (batch, n, 3), unit normals up (batch, n, 3) and their former
    length (batch, n, 1), harmonics (batch, n, 9), shade and albedo and residual (batch, n, 3), image_gradient (batch,
    n, 3, 2) a pixel of the level.
    """

    points: Tensor
    normals: Tensor
    length: Tensor
    harmonics: Tensor
    shade: Tensor
    albedo: Tensor
    residual: Tensor
    image_gradient: Tensor

    @staticmethod
    def of(term: PixelTerm, views: Views, coefficients: Tensor, appearance: Appearance) -> _Place:
        torch = import_optional("torch", EXTRA)
        samples, pyramid = term.samples, term.pyramid
        points = samples.points + torch.einsum("bndk,bk->bnd", samples.basis, coefficients)
        head_normals = samples.normals + torch.einsum(
            "bndk,bk->bnd", samples.normal_basis, coefficients - samples.around
        )
        length = head_normals.norm(dim=-1, keepdim=True).clamp(min=1e-6)
        up = head_normals.new_tensor(UP_TO_CAMERA)
        normals = (head_normals / length) @ views.head_to_camera.transpose(1, 2) * up
        projected, _ = project_views(views, points)
        colours, gradient = look_up(pyramid.images, pyramid.place(projected))
        basis = harmonics(normals)
        shade = basis @ appearance.light.transpose(1, 2)
        albedo = 1 + samples.bumps @ appearance.albedo.transpose(1, 2)
        return _Place(points, normals, length, basis, shade, albedo, colours - albedo * shade, gradient)


def _root_weights(term: PixelTerm, place: _Place) -> Tensor:
    """(batch, n, 1), by which a residual is multiplied so that half its square counts; as of Geman-McClure."""
    noise = term.noise
    squared = (place.residual**2).sum(-1)
    robust = (noise.robust**2 / (squared + noise.robust**2)) ** 2
    made: Tensor = (term.samples.weights * robust * (noise.count / noise.sd**2)).sqrt()[..., None]
    return made


def _looks(samples: Samples, place: _Place, root: Tensor) -> Tensor:
    """(batch, 3, n, 9 + n_bumps), derivatives of the weighted residuals by their own channel's appearance."""
    torch = import_optional("torch", EXTRA)
    by_light = place.albedo[..., None] * place.harmonics[:, :, None]
    by_albedo = place.shade[..., None] * samples.bumps[:, :, None]
    made: Tensor = (-torch.cat([by_light, by_albedo], dim=-1) * root[..., None]).permute(0, 2, 1, 3)
    return made


def _by_appearance(
    looks: Tensor, residual: Tensor, prior: AppearancePrior, appearance: Appearance
) -> tuple[Tensor, Tensor]:
    torch = import_optional("torch", EXTRA)
    unknowns = torch.cat([appearance.light, appearance.albedo], dim=-1)
    pull = (unknowns - prior.mean) @ prior.curvature
    across = looks.transpose(2, 3)
    return (across @ residual.permute(0, 2, 1)[..., None])[..., 0] + pull, across @ looks + prior.curvature


def _by_shape(term: PixelTerm, views: Views, place: _Place, appearance: Appearance) -> Tensor:
    """(batch, n, 3, 7 + k), derivatives of the residuals by pose and coefficients."""
    torch = import_optional("torch", EXTRA)
    by_point, by_view = projection_derivatives(views, place.points)
    by_place = place.image_gradient * term.pyramid.scale[:, None, None, None]
    up = place.normals.new_tensor(UP_TO_CAMERA)
    by_normal = -place.albedo[..., None] * harmonics_gradient(place.normals, appearance.light)
    # A turn w about the camera's axes moves a normal n by w x n, and v . (w x n) = (n x v) . w.
    by_camera_normal = by_normal * up
    camera_normals = (place.normals * up)[:, :, None].expand_as(by_camera_normal)
    view = by_place @ by_view
    view = torch.cat([view[..., :3] + torch.linalg.cross(camera_normals, by_camera_normal), view[..., 3:]], dim=-1)
    by_head_normal = by_camera_normal @ views.head_to_camera[:, None]
    head_normals = (camera_normals[:, :, 0] @ views.head_to_camera)[:, :, None]
    along = (by_head_normal * head_normals).sum(-1, keepdim=True)
    by_raw_normal = (by_head_normal - along * head_normals) / place.length[..., None]
    both = torch.cat([by_place @ by_point, by_raw_normal], dim=-1)
    coefficients = both @ torch.cat([term.samples.basis, term.samples.normal_basis], dim=2)
    made: Tensor = torch.cat([view, coefficients], dim=-1)
    return made


def _quadratic_form(curvature: Tensor, values: Tensor) -> Tensor:
    made: Tensor = 0.5 * ((values @ curvature) * values).sum((-2, -1))
    return made
