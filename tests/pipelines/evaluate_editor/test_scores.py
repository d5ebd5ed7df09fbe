from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from synth_affect.affect import Emotion, ValenceArousal, position
from synth_affect.pipelines.evaluate_editor.records import InputRecord, JudgedPicture, PictureRecord
from synth_affect.pipelines.evaluate_editor.scores import Edit, agreement, summarise
from synth_affect.pipelines.evaluate_editor.targets import TargetChoice, key
from synth_affect.pipelines.judges.classes import class_positions
from synth_affect.pipelines.judges.face_heights import READINGS
from synth_affect.pipelines.judges.judge import IdentityCard, JudgeCard

CHOICE = TargetChoice(("ring", "corners"), 8, (0.25, 1.0))
JUDGE = JudgeCard("judge", "", "", "", "j")
PEOPLE = IdentityCard("people", "distance", 0.6, "", "", "p")
Say = Callable[[ValenceArousal], tuple[float, float]]


def edits(read: Say, identity: float = 0.25, *, found: bool = True, heights: Say | None = None) -> list[Edit]:
    """Two faces, each read as (0.1, 0) before any edit."""

    def judged(target: ValenceArousal) -> JudgedPicture:
        valence, arousal = read(target)
        seen = (heights or (lambda _: (0.5, 0.5)))(target)
        values = {name: seen[0 if follows == "valence" else 1] for name, (follows, _, _) in READINGS.items()}
        return JudgedPicture(True, values, {"j": [valence, arousal, ""]}, {"p": identity})

    before = InputRecord("i", (0, 0, 1, 1), JudgedPicture(True, dict.fromkeys(READINGS, 0.5), {"j": [0.1, 0.0, ""]}))
    made = []
    for face in ("one", "two"):
        for number, target in enumerate(CHOICE.union()):
            record = PictureRecord("i", "e", "o", 0.5 if number else 2.0, not number, 100.0 + number, None, 0.0, 0.0)
            judgement = judged(target) if found else JudgedPicture(False)
            record = PictureRecord(
                **{**{name: getattr(record, name) for name in record.__slots__}, "judged": judgement}
            )
            made.append(Edit(face, Path(face), Path("o"), target, record, before))
    return made


def test_a_perfect_editor_before_a_judge_of_any_point() -> None:
    summary = summarise(edits(lambda t: (t.valence, t.arousal)), CHOICE, [JUDGE], [PEOPLE])
    for part, n in (("all", 32), ("strong", 16)):
        found = summary["judges"][0]["sets"]["ring"][part]
        assert (found["n"], found["n_faces"]) == (n, 2)
        for name in ("valence", "arousal"):
            assert found[name]["ccc"]["value"] == pytest.approx(1)
            assert found[name]["share"] == pytest.approx(1)
    assert summary["judges"][0]["sets"]["corners"]["all"]["n"] == 8
    gain = summary["identity"][0]["gain"][0]["at"]
    assert [row["passing"] for row in gain] == [0, 1, 1, 1, 1], "0.25 passes 0.3"
    assert gain[0]["gain"] == 0, "pictures of somebody else gain nothing"
    assert gain[1]["gain"] == pytest.approx(1, abs=0.05)


def test_categories_count_as_named_where_the_judge_knows_them() -> None:
    choice = TargetChoice(("classes",), categories=(Emotion.HAPPINESS, Emotion.ANGER, Emotion.CONTEMPT))
    judge = JudgeCard("judge", "", "", "", "j", class_positions(["happiness", "anger", "neutral"]))
    named = {key(position(emotion)): str(emotion) for emotion in (Emotion.HAPPINESS, Emotion.ANGER)}
    made, still = [], dict.fromkeys(READINGS, 0.5)
    before = InputRecord("i", (0, 0, 1, 1), JudgedPicture(True, still, {"j": [0, 0, "anger"]}))
    for face, says in (("one", named), ("two", dict.fromkeys(named, "anger"))):
        for target in choice.union():
            judged = JudgedPicture(True, still, {"j": [0.0, 0.0, says.get(key(target), "neutral")]})
            record = PictureRecord("i", "e", "o", 0.5, False, 100.0, None, 0.0, 0.0, judged)
            made.append(Edit(face, Path(face), Path("o"), target, record, before))
    found = summarise(made, choice, [judge, JUDGE], [])["judges"][0]["classes"]
    assert (found["n"], found["n_groups"]) == (4, 2), "contempt is not known"
    assert found["categories"] == ("happiness", "anger")
    assert found["accuracy"]["value"] == pytest.approx(0.75)
    assert found["confusion"] == ((1, 1), (0, 2))
    assert found["left_alone"] == pytest.approx(0.5)
    assert summarise(made, CHOICE, [judge], [])["judges"][0]["classes"] is None


