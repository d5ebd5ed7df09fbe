"""Faces cut out by the landmarks that MediaPipe finds, as judges see them, in place of the data's own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from synth_affect.arrays import FloatArray, ImageArray
from synth_affect.data.faces.record import FaceRecord
from synth_affect.errors import InputError
from synth_affect.pipelines.embed_landmarks import IBUG_68
from synth_affect.pipelines.judges.face_view import FaceViewer
from synth_affect.pipelines.training.face_crops import Cropping


@contextmanager
def detecting(cropping: Cropping) -> Iterator[Cropping]:
    """`cropping` of records with landmarks that are found, near where their own say that the face is."""
    with FaceViewer() as viewer:

        def cut(pixels: ImageArray, record: FaceRecord, size: int) -> tuple[npt.NDArray[np.uint8], FloatArray]:
            face = viewer.view(pixels, _place(record))
            if face is None:
                raise InputError(record.key, "MediaPipe finds no face where it should be")
            return cropping.cut(pixels, replace(record, landmarks=face.points[list(IBUG_68)]), size)

        yield Cropping(f"{cropping.name}, detected", cut)


def _place(record: FaceRecord) -> tuple[float, float] | None:
    """The middle of the face, px; None where the record does not say."""
    if record.landmarks is not None:
        x, y = record.landmarks.mean(axis=0)
        return float(x), float(y)
    if record.box is not None:
        left, top, right, bottom = record.box
        return (left + right) / 2, (top + bottom) / 2
    return None
