from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from synth_affect.blendshape.template import Template
from synth_affect.data import registered_scans
from synth_affect.data.registered_scans import (
    REPORT,
    FrameKey,
    RegisteredFrame,
    ReportLine,
    append_report,
    frame_path,
    read_frame,
    read_registered,
    read_report,
    sequence_vertices,
    start_folder,
    write_frame,
    write_report,
)
from synth_affect.errors import InputError
from synth_affect.heads.archive import topology_id
from synth_affect.heads.mesh import Mesh
from synth_affect.heads.model import LandmarkEmbedding

TRIANGLES = np.array([[0, 1, 2], [0, 2, 3]])


@pytest.fixture
def template() -> Template:
    corners = LandmarkEmbedding(np.zeros(68, dtype=int), np.tile([1.0, 0.0, 0.0], (68, 1)))
    vertices = np.array([[0.0, 0, 0], [10, 0, 0], [10, 10, 0], [0, 10, 0]])
    return Template("square", topology_id(TRIANGLES), Mesh(vertices, TRIANGLES), corners)


def line(frame: int, reason: str = "", subject: str = "anna") -> ReportLine:
    return ReportLine(FrameKey(subject, "1", "smile", frame), f"{frame}.obj", reason, "mm", {"coverage": 0.9}, 0.5)


def frame(shift: float) -> RegisteredFrame:
    return RegisteredFrame(np.full((4, 3), shift), np.eye(3), np.arange(3.0), np.full((68, 3), np.nan))


@pytest.fixture
def folder(tmp_path: Path, template: Template) -> Path:
    folder = tmp_path / "registered"
    start_folder(folder, template, {"method": "nicp"})
    for one in (line(7), line(3), line(4, "folds over"), line(0, subject="ben")):
        append_report(folder, one)
        if one.accepted:
            write_frame(frame_path(folder, one.key), frame(one.key.frame))
    return folder


def test_what_was_written_is_read(folder: Path, template: Template) -> None:
    scans = read_registered(folder)
    assert scans.template.topology == template.topology
    np.testing.assert_array_equal(scans.template.mesh.vertices, template.mesh.vertices)
    assert [(s.subject, s.session, s.sequence, s.frame.tolist()) for s in scans.sequences] == [
        ("anna", "1", "smile", [3, 7]),
        ("ben", "1", "smile", [0]),
    ]
    vertices = sequence_vertices(scans, scans.sequences[0])
    assert vertices.shape == (2, 4, 3)
    assert vertices.dtype == np.float32
    assert vertices[:, 0, 0].tolist() == [3, 7]
    (rejected,) = scans.rejected
    assert rejected == line(4, "folds over")


def test_a_frame_keeps_where_the_scan_was(folder: Path) -> None:
    read = read_frame(frame_path(folder, line(7).key))
    np.testing.assert_array_equal(read.translation, [0, 1, 2])
    np.testing.assert_array_equal(read.rotation, np.eye(3))


def test_the_same_frame_is_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a.npz", "b.npz"):
        write_frame(tmp_path / name, frame(1.5))
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()


def test_a_torn_last_line_counts_for_nothing(folder: Path) -> None:
    with (folder / REPORT).open("ab") as file:
        file.write(b'{"frame": 9, "subj')
    assert len(read_report(folder)) == 4


def test_another_damaged_line_is_named(folder: Path) -> None:
    content = (folder / REPORT).read_bytes().split(b"\n")
    content[1] = b"{}"
    (folder / REPORT).write_bytes(b"\n".join(content))
    with pytest.raises(InputError, match="line 2 is no line of a report"):
        read_registered(folder)


def test_the_last_line_of_a_frame_counts(folder: Path) -> None:
    append_report(folder, line(4))
    assert read_report(folder)[line(4).key].accepted


def test_a_whole_report_is_sorted(folder: Path) -> None:
    write_report(folder, read_report(folder).values())
    keys = [(entry["subject"], entry["frame"]) for entry in map(json.loads, (folder / REPORT).read_text().splitlines())]
    assert keys == sorted(keys)


