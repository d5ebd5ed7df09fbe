"""Damage to a gallery: it is found, and never read."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from synth_affect.blendshape.gallery import format as gallery_format
from synth_affect.blendshape.gallery.check import check_gallery
from synth_affect.blendshape.gallery.format import FRAMES_PER_CHUNK
from synth_affect.blendshape.gallery.frames import GallerySequence
from synth_affect.blendshape.gallery.store import open_gallery
from synth_affect.blendshape.gallery.writer import append_sequences
from synth_affect.errors import InputError
from tests.blendshape.conftest import MakeSequence
from tests.blendshape.gallery.conftest import edit_manifest, offsets_of

pytest.importorskip("zarr")


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
