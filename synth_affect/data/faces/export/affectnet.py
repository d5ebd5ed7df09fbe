"""New pictures of AffectNet in the layouts of its two releases.

What was asked for is a point of the plane, so the category of a new picture is "none of the eight", code 8: a guess
would be a label that nobody gave.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

import numpy as np

from synth_affect.data.faces.affectnet import NO_CATEGORY
from synth_affect.data.faces.affectnet_lists import COLUMNS, LISTS
from synth_affect.data.faces.database import AFFECT_SCALE, LabelScale
from synth_affect.data.faces.export.layout import NewFace, box_of, landmarks_of, numbers_of
from synth_affect.data.faces.record import FaceRecord

FIRST_NUMBER, FIRST_FOLDER = 1000, 10_000
"""Numbers of pictures of the database are below FIRST_NUMBER * MAX_PICTURES, those of folders below FIRST_FOLDER."""


@dataclass(frozen=True, slots=True)
class AffectNetCropsLayout:
    """The newer release: `train_set/images/<n>.jpg` and an array a label. Pictures are as large as their sources."""

    @property
    def name(self) -> str:
        """See `ExportLayout`."""
        return "affectnet"

    @property
    def scale(self) -> LabelScale:
        """See `ExportLayout`."""
        return AFFECT_SCALE

    def outputs(self, place: int, record: FaceRecord, count: int) -> tuple[PurePosixPath, ...]:
        """See `ExportLayout`."""
        numbers = numbers_of(FIRST_NUMBER + place, count)
        return tuple(PurePosixPath("train_set/images") / f"{number}.jpg" for number in numbers)

    def label_files(self, outputs: Iterable[NewFace]) -> Iterator[tuple[PurePosixPath, bytes]]:
        """See `ExportLayout`."""
        folder = PurePosixPath("train_set/annotations")
        for face in outputs:
            picture = face.picture
            number = PurePosixPath(picture.path).stem
            landmarks = landmarks_of(picture, "AffectNet").ravel()
            labels = (
                ("exp", str(NO_CATEGORY)),
                ("val", repr(float(picture.valence))),
                ("aro", repr(float(picture.arousal))),
            )
            for kind, value in (*labels, ("lnd", landmarks)):
                yield folder / f"{number}_{kind}.npy", _npy(value)


def _npy(value: Any) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, np.asarray(value))
    return buffer.getvalue()


@dataclass(frozen=True, slots=True)
class AffectNetListsLayout:
    """The release of 2017: pictures in numbered folders and `training.csv`, whose rows join those of the database."""

    @property
    def name(self) -> str:
        """See `ExportLayout`."""
        return "affectnet-lists"

    @property
    def scale(self) -> LabelScale:
        """See `ExportLayout`."""
        return AFFECT_SCALE

    def outputs(self, place: int, record: FaceRecord, count: int) -> tuple[PurePosixPath, ...]:
        """See `ExportLayout`."""
        kind = LISTS["manual"][0]
        folder = PurePosixPath(kind) / f"{kind}_Images" / str(FIRST_FOLDER + place)
        return tuple(folder / f"{number:05d}.jpg" for number in range(count))

    def label_files(self, outputs: Iterable[NewFace]) -> Iterator[tuple[PurePosixPath, bytes]]:
        """See `ExportLayout`."""
        kind, files = LISTS["manual"]
        text = io.StringIO()
        table = csv.writer(text, lineterminator="\n")
        table.writerow(COLUMNS)
        for face in outputs:
            picture, path = face.picture, PurePosixPath(face.picture.path)
            left, top, right, bottom = (round(edge) for edge in box_of(face, "AffectNet"))
            points = ";".join(f"{value:.2f}" for value in landmarks_of(picture, "AffectNet").ravel().tolist())
            box = (left, top, max(right - left, 1), max(bottom - top, 1))
            labels = (NO_CATEGORY, float(picture.valence), float(picture.arousal))
            table.writerow([f"{path.parent.name}/{path.name}", *box, points, *labels])
        yield PurePosixPath(f"{kind}_file_lists") / files[0][0], text.getvalue().encode()
