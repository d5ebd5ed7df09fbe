"""Galleries on disk: what went in comes out, in the order asked for."""

from __future__ import annotations

import dataclasses
import pickle
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from synth_affect.affect import Emotion
from synth_affect.blendshape.gallery.check import check_gallery
from synth_affect.blendshape.gallery.frames import CATEGORIES, NO_CATEGORY, GallerySequence
from synth_affect.blendshape.gallery.store import open_gallery
from synth_affect.blendshape.gallery.writer import GalleryWriter, append_sequences, create_gallery
from synth_affect.blendshape.template import Template
from synth_affect.errors import InputError, ShapeError
from tests.blendshape.conftest import MakeSequence
from tests.blendshape.gallery.conftest import edit_manifest, offsets_of

pytest.importorskip("zarr")


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


def test_a_reader_does_not_see_later_appends(path: Path, make_sequence: MakeSequence) -> None:
    first, second = make_sequence("a", 10), make_sequence("b", 50)
    append_sequences(path, [first])
    gallery = open_gallery(path)
    append_sequences(path, [second])
    assert [rows.tolist() for rows, _ in gallery.blocks()] == [list(range(10))]
    np.testing.assert_array_equal(gallery.read(range(10)), first.offsets.astype(np.float32))
