"""Whole runs: what comes out, that it is the same however it came about, and what is refused."""

from __future__ import annotations

import csv
import dataclasses
import errno
import hashlib
import json
import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest
from PIL import Image

from synth_affect.data.faces.database import FaceDatabase
from synth_affect.data.faces.export.afew_va import AfewVaLayout
from synth_affect.data.faces.export.aff_wild import AffWildLayout
from synth_affect.data.faces.export.layout import ExportLayout
from synth_affect.data.faces.export.table import PlainLayout
from synth_affect.data.faces.registry import open_face_database
from synth_affect.errors import InputError
from synth_affect.pipelines.augment.file_batch import PARTIAL
from synth_affect.pipelines.augment.journal import JOURNAL
from synth_affect.pipelines.augment.manifest import MANIFEST, read_manifest
from synth_affect.pipelines.augment.run import AugmentJob, augment
from synth_affect.pipelines.augment.targets import PathTargets, SameTargets
from synth_affect.pipelines.workers import LocalEngine

JobMaker = Callable[..., AugmentJob]

pytest.importorskip("pyarrow")


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory, portraits: Path) -> Path:
    """An uninterrupted run of one process."""
    from synth_affect.pipelines.augment.targets import DrawnTargets
    from synth_affect.pipelines.augment.work import AugmentSettings

    out = tmp_path_factory.mktemp("runs") / "clean"
    database = open_face_database("folder", portraits, {"subjects": "first-folder"})
    settings = AugmentSettings(min_quality=0.1, check_rest=False)
    augment(AugmentJob(database, out, DrawnTargets(2), PlainLayout(), settings, n_folds=2), LocalEngine(1))
    return out


def files_of(folder: Path) -> dict[str, str]:
    """Digest of every file by its path; the lines of the journal in any order."""
    digests = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            content = path.read_bytes()
            if path.name == JOURNAL:
                content = b"".join(sorted(content.splitlines(keepends=True)))
            digests[path.relative_to(folder).as_posix()] = hashlib.sha256(content).hexdigest()
    return digests


def test_each_face_gets_its_pictures_and_each_picture_its_row(clean: Path) -> None:
    rows = read_manifest(clean / MANIFEST)
    assert [row["source_key"] for row in rows] == ["anna/a", "anna/a", "bert/b", "bert/b"]
    for row in rows:
        path = clean / row["path"]
        assert hashlib.sha256(path.read_bytes()).hexdigest() == row["sha256"]
        with Image.open(path) as picture:
            assert picture.size == (row["width"], row["height"]) == (200, 200)
            assert b"compositeSynthetic" in picture.info["xmp"]
        assert -1 <= row["valence"] <= 1
        assert row["judge"] is None
        assert len(row["landmarks"]) == 136
        assert 0 < min(row["landmarks"]) < max(row["landmarks"]) < 200
    assert sorted(str(path.relative_to(clean)) for path in (clean / "pictures").rglob("*.jpg")) == sorted(
        row["path"] for row in rows
    )


def test_no_person_is_in_two_folds(clean: Path) -> None:
    rows = read_manifest(clean / MANIFEST)
    assert {(row["subject"], row["fold"]) for row in rows} in (
        {("anna", 0), ("bert", 1)},
        {("anna", 1), ("bert", 0)},
    )
    assert json.loads((clean / "folds.json").read_text())["folds"] == {row["subject"]: row["fold"] for row in rows}


def test_what_cannot_be_used_is_listed_with_its_reason(clean: Path) -> None:
    with (clean / "rejects.csv").open(newline="") as file:
        rows = {row["key"]: row["reason"] for row in csv.DictReader(file)}
    assert set(rows) == {"anna/wall", "bert/damaged"}
    assert rows["anna/wall"] == "no face found"
    assert "damaged" in rows["bert/damaged"] or "truncated" in rows["bert/damaged"]
    assert (clean / "accepted.txt").read_text() == "anna/a\nbert/b\n"


def test_the_labels_are_read_back(clean: Path) -> None:
    database = open_face_database("csv", clean / "labels.csv")
    rows = read_manifest(clean / MANIFEST)
    labels = [(item.path, item.valence, item.arousal, item.subject) for item in database.records()]  # type: ignore[union-attr]
    assert labels == [
        (
            clean / row["path"],
            pytest.approx(row["valence"], abs=1e-6),
            pytest.approx(row["arousal"], abs=1e-6),
            row["subject"],
        )
        for row in rows
    ]


