"""Writing galleries: by one, once, whole or not at all."""

from __future__ import annotations

import dataclasses
import errno
import itertools
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from synth_affect.blendshape.gallery import format as gallery_format
from synth_affect.blendshape.gallery.check import check_gallery
from synth_affect.blendshape.gallery.format import FRAMES_PER_CHUNK
from synth_affect.blendshape.gallery.frames import GallerySequence
from synth_affect.blendshape.gallery.store import open_gallery
from synth_affect.blendshape.gallery.writer import GalleryWriter, append_sequences, create_gallery, ensure_gallery
from synth_affect.blendshape.template import Template
from synth_affect.data.atomic import TEMPORARY
from synth_affect.errors import InputError
from synth_affect.heads.mesh import Mesh
from tests.blendshape.conftest import MakeSequence
from tests.blendshape.gallery.conftest import offsets_of

pytest.importorskip("zarr")


def test_appends_at_any_cut_give_the_same_gallery(
    tmp_path: Path, sheet: Template, sequences: list[GallerySequence]
) -> None:
    create_gallery(tmp_path / "one.zarr", sheet)
    create_gallery(tmp_path / "many.zarr", sheet)
    with GalleryWriter(tmp_path / "one.zarr") as writer:
        writer.append(*sequences)
        assert len(writer) == sum(len(s.frame) for s in sequences)
    for sequence in sequences:
        append_sequences(tmp_path / "many.zarr", [sequence])
    one, many = open_gallery(tmp_path / "one.zarr"), open_gallery(tmp_path / "many.zarr")
    np.testing.assert_array_equal(one.checksums, many.checksums)
    np.testing.assert_array_equal(one.read(range(len(one.frames))), many.read(range(len(many.frames))))
    files = [
        {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}
        for folder in (one.path, many.path)
    ]
    assert files[0] == files[1]


def test_nothing_is_made_where_something_is(tmp_path: Path, path: Path, sheet: Template) -> None:
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "a.txt").touch()
    (tmp_path / "file").touch()
    for there in ("notes", "file", "g.zarr"):
        with pytest.raises(InputError, match="is there already, and not empty"):
            create_gallery(tmp_path / there, sheet)
    with pytest.raises(InputError, match="nowhere does not exist"):
        create_gallery(tmp_path / "nowhere" / "g.zarr", sheet)
    for name in ("x" * 300, "null\0"):
        with pytest.raises(InputError, match="cannot be written"):
            create_gallery(tmp_path / name, sheet)
    (tmp_path / "empty").mkdir()
    create_gallery(tmp_path / "empty", sheet)
    assert {p.name for p in tmp_path.iterdir()} == {"notes", "file", "g.zarr", "empty"}


def test_another_template_is_refused(path: Path, sheet: Template, make_sequence: MakeSequence) -> None:
    ensure_gallery(path, sheet)
    flipped = sheet.mesh.triangles[:, ::-1]
    other = dataclasses.replace(sheet, name="other", topology="0123", mesh=Mesh(sheet.mesh.vertices, flipped))
    with pytest.raises(InputError, match=r"holds displacements of the template sheet .*, not of other \(0123\)"):
        ensure_gallery(path, other)
    moved = dataclasses.replace(sheet, mesh=Mesh(2 * sheet.mesh.vertices, sheet.mesh.triangles))
    with pytest.raises(InputError, match="but other vertices"):
        ensure_gallery(path, moved)
    with pytest.raises(InputError, match="its template has 81 vertices, the frames of anna/1/q 80"):
        append_sequences(path, [make_sequence("q", 3, n_vertices=80)])


def test_a_recording_enters_once(path: Path, make_sequence: MakeSequence) -> None:
    append_sequences(path, [make_sequence("q", 3)])
    with GalleryWriter(path) as writer:
        assert ("anna", "1", "q") in writer
        assert ("anna", "2", "q") not in writer
        for batch in ([make_sequence("q", 4)], [make_sequence("r", 4), make_sequence("r", 4)]):
            with pytest.raises(InputError, match=r"anna/1/. is in it already"):
                writer.append(*batch)
        writer.append(make_sequence("q", 4, session="2"))
    assert len(open_gallery(path).frames) == 7


def test_two_writers_at_once_are_refused(path: Path, make_sequence: MakeSequence) -> None:
    with GalleryWriter(path) as writer:
        with pytest.raises(InputError, match=r"g\.zarr: another process is writing to it"):
            GalleryWriter(path)
        script = f"""
from pathlib import Path
from synth_affect.blendshape.gallery.writer import GalleryWriter
GalleryWriter(Path({str(path)!r}))
"""
        done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
        assert "another process is writing to it" in done.stderr
        writer.append(make_sequence("q", 3))
    append_sequences(path, [make_sequence("r", 3)])


