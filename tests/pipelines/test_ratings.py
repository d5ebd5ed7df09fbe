from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from synth_affect.affect import ValenceArousal
from synth_affect.errors import InputError
from synth_affect.pipelines.ratings import (
    COLUMNS,
    AnswerLog,
    RatedPicture,
    check_rater,
    open_study,
    order_for,
    ratings_text,
    read_answers,
    report_ratings,
)
from synth_affect.regressors.metrics import concordance

TARGETS = [(v, a) for v in (-0.8, -0.1, 0.7) for a in (-0.5, 0.2, 0.9)]


@pytest.fixture
def study() -> list[RatedPicture]:
    return [RatedPicture(f"id{k}", Path(f"p{k}.png"), ValenceArousal(*point)) for k, point in enumerate(TARGETS)]


def picture(path: Path, grey: int) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (8, 8), (grey, grey, grey)).save(path)
    return path


def test_a_folder_knows_what_its_sidecars_say(tmp_path: Path) -> None:
    picture(tmp_path / "a" / "one.png", 10)
    picture(tmp_path / "two.png", 20)
    (tmp_path / "copy.png").write_bytes((tmp_path / "two.png").read_bytes())
    (tmp_path / "a" / "one.png.json").write_text(json.dumps({"request": {"valence": 0.5, "arousal": -0.25}}))
    (tmp_path / "two.png.json").write_text("{}")
    found = {item.path.name: item for item in open_study(tmp_path)}
    assert len(found) == 2, "a copy counts once"
    assert found["one.png"].asked == ValenceArousal(0.5, -0.25)
    assert next(item for name, item in found.items() if name != "one.png").asked is None


def test_a_manifest_stands_for_its_folder(tmp_path: Path) -> None:
    picture(tmp_path / "pictures" / "x.png", 10)
    picture(tmp_path / "unlisted.png", 20)
    entries = [{"input": "in.jpg", "output": "pictures/x.png", "valence": 1, "arousal": 0}]
    (tmp_path / "manifest.json").write_text(json.dumps(entries))
    (found,) = open_study(tmp_path)
    assert (found.path.name, found.asked) == ("x.png", ValenceArousal(1, 0))
    assert open_study(tmp_path / "manifest.json") == (found,)


@pytest.mark.parametrize(
    "content",
    [
        "{",
        "[1]",
        '[{"output": "x.png"}]',
        "[]",
        "[" * 100_000,
        '[{"output": "x.png", "valence": 1%s, "arousal": 0}]' % ("0" * 400),
        '[{"output": "x.png", "valence": 7, "arousal": 0}]',
        '[{"output": "x.png", "valence": NaN, "arousal": 0}]',
        '[{"output": "x\\u0000.png", "valence": 0, "arousal": 0}]',
    ],
)
def test_a_manifest_that_is_none_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "manifest.json").write_text(content)
    says = r"no manifest|holds no pictures|manifest.json: asks for what there is not|null byte"
    with pytest.raises(InputError, match=says):
        open_study(tmp_path)


def test_each_rater_has_an_order_and_keeps_it(study: list[RatedPicture]) -> None:
    anna = [item.id for item in order_for("anna", study, 0)]
    assert anna == [item.id for item in order_for("anna", study[::-1], 0)]
    assert sorted(anna) == sorted(item.id for item in study)
    others = {tuple(item.id for item in order_for(name, study, 0)) for name in ("ben", "cleo", "dora")}
    assert len(others | {tuple(anna)}) == 4
    assert anna != [item.id for item in order_for("anna", study, 1)]


@pytest.mark.parametrize("name", ["", "   ", "a\x00b", "x" * 61])
def test_names_that_could_not_be_kept_are_refused(name: str) -> None:
    with pytest.raises(InputError, match="printable"):
        check_rater(name)
    assert check_rater("  Anna   Lee ") == "Anna Lee"


def test_answers_come_back(tmp_path: Path, study: list[RatedPicture]) -> None:
    path = tmp_path / "answers.csv"
    with AnswerLog(path) as log:
        log.add('anna "A", Lee', study[0], ValenceArousal(0.25, -0.5), 1.234)
        log.add('anna "A", Lee', study[0], ValenceArousal(0.5, 0.5), 2)
    with AnswerLog(path) as log:
        last = log.of('anna "A", Lee')["id0"]
        assert (last.valence, last.arousal, last.asked_valence, last.seconds) == (0.5, 0.5, -0.8, 2)
        assert log.of("ben") == {}
        log.add("ben", RatedPicture("idx", Path("x.png"), None), ValenceArousal(0, 0), 0)
    answers = read_answers(path)
    assert len(answers) == 3
    assert answers[2].asked_valence is None


