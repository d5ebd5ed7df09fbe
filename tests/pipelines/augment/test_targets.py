from __future__ import annotations

import numpy as np
import pytest

from synth_affect.blendshape.grid.cells import cell_of
from synth_affect.data.faces.database import LabelScale
from synth_affect.data.faces.record import FaceItem, FaceRecord
from synth_affect.errors import InputError
from synth_affect.pipelines.augment.targets import (
    DrawnTargets,
    PathTargets,
    as_written,
    cell_targets,
    label_points,
    ring_targets,
)
from synth_affect.pipelines.open_expressions import open_grid


def test_the_ring_has_112_points() -> None:
    targets = ring_targets().of("a")
    assert len(targets) == 112
    assert max(target.point.intensity for target in targets) == pytest.approx(1, abs=1e-4)
    assert ring_targets().of("b") == targets


def test_without_a_grid_cells_have_their_centre() -> None:
    targets = cell_targets(None).of("a")
    assert len({target.cell for target in targets}) == len(targets) == 76
    for target in targets:
        assert 0.2 < target.point.intensity <= 1
        assert cell_of(np.array([target.point.valence]), np.array([target.point.arousal]))[0] == target.cell


def test_cells_of_a_grid_have_its_medians() -> None:
    grid = open_grid("default")
    targets = cell_targets(grid).of("a")
    assert 40 < len(targets) <= 96
    for target in targets:
        assert not grid.thin[target.cell]
        np.testing.assert_allclose([target.point.valence, target.point.arousal], grid.medians[target.cell], atol=1e-4)


def test_drawn_points_depend_on_key_and_seed_alone() -> None:
    drawn = DrawnTargets(40, seed=3)
    assert drawn.of("a") == DrawnTargets(40, seed=3).of("a")
    assert drawn.of("a") != drawn.of("b")
    assert drawn.of("a") != DrawnTargets(40, seed=4).of("a")


def test_random_points_fill_the_disc_evenly() -> None:
    radii = np.array([target.point.intensity for target in DrawnTargets(4000).of("a")])
    assert radii.max() <= 1
    assert np.mean(radii < np.sqrt(0.5)) == pytest.approx(0.5, abs=0.03)


def test_labels_are_drawn_as_often_as_they_are_there() -> None:
    points = np.array([[0.5, 0.5]] * 3 + [[-0.5, 0.1]])
    targets = DrawnTargets(2000, points=points).of("a")
    share = np.mean([target.point.valence > 0 for target in targets])
    assert share == pytest.approx(0.75, abs=0.04)
    assert {(target.point.valence, target.point.arousal) for target in targets} == {(0.5, 0.5), (-0.5, 0.1)}


def test_label_points_are_those_that_are_known(tmp_path: object) -> None:
    records: list[FaceItem] = [
        FaceRecord("a", __file__, valence=0.2, arousal=-0.4),  # type: ignore[arg-type]
        FaceRecord("b", __file__),  # type: ignore[arg-type]
    ]
    np.testing.assert_allclose(label_points(records), [[0.2, -0.4]])
    with pytest.raises(InputError, match="no picture"):
        label_points(records[1:])


@pytest.mark.parametrize(("count", "seed", "option"), [(0, 0, "--per-face"), (1, -1, "--seed")])
def test_bad_numbers_are_refused(count: int, seed: int, option: str) -> None:
    with pytest.raises(InputError, match=option):
        DrawnTargets(count, seed)


def test_targets_lie_where_labels_can_be_written() -> None:
    tenths = LabelScale(10, integer=True)
    for target in DrawnTargets(60).of("a"):
        written = as_written(target, tenths)
        assert written.point.valence * 10 == pytest.approx(round(target.point.valence * 10), abs=1e-6)
        assert abs(written.point.arousal - target.point.arousal) <= 0.0501
        assert as_written(target, LabelScale()) == target


@pytest.mark.parametrize("back", [True, False])
def test_paths_lead_from_rest_to_a_point_and_back(back: bool) -> None:
    targets = PathTargets(3, 11, seed=2, back=back)
    points = [target.point for target in targets.of("a")]
    assert (len(points), targets.frames) == (33, 11)
    for start in (0, 11, 22):
        intensities = [point.intensity for point in points[start : start + 11]]
        assert intensities[0] == 0
        apex = intensities[5] if back else intensities[-1]
        assert max(intensities) == pytest.approx(apex, abs=1e-9)
        assert 0.4 <= apex <= 1.0001
        assert (intensities[-1] == 0) == back
        steps = np.abs(np.diff(intensities))
        assert steps[0] < steps[2]  # it begins slowly
    assert targets.of("a") == PathTargets(3, 11, seed=2, back=back).of("a") != targets.of("b")


def test_a_path_of_too_few_frames_is_refused() -> None:
    with pytest.raises(InputError, match="--frames"):
        PathTargets(3, 2)
