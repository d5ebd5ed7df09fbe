"""Galleries made and extended: what is committed stands, whatever happens to what follows."""

from __future__ import annotations

import json
import secrets
import shutil
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np

from synth_affect.blendshape.gallery.format import (
    CHECKSUMS,
    COLUMNS,
    FRAMES_PER_CHUNK,
    OFFSETS,
    SEQUENCES,
    Manifest,
    column_checksum,
    create_group,
    frame_checksum,
    open_group,
    read_column,
    read_lines,
    read_template,
    remove_leftovers,
    synchronise_folders,
    why_unwritten,
    write_manifest,
)
from synth_affect.blendshape.gallery.frames import GallerySequence
from synth_affect.blendshape.template import Template
from synth_affect.data.atomic import TEMPORARY
from synth_affect.errors import InputError
from synth_affect.file_lock import lock_file

SequenceKey = tuple[str, str, str]
"""Subject, session, sequence."""
LOCK = ".lock"
"""In an array's folder, where zarr does not take it for a part of the hierarchy."""


def create_gallery(path: Path, template: Template) -> None:
    """An empty gallery of displacements of `template`, whole under its name or not there.

    Raises InputError when there is something at `path` already, or it cannot be written.
    """
    try:
        if not _is_vacant(path):
            raise InputError(path, "is there already, and not empty")
        target = path.resolve()
        if not target.parent.is_dir():
            raise InputError(path, f"the folder {target.parent} does not exist")
        temporary = target.with_name(f".{secrets.token_hex(8)}{TEMPORARY}")
        try:
            create_group(temporary, template)
            if target.is_dir():
                target.rmdir()
            temporary.rename(target)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
    except (OSError, RuntimeError, ValueError) as error:  # the last two: a ring of links, a null character
        raise InputError(path, f"cannot be written ({getattr(error, 'strerror', None) or error})") from error


def ensure_gallery(path: Path, template: Template) -> None:
    """Make an empty gallery at `path`, or see that the one there is of `template`.

    Raises InputError when it is of another mesh, or something else than a gallery.
    """
    if _is_vacant(path):
        create_gallery(path, template)
        return
    group, manifest = open_group(path)
    if manifest.topology != template.topology:
        raise InputError(
            path,
            f"holds displacements of the template {manifest.template} ({manifest.topology}), "
            f"not of {template.name} ({template.topology})",
        )
    try:
        vertices = read_template(group, manifest).mesh.vertices
    except (KeyError, ValueError) as error:
        raise InputError(path, f"its template is damaged ({error})") from error
    if not np.array_equal(vertices, template.mesh.vertices):
        raise InputError(path, f"its template has the triangles of {template.name}, but other vertices")


def _is_vacant(path: Path) -> bool:
    """Whether a gallery can be made there: nothing is, or an empty folder."""
    try:
        return not path.exists() or (path.is_dir() and not any(path.iterdir()))
    except OSError as error:
        raise InputError(path, f"cannot be written ({error.strerror or error})") from error


def append_sequences(path: Path, sequences: Iterable[GallerySequence]) -> None:
    """Append to the gallery at `path`, as `GalleryWriter.append_all` does; what was there before stands.

    Raises InputError as `GalleryWriter` does.
    """
    with GalleryWriter(path) as writer:
        writer.append_all(sequences)