def test_a_line_that_was_never_finished_costs_nothing_else(tmp_path: Path, study: list[RatedPicture]) -> None:
    path = tmp_path / "answers.csv"
    with AnswerLog(path) as log:
        log.add("anna", study[0], ValenceArousal(0, 0), 1)
        log.add("anna", study[1], ValenceArousal(1, 0), 1)
    path.write_bytes(path.read_bytes()[:-30])
    with AnswerLog(path) as log:
        assert list(log.of("anna")) == ["id0"]
        log.add("anna", study[2], ValenceArousal(0, 1), 1)
    assert [answer.picture for answer in read_answers(path)] == ["id0", "id2"]


def test_one_process_writes_at_a_time(tmp_path: Path) -> None:
    with AnswerLog(tmp_path / "a.csv"), pytest.raises(InputError, match="another process"):
        AnswerLog(tmp_path / "a.csv")


def test_another_file_is_not_added_to(tmp_path: Path) -> None:
    path = tmp_path / "other.csv"
    path.write_text("a,b\n1,2\n")
    with pytest.raises(InputError, match="no file of answers"):
        AnswerLog(path)
    assert path.read_text() == "a,b\n1,2\n"
    with pytest.raises(InputError, match="a folder"):
        AnswerLog(tmp_path)


def rate(path: Path, study: list[RatedPicture], said: dict[str, float]) -> None:
    """Each rater says a share of what was asked."""
    with AnswerLog(path) as log:
        for rater, share in said.items():
            for item in study:
                assert item.asked is not None
                point = ValenceArousal(share * item.asked.valence, share * item.asked.arousal)
                log.add(rater, item, point, 2)


def test_the_report_is_of_each_rater_of_all_and_of_their_mean(tmp_path: Path, study: list[RatedPicture]) -> None:
    path = tmp_path / "answers.csv"
    rate(path, study, {"exact": 1.0, "faint": 0.5, "contrary": -1.0})
    report = report_ratings(path)
    valence = np.array(TARGETS)[:, 0]
    by_rater = {entry["rater"]: entry["scores"]["valence"]["ccc"]["value"] for entry in report["raters"]}
    assert by_rater["exact"] == pytest.approx(1)
    assert by_rater["faint"] == pytest.approx(concordance(valence, 0.5 * valence), abs=1e-4)
    assert by_rater["contrary"] < -0.9
    pooled = concordance(np.tile(valence, 3), np.concatenate([-valence, valence, 0.5 * valence]))
    assert report["pooled"]["valence"]["ccc"]["value"] == pytest.approx(pooled, abs=1e-4)
    assert report["pooled"]["n_groups"] == 3, "the interval draws raters"
    means = concordance(valence, valence / 6)
    assert report["mean_rater"]["valence"]["ccc"]["value"] == pytest.approx(means, abs=1e-3)
    assert report["between_raters"]["n_pairs"] == 3
    pairs = [concordance(a * valence, b * valence) for a, b in ((1, 0.5), (1, -1), (0.5, -1))]
    assert report["between_raters"]["valence_ccc"] == pytest.approx(np.mean(pairs), abs=1e-3)
    assert "contrary" in ratings_text(report)


def test_without_what_was_asked_raters_are_compared_with_each_other(tmp_path: Path, study: list[RatedPicture]) -> None:
    path = tmp_path / "answers.csv"
    with AnswerLog(path) as log:
        for rater in ("anna", "ben"):
            for item in study:
                assert item.asked is not None
                log.add(rater, RatedPicture(item.id, item.path, None), item.asked, 1)
    report = report_ratings(path)
    assert report["pooled"] is None
    assert report["mean_rater"] is None
    assert report["between_raters"]["valence_ccc"] == pytest.approx(1)
    assert "not known" in ratings_text(report)


def test_no_answers_are_an_error(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(",".join(COLUMNS) + "\n")
    with pytest.raises(InputError, match="no answers yet"):
        report_ratings(tmp_path / "a.csv")
