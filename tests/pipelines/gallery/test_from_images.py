"""Galleries from pictures, on renderings of heads of which the expression is known."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from synth_affect.affect import Emotion
from synth_affect.arrays import FloatArray
from synth_affect.blendshape.gallery.store import Gallery, open_gallery
from synth_affect.blendshape.template import face_template, face_vertices
from synth_affect.data.faces.record import FaceRecord
from synth_affect.errors import InputError
from synth_affect.heads.camera import Camera
from synth_affect.heads.cc0 import load_cc0
from synth_affect.heads.model import HeadModel, head_vertices
from synth_affect.pipelines.embed_landmarks import DISTANCE_MM, FOCAL_PX, SIZE, paint, picture
from synth_affect.pipelines.gallery.from_images import PictureGallery, gallery_from_images
from synth_affect.pipelines.gallery.picture_expression import (
    ExpressionReader,
    PictureExpression,
    open_reader,
    pictures_at_rest,
)

pytest.importorskip("zarr")

SMILE = {"mouthSmileLeft": 0.8, "mouthSmileRight": 0.8}
OPEN = {"jawOpen": 0.6}
SNEER = {"noseSneerLeft": 0.9, "noseSneerRight": 0.9, "mouthUpperUpLeft": 0.6, "mouthUpperUpRight": 0.6}
BROWS = {"browInnerUp": 0.8, "browOuterUpLeft": 0.8, "browOuterUpRight": 0.8}
SHOWN = {"rest": {}, "smile": SMILE, "open": OPEN, "brows": BROWS, "sneer": SNEER}


@pytest.fixture(scope="module")
def head() -> HeadModel:
    return load_cc0()


def weights_of(head: HeadModel, shown: dict[str, float]) -> FloatArray:
    return np.array([shown.get(name, 0.0) for name in head.unit_names], dtype=np.float32)


def render(head: HeadModel, path: Path, shown: dict[str, float], yaw_deg: float = 0.0) -> None:
    identity = np.random.default_rng(3).normal(0, 0.5, len(head.identity_basis)).astype(np.float32)
    vertices = head_vertices(head, identity, weights_of(head, shown))
    yaw = np.radians(yaw_deg)
    rotation = np.array([[np.cos(yaw), 0, np.sin(yaw)], [0, 1, 0], [-np.sin(yaw), 0, np.cos(yaw)]])
    camera = Camera(rotation, np.array([0, 0, DISTANCE_MM]), FOCAL_PX, np.array([SIZE.width / 2, SIZE.height / 2]))
    Image.fromarray(picture(head, paint(head), vertices, camera)[0]).save(path)


@pytest.fixture(scope="module")
def folder(head: HeadModel, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pictures")
    for name, shown in SHOWN.items():
        render(head, folder / f"{name}.png", shown)
    Image.new("RGB", (64, 64)).save(folder / "black.png")
    (folder / "text.png").write_text("no picture")
    return folder


def labelled(folder: Path, name: str, subject: str | None = "anna", intensity: float = 0.7) -> FaceRecord:
    return FaceRecord(name, folder / name, subject=subject, valence=intensity, arousal=0.1)


@pytest.fixture(scope="module")
def pictures(folder: Path) -> list[FaceRecord]:
    return [
        replace(labelled(folder, "smile.png"), valence=0.8, arousal=0.2, category=Emotion.HAPPINESS),
        labelled(folder, "rest.png", intensity=0.05),
        labelled(folder, "open.png"),
        labelled(folder, "brows.png", subject=None),
        FaceRecord("unlabelled.png", folder / "smile.png", subject="anna"),
        labelled(folder, "black.png"),
        labelled(folder, "text.png"),
        labelled(folder, "absent.png"),
        labelled(folder, "sneer.png"),
    ]


@pytest.fixture(scope="module")
def made(pictures: list[FaceRecord], tmp_path_factory: pytest.TempPathFactory) -> PictureGallery:
    return gallery_from_images(pictures, tmp_path_factory.mktemp("made") / "g.zarr")


@pytest.fixture(scope="module")
def gallery(made: PictureGallery) -> Gallery:
    return open_gallery(made.gallery)


def test_counts_and_reasons(made: PictureGallery) -> None:
    assert (made.pictures, made.accepted, made.subjects, made.own_rest) == (9, 5, 1, 1)
    assert made.reasons.pop("no face found") == 1
    assert made.reasons.pop("has no valence and arousal in [-1, 1]") == 1
    assert made.reasons.pop("no such file") == 1
    assert list(made.reasons.values()) == [1]  # the file that is no picture, in the words of who reads pictures
    lines = [json.loads(line) for line in made.report.read_text().splitlines()]
    assert lines[0]["format"] == "synth-affect/pictures/1"
    assert [line["picture"] for line in lines[1:]] == [
        "smile.png", "rest.png", "open.png", "brows.png", "unlabelled.png", "black.png", "text.png", "absent.png",
        "sneer.png"
    ]  # fmt: skip
    assert [not line["reason"] for line in lines[1:]] == [True] * 4 + [False] * 4 + [True]
    assert lines[1]["residual_iod"] < 0.03
    assert abs(lines[1]["yaw_deg"]) < 5


def test_frames_of_the_gallery(gallery: Gallery, head: HeadModel) -> None:
    frames = gallery.frames
    assert gallery.topology == face_template(head).topology
    assert [frames.subject_names[k] for k in frames.subject] == ["anna", "anna", "anna", "unknown-4", "anna"]
    assert [frames.sequence_names[k] for k in frames.sequence] == [
        "smile.png",
        "rest.png",
        "open.png",
        "brows.png",
        "sneer.png",
    ]
    np.testing.assert_allclose(frames.valence, [0.8, 0.05, 0.7, 0.7, 0.7], atol=1e-6)
    assert not frames.posed.any()
    assert frames.category[0] >= 0


@pytest.mark.parametrize(
    ("row", "shown", "likeness"),
    [(0, SMILE, 0.97), (2, OPEN, 0.97), (3, BROWS, 0.7), (4, SNEER, 0.6)],
)
def test_displacements_go_the_way_of_the_expression(
    gallery: Gallery, head: HeadModel, row: int, shown: dict[str, float], likeness: float
) -> None:
    (offsets,) = gallery.read([row])
    true = np.tensordot(weights_of(head, shown), head.expression_units[:, face_vertices(head)], 1)
    cosine = np.sum(offsets * true) / (np.linalg.norm(offsets) * np.linalg.norm(true))
    assert cosine > likeness
    assert 0.3 < np.linalg.norm(offsets) / np.linalg.norm(true) < 1.3


def test_a_person_at_rest_has_no_displacement(gallery: Gallery) -> None:
    (offsets,) = gallery.read([1])
    assert not offsets.any()


def test_two_workers_give_the_same_bytes(pictures: list[FaceRecord], made: PictureGallery, tmp_path: Path) -> None:
    again = gallery_from_images(pictures, tmp_path / "g.zarr", workers=2)
    assert again.report.read_bytes() == made.report.read_bytes()
    assert contents(again.gallery) == contents(made.gallery)


def contents(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


class StopError(Exception):
    """In place of a kill."""


@pytest.fixture
def looked_at(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the pictures that are fitted from here on."""
    names: list[str] = []
    see = ExpressionReader._see

    def noting(reader: ExpressionReader, record: FaceRecord) -> Any:
        names.append(record.key)
        return see(reader, record)

    monkeypatch.setattr(ExpressionReader, "_see", noting)
    return names


