"""How a gallery lies on disk: a zarr group (format 3) of one array a column.

- `offsets` (n_frames, n_vertices, 3) float16, mm: displacements from the neutral face of the frame's sequence.
- `sequence`, `frame` int32, `valence`, `arousal` float32, `apex` bool, `crc32` uint32: (n_frames,). `sequence` is the
  number of a line of `sequences`; `crc32` is that of the frame's bytes in `offsets`.
- `sequences` uint8: UTF-8, one JSON object a line: subject, session, sequence, posed, category.
- `template/`: vertices, triangles, landmark_triangles, landmark_barycentric.
- The group's attributes say what of that holds: format, template, and how many frames and lines are committed, with
  the checksums of the columns up to there.

What lies behind the committed length is of an append that did not end; the next one overwrites it. Every file is
written aside, synchronised with the disk and renamed, the attributes last: so a gallery is as before an append or as
after it, whenever the process or the machine stops.
"""

from __future__ import annotations

import asyncio
import json
import zlib
from dataclasses import asdict, dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from synth_affect.arrays import FloatArray
from synth_affect.blendshape.template import Template
from synth_affect.data.atomic import remove_temporaries, synchronise_folder, write_aside
from synth_affect.errors import InputError
from synth_affect.heads.archive import topology_id
from synth_affect.heads.mesh import Mesh
from synth_affect.heads.model import LandmarkEmbedding
from synth_affect.optional import import_optional

FORMAT, VERSION = "synth-affect/gallery", 1
OFFSETS, SEQUENCES, TEMPLATE, CHECKSUMS = "offsets", "sequences", "template", "crc32"
COLUMNS = {
    "sequence": np.dtype(np.int32),
    "frame": np.dtype(np.int32),
    "valence": np.dtype(np.float32),
    "arousal": np.dtype(np.float32),
    "apex": np.dtype(np.bool_),
    CHECKSUMS: np.dtype(np.uint32),
}
FRAMES_PER_CHUNK = 32
"""About a megabyte: half a second of a recording, as much as a reader of scattered frames can be asked to decode."""
ROWS_PER_CHUNK = 1 << 16


@dataclass(frozen=True, slots=True)
class Manifest:
    """What is committed.

    template, topology : of the mesh.  template_crc32 : of the arrays in `template/` and the name.
    n_frames : rows that hold.  n_line_bytes : bytes of `sequences` that hold.
    crc32 : of each column and of `sequences`, up to there.  version : of the format.
    """

    template: str
    topology: str
    template_crc32: int
    n_frames: int = 0
    n_line_bytes: int = 0
    crc32: dict[str, int] = field(default_factory=lambda: dict.fromkeys([*COLUMNS, SEQUENCES], 0))
    version: int = VERSION


def frame_checksum(offsets: FloatArray) -> int:
    """CRC-32 of one frame, (n_vertices, 3) float16."""
    return zlib.crc32(np.ascontiguousarray(offsets, dtype="<f2").data)


def column_checksum(values: np.ndarray[Any, Any], before: int = 0) -> int:
    """CRC-32 of a column, or of its continuation where `before` is the checksum of what stands in front."""
    return zlib.crc32(np.ascontiguousarray(values, dtype=values.dtype.newbyteorder("<")).data, before)


def open_group(path: Path, *, writable: bool = False) -> tuple[Any, Manifest]:
    """The zarr group and what is committed in it.

    Raises InputError when `path` is no gallery, or of a format that this version does not read.
    """
    zarr = import_optional("zarr", "gallery")
    try:
        if not path.exists():
            raise InputError(path, "no such gallery")
        if not (path / "zarr.json").is_file():
            raise InputError(path, "not a gallery")
        store = _durable_store()(path) if writable else zarr.storage.LocalStore(path, read_only=True)
        group = zarr.open_group(store, mode="r+" if writable else "r")
        stated = dict(group.attrs)
        name, _, version = str(stated.pop("format", "")).rpartition("/")
        if name != FORMAT:
            raise InputError(path, "not a gallery")
        if int(version) > VERSION:
            raise InputError(path, f"a gallery of format {version}; this version reads up to {VERSION}: update it")
        return group, Manifest(**stated, version=int(version))
    except OSError as error:
        raise InputError(path, f"cannot be read ({error.strerror or error})") from error
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(path, f"not a gallery ({error})") from error


def write_manifest(group: Any, manifest: Manifest) -> None:
    """Commit: from here on what `manifest` says holds."""
    stated = asdict(manifest)
    group.update_attributes({"format": f"{FORMAT}/{stated.pop('version')}", **stated})


