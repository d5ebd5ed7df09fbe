"""A plain layout: `pictures/<key of the source>/00000.jpg` and `labels.csv`, which the reader `csv` reads."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

from synth_affect.data.faces.database import AFFECT_SCALE, LabelScale
from synth_affect.data.faces.export.layout import NewFace
from synth_affect.data.faces.record import FaceRecord

LABELS = PurePosixPath("labels.csv")


@dataclass(frozen=True, slots=True)
class PlainLayout:
    """suffix : of the pictures, with its dot."""

    suffix: str = ".jpg"

    @property
    def name(self) -> str:
        """See `ExportLayout`."""
        return "plain"

    @property
    def scale(self) -> LabelScale:
        """See `ExportLayout`."""
        return AFFECT_SCALE

    def outputs(self, place: int, record: FaceRecord, count: int) -> tuple[PurePosixPath, ...]:
        """See `ExportLayout`."""
        folder = PurePosixPath("pictures") / record.key
        return tuple(folder / f"{number:05d}{self.suffix}" for number in range(count))

    def label_files(self, outputs: Iterable[NewFace]) -> Iterator[tuple[PurePosixPath, bytes]]:
        """See `ExportLayout`."""
        text = io.StringIO()
        table = csv.writer(text, lineterminator="\n")
        table.writerow(["path", "valence", "arousal", "subject", "sequence", "split"])
        for face in outputs:
            record, picture = face.record, face.picture
            names = [record.subject or "", record.sequence or "", "train"]
            table.writerow([picture.path, float(picture.valence), float(picture.arousal), *names])
        yield LABELS, text.getvalue().encode()
