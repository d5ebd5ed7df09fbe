"""Expressions that training does not see: which rendered faces show them, and tables of what came of it."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from synth_affect.affect import Emotion
from synth_affect.data.atomic import atomic_write
from synth_affect.data.faces.record import key_of
from synth_affect.errors import InputError
from synth_affect.pipelines.render_faces import LABELS, read_labels
from synth_affect.regressors.samples import FaceSamples

LEAST_SHARE = 0.05
"""Of a prototype in the mix that a picture shows, from which on it counts as shown."""


def keys_showing(folder: Path, prototypes: Sequence[Emotion]) -> frozenset[str]:
    """Keys of the pictures of rendered faces in which one of `prototypes` has a share.

    Raises InputError when labels.csv has no mixes, or none of its pictures shows one of them.
    """
    wanted = {str(emotion) for emotion in prototypes}
    found: set[str] = set()
    for row in read_labels(folder):
        try:
            mix = [part.rpartition(":") for part in row["prototypes"].split()]
            if any(name in wanted and float(share) >= LEAST_SHARE for name, _, share in mix):
                found.add(key_of(*Path(row["picture"]).with_suffix("").parts))
        except (KeyError, ValueError, AttributeError):
            raise InputError(folder / LABELS, "does not say which prototypes its pictures show") from None
    if not found:
        raise InputError("--hold-out", f"no picture of {folder} shows {', '.join(sorted(wanted))}")
    return frozenset(found)


def showing(samples: FaceSamples, keys: frozenset[str]) -> npt.NDArray[np.bool_]:
    """(n,) whether each sample is one of `keys`."""
    return np.isin(samples.keys, sorted(keys))


def digest_of(*parts: FaceSamples) -> str:
    """Of which pictures, of whom, with which labels, are in which part."""
    found = hashlib.sha256()
    for part in parts:
        found.update(json.dumps([part.subjects.tolist(), part.keys.tolist()]).encode() + part.affect.tobytes())
    return found.hexdigest()


def write_table(stem: Path, rows: Sequence[Mapping[str, Any]], about: Mapping[str, Any]) -> None:
    """`rows`, of the same columns each, as STEM.csv, STEM.md and, with `about`, STEM.json."""
    text = io.StringIO()
    table = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    table.writeheader()
    table.writerows(rows)
    for suffix, content in (
        (".csv", text.getvalue()),
        (".md", markdown_table(rows)),
        (".json", json.dumps({**about, "rows": list(rows)}, indent=2) + "\n"),
    ):
        with atomic_write(stem.with_suffix(suffix)) as file:
            file.write(content.encode())


def markdown_table(rows: Sequence[Mapping[str, Any]]) -> str:
    """As Markdown: numbers with three digits, intervals behind their values, columns that end in low and high gone."""
    columns = [name for name in rows[0] if not name.endswith(("_low", "_high"))]
    lines = [" | ".join(column.replace("_", " ") for column in columns), " | ".join("---" for _ in columns)]
    for row in rows:
        lines.append(" | ".join(_cell(row, column) for column in columns))
    return "".join(f"| {line} |\n" for line in lines)


def _cell(row: Mapping[str, Any], column: str) -> str:
    value = row[column]
    if value is None:
        return "undefined"
    if not isinstance(value, float):
        return str(value)
    low, high = row.get(f"{column}_low"), row.get(f"{column}_high")
    return f"{value:.3f}" if low is None or high is None else f"{value:.3f} [{low:.3f}, {high:.3f}]"
