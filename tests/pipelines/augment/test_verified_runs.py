"""Runs whose pictures are looked at again: what the manifest says, what is dropped, and that it is always the same."""

from __future__ import annotations

import csv
import dataclasses
import json
import math
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from benchmarks._crashes import Moment, files_of, stop_at
from benchmarks._tiny_network import write_tiny_network
from synth_affect.cli import main
from synth_affect.errors import InputError
from synth_affect.pipelines.augment.check import CheckSettings, Gate, PictureCheck
from synth_affect.pipelines.augment.journal import read_journal
from synth_affect.pipelines.augment.manifest import MANIFEST, read_manifest
from synth_affect.pipelines.augment.run import AugmentJob, augment
from synth_affect.pipelines.augment.targets import PathTargets
from synth_affect.pipelines.augment.work import AugmentWorker
from synth_affect.pipelines.judges.open_judges import JudgeCards, open_judges
from synth_affect.pipelines.verify import OutputVerifier, Verification, VerifierChoice
from synth_affect.pipelines.workers import LocalEngine

JobMaker = Callable[..., AugmentJob]

pytest.importorskip("pyarrow")
pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")
READ = (0.4, 0.2)
"""What the judge reads in every picture."""
BAR = 0.6


@pytest.fixture(scope="module")
def choice(tmp_path_factory: pytest.TempPathFactory) -> VerifierChoice:
    """A judge that always reads the same, and an embedding that knows one person."""
    folder = tmp_path_factory.mktemp("judges")
    affect = write_tiny_network(folder / "flat_va_mtl.onnx", [0.0] * 10, [0.0] * 8 + list(READ))
    identity = write_tiny_network(folder / "one.onnx", [0.0] * 2, [1.0, 2.0], (1, 3, 112, 112))
    return VerifierChoice((f"hsemotion={affect}",), (f"arcface={identity}",))


def words(portraits: Path, out: Path, choice: VerifierChoice, *more: str) -> list[str]:
    chosen = portraits.with_name("verified.txt")
    chosen.write_text("anna/a\nbert/b\n")
    judges = [word for spec in choice.judges for word in ("--judge", spec)]
    judges += [word for spec in choice.identities for word in ("--identity", spec)]
    settings = ("--targets", "random", "--per-face", "5", "--min-quality", "0.1", "--seed", "4")
    return ["augment", str(portraits), "--out", str(out), "--accept-list", str(chosen), *settings, *judges, *more]


GATE = ("--verify", "--gate", "--max-affect-error", str(BAR), "--same-person", "0.9")


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory, portraits: Path, choice: VerifierChoice) -> Path:
    """An uninterrupted run of one process, with a gate."""
    out = tmp_path_factory.mktemp("runs") / "clean"
    assert main(words(portraits, out, choice, *GATE, "--workers", "1")) == 0
    return out


@pytest.fixture
def gated(make_job: JobMaker, choice: VerifierChoice) -> JobMaker:
    """A job whose pictures are read, and dropped where the target is far from READ: `gated(out)`."""
    cards = open_judges(choice.judges, choice.identities).cards

    def make(out: Path, *, bar: float = BAR, same_person: float = 0.9) -> AugmentJob:
        job = make_job(out, per_face=5, seed=4)
        checks = CheckSettings(choice, cards, Gate(bar, same_person))
        return dataclasses.replace(job, settings=dataclasses.replace(job.settings, checks=checks))

    return make


