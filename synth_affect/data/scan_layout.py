"""Recordings found by a template of paths, for databases of which the tree is not public or was made by the user.

A template is a path below the root with fields in braces: `{subject}/{session}/{sequence}/{frame:05d}.obj`. A field
stands for one or more characters other than `/`; a field that occurs twice is the same both times. `{frame}` takes
digits, padded or not: what follows a colon says only how such a name is written.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from types import MappingProxyType

from synth_affect.affect import Emotion
from synth_affect.data.scan_folders import files_below, folder_entries, refuse_empty
from synth_affect.data.scan_records import LengthUnit, ScanRecord, ScanSequence
from synth_affect.errors import InputError

FIELDS = ("subject", "session", "sequence", "frame")
NO_SESSION, NO_SEQUENCE = "1", "scans"
"""What a recording is called where the template has no such field."""
RecordingKey = tuple[str, str, str]
"""Subject, session, sequence."""

_FIELD = re.compile(r"\{([^{}:]*)(?::[^{}]*)?\}")


@dataclass(frozen=True, slots=True)
class ScanLayout:
    """Templates of the paths of a database.

    meshes : needs {subject}; without {sequence} all scans of a session are one recording, without {frame} each scan
        is a recording of its own.
    textures, landmarks : with the fields of `meshes` and no others; "" where there are none.
    option : how messages call the template of the meshes.
    """

    meshes: str
    textures: str = ""
    landmarks: str = ""
    option: str = "--layout"

    def __post_init__(self) -> None:
        fields = _fields(self.meshes, self.option)
        if "subject" not in fields:
            raise InputError(self.option, f"{self.meshes!r} has no {{subject}}")
        for template in (self.textures, self.landmarks):
            others = _fields(template, self.option) - fields
            if others:
                raise InputError(self.option, f"{template!r} has {{{min(others)}}}, which {self.meshes!r} has not")


def read_layout(
    root: Path,
    layout: ScanLayout,
    *,
    unit: LengthUnit | None = None,
    topology: str | None = None,
    categories: Mapping[str, Emotion] = MappingProxyType({}),
    neutral_sequence: str = "",
) -> Iterator[ScanSequence]:
    """The recordings below `root`, sorted by name, with their scans by number.

    unit, topology : of all scans, where known.
    categories : by a word in the name of the sequence, in lower case. A recording with one counts as posed, any other
        as spontaneous.
    neutral_sequence : name of the sequence that shows a person's neutral face; its first scan then is frame 0 of that
        person's other sequences, whose numbers grow by 1. Without it, the first scan of each is the neutral one.
    Raises InputError, at the latest at the end, when nothing below `root` fits, or two files of a recording have one
    number.
    """
    recordings = _recordings(root, layout, unit, topology, categories, neutral_sequence)
    return refuse_empty(recordings, root, f"no file like {layout.meshes} below it; {layout.option} says how they lie")


def _recordings(
    root: Path,
    layout: ScanLayout,
    unit: LengthUnit | None,
    topology: str | None,
    categories: Mapping[str, Emotion],
    neutral_sequence: str,
) -> Iterator[ScanSequence]:
    pattern = _pattern(layout.meshes)
    # Where people have folders of their own, one person at a time: there are databases of a million files.
    apart = layout.meshes.split("/")[0] == "{subject}"
    for part in folder_entries(root) if apart else [root]:
        recordings: dict[RecordingKey, list[ScanRecord]] = {}
        for path in files_below(part) if part.is_dir() else []:
            found = pattern.fullmatch(path.relative_to(root).as_posix())
            if found is not None:
                values = found.groupdict()
                key = (values["subject"], values.get("session", NO_SESSION), values.get("sequence", NO_SEQUENCE))
                scans = recordings.setdefault(key, [])
                scans.append(_scan(root, layout, path, values))
        for key, scans in sorted(recordings.items()):
            words = re.split(r"[^a-z]+", key[2].lower())
            category = next((categories[word] for word in words if word in categories), None)
            shown = _with_neutral(key, _by_number(scans), recordings, neutral_sequence)
            yield ScanSequence(*key, category is not None, category, unit, topology, shown)


def _scan(root: Path, layout: ScanLayout, path: Path, values: dict[str, str]) -> ScanRecord:
    frame = int(values.get("frame", 0))
    return ScanRecord(frame, path, _beside(root, layout.textures, values), _beside(root, layout.landmarks, values))


def _by_number(scans: list[ScanRecord]) -> list[ScanRecord]:
    ordered = sorted(scans, key=lambda scan: scan.frame)
    for before, after in pairwise(ordered):
        if before.frame == after.frame:
            raise InputError(after.mesh, f"has the number of {before.mesh.name}, {after.frame}")
    return ordered


def _with_neutral(
    key: RecordingKey, scans: list[ScanRecord], recordings: dict[RecordingKey, list[ScanRecord]], neutral_sequence: str
) -> tuple[ScanRecord, ...]:
    if not neutral_sequence or key[2].lower() == neutral_sequence.lower():
        return (replace(scans[0], neutral=True), *scans[1:])
    # Of the same session where it has one, else of any.
    found = [
        (other[1] != key[1], other)
        for other in recordings
        if other[0] == key[0] and other[2].lower() == neutral_sequence.lower()
    ]
    if not found:
        return tuple(scans)
    neutral = _by_number(recordings[min(found)[1]])[0]
    return (replace(neutral, frame=0, neutral=True), *(replace(scan, frame=scan.frame + 1) for scan in scans))


def _beside(root: Path, template: str, values: dict[str, str]) -> Path | None:
    """The file of `template` for these fields, where there is one; digits as they stand in the mesh's name."""
    if not template:
        return None
    path = root / _FIELD.sub(lambda field: values[field[1]], template)
    return path if path.is_file() else None


def _fields(template: str, option: str) -> set[str]:
    names = _FIELD.findall(template)
    for name in names:
        if name not in FIELDS:
            raise InputError(option, f"{{{name}}} in {template!r} is none of {', '.join(f'{{{f}}}' for f in FIELDS)}")
    if "{" in _FIELD.sub("", template) or "}" in _FIELD.sub("", template):
        raise InputError(option, f"{template!r} has a brace without its other half")
    return set(names)


def _pattern(template: str) -> re.Pattern[str]:
    parts: list[str] = []
    seen: set[str] = set()
    place = 0
    for field in _FIELD.finditer(template):
        parts.append(re.escape(template[place : field.start()]))
        name = field[1]
        if name in seen:
            parts.append(f"(?P={name})")
        else:
            parts.append(rf"(?P<{name}>\d{{1,9}})" if name == "frame" else f"(?P<{name}>[^/]+)")
        seen.add(name)
        place = field.end()
    parts.append(re.escape(template[place:]))
    return re.compile("".join(parts))
