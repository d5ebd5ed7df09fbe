"""The energy's gradients against finite differences, in float64, and against autograd."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from synth_affect.fitting.energy import HeadState, LandmarkEnergy, LandmarkRows, energy_quadratic, projected_landmarks
from synth_affect.fitting.markup import MEDIAPIPE
from synth_affect.fitting.perspective import N_VIEW, HeadView
from synth_affect.fitting.photometric.landmark_term import (
    LandmarkModel,
    LandmarkTerm,
    detected_points,
    landmark_energy,
    landmark_model,
    landmark_quadratic,
    landmark_term,
)
from synth_affect.fitting.photometric.pixel_term import (
    Appearance,
    PixelNoise,
    PixelTerm,
    albedo_energy,
    appearance_prior,
    light_energy,
    pixel_energy,
    pixel_quadratic,
)
from synth_affect.fitting.photometric.samples import Pyramid, find_samples
from synth_affect.fitting.photometric.shading import N_LIGHT
from synth_affect.fitting.photometric.surface import FaceSurface, face_surface
from synth_affect.fitting.photometric.values import RefinementSettings
from synth_affect.fitting.photometric.view import (
    Views,
    moved_views,
    project_views,
    sine_of_turn,
    stack_views,
    view_of_camera,
)
from synth_affect.fitting.photometric.visible import NumbaBatch
from synth_affect.fitting.photometric.window import cut, linear_light, resized, window_around
from synth_affect.heads.camera import project
from synth_affect.heads.model import HeadModel
from tests.fitting.photometric.conftest import Portrait

if TYPE_CHECKING:
    from torch import Tensor

torch = pytest.importorskip("torch")

SETTINGS = RefinementSettings()
NOISE = PixelNoise(sd=0.06, robust=0.25, count=100.0)
SIDE = 40


@dataclass(frozen=True, eq=False)
class Setting:
    model: LandmarkModel
    surface: FaceSurface
    views: Views
    coefficients: Tensor
    pixels: PixelTerm
    appearance: Appearance
    detected: Tensor


@pytest.fixture(scope="module")
def setting(head: HeadModel, portraits: list[Portrait]) -> Setting:
    model = landmark_model(head, MEDIAPIPE, "cpu", "float64")
    surface = face_surface(head, model.centre, "cpu", "float64")
    like = surface.points
    fits = [portrait.fit for portrait in portraits]
    views = stack_views([view_of_camera(fit.camera, model.centre) for fit in fits], like)
    rng = np.random.default_rng(4)
    coefficients = torch.tensor(0.3 * rng.normal(size=(2, surface.basis.shape[2])))
    colours, origins, scales = [], [], []
    for portrait in portraits:
        window = window_around(project(portrait.camera, portrait.vertices)[:, :2])
        colours.append(resized(linear_light(cut(portrait.image, window, like)), SIDE).permute(1, 2, 0) / 0.2)
        origins.append(np.array([window.left, window.top]) - portrait.camera.principal_point)
        scales.append(SIDE / window.side)
    pyramid = Pyramid(
        torch.stack(colours),
        torch.ones(2, SIDE, SIDE, 1, dtype=torch.float64),
        torch.tensor(np.stack(origins)),
        torch.tensor(scales, dtype=torch.float64),
    )
    samples = find_samples(surface, views, coefficients, pyramid, NumbaBatch(), 300)
    light = torch.tensor(rng.normal(0, 0.4, (2, 3, N_LIGHT)))
    light[..., 0] += 3.5
    albedo = torch.tensor(rng.normal(0, 0.1, (2, 3, len(surface.counterpart))))
    pixels = PixelTerm(samples, pyramid, NOISE, appearance_prior(surface.counterpart, SETTINGS, coefficients))
    return Setting(model, surface, views, coefficients, pixels, Appearance(light, albedo), detected_points(fits, like))


def slope(energy: Callable[[Tensor], Tensor], size: int, columns: list[int], step: float) -> np.ndarray:
    """Central differences (batch, n_columns) of an energy of a step (batch, size)."""
    found = []
    for column in columns:
        one = torch.zeros(2, size, dtype=torch.float64)
        one[:, column] = step
        found.append(((energy(one) - energy(-one)) / (2 * step)).numpy())
    return np.stack(found, axis=1)


def test_samples_are_seen_skin_and_their_weights_sum_to_one(setting: Setting) -> None:
    samples = setting.pixels.samples
    np.testing.assert_allclose(samples.weights.sum(1).numpy(), 1)
    assert samples.points.shape == (2, 300, 3)
    assert ((samples.weights > 0).sum(1) > 150).all()
    towards = (samples.normals @ setting.views.head_to_camera.transpose(1, 2))[..., 2]
    assert (towards[samples.weights > 0] < 0).all(), "turned to the camera"


def test_normals_follow_the_coefficients_to_first_order(setting: Setting) -> None:
    direction = torch.tensor(np.random.default_rng(8).normal(size=setting.coefficients.shape))
    errors = []
    for step in (0.02, 0.01):
        moved = setting.coefficients + step * direction
        exact = find_at(setting, moved)
        linear = setting.pixels.samples.normals + step * torch.einsum(
            "bndk,bk->bnd", setting.pixels.samples.normal_basis, direction
        )
        errors.append(float((exact - linear).abs().max()))
    assert errors[1] < 0.3 * errors[0], "the error of a linear approximation falls with the square"


def find_at(setting: Setting, coefficients: Tensor) -> Tensor:
    """The normals that the same samples have at other coefficients."""
    from synth_affect.fitting.photometric import samples as module

    surface = setting.surface
    normals = module.vertex_normals(surface, module.surface_points(surface, coefficients))
    # The samples' places on the mesh, read back from what the mean's vertices weigh in them, are those of the view at
    # which they were found: the rasterizer is asked again there.
    points = module.surface_points(surface, setting.coefficients)
    projected, depth = project_views(setting.views, points)
    placed = torch.cat([setting.pixels.pyramid.place(projected), depth[..., None]], dim=-1)
    faces, weights = NumbaBatch()(placed, surface.triangles, SIDE)
    seen = module._inside(surface.compared[faces.clamp(min=0)] & (faces >= 0)).flatten(1)
    taken, pixels = module.spread_evenly(seen, 300)
    face = faces.flatten(1).gather(1, pixels).clamp(min=0)
    share = weights.flatten(1, 2).gather(1, pixels[..., None].expand(-1, -1, 3)) * taken[..., None]
    return (normals[torch.arange(2)[:, None, None], surface.triangles[face]] * share[..., None]).sum(2)


def test_pixel_gradient_is_that_of_finite_differences(setting: Setting) -> None:
    quadratic = pixel_quadratic(setting.pixels, setting.views, setting.coefficients, setting.appearance)
    k = setting.coefficients.shape[1]

    def of_shape(step: Tensor) -> Tensor:
        return pixel_energy(
            setting.pixels,
            moved_views(setting.views, step[:, :N_VIEW]),
            setting.coefficients + step[:, N_VIEW:],
            setting.appearance,
        )

    columns = [*range(N_VIEW), *range(N_VIEW, N_VIEW + k, 9)]
    expected = slope(of_shape, N_VIEW + k, columns, 1e-6)
    np.testing.assert_allclose(quadratic.gradient[:, columns], expected, rtol=2e-4, atol=2e-4 * np.abs(expected).max())
    assert np.abs(expected).max() > 1

    m = quadratic.appearance_gradient.shape[2]

    def of_appearance(step: Tensor) -> Tensor:
        step = step.reshape(2, 3, m)
        appearance = Appearance(
            setting.appearance.light + step[..., :N_LIGHT], setting.appearance.albedo + step[..., N_LIGHT:]
        )
        energy = pixel_energy(setting.pixels, setting.views, setting.coefficients, appearance)
        return energy + light_energy(setting.pixels.prior, appearance) + albedo_energy(setting.pixels.prior, appearance)

    columns = list(range(0, 3 * m, 5))
    expected = slope(of_appearance, 3 * m, columns, 1e-5)
    gradient = quadratic.appearance_gradient.reshape(2, -1)[:, columns]
    np.testing.assert_allclose(gradient, expected, rtol=1e-5, atol=1e-6 * np.abs(expected).max())


def test_pixel_gradient_is_that_of_autograd(setting: Setting) -> None:
    quadratic = pixel_quadratic(setting.pixels, setting.views, setting.coefficients, setting.appearance)
    coefficients = setting.coefficients.clone().requires_grad_()
    energy = pixel_energy(setting.pixels, setting.views, coefficients, setting.appearance).sum()
    (expected,) = torch.autograd.grad(energy, coefficients)
    np.testing.assert_allclose(quadratic.gradient[:, N_VIEW:], expected.numpy(), rtol=1e-8, atol=1e-8)


def test_hessians_are_symmetric_and_positive(setting: Setting) -> None:
    quadratic = pixel_quadratic(setting.pixels, setting.views, setting.coefficients, setting.appearance)
    joint = torch.cat(
        [
            torch.cat([quadratic.hessian[0], quadratic.mixed[0, 0]], dim=1),
            torch.cat([quadratic.mixed[0, 0].T, quadratic.appearance_hessian[0, 0]], dim=1),
        ]
    )
    np.testing.assert_allclose(joint, joint.T, rtol=1e-9, atol=1e-6)
    assert torch.linalg.eigvalsh(joint).min() > -1e-6 * joint.abs().max()
    assert torch.linalg.eigvalsh(setting.pixels.prior.curvature).min() > 0


def test_a_hidden_pixel_says_nothing(setting: Setting) -> None:
    dark = replace(setting.pixels.pyramid, usable=torch.zeros_like(setting.pixels.pyramid.usable))
    samples = find_samples(setting.surface, setting.views, setting.coefficients, dark, NumbaBatch(), 300)
    energy = pixel_energy(
        replace(setting.pixels, samples=samples, pyramid=dark), setting.views, setting.coefficients, setting.appearance
    )
    assert (energy == 0).all()


def term_of(setting: Setting, settings: RefinementSettings, trust: Tensor | None = None) -> LandmarkTerm:
    trust = torch.ones(len(setting.model.weights), dtype=torch.float64) if trust is None else trust
    mm_per_px = (-setting.views.log_scale).exp()
    return landmark_term(
        setting.model, setting.views, setting.coefficients, setting.detected, trust, mm_per_px, settings
    )


def test_landmark_term_without_a_bias_is_that_of_the_landmark_solver(setting: Setting) -> None:
    settings = replace(SETTINGS, turned_bias_mm=0.0)
    term = term_of(setting, settings)
    gradient, hessian = landmark_quadratic(term, setting.views, setting.coefficients)
    k = setting.coefficients.shape[1]
    views = setting.views
    for index in range(2):
        view = HeadView(
            views.head_to_camera[index].numpy(),
            views.shift_mm[index].numpy(),
            float(views.log_scale[index]),
            float(views.log_distance[index]),
        )
        state = HeadState(view, setting.coefficients[index].numpy())
        rows = LandmarkRows(term.points[index].numpy(), term.basis[index].numpy())
        residual = (projected_landmarks(rows, state) - term.detected[index].numpy()) * float(term.mm_per_px[index])
        far = settings.robust_landmark_mm**2
        robust = (far / (far + (residual**2).sum(axis=1))) ** 2
        energy = LandmarkEnergy(
            rows=rows,
            detected=term.detected[index].numpy(),
            mm_per_px=float(term.mm_per_px[index]),
            weights=np.diag(term.precision[index].numpy()) * settings.landmark_noise_mm**2 / robust,
            noise_mm=settings.landmark_noise_mm,
            robust_mm=settings.robust_landmark_mm,
            curvature=np.zeros((k, k)),
            slope=np.zeros(k),
            log_distance=float(views.log_distance[index]),
            log_distance_sd=1e9,
        )
        quadratic = energy_quadratic(energy, state)
        np.testing.assert_allclose(gradient[index], quadratic.gradient, rtol=1e-7, atol=1e-7)
        np.testing.assert_allclose(hessian[index], quadratic.hessian, rtol=1e-7, atol=1e-7)


def test_landmark_precision_is_the_inverse_of_bias_and_noise(setting: Setting) -> None:
    term = term_of(setting, SETTINGS)
    alone = term_of(setting, replace(SETTINGS, turned_bias_mm=0.0)).precision.diagonal(dim1=1, dim2=2)
    points = term.points + torch.einsum("bldk,bk->bld", term.basis, setting.coefficients)
    near = torch.exp(-0.5 * (torch.cdist(points, points) / SETTINGS.bias_length_mm) ** 2)
    bias = SETTINGS.turned_bias_mm * sine_of_turn(setting.views)
    used = alone[0] > 1e-9
    covariance = bias[0] ** 2 * near[0][used][:, used] + torch.diag(1 / alone[0][used])
    np.testing.assert_allclose(term.precision[0][used][:, used] @ covariance, np.eye(int(used.sum())), atol=1e-6)


def test_what_all_landmarks_have_in_common_counts_less_than_what_one_has_alone(setting: Setting) -> None:
    term = term_of(setting, SETTINGS)
    free = term_of(setting, replace(SETTINGS, turned_bias_mm=0.0))
    everywhere = torch.ones(len(setting.model.weights), dtype=torch.float64)
    shared = [float(everywhere @ one.precision[0] @ everywhere) for one in (term, free)]
    alone = [float(one.precision[0].diagonal()[setting.model.markup.nose_tip]) for one in (term, free)]
    assert shared[0] < 0.2 * shared[1]
    assert alone[0] > 0.5 * alone[1]


def test_a_landmark_without_trust_says_nothing(setting: Setting) -> None:
    trust = torch.ones(len(setting.model.weights), dtype=torch.float64)
    trust[10:20] = 0
    precision = term_of(setting, SETTINGS, trust).precision
    assert (precision[:, 10:20] == 0).all()
    assert (precision[:, :, 10:20] == 0).all()


def test_landmark_gradient_is_that_of_autograd(setting: Setting) -> None:
    term = term_of(setting, SETTINGS)
    coefficients = setting.coefficients.clone().requires_grad_()
    (expected,) = torch.autograd.grad(landmark_energy(term, setting.views, coefficients).sum(), coefficients)
    gradient, _ = landmark_quadratic(term, setting.views, setting.coefficients)
    np.testing.assert_allclose(gradient[:, N_VIEW:], expected, rtol=1e-8, atol=1e-8)
