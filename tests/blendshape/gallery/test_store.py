"""Galleries on disk: what goes in comes out, whatever stops the writer."""

from __future__ import annotations

import dataclasses
import errno
import itertools
import json
import os
import pickle
import signal
import subprocess
import sys
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from synth_affect.affect import Emotion
from synth_affect.blendshape.gallery import format as gallery_format
from synth_affect.blendshape.gallery.check import check_gallery
from synth_affect.blendshape.gallery.format import FRAMES_PER_CHUNK
from synth_affect.blendshape.gallery.frames import CATEGORIES, NO_CATEGORY, GallerySequence
from synth_affect.blendshape.gallery.store import open_gallery
from synth_affect.blendshape.gallery.writer import GalleryWriter, append_sequences, create_gallery, ensure_gallery
from synth_affect.blendshape.template import Template
from synth_affect.data.atomic import TEMPORARY
from synth_affect.errors import InputError, ShapeError
from synth_affect.heads.mesh import Mesh
from tests.blendshape.conftest import MakeSequence

pytest.importorskip("zarr")


@pytest.fixture
def path(tmp_path: Path, sheet: Template) -> Path:
    """An empty gallery."""
    create_gallery(tmp_path / "g.zarr", sheet)
    return tmp_path / "g.zarr"


@pytest.fixture
def sequences(make_sequence: MakeSequence) -> list[GallerySequence]:
    """Lengths that end before, at and behind a chunk's end."""
    return [
        make_sequence("a", 1),
        make_sequence("b", FRAMES_PER_CHUNK - 1, posed=True, category=Emotion.FEAR),
        make_sequence("c", FRAMES_PER_CHUNK + 1, subject="bob"),
        make_sequence("a", 5, subject="bob", session="2"),
        make_sequence("d", 3 * FRAMES_PER_CHUNK, subject="Zoë"),
    ]


def offsets_of(sequences: list[GallerySequence]) -> np.ndarray:
    return np.concatenate([s.offsets for s in sequences])


def test_what_goes_in_comes_out(path: Path, sheet: Template, sequences: list[GallerySequence]) -> None:
    append_sequences(path, sequences)
    gallery = open_gallery(path)
    frames = gallery.frames
    expected = offsets_of(sequences)
    read = gallery.read(range(len(frames)))
    assert read.dtype == np.float32
    np.testing.assert_array_equal(read, expected.astype(np.float32))
    for field in ("frame", "valence", "arousal", "apex"):
        stored = getattr(frames, field)
        assert stored.dtype == getattr(sequences[0], field).dtype
        np.testing.assert_array_equal(stored, np.concatenate([getattr(s, field) for s in sequences]))
    lengths = [len(s.frame) for s in sequences]
    per_frame = [k for k, n in enumerate(lengths) for _ in range(n)]
    np.testing.assert_array_equal(frames.sequence, per_frame)
    assert frames.subject_names == ("anna", "bob", "Zoë")
    assert frames.session_names == ("1", "2")
    assert frames.sequence_names == ("a", "b", "c", "a", "d")
    np.testing.assert_array_equal(frames.subject, np.array([0, 0, 1, 1, 2])[per_frame])
    np.testing.assert_array_equal(frames.session, np.array([0, 0, 0, 1, 0])[per_frame])
    np.testing.assert_array_equal(frames.posed, np.array([0, 1, 0, 0, 0], bool)[per_frame])
    fear = CATEGORIES.index(Emotion.FEAR)
    assert set(frames.category[frames.sequence == 1]) == {fear}
    assert set(frames.category[frames.sequence != 1]) == {NO_CATEGORY}
    assert gallery.topology == sheet.topology
    assert gallery.template.name == sheet.name
    np.testing.assert_array_equal(gallery.template.mesh.vertices, sheet.mesh.vertices)
    np.testing.assert_array_equal(gallery.template.landmarks_68.triangles, sheet.landmarks_68.triangles)
    assert check_gallery(path) == []


def test_sixteen_bits_keep_a_face_to_hundredths_of_a_millimetre(
    path: Path, make_sequence: MakeSequence, sheet: Template
) -> None:
    exact = np.random.default_rng(0).uniform(-15.9, 15.9, (40, len(sheet.mesh.vertices), 3))
    append_sequences(path, [dataclasses.replace(make_sequence("a", 40), offsets=exact)])
    error = np.abs(open_gallery(path).read(range(40)) - exact)
    assert error.max() <= 2**-8, "half a unit in the last place of numbers below 16"
    assert (error <= np.maximum(np.abs(exact), 2**-14) * 2**-11).all()


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


