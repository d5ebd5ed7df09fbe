import math

import pytest

from synth_affect.affect import Emotion, ValenceArousal, grid, parse_emotion, position, ring
from synth_affect.errors import InputError


def test_the_convention_of_directions() -> None:
    assert ValenceArousal(0.0, 1.0).direction_rad == pytest.approx(math.pi / 2)
    assert ValenceArousal(-1.0, 0.0).direction_rad == pytest.approx(math.pi)
    assert ValenceArousal(-1.0, -0.0).direction_rad == ValenceArousal(-1.0, 0.0).direction_rad
    assert ValenceArousal(0.6, -0.8).intensity == pytest.approx(1.0)
    assert ValenceArousal(-0.0, -0.0).direction_rad == 0.0


@pytest.mark.parametrize("bad", [1.5, -1.0000001, math.nan, math.inf, -math.inf])
def test_a_number_off_the_scale_names_its_option(bad: float) -> None:
    with pytest.raises(InputError, match=r"--valence: .* is not in \[-1, 1\]"):
        ValenceArousal(bad, 0.0)
    with pytest.raises(InputError, match=r"--arousal: .* is not in \[-1, 1\]"):
        ValenceArousal(0.0, bad)


def test_the_message_shows_the_number_as_it_was_given() -> None:
    with pytest.raises(InputError) as raised:
        ValenceArousal(1.5, 0.0)
    assert str(raised.value) == "--valence: 1.5 is not in [-1, 1]"


def test_every_category_has_its_own_position() -> None:
    positions = [position(emotion) for emotion in Emotion]
    assert len(set(positions)) == len(positions) == 48
    assert [e for e in Emotion if position(e).intensity == 0.0] == [Emotion.NEUTRAL]
    assert position(Emotion.HAPPINESS) == ValenceArousal(0.74, 0.30)


def test_the_quadrants_hold_whom_they_should() -> None:
    assert position(Emotion.ANGER).valence < 0 < position(Emotion.ANGER).arousal
    assert position(Emotion.RELAXED).arousal < 0 < position(Emotion.RELAXED).valence
    assert max(position(Emotion.SADNESS).valence, position(Emotion.SADNESS).arousal) < 0


def test_names_of_categories_are_read_in_any_case() -> None:
    assert parse_emotion(" Anger ") is Emotion.ANGER
    with pytest.raises(InputError, match=r"--category: 'angre' is none of neutral, happiness, .*pain"):
        parse_emotion("angre")


def test_on_an_axis_the_other_coordinate_is_nothing() -> None:
    points = [(point.valence, point.arousal) for point in ring(4, (0.5,))]
    assert points == [(0.5, 0.0), (0.0, 0.5), (-0.5, 0.0), (0.0, -0.5)]
    assert all(math.copysign(1, value) == 1 for point in points for value in point if value == 0)
    on_axes = [point for point in ring() if 0.0 in (point.valence, point.arousal)]
    assert len(on_axes) == 16


def test_the_ring_is_the_standard_set_of_targets() -> None:
    targets = ring()
    assert len(targets) == len(set(targets)) == 28 * 4
    for place, target in enumerate(targets):
        radius_index, direction_index = divmod(place, 28)
        assert target.intensity == pytest.approx((radius_index + 1) / 4)
        assert target.direction_rad % math.tau == pytest.approx(math.tau * direction_index / 28)


def test_the_grid_reads_like_a_picture_of_the_plane() -> None:
    targets = grid(5)
    assert len(targets) == 25
    assert targets[0] == ValenceArousal(-1.0, 1.0)
    assert targets[4] == ValenceArousal(1.0, 1.0)
    assert targets[12] == ValenceArousal(0.0, 0.0)
    assert targets[13] == ValenceArousal(0.5, 0.0)
    assert targets[-1] == ValenceArousal(1.0, -1.0)


def test_empty_sets_of_targets_are_refused() -> None:
    with pytest.raises(InputError, match="--steps: 1 is less than 2"):
        grid(1)
    with pytest.raises(InputError, match="--steps: 51 is more than 50"):
        grid(51)
    with pytest.raises(InputError, match="n_directions: 0 is not"):
        ring(0)
    with pytest.raises(InputError, match=r"radii: \[1.2\]"):
        ring(4, (1.2,))
