"""New sequences of Aff-Wild, as pictures, with a label a line, and a box and 68 points a frame.

`frames/train/<id>/00001.jpg` stands for a video that was unpacked: the paper added stills, and training code works on
pictures. `annotations`, `bboxes` and `landmarks` are as in the database.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

import numpy as np

from synth_affect.arrays import FloatArray
from synth_affect.data.faces.database import AFFECT_SCALE, LabelScale
from synth_affect.data.faces.export.layout import NewFace, box_of, by_folder, landmarks_of
from synth_affect.data.faces.record import FaceRecord
from synth_affect.errors import InputError

FIRST_ID = 1000
"""Those of the database are below 450."""
_PICTURE_TO_PTS = 0.5
"""The centre of the first pixel is (1, 1) in such files, see `landmark_file`."""


@dataclass(frozen=True, slots=True)
class AffWildLayout:
    """A face is a sequence of all its pictures."""

    @property
    def name(self) -> str:
        """See `ExportLayout`."""
        return "aff-wild"

    @property
    def scale(self) -> LabelScale:
        """See `ExportLayout`."""
        return AFFECT_SCALE

    def outputs(self, place: int, record: FaceRecord, count: int) -> tuple[PurePosixPath, ...]:
        """See `ExportLayout`."""
        folder = PurePosixPath("frames/train") / str(FIRST_ID + place)
        return tuple(folder / f"{number + 1:05d}.jpg" for number in range(count))

    def label_files(self, outputs: Iterable[NewFace]) -> Iterator[tuple[PurePosixPath, bytes]]:
        """See `ExportLayout`. The format has no mark for "no label", so all pictures of a face must be there."""
        for folder, faces in by_folder(outputs):
            numbers = [int(PurePosixPath(face.picture.path).stem) for face in faces]
            if numbers != list(range(1, len(numbers) + 1)):
                raise InputError(str(folder), "lacks a picture, for which Aff-Wild's label files have no mark")
            for kind in ("valence", "arousal"):
                lines = "".join(f"{float(getattr(face.picture, kind))!r}\n" for face in faces)
                yield PurePosixPath("annotations/train") / kind / f"{folder.name}.txt", lines.encode()
            for number, face in zip(numbers, faces, strict=True):
                left, top, right, bottom = box_of(face, "Aff-Wild")
                corners = np.array([[left, top], [left, bottom], [right, bottom], [right, top]])
                landmarks = landmarks_of(face.picture, "Aff-Wild")
                for kind, points in (("bboxes", corners), ("landmarks", landmarks)):
                    yield PurePosixPath(kind) / "train" / folder.name / f"{number}.pts", _pts(points)


def _pts(points: FloatArray) -> bytes:
    lines = "".join(f"{x:.3f} {y:.3f}\n" for x, y in (points + _PICTURE_TO_PTS).tolist())
    return f"version: 1\nn_points: {len(points)}\n{{\n{lines}}}\n".encode()
