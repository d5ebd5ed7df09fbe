from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from synth_affect.data.provenance import sha256_file
from synth_affect.errors import InputError
from synth_affect.file_lock import lock_file
from synth_affect.pipelines.evaluate_editor.run import EvaluationRequest, evaluate_editor
from synth_affect.pipelines.evaluate_editor.targets import TargetChoice
from synth_affect.pipelines.open_editor import EditorChoice

CHOICE = TargetChoice(("ring", "corners"), 4, (1.0,))
N_TARGETS = 9


@pytest.fixture
def request_(photographs: Path, tmp_path: Path, stubs: Any) -> EvaluationRequest:
    return EvaluationRequest(EditorChoice(), photographs, tmp_path / "out", CHOICE, ("reader",), ("colour",))


def test_everything_is_made_judged_and_told(request_: EvaluationRequest, stubs: Any) -> None:
    summary = evaluate_editor(request_)
    out = request_.out
    assert (summary["n_faces"], summary["n_pictures"]) == (2, 2 * N_TARGETS)
    assert {Path(row["path"]).name: row["reason"] for row in summary["refused"]} == {
        "dark.png": "too dark",
        "nobody.png": "no face found",
    }
    ring = summary["judges"][0]["sets"]["ring"]["all"]
    assert ring["valence"]["ccc"]["value"] == pytest.approx(1)
    assert summary["background"] == {
        "n": 18, "mean": 0, "largest_mean": 0, "pictures_changed": 0, "largest_share": 0
    }  # fmt: skip
    assert summary["identity"][0]["n"] == 18
    assert json.loads((out / "results.json").read_text()) == json.loads(json.dumps(summary))
    with (out / "results.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 18
    assert all(abs(float(row["valence"]) - float(row["reader: valence"])) < 0.006 for row in rows)
    manifest = json.loads((out / "manifest.json").read_text())
    assert all(sha256_file(out / entry["output"]) == entry["output_sha256"] for entry in manifest)


def test_the_report_is_one_file_that_escapes_names(request_: EvaluationRequest) -> None:
    evaluate_editor(replace(request_, targets=TargetChoice(("labels",))))
    page = (request_.out / "report.html").read_text("utf-8")
    assert "none &lt;b&gt;" in page
    assert "none <b>" not in page
    assert "9 pictures of 3 people (rendered), 2 epochs, 2 minutes on a CPU. free &lt;i&gt;" in page
    assert "CAAE, published" in page
    assert "data:image/jpeg;base64," in page
    assert "http" not in page.replace("http-equiv", ""), "nothing is fetched"


def test_a_second_run_does_nothing_again(request_: EvaluationRequest, stubs: Any, reading_judge: Any) -> None:
    first = evaluate_editor(request_)
    n_made, n_read = len(stubs.made), reading_judge.n_read
    assert (n_made, n_read) == (2 * N_TARGETS, 2 * N_TARGETS + 2)
    assert evaluate_editor(request_) == first
    assert (len(stubs.made), reading_judge.n_read) == (n_made, n_read)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"5", b"\xff\xfe", b"[" * 100_000, b'{"format": 1}'])
def test_damaged_records_are_made_again(request_: EvaluationRequest, stubs: Any, content: bytes) -> None:
    first = evaluate_editor(request_)
    for path in (next(request_.out.glob("pictures/*/v*.record.json")), next(request_.out.rglob("input.record.json"))):
        path.write_bytes(content)
    again = evaluate_editor(request_)
    assert [card["sets"] for card in again["judges"]] == [card["sets"] for card in first["judges"]]


@pytest.mark.parametrize("content", [b"", b"[]", b"\xff\xfe", b"[" * 100_000])
def test_a_folder_whose_editor_cannot_be_told_is_refused(request_: EvaluationRequest, content: bytes) -> None:
    request_.out.mkdir()
    (request_.out / "editor.json").write_bytes(content)
    with pytest.raises(InputError, match=r"editor.json|another editor"):
        evaluate_editor(request_)


def test_what_is_missing_is_made_again(request_: EvaluationRequest, stubs: Any) -> None:
    evaluate_editor(request_)
    pictures = sorted(request_.out.glob("pictures/*/*.png"))
    pictures[0].unlink()
    pictures[1].with_suffix(".record.json").unlink()
    del stubs.made[:]
    evaluate_editor(request_)
    assert len(stubs.made) == 2
    assert all(path.is_file() for path in pictures)


def test_a_judge_that_comes_later_reads_what_is_there(
    request_: EvaluationRequest, stubs: Any, reading_judge: Any
) -> None:
    evaluate_editor(replace(request_, judges=(), identities=()))
    n_made = len(stubs.made)
    assert reading_judge.n_read == 0
    summary = evaluate_editor(replace(request_, judges=("reader", "other")))
    assert len(stubs.made) == n_made
    assert reading_judge.n_read == 2 * (2 * N_TARGETS + 2)
    assert [card["name"] for card in summary["judges"]] == ["reader", "other"]


