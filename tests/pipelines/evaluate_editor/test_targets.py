import pytest

from synth_affect.affect import Emotion, ValenceArousal, grid, ring
from synth_affect.editors.faces import CATEGORIES
from synth_affect.errors import InputError
from synth_affect.pipelines.evaluate_editor.targets import TargetChoice, is_strong, key, parse_sets


def test_the_sets_are_those_of_the_project_and_the_paper() -> None:
    choice = TargetChoice()
    assert choice.points("ring") == ring()
    assert choice.points("labels") == grid(7)
    assert {(point.valence, point.arousal) for point in choice.points("corners")} == {
        (-1, -1), (-1, 1), (1, -1), (1, 1)
    }  # fmt: skip


def test_classes_stand_at_their_places() -> None:
    choice = TargetChoice(("classes",))
    assert len(choice.points("classes")) == len(choice.union()) == 8, "neutral is one of them"
    assert choice.emotions()[key(ValenceArousal(0.74, 0.30))] == Emotion.HAPPINESS
    assert choice.described() == {"sets": ["classes"], "classes": [str(emotion) for emotion in CATEGORIES]}
    assert TargetChoice(("ring",)).emotions() == {}


def test_each_target_is_made_once_and_neutral_first() -> None:
    union = TargetChoice(("ring", "labels", "corners"), 4, (1.0,)).union()
    assert union[0] == ValenceArousal(0, 0)
    # Four directions lie on the labels' axes, corners are labels: 49 in all.
    assert len(union) == len({key(point) for point in union}) == 49
    assert TargetChoice(("corners",)).union()[0] == ValenceArousal(0, 0)


def test_a_key_has_one_zero() -> None:
    assert key(ValenceArousal(-1e-17, -0.0)) == key(ValenceArousal(0, 0)) == "v+0.000a+0.000"
    assert key(ValenceArousal(-0.0004, 1 / 3)) == "v+0.000a+0.333"


def test_strong_is_six_tenths_and_more() -> None:
    points = [ValenceArousal(0.6, 0), ValenceArousal(0.36, 0.48), ValenceArousal(0.59, 0)]
    assert is_strong(points) == [True, True, False]


def test_choices_that_cannot_be_name_their_option() -> None:
    assert parse_sets("corners, ring") == ("ring", "corners")
    for wrong, option in (
        (lambda: parse_sets("ring,square"), "--targets"),
        (lambda: TargetChoice(()), "--targets"),
        (lambda: TargetChoice(categories=()), "--classes"),
        (lambda: TargetChoice(directions=0), "--directions"),
        (lambda: TargetChoice(radii=(0.0,)), "--radii"),
        (lambda: TargetChoice(radii=(float("nan"),)), "--radii"),
    ):
        with pytest.raises(InputError, match=f"^{option}"):
            wrong()
