from __future__ import annotations

from pathlib import Path

import pytest

from synth_affect.errors import InputError
from synth_affect.pipelines.augment.journal import DoneFace, DonePicture
from synth_affect.pipelines.augment.manifest import COLUMNS, ManifestFace, read_manifest, write_manifest

pytest.importorskip("pyarrow")


def face(place: int) -> ManifestFace:
    pictures = tuple(DonePicture(f"p/{place}/{i}.jpg", 0.25, -0.5, 12, "ab", (1.5,) * 136) for i in range(3))
    done = DoneFace(place, f"k{place}", "", "cd", 64, 48, {"residual_iod": 0.5, "yaw_deg": 3.0}, pictures)
    return ManifestFace(done, "anna" if place else None, None, "a.mp4", 4, place)


def test_rows_come_back_with_all_columns(tmp_path: Path) -> None:
    assert write_manifest(tmp_path, [face(0), face(1)], {"seed": 3}) == 6
    rows = read_manifest(tmp_path / "manifest.parquet")
    assert list(rows[0]) == [name for name, _ in COLUMNS]
    assert [row["path"] for row in rows] == [f"p/{place}/{i}.jpg" for place in (0, 1) for i in range(3)]
    assert rows[0]["subject"] is None
    assert rows[3]["subject"] == "anna"
    assert (rows[3]["fit_residual_iod"], rows[3]["fit_yaw_deg"], rows[3]["source_frame"]) == (0.5, 3.0, 4)
    assert rows[3]["landmarks"] == [1.5] * 136


def test_the_same_faces_give_the_same_bytes(tmp_path: Path) -> None:
    contents = []
    for _ in range(2):
        write_manifest(tmp_path, iter([face(0), face(1)]), {"seed": 3})
        contents.append((tmp_path / "manifest.parquet").read_bytes())
    assert contents[0] == contents[1]


def test_without_faces_it_is_empty(tmp_path: Path) -> None:
    assert write_manifest(tmp_path, [], {}) == 0
    assert read_manifest(tmp_path / "manifest.parquet") == []


def test_a_file_of_something_else_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.parquet"
    path.write_bytes(b"PAR1nonsense")
    with pytest.raises(InputError, match="no manifest"):
        read_manifest(path)
