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
from synth_affect.fitting.photometric.device import EXTRA, DeviceChoice, choose_device
from synth_affect.fitting.photometric.gauss_newton import (
    FIRST_DAMPING,
    Belief,
    Seen,
    State,
    distance_sd,
    energy_terms,
    gauss_newton_step,
    residual_px,
    with_appearance,
)
from synth_affect.fitting.photometric.landmark_term import LandmarkModel, detected_points, landmark_model, landmark_term
from synth_affect.fitting.photometric.outline_term import outline_term
from synth_affect.fitting.photometric.pixel_term import PixelNoise, PixelTerm, appearance_prior, even_appearance
from synth_affect.fitting.photometric.samples import Pyramid, Samples, find_samples, surface_points
from synth_affect.fitting.photometric.surface import FaceSurface, face_surface
from synth_affect.fitting.photometric.values import RefinementReport, RefinementSettings
from synth_affect.fitting.photometric.view import (
    Views,
    cameras_of,
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


@dataclass(frozen=True, slots=True, eq=False)
class Refinement:
    """fit : the refined one.  report : how it came about."""

    fit: FaceFit
    report: RefinementReport


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
        prior = appearance_prior(surface.counterpart, settings, like)
        noise = PixelNoise(settings.pixel_noise, settings.robust_pixel, settings.independent_pixels)
        begin = State(views, coefficients, even_appearance(len(fits), len(surface.counterpart), like))

        def look(state: State, pyramid: Pyramid) -> Seen:
            samples = find_samples(
                surface, state.views, state.coefficients, pyramid, self._rasterizer, settings.samples
            )
            points = landmark_term(marked, state.views, state.coefficients, detected, trust, mm_per_px, settings)
            outline = outline_term(
                surface, state.views, state.coefficients, wide, self._rasterizer, mm_per_px, settings
            )
            return Seen(PixelTerm(samples, pyramid, noise, prior), points, outline)

        first = look(begin, pyramids[-1])
        state = with_appearance(begin, first, belief)
        before = energy_terms(state, first, belief)
        damping = like.new_full((len(fits),), FIRST_DAMPING)
        steps, accepted = 0, torch.zeros_like(damping)
        for level, pyramid in zip(settings.levels, pyramids, strict=True):
            for _ in range(level.refreshes):
                seen = look(state, pyramid)
                for _ in range(level.steps):
                    state, damping, better = gauss_newton_step(
                        state, seen, belief, damping, move_distance=settings.focal
                    )
                    steps, accepted = steps + 1, accepted + better
        last = look(state, pyramids[-1])
        state = with_appearance(state, last, belief)
        after = energy_terms(state, last, belief)
        spread = distance_sd(state, last, belief)
        residual = residual_px(state, last.landmarks, trust)
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
                pixels=int((last.pixels.samples.weights[index] > 0).sum()),
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

    def _belief(self, fits: Sequence[FaceFit], views: Views, coefficients: Tensor, surface: FaceSurface) -> Belief:
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
        return Belief(
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
        )

    def _albedo(self, surface: FaceSurface, bumps: Tensor) -> FloatArray:
        albedo = np.ones((len(self._head.mean), 3), np.float32)
        albedo[surface.vertex_of] += (surface.bumps @ bumps.T).cpu().numpy()
        return albedo


def _median_colours(samples: Samples, pyramid: Pyramid, views: Views) -> Tensor:
    """(batch, 3), linear light, of the samples with weight; 1 where there are none or they are black."""
    torch = import_optional("torch", EXTRA)
    points = samples.points + torch.einsum("bndk,bk->bnd", samples.basis, samples.around)
    colours, _ = look_up(pyramid.images, pyramid.place(project_views(views, points)[0]))
    seen = torch.where(samples.weights[..., None] > 0, colours, torch.nan)
    median = seen.nanmedian(dim=1).values
    usable: Tensor = torch.where(median > 1e-4, median, torch.ones_like(median))
    return usable
