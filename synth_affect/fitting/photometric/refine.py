"""`PhotometricRefiner`: from landmark fits and their pictures to fits that the pixels agree with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from synth_affect.arrays import FloatArray, ImageArray, readonly
from synth_affect.errors import ShapeError
from synth_affect.fitting.fit import FaceFit
from synth_affect.fitting.markup import interocular_distance_px, markup_of
from synth_affect.fitting.perspective import N_VIEW
from synth_affect.fitting.photometric.device import EXTRA, DeviceChoice, choose_device
from synth_affect.fitting.photometric.landmark_term import (
    LandmarkModel,
    LandmarkTerm,
    detected_points,
    landmark_energy,
    landmark_model,
    landmark_quadratic,
    landmark_term,
)
from synth_affect.fitting.photometric.outline_term import (
    OutlineTerm,
    outline_energy,
    outline_quadratic,
    outline_term,
)
from synth_affect.fitting.photometric.pixel_term import (
    Appearance,
    AppearancePrior,
    PixelNoise,
    albedo_energy,
    appearance_prior,
    appearance_quadratic,
    even_appearance,
    light_energy,
    pixel_energy,
    pixel_quadratic,
)
from synth_affect.fitting.photometric.samples import Pyramid, Samples, find_samples, surface_points
from synth_affect.fitting.photometric.shading import N_LIGHT
from synth_affect.fitting.photometric.surface import FaceSurface, face_surface
from synth_affect.fitting.photometric.values import EnergyTerms, RefinementReport, RefinementSettings
from synth_affect.fitting.photometric.view import (
    Views,
    cameras_of,
    moved_views,
    project_views,
    stack_views,
    view_of_camera,
)
from synth_affect.fitting.photometric.visible import BatchRasterizer, rasterizer_of
from synth_affect.fitting.photometric.window import cut, linear_light, look_up, resized, window_around
from synth_affect.fitting.priors import lens_distance_mm
from synth_affect.heads.model import HeadModel
from synth_affect.optional import import_optional

if TYPE_CHECKING:
    from torch import Tensor

FIRST_DAMPING, LARGEST_DAMPING = 1e-3, 1e4
APPEARANCE_STEPS = 4
"""After which light and albedo of a face that does not move have settled, robust weights included."""
DISTANCE = N_VIEW - 1
"""Of the unknowns, the log of the distance."""


@dataclass(frozen=True, slots=True, eq=False)
class Refinement:
    """fit : the refined one.  report : how it came about."""

    fit: FaceFit
    report: RefinementReport


@dataclass(frozen=True, slots=True, eq=False)
class _State:
    """All unknowns of a batch. coefficients (batch, k)."""

    views: Views
    coefficients: Tensor
    appearance: Appearance


@dataclass(frozen=True, slots=True, eq=False)
class _Belief:
    """What does not change during a refinement.

    expected (batch, k), precision (k,), of the coefficients.  lower, upper (k,).
    log_distance (batch,), of the lens.
    """

    appearance: AppearancePrior
    expected: Tensor
    precision: Tensor
    lower: Tensor
    upper: Tensor
    log_distance: Tensor
    noise: PixelNoise


@dataclass(frozen=True, slots=True, eq=False)
class _Seen:
    """What is held between two looks at visibility."""

    samples: Samples
    pyramid: Pyramid
    landmarks: LandmarkTerm
    outline: OutlineTerm


class PhotometricRefiner:
    """Refines fits of one head model on one device; made once, called for many faces.

    head : of the fits.  device : see `choose_device`.  settings : the defaults when absent.
    Raises MissingDependencyError without torch, and InputError for a device that is not there.
    """

    def __init__(
        self, head: HeadModel, device: DeviceChoice = "auto", settings: RefinementSettings | None = None
    ) -> None:
        self.device = choose_device(device)
        self.settings = settings if settings is not None else RefinementSettings()
        self._head = head
        self._rasterizer: BatchRasterizer = rasterizer_of(self.device)
        self._models: dict[int, tuple[LandmarkModel, FaceSurface]] = {}

    def __call__(
        self,
        image: ImageArray,
        fit: FaceFit,
        usable: FloatArray | None = None,
        *,
        landmark_weights: FloatArray | None = None,
    ) -> Refinement:
        """The refinement of one face; see `refine_batch`."""
        return self.refine_batch([image], [fit], [usable], landmark_weights=landmark_weights)[0]

    def refine_batch(
        self,
        images: Sequence[ImageArray],
        fits: Sequence[FaceFit],
        usable: Sequence[FloatArray | None] | None = None,
        *,
        landmark_weights: FloatArray | None = None,
    ) -> list[Refinement]:
        """The refinements of a batch of faces, each as it would be alone.

        images : (height, width, 3) uint8 or uint16 sRGB, one a fit; faces of one picture name it several times.
        fits : of this refiner's head, all with landmarks of one markup.
        usable : (height, width) float in [0, 1] each, how far a pixel shows the face and nothing in front of it; None
            for all of them.
        landmark_weights : (n_landmarks,) >= 0, how far each landmark is to be trusted in all faces; 1 for all when
            absent.
        Raises ShapeError when counts, sizes, heads or markups differ.
        """
        masks = [None] * len(fits) if usable is None else list(usable)
        self._check(images, fits, masks)
        if not fits:
            return []
        torch = import_optional("torch", EXTRA)
        with torch.no_grad():
            return self._refine(images, fits, masks, landmark_weights)

    def _check(self, images: Sequence[ImageArray], fits: Sequence[FaceFit], masks: Sequence[FloatArray | None]) -> None:
        if not len(images) == len(fits) == len(masks):
            raise ShapeError("images", f"{len(fits)}, one a fit", f"{len(images)}, with {len(masks)} masks")
        for image, fit, mask in zip(images, fits, masks, strict=True):
            size = (fit.image_size.height, fit.image_size.width)
            if image.shape != (*size, 3) or image.dtype not in (np.uint8, np.uint16):
                raise ShapeError("image", f"uint8 or uint16 of {(*size, 3)}", f"{image.dtype} of {image.shape}")
            if mask is not None and mask.shape != size:
                raise ShapeError("usable", size, mask.shape)
            if fit.topology != self._head.topology:
                raise ShapeError("fit", f"one of {self._head.name}", f"one of {fit.head}")
            if len(fit.landmarks_image) != len(fits[0].landmarks_image):
                raise ShapeError("fits", "landmarks of one markup", "landmarks of several")

    def _models_of(self, n_landmarks: int, points: FloatArray) -> tuple[LandmarkModel, FaceSurface]:
        if n_landmarks not in self._models:
            model = landmark_model(self._head, markup_of(points), self.device)
            self._models[n_landmarks] = model, face_surface(self._head, model.centre, self.device)
        return self._models[n_landmarks]

    def _refine(
        self,
        images: Sequence[ImageArray],
        fits: Sequence[FaceFit],
        masks: Sequence[FloatArray | None],
        landmark_weights: FloatArray | None,
    ) -> list[Refinement]:
        torch = import_optional("torch", EXTRA)
        settings = self.settings
        marked, surface = self._models_of(len(fits[0].landmarks_image), fits[0].landmarks_image)
        like = surface.points
        n_landmarks = len(fits[0].landmarks_image)
        trusted = np.ones(n_landmarks) if landmark_weights is None else landmark_weights
        trust = like.new_tensor(readonly(trusted, "landmark_weights", (n_landmarks,), np.float64).tolist())
        views = stack_views([view_of_camera(fit.camera, surface.centre) for fit in fits], like)
        coefficients = like.new_tensor(
            np.stack([np.concatenate([fit.identity_coefficients, fit.expression_weights]) for fit in fits]).tolist()
        )
        detected, mm_per_px = detected_points(fits, like), (-views.log_scale).exp()
        (*pyramids, wide), median = self._pyramids(images, masks, fits, surface, views, coefficients)
        belief = self._belief(fits, views, coefficients, surface)
        begin = _State(views, coefficients, even_appearance(len(fits), len(surface.counterpart), like))

        def look(state: _State, pyramid: Pyramid) -> _Seen:
            samples = find_samples(
                surface, state.views, state.coefficients, pyramid, self._rasterizer, settings.samples
            )
            points = landmark_term(marked, state.views, state.coefficients, detected, trust, mm_per_px, settings)
            outline = outline_term(
                surface, state.views, state.coefficients, wide, self._rasterizer, mm_per_px, settings
            )
            return _Seen(samples, pyramid, points, outline)

        first = look(begin, pyramids[-1])
        state = _with_appearance(begin, first, belief)
        before = _terms(state, first, belief)
        damping = like.new_full((len(fits),), FIRST_DAMPING)
        steps, accepted = 0, torch.zeros_like(damping)
        for level, pyramid in zip(settings.levels, pyramids, strict=True):
            for _ in range(level.refreshes):
                seen = look(state, pyramid)
                for _ in range(level.steps):
                    state, damping, better = _step(state, seen, belief, damping, move_distance=settings.focal)
                    steps, accepted = steps + 1, accepted + better
        last = look(state, pyramids[-1])
        state = _with_appearance(state, last, belief)
        after = _terms(state, last, belief)
        spread = _distance_sd(state, last, belief)
        residual = _residual_px(state, last.landmarks, trust)
        cameras = cameras_of(state.views, surface.centre, [fit.camera.principal_point for fit in fits])
        found = state.coefficients.cpu().numpy()
        moved = (surface_points(surface, state.coefficients) - surface_points(surface, begin.coefficients)).norm(dim=-1)
        compared = torch.unique(surface.triangles[surface.compared])
        refinements = []
        for index, fit in enumerate(fits):
            refined = replace(
                fit,
                camera=cameras[index],
                identity_coefficients=found[index, : surface.n_identity],
                expression_weights=found[index, surface.n_identity :],
                residual_iod=float(residual[index]) / interocular_distance_px(fit.landmarks_image),
                iterations=fit.iterations + int(accepted[index]),
            )
            report = RefinementReport(
                device=self.device,
                rasterizer=self._rasterizer.name,
                before=before[index],
                after=after[index],
                steps=steps,
                accepted=int(accepted[index]),
                pixels=int((last.samples.weights[index] > 0).sum()),
                lighting=(state.appearance.light[index] * median[index][:, None]).T.cpu().numpy(),
                albedo=self._albedo(surface, state.appearance.albedo[index]),
                distance_sd=float(spread[index]),
                moved_mm=float(moved[index, compared].median()),
            )
            refinements.append(Refinement(refined, report))
        return refinements

    def _pyramids(
        self,
        images: Sequence[ImageArray],
        masks: Sequence[FloatArray | None],
        fits: Sequence[FaceFit],
        surface: FaceSurface,
        views: Views,
        coefficients: Tensor,
    ) -> tuple[list[Pyramid], Tensor]:
        """The windows at each level and for the outline, relative to each face's median colour (batch, 3), which is the
        second.
        """
        torch = import_optional("torch", EXTRA)
        compared = torch.unique(surface.triangles[surface.compared])
        projected, _ = project_views(views, surface_points(surface, coefficients)[:, compared])
        places = projected.cpu().double().numpy()
        windows, origins, scales, colours, usable = [], [], [], [], []
        for image, mask, fit, points in zip(images, masks, fits, places, strict=True):
            window = window_around(points + fit.camera.principal_point)
            windows.append(window)
            origins.append(np.array([window.left, window.top]) - fit.camera.principal_point)
            scales.append(1.0 / window.side)
            colours.append(linear_light(cut(image, window, surface.points)))
            trust = np.ones(image.shape[:2], np.float32) if mask is None else mask.astype(np.float32)
            usable.append(cut(trust[..., None], window, surface.points))
        origin = surface.points.new_tensor(np.stack(origins).tolist())
        pyramids = []
        for side in (*(level.side for level in self.settings.levels), self.settings.outline_side):
            pyramids.append(
                Pyramid(
                    torch.stack([resized(one, side) for one in colours]).permute(0, 2, 3, 1).contiguous(),
                    torch.stack([resized(one, side) for one in usable]).permute(0, 2, 3, 1).contiguous(),
                    origin,
                    origin.new_tensor(scales) * side,
                )
            )
        coarse = pyramids[0]
        samples = find_samples(surface, views, coefficients, coarse, self._rasterizer, self.settings.samples)
        median = _median_colours(samples, coarse, views)
        return [replace(one, images=one.images / median[:, None, None]) for one in pyramids], median

    def _belief(self, fits: Sequence[FaceFit], views: Views, coefficients: Tensor, surface: FaceSurface) -> _Belief:
        torch = import_optional("torch", EXTRA)
        settings, n_identity = self.settings, surface.n_identity
        expected = coefficients.clone()
        expected[:, :n_identity] = 0
        precision = torch.ones_like(expected[0])
        precision[n_identity:] = settings.expression_sd**-2
        lower, upper = torch.zeros_like(precision), torch.ones_like(precision)
        lower[:n_identity], upper[:n_identity] = -settings.identity_limit, settings.identity_limit
        scale = views.log_scale.exp().cpu().numpy()
        distance = [
            lens_distance_mm(settings.lens, fit.image_size, float(s)) for fit, s in zip(fits, scale, strict=True)
        ]
        return _Belief(
            appearance=appearance_prior(surface.counterpart, settings, expected),
            expected=expected,
            precision=precision,
            lower=lower,
            upper=upper,
            log_distance=torch.stack(
                [
                    expected.new_tensor(np.log(distance).tolist()),
                    expected.new_full((len(fits),), settings.lens.log_distance_sd),
                ]
            ),
            noise=PixelNoise(settings.pixel_noise, settings.robust_pixel, settings.independent_pixels),
        )

    def _albedo(self, surface: FaceSurface, bumps: Tensor) -> FloatArray:
        albedo = np.ones((len(self._head.mean), 3), np.float32)
        albedo[surface.vertex_of] += (surface.bumps @ bumps.T).cpu().numpy()
        return albedo


def _residual_px(state: _State, term: LandmarkTerm, trust: Tensor) -> Tensor:
    """(batch,) mean distance of fitted to detected points that are trusted at all."""
    torch = import_optional("torch", EXTRA)
    points = term.points + torch.einsum("bldk,bk->bld", term.basis, state.coefficients)
    distance = (project_views(state.views, points)[0] - term.detected).norm(dim=-1)
    made: Tensor = distance[:, trust > 0].mean(1)
    return made


def _median_colours(samples: Samples, pyramid: Pyramid, views: Views) -> Tensor:
    """(batch, 3), linear light, of the samples with weight; 1 where there are none or they are black."""
    torch = import_optional("torch", EXTRA)
    points = samples.points + torch.einsum("bndk,bk->bnd", samples.basis, samples.around)
    colours, _ = look_up(pyramid.images, pyramid.place(project_views(views, points)[0]))
    seen = torch.where(samples.weights[..., None] > 0, colours, torch.nan)
    median = seen.nanmedian(dim=1).values
    usable: Tensor = torch.where(median > 1e-4, median, torch.ones_like(median))
    return usable


def _energies(state: _State, seen: _Seen, belief: _Belief) -> dict[str, Tensor]:
    """(batch,) each, by the names of `EnergyTerms`."""
    away = 0.5 * belief.precision * (state.coefficients - belief.expected) ** 2
    identity = (belief.lower < 0).to(away.dtype)
    expected, sd = belief.log_distance
    return {
        "pixels": pixel_energy(
            seen.samples, seen.pyramid, belief.noise, state.views, state.coefficients, state.appearance
        ),
        "outline": outline_energy(seen.outline, state.views, state.coefficients),
        "landmarks": landmark_energy(seen.landmarks, state.views, state.coefficients),
        "identity": (away * identity).sum(1),
        "expression": (away * (1 - identity)).sum(1),
        "distance": 0.5 * ((state.views.log_distance - expected) / sd) ** 2,
        "light": light_energy(belief.appearance, state.appearance),
        "albedo": albedo_energy(belief.appearance, state.appearance),
    }


def _total(state: _State, seen: _Seen, belief: _Belief) -> Tensor:
    torch = import_optional("torch", EXTRA)
    made: Tensor = torch.stack(list(_energies(state, seen, belief).values())).sum(0)
    return made


def _terms(state: _State, seen: _Seen, belief: _Belief) -> list[EnergyTerms]:
    energies = {name: values.cpu().tolist() for name, values in _energies(state, seen, belief).items()}
    return [EnergyTerms(**dict(zip(energies, row, strict=True))) for row in zip(*energies.values(), strict=True)]


@dataclass(frozen=True, slots=True, eq=False)
class _System:
    """Normal equations of pose and shape, float64, the appearance eliminated: hessian (batch, u, u), gradient (batch,
    u). back : gives the appearance's step (batch, 3, m) for one of pose and shape (batch, u).
    """

    hessian: Tensor
    gradient: Tensor
    own_step: Tensor
    response: Tensor

    def appearance_step(self, step: Tensor) -> Tensor:
        made: Tensor = self.own_step - (self.response @ step[:, None, :, None])[..., 0]
        return made


def _system(state: _State, seen: _Seen, belief: _Belief) -> _System:
    torch = import_optional("torch", EXTRA)
    pixels = pixel_quadratic(
        seen.samples,
        seen.pyramid,
        belief.noise,
        belief.appearance,
        state.views,
        state.coefficients,
        state.appearance,
    )
    parts = (
        (pixels.gradient, pixels.hessian),
        landmark_quadratic(seen.landmarks, state.views, state.coefficients),
        outline_quadratic(seen.outline, state.views, state.coefficients),
    )
    gradient, hessian = (torch.stack(of_parts).sum(0).double() for of_parts in zip(*parts, strict=True))
    gradient[:, N_VIEW:] += belief.precision * (state.coefficients - belief.expected)
    hessian.diagonal(dim1=1, dim2=2)[:, N_VIEW:] += belief.precision
    expected, sd = belief.log_distance.double()
    gradient[:, DISTANCE] += (state.views.log_distance - expected) / sd**2
    hessian[:, DISTANCE, DISTANCE] += sd**-2
    mixed = pixels.mixed.double()
    factor = torch.linalg.cholesky(pixels.appearance_hessian.double())
    sides = torch.cat([pixels.appearance_gradient.double()[..., None], mixed.transpose(2, 3)], dim=-1)
    solved = torch.cholesky_solve(sides, factor)
    own, response = solved[..., 0], solved[..., 1:]
    return _System(
        hessian - (mixed @ response).sum(1), gradient - (mixed @ own[..., None]).sum(1)[..., 0], -own, response
    )


def _step(
    state: _State, seen: _Seen, belief: _Belief, damping: Tensor, *, move_distance: bool
) -> tuple[_State, Tensor, Tensor]:
    """One Gauss-Newton step of every face, taken where it lowers the energy; the next damping; 1 where it was taken."""
    torch = import_optional("torch", EXTRA)
    system = _system(state, seen, belief)
    gradient, free = system.gradient, torch.ones_like(system.gradient)
    down, up = state.coefficients <= belief.lower, state.coefficients >= belief.upper
    pressing = (down & (gradient[:, N_VIEW:] > 0)) | (up & (gradient[:, N_VIEW:] < 0))
    free[:, N_VIEW:] = (~pressing).double()
    if not move_distance:
        free[:, DISTANCE] = 0
    diagonal = system.hessian.diagonal(dim1=1, dim2=2)
    hessian = system.hessian * free[:, :, None] * free[:, None]
    hessian = hessian + torch.diag_embed((1 - free) + damping.double()[:, None] * diagonal.clamp(min=1e-9))
    step = torch.linalg.solve_ex(hessian, -(gradient * free)[..., None])[0][..., 0]
    # The bounds cut the step, and the appearance answers what is left of it.
    coefficients = (state.coefficients + step[:, N_VIEW:].to(damping.dtype)).clamp(belief.lower, belief.upper)
    step[:, N_VIEW:] = (coefficients - state.coefficients).double()
    look = system.appearance_step(step).to(damping.dtype)
    trial = _State(
        moved_views(state.views, step[:, :N_VIEW].to(damping.dtype)),
        coefficients,
        Appearance(state.appearance.light + look[..., :N_LIGHT], state.appearance.albedo + look[..., N_LIGHT:]),
    )
    # Not a number is not less.
    better = _total(trial, seen, belief) < _total(state, seen, belief)
    damping = torch.where(better, damping * 0.2, damping * 10).clamp(FIRST_DAMPING * 1e-3, LARGEST_DAMPING)
    return _chosen(better, trial, state), damping, better.to(damping.dtype)


def _with_appearance(state: _State, seen: _Seen, belief: _Belief) -> _State:
    """With the light and albedo that suit the state."""
    torch = import_optional("torch", EXTRA)
    for _ in range(APPEARANCE_STEPS):
        gradient, hessian = appearance_quadratic(
            seen.samples,
            seen.pyramid,
            belief.noise,
            belief.appearance,
            state.views,
            state.coefficients,
            state.appearance,
        )
        factor = torch.linalg.cholesky(hessian.double())
        look = -torch.cholesky_solve(gradient.double()[..., None], factor)[..., 0].to(gradient.dtype)
        trial = replace(
            state,
            appearance=Appearance(
                state.appearance.light + look[..., :N_LIGHT], state.appearance.albedo + look[..., N_LIGHT:]
            ),
        )
        state = _chosen(_total(trial, seen, belief) < _total(state, seen, belief), trial, state)
    return state


def _chosen(better: Tensor, trial: _State, state: _State) -> _State:
    """`trial` for the faces where it is better, `state` for the others."""
    torch = import_optional("torch", EXTRA)

    def pick(new: Tensor, old: Tensor) -> Tensor:
        made: Tensor = torch.where(better.reshape(-1, *(1,) * (new.ndim - 1)), new, old)
        return made

    return _State(
        Views(
            pick(trial.views.head_to_camera, state.views.head_to_camera),
            pick(trial.views.shift_mm, state.views.shift_mm),
            pick(trial.views.log_scale, state.views.log_scale),
            pick(trial.views.log_distance, state.views.log_distance),
        ),
        pick(trial.coefficients, state.coefficients),
        Appearance(
            pick(trial.appearance.light, state.appearance.light), pick(trial.appearance.albedo, state.appearance.albedo)
        ),
    )


def _distance_sd(state: _State, seen: _Seen, belief: _Belief) -> Tensor:
    torch = import_optional("torch", EXTRA)
    covariance = torch.linalg.inv(_system(state, seen, belief).hessian)
    made: Tensor = covariance[:, DISTANCE, DISTANCE].clamp(min=0).sqrt()
    return made
