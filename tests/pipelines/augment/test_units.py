"""Single units on top of every target of a run: drawn, and written down wherever the request is."""

from __future__ import annotations

import dataclasses
import json
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from synth_affect.blendshape.local_units import ActionUnits
from synth_affect.errors import InputError
from synth_affect.pipelines.augment.manifest import MANIFEST, read_manifest
from synth_affect.pipelines.augment.run import AugmentJob, augment
from synth_affect.pipelines.workers import LocalEngine

JobMaker = Callable[..., AugmentJob]
ASKED = {"AU4": 0.3, "AU12L": 0.8}

pytest.importorskip("pyarrow")


def with_units(job: AugmentJob, asked: dict[str, float]) -> AugmentJob:
    settings = dataclasses.replace(job.settings, action_units=ActionUnits.of(asked))
    return dataclasses.replace(job, settings=settings, per_shard=10)


def test_units_are_drawn_and_written_down(make_job: JobMaker, tmp_path: Path) -> None:
    out, plain = tmp_path / "units", tmp_path / "plain"
    augment(with_units(make_job(out, per_face=1), ASKED), LocalEngine(1))
    augment(make_job(plain, per_face=1), LocalEngine(1))
    for row, other in zip(read_manifest(out / MANIFEST), read_manifest(plain / MANIFEST), strict=True):
        assert json.loads(row["action_units"]) == ASKED
        assert other["action_units"] is None
        assert (row["path"], row["valence"], row["arousal"]) == (other["path"], other["valence"], other["arousal"])
        assert row["sha256"] != other["sha256"]
        with Image.open(out / row["path"]) as picture:
            assert b"AU12L" in picture.info["xmp"]
    assert "of which the labels do not tell" in (out / "DATASHEET.md").read_text()
    assert "of which the labels do not tell" not in (plain / "DATASHEET.md").read_text()
    (shard,) = out.glob("shards-10/*.tar")
    with tarfile.open(shard) as archive:
        rows = [json.loads(archive.extractfile(m).read()) for m in archive if m.name.endswith(".json")]  # type: ignore[union-attr]
    assert [json.loads(row["action_units"]) for row in rows] == [ASKED, ASKED]
    with pytest.raises(InputError, match="begun with another action_units"):
        augment(with_units(make_job(out, per_face=1), {"AU4": 0.4}), LocalEngine(1))
