"""A table of fitted faces, one row a face or a failure: Parquet (through pyarrow), CSV and JSON.

The columns are the same in all three, and `table_version` stands in every row. Parquet and JSON hold lists; CSV has a
column for each of their numbers (`identity_0`, ...). Numbers are written with the digits that give back their float32
(float64 for the camera), so that a fit read from a table is the fit that was written, bit by bit.
"""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from synth_affect.arrays import FloatArray
from synth_affect.data.atomic import atomic_write, check_writable
from synth_affect.errors import InputError, ShapeError
from synth_affect.fitting.fit import FaceFit
from synth_affect.fitting.quality import MEASURES, FitQuality
from synth_affect.fitting.text_file import read_text_file
from synth_affect.heads.camera import Camera, ImageSize, yaw_pitch_roll
from synth_affect.optional import import_optional

VERSION = 1
FORMAT = "synth-affect fits"
SUFFIXES = (".parquet", ".csv", ".json")
EXTRA = "tables"
MAX_BYTES = 1 << 31

_EXPRESSION = "expression_"
_LISTS = ("rotation", "translation", "principal_point", "identity", "landmarks")


@dataclass(frozen=True, slots=True, eq=False)
class FaceRow:
    """One face of one picture or frame, or what went wrong there.

    source : path of the picture or video.  frame, time_s : of a video, from 0; None of a picture.
    face : counted from the largest of its picture; None where none was found.
    person : of all rows that show the same one, as far as is known; else None.
    reason : why there is no fit; "" where there is one.
    fit, quality : None where there is none. unit_names : the columns of the fit's expression.
    """

    source: str
    frame: int | None
    time_s: float | None
    face: int | None
    person: int | None
    reason: str
    fit: FaceFit | None = None
    quality: FitQuality | None = None
    unit_names: tuple[str, ...] = ()


def check_fit_table(path: Path, inputs: Sequence[Path] = ()) -> None:
    """Raises InputError when `path` cannot become a table, MissingDependencyError when its format needs pyarrow."""
    if path.suffix.lower() not in SUFFIXES:
        raise InputError(path, f"fits are written as {', '.join(SUFFIXES)}")
    check_writable(path, inputs)
    if path.suffix.lower() == ".parquet":
        import_optional("pyarrow.parquet", EXTRA)


def write_fit_table(rows: Sequence[FaceRow], path: Path) -> None:
    """Writes `path` whole or not at all. Raises as `check_fit_table`."""
    check_fit_table(path)
    records = [_record(row) for row in rows]
    match path.suffix.lower():
        case ".parquet":
            content = _as_parquet(records)
        case ".csv":
            content = _as_csv(records)
        case _:
            text = ",\n".join(json.dumps(record, allow_nan=False) for record in records)
            content = f'{{"format": "{FORMAT}", "version": {VERSION}, "rows": [\n{text}\n]}}\n'.encode()
    with atomic_write(path) as file:
        file.write(content)


def read_fit_table(path: Path) -> list[FaceRow]:
    """The rows of a table. Raises InputError when it is not one, or of another version."""
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise InputError(path, f"fits are read from {', '.join(SUFFIXES)}")
    try:
        if suffix == ".parquet":
            records = import_optional("pyarrow.parquet", EXTRA).read_table(path).to_pylist()
        elif suffix == ".csv":
            records = _from_csv(read_text_file(path, "table of fits", MAX_BYTES))
        else:
            content = json.loads(read_text_file(path, "table of fits", MAX_BYTES))
            if content.get("format") != FORMAT:
                raise InputError(path, "not a table of fits")
            records = content["rows"]
    except InputError:
        raise
    except (ValueError, KeyError, TypeError, AttributeError, OSError, csv.Error) as error:
        raise InputError(path, f"not a table of fits ({str(error).partition(chr(10))[0]})") from error
    rows = []
    for number, record in enumerate(records):
        if not isinstance(record, dict) or record.get("table_version") != VERSION:
            raise InputError(path, f"row {number} is not of version {VERSION} of the table of fits")
        try:
            rows.append(_row(record))
        except (ValueError, KeyError, TypeError, IndexError, ShapeError) as error:
            raise InputError(path, f"row {number} is damaged ({error})") from error
    return rows


def _record(row: FaceRow) -> dict[str, Any]:
    record: dict[str, Any] = {
        "table_version": VERSION,
        "source": row.source,
        "frame": row.frame,
        "time_s": row.time_s,
        "face": row.face,
        "person": row.person,
        "reason": row.reason,
    }
    if row.quality is not None:
        record["quality"] = round(row.quality.score, 4)
        record |= {name: _finite(getattr(row.quality, name)) for name in MEASURES}
    fit = row.fit
    if fit is None:
        return record
    yaw, pitch, roll = np.degrees(yaw_pitch_roll(fit.camera))
    record |= {
        "head": fit.head,
        "topology": fit.topology,
        "image_height": fit.image_size.height,
        "image_width": fit.image_size.width,
        "yaw": float(yaw),
        "pitch": float(pitch),
        "roll": float(roll),
        "focal_px": fit.camera.focal_px,
        "rotation": _numbers(fit.camera.rotation),
        "translation": _numbers(fit.camera.translation),
        "principal_point": _numbers(fit.camera.principal_point),
        "residual": fit.residual_iod,
        "converged": fit.converged,
        "iterations": fit.iterations,
        "identity": _numbers(fit.identity_coefficients),
    }
    weights = _numbers(fit.expression_weights)
    record |= {_EXPRESSION + name: weight for name, weight in zip(row.unit_names, weights, strict=True)}
    record["landmarks"] = _numbers(fit.landmarks_image)
    return record


