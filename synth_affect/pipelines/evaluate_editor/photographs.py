"""The photographs that an editor is given, and the face of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from synth_affect.affect import Emotion, ValenceArousal
from synth_affect.arrays import FloatArray
from synth_affect.data.pictures import read_picture
from synth_affect.data.provenance import sha256_file
from synth_affect.errors import InputError, SynthAffectError
from synth_affect.pipelines.evaluate_editor.targets import key
from synth_affect.pipelines.fit_pictures import PICTURE_SUFFIXES
from synth_affect.pipelines.judges.face_view import FaceViewer
from synth_affect.pipelines.render_faces import DATASET, read_labels
from synth_affect.pipelines.training.people_choice import chosen_people

PICTURES = "pictures"


@dataclass(frozen=True, slots=True, eq=False)
class Face:
    """One photograph. name : unique.  folder : of its outputs.  points : (478, 2) px, of its largest face."""

    name: str
    path: Path
    sha256: str
    folder: Path
    points: FloatArray

    def output(self, target: ValenceArousal) -> Path:
        """The picture of a target."""
        return self.folder / f"{key(target)}.png"


@dataclass(frozen=True, slots=True)
class Refusal:
    """A photograph that was left out. reason : in one clause."""

    path: Path
    reason: str


def list_pictures(images: Path, people: str = "") -> list[Path]:
    """The pictures of a folder in the order of their names, or the one that `images` is; of rendered faces, the neutral
    picture of each person, or of those in `people` (see `PeopleChoice`). Raises InputError for none.
    """
    if (images / DATASET).is_file():
        rows = [row for row in read_labels(images) if row["category"] == Emotion.NEUTRAL]
        chosen = chosen_people([row["subject"] for row in rows], people, "--people") if people else None
        first = {row["subject"]: images / row["picture"] for row in reversed(rows)}
        return sorted(path for subject, path in first.items() if chosen is None or subject in chosen)
    if people:
        raise InputError("--people", f"{images} is no folder of rendered faces, whose people have names")
    if images.is_file():
        return [images]
    if not images.is_dir():
        raise InputError(images, "no such folder or picture")
    found = sorted(path for path in images.iterdir() if path.suffix.lower() in PICTURE_SUFFIXES and path.is_file())
    if not found:
        raise InputError(images, "holds no pictures")
    return found


def find_faces(paths: Sequence[Path], out: Path, viewer: FaceViewer) -> tuple[list[Face], list[Refusal]]:
    """The largest face of each photograph, and the photographs that show none. out : of the evaluation."""
    faces: dict[str, Face] = {}
    refusals = []
    for path in paths:
        try:
            digest = sha256_file(path)
            view = viewer.view(read_picture(path).pixels)
        except SynthAffectError as error:
            refusals.append(Refusal(path, reason_of(error)))
            continue
        name = f"{path.stem}-{digest[:8]}"
        if view is None:
            refusals.append(Refusal(path, "no face found"))
        elif name in faces:
            refusals.append(Refusal(path, f"the same picture as {faces[name].path.name}"))
        else:
            faces[name] = Face(name, path, digest, out / PICTURES / name, view.points)
    return list(faces.values()), refusals


def reason_of(error: SynthAffectError) -> str:
    """Why a photograph is left out, in one clause."""
    return error.reason if isinstance(error, InputError) else str(error)
