import dataclasses
import importlib.util
import json
import math
from pathlib import Path

import numpy as np
import pytest

from synth_affect.data.fit_table import FaceRow, check_fit_table, read_fit_table, write_fit_table
from synth_affect.errors import InputError
from synth_affect.fitting.fit import FaceFit
from synth_affect.fitting.perspective import turn
from synth_affect.fitting.quality import FitQuality
from synth_affect.heads.camera import Camera, ImageSize

needs_pyarrow = pytest.mark.skipif(importlib.util.find_spec("pyarrow") is None, reason="pyarrow is not installed")
UNITS = ("jawOpen", "mouthSmileLeft")
SUFFIXES = [pytest.param(".parquet", marks=needs_pyarrow), ".csv", ".json"]


def _rows() -> list[FaceRow]:
    rng = np.random.default_rng(0)
    fit = FaceFit(
        head="cc0",
        topology="t",
        image_size=ImageSize(480, 640),
        camera=Camera(turn(rng.normal(size=3) * 0.1), np.array([1 / 3, 2.0, 900.1]), 1000 / 7, np.array([320, 240.5])),
        identity_coefficients=rng.normal(size=5),
        expression_weights=rng.uniform(size=2),
        landmarks_image=rng.uniform(0, 400, size=(68, 2)),
        residual_iod=0.0123456789,
        converged=True,
        iterations=4,
    )
    quality = FitQuality(0.01, 0.02, 1.0, 0.9, math.nan, 3.5, 0.4, 99.0, 0.3, 0.5, 0.8)
    return [
        FaceRow("a/x.png", None, None, 0, None, "", fit, quality, UNITS),
        FaceRow('b/x, "y".mp4', 3, 0.12, 1, 2, "", dataclasses.replace(fit, converged=False), quality, UNITS),
        FaceRow("a/x.png", None, None, 1, None, "quality 0.10 is below 0.5: 9 px between the eyes", None, quality),
        FaceRow("broken.png", None, None, None, None, "not a picture", None, None),
    ]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_what_is_read_is_what_was_written_bit_by_bit(tmp_path: Path, suffix: str) -> None:
    path, rows = tmp_path / f"fits{suffix}", _rows()
    write_fit_table(rows, path)
    found = read_fit_table(path)
    assert len(found) == len(rows)
    for row, again in zip(rows, found, strict=True):
        for name in ("source", "frame", "time_s", "face", "person", "reason", "unit_names"):
            assert getattr(again, name) == getattr(row, name), name
        assert (again.fit is None) == (row.fit is None)
        if row.fit is not None and again.fit is not None:
            for name in ("identity_coefficients", "expression_weights", "landmarks_image"):
                np.testing.assert_array_equal(getattr(again.fit, name), getattr(row.fit, name))
            np.testing.assert_array_equal(again.fit.camera.rotation, row.fit.camera.rotation)
            np.testing.assert_array_equal(again.fit.camera.translation, row.fit.camera.translation)
            for name in ("head", "topology", "image_size", "residual_iod", "converged", "iterations"):
                assert getattr(again.fit, name) == getattr(row.fit, name), name
        assert (again.quality is None) == (row.quality is None)
        if again.quality is not None:
            assert again.quality.size_px == 99.0
            assert math.isnan(again.quality.unhidden)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_the_same_rows_give_the_same_bytes(tmp_path: Path, suffix: str) -> None:
    first, second = tmp_path / f"1{suffix}", tmp_path / f"2{suffix}"
    for path in (first, second):
        write_fit_table(_rows(), path)
    assert first.read_bytes() == second.read_bytes()


@needs_pyarrow
def test_units_are_columns_and_identity_is_a_list(tmp_path: Path) -> None:
    import pyarrow.parquet

    write_fit_table(_rows(), tmp_path / "a.parquet")
    schema = pyarrow.parquet.read_schema(tmp_path / "a.parquet")
    assert schema.names[:4] == ["table_version", "source", "frame", "time_s"]
    assert {"expression_jawOpen", "expression_mouthSmileLeft", "quality", "held_out_iod"} <= set(schema.names)
    assert str(schema.field("identity").type) == "list<element: float>"
    assert json.loads(schema.metadata[b"synth_affect"])["version"] == 1


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_table_of_failures_alone(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"fits{suffix}"
    write_fit_table(_rows()[-1:], path)
    (row,) = read_fit_table(path)
    assert row.reason == "not a picture"
    assert row.fit is None


def test_other_suffixes_and_missing_folders_are_refused_before_any_work(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"\.parquet, \.csv, \.json"):
        check_fit_table(tmp_path / "fits.xlsx")
    with pytest.raises(InputError, match="does not exist"):
        check_fit_table(tmp_path / "none" / "fits.csv")


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.json", "{", "not a table"),
        ("a.json", '{"format": "else"}', "not a table"),
        ("a.json", '{"format": "synth-affect fits", "rows": [{"table_version": 99}]}', "version 1"),
        ("a.json", '{"format": "synth-affect fits", "rows": [{"table_version": 1, "source": "x"}]}', "damaged"),
        ("a.csv", "table_version,source\nx,y\n", "not a table"),
        pytest.param("a.parquet", "PAR1", "not a table", marks=needs_pyarrow),
    ],
)
def test_what_is_no_table_is_refused(tmp_path: Path, name: str, content: str, reason: str) -> None:
    path = tmp_path / name
    path.write_text(content)
    with pytest.raises(InputError, match=reason):
        read_fit_table(path)