def _row(record: dict[str, Any]) -> FaceRow:
    fit = None
    names = tuple(
        name.removeprefix(_EXPRESSION) for name in record if name.startswith(_EXPRESSION) and name not in MEASURES
    )
    if record.get("head"):
        fit = FaceFit(
            head=record["head"],
            topology=record["topology"],
            image_size=ImageSize(record["image_height"], record["image_width"]),
            camera=Camera(
                np.array(record["rotation"], dtype=np.float64).reshape(3, 3),
                np.array(record["translation"], dtype=np.float64),
                record["focal_px"],
                np.array(record["principal_point"], dtype=np.float64),
            ),
            identity_coefficients=np.array(record["identity"]),
            expression_weights=np.array([record[_EXPRESSION + name] for name in names]),
            landmarks_image=np.array(record["landmarks"]).reshape(-1, 2),
            residual_iod=record["residual"],
            converged=record["converged"],
            iterations=record["iterations"],
        )
    quality = None
    if record.get("quality") is not None:
        measures = {name: record.get(name) for name in MEASURES}
        quality = FitQuality(**{name: math.nan if value is None else value for name, value in measures.items()})
    own = {name: record.get(name) for name in ("frame", "time_s", "face", "person")}
    return FaceRow(
        record["source"],
        **own,
        reason=record["reason"] or "",
        fit=fit,
        quality=quality,
        unit_names=names if fit is not None else (),
    )


def _numbers(array: FloatArray) -> list[float]:
    return [float(str(value)) for value in array.ravel()]


def _finite(value: float) -> float | None:
    return float(f"{value:.6g}") if math.isfinite(value) else None


def _columns(records: Sequence[dict[str, Any]]) -> list[str]:
    """Of all records, in the order of the fullest."""
    columns: dict[str, None] = {}
    for record in sorted(records, key=len, reverse=True):
        columns.update(dict.fromkeys(record))
    return list(columns)


def _as_parquet(records: Sequence[dict[str, Any]]) -> bytes:
    pyarrow = import_optional("pyarrow", EXTRA)
    parquet = import_optional("pyarrow.parquet", EXTRA)
    kinds = {
        **dict.fromkeys(("source", "reason", "head", "topology"), pyarrow.string()),
        **dict.fromkeys(
            ("table_version", "frame", "face", "person", "image_height", "image_width", "iterations"), pyarrow.int32()
        ),
        **dict.fromkeys(("rotation", "translation", "principal_point"), pyarrow.list_(pyarrow.float64())),
        **dict.fromkeys(("identity", "landmarks"), pyarrow.list_(pyarrow.float32())),
        **dict.fromkeys(("time_s", "focal_px", "residual"), pyarrow.float64()),
        "converged": pyarrow.bool_(),
    }
    fields = []
    for name in _columns(records):
        if name in MEASURES or name in ("quality", "yaw", "pitch", "roll"):
            kind = pyarrow.float64()
        else:
            kind = kinds.get(name, pyarrow.float32())
        fields.append(pyarrow.field(name, kind))
    about = {"synth_affect": json.dumps({"format": FORMAT, "version": VERSION})}
    table = pyarrow.Table.from_pylist(list(records), schema=pyarrow.schema(fields, metadata=about))
    file = io.BytesIO()
    parquet.write_table(table, file, compression="zstd")
    return file.getvalue()


def _as_csv(records: Sequence[dict[str, Any]]) -> bytes:
    flat = []
    for record in records:
        cells: dict[str, Any] = {}
        for name, value in record.items():
            cells |= {f"{name}_{k}": v for k, v in enumerate(value)} if isinstance(value, list) else {name: value}
        flat.append(cells)
    file = io.StringIO()
    writer = csv.DictWriter(file, _columns(flat), lineterminator="\n")
    writer.writeheader()
    writer.writerows(flat)
    return file.getvalue().encode()


_TEXTS = ("source", "reason", "head", "topology")
_COUNTS = ("table_version", "frame", "face", "person", "image_height", "image_width", "iterations")


def _from_csv(text: str) -> list[dict[str, Any]]:
    records = []
    for cells in csv.DictReader(text.splitlines()):
        record: dict[str, Any] = {}
        for name, cell in cells.items():
            stem, _, place = name.rpartition("_")
            if name in _TEXTS:
                record[name] = cell
            elif not cell:
                record[name] = None
            elif stem in _LISTS and place.isdigit():
                record.setdefault(stem, []).append(float(cell))
            elif name == "converged":
                record[name] = cell == "True"
            else:
                record[name] = int(cell) if name in _COUNTS else float(cell)
        records.append(record)
    return records
