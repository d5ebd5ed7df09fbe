"""A folder of registered scans: what `synth-affect register` writes and the gallery is built from.

Layout, below the folder:
- `register.json`: format, the template's name and topology, and the settings of the run, which a resumed run
  must share.
- `template.npz`: the template itself (vertices, triangles, the 68 landmarks on it).
- `report.jsonl`: one JSON object a mesh, accepted or not. While a run goes on, lines are appended as meshes are done;
  at its end they are sorted. A torn last line, from a run that was killed, counts for nothing.
- `frames/<subject>/<session>/<sequence>/<frame, 6 digits>.npz`: an accepted mesh: `vertices` (n_vertices, 3) float32,
  mm, in the template's head frame, without the motion of the head; `rotation` (3, 3) and `translation` (3,) float64,
  which bring it back to where the scan was: scan = vertices @ rotation.T + translation; `landmarks` (68, 3) float32,
  those found on the scan, in the frame of the vertices, NaN where there are none.

A mesh that was rejected has a line in the report and no file below `frames`. Every file but the report appears whole
or not at all, and its bytes depend on the scan and the settings alone.
"""

from __future__ import annotations

import contextlib
import dataclasses
import io
import json
import os
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from synth_affect.arrays import FloatArray, IntArray, readonly
from synth_affect.blendshape.template import Template
from synth_affect.data.atomic import atomic_write
from synth_affect.errors import InputError
from synth_affect.heads.archive import topology_id
from synth_affect.heads.mesh import Mesh
from synth_affect.heads.model import LandmarkEmbedding

FORMAT = "synth-affect/registered/1"
MANIFEST, TEMPLATE, REPORT, FRAMES = "register.json", "template.npz", "report.jsonl", "frames"


@dataclass(frozen=True, slots=True, order=True)
class FrameKey:
    """Which frame of which recording of whom. The three names are parts of a path; frame : its number, from 0."""

    subject: str
    session: str
    sequence: str
    frame: int

    def __post_init__(self) -> None:
        for level in ("subject", "session", "sequence"):
            name = getattr(self, level)
            if not name or name in (".", "..") or any(c in "/\\" or ord(c) < 32 for c in name):
                raise InputError(f"{level} {name!r}", "is not a name")
        if not 0 <= self.frame < 2**31:
            raise InputError(f"frame {self.frame}", "is not the number of a frame")


@dataclass(frozen=True, slots=True, eq=False)
class RegisteredFrame:
    """One accepted mesh in the template's topology.

    vertices : (n_vertices, 3) float32, mm, the template's head frame, without the motion of the head.
    rotation : (3, 3) float64, translation : (3,) float64, mm; scan = vertices @ rotation.T + translation.
    landmarks : (68, 3) float32, mm, beside the vertices: as they were found on the scan; NaN where they were not.
    """

    vertices: FloatArray
    rotation: FloatArray
    translation: FloatArray
    landmarks: FloatArray = field(default_factory=lambda: np.full((68, 3), np.nan))

    def __post_init__(self) -> None:
        object.__setattr__(self, "vertices", readonly(self.vertices, "vertices", ("n_vertices", 3), np.float32))
        object.__setattr__(self, "rotation", readonly(self.rotation, "rotation", (3, 3), np.float64))
        object.__setattr__(self, "translation", readonly(self.translation, "translation", (3,), np.float64))
        marks = readonly(self.landmarks, "landmarks", (68, 3), np.float32, finite=False)
        object.__setattr__(self, "landmarks", marks)


@dataclass(frozen=True, slots=True)
class ReportLine:
    """What became of one mesh.

    source : the mesh's file, as it was named.
    reason : why it was rejected; empty where it was accepted.
    unit : of its coordinates, as found ("mm", "cm", "m"); empty where it could not be told.
    measures : named figures of quality (surface distances in mm, coverage, fold-overs); empty where none was taken.
    seconds : of one worker; the only figure that changes from run to run.
    """

    key: FrameKey
    source: str
    reason: str
    unit: str
    measures: dict[str, float]
    seconds: float

    @property
    def accepted(self) -> bool:
        """Whether there is a file with the registered mesh."""
        return not self.reason


@dataclass(frozen=True, slots=True, eq=False)
class SequenceFrames:
    """The accepted frames of one recording, increasing. frame : (n_frames,) int32."""

    subject: str
    session: str
    sequence: str
    frame: IntArray