@pytest.mark.parametrize(("written", "left"), [(3, 8), (7, 1)])
def test_a_run_that_was_stopped_goes_on(
    pictures: list[FaceRecord], made: PictureGallery, tmp_path: Path, looked_at: list[str], written: int, left: int
) -> None:
    """Anna's seven pictures come first; they are done again where not all of them were written down."""

    def stop(items: Iterable[PictureExpression], count: int) -> Iterator[PictureExpression]:
        assert count == 8
        for number, item in enumerate(items):
            if number == written:
                raise StopError
            yield item

    with pytest.raises(StopError):
        gallery_from_images(pictures, tmp_path / "g.zarr", progress=stop)
    assert [path.name for path in tmp_path.iterdir()] == ["g.zarr.pictures.jsonl"]
    with (tmp_path / "g.zarr.pictures.jsonl").open("ab") as journal:
        journal.write(b'{"picture": "open.png", "reas')  # cut short by the kill
    looked_at.clear()
    again = gallery_from_images(pictures, tmp_path / "g.zarr")
    assert len(looked_at) == left
    assert again.report.read_bytes() == made.report.read_bytes()
    assert contents(again.gallery) == contents(made.gallery)


def test_a_label_that_changed_is_minded(
    pictures: list[FaceRecord], made: PictureGallery, tmp_path: Path, looked_at: list[str]
) -> None:
    (tmp_path / "g.zarr.pictures.jsonl").write_bytes(made.report.read_bytes())
    alone = [replace(pictures[3], valence=-0.5), replace(pictures[0], subject=None)]
    gallery_from_images(alone, tmp_path / "g.zarr")
    assert looked_at == ["brows.png", "smile.png"]


