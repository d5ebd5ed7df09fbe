"""The command that edits a photograph, from argv to files; the detector is a stub, all else is real."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import synth_affect
from synth_affect.affect import Emotion, position
from synth_affect.data.provenance import DIGITAL_SOURCE_TYPE, sha256_file
from tests.cli.commands import JOY, contents, pixels, run

pytestmark = pytest.mark.usefixtures("stub_detector")


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
