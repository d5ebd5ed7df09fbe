import numpy as np
import pytest

from synth_affect.blendshape.synthetic.fields import FieldModes, draw_scalars, draw_vectors, field_modes


@pytest.fixture(scope="module")
def plane() -> np.ndarray:
    """A symmetric sheet of 100 x 100 mm, 5 mm apart."""
    x, y = np.meshgrid(np.arange(-50, 51, 5.0), np.arange(-50, 51, 5.0))
    return np.stack([x.ravel(), y.ravel(), np.zeros(x.size)], axis=1)


@pytest.fixture(scope="module")
def modes(plane: np.ndarray) -> FieldModes:
    return field_modes(plane, plane, 12.0)


def test_fields_have_unit_variance_everywhere(modes: FieldModes) -> None:
    fields = draw_scalars(modes, np.random.default_rng(0), np.arange(4000), 0.5)
    np.testing.assert_allclose(fields.std(axis=0), 1.0, atol=0.06)


def test_without_asymmetry_both_sides_are_mirror_images(plane: np.ndarray, modes: FieldModes) -> None:
    mirror = np.lexsort((plane[:, 0], plane[:, 1]))
    other = np.lexsort((-plane[:, 0], plane[:, 1]))
    fields = draw_vectors(modes, np.random.default_rng(1), np.arange(5), 0.0)
    np.testing.assert_allclose(fields[:, mirror], fields[:, other] * (-1, 1, 1), atol=1e-5)
    uneven = draw_vectors(modes, np.random.default_rng(1), np.arange(5), 0.5)
    assert np.abs(uneven[:, mirror] - uneven[:, other] * (-1, 1, 1)).max() > 0.5


def test_fields_are_smooth_on_the_scale_asked_for(plane: np.ndarray, modes: FieldModes) -> None:
    fields = draw_scalars(modes, np.random.default_rng(2), np.arange(200), 1.0).reshape(200, 21, 21)
    steps = np.diff(fields, axis=2).std()
    assert steps < 5.0 / 12.0 * 1.2  # a Gaussian process of that width has this slope at most
    assert np.corrcoef(fields[:, 10, 0], fields[:, 10, 20])[0, 1] < 0.3


def test_a_group_has_its_symmetric_part_in_common(modes: FieldModes) -> None:
    one, same, other = draw_scalars(modes, np.random.default_rng(3), np.array([0, 0, 1]), 0.0)
    np.testing.assert_array_equal(one, same)
    assert np.abs(one - other).max() > 0.5
