import importlib.util
import shutil
from collections.abc import Iterable
from pathlib import Path

import cv2
import numpy as np
import pytest

from synth_affect.arrays import ImageArray
from synth_affect.cli import main
from synth_affect.data.fit_table import FaceRow, read_fit_table
from synth_affect.errors import InputError
from synth_affect.pipelines.fit_faces import PictureFaces
from synth_affect.pipelines.fit_pictures import FitSettings, fit_pictures, list_pictures

N_FRAMES = 5


@pytest.fixture(scope="module")
def face(portrait: ImageArray) -> ImageArray:
    """The portrait cut to its face, and small: quick to search."""
    return portrait[:256, 96:352].copy()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, face: ImageArray) -> Path:
    root = tmp_path_factory.mktemp("pictures")
    for name in ("a", "b"):
        (root / name).mkdir()
        cv2.imwrite(str(root / name / "same.png"), face[:, :: 1 if name == "a" else -1, ::-1])
    (root / "a" / "broken.jpg").write_bytes(b"\xff\xd8 and no more")
    cv2.imwrite(str(root / "b" / "nobody.png"), np.full((64, 64, 3), 128, np.uint8))
    (root / "a" / "notes.txt").write_text("no picture")
    (root / "a" / ".hidden.png").write_bytes(b"")
    return root


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory, face: ImageArray) -> Path:
    """One face that moves, and trembles."""
    path = tmp_path_factory.mktemp("video") / "v.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 25.0, (256, 256))
    rng = np.random.default_rng(0)
    for k in range(N_FRAMES):
        shift = np.array([[1, 0, 3.0 * k + rng.normal()], [0, 1, rng.normal()]])
        writer.write(cv2.warpAffine(face, shift, (256, 256), borderMode=cv2.BORDER_REPLICATE)[:, :, ::-1])
    writer.release()
    return path


def test_every_picture_has_a_row_a_fit_or_a_reason(folder: Path, tmp_path: Path) -> None:
    made = fit_pictures([folder], tmp_path / "fits.csv")
    rows = {Path(row.source).relative_to(folder).as_posix(): row for row in read_fit_table(tmp_path / "fits.csv")}
    assert list(rows) == ["a/broken.jpg", "a/same.png", "b/nobody.png", "b/same.png"]
    assert rows["b/nobody.png"].reason == "no face found"
    assert "damaged" in rows["a/broken.jpg"].reason or "not a picture" in rows["a/broken.jpg"].reason
    for name in ("a/same.png", "b/same.png"):
        fit, quality = rows[name].fit, rows[name].quality
        assert fit is not None
        assert quality is not None
        assert fit.residual_iod < 0.03
        assert quality.score > 0.3
    assert (made.pictures, made.fitted, made.rows, made.people) == (4, 2, 4, 0)
    assert sum(made.reasons.values()) == 2
    assert [path.name for path in tmp_path.iterdir()] == ["fits.csv"]


def test_one_person_has_one_identity(folder: Path, tmp_path: Path) -> None:
    fit_pictures([folder], tmp_path / "f.json", FitSettings("largest", same_person=True))
    fits = [row.fit for row in read_fit_table(tmp_path / "f.json") if row.fit is not None]
    np.testing.assert_array_equal(fits[0].identity_coefficients, fits[1].identity_coefficients)


def test_a_video_is_one_person_who_moves_smoothly(video: Path, tmp_path: Path) -> None:
    tables = []
    for smoothed in (True, False):
        made = fit_pictures([video], tmp_path / "f.json", FitSettings(smooth=smoothed))
        assert (made.videos, made.fitted, made.people) == (1, N_FRAMES, 1)
        tables.append(read_fit_table(tmp_path / "f.json"))
    smooth, rough = tables
    assert [row.frame for row in smooth] == list(range(N_FRAMES))
    assert smooth[3].time_s == pytest.approx(0.12)
    fits = [row.fit for row in smooth if row.fit is not None]
    assert all(np.array_equal(fit.identity_coefficients, fits[0].identity_coefficients) for fit in fits)

    def unrest(table: list[FaceRow]) -> float:
        return float(np.std(np.diff([row.fit.camera.rotation[1, 2] for row in table if row.fit is not None], 2)))

    assert unrest(smooth) < unrest(rough)
    assert max(fit.residual_iod for fit in fits) < 0.04