class GalleryWriter:
    """The one writer of a gallery, as a context manager. An `append` that returned is on disk for good.

    When an append fails (full disk, Ctrl-C, kill), the gallery is as before it, and the next one just works.
    Raises InputError when `path` is no gallery, or another process writes to it.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        open_group(path)  # so that nothing but a gallery gets a lock
        self._lock = lock_file(path / OFFSETS / LOCK, path)
        try:
            remove_leftovers(path)
            self._group, self._manifest = open_group(path, writable=True)
            self._arrays = {name: self._group[name] for name in (OFFSETS, SEQUENCES, *COLUMNS)}
            lines = read_lines(read_column(self._group, self._manifest, SEQUENCES))
            self._keys = {(line["subject"], line["session"], line["sequence"]) for line in lines}
            self._n_vertices = self._arrays[OFFSETS].shape[1]
        except (KeyError, ValueError) as error:
            self.close()
            raise InputError(path, f"its list of sequences is damaged ({error})") from error
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Let others write."""
        self._lock.close()

    def __len__(self) -> int:
        """Frames that are committed."""
        return self._manifest.n_frames

    def __contains__(self, key: SequenceKey) -> bool:
        """Whether the gallery has the recording (subject, session, sequence)."""
        return key in self._keys

    def append(self, *sequences: GallerySequence) -> None:
        """Append the sequences together: all of them are committed, or none. Give short ones many at a time.

        Raises InputError when a recording is there already or has another number of vertices, or the disk is full.
        """
        keys = [(s.subject, s.session, s.sequence) for s in sequences]
        for k, (key, sequence) in enumerate(zip(keys, sequences, strict=True)):
            name = "/".join(key)
            if key in self._keys or key in keys[:k]:
                raise InputError(self._path, f"{name} is in it already")
            if sequence.offsets.shape[1] != self._n_vertices:
                raise InputError(
                    self._path,
                    f"its template has {self._n_vertices} vertices, the frames of {name} {sequence.offsets.shape[1]}",
                )
        if not sequences:
            return
        try:
            manifest = self._write(sequences)
            synchronise_folders(self._path)
            write_manifest(self._group, manifest)
        except OSError as error:
            raise InputError(self._path, why_unwritten(error)) from error
        self._manifest = manifest
        self._keys.update(keys)

    def append_all(self, sequences: Iterable[GallerySequence]) -> None:
        """Append what comes, many short ones at a time: what waits is less than two chunks.

        When taking the next one fails, those that came before are appended before the error goes on.
        Raises InputError as `append` does.
        """
        waiting: list[GallerySequence] = []
        try:
            for sequence in sequences:
                waiting.append(sequence)
                if sum(len(s.frame) for s in waiting) >= 2 * FRAMES_PER_CHUNK:
                    ready, waiting = waiting, []
                    self.append(*ready)
        finally:
            self.append(*waiting)

    def _write(self, sequences: Sequence[GallerySequence]) -> Manifest:
        """Write what follows the committed part; returns what holds once that is said."""
        before = self._manifest
        values = _columns(sequences, len(self._keys))
        n_new = len(values["frame"])
        starts = dict.fromkeys([OFFSETS, *COLUMNS], before.n_frames) | {SEQUENCES: before.n_line_bytes}

        def write(name: str) -> None:
            array, start = self._arrays[name], starts[name]
            new = [s.offsets for s in sequences] if name == OFFSETS else [values[name]]
            array.resize((start + sum(len(part) for part in new), *array.shape[1:]))
            for part in new:
                array[start : start + len(part)] = part
                start += len(part)

        with ThreadPoolExecutor(len(starts)) as pool:  # they wait for the disk, and can do so together
            for done in [pool.submit(write, name) for name in starts]:
                done.result()
        return replace(
            before,
            n_frames=before.n_frames + n_new,
            n_line_bytes=before.n_line_bytes + len(values[SEQUENCES]),
            crc32={name: column_checksum(values[name], before.crc32[name]) for name in before.crc32},
        )


def _columns(sequences: Sequence[GallerySequence], first_number: int) -> dict[str, np.ndarray[Any, Any]]:
    lengths = [len(s.frame) for s in sequences]

    def joined(value: Callable[[GallerySequence], Any]) -> Any:
        return np.concatenate([value(s) for s in sequences])

    lines = [
        json.dumps(
            {
                "subject": s.subject,
                "session": s.session,
                "sequence": s.sequence,
                "posed": bool(s.posed),
                "category": None if s.category is None else str(s.category),
            }
        )
        for s in sequences
    ]
    return {
        "sequence": np.repeat(np.arange(first_number, first_number + len(sequences), dtype=np.int32), lengths),
        "frame": joined(lambda s: s.frame),
        "valence": joined(lambda s: s.valence),
        "arousal": joined(lambda s: s.arousal),
        "apex": joined(lambda s: s.apex),
        CHECKSUMS: np.array([frame_checksum(frame) for s in sequences for frame in s.offsets], dtype=np.uint32),
        SEQUENCES: np.frombuffer("".join(line + "\n" for line in lines).encode(), dtype=np.uint8),
    }
