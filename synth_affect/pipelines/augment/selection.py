"""Which faces of a database are the sources: neutral ones, of the people one may train on.

Kollias et al. 2018 took frames labelled V = A = 0 and looked at each. Here the label comes first, then a fit says
whether the face does rest; `accept` takes the place of the fit where a person has looked.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from synth_affect.affect import Emotion
from synth_affect.data.faces.folds import is_source
from synth_affect.data.faces.record import FaceItem, FaceRecord
from synth_affect.errors import InputError
from synth_affect.fitting.quality import FitQuality
from synth_affect.fitting.text_file import read_text_file

NEUTRAL_LABEL = 0.05
"""Valence and arousal up to here are zero: half a step of the coarsest scale in use, AFEW-VA's."""
REST_MM = 1.15
"""Mean motion of the skin from the person's neutral (`FitQuality.expression_mm`) up to which a face
rests. Of 17 portraits three smile, by 1.25 to 2.8; the others move by up to 1.02."""
MAX_LIST_BYTES = 1 << 29


@dataclass(frozen=True, slots=True)
class Candidate:
    """place : its number among the candidates, from 0."""

    place: int
    record: FaceRecord


def candidates(records: Iterable[FaceItem], accepted: frozenset[str] | None = None) -> Iterator[Candidate]:
    """The records that can be sources, in their order.

    accepted : keys that a person has chosen; None lets labels decide: neutral ones, and where a database says nothing
    of affect all of them. Validation and test pictures are never sources.
    """
    place = 0
    for record in records:
        if not isinstance(record, FaceRecord) or not is_source(record):
            continue
        if record.key in accepted if accepted is not None else _may_rest(record):
            yield Candidate(place, record)
            place += 1


def neutral_label(valence: float, arousal: float) -> bool:
    """Whether valence and arousal are those of a neutral face, or not known (NaN)."""
    return not max(abs(valence), abs(arousal)) > NEUTRAL_LABEL


def _may_rest(record: FaceRecord) -> bool:
    if record.neutral is not None:
        return record.neutral
    if record.has_affect:
        return neutral_label(record.valence, record.arousal)
    return record.category in (None, Emotion.NEUTRAL)


def read_accept_list(path: Path) -> frozenset[str]:
    """The keys in a file, one a line; lines that begin with # say nothing. Raises InputError when there is none."""
    lines = (line.strip() for line in read_text_file(path, "list of faces", MAX_LIST_BYTES).splitlines())
    keys = frozenset(line for line in lines if line and not line.startswith("#"))
    if not keys:
        raise InputError(path, "names no face")
    return keys


def unfit_reason(quality: FitQuality, min_quality: float, *, check_rest: bool) -> str | None:
    """Why a face is no source: its fit is not to be trusted, or it does not rest. None where it is one."""
    if quality.score < min_quality:
        return f"{quality.reason} (quality {quality.score:.2f}, at least {min_quality:g})"
    if check_rest and not quality.expression_mm <= REST_MM:
        return f"does not rest ({quality.expression_mm:.1f} mm of expression, at most {REST_MM:g})"
    return None
