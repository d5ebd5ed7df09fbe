"""From a folder of registered scans and a file of labels to a gallery, and the commands around it."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from synth_affect.affect import Emotion
from synth_affect.blendshape.gallery.check import check_gallery
from synth_affect.blendshape.gallery.frames import CATEGORIES
from synth_affect.blendshape.gallery.store import open_gallery
from synth_affect.blendshape.template import Template
from synth_affect.cli import main
from synth_affect.data.registered_scans import (
    FrameKey,
    RegisteredFrame,
    ReportLine,
    append_report,
    frame_path,
    start_folder,
    write_frame,
)
from synth_affect.errors import InputError
from synth_affect.heads.archive import topology_id
from synth_affect.heads.mesh import Mesh
from synth_affect.heads.model import LandmarkEmbedding
from synth_affect.pipelines.gallery.build import FIRST_FRAME, SURPLUS, UNLABELLED, build_gallery
from synth_affect.pipelines.gallery.info import describe_gallery

pytest.importorskip("zarr")

N_VERTICES = 70
HEADER = "subject,session,sequence,frame,valence,arousal,category,posed,apex,neutral\n"
WriteLabels = Callable[..., Path]


@pytest.fixture(scope="module")
def fan() -> Template:
    """Triangles around vertex 0."""
    angle = np.linspace(0, 5, N_VERTICES - 1)
    rim = np.stack([80 * np.cos(angle), 100 * np.sin(angle), 0 * angle], axis=1)
    k = np.arange(1, N_VERTICES - 1)
    mesh = Mesh(np.concatenate([[[0, 0, 20]], rim]), np.stack([0 * k, k, k + 1], axis=1))
    landmarks = LandmarkEmbedding(np.arange(68) % len(k), np.full((68, 3), 1 / 3))
    return Template("fan", topology_id(mesh.triangles), mesh, landmarks)


def shape(template: Template, name: str, frame: int) -> np.ndarray:
    """What was registered: a face of its own, the motion of its sequence."""
    who, _, what = name.partition("/")
    person = np.random.default_rng(list(who.encode())).normal(0, 3, (N_VERTICES, 3))
    motion = np.random.default_rng(list(what.encode())).normal(0, 1, (N_VERTICES, 3))
    return (template.mesh.vertices + person + frame * motion).astype(np.float32)


class Registered:
    """A folder as `synth-affect register` leaves it."""

    def __init__(self, folder: Path, template: Template) -> None:
        self.folder, self.template = folder, template
        start_folder(folder, template, {})

    def add(self, name: str, frames: Sequence[int], rejected: Sequence[int] = ()) -> None:
        subject, session, sequence = name.split("/")
        for frame in (*frames, *rejected):
            key = FrameKey(subject, session, sequence, frame)
            if frame not in rejected:
                registered = RegisteredFrame(shape(self.template, name, frame), np.eye(3), np.zeros(3))
                write_frame(frame_path(self.folder, key), registered)
            reason = "folds over" if frame in rejected else ""
            append_report(self.folder, ReportLine(key, f"{name}/{frame}.obj", reason, "mm", {}, 0.5))


@pytest.fixture
def registered(tmp_path: Path, fan: Template) -> Registered:
    return Registered(tmp_path / "registered", fan)


@pytest.fixture
def write_labels(tmp_path: Path) -> WriteLabels:
    def write(*rows: str) -> Path:
        path = tmp_path / "labels.csv"
        path.write_text(HEADER + "".join(f"{row}\n" for row in rows))
        return path

    return write


def rows(name: str, frames: Sequence[int], valence: float = 0.5, **columns: str) -> list[str]:
    tail = ",".join(columns.get(c, "") for c in ("category", "posed", "apex", "neutral"))
    return [f"{name.replace('/', ',')},{frame},{valence},0.25,{tail}" for frame in frames]


def offsets(registered: Registered, name: str, frames: Sequence[int], neutral: Sequence[int]) -> np.ndarray:
    rest = np.mean([shape(registered.template, name, k) for k in neutral], axis=0)
    return np.array([shape(registered.template, name, k) - rest for k in frames])


def run(*arguments: str | Path) -> int:
    return main([str(argument) for argument in arguments])


def test_displacements_start_from_the_marked_frames(
    registered: Registered, write_labels: WriteLabels, tmp_path: Path
) -> None:
    registered.add("anna/1/fear", range(2, 8))
    registered.add("bob/1/talk", [0, 1, 5])
    labels = write_labels(
        *rows("anna/1/fear", [2, 5], neutral="yes", category="fear", posed="yes"),
        *rows("anna/1/fear", [3, 4, 6]),
        *rows("anna/1/fear", [7], apex="1"),
        *rows("bob/1/talk", [1, 5]),
        "bob,1,talk,0,0,0,,,,",
    )
    summary = build_gallery([registered.folder], labels, tmp_path / "g.zarr")
    assert (summary["frames_added"], summary["sequences_added"], summary["rejected"], summary["notes"]) == (
        9,
        2,
        {},
        {},
    )
    gallery = open_gallery(tmp_path / "g.zarr")
    expected = np.concatenate(
        [
            offsets(registered, "anna/1/fear", range(2, 8), [2, 5]),
            offsets(registered, "bob/1/talk", [0, 1, 5], [0]),
        ]
    )
    np.testing.assert_allclose(gallery.read(range(9)), expected, rtol=2**-11, atol=2e-5)
    frames = gallery.frames
    assert frames.subject_names == ("anna", "bob")
    np.testing.assert_array_equal(frames.frame, [2, 3, 4, 5, 6, 7, 0, 1, 5])
    np.testing.assert_array_equal(frames.posed, [True] * 6 + [False] * 3)
    np.testing.assert_array_equal(frames.apex, [False] * 5 + [True] + [False] * 3)
    assert set(frames.category[:6]) == {CATEGORIES.index(Emotion.FEAR)}
    np.testing.assert_array_equal(frames.valence, np.array([0.5] * 6 + [0, 0.5, 0.5], np.float32))
    assert gallery.template.name == "fan"
    assert check_gallery(tmp_path / "g.zarr") == []


def test_the_first_frame_serves_where_nothing_is_marked_and_is_said(
    registered: Registered, write_labels: WriteLabels, tmp_path: Path
) -> None:
    registered.add("anna/1/a", [4, 5, 6])
    summary = build_gallery([registered.folder], write_labels(*rows("anna/1/a", [4, 5, 6], 0.1)), tmp_path / "g.zarr")
    assert summary["notes"] == {FIRST_FRAME: ["anna/1/a"]}
    assert not open_gallery(tmp_path / "g.zarr").read([0]).any()


def test_what_cannot_enter_is_listed_and_the_rest_enters(
    registered: Registered, write_labels: WriteLabels, tmp_path: Path
) -> None:
    for name in ("good", "longer", "much-longer", "shorter", "loud", "range", "twice", "unlabelled", "no-neutral"):
        registered.add(f"anna/1/{name}", range(5))
    registered.add("anna/1/holes", [0, 1, 4], rejected=[2, 3])
    registered.add("anna/1/lost", [], rejected=[0, 1])
    calm: dict[str, Any] = {"neutral": "1"}
    labels = write_labels(
        *rows("anna/1/good", range(5), **calm),
        *rows("anna/1/longer", range(6), **calm),
        *rows("anna/1/much-longer", range(9), **calm),
        *rows("anna/1/shorter", range(3), **calm),
        *rows("anna/1/loud", range(5), 0.7),
        *rows("anna/1/range", range(5), 7, **calm),
        *rows("anna/1/twice", [0, 1, 1], **calm),
        *rows("anna/1/no-neutral", [9, 10], **calm),
        *rows("anna/1/holes", range(5), **calm),
        *rows("anna/1/lost", range(2), **calm),
        *rows("carl/1/unknown", range(2), **calm),
    )
    summary = build_gallery([registered.folder], labels, tmp_path / "g.zarr")
    assert summary["rejected"] == {
        "anna/1/loud": "no neutral frame: none is marked, none near the start is labelled (0, 0), the first is not",
        "anna/1/much-longer": "has 9 labels, 4 of them for frames that are not there, the first for 5",
        "anna/1/no-neutral": "has 2 labels, 2 of them for frames that are not there, the first for 9",
        "anna/1/range": "line 30: valence 7 is not in [-1, 1]; leave it empty where there is none",
        "anna/1/twice": "line 37: frame 1 has a label already",
        "anna/1/unlabelled": "has no labels",
        "anna/1/lost": "has labels, but every frame was rejected by registration",
        "carl/1/unknown": "has labels, but is not there",
    }
    assert summary["notes"] == {SURPLUS: ["anna/1/longer"], UNLABELLED: ["anna/1/shorter"]}
    assert summary["frames_rejected_by_registration"] == 4
    frames = open_gallery(tmp_path / "g.zarr").frames
    assert frames.sequence_names == ("good", "holes", "longer", "shorter")
    assert np.isnan(frames.valence).sum() == 2
    assert len(frames) == summary["frames_added"] == 5 + 3 + 5 + 5


def test_a_neutral_frame_that_was_not_registered_is_none(
    registered: Registered, write_labels: WriteLabels, tmp_path: Path
) -> None:
    registered.add("anna/1/a", [1, 2], rejected=[0])
    labels = write_labels(*rows("anna/1/a", [0], neutral="1"), *rows("anna/1/a", [1, 2]))
    with pytest.raises(InputError, match=r"none of 1 recordings .* no frame that is marked neutral was registered"):
        build_gallery([registered.folder], labels, tmp_path / "g.zarr")
    assert not (tmp_path / "g.zarr").exists()


def test_a_damaged_or_impossible_frame_rejects_its_recording(
    registered: Registered, write_labels: WriteLabels, tmp_path: Path
) -> None:
    for name in ("a", "b", "c"):
        registered.add(f"anna/1/{name}", range(3))
    damaged = frame_path(registered.folder, FrameKey("anna", "1", "a", 2))
    damaged.write_bytes(damaged.read_bytes()[:100])
    far = RegisteredFrame(registered.template.mesh.vertices + np.array([0, 0, 500], np.float32), np.eye(3), np.zeros(3))
    write_frame(frame_path(registered.folder, FrameKey("anna", "1", "b", 1)), far)
    labels = write_labels(
        *(row for name in "abc" for row in rows(f"anna/1/{name}", [0], neutral="1")),
        *(row for name in "abc" for row in rows(f"anna/1/{name}", [1, 2])),
    )
    summary = build_gallery([registered.folder], labels, tmp_path / "g.zarr")
    assert list(summary["rejected"]) == ["anna/1/a", "anna/1/b"]
    assert "000002.npz: " in summary["rejected"]["anna/1/a"]
    assert "000001.npz: a vertex is" in summary["rejected"]["anna/1/b"]
    assert (summary["sequences_added"], summary["frames_added"]) == (1, 3)
    assert check_gallery(tmp_path / "g.zarr") == []


def test_sessions_may_lack_where_names_are_clear_without(registered: Registered, tmp_path: Path) -> None:
    for name in ("anna/1/a", "anna/2/a", "anna/2/b"):
        registered.add(name, range(2))
    labels = tmp_path / "l.csv"
    labels.write_text("subject,sequence,frame,valence,arousal\n" + "".join(f"anna,{q},0,0,0\n" for q in "ab"))
    summary = build_gallery([registered.folder], labels, tmp_path / "g.zarr")
    assert summary["rejected"] == dict.fromkeys(
        ["anna/1/a", "anna/2/a"], "is of several sessions; the labels need a column session"
    )
    assert open_gallery(tmp_path / "g.zarr").frames.sequence_names == ("b",)


def test_folders_are_shards_of_one_database(
    registered: Registered, write_labels: WriteLabels, tmp_path: Path, fan: Template
) -> None:
    second = Registered(tmp_path / "second", fan)
    registered.add("anna/1/a", range(3))
    registered.add("carl/1/a", range(3))
    second.add("bob/1/a", range(4))
    second.add("carl/1/a", range(3))
    labels = write_labels(*(row for who in ("anna", "bob", "carl") for row in rows(f"{who}/1/a", range(3), 0)))
    summary = build_gallery([registered.folder, second.folder], labels, tmp_path / "g.zarr")
    assert summary["rejected"] == {"carl/1/a": "is in 2 of the folders"}
    assert open_gallery(tmp_path / "g.zarr").frames.subject_names == ("anna", "bob")
    triangles = fan.mesh.triangles[:, ::-1]
    other = Template("other", topology_id(triangles), Mesh(fan.mesh.vertices, triangles), fan.landmarks_68)
    third = Registered(tmp_path / "third", other)
    with pytest.raises(InputError, match="third: is of another template than"):
        build_gallery([registered.folder, third.folder], labels, tmp_path / "g.zarr")


def test_a_run_goes_on_where_it_was_stopped(registered: Registered, write_labels: WriteLabels, tmp_path: Path) -> None:
    for k in range(4):
        registered.add(f"anna/1/q{k}", range(50))
    labels = write_labels(*(row for k in range(4) for row in rows(f"anna/1/q{k}", range(50), neutral="1")))

    def stopping(items: Any, count: int) -> Any:
        for k, item in enumerate(items):
            if k == 3:
                raise KeyboardInterrupt
            yield item

    with pytest.raises(KeyboardInterrupt):
        build_gallery([registered.folder], labels, tmp_path / "g.zarr", progress=stopping)
    assert check_gallery(tmp_path / "g.zarr") == []
    assert len(open_gallery(tmp_path / "g.zarr").frames) == 150
    summary = build_gallery([registered.folder], labels, tmp_path / "g.zarr")
    assert (summary["sequences_there_before"], summary["frames_added"]) == (3, 50)
    build_gallery([registered.folder], labels, tmp_path / "once.zarr")
    resumed, once = open_gallery(tmp_path / "g.zarr"), open_gallery(tmp_path / "once.zarr")
    np.testing.assert_array_equal(resumed.checksums, once.checksums)


# The commands


def test_build_info_and_check(
    registered: Registered, write_labels: WriteLabels, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    registered.add("anna/1/fear", range(6))
    registered.add("bob/1/talk", range(4))
    labels = write_labels(
        *rows("anna/1/fear", [0, 1], 0, neutral="1"),
        *rows("anna/1/fear", range(2, 6), -0.8, category="fear", posed="1", apex="1"),
    )
    path = tmp_path / "g.zarr"
    assert run("gallery", "build", registered.folder, "--labels", labels, "--out", path) == 0
    out, err = capsys.readouterr()
    assert out == (
        f"wrote {path}: 6 frames of 1 sequences added, 0 sequences were there before; 6 frames in all\n"
        "note: 1 recordings were rejected\n"
    )
    assert err == "rejected bob/1/talk: has no labels\n"

    assert run("gallery", "build", registered.folder, "--labels", labels, "--out", path, "--json") == 0
    summary = json.loads(capsys.readouterr().out)
    assert (summary["frames_added"], summary["sequences_there_before"]) == (0, 1)

    assert run("gallery", "info", path) == 0
    text = capsys.readouterr().out
    for words in ("gallery of format 1", "template   fan, 70 vertices", "frames     6: 6 posed, 0 spontaneous; 6 ann"):
        assert words in text
    assert "apex       fear 4" in text
    assert run("gallery", "info", path, "--json") == 0
    info = json.loads(capsys.readouterr().out)
    assert info == json.loads(json.dumps(describe_gallery(path)))
    histogram = np.array(info["histogram"])
    # Arousal 0.25 is in the fourth row from above; valence -0.8 opens the second cell, 0 the sixth.
    assert histogram[3].tolist() == [0, 4, 0, 0, 0, 2, 0, 0, 0, 0]
    assert histogram.sum() == info["annotated_frames"] == 6
    assert info["bytes"] == sum(p.stat().st_size for p in path.rglob("*") if p.is_file())

    assert run("gallery", "check", path) == 0
    assert capsys.readouterr().out == f"ok  {path}: 6 frames of 1 sequences\n"
    chunk = path / "offsets" / "c.0.0.0"
    content = bytearray(chunk.read_bytes())
    content[-200] ^= 1
    chunk.write_bytes(content)
    assert run("gallery", "check", path) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines
    assert all(line.startswith(f"BAD {path}: frame") and "anna/1/fear" in line for line in lines)


def test_bad_input_is_one_line_and_changes_nothing(
    registered: Registered, write_labels: WriteLabels, tmp_path: Path, fan: Template, capsys: pytest.CaptureFixture[str]
) -> None:
    registered.add("anna/1/a", range(3))
    labels = write_labels(*rows("anna/1/a", range(3), neutral="1"))
    other = Registered(
        tmp_path / "other",
        Template("fan", fan.topology, Mesh(2 * fan.mesh.vertices, fan.mesh.triangles), fan.landmarks_68),
    )
    other.add("anna/1/a", range(3))
    path = tmp_path / "g.zarr"
    assert run("gallery", "build", registered.folder, "--labels", labels, "--out", path) == 0
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "a.txt").touch()
    (tmp_path / "empty.csv").touch()
    before = {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()}
    capsys.readouterr()
    build = ("gallery", "build")
    for arguments, reason in [
        ((*build, other.folder, "--labels", labels, "--out", path), "but other vertices"),
        ((*build, tmp_path / "docs", "--labels", labels, "--out", path), "not a folder of registered scans"),
        ((*build, registered.folder, "--labels", tmp_path / "no.csv", "--out", path), "no such file of labels"),
        ((*build, registered.folder, "--labels", tmp_path / "empty.csv", "--out", path), "has no column subject"),
        ((*build, registered.folder, "--labels", labels, "--out", tmp_path / "docs"), "not a gallery"),
        ((*build, registered.folder, "--labels", labels, "--out", tmp_path / "no" / "g.zarr"), "does not exist"),
        ((*build, registered.folder, "--out", path), "labels"),
        (("gallery", "info", tmp_path / "docs"), "not a gallery"),
        (("gallery", "check", tmp_path / "none"), "no such gallery"),
        (("gallery",), "Missing command"),
    ]:
        assert run(*arguments) == 2
        out, err = capsys.readouterr()
        assert out == ""
        assert err.count("\n") == 1
        assert reason in err
    assert {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()} == before


def test_without_zarr_the_extra_is_named(
    registered: Registered,
    write_labels: WriteLabels,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    registered.add("anna/1/a", range(3))
    labels = write_labels(*rows("anna/1/a", range(3), neutral="1"))
    monkeypatch.setitem(sys.modules, "zarr", None)
    assert run("gallery", "build", registered.folder, "--labels", labels, "--out", tmp_path / "g.zarr") == 2
    assert 'pip install "synth-affect[gallery]"' in capsys.readouterr().err
    assert not (tmp_path / "g.zarr").exists()