@dataclass(frozen=True, slots=True, eq=False)
class RegisteredScans:
    """What a folder holds. sequences : sorted by name, none empty; their vertices are read one by one, on demand.

    rejected : the meshes that must not be used, with the reason; sorted by their keys.
    """

    folder: Path
    template: Template
    sequences: tuple[SequenceFrames, ...]
    rejected: tuple[ReportLine, ...]


def read_registered(folder: Path) -> RegisteredScans:
    """What `folder` holds. Raises InputError when it is no such folder, or its parts do not belong together."""
    manifest = read_manifest(folder)
    if manifest is None:
        raise InputError(folder, f"not a folder of registered scans: it has no {MANIFEST}")
    template = _read_template(folder / TEMPLATE)
    if template.topology != manifest.get("topology"):
        raise InputError(folder / TEMPLATE, f"is not the template that {MANIFEST} names")
    lines = sorted(read_report(folder).values(), key=lambda line: line.key)
    frames: dict[tuple[str, str, str], list[int]] = {}
    for line in lines:
        if line.accepted:
            frames.setdefault((line.key.subject, line.key.session, line.key.sequence), []).append(line.key.frame)
    sequences = tuple(SequenceFrames(*names, np.array(numbers, dtype=np.int32)) for names, numbers in frames.items())
    return RegisteredScans(folder, template, sequences, tuple(line for line in lines if not line.accepted))


def sequence_vertices(scans: RegisteredScans, sequence: SequenceFrames) -> FloatArray:
    """(n_frames, n_vertices, 3) float32, mm, head frame of the template.

    Raises InputError when a file is absent, damaged, or of another topology.
    """
    n_vertices = len(scans.template.mesh.vertices)
    vertices = np.empty((len(sequence.frame), n_vertices, 3), dtype=np.float32)
    for row, number in enumerate(sequence.frame):
        key = FrameKey(sequence.subject, sequence.session, sequence.sequence, int(number))
        path = frame_path(scans.folder, key)
        read = read_frame(path)
        if len(read.vertices) != n_vertices:
            raise InputError(path, f"has {len(read.vertices)} vertices, the template {n_vertices}")
        vertices[row] = read.vertices
    return vertices


def frame_path(folder: Path, key: FrameKey) -> Path:
    """Where the mesh of `key` lies, accepted or not."""
    return folder / FRAMES / key.subject / key.session / key.sequence / f"{key.frame:06d}.npz"


def read_frame(path: Path) -> RegisteredFrame:
    """One registered mesh. Raises InputError when the file is absent or damaged."""
    with _opened(path, "registered mesh") as arrays:
        return RegisteredFrame(arrays["vertices"], arrays["rotation"], arrays["translation"], arrays["landmarks"])


def write_frame(path: Path, frame: RegisteredFrame) -> None:
    """Write one registered mesh; the folder is made. Raises InputError when it cannot be written."""
    _make_folder(path.parent)
    arrays = {name: getattr(frame, name) for name in RegisteredFrame.__slots__}
    _write_npz(path, **arrays)


def start_folder(folder: Path, template: Template, settings: dict[str, Any]) -> None:
    """Make `folder` ready for a run, new or resumed.

    settings : JSON values that say how meshes are registered; a folder keeps to those of its first run.
    Raises InputError when the folder belongs to other settings or another template, or holds something else.
    """
    manifest = {"format": FORMAT, "template": template.name, "topology": template.topology, "settings": settings}
    manifest = json.loads(json.dumps(manifest))  # as it will be read: tuples are lists
    _make_folder(folder)
    found = read_manifest(folder)
    if found is not None:
        if found != manifest:
            raise InputError(folder, f"was begun with {_difference(found, manifest)}; choose another folder")
        return
    if any(not entry.name.startswith(".") for entry in folder.iterdir()):
        raise InputError(folder, "is neither empty nor a folder of registered scans")
    corners = template.landmarks_68
    _write_npz(
        folder / TEMPLATE,
        name=np.frombuffer(template.name.encode(), dtype=np.uint8),
        vertices=template.mesh.vertices,
        triangles=template.mesh.triangles,
        landmark_triangles=corners.triangles,
        landmark_barycentric=corners.barycentric,
    )
    with atomic_write(folder / MANIFEST) as file:
        file.write(json.dumps(manifest, indent=2, sort_keys=True).encode() + b"\n")


