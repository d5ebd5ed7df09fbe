"""Databases go through a run and come back through their own readers, with the labels that were asked for."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import skimage.data
from PIL import Image

from synth_affect.arrays import ImageArray
from synth_affect.data.faces.export.registry import open_export_layout
from synth_affect.data.faces.record import FaceRecord
from synth_affect.data.faces.registry import open_face_database
from synth_affect.pipelines.augment.manifest import MANIFEST, read_manifest
from synth_affect.pipelines.augment.run import AugmentJob, augment
from synth_affect.pipelines.augment.targets import DrawnTargets
from synth_affect.pipelines.augment.work import AugmentSettings
from synth_affect.pipelines.workers import LocalEngine

pytest.importorskip("pyarrow")
FACE_BOX = (55.0, 30.0, 135.0, 150.0)
"""Of the astronaut in `portrait_pixels`."""


def portrait_pixels() -> ImageArray:
    return np.asarray(Image.fromarray(np.asarray(skimage.data.astronaut())[:300, 100:400]).resize((200, 200)))


def in_the_box(count: int) -> list[list[float]]:
    left, top, right, bottom = FACE_BOX
    shares = np.random.default_rng(0).random((count, 2))
    shares[:2] = [[0, 0], [1, 1]]
    return (shares * [right - left, bottom - top] + [left, top]).tolist()


def afew_va(root: Path) -> None:
    """Two actors with a neutral frame and another each."""
    for clip, actor in (("001", "Anna"), ("002", "Bert")):
        frames = {}
        for number, label in (("00000", 0), ("00001", 6)):
            (root / clip).mkdir(parents=True, exist_ok=True)
            Image.fromarray(portrait_pixels()).save(root / clip / f"{number}.png")
            frames[number] = {"landmarks": in_the_box(68), "valence": label, "arousal": -label}
        (root / clip / f"{clip}.json").write_text(json.dumps({"video_id": clip, "actor": actor, "frames": frames}))


def aff_wild(root: Path) -> None:
    """A training video and a test video of four frames, the second frame neutral."""
    from synth_affect.data.video_writing import write_mp4

    for split, name in (("train", "105"), ("test", "106")):
        for folder in ("videos", *(f"annotations/{split}/{axis}" for axis in ("valence", "arousal"))):
            (root / folder).mkdir(parents=True, exist_ok=True)
        (root / "videos" / split).mkdir()
        frames = [(k / 25, portrait_pixels()) for k in range(4)]
        write_mp4(root / "videos" / split / f"{name}.mp4", frames, about="")
        for axis in ("valence", "arousal"):
            (root / f"annotations/{split}/{axis}/{name}.txt").write_text("0.4\n0\n-0.2\n0.1\n")
        left, top, right, bottom = FACE_BOX
        for frame in range(1, 5):
            path = root / f"bboxes/{split}/{name}/{frame}.pts"
            path.parent.mkdir(parents=True, exist_ok=True)
            corners = [(left, top), (left, bottom), (right, bottom), (right, top)]
            lines = "\n".join(f"{x} {y}" for x, y in corners)
            path.write_text(f"version: 1\nn_points: 4\n{{\n{lines}\n}}\n")


@pytest.mark.parametrize(
    ("name", "make", "sources", "tolerance"),
    [("afew-va", afew_va, ["001/00000", "002/00000"], 0.0), ("aff-wild", aff_wild, None, 1e-4)],
)
def test_a_database_goes_through_and_comes_back(
    tmp_path: Path, name: str, make: object, sources: list[str] | None, tolerance: float
) -> None:
    if name == "aff-wild":
        pytest.importorskip("av")
    make(tmp_path / "in")  # type: ignore[operator]
    database = open_face_database(name, tmp_path / "in")
    job = AugmentJob(
        database=database,
        out=tmp_path / "out",
        targets=DrawnTargets(3, seed=1),
        layout=open_export_layout("source", database),
        settings=AugmentSettings(check_rest=False, min_quality=0.1),
        n_folds=2,
    )
    summary = augment(job, LocalEngine(1))
    rows = read_manifest(tmp_path / "out" / MANIFEST)
    assert summary.pictures == len(rows) == 3 * summary.faces
    if sources is not None:
        assert sorted({row["source_key"] for row in rows}) == sources
    else:
        assert [(row["source_path"], row["source_frame"]) for row in rows] == [("videos/train/105.mp4", 1)] * 3
    back = [item for item in open_face_database(name, tmp_path / "out").records() if isinstance(item, FaceRecord)]
    asked = sorted((row["valence"], row["arousal"]) for row in rows)
    read = sorted((record.valence, record.arousal) for record in back)
    np.testing.assert_allclose(read, asked, atol=max(tolerance, 1e-6))
    if name == "afew-va":
        assert {(record.path.relative_to(tmp_path / "out").as_posix(), record.subject) for record in back} == {
            (row["path"], row["subject"]) for row in rows
        }