def test_doing_nothing_gains_nothing() -> None:
    summary = summarise(edits(lambda t: (0.1, 0.0), identity=0.0), CHOICE, [JUDGE], [PEOPLE])
    assert summary["identity"][0]["share_same_person"] == 1
    assert [row["gain"] for row in summary["identity"][0]["gain"][0]["at"]] == [0] * 5
    found = summary["judges"][0]["sets"]["ring"]["all"]["valence"]
    assert found["ccc"]["value"] == pytest.approx(0)


def test_the_change_is_against_the_input_reading() -> None:
    """A judge that reads everything 0.1 too pleasant, like the input: the change is exact."""
    found = summarise(edits(lambda t: (t.valence + 0.1, t.arousal)), CHOICE, [JUDGE], [])["judges"][0]["sets"]["ring"][
        "all"
    ]
    assert found["valence"]["ccc_of_change"] == pytest.approx(1)
    assert found["valence"]["ccc"]["value"] < 0.999


def test_a_judge_of_classes_has_a_ceiling() -> None:
    rng = np.random.default_rng(0)
    asked = rng.uniform(-1, 1, (40, 2))
    positions = class_positions(("happiness", "sadness", "anger", "neutral"))
    found = agreement(asked, asked, 0 * asked, ["a"] * 40, positions)
    assert found["arousal"]["ceiling"] < 0.8
    assert found["arousal"]["share"] == pytest.approx(1 / found["arousal"]["ceiling"])


def test_pictures_without_a_face_are_counted_and_judge_nothing() -> None:
    summary = summarise(edits(lambda t: (0, 0), found=False), CHOICE, [JUDGE], [PEOPLE])
    assert summary["n_without_face"] == summary["n_pictures"]
    assert summary["judges"][0]["sets"]["ring"] == {"all": None, "strong": None}
    assert summary["identity"][0]["n"] == 0


def test_units_are_followed_in_their_dimension() -> None:
    summary = summarise(edits(lambda t: (0, 0), heights=lambda t: (t.valence, -t.arousal)), CHOICE, [], [])
    rows = {row["name"]: row for row in summary["readings"]}
    assert rows["smile"]["pearson"] == pytest.approx(1)
    assert rows["jaw open"]["pearson"] == pytest.approx(-1)
    still = summarise(edits(lambda t: (0, 0)), CHOICE, [], [])["readings"]
    assert all(row["pearson"] is None for row in still), "what does not move has no correlation"


def test_time_and_memory() -> None:
    speed = summarise(edits(lambda t: (0, 0)), CHOICE, [], [])["speed"]
    assert (speed["first_picture_s"], speed["next_picture_s"]) == (2.0, 0.5)
    assert speed["peak_rss_mib"] == 100 + len(CHOICE.union()) - 1
    assert speed["peak_gpu_mib"] is None


def test_pictures_that_were_made_together_share_their_time() -> None:
    made = edits(lambda t: (t.valence, t.arousal))
    for number, edit in enumerate(made):
        if not edit.record.first:
            seconds = 0.32 if number % 8 == 1 else 0.0
            object.__setattr__(edit.record, "seconds", seconds)
    following = [edit.record.seconds for edit in made if edit.face == "one" and not edit.record.first]
    speed = summarise(made, CHOICE, [], [])["speed"]
    assert speed["next_picture_s"] == pytest.approx(np.mean(following), rel=0.3)
    assert speed["next_picture_s"] > 0.03
