"""Miniature databases: pictures, videos and annotation files in the layouts of the public ones."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image

from synth_affect.arrays import FloatArray
from synth_affect.data.faces.database import FaceDatabase
from synth_affect.data.faces.record import FaceRecord, Rejected

SIZE = (12, 10)
"""Of pictures: width, height."""


def picture(path: Path, value: int = 0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", SIZE, (value % 256, 80, 120)).save(path)
    return path


def pictures(root: Path, names: str | Iterable[str]) -> Path:
    for value, name in enumerate(names.split() if isinstance(names, str) else names):
        picture(root / name, value)
    return root


def text(path: Path, content: str | bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def video(path: Path, n_frames: int) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    codec = "MJPG" if path.suffix == ".avi" else "mp4v"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*codec), 30, (64, 48))
    for value in range(n_frames):
        writer.write(np.full((48, 64, 3), value % 256, np.uint8))
    writer.release()
    return path


def points(seed: int = 0) -> FloatArray:
    """(68, 2) px to a tenth, within the picture."""
    drawn: FloatArray = np.random.default_rng(seed).integers(0, 100, (68, 2)) / 10
    return drawn.astype(np.float32)


def pts(path: Path, rows: FloatArray | Sequence[tuple[float, float]]) -> Path:
    lines = "".join(f"{float(x):.1f} {float(y):.1f}\n" for x, y in rows)
    return text(path, f"version: 1\nn_points: {len(rows)}\n{{\n{lines}}}\n")


def afew_va_clip(
    folder: Path, labels: Sequence[tuple[Any, Any]], actor: str | None = "Anna", skip: Iterable[int] = ()
) -> Path:
    """A clip with a frame for each label; no picture for those in `skip`."""
    frames = {
        f"{n:05d}": {"landmarks": points(n).tolist(), "valence": valence, "arousal": arousal}
        for n, (valence, arousal) in enumerate(labels)
    }
    annotation = {"video_id": folder.name, "frames": frames} | ({} if actor is None else {"actor": actor})
    text(folder / f"{folder.name}.json", json.dumps(annotation))
    for n in range(len(labels)):
        if n not in set(skip):
            picture(folder / f"{n:05d}.png", n)
    return folder


def aff_wild_labels(root: Path, name: str, valence: str, arousal: str, split: str = "train") -> None:
    text(root / "annotations" / split / "valence" / f"{name}.txt", valence)
    text(root / "annotations" / split / "arousal" / f"{name}.txt", arousal)


def divided(database: FaceDatabase) -> tuple[list[FaceRecord], list[Rejected]]:
    """The records of a database and what it turned down; keys are unique."""
    items = list(database.records())
    records = [item for item in items if isinstance(item, FaceRecord)]
    assert len({record.key for record in records}) == len(records)
    return records, [item for item in items if isinstance(item, Rejected)]


def affects(records: Iterable[FaceRecord]) -> list[tuple[float, float]]:
    return [(record.valence, record.arousal) for record in records]
