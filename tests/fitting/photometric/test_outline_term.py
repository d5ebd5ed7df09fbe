from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pytest

from synth_affect.fitting.perspective import N_VIEW
from synth_affect.fitting.photometric.outline_term import OutlineTerm, outline_energy, outline_quadratic, outline_term
from synth_affect.fitting.photometric.samples import Pyramid, surface_points
from synth_affect.fitting.photometric.surface import FaceSurface, face_surface
from synth_affect.fitting.photometric.values import RefinementSettings
from synth_affect.fitting.photometric.view import Views, moved_views, project_views, stack_views, view_of_camera
from synth_affect.fitting.photometric.visible import NumbaBatch
from synth_affect.heads.camera import Camera
from synth_affect.heads.model import HeadModel

if TYPE_CHECKING:
    from torch import Tensor

torch = pytest.importorskip("torch")

SIDE, SCALE = 128, 0.5
YAWS = (0.9, -0.9)


@dataclass(frozen=True, eq=False)
class Cut:
    """White heads before a dark background, at either turn; `pyramid` shows them."""

    surface: FaceSurface
    views: Views
    coefficients: Tensor
    pyramid: Pyramid

    def term(self, views: Views | None = None, usable: float = 1.0) -> OutlineTerm:
        views = self.views if views is None else views
        pyramid = Pyramid(self.pyramid.images, self.pyramid.usable * usable, self.pyramid.origin, self.pyramid.scale)
        mm_per_px = (-views.log_scale).exp()
        settings = RefinementSettings()
        return outline_term(self.surface, views, self.coefficients, pyramid, NumbaBatch(), mm_per_px, settings)


@pytest.fixture(scope="module")
def cut(head: HeadModel) -> Cut:
    surface = face_surface(head, np.zeros(3), "cpu", "float64")
    views = stack_views([view_of_camera(turned(yaw), surface.centre) for yaw in YAWS], surface.points)
    coefficients = torch.zeros(2, surface.basis.shape[2], dtype=torch.float64)
    origin = torch.full((2, 2), -SIDE / SCALE / 2, dtype=torch.float64)
    nothing = torch.ones(2, SIDE, SIDE, 1, dtype=torch.float64)
    pyramid = Pyramid(nothing.expand(-1, -1, -1, 3), nothing, origin, torch.full((2,), SCALE, dtype=torch.float64))
    placed, depth = project_views(views, surface_points(surface, coefficients))
    faces, _ = NumbaBatch()(torch.cat([pyramid.place(placed), depth[..., None]], dim=-1), surface.triangles, SIDE)
    shown = (faces >= 0).double()[..., None].expand(-1, -1, -1, 3) * 0.8 + 0.2
    return Cut(surface, views, coefficients, Pyramid(shown, nothing, origin, pyramid.scale))


def turned(yaw: float) -> Camera:
    rotation = np.array([[np.cos(yaw), 0, np.sin(yaw)], [0, 1, 0], [-np.sin(yaw), 0, np.cos(yaw)]])
    return Camera(rotation, np.array([0.0, 0.0, 900.0]), 900.0, np.zeros(2))


def test_points_lie_on_the_edge_of_the_side_that_is_turned_away(cut: Cut) -> None:
    term = cut.term()
    assert ((term.weights > 0).sum(1) > 40).all()
    outwards = (term.weights * term.normals[..., 0]).sum(1).sign()
    assert outwards[0] == -outwards[1] != 0, "of a mirrored turn the other side"
    points = project_views(cut.views, term.points)[0]
    away = ((term.edges - points) * term.normals).sum(-1)[term.weights > 0]
    assert float(away.abs().median()) < 1.0, "half a pixel of this window"


def test_edges_stay_where_they_are_when_the_head_is_elsewhere(cut: Cut) -> None:
    step = torch.zeros(2, N_VIEW, dtype=torch.float64)
    step[:, 3] = 3.0
    term = cut.term(moved_views(cut.views, step))
    points = project_views(moved_views(cut.views, step), term.points)[0]
    away = ((term.edges - points) * term.normals).sum(-1)
    sideways = (term.normals[..., 0].abs() > 0.9) & (term.weights > 0)
    found = (-away * term.normals[..., 0].sign())[sideways]
    assert float(found.median()) == pytest.approx(3.0, abs=1.0)


def test_gradient_is_that_of_finite_differences_and_the_matrix_positive(cut: Cut) -> None:
    step = torch.zeros(2, N_VIEW, dtype=torch.float64)
    step[:, 3] = 3.0
    views, term = moved_views(cut.views, step), cut.term()
    gradient, hessian = outline_quadratic(term, views, cut.coefficients)
    for column in range(N_VIEW):
        nudge = torch.zeros(2, N_VIEW, dtype=torch.float64)
        nudge[:, column] = 1e-5
        up, down = (outline_energy(term, moved_views(views, by), cut.coefficients) for by in (nudge, -nudge))
        np.testing.assert_allclose(gradient[:, column], (up - down) / 2e-5, rtol=1e-4, atol=1e-4)
    coefficients = cut.coefficients.clone().requires_grad_()
    (expected,) = torch.autograd.grad(outline_energy(term, views, coefficients).sum(), coefficients)
    np.testing.assert_allclose(gradient[:, N_VIEW:], expected, rtol=1e-8, atol=1e-8)
    assert torch.linalg.eigvalsh(hessian).min() > -1e-6 * hessian.abs().max()


def test_a_frontal_face_and_a_covered_one_have_no_outline_to_go_by(cut: Cut) -> None:
    frontal = stack_views([view_of_camera(turned(0.0), cut.surface.centre)] * 2, cut.surface.points)
    assert float(cut.term(frontal).weights.max()) < 1e-6
    assert (cut.term(usable=0.0).weights == 0).all()
