"""A Gauss-Newton step of a batch of faces over pose, distance, identity and expression, light and albedo eliminated."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from synth_affect.fitting.perspective import N_VIEW
from synth_affect.fitting.photometric.device import EXTRA
from synth_affect.fitting.photometric.landmark_term import LandmarkTerm, landmark_energy, landmark_quadratic
from synth_affect.fitting.photometric.outline_term import OutlineTerm, outline_energy, outline_quadratic
from synth_affect.fitting.photometric.pixel_term import (
    Appearance,
    PixelTerm,
    albedo_energy,
    appearance_quadratic,
    light_energy,
    pixel_energy,
    pixel_quadratic,
)
from synth_affect.fitting.photometric.shading import N_LIGHT
from synth_affect.fitting.photometric.values import EnergyTerms
from synth_affect.fitting.photometric.view import Views, moved_views, project_views
from synth_affect.optional import import_optional

if TYPE_CHECKING:
    from torch import Tensor

FIRST_DAMPING, LARGEST_DAMPING = 1e-3, 1e4
APPEARANCE_STEPS = 4
"""After which light and albedo of a face that does not move have settled, robust weights included."""
DISTANCE = N_VIEW - 1
"""Of the unknowns, the log of the distance."""


@dataclass(frozen=True, slots=True, eq=False)
class State:
    """All unknowns of a batch. coefficients (batch, k)."""

    views: Views
    coefficients: Tensor
    appearance: Appearance


@dataclass(frozen=True, slots=True, eq=False)
class Belief:
    """What is believed of shape and distance during a refinement.

    expected (batch, k), precision (k,), of the coefficients.  lower, upper (k,).
    log_distance (2, batch), of the lens: what is expected, and its standard deviation.
    """

    expected: Tensor
    precision: Tensor
    lower: Tensor
    upper: Tensor
    log_distance: Tensor


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """What is held between two looks at visibility."""

    pixels: PixelTerm
    landmarks: LandmarkTerm
    outline: OutlineTerm


def gauss_newton_step(
    state: State, seen: Seen, belief: Belief, damping: Tensor, *, move_distance: bool
) -> tuple[State, Tensor, Tensor]:
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
    trial = State(
        moved_views(state.views, step[:, :N_VIEW].to(damping.dtype)),
        coefficients,
        _moved_appearance(state.appearance, look),
    )
    # Not a number is not less.
    better = _total(trial, seen, belief) < _total(state, seen, belief)
    damping = torch.where(better, damping * 0.2, damping * 10).clamp(FIRST_DAMPING * 1e-3, LARGEST_DAMPING)
    return _chosen(better, trial, state), damping, better.to(damping.dtype)


def with_appearance(state: State, seen: Seen, belief: Belief) -> State:
    """With the light and albedo that suit the state."""
    torch = import_optional("torch", EXTRA)
    for _ in range(APPEARANCE_STEPS):
        gradient, hessian = appearance_quadratic(seen.pixels, state.views, state.coefficients, state.appearance)
        factor = torch.linalg.cholesky(hessian.double())
        look = -torch.cholesky_solve(gradient.double()[..., None], factor)[..., 0].to(gradient.dtype)
        trial = replace(state, appearance=_moved_appearance(state.appearance, look))
        state = _chosen(_total(trial, seen, belief) < _total(state, seen, belief), trial, state)
    return state


def energy_terms(state: State, seen: Seen, belief: Belief) -> list[EnergyTerms]:
    """Of each face."""
    energies = {name: values.cpu().tolist() for name, values in _energies(state, seen, belief).items()}
    return [EnergyTerms(**dict(zip(energies, row, strict=True))) for row in zip(*energies.values(), strict=True)]


def distance_sd(state: State, seen: Seen, belief: Belief) -> Tensor:
    """(batch,) standard deviation of the log of the distance, as the energy's curvature tells it."""
    torch = import_optional("torch", EXTRA)
    covariance = torch.linalg.inv(_system(state, seen, belief).hessian)
    made: Tensor = covariance[:, DISTANCE, DISTANCE].clamp(min=0).sqrt()
    return made


def residual_px(state: State, term: LandmarkTerm, trust: Tensor) -> Tensor:
    """(batch,) mean distance of fitted to detected points that are trusted at all."""
    torch = import_optional("torch", EXTRA)
    points = term.points + torch.einsum("bldk,bk->bld", term.basis, state.coefficients)
    distance = (project_views(state.views, points)[0] - term.detected).norm(dim=-1)
    made: Tensor = distance[:, trust > 0].mean(1)
    return made


def _energies(state: State, seen: Seen, belief: Belief) -> dict[str, Tensor]:
    """(batch,) each, by the names of `EnergyTerms`."""
    away = 0.5 * belief.precision * (state.coefficients - belief.expected) ** 2
    identity = (belief.lower < 0).to(away.dtype)
    expected, sd = belief.log_distance
    return {
        "pixels": pixel_energy(seen.pixels, state.views, state.coefficients, state.appearance),
        "outline": outline_energy(seen.outline, state.views, state.coefficients),
        "landmarks": landmark_energy(seen.landmarks, state.views, state.coefficients),
        "identity": (away * identity).sum(1),
        "expression": (away * (1 - identity)).sum(1),
        "distance": 0.5 * ((state.views.log_distance - expected) / sd) ** 2,
        "light": light_energy(seen.pixels.prior, state.appearance),
        "albedo": albedo_energy(seen.pixels.prior, state.appearance),
    }


def _total(state: State, seen: Seen, belief: Belief) -> Tensor:
    torch = import_optional("torch", EXTRA)
    made: Tensor = torch.stack(list(_energies(state, seen, belief).values())).sum(0)
    return made


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


def _system(state: State, seen: Seen, belief: Belief) -> _System:
    torch = import_optional("torch", EXTRA)
    pixels = pixel_quadratic(seen.pixels, state.views, state.coefficients, state.appearance)
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


def _moved_appearance(appearance: Appearance, step: Tensor) -> Appearance:
    """step : (batch, 3, m), light first."""
    return Appearance(appearance.light + step[..., :N_LIGHT], appearance.albedo + step[..., N_LIGHT:])


def _chosen(better: Tensor, trial: State, state: State) -> State:
    """`trial` for the faces where it is better, `state` for the others."""
    torch = import_optional("torch", EXTRA)

    def pick(new: Tensor, old: Tensor) -> Tensor:
        made: Tensor = torch.where(better.reshape(-1, *(1,) * (new.ndim - 1)), new, old)
        return made

    return State(
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
