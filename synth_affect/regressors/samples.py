"""Cropped faces with their labels, as networks are trained on them: arrays, in the order of their numbers.

Pictures stay where they lie, on the disk where they are many, and are read when a batch asks for them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt

from synth_affect.arrays import FloatArray, readonly
from synth_affect.errors import InputError, ShapeError


@dataclass(frozen=True, slots=True, eq=False)
class Crops:
    """Pictures of one size in one or several arrays.

    arrays : each (m, size, size, 3) uint8 RGB; they may lie on the disk (memmap).
    array, row : (n,) where picture i is.
    """

    arrays: tuple[npt.NDArray[np.uint8], ...]
    array: npt.NDArray[np.int64]
    row: npt.NDArray[np.int64]

    @classmethod
    def of(cls, pictures: npt.NDArray[np.uint8]) -> Crops:
        """All of an array (n, size, size, 3) uint8. Raises ShapeError for another one."""
        n, size = len(pictures), pictures.shape[1] if pictures.ndim == 4 else 0
        if pictures.shape != (n, size, size, 3) or pictures.dtype != np.uint8:
            raise ShapeError("pictures", "(n, size, size, 3) uint8", f"{pictures.shape} {pictures.dtype}")
        return cls((pictures,), np.zeros(n, dtype=np.int64), np.arange(n))

    def __len__(self) -> int:
        return len(self.row)

    def __reduce__(self) -> tuple[Any, ...]:
        """For another process, which opens the files itself."""
        return _crops_there, (tuple(_file_of(one) or one for one in self.arrays), self.array, self.row)

    @property
    def size(self) -> int:
        """Height and width of the pictures."""
        return int(self.arrays[0].shape[1])

    def take(self, numbers: npt.NDArray[np.int64]) -> npt.NDArray[np.uint8]:
        """(k, size, size, 3) uint8: a copy of the pictures `numbers`."""
        found = np.empty((len(numbers), self.size, self.size, 3), dtype=np.uint8)
        for place, pictures in enumerate(self.arrays):
            here = self.array[numbers] == place
            if here.any():
                found[here] = pictures[self.row[numbers[here]]]
        return found


def _file_of(pictures: npt.NDArray[np.uint8]) -> tuple[str, int] | None:
    """The .npy file that `pictures` begin, and how many they are; None when they are in memory, or amid a file."""
    whole = pictures
    while isinstance(whole.base, np.memmap):
        whole = whole.base
    if not isinstance(pictures, np.memmap) or pictures.ctypes.data != whole.ctypes.data or not pictures.filename:
        return None
    return str(pictures.filename), len(pictures)


def _crops_there(
    places: Sequence[npt.NDArray[np.uint8] | tuple[str, int]], array: npt.NDArray[np.int64], row: npt.NDArray[np.int64]
) -> Crops:
    arrays = [
        np.load(one[0], mmap_mode="r", allow_pickle=False)[: one[1]] if isinstance(one, tuple) else one
        for one in places
    ]
    return Crops(tuple(arrays), array, row)


@dataclass(frozen=True, slots=True, eq=False)
class FaceSamples:
    """pictures : n crops.
    affect : (n, 2) float32, valence and arousal in [-1, 1]; NaN where there is no label.
    categories : (n,) of str, names of `Emotion`; "" where there is none.
    landmarks : (n, 68, 2) float32, of the crop: (-1, -1) is its upper left corner; NaN where there are none.
    subjects, sequences, keys : (n,) of str; a still has the sequence "".
    frames : (n,) int64, the order within a sequence.
    made : (n,) bool, pictures that `augment` made.
    Raises ShapeError for arrays of other shapes, InputError for a label that is not in its range.
    """

    pictures: Crops
    affect: FloatArray
    landmarks: FloatArray
    categories: npt.NDArray[Any]
    subjects: npt.NDArray[Any]
    sequences: npt.NDArray[Any]
    keys: npt.NDArray[Any]
    frames: npt.NDArray[np.int64]
    made: npt.NDArray[np.bool_]

    def __post_init__(self) -> None:
        n = len(self.pictures)
        object.__setattr__(self, "affect", readonly(self.affect, "affect", (n, 2), np.float32, finite=False))
        points = readonly(self.landmarks, "landmarks", (n, 68, 2), np.float32, finite=False)
        object.__setattr__(self, "landmarks", points)
        for name in _COLUMNS[2:]:
            if np.shape(getattr(self, name)) != (n,):
                raise ShapeError(name, (n,), np.shape(getattr(self, name)))
        wrong = np.flatnonzero((np.abs(self.affect) > 1).any(axis=1))
        if len(wrong):
            v, a = self.affect[wrong[0]]
            raise InputError(str(self.keys[wrong[0]]), f"valence {v:g}, arousal {a:g} are not in [-1, 1]")

    def __len__(self) -> int:
        return len(self.pictures)

    @property
    def size(self) -> int:
        """Height and width of the pictures."""
        return self.pictures.size


_COLUMNS = tuple(field.name for field in fields(FaceSamples))[1:]


def unlabelled(pictures: npt.NDArray[np.uint8], landmarks: FloatArray | None = None) -> FaceSamples:
    """Stills (n, size, size, 3) that are only to be read; landmarks as in FaceSamples."""
    n = len(pictures)
    nameless = np.full(n, "")
    return FaceSamples(
        Crops.of(pictures),
        affect=np.full((n, 2), np.nan, dtype=np.float32),
        landmarks=np.full((n, 68, 2), np.nan, dtype=np.float32) if landmarks is None else landmarks,
        categories=nameless,
        subjects=nameless,
        sequences=nameless,
        keys=np.arange(n).astype(str),
        frames=np.zeros(n, dtype=np.int64),
        made=np.zeros(n, dtype=bool),
    )


def select(samples: FaceSamples, chosen: npt.NDArray[Any]) -> FaceSamples:
    """Those at the numbers `chosen`, or where a mask is True."""
    crops = samples.pictures
    return FaceSamples(
        Crops(crops.arrays, crops.array[chosen], crops.row[chosen]),
        **{name: getattr(samples, name)[chosen] for name in _COLUMNS},
    )


def join(parts: Sequence[FaceSamples]) -> FaceSamples:
    """All of them, one part after the other. Raises ShapeError when their pictures differ in size."""
    for part in parts[1:]:
        if part.size != parts[0].size:
            raise ShapeError("pictures", f"{parts[0].size} px", f"{part.size} px")
    first = np.cumsum([0, *(len(part.pictures.arrays) for part in parts)])
    crops = Crops(
        tuple(array for part in parts for array in part.pictures.arrays),
        np.concatenate([part.pictures.array + start for part, start in zip(parts, first, strict=False)]),
        np.concatenate([part.pictures.row for part in parts]),
    )
    return FaceSamples(crops, **{name: np.concatenate([getattr(p, name) for p in parts]) for name in _COLUMNS})


def windows(samples: FaceSamples, steps: int) -> list[npt.NDArray[np.int64]]:
    """The samples' numbers as sequences of at most `steps` frames: clips in order, cut; a still is one by itself."""
    found: list[npt.NDArray[np.int64]] = []
    clips: dict[tuple[str, str], list[int]] = {}
    for number, (subject, sequence) in enumerate(zip(samples.subjects, samples.sequences, strict=True)):
        if sequence:
            clips.setdefault((str(subject), str(sequence)), []).append(number)
        else:
            found.append(np.array([number]))
    for numbers in clips.values():
        ordered = np.array(sorted(numbers, key=lambda number: int(samples.frames[number])))
        found += [ordered[start : start + steps] for start in range(0, len(ordered), steps)]
    return found
