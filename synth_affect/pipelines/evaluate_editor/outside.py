"""Judges that cannot run in this environment: pictures go out as a manifest, readings come back as a file.

manifest.json is a list of {"input", "output", "valence", "arousal", "input_sha256", "output_sha256"}, with inputs as
absolute paths and outputs relative to it. A file of readings is

    {"format": "synth-affect readings", "format_version": 1,
     "judge": {"name", "databases", "accuracy", "terms", "positions": [[valence, arousal], ...] or []},
     "identity": {"name", "likeness": "distance" or "cosine", "same_person", "databases", "terms"} or null,
     "readings": [{"sha256", "valence", "arousal", "emotion", "identity": number or null}, ...]}

with one entry a picture file, inputs among them, found again by its sha256; identity is the likeness to the input.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from synth_affect.affect import ValenceArousal
from synth_affect.data.atomic import atomic_write
from synth_affect.errors import InputError
from synth_affect.fitting.text_file import read_text_file
from synth_affect.pipelines.evaluate_editor.records import PictureRecord
from synth_affect.pipelines.judges.judge import IdentityCard, JudgeCard

FORMAT, FORMAT_VERSION = "synth-affect readings", 1
MAX_BYTES = 1 << 30
MANIFEST = "manifest.json"


@dataclass(frozen=True, slots=True)
class OutsideReading:
    """affect : [valence, arousal, class].  identity : likeness to the input; None for inputs."""

    affect: list[Any]
    identity: float | None


@dataclass(frozen=True, slots=True)
class OutsideReadings:
    """One file of readings."""

    judge: JudgeCard
    identity: IdentityCard | None
    by_sha256: dict[str, OutsideReading]


def write_manifest(out: Path, edits: Sequence[tuple[Path, Path, ValenceArousal, PictureRecord]]) -> None:
    """`out`/manifest.json of (input, output, target, record)."""
    entries = [
        {
            "input": str(path.absolute()),
            "output": Path(os.path.relpath(output, out)).as_posix(),
            "valence": target.valence,
            "arousal": target.arousal,
            "input_sha256": record.input_sha256,
            "output_sha256": record.output_sha256,
        }
        for path, output, target, record in edits
    ]
    with atomic_write(out / MANIFEST) as file:
        file.write((json.dumps(entries, indent=1) + "\n").encode())


def read_outside(path: Path) -> OutsideReadings:
    """Raises InputError when `path` is no file of readings."""
    text = read_text_file(path, "file of readings", MAX_BYTES)
    try:
        stored = json.loads(text)
        if stored.get("format") != FORMAT or stored.get("format_version") != FORMAT_VERSION:
            raise InputError(path, f"not {FORMAT!r}, version {FORMAT_VERSION}")
        digest = f"outside {hashlib.sha256(text.encode()).hexdigest()}"
        about = stored["judge"]
        judge = JudgeCard(
            name=str(about["name"]),
            databases=str(about["databases"]),
            accuracy=str(about["accuracy"]),
            terms=str(about["terms"]),
            fingerprint=digest,
            positions=tuple(_point(v, a, path) for v, a in about["positions"]),
        )
        of_people = stored["identity"]
        identity = None
        if of_people is not None:
            if of_people["likeness"] not in ("distance", "cosine"):
                raise InputError(path, f"likeness {of_people['likeness']!r} is neither distance nor cosine")
            threshold = of_people["same_person"]
            identity = IdentityCard(
                name=str(of_people["name"]),
                likeness=of_people["likeness"],
                same_person=None if threshold is None else float(threshold),
                databases=str(of_people["databases"]),
                terms=str(of_people["terms"]),
                fingerprint=digest,
            )
        readings = {str(entry["sha256"]): _reading(entry, path) for entry in stored["readings"]}
    except (AttributeError, KeyError, OverflowError, RecursionError, TypeError, ValueError) as error:
        raise InputError(path, f"no file of readings ({type(error).__name__}: {error})") from error
    return OutsideReadings(judge, identity, readings)


def _reading(entry: dict[str, Any], path: Path) -> OutsideReading:
    likeness = entry["identity"]
    affect: list[Any] = [*_point(entry["valence"], entry["arousal"], path), str(entry["emotion"])]
    return OutsideReading(affect, None if likeness is None else float(likeness))


def _point(valence: Any, arousal: Any, path: Path) -> tuple[float, float]:
    try:
        point = ValenceArousal(float(valence), float(arousal))
    except InputError as error:
        raise InputError(path, f"names no point of the plane: {error.reason}") from error
    return point.valence, point.arousal