def read_manifest(folder: Path) -> dict[str, Any] | None:
    """The content of `register.json`, None where there is none. Raises InputError when it is damaged or of another
    format.
    """
    path = folder / MANIFEST
    try:
        manifest = json.loads(path.read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise InputError(path, f"cannot be read ({error.strerror})") from error
    except ValueError:
        raise InputError(path, "is not JSON") from None
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise InputError(path, f"is not of the format {FORMAT}")
    return manifest


def read_report(folder: Path) -> dict[FrameKey, ReportLine]:
    """The lines of the report by their keys, the last of each; {} where there is none yet.

    Raises InputError for a line that is not one, unless it is the last and torn.
    """
    path = folder / REPORT
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise InputError(path, f"cannot be read ({error.strerror})") from error
    lines = {}
    for number, text in enumerate(content.split(b"\n")[:-1], start=1):  # what follows the last line end is torn
        try:
            line = _parsed(json.loads(text))
        except (ValueError, KeyError, TypeError, InputError):
            raise InputError(path, f"line {number} is no line of a report") from None
        lines[line.key] = line
    return lines


def append_report(folder: Path, line: ReportLine) -> None:
    """Add a line, for good even if the run is killed right after. Raises InputError when it cannot be written."""
    path = folder / REPORT
    try:
        with path.open("ab+") as file:
            end = file.seek(0, os.SEEK_END)
            try:
                file.write(_text(line))
                file.flush()
            except OSError:
                file.truncate(end)
                raise
    except OSError as error:
        raise InputError(path, f"cannot be written ({error.strerror or error})") from error


def write_report(folder: Path, lines: Iterable[ReportLine]) -> None:
    """Write the whole report anew, sorted. Raises InputError when it cannot be written."""
    content = b"".join(_text(line) for line in sorted(lines, key=lambda line: line.key))
    with atomic_write(folder / REPORT) as file:
        file.write(content)


def _text(line: ReportLine) -> bytes:
    flat = dataclasses.asdict(line)
    flat.update(flat.pop("key"))
    return json.dumps(flat, sort_keys=True, allow_nan=False).encode() + b"\n"


def _parsed(flat: dict[str, Any]) -> ReportLine:
    key = FrameKey(str(flat["subject"]), str(flat["session"]), str(flat["sequence"]), int(flat["frame"]))
    measures = {str(name): float(value) for name, value in flat["measures"].items()}
    return ReportLine(
        key, str(flat["source"]), str(flat["reason"]), str(flat["unit"]), measures, float(flat["seconds"])
    )


def _difference(found: dict[str, Any], wanted: dict[str, Any]) -> str:
    """The first setting that differs, as a clause."""
    have, want = dict(_leaves(found)), dict(_leaves(wanted))
    for name in [*want, *have]:
        if have.get(name) != want.get(name):
            return f"{name} {have.get(name)}, not {want.get(name)}"
    return "other settings"


def _leaves(tree: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Names and values at the ends of nested settings."""
    for name, value in tree.items():
        if isinstance(value, dict):
            yield from _leaves(value)
        else:
            yield name, value


def _read_template(path: Path) -> Template:
    with _opened(path, "template") as arrays:
        triangles = arrays["triangles"]
        return Template(
            name=arrays["name"].tobytes().decode(),
            topology=topology_id(triangles),
            mesh=Mesh(arrays["vertices"], triangles),
            landmarks_68=LandmarkEmbedding(arrays["landmark_triangles"], arrays["landmark_barycentric"]),
        )


@contextlib.contextmanager
def _opened(path: Path, kind: str) -> Iterator[Any]:
    """The arrays of a file; whatever is wrong with it, also when they are read in the block, is an InputError."""
    try:
        # As bytes, because np.load leaves a damaged archive open.
        yield np.load(io.BytesIO(path.read_bytes()), allow_pickle=False)
    except FileNotFoundError:
        raise InputError(path, f"no such {kind}") from None
    except OSError as error:
        raise InputError(path, f"cannot be read ({error.strerror or error})") from error
    except (AttributeError, EOFError, KeyError, ValueError, zipfile.BadZipFile, zlib.error) as error:
        raise InputError(path, f"not a {kind} ({error})") from error


def _write_npz(path: Path, **arrays: np.ndarray[Any, Any]) -> None:
    # In memory first: numpy words its own errors, and seeks in what it writes.
    content = io.BytesIO()
    np.savez(content, **arrays)  # type: ignore[arg-type]
    with atomic_write(path) as file:
        file.write(content.getbuffer())


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(folder, f"cannot be made ({error.strerror or error})") from error
