"""What a judge of affect or of identity is, and what a report must say about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np

from synth_affect.arrays import FloatArray
from synth_affect.pipelines.judges.face_view import FaceView


@dataclass(frozen=True, slots=True)
class JudgeCard:
    """What one must know to weigh a judge's word.

    name : in reports; one of its kind in a run.
    databases : whose pictures it was trained on: it knows their people, light and annotators.
    accuracy : on real pictures, published or measured; with its source.
    terms : of its weights.
    positions : of a judge that reads classes, where each stands on the plane; it reads only their mixtures. Empty for
        one that reads any point.
    fingerprint : of weights and use; readings of one fingerprint are the same.
    """

    name: str
    databases: str
    accuracy: str
    terms: str
    fingerprint: str
    positions: tuple[tuple[float, float], ...] = ()

    def described(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "name": self.name,
            "databases": self.databases,
            "accuracy": self.accuracy,
            "terms": self.terms,
            "fingerprint": self.fingerprint,
            "positions": [list(position) for position in self.positions],
        }


@dataclass(frozen=True, slots=True)
class AffectReading:
    """valence, arousal : in [-1, 1].  emotion : the likeliest class; "" for a judge without classes."""

    valence: float
    arousal: float
    emotion: str = ""


class AffectJudge(Protocol):
    """Reads the affect of a face."""

    @property
    def card(self) -> JudgeCard:
        """What it is."""
        ...

    def read(self, face: FaceView) -> AffectReading:
        """Of one face."""
        ...


Likeness = Literal["cosine", "distance"]


@dataclass(frozen=True, slots=True)
class IdentityCard:
    """likeness : "cosine", 1 for the same picture, or Euclidean "distance", 0 for the same picture.
    same_person : the threshold that its makers publish, on that scale; None where there is none.
    """

    name: str
    likeness: Likeness
    same_person: float | None
    databases: str
    terms: str
    fingerprint: str

    def described(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "name": self.name,
            "likeness": self.likeness,
            "same_person": self.same_person,
            "databases": self.databases,
            "terms": self.terms,
            "fingerprint": self.fingerprint,
        }

    def compare(self, one: FloatArray, other: FloatArray) -> float:
        """Of two embeddings (n,)."""
        if self.likeness == "distance":
            return float(np.linalg.norm(one - other))
        return float(one @ other / max(float(np.linalg.norm(one) * np.linalg.norm(other)), 1e-12))

    def passes(self, values: Sequence[float] | FloatArray, bar: float) -> FloatArray:
        """(n,) 1 where a value is at least as alike as `bar`, else 0."""
        array = np.asarray(values, dtype=np.float64)
        return np.asarray(array <= bar if self.likeness == "distance" else array >= bar, dtype=np.float64)


class IdentityJudge(Protocol):
    """Embeds a face so that two pictures of one person lie near each other."""

    @property
    def card(self) -> IdentityCard:
        """What it is."""
        ...

    def embed(self, face: FaceView) -> FloatArray:
        """(n,) float64."""
        ...
