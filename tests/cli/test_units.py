"""--au in every command that draws faces, and the table and sheet of units."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from synth_affect.blendshape.action_units import AU_MEANINGS
from synth_affect.blendshape.local_units import UNIT_NAMES, ActionUnits
from synth_affect.cli import main
from synth_affect.errors import InputError
from synth_affect.pipelines.edit_picture import default_output, make_target
from synth_affect.pipelines.unit_sheet import unit_table, units_layout

ASKED = {"AU4": 0.3, "AU12L": 0.8}
WORDS = ["--au", "AU12L=0.8", "--au", "AU04=.3"]


@pytest.fixture
def face(tmp_path: Path, portrait: np.ndarray) -> Path:
    path = tmp_path / "face.png"
    Image.fromarray(portrait).save(path)
    return path


def request(sidecar: Path) -> dict[str, object]:
    found: dict[str, object] = json.loads(sidecar.read_text())["request"]
    return found


@pytest.mark.usefixtures("stub_detector")
def test_units_alone_go_on_the_face_at_rest(face: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--image", str(face), *WORDS]) == 0
    written = face.with_name("face_v+0.00_a+0.00_AU4=0.30_AU12L=0.80.png")
    assert capsys.readouterr().out == f"wrote {written}\n"
    found = request(written.with_name(written.name + ".json"))
    assert (found["valence"], found["arousal"], found["action_units"]) == (0, 0, ASKED)


def test_many_units_are_counted_in_the_name() -> None:
    target = make_target(0.6, 0.3, None, action_units=ActionUnits.of({f"AU{au}": 0.5 for au in (1, 2, 5, 25, 26)}))
    assert default_output(Path("face.jpg"), target) == Path("face_v+0.60_a+0.30_5_units.png")


@pytest.mark.usefixtures("stub_detector")
def test_units_change_the_picture_of_an_affect(face: Path, tmp_path: Path) -> None:
    pictures = []
    for k, words in enumerate(([], WORDS)):
        output = tmp_path / f"{k}.png"
        assert main(["--image", str(face), "--category", "happiness", *words, "-o", str(output)]) == 0
        assert request(tmp_path / f"{k}.png.json")["action_units"] == (ASKED if words else {})
        with Image.open(output) as picture:
            pictures.append(np.asarray(picture))
    assert (pictures[0] != pictures[1]).any()


@pytest.mark.usefixtures("stub_detector")
def test_a_mesh_and_a_sheet_take_units_too(face: Path, tmp_path: Path) -> None:
    mesh, sheet = tmp_path / "face.glb", tmp_path / "plane.png"
    assert main(["export", "--image", str(face), *WORDS, "--texture-size", "256", "-o", str(mesh)]) == 0
    assert main(["grid", "--image", str(face), *WORDS, "--steps", "2", "-o", str(sheet)]) == 0
    for output in (mesh, sheet):
        assert request(output.with_name(output.name + ".json"))["action_units"] == ASKED


@pytest.mark.usefixtures("stub_detector")
def test_a_way_takes_units_along(face: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["path", "--image", str(face), "--through", "0,0", "0.5,0.3", "--seconds", "0.2", "--fps", "10", "--json"]
    assert main([*words, *WORDS, "-o", str(tmp_path / "way")]) == 0
    assert json.loads(capsys.readouterr().out)["request"]["action_units"] == ASKED


@pytest.mark.parametrize(
    "command",
    [
        ["--image", "face.png"],
        ["grid", "--image", "face.png"],
        ["path", "--image", "face.png", "--through", "0,0", "1,0", "-o", "way.gif"],
        ["video", "--input", "face.mp4", "-o", "new.mp4"],
        ["export", "--image", "face.png", "-o", "face.glb"],
    ],
)
def test_what_is_no_unit_is_said_before_any_work(command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*command, "--au", "AU61=1"]) == 2
    said = capsys.readouterr().err
    assert said.startswith("synth-affect: --au: AU61 cannot be shown: the eyes of a photograph cannot be turned")
    assert said.count("\n") == 1


def test_the_table_lists_every_unit_with_its_meaning(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["units"]) == 0
    lines = capsys.readouterr().out.splitlines()
    for name, meaning in AU_MEANINGS.items():
        assert any(line.split()[0] == name and meaning in line for line in lines), name
    assert main(["units", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert {unit for row in rows for unit, _ in row["units"]} == {
        unit for units in UNIT_NAMES.values() for unit in units
    }


def test_the_table_tells_what_can_be_asked_for() -> None:
    names = [unit for unit in UNIT_NAMES if not unit.startswith("AU") and not unit.startswith("noseSneer")]
    for row in unit_table("bare", names):
        spellings = [row.name] if row.sides != "L or R" else []
        spellings += [f"{row.name}{side}" for side in "LR" if row.sides]
        jaw = {"AU26": 1.0} if row.name == "AU8" else {}
        for name in spellings:
            try:
                ActionUnits.of({name: 1.0, **jaw}).check_head("bare", names)
                usable = True
            except InputError:
                usable = False
            assert usable == (not row.why_not), name
    assert [row.name for row in unit_table("bare", names) if "bare lacks" in row.why_not] == ["AU9"]


def test_a_sheet_shows_each_unit_once() -> None:
    layout = units_layout(0.8)
    asked = [cell.action_units.asked for cell in layout.cells if cell.action_units]
    assert len(asked) == len(set(asked)) == len(layout.cells) - 2
    assert {dict(pairs).popitem()[1] for pairs in asked} == {0.8}
    places = {(cell.row, cell.column) for cell in layout.cells}
    assert len(places) == len(layout.cells) == len(layout.row_titles) * len(layout.column_titles)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--image", "x.png", "--strength", "0"], "--strength: 0 is not in (0, 1]"),
        (["--output", "sheet.png"], "--output: a sheet needs a face; give --image too"),
        (["--head", "none.npz"], "none.npz"),
    ],
)
def test_bad_requests_are_refused_in_one_line(
    words: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["units", *words]) == 2
    said = capsys.readouterr().err
    assert message in said
    assert said.count("\n") == 1
