"""The 4D gallery's values: annotated sequences of registered faces, and the table of their frames.

A frame is stored as its displacement from the neutral face of its own sequence, so that identity stays out. How it
lies on disk is `store`'s business.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from synth_affect.affect import Emotion
from synth_affect.arrays import BoolArray, FloatArray, IntArray, readonly
from synth_affect.errors import InputError, ShapeError

NO_CATEGORY = -1
CATEGORIES = tuple(Emotion)
"""A stored category is an index into these."""


@dataclass(frozen=True, slots=True, eq=False)
class GallerySequence:
    """Consecutive frames of one recording of one person.

    subject, session, sequence : names; (subject, session, sequence) tells recordings apart.
    posed : the expression was asked for; else it is spontaneous.
    category : of the whole sequence, where it has one.
    offsets : (n_frames, n_vertices, 3) float16, mm, head frame, from the sequence's neutral face.
    frame : (n_frames,) int32, number in the recording, increasing; gaps are allowed.
    valence, arousal : (n_frames,) float32 in [-1, 1]; NaN where a frame is not annotated.
    apex : (n_frames,) bool, the expression is at its peak.
    """

    subject: str
    session: str
    sequence: str
    posed: bool
    category: Emotion | None
    offsets: FloatArray
    frame: IntArray
    valence: FloatArray
    arousal: FloatArray
    apex: BoolArray

    def __post_init__(self) -> None:
        for field in ("subject", "session", "sequence"):
            name = getattr(self, field)
            if not name or any(ord(c) < 32 for c in name):
                raise InputError(f"{field} {name!r}", "is not a name")
        object.__setattr__(
            self, "offsets", readonly(self.offsets, "offsets", ("n_frames", "n_vertices", 3), np.float16)
        )
        n_frames = (len(self.offsets),)
        object.__setattr__(self, "frame", readonly(self.frame, "frame", n_frames, np.int32))
        object.__setattr__(self, "apex", readonly(self.apex, "apex", n_frames, np.bool_))
        for field in ("valence", "arousal"):
            values = readonly(getattr(self, field), field, n_frames, np.float32, finite=False)
            if (np.abs(values) > 1).any():
                raise ShapeError(field, "numbers in [-1, 1], or NaN", f"{values[np.abs(values) > 1][0]:g}")
            object.__setattr__(self, field, values)
        if (np.diff(self.frame) <= 0).any():
            raise ShapeError("frame", "increasing numbers", "a frame twice, or out of order")


@dataclass(frozen=True, slots=True, eq=False)
class FrameTable:
    """What is known of each frame of a gallery, a column each; row k belongs to displacement k.

    subject_names, session_names, sequence_names : what the codes stand for; a sequence's name is unique with its
        subject and session only, its code is unique in the gallery.
    subject, session, sequence : (n_frames,) int32 codes.  frame : (n_frames,) int32.
    valence, arousal : (n_frames,) float32, NaN where not annotated.
    posed, apex : (n_frames,) bool.  category : (n_frames,) int8, index into CATEGORIES or NO_CATEGORY.
    """

    subject_names: tuple[str, ...]
    session_names: tuple[str, ...]
    sequence_names: tuple[str, ...]
    subject: IntArray
    session: IntArray
    sequence: IntArray
    frame: IntArray
    valence: FloatArray
    arousal: FloatArray
    posed: BoolArray
    apex: BoolArray
    category: IntArray

    def __post_init__(self) -> None:
        n_frames = (len(self.subject),)
        for field, dtype in _COLUMNS.items():
            # Labels may be NaN, and nothing else here is a float.
            object.__setattr__(self, field, readonly(getattr(self, field), field, n_frames, dtype, finite=False))

    def __len__(self) -> int:
        return len(self.subject)


_COLUMNS = {
    "subject": np.int32,
    "session": np.int32,
    "sequence": np.int32,
    "frame": np.int32,
    "valence": np.float32,
    "arousal": np.float32,
    "posed": np.bool_,
    "apex": np.bool_,
    "category": np.int8,
}


def select(
    table: FrameTable,
    *,
    subjects: Iterable[str] | None = None,
    posed: bool | None = None,
    category: Emotion | None = None,
    apex: bool | None = None,
    only_annotated: bool = False,
) -> IntArray:
    """(n,) increasing rows of the frames that meet every condition; None asks for nothing.

    Raises InputError for a subject that the gallery does not have.
    """
    chosen = annotated(table) if only_annotated else np.ones(len(table), dtype=np.bool_)
    if subjects is not None:
        names = set(subjects)
        unknown = names.difference(table.subject_names)
        if unknown:
            raise InputError("subjects", f"{min(unknown)!r} is not in the gallery")
        codes = [code for code, name in enumerate(table.subject_names) if name in names]
        chosen &= np.isin(table.subject, codes)
    if posed is not None:
        chosen &= table.posed == posed
    if category is not None:
        chosen &= table.category == CATEGORIES.index(category)
    if apex is not None:
        chosen &= table.apex == apex
    return np.flatnonzero(chosen)


def annotated(table: FrameTable) -> BoolArray:
    """(n_frames,) bool: valence and arousal are both known."""
    return np.asarray(np.isfinite(table.valence) & np.isfinite(table.arousal))


def subject_folds(table: FrameTable, n_folds: int, rng: np.random.Generator) -> Iterator[tuple[IntArray, IntArray]]:
    """Training and test rows of `n_folds` folds; nobody is in both, and everybody is in one test set.

    Subjects are shuffled, then dealt out so that the test sets have about as many frames each.
    Raises InputError when there are fewer subjects than folds.
    """
    subjects, counts = np.unique(table.subject, return_counts=True)
    if not 2 <= n_folds <= len(subjects):
        raise InputError("folds", f"{n_folds} cannot be made from {len(subjects)} subjects")
    order = rng.permutation(len(subjects))
    order = order[np.argsort(-counts[order], kind="stable")]
    fold_of = np.empty(len(subjects), dtype=np.int64)
    filled = np.zeros(n_folds, dtype=np.int64)
    for k in order:
        fold_of[k] = int(np.argmin(filled))
        filled[fold_of[k]] += counts[k]
    row_fold = fold_of[np.searchsorted(subjects, table.subject)]
    for fold in range(n_folds):
        yield np.flatnonzero(row_fold != fold), np.flatnonzero(row_fold == fold)
