"""A database of pictures or videos of faces on the disk, and the scale of its labels."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from synth_affect.data.faces.record import FaceItem, FaceRecord
from synth_affect.errors import InputError

Subjects = Literal["people", "videos", "none"]
"""What stands for a person: a name or number of the database's own; the recording, where it has none; nothing."""

Wanted: TypeAlias = Callable[[float, float], bool]
"""Asked with valence and arousal (NaN where there are none) before anything else of a picture is read."""


@dataclass(frozen=True, slots=True)
class LabelScale:
    """How a database writes what is [-1, 1] here: `limit` stands for 1.  integer : whole numbers only."""

    limit: float = 1.0
    integer: bool = False

    def to_affect(self, label: float) -> float:
        """The label of the database in [-1, 1], and not rounded."""
        return label / self.limit

    def from_affect(self, value: float) -> float:
        """A number in [-1, 1] as the database writes it; halves go away from 0, so that the plane stays symmetric."""
        label = value * self.limit
        return math.copysign(math.floor(abs(label) + 0.5), label) + 0.0 if self.integer else label

    def as_written(self, value: float) -> float:
        """What is read back in [-1, 1] after writing."""
        return self.to_affect(self.from_affect(value))


AFFECT_SCALE = LabelScale()
"""[-1, 1], as here."""


@dataclass(frozen=True, slots=True, eq=False)
class FaceDatabase:
    """A database on the disk, of which the layout was found whole.

    name : as it is asked for.  title, obtain : for people.  root : the folder that holds its parts.
    subjects : what its records name as a person.  scale : of its labels.
    notes : what a user must know of this copy, and of how it was read.
    read : the stream of `records`.
    """

    name: str
    title: str
    obtain: str
    root: Path
    subjects: Subjects
    read: Callable[[Wanted], Iterator[FaceItem]]
    scale: LabelScale = AFFECT_SCALE
    notes: tuple[str, ...] = ()

    @property
    def has_subjects(self) -> bool:
        """Whether a person-independent split can be made."""
        return self.subjects != "none"

    def records(self, wanted: Wanted | None = None) -> Iterator[FaceItem]:
        """Its pictures one by one, in a settled order, and what was turned down, where it stands; never all at once.

        wanted : leaves out pictures by their labels before their landmarks are read; `at_rest` is one.
        """
        return self.read(_all if wanted is None else wanted)


def without_affect(read: Callable[[], Iterator[FaceItem]]) -> Callable[[Wanted], Iterator[FaceItem]]:
    """The `read` of a database that has no valence and arousal: one question is enough for all its pictures."""
    return lambda wanted: read() if wanted(math.nan, math.nan) else iter(())


def refuse_without_record(items: Iterable[FaceItem], root: Path, reason: str) -> Iterator[FaceItem]:
    """The items; InputError(root, reason) at their end when none was a record."""
    any_record = False
    for item in items:
        any_record = any_record or isinstance(item, FaceRecord)
        yield item
    if not any_record:
        raise InputError(root, reason)


def _all(valence: float, arousal: float) -> bool:
    return True


def at_rest(valence: float, arousal: float) -> bool:
    """Valence and arousal are 0, as the paper asks of a neutral picture."""
    return valence == 0 and arousal == 0
