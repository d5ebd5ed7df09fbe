import numpy as np
import pytest

from synth_affect.arrays import FloatArray
from synth_affect.blendshape.synthetic.style import FaceSupport
from synth_affect.blendshape.synthetic.unfolding import add_unfolded
from synth_affect.heads.mesh import triangle_normals


@pytest.fixture(scope="module")
def ripple(support: FaceSupport) -> FloatArray:
    """(n_vertices, 3) float32: 2 mm along x in waves of 12 mm, which turn skin over where they press it together."""
    moved = np.zeros_like(support.mean)
    moved[:, 0] = 2.0 * np.sin(2 * np.pi * support.mean[:, 1] / 12) * np.sin(2 * np.pi * support.mean[:, 0] / 12)
    return moved


def turned_over(support: FaceSupport, offsets: FloatArray) -> float:
    rest = triangle_normals(support.mean, support.skin.triangles)
    moved = triangle_normals(support.mean + offsets, support.skin.triangles)
    return float(((rest * moved).sum(axis=1) <= 0).mean())


def added(support: FaceSupport, addition: FloatArray, offsets: FloatArray | None = None) -> FloatArray:
    total = np.zeros((1, *addition.shape), np.float32) if offsets is None else offsets[None].copy()
    add_unfolded(support.skin, support.mean, total, addition[None].copy())
    return total[0]


def test_gentle_additions_are_whole(support: FaceSupport, ripple: FloatArray) -> None:
    np.testing.assert_array_equal(added(support, np.float32(0.1) * ripple), np.float32(0.1) * ripple)


def test_strong_ones_turn_nothing_over_and_stay_where_they_are_harmless(
    support: FaceSupport, ripple: FloatArray
) -> None:
    strong = 2 * ripple
    assert turned_over(support, strong) > 0.02
    held = added(support, strong)
    assert turned_over(support, held) < 0.001
    assert (np.linalg.norm(held, axis=1) <= np.linalg.norm(strong, axis=1) + 1e-5).all()
    assert np.linalg.norm(held) > 0.2 * np.linalg.norm(strong)


def test_what_was_there_before_stays(support: FaceSupport) -> None:
    # Everything is pressed to a quarter of its width, which is not the addition's doing.
    pressed = support.mean * np.array([-0.75, 0, 0], np.float32)
    np.testing.assert_array_equal(added(support, np.zeros_like(pressed), pressed), pressed)


def test_more_is_never_a_jump(support: FaceSupport, ripple: FloatArray) -> None:
    less, more = (added(support, np.float32(factor) * ripple) for factor in (1.5, 1.501))
    assert np.abs(more - less).max() < 0.1


def test_neighbours_are_mutual(support: FaceSupport) -> None:
    skin = support.skin
    of = np.repeat(np.arange(len(support.mean)), np.diff(skin.starts))
    pairs = set(zip(of.tolist(), skin.neighbours.tolist(), strict=True))
    assert pairs == {(other, one) for one, other in pairs}
    assert all((int(a), int(b)) in pairs for a, b, _ in skin.triangles)
