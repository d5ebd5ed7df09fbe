"""The table of all pictures of a run, as Parquet: one row a picture, its schema with a version.

Columns of what was read of the pictures are there and empty where nothing was, so that every manifest has one schema.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from synth_affect.data.atomic import atomic_write
from synth_affect.errors import InputError
from synth_affect.optional import import_optional
from synth_affect.pipelines.augment.check import PictureCheck, identity_distance
from synth_affect.pipelines.augment.journal import DoneFace
from synth_affect.pipelines.judges.face_heights import READINGS
from synth_affect.pipelines.judges.open_judges import JudgeCards

MANIFEST = "manifest.parquet"
MANIFEST_VERSION = 2
"""Version 1 knew `read_valence`, `read_arousal`, `identity_distance` and `judge`, all empty, and no other reading."""
READABLE_VERSIONS = (1, 2)
ROWS_AT_A_TIME = 20_000

COLUMNS = (
    ("path", "string"), ("valence", "float32"), ("arousal", "float32"), ("cell", "int16"), ("sha256", "string"),
    ("action_units", "string"),
    ("clip", "string"), ("clip_frame", "int32"),
    ("source_key", "string"), ("source_path", "string"), ("source_frame", "int32"), ("source_sha256", "string"),
    ("subject", "string"), ("sequence", "string"), ("fold", "int16"), ("width", "int32"), ("height", "int32"),
    ("fit_quality", "float32"), ("fit_residual_iod", "float32"), ("fit_held_out_iod", "float32"),
    ("fit_yaw_deg", "float32"), ("face_size_px", "float32"), ("source_expression_mm", "float32"),
    ("landmarks", "landmarks"),
    ("face_found", "bool_"), ("read_valence", "float32"), ("read_arousal", "float32"), ("judge", "string"),
    ("identity_distance", "float32"), ("identity_judge", "string"),
    ("readings", "readings"), ("identities", "identities"), ("face_readings", "face_readings"),
)  # fmt: skip
"""Names and types, in their order; `landmarks` is a list of 136 float32, x0, y0, x1, ... in px, and measures of the fit
are those of `FitQuality`. `action_units` are JSON; empty without any. What the first judge read has columns of its own;
`readings` and `identities` hold all."""


@dataclass(frozen=True, slots=True)
class ManifestFace:
    """A face whose pictures go into the manifest.

    subject, sequence, source_path, source_frame : of its record.  fold : None without folds.
    clip_frames : pictures of each sequence, where they follow each other.
    """

    done: DoneFace
    subject: str | None
    sequence: str | None
    source_path: str
    source_frame: int | None
    fold: int | None
    clip_frames: int | None = None


def write_manifest(
    folder: Path, faces: Iterable[ManifestFace], described: Mapping[str, Any], judges: JudgeCards | None = None
) -> int:
    """Write it, and return the number of its rows; the same faces give the same bytes.

    described : JSON values, kept in the file's metadata under `synth_affect`.  judges : whose readings they are.
    Raises MissingDependencyError without pyarrow, InputError when it cannot be written.
    """
    arrow = import_optional("pyarrow", "tables")
    parquet = import_optional("pyarrow.parquet", "tables")
    types = _types(arrow)
    cards = JudgeCards() if judges is None else judges
    fields = [arrow.field(name, types.get(kind) or getattr(arrow, kind)()) for name, kind in COLUMNS]
    about = {"synth_affect": json.dumps({"manifest": MANIFEST_VERSION, **described}, sort_keys=True)}
    schema = arrow.schema(fields, metadata=about)
    asked = described.get("action_units")
    units = json.dumps(asked) if asked else None
    count = 0
    path = folder / MANIFEST
    try:
        with atomic_write(path) as file, parquet.ParquetWriter(file, schema, compression="zstd") as writer:
            rows: list[dict[str, Any]] = []
            for face in faces:
                rows += _rows(face, cards, units)
                if len(rows) >= ROWS_AT_A_TIME:
                    writer.write_table(arrow.Table.from_pylist(rows, schema))
                    count += len(rows)
                    rows = []
            writer.write_table(arrow.Table.from_pylist(rows, schema))
            count += len(rows)
    except OSError as error:
        raise InputError(path, f"cannot be written ({error.strerror or error})") from error
    return count


def read_manifest(path: Path) -> list[dict[str, Any]]:
    """The rows of a manifest, by column. Raises InputError for a file that is none."""
    return list(manifest_rows(path))


def manifest_rows(path: Path) -> Iterator[dict[str, Any]]:
    """The rows of a manifest one by one, by column; never all at once. Raises InputError for a file that is none."""
    arrow = import_optional("pyarrow", "tables")
    parquet = import_optional("pyarrow.parquet", "tables")
    try:
        with parquet.ParquetFile(path) as file:
            about = json.loads((file.schema_arrow.metadata or {}).get(b"synth_affect", b"{}"))
            if about.get("manifest") not in READABLE_VERSIONS:
                raise InputError(path, f"is no manifest of version {' or '.join(map(str, READABLE_VERSIONS))}")
            for batch in file.iter_batches():
                for row in batch.to_pylist():
                    yield {name: row.get(name) for name, _ in COLUMNS}
    except (OSError, arrow.ArrowInvalid) as error:
        raise InputError(path, f"is no manifest ({str(error).splitlines()[0]})") from None


def clip(key: str, number: int, frames: int) -> str:
    """Name of the sequence that picture `number` of the face `key` is of."""
    return f"{key}/{number // frames:03d}"


_UNREAD: Mapping[str, None] = dict.fromkeys(
    ("face_found", "read_valence", "read_arousal", "judge", "identity_distance", "identity_judge",
     "readings", "identities", "face_readings")
)  # fmt: skip
"""Of a picture that nobody has read."""


def _types(arrow: Any) -> dict[str, Any]:
    """Those of COLUMNS that hold several numbers."""
    number, judge = arrow.float32(), ("judge", arrow.string())
    return {
        "landmarks": arrow.list_(number, 136),
        "readings": arrow.list_(arrow.struct([judge, ("valence", number), ("arousal", number)])),
        "identities": arrow.list_(arrow.struct([judge, ("distance", number)])),
        "face_readings": arrow.struct([(_column(name), number) for name in READINGS]),
    }


def _column(name: str) -> str:
    return name.replace(" ", "_")


def _read(check: PictureCheck | None, cards: JudgeCards) -> dict[str, Any]:
    """The columns of what was read."""
    if check is None:
        return dict(_UNREAD)
    if not check.found:
        return {**_UNREAD, "face_found": False}
    readings = [
        {"judge": card.name, "valence": valence, "arousal": arousal}
        for card, (valence, arousal) in zip(cards.affect, check.affect, strict=True)
    ]
    identities = [
        {"judge": card.name, "distance": identity_distance(card, likeness)}
        for card, likeness in zip(cards.identity, check.likeness, strict=True)
    ]
    first, one = readings[0] if readings else {}, identities[0] if identities else {}
    return {
        "face_found": True, "read_valence": first.get("valence"), "read_arousal": first.get("arousal"),
        "judge": first.get("judge"), "identity_distance": one.get("distance"), "identity_judge": one.get("judge"),
        "readings": readings, "identities": identities,
        "face_readings": {_column(name): value for name, value in check.readings.items()},
    }  # fmt: skip


def _rows(face: ManifestFace, cards: JudgeCards, units: str | None) -> list[dict[str, Any]]:
    done, measures, frames = face.done, face.done.measures, face.clip_frames
    shared = {
        "source_key": done.key, "source_path": face.source_path, "source_frame": face.source_frame,
        "source_sha256": done.source_sha256, "subject": face.subject, "sequence": face.sequence, "fold": face.fold,
        "width": done.width, "height": done.height, "fit_quality": measures.get("quality"),
        "fit_residual_iod": measures.get("residual_iod"), "fit_held_out_iod": measures.get("held_out_iod"),
        "fit_yaw_deg": measures.get("yaw_deg"), "face_size_px": measures.get("size_px"),
        "source_expression_mm": measures.get("expression_mm"), "action_units": units,
    }  # fmt: skip
    return [
        {
            "path": picture.path, "valence": picture.valence, "arousal": picture.arousal, "cell": picture.cell,
            "sha256": picture.sha256, "landmarks": picture.landmarks or None,
            "clip": clip(done.key, number, frames) if frames else None,
            "clip_frame": number % frames if frames else None, **_read(picture.check, cards), **shared,
        }
        for number, picture in enumerate(done.pictures)
    ]  # fmt: skip
