"""What the command that edits a photograph refuses, and what stops it: in one line, and nothing is left."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from synth_affect.errors import FitError, ShapeError, SynthAffectError
from tests.cli.commands import JOY, contents, run

pytestmark = pytest.mark.usefixtures("stub_detector")
BadRequest = Callable[[Path, Path], list[str | Path]]


def empty(face: Path, _: Path) -> list[str | Path]:
    face.write_bytes(b"")
    return ["--image", face, *JOY]


def truncated(face: Path, _: Path) -> list[str | Path]:
    face.write_bytes(face.read_bytes()[:20000])
    return ["--image", face, *JOY]


def text_file(face: Path, _: Path) -> list[str | Path]:
    face.write_text("not a picture")
    return ["--image", face, *JOY]


def output_is_input(face: Path, _: Path) -> list[str | Path]:
    return ["--image", face, *JOY, "-o", face]


def output_is_input_by_link(face: Path, folder: Path) -> list[str | Path]:
    (folder / "link.png").symlink_to(face)
    return ["--image", face, *JOY, "-o", folder / "link.png"]


def fit_of_another_size(face: Path, folder: Path) -> list[str | Path]:
    assert run("--image", face, *JOY, "-o", folder / "o.png", "--fit-out", folder / "fit.json") == 0
    with Image.open(face) as image:
        image.resize((300, 300)).save(face)
    return ["--image", face, *JOY, "--fit-in", folder / "fit.json"]


def bad_fit(face: Path, folder: Path) -> list[str | Path]:
    (folder / "fit.json").write_text('{"format": "something else"}')
    return ["--image", face, *JOY, "--fit-in", folder / "fit.json"]


def request(*arguments: str) -> BadRequest:
    """With {face} and {out} filled in."""
    return lambda face, folder: [argument.format(face=face, out=folder) for argument in arguments]


IMAGE = ("--image", "{face}")
TARGET = (*IMAGE, *JOY)
REFUSED: dict[str, tuple[BadRequest, str, str]] = {
    "empty file": (empty, "face.png", "empty"),
    "truncated": (truncated, "face.png", "damaged"),
    "not an image": (text_file, "face.png", "not a picture"),
    "no such image": (request("--image", "{out}/none.png", *JOY), "none.png", "no such file"),
    "this folder": (request("--image", ".", *JOY), ".", "a folder"),
    "this folder, grid": (request("grid", "--image", "."), ".", "a folder"),
    "empty name": (request("--image", "", *JOY), ".", "a folder"),
    "a folder": (request("--image", "{out}", *JOY), "{out}", "folder"),
    "output is input": (output_is_input, "face.png", "is the input"),
    "output is input by link": (output_is_input_by_link, "link.png", "is the input"),
    "no image": (request(*JOY), "--image", "missing"),
    "no image, grid": (request("grid"), "--image", "missing"),
    "nothing": (request(), "--image", "missing"),
    "no target": (request(*IMAGE), "--valence", "--category"),
    "half a target": (request(*IMAGE, "--valence", "0.5"), "--arousal", "missing"),
    "other half": (request(*IMAGE, "--arousal", "0.5"), "--valence", "missing"),
    "valence too large": (request(*IMAGE, "--valence", "1.5", "--arousal", "0"), "--valence", "1.5 is not in [-1, 1]"),
    "arousal too small": (request(*IMAGE, "--valence", "0", "--arousal", "-2"), "--arousal", "-2 is not in [-1, 1]"),
    "not a number": (request(*IMAGE, "--valence", "nan", "--arousal", "0"), "--valence", "nan is not in"),
    "infinite": (request(*IMAGE, "--valence", "0", "--arousal", "inf"), "--arousal", "inf is not in"),
    "a word": (request(*IMAGE, "--valence", "happy", "--arousal", "0"), "--valence", "'happy' is not a number"),
    "half a step": (request("grid", *IMAGE, "--steps", "2.5"), "--steps", "'2.5' is not a whole number"),
    "unknown category": (request(*IMAGE, "--category", "hunger"), "--category", "none of"),
    "unknown option": (request(*TARGET, "--smile"), "--smile", "No such option"),
    "option without a value": (request(*IMAGE, "--valence"), "--valence", "requires an argument"),
    "unknown command": (request("paint"), "paint", "No such command"),
    "intensity below 0": (request(*TARGET, "--intensity", "-1"), "--intensity", "-1 is not in [0, 10]"),
    "intensity above 10": (request(*TARGET, "--intensity", "10.5"), "--intensity", "10.5 is not in [0, 10]"),
    "intensity nan": (request(*TARGET, "--intensity", "nan"), "--intensity", "nan is not in [0, 10]"),
    "wrinkles above 1": (request(*TARGET, "--wrinkles", "1.1"), "--wrinkles", "1.1 is not in [0, 1]"),
    "quality 0": (request(*TARGET, "--quality", "0"), "--quality", "from 1 to 100"),
    "quality 101 of a sheet": (request("grid", *IMAGE, "--quality", "101"), "--quality", "from 1 to 100"),
    "input expression": (request(*TARGET, "--input-expression", "lose"), "--input-expression", "'keep'"),
    "face word": (request(*TARGET, "--face", "left"), "--face", "'left'"),
    "face below 0": (request(*TARGET, "--face", "-1"), "--face", "'-1'"),
    "face of 5000 digits": (request(*TARGET, "--face", "9" * 5000), "--face", "5000 digits"),
    "face out of range": (request(*TARGET, "--face", "3"), "--face", "1 face"),
    "output in no folder": (request(*TARGET, "-o", "{out}/none/o.png"), "o.png", "does not exist"),
    "output is a folder": (request(*TARGET, "-o", "{out}/folder.png"), "folder.png", "a folder"),
    "output name too long": (request(*TARGET, "-o", "{out}/" + "x" * 300 + ".png"), "xxx.png", "cannot be written"),
    "output format": (request(*TARGET, "-o", "{out}/o.gif"), "o.gif", ".png"),
    "report format": (request(*TARGET, "--report", "{out}/r.pdf"), "r.pdf", ".png"),
    "one name twice": (request(*TARGET, "-o", "{out}/o.png", "--report", "{out}/o.png"), "o.png", "two outputs"),
    "fit over sidecar": (request(*TARGET, "-o", "{out}/o.png", "--fit-out", "{out}/o.png.json"), "json", "two outputs"),
    "no such fit": (request(*TARGET, "--fit-in", "{out}/none.json"), "none.json", "no such fit file"),
    "bad fit": (bad_fit, "fit.json", "not a face fit"),
    "fit of another size": (fit_of_another_size, "fit.json", "300 x 300"),
    "fit and face": (request(*TARGET, "--fit-in", "{out}/f.json", "--face", "1"), "--face", "--fit-in"),
    "fit and model": (request(*TARGET, "--fit-in", "f.json", "--landmark-model", "m.task"), "--landmark-model", "fit"),
    "one fit of all faces": (request(*TARGET, "--face", "all", "--fit-out", "{out}/f.json"), "--fit-out", "one face"),
    "options before a command": (request(*IMAGE, "grid"), "--image", "behind grid"),
    "steps and ring": (request("grid", *IMAGE, "--ring", "--steps", "3"), "--steps", "ring"),
    "one step": (request("grid", *IMAGE, "--steps", "1"), "--steps", "less than 2"),
    "many steps": (request("grid", *IMAGE, "--steps", "51"), "--steps", "more than 50"),
    "sheet of all faces": (request("grid", *IMAGE, "--face", "all"), "--face", "one face"),
    "demo in no folder": (request("demo", "-o", "{out}/none/o.png"), "o.png", "does not exist"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_bad_input_is_one_line_and_leaves_nothing(
    case: str, face: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], stub_detector: Any
) -> None:
    make, names, reason = REFUSED[case]
    (tmp_path / "folder.png").mkdir()
    arguments = make(face, tmp_path)
    capsys.readouterr()
    looks, files = stub_detector.n_looks, contents(tmp_path)

    assert run(*arguments) == 2

    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("synth-affect: ")
    assert err.count("\n") == 1
    assert err.endswith("\n")
    assert names.format(out=tmp_path) in err
    assert reason in err
    assert contents(tmp_path) == files
    if case != "face out of range":  # the only one of these that a detection decides
        assert stub_detector.n_looks == looks


def test_no_face_is_an_error(
    face: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], stub_detector: Any
) -> None:
    stub_detector.faces = ()
    files = contents(tmp_path)
    assert run("--image", face, *JOY, "--report", tmp_path / "r.png") == 2
    assert capsys.readouterr() == ("", f"synth-affect: {face}: no face found\n")
    assert contents(tmp_path) == files


def test_a_line_break_in_a_name_does_not_break_the_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--image", tmp_path / "two\nlines.png", *JOY) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_a_full_disk_leaves_nothing(
    face: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    files = contents(tmp_path)
    monkeypatch.setattr(os, "fsync", fails_at(3, OSError(28, "No space left on device")))
    outputs: list[str | Path] = [
        "-o",
        tmp_path / "o.png",
        "--report",
        tmp_path / "r.png",
        "--fit-out",
        tmp_path / "f.json",
    ]
    assert run("--image", face, *JOY, *outputs) == 2
    assert "No space left on device" in capsys.readouterr().err
    assert contents(tmp_path) == files


@pytest.mark.parametrize("error", [FitError("a fold"), ShapeError("region", "some pixels", "none")])
@pytest.mark.parametrize("command", [(), ("grid",)])
def test_a_given_fit_that_cannot_be_drawn_is_bad_input(
    command: tuple[str, ...],
    error: SynthAffectError,
    face: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    from synth_affect.pipelines.synthesize import AffectSynthesizer

    fit = tmp_path / "fit.json"
    assert run("--image", face, *JOY, "--fit-out", fit) == 0
    capsys.readouterr()
    monkeypatch.setattr(AffectSynthesizer, "prepare", fails_at(1, error))
    target = () if command else JOY
    assert run(*command, "--image", face, *target, "--fit-in", fit, "-o", tmp_path / "o.png") == 2
    assert capsys.readouterr() == ("", f"synth-affect: {fit}: this fit cannot be drawn ({error})\n")
    assert not (tmp_path / "o.png").exists()


def test_an_interrupt_while_drawing_leaves_nothing(
    face: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from synth_affect.pipelines.synthesize import AffectSynthesizer

    files = contents(tmp_path)
    monkeypatch.setattr(AffectSynthesizer, "synthesize", fails_at(3, KeyboardInterrupt()))
    monkeypatch.setattr(AffectSynthesizer, "prepare", fails_at(1, KeyboardInterrupt()))
    assert run("grid", "--image", face) == 130
    assert run("--image", face, *JOY) == 130
    assert capsys.readouterr().out == ""
    assert contents(tmp_path) == files


def fails_at(call: int, error: BaseException) -> Callable[..., Any]:
    """A function that does nothing until it is called for the `call`th time."""
    n_calls = 0

    def function(*_: Any, **__: Any) -> Any:
        nonlocal n_calls
        n_calls += 1
        if n_calls >= call:
            raise error

    return function