def dropped(out: Path) -> list[dict[str, str]]:
    with (out / "dropped.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_pictures_that_do_not_read_as_asked_are_dropped_and_counted(
    clean: Path, portraits: Path, choice: VerifierChoice, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*words(portraits, clean, choice, *GATE), "--json"]) == 0
    summary = json.loads(capsys.readouterr().out)
    kept, gone = read_manifest(clean / MANIFEST), dropped(clean)
    assert summary["pictures"] == len(kept) > 0
    assert summary["dropped"] == {"another feeling": len(gone)}
    assert summary["done_before"] == 2
    assert len(kept) + len(gone) == 10
    for row in kept:
        assert (row["face_found"], row["judge"], row["identity_judge"]) == (
            True,
            "HSEmotion flat_va_mtl",
            "ArcFace one",
        )
        assert (row["read_valence"], row["read_arousal"]) == pytest.approx(READ, abs=1e-4)
        assert row["identity_distance"] == pytest.approx(0, abs=1e-4)
        assert row["readings"] == [
            {"judge": row["judge"], "valence": row["read_valence"], "arousal": row["read_arousal"]}
        ]
        assert row["face_readings"]["jaw_open"] >= 0
    away = {True: [], False: []}  # type: dict[bool, list[float]]
    for rows, stays in ((kept, True), (gone, False)):
        away[stays] += [math.dist(READ, (float(row["valence"]), float(row["arousal"]))) for row in rows]
    assert max(away[True]) <= BAR < min(away[False])
    for key in ("anna/a", "bert/b"):
        names = [Path(row["path"]).name for row in kept if row["source_key"] == key]
        assert names == [f"{number:05d}.jpg" for number in range(len(names))], "names have no gaps"
    files = {path.relative_to(clean).as_posix() for path in (clean / "pictures").rglob("*.jpg")}
    assert files == {row["path"] for row in kept}
    page = (clean / "DATASHEET.md").read_text()
    assert f"- {len(gone)}: another feeling" in page
    assert "HSEmotion flat_va_mtl" in page
    assert (clean / "dropped.jpg").is_file()


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks for processes in /proc")
def test_a_run_of_two_that_was_killed_goes_on_to_the_same_files(
    clean: Path, portraits: Path, tmp_path: Path, choice: VerifierChoice, capsys: pytest.CaptureFixture[str]
) -> None:
    run = words(portraits, tmp_path / "killed", choice, *GATE, "--workers", "2")
    command = [sys.executable, "-m", "synth_affect", *run]
    assert stop_at(command, tmp_path / "killed", Moment(1, 0.0), "group") == "group"
    assert main(run) == 0
    assert "dropped: " in capsys.readouterr().out
    assert files_of(tmp_path / "killed") == files_of(clean)


def test_other_judges_or_bars_ask_for_another_folder(
    clean: Path, portraits: Path, choice: VerifierChoice, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words(portraits, clean, choice, *GATE, "--max-affect-error", "0.7")) == 2
    assert "was begun with another gate;" in capsys.readouterr().err
    assert main(words(portraits, clean, VerifierChoice(choice.judges), "--verify")) == 2
    assert "was begun with another gate, verified;" in capsys.readouterr().err


def test_where_nothing_stays_it_is_said(gated: JobMaker, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"the gate dropped every picture, see dropped.csv; the first: another person"):
        augment(gated(tmp_path / "out", same_person=1.1), LocalEngine(1))
    assert {row["fault"] for row in dropped(tmp_path / "out")} == {"another person"}
    assert not (tmp_path / "out" / MANIFEST).exists()


def test_without_a_gate_all_stay_and_without_judges_mediapipe_reads(make_job: JobMaker, tmp_path: Path) -> None:
    job = make_job(tmp_path / "out")
    job = dataclasses.replace(job, settings=dataclasses.replace(job.settings, checks=CheckSettings()), per_shard=3)
    assert augment(job, LocalEngine(1)).dropped == {}
    rows = read_manifest(job.out / MANIFEST)
    assert len(rows) == 4
    assert {(row["face_found"], row["judge"], row["read_valence"]) for row in rows} == {(True, None, None)}
    assert all(0 <= row["face_readings"]["smile"] <= 1 for row in rows)
    assert not (job.out / "dropped.csv").exists()
    assert "No judge was given" in (job.out / "DATASHEET.md").read_text()


def _faceless_at(*numbers: int) -> Callable[..., Verification]:
    """A verifier's method that sees no face in the pictures of those numbers, counted over the run."""
    true, seen = OutputVerifier.verify, [-1]

    def verify(self: OutputVerifier, *arguments: object) -> Verification:
        seen[0] += 1
        found = true(self, *arguments)  # type: ignore[arg-type]
        return Verification(found.target, found=False) if seen[0] in numbers else found

    return verify