def create_group(path: Path, template: Template) -> None:
    """An empty gallery at `path`, which must not exist."""
    zarr = import_optional("zarr", "gallery")
    group = zarr.create_group(_durable_store()(path), zarr_format=3)
    n_vertices = len(template.mesh.vertices)
    # Bit planes of neighbouring float16 are alike; lz4 keeps pace with the disk, and denser codecs gain 3 % more.
    dense = zarr.codecs.BloscCodec(cname="lz4", clevel=5, shuffle="bitshuffle", typesize=2)
    shapes: dict[str, tuple[tuple[int, ...], tuple[int, ...], Any]] = {
        OFFSETS: ((0, n_vertices, 3), (FRAMES_PER_CHUNK, n_vertices, 3), np.dtype(np.float16)),
        SEQUENCES: ((0,), (ROWS_PER_CHUNK,), np.dtype(np.uint8)),
        **{name: ((0,), (ROWS_PER_CHUNK,), dtype) for name, dtype in COLUMNS.items()},
    }
    for name, (shape, chunks, dtype) in shapes.items():
        group.create_array(
            name,
            shape=shape,
            chunks=chunks,
            dtype=dtype,
            compressors=[dense] if name == OFFSETS else "auto",
            chunk_key_encoding={"name": "default", "separator": "."},  # one folder, not one a chunk
        )
    arrays = _template_arrays(template)
    folder = group.create_group(TEMPLATE)
    for name, values in arrays.items():
        folder.create_array(name, data=values)
    write_manifest(group, Manifest(template.name, template.topology, _template_checksum(template.name, arrays)))


def read_template(group: Any, manifest: Manifest) -> Template:
    """The mesh that the displacements belong to. Raises ValueError when it is damaged."""
    arrays = {name: read_array(group[f"{TEMPLATE}/{name}"]) for name in _TEMPLATE_ARRAYS}
    if _template_checksum(manifest.template, arrays) != manifest.template_crc32:
        raise ValueError("does not agree with its checksum")
    if topology_id(arrays["triangles"]) != manifest.topology:
        raise ValueError("is not of the topology that the gallery names")
    return Template(
        name=manifest.template,
        topology=manifest.topology,
        mesh=Mesh(arrays["vertices"], arrays["triangles"]),
        landmarks_68=LandmarkEmbedding(arrays["landmark_triangles"], arrays["landmark_barycentric"]),
    )


def read_column(group: Any, manifest: Manifest, name: str) -> np.ndarray[Any, Any]:
    """The committed part of a column, or of the bytes of `sequences`. Raises ValueError when it is damaged."""
    length = manifest.n_line_bytes if name == SEQUENCES else manifest.n_frames
    values = read_array(group[name], 0, length)
    if len(values) != length:
        raise ValueError(f"has {len(values)} of {length} entries")
    if column_checksum(values) != manifest.crc32[name]:
        raise ValueError("does not agree with its checksum")
    return values


def read_lines(text: np.ndarray[Any, Any]) -> list[dict[str, Any]]:
    """The recordings, in the order of their numbers."""
    return [json.loads(line) for line in text.tobytes().decode().splitlines()]


def read_array(array: Any, start: int = 0, stop: int | None = None) -> np.ndarray[Any, Any]:
    """Rows `start` to `stop` of a zarr array. Raises ValueError when a chunk cannot be decoded."""
    try:
        return np.asarray(array[start : array.shape[0] if stop is None else stop])
    except (OSError, RuntimeError, ValueError) as error:  # codecs have no error of their own
        raise ValueError(f"cannot be read ({error})") from error


def why_unwritten(error: OSError) -> str:
    """The clause for a gallery that could not be extended."""
    return f"cannot be written ({error.strerror or error}); what it held before stands"


_TEMPLATE_ARRAYS = ("vertices", "triangles", "landmark_triangles", "landmark_barycentric")


def _template_arrays(template: Template) -> dict[str, np.ndarray[Any, Any]]:
    mesh, landmarks = template.mesh, template.landmarks_68
    values = (mesh.vertices, mesh.triangles, landmarks.triangles, landmarks.barycentric)
    return dict(zip(_TEMPLATE_ARRAYS, values, strict=True))


def _template_checksum(name: str, arrays: dict[str, np.ndarray[Any, Any]]) -> int:
    checksum = zlib.crc32(name.encode())
    for array in _TEMPLATE_ARRAYS:
        checksum = column_checksum(arrays[array], checksum)
    return checksum


@cache
def _durable_store() -> Any:
    """zarr's store of local files, with writes that survive a kill and a power cut."""
    zarr = import_optional("zarr", "gallery")

    class DurableStore(zarr.storage.LocalStore):  # type: ignore[misc, name-defined]
        async def set(self, key: str, value: Any) -> None:
            self._check_writable()
            await asyncio.to_thread(write_durably, self.root / key, value.as_buffer_like())

    return DurableStore


def write_durably(path: Path, content: Any) -> None:
    """Write one file of a gallery aside and rename it to `path`; its folder is made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with write_aside(path) as file:
        file.write(content)


def synchronise_folders(path: Path) -> None:
    """Make the renames in a gallery's folders last."""
    for folder in _folders(path):
        synchronise_folder(folder)


def remove_leftovers(path: Path) -> None:
    """Take away what killed writers left aside; only for who holds the lock."""
    for folder in _folders(path):
        remove_temporaries(folder)


def _folders(path: Path) -> list[Path]:
    """Those in which an append writes, the gallery's own last."""
    return [*(path / name for name in (OFFSETS, SEQUENCES, *COLUMNS)), path]
