"""Who may be a source of new pictures, and who may not: official splits, and folds that no person crosses."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from synth_affect.data.faces.record import FaceRecord
from synth_affect.errors import InputError


@dataclass(frozen=True, slots=True)
class Folds:
    """of : the fold of each person, 0 to n - 1.  frames : pictures in each fold.  seed : what they were made with."""

    of: Mapping[str, int]
    frames: tuple[int, ...]
    seed: int

    def held_out(self, fold: int) -> frozenset[str]:
        """The people who are tested in `fold`: none of their pictures may be a source for its training."""
        if not 0 <= fold < len(self.frames):
            raise InputError("--fold", f"{fold} is not in [0, {len(self.frames) - 1}]")
        return frozenset(subject for subject, own in self.of.items() if own == fold)


def person_folds(subjects: Iterable[str | None], n: int, seed: int = 0) -> Folds:
    """Divide people into `n` folds of much the same number of pictures.

    subjects : of each picture, in any order: the result depends on their counts and the seed.
    The people are shuffled, sorted by their counts, and each is given to the fold that is the smallest so far (Graham
    1969: the largest fold is at most 4/3 of what is possible).
    Raises InputError when a picture has no subject, or there are fewer people than folds.
    """
    counts = Counter(subjects)
    if None in counts:
        raise InputError("--folds", f"{counts[None]} pictures name no person, so folds could not keep people apart")
    if n < 2 or len(counts) < n:
        raise InputError("--folds", f"{n} folds of {len(counts)} people cannot be made")
    names = sorted(name for name in counts if name is not None)
    shuffled = [names[place] for place in np.random.default_rng(seed).permutation(len(names))]
    frames, people = [0] * n, [0] * n
    of: dict[str, int] = {}
    for name in sorted(shuffled, key=lambda name: -counts[name]):  # stable: equals stay shuffled
        fold = min(range(n), key=lambda fold: (frames[fold], people[fold], fold))
        of[name] = fold
        frames[fold] += counts[name]
        people[fold] += 1
    return Folds(dict(sorted(of.items())), tuple(frames), seed)


def is_source(record: FaceRecord, held_out: frozenset[str] = frozenset()) -> bool:
    """Whether new pictures may be made of this one: of training pictures, or of a database without a split, and never
    of the people in `held_out`; nor of pictures of nobody where people are held out.
    """
    if record.split not in (None, "train"):
        return False
    return not held_out or (record.subject is not None and record.subject not in held_out)


def check_source(record: FaceRecord, held_out: frozenset[str] = frozenset()) -> None:
    """Raises InputError when `is_source` does not hold: the last gate before a picture is made."""
    if is_source(record, held_out):
        return
    if record.split not in (None, "train"):
        raise InputError(record.key, f"is of the {record.split} split; new pictures are made of training pictures only")
    raise InputError(record.key, f"its person, {record.subject or 'unknown'}, is held out for testing")
