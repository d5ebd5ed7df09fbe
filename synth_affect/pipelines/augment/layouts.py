"""Where the pictures of a run lie, and the label files beside them: the source's own layout, or a plain one."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Protocol

from synth_affect.data.faces.database import FaceDatabase
from synth_affect.data.faces.record import FaceRecord
from synth_affect.pipelines.augment.journal import DonePicture


@dataclass(frozen=True, slots=True, eq=False)
class LabelledOutput:
    """A picture that is done, and the record that it comes from."""

    record: FaceRecord
    picture: DonePicture


class AugmentLayout(Protocol):
    """How pictures and labels are named below the output folder."""

    @property
    def name(self) -> str:
        """As it is asked for."""
        ...

    def outputs(self, place: int, record: FaceRecord, count: int) -> tuple[PurePosixPath, ...]:
        """Paths for `count` pictures of a face; of no other face, and the same however the run goes.

        place : of the face among the candidates.
        """
        ...

    def label_files(self, outputs: Iterable[LabelledOutput]) -> Iterator[tuple[PurePosixPath, bytes]]:
        """The files that hold the labels. outputs : all of the run, by face and target."""
        ...


@dataclass(frozen=True, slots=True)
class PlainLayout:
    """`pictures/<key>/<number>.<suffix>` and `labels.csv`, which `--database csv` reads. suffix : with its dot."""

    suffix: str = ".jpg"

    @property
    def name(self) -> str:
        """See `AugmentLayout`."""
        return "plain"

    def outputs(self, place: int, record: FaceRecord, count: int) -> tuple[PurePosixPath, ...]:
        """See `AugmentLayout`."""
        folder = PurePosixPath("pictures") / record.key
        return tuple(folder / f"{number:05d}{self.suffix}" for number in range(count))

    def label_files(self, outputs: Iterable[LabelledOutput]) -> Iterator[tuple[PurePosixPath, bytes]]:
        """See `AugmentLayout`."""
        text = io.StringIO()
        table = csv.writer(text, lineterminator="\n")
        table.writerow(["path", "valence", "arousal", "subject"])
        for output in outputs:
            picture = output.picture
            table.writerow([picture.path, picture.valence, picture.arousal, output.record.subject or ""])
        yield PurePosixPath("labels.csv"), text.getvalue().encode()


def open_layout(name: str, database: FaceDatabase) -> AugmentLayout:
    """The layout `name`; "source" is that of `database`. Raises InputError for one that is not known."""
    return PlainLayout()
