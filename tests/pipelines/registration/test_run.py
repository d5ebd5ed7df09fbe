"""The pipeline over small scans with landmark files, by way of the unwrap, which is the fast one."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from synth_affect.arrays import FloatArray
from synth_affect.blendshape.registration.quality import QualityLimits
from synth_affect.blendshape.registration.result import Registration
from synth_affect.blendshape.registration.scan import prepare_scan
from synth_affect.blendshape.template import Template, face_template
from synth_affect.cli import main
from synth_affect.data.registered_scans import (
    REPORT,
    FrameKey,
    ReportLine,
    frame_path,
    read_frame,
    read_registered,
    read_report,
    sequence_vertices,
    write_frame,
)
from synth_affect.data.scan_folder import find_scans
from synth_affect.errors import InputError
from synth_affect.heads.cc0 import load_cc0
from synth_affect.pipelines.registration import worker
from synth_affect.pipelines.registration.landmark_files import landmark_file
from synth_affect.pipelines.registration.plan import plan_registration
from synth_affect.pipelines.registration.run import register_scans
from synth_affect.pipelines.registration.settings import REGISTRARS, RegisterSettings, Registrar
from tests.blendshape.registration.raw_scans import RawScan, identity, raw_scan, weights


@pytest.fixture(scope="module")
def template() -> Template:
    return face_template(load_cc0())


def write_scan(path: Path, raw: RawScan, scale: float = 1.0) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = [f"v {x:.5f} {y:.5f} {z:.5f}" for x, y, z in raw.vertices * scale]
    rows += [f"f {a} {b} {c}" for a, b, c in raw.triangles + 1]
    path.write_text("\n".join(rows) + "\n")
    points = "\n".join(f"{x:.5f} {y:.5f} {z:.5f}" for x, y, z in raw.landmarks * scale)
    path.with_suffix(".pts").write_text(f"version: 1\nn_points: 68\n{{\n{points}\n}}\n")


@pytest.fixture(scope="module")
def raws(template: Template) -> dict[str, RawScan]:
    head = load_cc0()
    made = {}
    for who, seed in (("anna", 1), ("ben", 2)):
        coefficients = identity(head, np.random.default_rng(seed))
        for frame, share in enumerate((0.0, 0.4, 0.8)):
            rng = np.random.default_rng(10 * seed + frame)
            smile = (share * weights(head, "smile")).astype(np.float32)
            made[f"{who}/smile/{frame:03d}.obj"] = raw_scan(head, template, coefficients, smile, rng, spacing_mm=2.5)
    return made


@pytest.fixture(scope="module")
def scans(raws: dict[str, RawScan], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data") / "scans"
    for name, raw in raws.items():
        write_scan(folder / name, raw, scale=0.001 if name.startswith("ben") else 1.0)  # ben is in metres
    return folder


def settings(scans: Path, **changes: Any) -> RegisterSettings:
    return replace(RegisterSettings("uv", str(scans)), **changes)


def run(scans: Path, out: Path, template: Template, workers: int = 1, **changes: Any) -> list[ReportLine]:
    chosen = settings(scans, **changes)
    plan = plan_registration(find_scans([scans]), template, out, chosen)
    return list(register_scans(plan, template, out, chosen, workers=workers))


@pytest.fixture(scope="module")
def done(scans: Path, template: Template, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("out") / "registered"
    assert all(line.accepted for line in run(scans, out, template))
    return out


def frames(out: Path) -> dict[str, bytes]:
    return {str(path.relative_to(out)): path.read_bytes() for path in sorted(out.rglob("*.npz"))}


def test_scans_come_out_in_the_template_s_topology(done: Path, raws: dict[str, RawScan], template: Template) -> None:
    registered = read_registered(done)
    assert [(s.subject, s.sequence, s.frame.tolist()) for s in registered.sequences] == [
        ("anna", "smile", [0, 1, 2]),
        ("ben", "smile", [0, 1, 2]),
    ]
    assert registered.rejected == ()
    for sequence in registered.sequences:
        vertices = sequence_vertices(registered, sequence)
        assert vertices.shape == (3, len(template.mesh.vertices), 3)
        for frame in range(3):
            raw = raws[f"{sequence.subject}/smile/{frame:03d}.obj"]
            key = FrameKey(sequence.subject, sequence.session, sequence.sequence, frame)
            read = read_frame(frame_path(done, key))
            on_scan = read.vertices @ read.rotation.T + read.translation
            assert np.median(np.linalg.norm(on_scan - raw.truth, axis=1)) < 2.5


def test_the_motion_of_the_head_is_taken_away(done: Path, raws: dict[str, RawScan]) -> None:
    registered = read_registered(done)
    vertices = sequence_vertices(registered, registered.sequences[0])
    upper = vertices[0, :, 1] > 20  # the forehead, which does not smile
    assert np.median(np.linalg.norm(vertices[2, upper] - vertices[0, upper], axis=1)) < 1.5
    scan = [raws[f"anna/smile/{frame:03d}.obj"].truth for frame in (0, 2)]
    assert np.median(np.linalg.norm(scan[1][upper] - scan[0][upper], axis=1)) > 5


def test_units_and_figures_are_reported(done: Path) -> None:
    lines = read_report(done).values()
    assert {(line.key.subject, line.unit) for line in lines} == {("anna", "mm"), ("ben", "m")}
    for line in lines:
        assert line.measures["mean_distance_mm"] < 0.5
        assert line.seconds > 0


def test_any_number_of_workers_gives_the_same_bytes(
    done: Path, scans: Path, template: Template, tmp_path: Path
) -> None:
    lines = run(scans, tmp_path / "out", template, workers=2)
    assert len(lines) == 6
    assert frames(tmp_path / "out") == frames(done)

    def without_seconds(out: Path) -> list[dict[str, Any]]:
        return [json.loads(line) | {"seconds": 0} for line in (out / REPORT).read_text().splitlines()]

    assert without_seconds(tmp_path / "out") == without_seconds(done)


def test_a_stopped_run_goes_on_to_the_same_bytes(done: Path, scans: Path, template: Template, tmp_path: Path) -> None:
    out = tmp_path / "out"
    chosen = settings(scans)
    plan = plan_registration(find_scans([scans]), template, out, chosen)
    work = register_scans(plan, template, out, chosen)
    first = [next(work), next(work)]
    work.close()  # type: ignore[attr-defined]
    with (out / REPORT).open("ab") as file:
        file.write(b'{"torn')
    rest = run(scans, out, template)
    assert len(rest) == 4
    assert not {line.key for line in first} & {line.key for line in rest}
    assert frames(out) == frames(done)
    assert run(scans, out, template) == []


def test_a_frame_whose_file_is_gone_is_done_again(done: Path, scans: Path, template: Template, tmp_path: Path) -> None:
    out = Path(shutil.copytree(done, tmp_path / "out"))
    path = frame_path(out, run_keys(out)[-1])
    path.unlink()
    (line,) = run(scans, out, template)
    assert line.accepted
    assert frames(out) == frames(done)


def run_keys(out: Path) -> list[Any]:
    return sorted(read_report(out))


def test_other_settings_are_refused(done: Path, scans: Path, template: Template) -> None:
    with pytest.raises(InputError, match="was begun with"):
        run(scans, done, template, limits=QualityLimits(min_coverage=0.9))


def spoilt(folder: Path, scans: Path) -> Path:
    shutil.copytree(scans / "anna" / "smile", folder / "anna" / "smile")
    return folder / "anna" / "smile"


BAD_MESHES = {
    "": "holds no",
    "v 0 0 0\nv 1 0 0\n": "holds no triangle|has no triangles",
    "v 0 0 nan\nv 1 0 0\nv 0 1 0\nf 1 2 3\n": "finite|NaN",
    "v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 3\n": "triangles",
}


def test_bad_meshes_are_listed_and_the_run_goes_on(scans: Path, template: Template, tmp_path: Path) -> None:
    folder = spoilt(tmp_path / "scans", scans)
    (folder / "002.obj").rename(folder / "009.obj")
    (folder / "002.pts").rename(folder / "009.pts")
    for number, content in enumerate(BAD_MESHES, start=1):
        (folder / f"{number:03d}.obj").write_text(content)
    out = tmp_path / "out"
    lines = run(tmp_path / "scans", out, template)
    assert [line.accepted for line in lines] == [True, False, False, False, False, True]
    for line, reason in zip(lines[1:-1], BAD_MESHES.values(), strict=True):
        assert re.search(reason, line.reason)
    registered = read_registered(out)
    assert registered.sequences[0].frame.tolist() == [0, 9]
    assert [line.key.frame for line in registered.rejected] == [1, 2, 3, 4]
    assert not any(frame_path(out, line.key).exists() for line in registered.rejected)
    assert run(tmp_path / "scans", out, template) == []  # they are known, and not tried again


def test_bad_landmarks_are_listed(scans: Path, template: Template, tmp_path: Path) -> None:
    folder = spoilt(tmp_path / "scans", scans)
    (folder / "000.pts").unlink()
    (folder / "001.pts").write_text("version: 1\nn_points: 2\n{\n1 2 3\n4 5 6\n}\n")
    absent, short, good = run(tmp_path / "scans", tmp_path / "out", template)
    assert "has no landmark file" in absent.reason
    assert "has 2 points" in short.reason
    assert good.accepted


def test_a_poor_registration_is_rejected(scans: Path, template: Template, tmp_path: Path) -> None:
    spoilt(tmp_path / "scans", scans)
    lines = run(tmp_path / "scans", tmp_path / "out", template, limits=QualityLimits(max_mean_distance_mm=1e-6))
    assert all("mm from the scan in the mean" in line.reason for line in lines)
    assert all(line.measures for line in lines)
    assert read_registered(tmp_path / "out").sequences == ()


def test_a_full_disk_stops_the_run_and_leaves_what_is_done(
    scans: Path, template: Template, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = write_frame

    def full(path: Path, frame: Any) -> None:
        if path.name == "000001.npz":
            raise InputError(path, "cannot be written (No space left on device)")
        write(path, frame)

    monkeypatch.setattr(worker, "write_frame", full)
    with pytest.raises(InputError, match="No space left"):
        run(scans, tmp_path / "out", template)
    registered = read_registered(tmp_path / "out")
    assert [s.frame.tolist() for s in registered.sequences] == [[0]]
    assert registered.rejected == ()


@pytest.mark.parametrize("workers", [0, 65])
def test_an_impossible_number_of_workers_is_refused(
    scans: Path, template: Template, tmp_path: Path, workers: int
) -> None:
    with pytest.raises(InputError, match=r"--workers: .* is not in \[1, 64\]"):
        run(scans, tmp_path / "out", template, workers=workers)


def test_landmark_files_are_found_by_pattern_and_by_folder(scans: Path, tmp_path: Path) -> None:
    sequence = find_scans([scans])[0]
    scan = sequence.scans[1]
    expected = scan.mesh.with_suffix(".pts")
    assert landmark_file("{folder}/{stem}.pts", sequence, scan) == expected
    assert landmark_file(f"{scans}/{{subject}}/{{sequence}}/{{frame:03d}}.pts", sequence, scan) == expected
    assert landmark_file(str(scans), sequence, scan) == expected
    assert landmark_file(str(expected.parent), sequence, scan) == expected
    with pytest.raises(InputError, match="is no pattern of files"):
        landmark_file("{person}.pts", sequence, scan)
    with pytest.raises(InputError, match="no such landmark file"):
        landmark_file("{stem}.lm3", sequence, scan)
    with pytest.raises(InputError, match="has no landmark file in"):
        landmark_file(str(tmp_path), sequence, scan)


@pytest.mark.parametrize("method", REGISTRARS)
def test_every_registrar_keeps_the_contract(method: Any, template: Template, raws: dict[str, RawScan]) -> None:
    make, defaults = REGISTRARS[method]
    registrar: Registrar = make(template, defaults())
    raw = raws["anna/smile/002.obj"]
    scan = prepare_scan(raw.vertices, raw.triangles, name="anna")
    landmarks: FloatArray = raw.landmarks.copy()
    landmarks[::7] = np.nan
    landmarks.flags.writeable = False
    found = registrar(scan, landmarks)
    assert isinstance(found, Registration)
    assert found.vertices.shape == template.mesh.vertices.shape
    assert found.matched.any()
    assert np.median(np.linalg.norm(found.vertices - raw.truth, axis=1)) < 2.5
    again = registrar(scan, landmarks)
    np.testing.assert_array_equal(again.vertices, found.vertices)
    followed = registrar(scan, landmarks, start=found.vertices.astype(np.float64))
    assert np.median(np.linalg.norm(followed.vertices - raw.truth, axis=1)) < 2.5
    blind = registrar(scan, np.full((68, 3), np.nan), start=found.vertices)
    assert np.median(np.linalg.norm(blind.vertices - raw.truth, axis=1)) < 2.5
    with pytest.raises(InputError, match=r"anna.*landmarks"):
        registrar(scan, np.full((68, 3), np.nan))


@pytest.fixture
def one_scan(raws: dict[str, RawScan], tmp_path: Path) -> Path:
    write_scan(tmp_path / "scans" / "anna.obj", raws["anna/smile/000.obj"])
    return tmp_path / "scans"


def test_the_command_registers_and_tells(one_scan: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    (one_scan / "ben.obj").write_text("v 0 0 0\n")
    line = ["register", str(one_scan), "--out", str(out), "--method", "uv", "--landmarks", str(one_scan)]
    assert main([*line, "--workers", "1", "--json"]) == 0
    said = capsys.readouterr()
    assert json.loads(said.out) == {"output": str(out), "registered": 1, "rejected": 1, "done_before": 0}
    assert "rejected" in said.err
    assert "ben.obj" in said.err
    assert main([*line, "--workers", "1"]) == 0
    assert capsys.readouterr().out == f"wrote {out}\n"


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["SCANS"], "--out: missing"),
        (["nowhere", "--out", "OUT"], "nowhere: no such file or folder"),
        (["SCANS", "--out", "OUT", "--method", "magic"], "--method"),
        (["SCANS", "--out", "OUT", "--template", "none.obj"], "none.obj"),
        (["SCANS", "--out", "OUT", "--landmarks", "SCANS", "--workers", "0"], "--workers: 0 is not in"),
        (["SCANS", "--out", "SCANS"], "neither empty nor a folder of registered scans"),
    ],
)
def test_the_command_says_what_is_wrong(
    one_scan: Path, tmp_path: Path, arguments: list[str], reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    places = {"SCANS": str(one_scan), "OUT": str(tmp_path / "out")}
    assert main(["register", *(places.get(word, word) for word in arguments)]) == 2
    said = capsys.readouterr()
    assert reason in said.err
    assert len(said.err.splitlines()) == 1
    assert not [*(tmp_path / "out").rglob("*.npz")] or (tmp_path / "out" / "template.npz").exists()


def test_when_nothing_can_be_registered_the_command_fails(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "scans"
    folder.mkdir()
    (folder / "a.obj").write_text("v 0 0 0\n")
    line = ["register", str(folder), "--out", str(tmp_path / "out"), "--landmarks", str(folder), "--method", "uv"]
    assert main([*line, "--workers", "1"]) == 2
    assert "no scan could be registered; the first" in capsys.readouterr().err
