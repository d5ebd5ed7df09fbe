"""New clips of AFEW-VA: `<clip>/00000.png` with `<clip>/<clip>.json`, labels whole numbers in [-10, 10]."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Literal

import numpy as np

from synth_affect.data.faces.afew_va import SCALE
from synth_affect.data.faces.database import LabelScale
from synth_affect.data.faces.export.layout import NewFace, by_folder, landmarks_of, numbers_of
from synth_affect.data.faces.record import FaceRecord

FIRST_CLIP = 1000
"""The database has 1 to 600."""
Clips = Literal["picture", "face"]


@dataclass(frozen=True, slots=True)
class AfewVaLayout:
    """clips : "picture" makes a clip of one frame of each; "face" a clip of all pictures of a face, which suits
    pictures that follow each other.  The actor is that of the source.
    """

    clips: Clips = "picture"

    @property
    def name(self) -> str:
        """See `ExportLayout`."""
        return "afew-va"

    @property
    def scale(self) -> LabelScale:
        """See `ExportLayout`."""
        return SCALE

    def outputs(self, place: int, record: FaceRecord, count: int) -> tuple[PurePosixPath, ...]:
        """See `ExportLayout`."""
        if self.clips == "face":
            return tuple(PurePosixPath(f"{FIRST_CLIP + place}/{number:05d}.png") for number in range(count))
        return tuple(PurePosixPath(f"{number}/00000.png") for number in numbers_of(FIRST_CLIP + place, count))

    def label_files(self, outputs: Iterable[NewFace]) -> Iterator[tuple[PurePosixPath, bytes]]:
        """See `ExportLayout`."""
        for folder, faces in by_folder(outputs):
            frames = {
                PurePosixPath(face.picture.path).stem: {
                    "landmarks": np.round(landmarks_of(face.picture, "AFEW-VA"), 3).tolist(),
                    "valence": int(SCALE.from_affect(face.picture.valence)),
                    "arousal": int(SCALE.from_affect(face.picture.arousal)),
                }
                for face in faces
            }
            clip = {"video_id": folder.name, "actor": faces[0].record.subject or "", "frames": frames}
            yield folder / f"{folder.name}.json", json.dumps(clip, ensure_ascii=False).encode()