def test_the_table_depends_neither_on_workers_nor_on_a_stop(video: Path, folder: Path, tmp_path: Path) -> None:
    inputs = [folder / "b" / "same.png", video]
    fit_pictures(inputs, tmp_path / "one.json")
    fit_pictures(inputs, tmp_path / "two.json", workers=2)
    assert (tmp_path / "one.json").read_bytes() == (tmp_path / "two.json").read_bytes()
    seen: list[PictureFaces] = []

    def stopped(outcomes: Iterable[PictureFaces], count: int) -> Iterable[PictureFaces]:
        for outcome in outcomes:
            if len(seen) == 3:
                raise KeyboardInterrupt
            seen.append(outcome)
            yield outcome

    with pytest.raises(KeyboardInterrupt):
        fit_pictures(inputs, tmp_path / "again.json", progress=stopped)
    assert not (tmp_path / "again.json").exists()
    journal = tmp_path / "again.json.journal.jsonl"
    with journal.open("ab") as file:
        file.write(b'{"cut sho')
    counts = []

    def counted(outcomes: Iterable[PictureFaces], count: int) -> Iterable[PictureFaces]:
        counts.append(count)
        yield from outcomes

    fit_pictures(inputs, tmp_path / "again.json", progress=counted)
    assert counts == [1 + N_FRAMES - 3]
    assert (tmp_path / "one.json").read_bytes() == (tmp_path / "again.json").read_bytes()
    assert not journal.exists()


def test_a_journal_of_other_settings_is_not_mixed_in(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "f.json.journal.jsonl").write_text('{"format": "synth-affect journal of fits"}\n')
    with pytest.raises(InputError, match="other settings"):
        fit_pictures([folder], tmp_path / "f.json")


def test_poor_faces_are_refused_with_the_reason(folder: Path, tmp_path: Path) -> None:
    soft = cv2.GaussianBlur(cv2.imread(str(folder / "b" / "same.png")), (0, 0), 3)
    cv2.imwrite(str(tmp_path / "soft.png"), soft)
    made = fit_pictures([tmp_path / "soft.png"], tmp_path / "f.json", FitSettings(min_quality=0.9))
    (row,) = read_fit_table(tmp_path / "f.json")
    assert row.fit is None
    assert row.quality is not None
    assert row.reason.startswith("quality ")
    assert "is below 0.9: " in row.reason
    assert made.reasons["quality below the minimum"] == 1


def test_a_video_cut_short_is_fitted_as_far_as_it_goes(video: Path, tmp_path: Path) -> None:
    cut = tmp_path / "cut.avi"
    cut.write_bytes(video.read_bytes()[: video.stat().st_size // 2])
    fit_pictures([cut], tmp_path / "f.json")
    rows = read_fit_table(tmp_path / "f.json")
    assert 0 < len(rows) - 1 < N_FRAMES
    assert rows[-1].reason.startswith("cut short or damaged: ")
    assert all(row.fit is not None for row in rows[:-1])


def test_files_are_listed_once_and_folders_in_order(folder: Path) -> None:
    one = folder / "a" / "same.png"
    assert list_pictures([one, folder, one])[0] == one
    assert len(list_pictures([one, folder])) == 4


def test_nothing_to_read_is_said(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="holds no picture"):
        fit_pictures([tmp_path / "empty"], tmp_path / "f.csv")
    with pytest.raises(InputError, match="no such file"):
        fit_pictures([tmp_path / "none.png"], tmp_path / "f.csv")


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["--min-quality", "2"], "--min-quality: 2 is not in [0, 1]"),
        (["--detector", "eyes"], "--detector: 'eyes' is none of mediapipe, face-alignment"),
        (["--detector", "face-alignment", "--landmark-model", "m.task"], "--landmark-model: is MediaPipe's"),
        (["--landmark-model", "none.task"], "none.task: "),
        (["--face", "some"], "--face: 'some' is none of all, largest"),
        (["--workers", "0"], "--workers: 0 is not in [1, "),
        (["-o", "fits.txt"], "fits.txt: fits are written as"),
    ],
)
def test_bad_options_are_one_line(
    folder: Path, tmp_path: Path, options: list[str], reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["fit", str(folder), "-o", str(tmp_path / "f.csv"), *options]) == 2
    said = capsys.readouterr().err
    assert reason in said
    assert said.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_the_command_sums_up(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copy(folder / "b" / "same.png", tmp_path / "p.png")
    assert main(["fit", str(tmp_path / "p.png"), "-o", str(tmp_path / "f.json"), "--workers", "1"]) == 0
    assert "1 faces in 1 pictures and 0 videos" in capsys.readouterr().out


@pytest.mark.skipif(importlib.util.find_spec("face_alignment") is not None, reason="face-alignment is installed")
def test_a_detector_that_is_not_installed_is_named_before_any_work(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--detector", "face-alignment", "--workers", "2"]
    assert main(["fit", str(folder), "-o", str(tmp_path / "f.csv"), *options]) == 2
    assert 'pip install "synth-affect[face-alignment]"' in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