def test_rows_are_read_in_the_order_asked_for(path: Path, sequences: list[GallerySequence]) -> None:
    append_sequences(path, sequences)
    gallery, expected = open_gallery(path), offsets_of(sequences)
    rows = np.random.default_rng(0).integers(0, len(expected), 70)
    np.testing.assert_array_equal(gallery.read(rows), expected[rows].astype(np.float32))
    assert gallery.read([]).shape == (0, gallery.n_vertices, 3)
    for wrong in ([len(expected)], [-1], [0.5], [[0]], np.ones(len(expected), bool)):
        with pytest.raises(ShapeError, match="rows"):
            gallery.read(wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize("memory_mib", [0, 1, 256])
@pytest.mark.parametrize("subset", [False, True])
def test_blocks_cover_rows_once_and_increasing(
    path: Path, sequences: list[GallerySequence], memory_mib: int, subset: bool
) -> None:
    append_sequences(path, sequences)
    gallery, expected = open_gallery(path), offsets_of(sequences)
    rows = np.random.default_rng(0).permutation(len(expected))[:90] if subset else None
    seen = []
    for block_rows, offsets in gallery.blocks(rows, memory_mib=memory_mib):
        assert offsets.dtype == np.float16
        np.testing.assert_array_equal(offsets, expected[block_rows])
        seen.append(block_rows)
    everything = np.concatenate(seen)
    np.testing.assert_array_equal(everything, np.arange(len(expected)) if rows is None else np.sort(rows))
    assert len(seen) == (len(everything) if memory_mib == 0 else 1)


def test_an_empty_gallery_has_no_blocks(path: Path) -> None:
    gallery = open_gallery(path)
    assert len(gallery.frames) == 0
    assert list(gallery.blocks()) == []
    assert check_gallery(path) == []


def test_streaming_keeps_to_its_memory(
    tmp_path: Path, make_sequence: MakeSequence, make_template: Callable[..., Template]
) -> None:
    template = make_template(67)  # 4489 vertices, 26 KiB a frame
    create_gallery(tmp_path / "g.zarr", template)
    n_vertices = len(template.mesh.vertices)
    append_sequences(tmp_path / "g.zarr", (make_sequence(f"q{k}", 400, n_vertices=n_vertices) for k in range(3)))
    gallery = open_gallery(tmp_path / "g.zarr")
    sparse = np.arange(0, 1200, 5)
    for rows, memory_mib in ((None, 8), (sparse, 12), (None, 24)):
        tracemalloc.start()
        lengths = [len(block_rows) for block_rows, _ in gallery.blocks(rows, memory_mib=memory_mib)]
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert len(lengths) > 1
        assert peak <= memory_mib << 20


def test_an_open_gallery_goes_to_workers(path: Path, make_sequence: MakeSequence) -> None:
    sequence = make_sequence("a", 40)
    append_sequences(path, [sequence])
    copy = pickle.loads(pickle.dumps(open_gallery(path)))
    np.testing.assert_array_equal(copy.read([33, 2]), sequence.offsets[[33, 2]].astype(np.float32))


# What is refused


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


def test_what_is_no_gallery_is_told(tmp_path: Path) -> None:
    import zarr

    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    zarr.create_group(tmp_path / "foreign.zarr")
    zarr.create_array(tmp_path / "array.zarr", shape=(3,), dtype="f4")
    (tmp_path / "torn").mkdir()
    (tmp_path / "torn" / "zarr.json").write_text('{"attributes": ')
    for name in ("folder", "file", "foreign.zarr", "array.zarr", "torn"):
        for use in (open_gallery, check_gallery, GalleryWriter):
            with pytest.raises(InputError, match="not a gallery"):
                use(tmp_path / name)
        assert not list(tmp_path.glob("*/offsets")), "a lock was put into a stranger's folder"
    with pytest.raises(InputError, match="no such gallery"):
        open_gallery(tmp_path / "none")
    with pytest.raises(InputError, match="cannot be read"):
        open_gallery(tmp_path / ("x" * 300))


def test_a_newer_format_is_refused(path: Path) -> None:
    edit_manifest(path, format="synth-affect/gallery/2")
    for use in (open_gallery, check_gallery, GalleryWriter):
        with pytest.raises(InputError, match="a gallery of format 2; this version reads up to 1"):
            use(path)


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


def test_a_reader_does_not_see_later_appends(path: Path, make_sequence: MakeSequence) -> None:
    first, second = make_sequence("a", 10), make_sequence("b", 50)
    append_sequences(path, [first])
    gallery = open_gallery(path)
    append_sequences(path, [second])
    assert [rows.tolist() for rows, _ in gallery.blocks()] == [list(range(10))]
    np.testing.assert_array_equal(gallery.read(range(10)), first.offsets.astype(np.float32))


# Damage


def edit_manifest(path: Path, **changes: Any) -> None:
    file = path / "zarr.json"
    content = json.loads(file.read_text())
    content["attributes"].update(changes)
    file.write_text(json.dumps(content))


def flip(file: Path, place: float = 0.6) -> None:
    content = bytearray(file.read_bytes())
    content[int(place * len(content))] ^= 0x10
    file.write_bytes(content)


@pytest.mark.parametrize("place", [0.0, 0.01, 0.3, 0.6, 0.999])
def test_a_flipped_byte_is_found_and_never_read(path: Path, sequences: list[GallerySequence], place: float) -> None:
    append_sequences(path, sequences)
    flip(path / "offsets" / "c.1.0.0", place)
    damage = check_gallery(path)
    assert damage
    assert all("of bob/1/c" in line or "of anna/1/b" in line or "of bob/2/a" in line for line in damage)
    gallery = open_gallery(path)
    with pytest.raises(InputError, match=r"damaged|cannot be read"):
        gallery.read(range(len(gallery.frames)))
    with pytest.raises(InputError, match=r"damaged|cannot be read"):
        list(gallery.blocks(memory_mib=1))
    expected = offsets_of(sequences)[:FRAMES_PER_CHUNK]
    np.testing.assert_array_equal(gallery.read(range(FRAMES_PER_CHUNK)), expected.astype(np.float32))


def test_a_missing_or_exchanged_chunk_is_found(path: Path, sequences: list[GallerySequence]) -> None:
    append_sequences(path, sequences)
    chunks = path / "offsets"
    (chunks / "c.0.0.0").unlink()
    (chunks / "c.2.0.0").rename(chunks / "c.0.0.0.tmp")
    (chunks / "c.3.0.0").rename(chunks / "c.2.0.0")
    (chunks / "c.0.0.0.tmp").rename(chunks / "c.3.0.0")
    # zarr itself reads zeros where a chunk is missing, and asks nothing of the others.
    assert check_gallery(path) == [
        "frame 0 of anna/1/a: wrong checksum",
        "frames 1 to 31 of anna/1/b: do not agree with their checksums",
        "frame 64 of bob/1/c: wrong checksum",
        "frames 65 to 69 of bob/2/a: do not agree with their checksums",
        "frames 70 to 127 of Zoë/1/d: do not agree with their checksums",
    ]


@pytest.mark.parametrize("column", ["sequence", "frame", "valence", "arousal", "apex", "crc32", "sequences"])
def test_damage_to_any_column_is_found(path: Path, sequences: list[GallerySequence], column: str) -> None:
    append_sequences(path, sequences)
    flip(path / column / ("c.0"))
    (line,) = check_gallery(path)
    assert line.startswith(f"column {column}: ")
    with pytest.raises(InputError, match="is damaged"):
        open_gallery(path)


@pytest.mark.parametrize("array", ["vertices", "triangles", "landmark_triangles", "landmark_barycentric"])
def test_damage_to_the_template_is_found(path: Path, make_sequence: MakeSequence, array: str) -> None:
    append_sequences(path, [make_sequence("a", 3)])
    file = next((path / "template" / array).rglob("c/*"))
    flip(file if file.is_file() else next(p for p in file.rglob("*") if p.is_file()))
    (line,) = check_gallery(path)
    assert line.startswith("template: ")
    with pytest.raises(InputError, match="its template is damaged"):
        open_gallery(path)


def test_a_manifest_that_claims_more_is_found(path: Path, make_sequence: MakeSequence) -> None:
    append_sequences(path, [make_sequence("a", 3)])
    edit_manifest(path, n_frames=4)
    assert any("has 3 of 4 entries" in line for line in check_gallery(path))


@pytest.mark.parametrize(
    ("column", "changes", "line"),
    [
        ("valence", {3: 1.5, 4: -2.0}, "valence: outside [-1, 1] in 2 frames, the first is 3"),
        ("frame", {2: 0}, "frames: out of order"),
        ("sequence", {5: 7}, "sequences: a frame of a sequence that is not listed"),
    ],
)
def test_what_another_program_wrote_wrongly_is_found(
    path: Path, make_sequence: MakeSequence, column: str, changes: dict[int, float], line: str
) -> None:
    import zarr

    append_sequences(path, [make_sequence("a", 6)])
    values = zarr.open_array(path / column, mode="r+")
    for row, value in changes.items():
        values[row] = value
    stated = json.loads((path / "zarr.json").read_text())["attributes"]["crc32"]
    edit_manifest(path, crc32=stated | {column: gallery_format.column_checksum(values[:])})
    assert check_gallery(path) == [line]


# What stops a writer


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
