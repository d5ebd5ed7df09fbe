"""The command from argv to exit code, in this process; the detector is a stub, all else is real."""

from __future__ import annotations

import json
import math
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import synth_affect
from synth_affect.affect import Emotion, position
from synth_affect.cli import main
from synth_affect.data.provenance import DIGITAL_SOURCE_TYPE, sha256_file
from synth_affect.errors import FitError, ShapeError, SynthAffectError

pytestmark = pytest.mark.usefixtures("stub_detector")

JOY = ["--valence", "0.6", "--arousal", "0.3"]


@pytest.fixture
def face(tmp_path: Path, portrait_path: Path) -> Path:
    """A picture with a face in a folder of its own."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    return Path(shutil.copy(portrait_path, folder / "face.png"))


def pixels(path: Path) -> Any:
    with Image.open(path) as image:
        return np.asarray(image)


def contents(folder: Path) -> dict[str, bytes]:
    """Every file below `folder`, hidden ones too."""
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def run(*arguments: str | Path) -> int:
    return main([str(argument) for argument in arguments])


# What it writes


def test_without_a_name_the_output_stands_beside_the_input(face: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--image", face, *JOY) == 0
    output = face.with_name("face_v+0.60_a+0.30.png")
    assert set(contents(face.parent)) == {"face.png", output.name, output.name + ".json"}
    assert capsys.readouterr() == (f"wrote {output}\n", "")
    assert pixels(output).shape == pixels(face).shape
    assert (pixels(output) != pixels(face)).any()


def test_a_category_stands_for_its_position(face: Path, tmp_path: Path) -> None:
    point = position(Emotion.ANGER)
    assert run("--image", face, "--category", "Anger", "-o", tmp_path / "a.png") == 0
    request = json.loads((tmp_path / "a.png.json").read_text())["request"]
    assert (request["valence"], request["arousal"], request["category"]) == (point.valence, point.arousal, "anger")


def test_a_category_beside_a_point_picks_the_family(face: Path, tmp_path: Path) -> None:
    for category in ("anger", "fear"):
        target = ["--valence", "-0.5", "--arousal", "0.5", "--category", category]
        assert run("--image", face, *target, "-o", tmp_path / f"{category}.png") == 0
    assert (pixels(tmp_path / "anger.png") != pixels(tmp_path / "fear.png")).any()


def test_every_output_says_that_it_is_synthetic(face: Path, tmp_path: Path) -> None:
    output, report, sheet = tmp_path / "o.png", tmp_path / "r.png", tmp_path / "s.png"
    assert run("--image", face, *JOY, "-o", output, "--report", report) == 0
    assert run("grid", "--image", face, "--steps", "2", "-o", sheet) == 0
    for path in (output, report, sheet):
        with Image.open(path) as image:
            packet = image.info["XML:com.adobe.xmp"]
        companion = json.loads((tmp_path / (path.name + ".json")).read_text())
        assert companion["digital_source_type"] == DIGITAL_SOURCE_TYPE
        assert companion["output"] == path.name
        for fact in (DIGITAL_SOURCE_TYPE, f"synth-affect {synth_affect.__version__}", sha256_file(face)):
            assert fact in packet
        assert companion["input_sha256"] == sha256_file(face)
        assert companion["fit"]["faces"][0]["converged"] is True


def test_the_same_request_gives_the_same_bytes(face: Path, tmp_path: Path) -> None:
    runs = []
    for name in ("first", "second"):
        folder = tmp_path / name
        folder.mkdir()
        arguments: list[str | Path] = [
            "-o",
            folder / "o.png",
            "--report",
            folder / "r.png",
            "--fit-out",
            folder / "f.json",
        ]
        assert run("--image", face, *JOY, *arguments) == 0
        runs.append(contents(folder))
    assert set(runs[0]) == {"o.png", "o.png.json", "r.png", "r.png.json", "f.json"}
    assert runs[0] == runs[1]


def test_a_request_for_no_change_returns_the_pixels(face: Path, tmp_path: Path) -> None:
    still = ["--valence", "0", "--arousal", "0", "--input-expression", "keep"]
    assert run("--image", face, *still, "-o", tmp_path / "o.png") == 0
    np.testing.assert_array_equal(pixels(tmp_path / "o.png"), pixels(face))


def test_intensity_nothing_is_no_change(face: Path, tmp_path: Path) -> None:
    still = [*JOY, "--intensity", "0", "--input-expression", "keep"]
    assert run("--image", face, *still, "-o", tmp_path / "o.png") == 0
    np.testing.assert_array_equal(pixels(tmp_path / "o.png"), pixels(face))


def test_a_written_fit_serves_again_without_detection(face: Path, tmp_path: Path, stub_detector: Any) -> None:
    fit = tmp_path / "fit.json"
    assert run("--image", face, *JOY, "-o", tmp_path / "1.png", "--fit-out", fit) == 0
    stub_detector.faces = ()
    assert run("--image", face, *JOY, "-o", tmp_path / "2.png", "--fit-in", fit) == 0
    assert stub_detector.n_looks == 1
    np.testing.assert_array_equal(pixels(tmp_path / "1.png"), pixels(tmp_path / "2.png"))


def test_transparency_profile_and_notes_of_the_input_stay(face: Path, tmp_path: Path) -> None:
    from PIL import ImageCms

    alpha = np.tile(np.arange(512) // 2, (512, 1)).astype(np.uint8)
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    notes = Image.Exif()
    notes[0x013B] = "the photographer"
    Image.fromarray(np.dstack([pixels(face), alpha])).save(face, icc_profile=profile, exif=notes)
    assert run("--image", face, *JOY, "-o", tmp_path / "o.png") == 0
    with Image.open(tmp_path / "o.png") as image:
        np.testing.assert_array_equal(np.asarray(image)[..., 3], alpha)
        assert image.info["icc_profile"] == profile
        assert image.getexif()[0x013B] == "the photographer"


def test_sixteen_bits_stay(face: Path, tmp_path: Path) -> None:
    import cv2

    eight = pixels(face)
    assert cv2.imwrite(str(face), (eight.astype(np.uint16) * 257)[..., ::-1])
    outputs: list[str | Path] = ["-o", tmp_path / "o.png", "--report", tmp_path / "r.png"]
    assert run("--image", face, *JOY, *outputs) == 0
    written = cv2.imread(str(tmp_path / "o.png"), cv2.IMREAD_UNCHANGED)
    assert written is not None
    deep = written[..., ::-1]
    assert deep.dtype == np.uint16
    changed = (deep != eight.astype(np.uint16) * 257).any(axis=2)
    assert 0.01 < changed.mean() < 0.5
    assert (deep[changed] % 257 != 0).any(), "made from 8 bits"
    assert run("grid", "--image", face, "--steps", "2", "-o", tmp_path / "s.png") == 0
    Image.fromarray(eight).save(face)
    assert run("--image", face, *JOY, "-o", tmp_path / "8.png") == 0
    np.testing.assert_allclose(deep / 257, pixels(tmp_path / "8.png"), atol=3)


def test_a_grey_photograph_stays_grey_and_its_report_has_colours(face: Path, tmp_path: Path) -> None:
    with Image.open(face) as image:
        image.convert("L").save(face)
    assert run("--image", face, *JOY, "-o", tmp_path / "o.png", "--report", tmp_path / "r.png") == 0
    assert pixels(tmp_path / "o.png").ndim == 2
    assert np.ptp(pixels(tmp_path / "r.png"), axis=2).max() > 50


def test_wrinkles_can_be_left_out(face: Path, tmp_path: Path) -> None:
    frown = ["--valence", "-0.5", "--arousal", "0.6"]
    assert run("--image", face, *frown, "-o", tmp_path / "1.png") == 0
    assert run("--image", face, *frown, "--wrinkles", "0", "-o", tmp_path / "2.png") == 0
    assert (pixels(tmp_path / "1.png") != pixels(tmp_path / "2.png")).any()


def test_quality_reaches_the_file(face: Path, tmp_path: Path) -> None:
    for quality in ("50", "100"):
        assert run("--image", face, *JOY, "--quality", quality, "-o", tmp_path / f"{quality}.jpg") == 0
    assert (tmp_path / "50.jpg").stat().st_size < 0.5 * (tmp_path / "100.jpg").stat().st_size


def test_all_faces_are_edited_and_one_face_alone_is(two_portraits: Any, tmp_path: Path, stub_detector: Any) -> None:
    path, stub_detector.faces = two_portraits[0], tuple(two_portraits[1])
    for choice in ("all", "largest", "1"):
        assert run("--image", path, *JOY, "--face", choice, "-o", tmp_path / f"{choice}.png") == 0
    before = pixels(path)
    changed = {
        choice: [
            (pixels(tmp_path / f"{choice}.png")[:, half] != before[:, half]).any()
            for half in (slice(0, 512), slice(512, 1024))
        ]
        for choice in ("all", "largest", "1")
    }
    assert changed == {"all": [True, True], "largest": [True, False], "1": [False, True]}
    both = pixels(tmp_path / "all.png")
    np.testing.assert_array_equal(both[:, :512], pixels(tmp_path / "largest.png")[:, :512])
    np.testing.assert_array_equal(both[:, 512:], pixels(tmp_path / "1.png")[:, 512:])
    assert len(json.loads((tmp_path / "all.png.json").read_text())["fit"]["faces"]) == 2


def test_json_is_all_that_stands_on_stdout(face: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--image", face, *JOY, "-o", tmp_path / "o.png", "--json") == 0
    printed = capsys.readouterr()
    assert printed.err == ""
    summary = json.loads(printed.out)
    assert summary["output"] == str(tmp_path / "o.png")
    assert Path(summary["sidecar"]).is_file()
    assert summary["request"]["valence"] == 0.6
    left, top, right, bottom = summary["faces"][0]["box_px"]
    assert 0 < left < right < 512
    assert 0 < top < bottom < 512


def test_sheets_are_named_after_their_layout(face: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("grid", "--image", face, "--steps", "2") == 0
    assert capsys.readouterr() == (f"wrote {face.with_name('face_grid.png')}\n", "")
    assert set(contents(face.parent)) == {"face.png", "face_grid.png", "face_grid.png.json"}


def test_the_demo_needs_no_picture(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("demo", "-o", tmp_path / "demo.png", "--json") == 0
    assert len(json.loads(capsys.readouterr().out)["targets"]) == 8


# What it refuses

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


def bad_landmark_model(face: Path, folder: Path) -> list[str | Path]:
    (folder / "model.task").write_text("no model")
    return ["--image", face, *JOY, "--landmark-model", folder / "model.task"]


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


# What it says


@pytest.mark.skipif(os.name != "posix", reason="a shell and its devices")
@pytest.mark.parametrize("words", ["--version", "--help"])
@pytest.mark.parametrize(
    ("stdout", "code", "stderr"),
    [
        ("| (exec 0<&-; sleep 0.1)", 0, ""),
        (">&-", 0, ""),
        ("> /dev/full", 1, "synth-affect: stdout: cannot be written (No space left on device)\n"),
    ],
)
def test_a_stdout_that_does_not_take_it_is_no_traceback(words: str, stdout: str, code: int, stderr: str) -> None:
    if "/dev/full" in stdout and not Path("/dev/full").exists():
        pytest.skip("no such device here")
    program = "import sys, time; from synth_affect.cli import main; time.sleep(0.2); sys.exit(main(sys.argv[1:]))"
    line = f"{shlex.join([sys.executable, '-c', program, words])} {stdout}; exit ${{PIPESTATUS[0]}}"
    ran = subprocess.run(["bash", "-c", line], capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stderr) == (code, stderr)


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--version") == 0
    assert capsys.readouterr().out == f"synth-affect {synth_affect.__version__}\n"


@pytest.mark.parametrize("command", [(), ("grid",), ("demo",), ("doctor",)])
def test_help(command: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(*command, "--help") == 0
    out, err = capsys.readouterr()
    assert "Usage: synth-affect" in out
    assert err == ""


def test_names_round_towards_one_nothing() -> None:
    from synth_affect.pipelines.edit_picture import default_output, make_target

    assert default_output(Path("a/b.jpg"), make_target(-0.001, -1, None)) == Path("a/b_v+0.00_a-1.00.png")
    named = default_output(Path("b.tar.png"), make_target(-0.5, 0.5, Emotion.FEAR))
    assert named == Path("b.tar_fear_v-0.50_a+0.50.png")
    assert math.isclose(make_target(None, None, Emotion.JOYFUL).point.valence, position(Emotion.JOYFUL).valence)
