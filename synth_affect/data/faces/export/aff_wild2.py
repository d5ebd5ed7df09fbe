"""New sequences of Aff-Wild2: `cropped_aligned/<video>/00001.jpg` and a line `valence,arousal` a frame.

The pictures are as they were made: crops where the sources are crops.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

from synth_affect.data.faces.aff_wild2 import CROPS, NONE, TASKS
from synth_affect.data.faces.database import AFFECT_SCALE, LabelScale
from synth_affect.data.faces.export.layout import NewFace, NewPicture, by_folder
from synth_affect.data.faces.record import FaceRecord

FIRST_VIDEO = 10_000
"""Names of the database that are numbers are below."""


@dataclass(frozen=True, slots=True)
class AffWild2Layout:
    """A face is a video of all its pictures. The labels lie as in the newer tree."""

    @property
    def name(self) -> str:
        """See `ExportLayout`."""
        return "aff-wild2"

    @property
    def scale(self) -> LabelScale:
        """See `ExportLayout`."""
        return AFFECT_SCALE

    def outputs(self, place: int, record: FaceRecord, count: int) -> tuple[PurePosixPath, ...]:
        """See `ExportLayout`."""
        folder = PurePosixPath(CROPS) / str(FIRST_VIDEO + place)
        return tuple(folder / f"{number + 1:05d}.jpg" for number in range(count))

    def label_files(self, outputs: Iterable[NewFace]) -> Iterator[tuple[PurePosixPath, bytes]]:
        """See `ExportLayout`. Of a picture that is not there, the label is the mark for none."""
        for folder, faces in by_folder(outputs):
            labels = {int(PurePosixPath(face.picture.path).stem): face.picture for face in faces}
            lines = ["valence,arousal"]
            for number in range(1, max(labels) + 1):
                lines.append(_line(labels.get(number)))
            path = PurePosixPath(TASKS["va"][1]) / "Train_Set" / f"{folder.name}.txt"
            yield path, ("\n".join(lines) + "\n").encode()


def _line(picture: NewPicture | None) -> str:
    return f"{NONE:g},{NONE:g}" if picture is None else f"{float(picture.valence)!r},{float(picture.arousal)!r}"