def test_judges_must_have_names_of_their_own(request_: EvaluationRequest) -> None:
    with pytest.raises(InputError, match="two judges are called 'reader'"):
        evaluate_editor(replace(request_, judges=("reader", "reader")))


def test_a_run_that_is_ended_keeps_what_it_has(request_: EvaluationRequest, stubs: Any) -> None:
    def ended(items: Any, count: int | None, description: str) -> Any:
        for number, item in enumerate(items):
            if number == 5:
                raise KeyboardInterrupt
            yield item

    with pytest.raises(KeyboardInterrupt):
        evaluate_editor(request_, ended)
    assert not list(request_.out.rglob("*.part"))
    n_made = len(stubs.made)
    evaluate_editor(request_)
    assert len(stubs.made) <= 2 * N_TARGETS + 1
    assert n_made >= 5


def test_one_run_at_a_time_and_what_a_killed_one_left_is_cleared(request_: EvaluationRequest, stubs: Any) -> None:
    evaluate_editor(request_)
    left = next(request_.out.glob("pictures/*")) / ".0123.part"
    left.touch()
    with lock_file(request_.out / ".lock", request_.out), pytest.raises(InputError, match="another process"):
        evaluate_editor(request_)
    assert left.exists()
    evaluate_editor(request_)
    assert not left.exists()


def test_another_editor_gets_another_folder(request_: EvaluationRequest, stubs: Any) -> None:
    evaluate_editor(request_)
    stubs.version = "2"
    with pytest.raises(InputError, match=r"another editor \(writing 1\)"):
        evaluate_editor(request_)


def test_an_editor_that_touches_the_background_is_caught(request_: EvaluationRequest, stubs: Any) -> None:
    stubs.spills = True
    summary = evaluate_editor(request_)
    assert summary["background"]["pictures_changed"] == 18


def test_readings_from_outside_are_one_more_judge(request_: EvaluationRequest, tmp_path: Path) -> None:
    evaluate_editor(request_)
    entries = {}
    for entry in json.loads((request_.out / "manifest.json").read_text()):
        said = {"valence": entry["valence"], "arousal": 0.5 * entry["arousal"], "emotion": "", "identity": 0.3}
        entries[entry["output_sha256"]] = {"sha256": entry["output_sha256"], **said}
        nothing = {"valence": 0, "arousal": 0, "emotion": "", "identity": None}
        entries[entry["input_sha256"]] = {"sha256": entry["input_sha256"], **nothing}
    path = tmp_path / "readings.json"
    about = {"name": "far", "databases": "d", "accuracy": "a", "terms": "t"}
    people = {"name": "p", "likeness": "distance", "same_person": 0.6, "databases": "d", "terms": "t"}
    content = {
        "format": "synth-affect readings",
        "format_version": 1,
        "judge": {**about, "positions": []},
        "identity": people,
        "readings": list(entries.values()),
    }
    path.write_text(json.dumps(content))
    summary = evaluate_editor(replace(request_, readings=(path,)))
    far = summary["judges"][1]["sets"]["ring"]["all"]
    assert far["valence"]["ccc"]["value"] == pytest.approx(1)
    assert 0.5 < far["arousal"]["ccc"]["value"] < 0.9
    assert summary["identity"][1]["mean"] == pytest.approx(0.3)
    far_off = {**entries[entry["output_sha256"]], "valence": 9}
    wrong: dict[str, Any]
    for wrong in (
        {"format": "x"},
        {"readings": [{}]},
        {"readings": [far_off]},
        {"readings": [{**far_off, "valence": 10**400}]},
        {"judge": {}},
        {"judge": {**about, "positions": [[float("nan"), 0]]}},
        {"identity": {**people, "likeness": "x"}},
    ):
        path.write_text(json.dumps({**content, **wrong}))
        with pytest.raises(InputError, match="readings"):
            evaluate_editor(replace(request_, readings=(path,)))


def test_without_a_face_that_can_be_edited_the_reason_is_said(request_: EvaluationRequest, photographs: Path) -> None:
    with pytest.raises(InputError, match=r"no photograph could be edited \(dark.png: too dark\)"):
        evaluate_editor(replace(request_, images=photographs / "dark.png"))
    assert not request_.out.exists(), "nothing is left of it"


def test_the_folder_must_be_one_that_can_be_made(request_: EvaluationRequest, photographs: Path) -> None:
    with pytest.raises(InputError, match="cannot be written"):
        evaluate_editor(replace(request_, out=photographs / "notes.txt"))
