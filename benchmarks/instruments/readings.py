"""All instruments on one picture, and a cache of what they read."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType

import numpy as np
import numpy.typing as npt

from benchmarks.instruments.emotion import CLASS_VALENCE_AROUSAL, CLASSES, EmotionReader
from benchmarks.instruments.face import FaceReader
from benchmarks.instruments.identity import IdentityReader
from benchmarks.instruments.skin_tone import typology_angle
from synth_affect.pipelines.judges.classes import expected_valence_arousal
from synth_affect.pipelines.judges.face_heights import brow_height, lip_corner_height, lip_gap

# Part of every cache key: raise it when an instrument or its use changes.
_CACHE_VERSION = 4


@dataclass(frozen=True, slots=True)
class Readings:
    """What the instruments say about one face of one picture.

    centre : of its points, px.
    units : MediaPipe's 52 readings by ARKit name.
    brow_height, lip_corner_height, lip_gap : inter-ocular distances (between the outer corners of the eyes).
    emotions : class of `fer` -> probability.  valence, arousal : expected over those classes.
    embedding : dlib's 128 numbers.  skin_tone_deg : typology angle of the cheeks in the picture.
    """

    centre: tuple[float, float]
    units: dict[str, float]
    brow_height: float
    lip_corner_height: float
    lip_gap: float
    emotions: dict[str, float]
    valence: float
    arousal: float
    embedding: tuple[float, ...]
    skin_tone_deg: float


class Instruments:
    """The instruments together. A context manager; with `cache`, a folder, a picture is read once."""

    def __init__(self, cache: Path | None = None) -> None:
        self._cache = cache
        if cache is not None:
            cache.mkdir(parents=True, exist_ok=True)
        self._face = FaceReader()
        self._emotion = EmotionReader()
        self._identity = IdentityReader()

    def read(self, image: npt.NDArray[np.uint8], near: tuple[float, float] | None = None) -> Readings | None:
        """Readings of `image` (height, width, 3) uint8 RGB; None when MediaPipe finds no face.

        near : px; the face nearest to it, the largest where None. An edit is read where its input was: a changed face
            may no longer be the largest of a group.
        """
        if self._cache is None:
            return self._measure(image, near)
        digest = hashlib.sha256(f"{_CACHE_VERSION} {image.shape} {near}".encode() + image.tobytes()).hexdigest()
        entry = self._cache / f"{digest}.json"
        if entry.exists():
            stored = json.loads(entry.read_text("utf-8"))
            return (
                None
                if stored is None
                else Readings(**{**stored, **{name: tuple(stored[name]) for name in ("centre", "embedding")}})
            )
        readings = self._measure(image, near)
        partial = entry.with_suffix(f".{os.getpid()}.part")
        partial.write_text(json.dumps(None if readings is None else asdict(readings)), "utf-8")
        partial.replace(entry)
        return readings

    def _measure(self, image: npt.NDArray[np.uint8], near: tuple[float, float] | None) -> Readings | None:
        face = self._face.read(image, near)
        if face is None:
            return None
        probabilities = self._emotion.read(image, face.points)
        valence, arousal = expected_valence_arousal(probabilities, CLASS_VALENCE_AROUSAL)
        return Readings(
            centre=face.centre(),
            units=face.units,
            brow_height=brow_height(face.points),
            lip_corner_height=lip_corner_height(face.points),
            lip_gap=lip_gap(face.points),
            emotions=dict(zip(CLASSES, probabilities.tolist(), strict=True)),
            valence=valence,
            arousal=arousal,
            embedding=tuple(self._identity.read(image, face.points).tolist()),
            skin_tone_deg=typology_angle(image, face.points, face.inter_ocular_px()),
        )

    def close(self) -> None:
        """Free the native handles."""
        self._face.close()

    def __enter__(self) -> Instruments:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def read_rgb(path: Path) -> npt.NDArray[np.uint8]:
    """(height, width, 3) uint8 RGB, upright as its EXIF orientation says."""
    from PIL import Image, ImageOps

    with Image.open(path) as picture:
        return np.asarray(ImageOps.exif_transpose(picture).convert("RGB"))
