from __future__ import annotations

import numpy as np
import pytest

from synth_affect.fitting.photometric.shading import harmonics, harmonics_gradient
from synth_affect.render.spherical_harmonics import sh_basis

torch = pytest.importorskip("torch")


def normals(count: int) -> np.ndarray:
    vectors = np.random.default_rng(5).normal(size=(count, 3))
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def test_harmonics_are_those_of_the_renderer() -> None:
    vectors = normals(40)
    np.testing.assert_allclose(harmonics(torch.tensor(vectors)).numpy(), sh_basis(vectors), atol=1e-14)


def test_gradient_is_that_of_autograd() -> None:
    vectors = torch.tensor(normals(30)).reshape(2, 15, 3).requires_grad_()
    light = torch.tensor(np.random.default_rng(6).normal(size=(2, 3, 9)))
    shade = harmonics(vectors) @ light.transpose(1, 2)
    ours = harmonics_gradient(vectors.detach(), light)
    assert ours.shape == (2, 15, 3, 3)
    for channel in range(3):
        (theirs,) = torch.autograd.grad(shade[..., channel].sum(), vectors, retain_graph=True)
        np.testing.assert_allclose(ours[:, :, channel].numpy(), theirs.numpy(), atol=1e-12)