def test_two_processes_write_the_same_bytes(clean: Path, tmp_path: Path, make_job: JobMaker) -> None:
    summary = augment(make_job(tmp_path / "two"), LocalEngine(2))
    assert files_of(tmp_path / "two") == files_of(clean)
    assert (summary.candidates, summary.faces, summary.rejected, summary.pictures) == (4, 2, 2, 4)


class _Dies:
    """An engine that ends after so many faces, as a kill would end it."""

    def __init__(self, after: int) -> None:
        self.after = after

    def outcomes(
        self, make_worker: Callable[[], Callable[[object], object]], tasks: Iterable[object]
    ) -> Iterator[object]:
        outcomes = LocalEngine(1).outcomes(make_worker, tasks)
        for _ in range(self.after):
            yield next(outcomes)
        next(outcomes, None)  # drawn, and not told
        raise KeyboardInterrupt


@pytest.mark.parametrize("after", [0, 2])
def test_a_run_that_was_stopped_goes_on_to_the_same_files(
    clean: Path, tmp_path: Path, make_job: JobMaker, after: int
) -> None:
    job = make_job(tmp_path / "stopped")
    with pytest.raises(KeyboardInterrupt):
        augment(job, _Dies(after))  # type: ignore[arg-type]
    for half in (job.out / PARTIAL / "0123456789abcdef", job.out / ".0123456789abcdef.part"):
        half.parent.mkdir(exist_ok=True)
        half.write_bytes(b"half a file")
    with (job.out / JOURNAL).open("ab") as journal:
        journal.write(b'{"place":3,"ke')
    summary = augment(job, LocalEngine(1))
    assert summary.done_before == after
    assert files_of(job.out) == files_of(clean)


def test_a_run_that_is_done_draws_nothing_again(clean: Path, make_job: JobMaker) -> None:
    before = {path: path.stat().st_mtime_ns for path in (clean / "pictures").rglob("*.jpg")}
    summary = augment(make_job(clean), LocalEngine(1))
    assert summary.done_before == 4
    assert {path: path.stat().st_mtime_ns for path in (clean / "pictures").rglob("*.jpg")} == before


def test_other_settings_ask_for_another_folder(clean: Path, make_job: JobMaker) -> None:
    with pytest.raises(InputError, match="begun with another per_face"):
        augment(make_job(clean, per_face=3), LocalEngine(1))


def test_a_folder_of_something_else_is_left_alone(tmp_path: Path, make_job: JobMaker) -> None:
    (tmp_path / "letter.txt").write_text("dear")
    with pytest.raises(InputError, match="no folder of this command"):
        augment(make_job(tmp_path), LocalEngine(1))
    assert [path.name for path in tmp_path.iterdir()] == ["letter.txt"]


def test_faces_that_smile_are_no_sources(tmp_path: Path, make_job: JobMaker) -> None:
    with pytest.raises(InputError, match=r"no face could be used, .*does not rest"):
        augment(make_job(tmp_path / "out", check_rest=True), LocalEngine(1))
    assert (tmp_path / "out" / "rejected.jpg").is_file()


def test_choosing_alone_writes_the_list_and_no_pictures(tmp_path: Path, make_job: JobMaker) -> None:
    job = dataclasses.replace(make_job(tmp_path / "out"), targets=SameTargets("none", ()))
    summary = augment(job, LocalEngine(1))
    assert (summary.faces, summary.pictures) == (2, 0)
    assert (job.out / "accepted.txt").read_text() == "anna/a\nbert/b\n"
    assert (job.out / "accepted.jpg").is_file()
    assert not (job.out / "pictures").exists()


