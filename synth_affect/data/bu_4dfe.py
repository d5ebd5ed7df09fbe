"""BU-4DFE (Binghamton): 101 people, six expressions, 25 scans a second.

`F001/Angry/000.wrl` with the texture `000.jpg` beside it, counted from 0; points in a folder of their own,
`BU4DFE_BND_V1.1/F001/Angry/000.bnd`. A recording runs from neutral over the apex to neutral.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from synth_affect.affect import Emotion
from synth_affect.data.scan_folders import folder_entries, numbered, person_folders, refuse_empty
from synth_affect.data.scan_records import ScanRecord, ScanSequence
from synth_affect.errors import InputError

OBTAIN = "BU-4DFE is given by Binghamton University on an agreement that a member of a faculty signs"
EXPRESSIONS = {
    "angry": Emotion.ANGER,
    "disgust": Emotion.DISGUST,
    "fear": Emotion.FEAR,
    "happy": Emotion.HAPPINESS,
    "sad": Emotion.SADNESS,
    "surprise": Emotion.SURPRISE,
}
NUMBER = r"(\d{1,9})"
_POINTS = r"BU4DFE_BND.*"


def read_bu_4dfe(root: Path, *, landmarks: Path | None = None) -> Iterator[ScanSequence]:
    """A recording for each person and expression; its first scan is the neutral one.

    landmarks : the folder with the points of all people; where None, one named BU4DFE_BND... in `root`, beside it, or
        beside the people.
    Raises InputError when `root` is not laid out so.
    """
    people = person_folders(
        root, r"[FM]\d{3}", database="BU-4DFE", example="F001", obtain=OBTAIN, ignore=rf"{_POINTS}|BU_WrlViewer.*"
    )
    if landmarks is not None and not landmarks.is_dir():
        raise InputError(landmarks, "no such folder of landmarks")
    points = {folder.name.upper(): folder for folder in _people_with_points(root, people[0].parent, landmarks)}
    recordings = (r for person in people for r in _recordings(person, points.get(person.name.upper())))
    return refuse_empty(recordings, root, "no scan such as F001/Angry/000.wrl below the folders of the people")


def _people_with_points(root: Path, beside: Path, landmarks: Path | None) -> list[Path]:
    if landmarks is None:
        places = dict.fromkeys([beside, beside.parent, root, root.parent])
        named = [entry for place in places for entry in _points_folders(place)]
        if not named:
            return []
        landmarks = named[0]
    return person_folders(landmarks, r"[FM]\d{3}", database="points of BU-4DFE", example="F001", obtain=OBTAIN)


def _points_folders(place: Path) -> list[Path]:
    return [entry for entry in folder_entries(place) if entry.name.upper().startswith("BU4DFE_BND") and entry.is_dir()]


def _recordings(person: Path, points: Path | None) -> Iterator[ScanSequence]:
    points_of = {} if points is None else {entry.name.lower(): entry for entry in folder_entries(points)}
    for folder in folder_entries(person):
        emotion = EXPRESSIONS.get(folder.name.lower())
        if emotion is None or not folder.is_dir():
            continue
        files = folder_entries(folder)
        meshes, textures = numbered(files, NUMBER, ".wrl"), numbered(files, NUMBER, ".jpg", ".jpeg", ".png", ".bmp")
        marks_folder = points_of.get(folder.name.lower())
        marks = {} if marks_folder is None else numbered(folder_entries(marks_folder), NUMBER, ".bnd")
        if not meshes:
            continue
        first = min(meshes)
        yield ScanSequence(
            subject=person.name.upper(),
            session="1",
            sequence=emotion.value,
            posed=True,
            category=emotion,
            unit=None,
            topology=None,
            scans=tuple(
                ScanRecord(number, mesh, textures.get(number), marks.get(number), neutral=number == first)
                for number, mesh in meshes.items()
            ),
            unpaired=tuple(
                path for others in (textures, marks) for number, path in others.items() if number not in meshes
            ),
        )
