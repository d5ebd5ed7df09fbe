"""What a layout is: names for new pictures, and label files that existing training code reads.

A layout writes nothing. Names come before the pictures are made and depend on nothing but the face's number, so they
are the same however a run goes; label files come from the pictures that were made.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import PurePosixPath
from typing import Protocol, TypeVar

import numpy as np

from synth_affect.arrays import FloatArray
from synth_affect.data.faces.database import LabelScale
from synth_affect.data.faces.record import Box, FaceRecord
from synth_affect.errors import InputError

MAX_PICTURES = 1000
"""Of one face: numbers of pictures are made of that of the face and that of the picture."""


class NewPicture(Protocol):
    """path : one of those that the layout gave, with forward slashes.  valence, arousal : in [-1, 1].
    landmarks : the 68 points of ibug's markup on the new face, px, as x0, y0, x1, ...; empty where they are not known.
    """

    @property
    def path(self) -> str: ...
    @property
    def valence(self) -> float: ...
    @property
    def arousal(self) -> float: ...
    @property
    def landmarks(self) -> tuple[float, ...]: ...


class NewFace(Protocol):
    """A picture that was made, and the record that it was made of. They lie in their pictures at the same place."""

    @property
    def record(self) -> FaceRecord: ...
    @property
    def picture(self) -> NewPicture: ...


class ExportLayout(Protocol):
    """The layout of a database. Pictures of training only: no validation or test part is written."""

    @property
    def name(self) -> str:
        """As it is asked for."""
        ...

    @property
    def scale(self) -> LabelScale:
        """Of the labels in the files, to which those of pictures are rounded."""
        ...

    def outputs(self, place: int, record: FaceRecord, count: int) -> tuple[PurePosixPath, ...]:
        """Paths for `count` pictures of a face; of no other face, and the same however the run goes.

        place : of the face among all of a run, from 0.
        Raises InputError when there are more than the layout has names for.
        """
        ...

    def label_files(self, outputs: Iterable[NewFace]) -> Iterator[tuple[PurePosixPath, bytes]]:
        """The files that hold the labels, one at a time. outputs : all of the run, by face and picture.

        Raises InputError when a picture lacks what the format asks for.
        """
        ...


def numbers_of(place: int, count: int) -> range:
    """A number for each picture of a face, of no other face."""
    if not 0 <= count <= MAX_PICTURES:
        raise InputError("targets", f"{count} pictures of one face are more than the {MAX_PICTURES} with a name here")
    return range(place * MAX_PICTURES, place * MAX_PICTURES + count)


F = TypeVar("F", bound=NewFace)


def by_folder(outputs: Iterable[F]) -> Iterator[tuple[PurePosixPath, list[F]]]:
    """The outputs of each folder, which stand together."""
    for folder, faces in groupby(outputs, lambda face: PurePosixPath(face.picture.path).parent):
        yield folder, list(faces)


def landmarks_of(picture: NewPicture, layout: str) -> FloatArray:
    """(68, 2) float64, px. Raises InputError where there are none."""
    if len(picture.landmarks) != 136:
        raise InputError(picture.path, f"has no landmarks, which a label file of {layout} has")
    return np.asarray(picture.landmarks, np.float64).reshape(68, 2)


def box_of(face: NewFace, layout: str) -> Box:
    """That of the record, of which the picture is a copy; else that round the landmarks."""
    if face.record.box is not None:
        return face.record.box
    points = landmarks_of(face.picture, layout)
    (left, top), (right, bottom) = points.min(axis=0).tolist(), points.max(axis=0).tolist()
    return left, top, right, bottom