def test_a_full_disk_stops_a_run_that_goes_on_when_there_is_room(
    clean: Path, tmp_path: Path, make_job: JobMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []

    def full(descriptor: int) -> None:
        asked.append(descriptor)
        if len(asked) > 12:  # somewhere among the pictures of the second face
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    job = make_job(tmp_path / "full")
    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(InputError, match="No space left on device"):
            augment(job, LocalEngine(1))
    assert not (job.out / MANIFEST).exists()
    augment(job, LocalEngine(1))
    assert files_of(job.out) == files_of(clean)


def test_two_runs_do_not_write_one_folder(tmp_path: Path, make_job: JobMaker) -> None:
    job = make_job(tmp_path / "out")
    outcomes: list[str] = []

    def second(faces: Iterable[object], count: int) -> Iterator[object]:
        with pytest.raises(InputError, match="another run"):
            augment(job, LocalEngine(1))
        outcomes.append("refused")
        yield from faces

    augment(job, LocalEngine(1), second)  # type: ignore[arg-type]
    assert outcomes == ["refused"]


def test_new_pictures_do_not_go_where_sources_are_looked_for(portraits: Path, make_job: JobMaker) -> None:
    before = files_of(portraits)
    for out in (portraits / "anna" / "new", portraits / "new", portraits, portraits.parent):
        with pytest.raises(InputError, match="one folder with the database"):
            augment(make_job(out), LocalEngine(1))
    assert files_of(portraits) == before


def test_a_table_may_lie_beside_what_is_made_of_it(portraits: Path, tmp_path: Path, make_job: JobMaker) -> None:
    (tmp_path / "face.png").write_bytes((portraits / "anna" / "a.png").read_bytes())
    (tmp_path / "table.csv").write_text("path\nface.png\n")
    database = open_face_database("csv", tmp_path / "table.csv")
    summary = augment(dataclasses.replace(make_job(tmp_path / "out"), database=database), LocalEngine(1))
    assert summary.pictures == 2


def test_a_database_that_has_changed_is_told(tmp_path: Path, portraits: Path, make_job: JobMaker) -> None:
    job = make_job(tmp_path / "out")
    with pytest.raises(KeyboardInterrupt):
        augment(job, _Dies(2))  # type: ignore[arg-type]
    for keys, reason in ((["bert/b", "anna/wall"], "has anna/a where"), (["anna/a"], "now has nothing")):
        fewer = dataclasses.replace(job, database=_only(job.database, keys))
        with pytest.raises(InputError, match=reason):
            augment(fewer, LocalEngine(1))


def _only(database: FaceDatabase, keys: list[str]) -> FaceDatabase:
    return dataclasses.replace(
        database, read=lambda wanted: (item for item in database.read(wanted) if item.key in keys)
    )


def test_another_list_asks_for_another_folder(tmp_path: Path, make_job: JobMaker) -> None:
    job = dataclasses.replace(make_job(tmp_path / "out"), accepted=frozenset({"anna/wall"}))
    with pytest.raises(InputError, match="no face could be used"):
        augment(job, LocalEngine(1))
    with pytest.raises(InputError, match="another accepted"):
        augment(dataclasses.replace(job, accepted=frozenset({"anna/a"})), LocalEngine(1))


def test_a_database_without_sources_leaves_no_folder(tmp_path: Path, make_job: JobMaker) -> None:
    job = dataclasses.replace(make_job(tmp_path / "out"), accepted=frozenset({"nobody"}))
    with pytest.raises(InputError, match="no face of it is in the list"):
        augment(job, LocalEngine(1))
    assert not job.out.exists()


@pytest.mark.parametrize("layout", [PlainLayout(), AfewVaLayout(clips="face"), AffWildLayout()])
def test_paths_become_sequences(tmp_path: Path, make_job: JobMaker, layout: ExportLayout) -> None:
    job = make_job(tmp_path / "out")
    job = dataclasses.replace(
        job, targets=PathTargets(2, 3), layout=layout, accepted=frozenset({"anna/a"}), per_shard=4
    )
    augment(job, LocalEngine(1))
    rows = read_manifest(job.out / MANIFEST)
    assert [(row["clip"], row["clip_frame"]) for row in rows] == [
        (f"anna/a/{clip:03d}", frame) for clip in range(2) for frame in range(3)
    ]
    folders = [Path(row["path"]).parent for row in rows]
    assert folders[0] == folders[2] != folders[3] == folders[5]
    assert [Path(row["path"]).name for row in rows[:3]] == [Path(row["path"]).name for row in rows[3:]]
    assert len(list((job.out / "shards-4").iterdir())) == 2
    if layout.name == "plain":
        back = [item for item in open_face_database("csv", job.out / "labels.csv").records()]
        assert [item.sequence for item in back] == [row["clip"] for row in rows]  # type: ignore[union-attr]