def test_a_run_may_go_on(folder: Path, template: Template) -> None:
    start_folder(folder, template, {"method": "nicp"})
    assert len(read_report(folder)) == 4


def test_settings_are_the_same_after_a_journey_through_json(tmp_path: Path, template: Template) -> None:
    for _ in range(2):
        start_folder(tmp_path, template, {"uv": {"bands": (1.5, 4.0)}, "landmarks": None})
    with pytest.raises(InputError, match=r"was begun with bands \[1.5, 4.0\], not \[2.0\]"):
        start_folder(tmp_path, template, {"uv": {"bands": (2.0,)}, "landmarks": None})


def test_other_settings_are_refused(folder: Path, template: Template) -> None:
    with pytest.raises(InputError, match="was begun with method nicp, not uv"):
        start_folder(folder, template, {"method": "uv"})


def test_another_template_is_refused(folder: Path, template: Template) -> None:
    with pytest.raises(InputError, match="was begun with template square, not round"):
        start_folder(folder, replace(template, name="round"), {"method": "nicp"})


def test_a_folder_of_other_things_is_refused(tmp_path: Path, template: Template) -> None:
    (tmp_path / "letter.txt").write_text("Dear Anna")
    with pytest.raises(InputError, match="neither empty nor"):
        start_folder(tmp_path, template, {})
    with pytest.raises(InputError, match="not a folder of registered scans"):
        read_registered(tmp_path)


def test_a_foreign_template_file_is_refused(folder: Path, tmp_path: Path, template: Template) -> None:
    turned = Mesh(template.mesh.vertices, TRIANGLES[:, ::-1])
    other = replace(template, mesh=turned, topology=topology_id(turned.triangles))
    start_folder(tmp_path / "other", other, {})
    (folder / "template.npz").write_bytes((tmp_path / "other" / "template.npz").read_bytes())
    with pytest.raises(InputError, match=r"is not the template that register\.json names"):
        read_registered(folder)


@pytest.mark.parametrize(
    ("damage", "reason"),
    [(b"", "not a registered mesh"), (b"PK\3\4 torn", "not a registered mesh"), (None, "no such registered mesh")],
)
def test_a_damaged_frame_is_named(folder: Path, damage: bytes | None, reason: str) -> None:
    path = frame_path(folder, line(3).key)
    if damage is None:
        path.unlink()
    else:
        path.write_bytes(damage)
    scans = read_registered(folder)
    with pytest.raises(InputError, match=reason):
        sequence_vertices(scans, scans.sequences[0])


def test_a_frame_of_another_topology_is_named(folder: Path) -> None:
    write_frame(frame_path(folder, line(3).key), replace(frame(0), vertices=np.zeros((5, 3))))
    scans = read_registered(folder)
    with pytest.raises(InputError, match="has 5 vertices, the template 4"):
        sequence_vertices(scans, scans.sequences[0])


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "a\\b", "a\nb"])
def test_names_that_are_no_names_of_folders_are_refused(name: str) -> None:
    with pytest.raises(InputError, match="is not a name"):
        FrameKey(name, "1", "smile", 0)


def test_a_full_disk_leaves_no_half_frame_and_no_half_line(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = (folder / REPORT).read_bytes()

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    path = frame_path(folder, line(8).key)
    with pytest.raises(InputError, match="No space left"):
        write_frame(path, frame(8))
    assert not path.exists()
    assert not [*path.parent.glob(".*")]
    with pytest.raises(InputError, match="No space left"):
        write_report(folder, [])
    assert (folder / REPORT).read_bytes() == before


def test_a_format_of_tomorrow_is_refused(folder: Path) -> None:
    manifest = json.loads((folder / "register.json").read_text())
    (folder / "register.json").write_text(json.dumps(manifest | {"format": "synth-affect/registered/2"}))
    with pytest.raises(InputError, match=registered_scans.FORMAT):
        read_registered(folder)