@pytest.mark.parametrize("layout", ["plain", "aff-wild"])
def test_a_sequence_is_dropped_as_a_whole(
    gated: JobMaker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, layout: str
) -> None:
    from synth_affect.data.faces.export.registry import open_export_layout

    job = gated(tmp_path / "out", bar=3.0)
    job = dataclasses.replace(
        job,
        targets=PathTargets(3, 4),
        layout=open_export_layout(layout, job.database),
        accepted=frozenset({"anna/a"}),
    )
    monkeypatch.setattr(OutputVerifier, "verify", _faceless_at(6))  # the third frame of the second sequence
    summary = augment(job, LocalEngine(1))
    rows = read_manifest(job.out / MANIFEST)
    assert (summary.pictures, summary.dropped) == (8, {"no face": 1})
    assert [(row["clip"], row["clip_frame"]) for row in rows] == [
        (f"anna/a/{clip:03d}", frame) for clip in range(2) for frame in range(4)
    ]
    assert [(row["number"], row["fault"]) for row in dropped(job.out)] == [("6", "no face")]
    assert sum(1 for path in job.out.rglob("*.jpg") if path.parent != job.out) == 8
    with read_journal(job.out) as journal:
        assert journal[0].dropped[0].check == PictureCheck(False)


def test_of_a_sequence_only_the_strongest_frame_must_read_as_asked(gated: JobMaker, tmp_path: Path) -> None:
    job = dataclasses.replace(gated(tmp_path / "out", bar=0.8), targets=PathTargets(4, 3))
    augment(job, LocalEngine(1))
    strongest = [row for row in read_manifest(job.out / MANIFEST) if row["clip_frame"] == 1]
    assert strongest
    assert all(math.dist(READ, (row["valence"], row["arousal"])) <= 0.8 for row in strongest)
    assert {row["fault"] for row in dropped(job.out)} == {"another feeling"}
    assert {int(row["number"]) % 3 for row in dropped(job.out)} == {1}


def test_a_worker_refuses_other_weights_than_those_of_the_run(gated: JobMaker, tmp_path: Path) -> None:
    settings = gated(tmp_path / "out").settings
    assert settings.checks is not None
    other = dataclasses.replace(settings.checks, cards=JudgeCards((), settings.checks.cards.identity))
    with pytest.raises(InputError, match="not those that the run began with"):
        AugmentWorker(tmp_path / "out", dataclasses.replace(settings, checks=other))


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ([], "--judge: reads the output of --verify; give that too"),
        (["--verify", "--max-affect-error", "0.3"], "--max-affect-error: goes with --gate; give that too"),
        (["--verify", "--same-person", "0.3"], "--same-person: goes with --gate; give that too"),
        (["--gate"], "--judge: reads the output of --verify; give that too"),
        (["--verify", "--gate"], "--same-person: missing; ArcFace one comes without a cosine"),
        (["--verify", "--gate", "--max-affect-error", "nan"], "--max-affect-error: nan is not in (0, 3]"),
        (["--verify", "--judge", "emonet=absent.pth"], "absent.pth: no such file"),
        (["--verify", "--judge", "hsemotion={identity}"], "one.onnx: gives 2 numbers; a va_mtl network gives 10"),
        (["--verify", "--identity", "arcface={affect}"], "takes pictures of 224 px; ArcFace takes 112"),
        (["--verify", "--judge", "{judge}"], "--judge: two judges are called 'HSEmotion flat_va_mtl'"),
    ],
)
def test_what_cannot_be_judged_is_said_before_any_work(
    portraits: Path,
    tmp_path: Path,
    choice: VerifierChoice,
    capsys: pytest.CaptureFixture[str],
    more: Sequence[str],
    said: str,
) -> None:
    named = {"judge": choice.judges[0]} | {
        name: spec.partition("=")[2]
        for name, spec in (("affect", choice.judges[0]), ("identity", choice.identities[0]))
    }
    arguments = words(portraits, tmp_path / "out", choice, *(word.format(**named) for word in more))
    assert main(arguments) == 2
    error = capsys.readouterr().err.strip()
    assert said in error
    assert "\n" not in error
    assert not (tmp_path / "out").exists()
