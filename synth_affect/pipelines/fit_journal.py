"""What a batch has done so far, one line a picture, so that a run that was stopped goes on from there."""

from __future__ import annotations

import dataclasses
import json
import math
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from synth_affect.errors import InputError
from synth_affect.fitting.fit_json import fit_from_json, fit_to_json
from synth_affect.fitting.quality import MEASURES, FitQuality
from synth_affect.pipelines.fit_faces import FittedFace, PictureFaces

FORMAT = "synth-affect journal of fits"
VERSION = 1


@dataclass(frozen=True, slots=True)
class DoneKey:
    """source : path.  stamp : of its file, which changes with it.  frame : of a video, -1 of a picture."""

    source: str
    stamp: str
    frame: int


class FitJournal:
    """The journal beside the table `out`. A context manager.

    settings : what the answers depend on; JSON values.
    Raises InputError when there is one of other settings, or something else of its name.
    """

    def __init__(self, out: Path, settings: Mapping[str, Any]) -> None:
        self.path = out.with_name(out.name + ".journal.jsonl")
        self._header = json.dumps({"format": FORMAT, "version": VERSION, **settings}).encode() + b"\n"
        self.done = self._read()
        try:
            self._file = self.path.open("ab")
            if not self._file.tell():
                self._file.write(self._header)
        except OSError as error:
            raise InputError(self.path, f"cannot be written ({error.strerror or error})") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._file.close()

    def append(self, key: DoneKey, faces: PictureFaces) -> None:
        """Write down what became of a picture."""
        line = {**dataclasses.asdict(key), "time_s": faces.time_s, "reason": faces.reason}
        line["faces"] = [_face_to_json(face) for face in faces.faces]
        try:
            self._file.write(json.dumps(line).encode() + b"\n")
            self._file.flush()
        except OSError as error:
            raise InputError(self.path, f"cannot be written ({error.strerror or error})") from error

    def remove(self) -> None:
        """When the table is written."""
        self._file.close()
        self.path.unlink(missing_ok=True)

    def _read(self) -> dict[DoneKey, PictureFaces]:
        try:
            content = self.path.read_bytes()
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise InputError(self.path, f"cannot be read ({error.strerror or error})") from error
        if content and not content.startswith(self._header):
            raise InputError(self.path, "is of a run with other settings; repeat those, or move it away")
        lines = content.split(b"\n")[:-1]  # a line that was cut short counts for nothing
        whole = sum(len(line) + 1 for line in lines)
        if len(content) > whole:
            os.truncate(self.path, whole)
        done = {}
        for number, line in enumerate(lines[1:], start=2):
            try:
                fields = json.loads(line)
                key = DoneKey(fields["source"], fields["stamp"], fields["frame"])
                faces = tuple(_face_from_json(face, self.path) for face in fields["faces"])
                done[key] = PictureFaces((0, 0), faces, fields["reason"], fields["time_s"])
            except (ValueError, TypeError, KeyError, AttributeError) as error:
                raise InputError(self.path, f"line {number} is damaged ({error}); move the file away") from None
        return done


def _face_to_json(face: FittedFace) -> dict[str, Any]:
    measured = {name: getattr(face.quality, name) for name in MEASURES}
    quality = {name: value if math.isfinite(value) else None for name, value in measured.items()}
    return {"fit": json.loads(fit_to_json(face.fit)), "readings": face.readings, "quality": quality}


def _face_from_json(fields: dict[str, Any], path: Path) -> FittedFace:
    quality = {name: math.nan if value is None else float(value) for name, value in fields["quality"].items()}
    return FittedFace(fields["readings"], fit_from_json(json.dumps(fields["fit"]), path), FitQuality(**quality))
