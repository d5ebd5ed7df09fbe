from __future__ import annotations

import json
import tarfile
from pathlib import Path

import pytest

from synth_affect.errors import InputError
from synth_affect.pipelines.augment.journal import DoneFace, DonePicture
from synth_affect.pipelines.augment.manifest import ManifestFace, write_manifest
from synth_affect.pipelines.augment.shards import write_shards

pytest.importorskip("pyarrow")


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A folder with a manifest of five pictures."""
    pictures = tuple(DonePicture(f"p/{i}.jpg", 0.25, -0.5, 12, "ab", (1.5,) * 136) for i in range(5))
    write_manifest(
        tmp_path, [ManifestFace(DoneFace(0, "k", "", "cd", 4, 4, {}, pictures), "a", None, "a", None, 1)], {}
    )
    (tmp_path / "p").mkdir()
    for i in range(5):
        (tmp_path / "p" / f"{i}.jpg").write_bytes(b"picture %d" % i)
    return tmp_path


def test_each_sample_is_a_picture_and_its_row(run: Path) -> None:
    shards = write_shards(run, 2)
    assert [path.relative_to(run).as_posix() for path in shards] == [f"shards-2/00000{k}.tar" for k in range(3)]
    seen = []
    for path in shards:
        with tarfile.open(path) as tar:
            members = tar.getmembers()
            for picture, row in zip(members[::2], members[1::2], strict=True):
                assert (picture.name[-4:], picture.name[:-4] + ".json", picture.mtime) == (".jpg", row.name, 0)
                said = json.load(tar.extractfile(row))  # type: ignore[arg-type]
                seen.append((tar.extractfile(picture).read(), said["path"], said["valence"], said["fold"]))  # type: ignore[union-attr]
    assert seen == [(b"picture %d" % i, f"p/{i}.jpg", 0.25, 1) for i in range(5)]


def test_the_same_run_gives_the_same_bytes(run: Path) -> None:
    first = [path.read_bytes() for path in write_shards(run, 2)]
    (run / "shards-2" / "000001.tar").unlink()
    (run / "shards-2" / ".0123.part").write_bytes(b"half a shard")
    assert [path.read_bytes() for path in write_shards(run, 2)] == first
    assert len(list((run / "shards-2").iterdir())) == 3


def test_shards_that_are_there_are_not_made_again(run: Path) -> None:
    write_shards(run, 3)
    for i in range(3):
        (run / "p" / f"{i}.jpg").unlink()
    assert len(write_shards(run, 3)) == 2


def test_a_missing_picture_is_told(run: Path) -> None:
    (run / "p" / "3.jpg").unlink()
    with pytest.raises(InputError, match=r"3\.jpg: cannot be read"):
        write_shards(run, 3)
    assert [path.name for path in (run / "shards-3").iterdir()] == ["000000.tar"]