def test_a_picture_that_changed_is_fitted_again(
    head: HeadModel, made: PictureGallery, folder: Path, tmp_path: Path
) -> None:
    report = tmp_path / "g.zarr.pictures.jsonl"
    report.write_bytes(made.report.read_bytes())
    render(head, tmp_path / "smile.png", {})
    again = gallery_from_images([labelled(tmp_path, "smile.png", None)], tmp_path / "g.zarr")
    before, after = (json.loads(path.read_text().splitlines()[1]) for path in (made.report, again.report))
    assert before["sha256"] != after["sha256"]
    smile = head.unit_names.index("mouthSmileLeft")
    assert after["weights"][smile] < before["weights"][smile] - 0.3


def test_a_turned_head_is_left_out(head: HeadModel, tmp_path: Path) -> None:
    render(head, tmp_path / "turned.png", {}, yaw_deg=43)
    with open_reader(head) as reader:
        (seen,) = reader([labelled(tmp_path, "turned.png")])
    assert seen.reason == "the head is turned by more than 40 degrees"


def test_without_one_good_picture_there_is_no_gallery(pictures: list[FaceRecord], tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"is not made: no picture could be used, see .*pictures\.jsonl"):
        gallery_from_images(pictures[4:8], tmp_path / "g.zarr")
    assert [path.name for path in tmp_path.iterdir()] == ["g.zarr.pictures.jsonl"]


def test_what_is_there_stays(pictures: list[FaceRecord], tmp_path: Path) -> None:
    (tmp_path / "g.zarr").mkdir()
    with pytest.raises(InputError, match=r"g\.zarr: is there already"):
        gallery_from_images(pictures, tmp_path / "g.zarr")
    (tmp_path / "h.zarr.pictures.jsonl").write_text("my notes\n")
    with pytest.raises(InputError, match="is not the report of an earlier run with this head; move it away"):
        gallery_from_images(pictures, tmp_path / "h.zarr")
    with pytest.raises(InputError, match=r"nowhere does not exist"):
        gallery_from_images(pictures, tmp_path / "nowhere/g.zarr")
    with pytest.raises(InputError, match="--workers: 0 is not in"):
        gallery_from_images(pictures, tmp_path / "i.zarr", workers=0)


def test_a_damaged_report(pictures: list[FaceRecord], made: PictureGallery, tmp_path: Path) -> None:
    lines = made.report.read_bytes().splitlines(keepends=True)
    (tmp_path / "g.zarr.pictures.jsonl").write_bytes(lines[0] + b"{}\n" + lines[1])
    with pytest.raises(InputError, match="line 2 is damaged; move the file away"):
        gallery_from_images(pictures, tmp_path / "g.zarr")


def test_rest_is_what_is_labelled_neutral() -> None:
    rest = pictures_at_rest(np.ones((4, 2)), np.array([0.1, -0.1, 0.3, 0.8]), np.array([0.1, 0.0, 0.0, 0.5]))
    assert rest is not None
    assert rest.tolist() == [0, 1]


def test_rest_is_the_calmest_quarter_of_many() -> None:
    weights = np.linspace(1, 0, 12)[:, None] * np.array([1.0, 0.5])
    rest = pictures_at_rest(weights, np.full(12, 0.9), np.full(12, 0.9))
    assert rest is not None
    assert sorted(rest.tolist()) == [9, 10, 11]


def test_few_pictures_do_not_tell_a_person_at_rest() -> None:
    far = np.full(7, 0.9)
    assert pictures_at_rest(np.ones((7, 2)), far, far) is None