@pytest.mark.skipif(os.name != "posix", reason="another call locks there")
def test_a_file_system_without_locks_is_told_apart(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import fcntl

    def refuse(file: object, how: int) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", refuse)
    with pytest.raises(InputError, match=r"g\.zarr: cannot be locked \(No locks available\)"):
        GalleryWriter(path)


class Killed(BaseException):
    """Nothing handles it, and nothing is cleaned up."""


def stop_writes(monkeypatch: pytest.MonkeyPatch, stop_at: int, how: str) -> None:
    """Makes every write from number `stop_at` on fail."""
    begun = itertools.count()
    whole = gallery_format.write_durably

    def write(target: Path, content: Any) -> None:
        if next(begun) < stop_at:
            whole(target, content)
        elif how == "full disk":
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        else:
            (target.parent / f".dead{TEMPORARY}").write_bytes(bytes(content)[:7])
            raise Killed

    monkeypatch.setattr(gallery_format, "write_durably", write)


def stops(writer: GalleryWriter, sequence: GallerySequence) -> bool:
    try:
        writer.append(sequence)
    except InputError as error:
        return error.reason == "cannot be written (No space left on device); what it held before stands"
    except Killed:
        return True
    return False


@pytest.mark.parametrize("how", ["full disk", "killed"])
def test_a_writer_stopped_at_any_write_leaves_what_was_there(
    path: Path, make_sequence: MakeSequence, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    first = make_sequence("first", FRAMES_PER_CHUNK + 5)
    lost = make_sequence("lost", 3 * FRAMES_PER_CHUNK)
    append_sequences(path, [first])
    kept = [first]
    for stop_at in itertools.count(step=1 if how == "killed" else 3):
        with monkeypatch.context() as patch:
            stop_writes(patch, stop_at, how)
            with GalleryWriter(path) as writer:
                stopped = stops(writer, lost)
                assert len(writer) == sum(len(s.frame) for s in ([*kept] if stopped else [*kept, lost]))
        if not stopped:
            break  # that many writes are enough
        assert check_gallery(path) == []
        gallery = open_gallery(path)
        np.testing.assert_array_equal(gallery.read(range(len(gallery.frames))), offsets_of(kept).astype(np.float32))
        if stop_at % 4 == 2:  # the next append just works, also when it is shorter than the lost one
            kept.append(make_sequence(f"next{stop_at}", 3))
            append_sequences(path, kept[-1:])
            assert check_gallery(path) == []
            assert not list(path.rglob(f".*{TEMPORARY}"))
    assert stop_at > 10
    assert check_gallery(path) == []
    np.testing.assert_array_equal(
        open_gallery(path).read(range(sum(len(s.frame) for s in (*kept, lost)))),
        offsets_of([*kept, lost]).astype(np.float32),
    )


def test_the_same_writer_goes_on_after_a_full_disk(
    path: Path, make_sequence: MakeSequence, monkeypatch: pytest.MonkeyPatch
) -> None:
    with GalleryWriter(path) as writer:
        with monkeypatch.context() as patch:
            stop_writes(patch, 6, "full disk")
            with pytest.raises(InputError, match="No space left on device"):
                writer.append(make_sequence("a", 100))
        writer.append(make_sequence("a", 10))
    assert check_gallery(path) == []
    assert len(open_gallery(path).frames) == 10


KILL_TEN_TIMES = """
import os, random, signal, sys, time
from pathlib import Path
import numpy as np
import synth_affect.blendshape.gallery.check, zarr
from synth_affect.blendshape.gallery.frames import GallerySequence
from synth_affect.blendshape.gallery.store import open_gallery
from synth_affect.blendshape.gallery.writer import GalleryWriter, create_gallery
from synth_affect.blendshape.gallery.check import check_gallery

path = Path(sys.argv[1])

def offsets(k, n_vertices):
    return np.random.default_rng(k).standard_normal((20 + k % 50, n_vertices, 3)).astype(np.float16)

def forked(call):
    # Children alone touch zarr: its threads do not survive a fork.
    child = os.fork()
    if not child:
        try:
            call()
            os._exit(0)
        except BaseException as error:
            print(repr(error), flush=True)
            os._exit(1)
    return child

def write_for_ever():
    with GalleryWriter(path) as writer:
        number = sum(1 for k in range(10**5) if ("s", "1", f"q{k}") in writer)
        while True:
            new = offsets(number, writer._n_vertices)
            n = len(new)
            nothing = np.full(n, np.nan)
            writer.append(GallerySequence("s", "1", f"q{number}", False, None, new, np.arange(n), nothing, nothing,
                          np.zeros(n, bool)))
            (path.parent / "promise").write_text(str(number + 1))
            (path.parent / "promise").replace(path.parent / "committed")
            os.write(tell, b".")
            number += 1

def look():
    assert check_gallery(path) == []
    gallery = open_gallery(path)
    n = len(gallery.frames.sequence_names)
    committed = path.parent / "committed"
    promised = int(committed.read_text())
    assert promised <= n <= promised + 1, (promised, n)
    nothing = np.zeros((0, gallery.n_vertices, 3))
    expected = np.concatenate([nothing, *(offsets(k, gallery.n_vertices) for k in range(n))])
    assert len(expected) == len(gallery.frames)
    assert (gallery.read(range(len(expected))) == expected).all()
    print(n, flush=True)

rng = random.Random(int(sys.argv[2]))
for k in range(10):
    hear, tell = os.pipe()
    writer = forked(write_for_ever)
    os.close(tell)
    assert os.read(hear, 1), "the writer ended before its first append"
    time.sleep(0.2 * rng.random())
    os.kill(writer, signal.SIGKILL)
    _, status = os.waitpid(writer, 0)
    assert os.WIFSIGNALED(status), "the writer ended by itself"
    os.close(hear)
    _, status = os.waitpid(forked(look), 0)
    assert status == 0
"""


@pytest.mark.skipif(os.name != "posix", reason="forks and signals are of POSIX")
def test_ten_kills_lose_nothing_but_the_append_in_flight(path: Path) -> None:
    assert signal.SIGKILL
    done = subprocess.run(
        [sys.executable, "-c", KILL_TEN_TIMES, str(path), "0"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    counts = [int(line) for line in done.stdout.split()]
    assert len(counts) == 10
    assert all(before < after for before, after in itertools.pairwise([0, *counts])), "an append was lost"
