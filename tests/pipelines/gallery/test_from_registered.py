"""Galleries from meshes that are registered already, on recordings of which the motion is known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from synth_affect.arrays import FloatArray, IntArray
from synth_affect.blendshape.gallery.check import check_gallery
from synth_affect.blendshape.gallery.store import Gallery, open_gallery
from synth_affect.data.coma import read_coma
from synth_affect.data.scan_records import ScanRecord, ScanSequence
from synth_affect.errors import InputError
from synth_affect.pipelines.gallery import from_registered as module
from synth_affect.pipelines.gallery.from_registered import RegisteredGallery, gallery_from_registered

trimesh = pytest.importorskip("trimesh")
pytest.importorskip("zarr")

N = 24
JAW_MM = 12.0
SHARES = (0.1, 0.0, 0.02, 0.02, 0, 0.02, 0.04, 0.03, 0.02, 0.1, 0.5, 1.0, 0.6)
"""How far the mouth is open; a recording begins near neutral."""
NUMBERS = (3, 4, 5, *range(7, 17))
"""Of the frames; one is lost."""
CALMEST = 2


def face(seed: int) -> tuple[FloatArray, IntArray]:
    """A grid of 160 mm with the bumps of a person; not a face, but of its size."""
    y, x = np.mgrid[-80 : 80 : N * 1j, -80 : 80 : N * 1j]
    bumps = np.random.default_rng(seed).normal(0, 1, (2, 3))
    z = 40 - (x**2 + y**2) / 200 + sum(a * np.cos(b * x / 30 + c) * 4 for a, b, c in bumps)
    cells = np.arange(N * N).reshape(N, N)
    a, b, c, d = cells[:-1, :-1], cells[:-1, 1:], cells[1:, 1:], cells[1:, :-1]
    triangles = np.concatenate([np.stack([a, b, c], -1), np.stack([a, c, d], -1)]).reshape(-1, 3)
    return np.stack([x, y, z], axis=-1).reshape(-1, 3), triangles


def opened(vertices: FloatArray, share: float) -> FloatArray:
    jaw = np.clip((-30 - vertices[:, 1:2]) / 30, 0, 1)
    return vertices + jaw * [0, -JAW_MM * share, 0]


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two people with two recordings each, in metres; the heads move."""
    monkeypatch.setitem(module.N_VERTICES, "flame", N * N)
    rng = np.random.default_rng(0)
    for seed, person in enumerate(("FaceTalk_1_1_TA", "FaceTalk_2_2_TA")):
        vertices, triangles = face(seed)
        for expression in ("mouth_open", "mouth_extreme"):
            folder = tmp_path / person / expression
            folder.mkdir(parents=True)
            for number, share in zip(NUMBERS, SHARES, strict=True):
                turn = Rotation.from_rotvec(rng.normal(0, 0.03, 3)).as_matrix()
                moved = opened(vertices, share) @ turn.T + rng.normal(0, 5, 3)
                mesh = trimesh.Trimesh(moved / 1000, triangles, process=False)
                mesh.export(folder / f"{expression}.{number:06d}.ply")
    return tmp_path


@pytest.fixture
def made(database: Path) -> RegisteredGallery:
    return gallery_from_registered(read_coma(database), database / "g.zarr")


@pytest.fixture
def gallery(made: RegisteredGallery) -> Gallery:
    return open_gallery(made.gallery)


def test_displacements_are_those_of_the_jaw_alone(gallery: Gallery) -> None:
    frames = gallery.frames
    assert frames.frame.tolist() == list(NUMBERS) * 4
    offsets = gallery.read(range(len(SHARES)))
    vertices = face(0)[0]
    neutral = opened(vertices, SHARES[CALMEST])
    for row, share in enumerate(SHARES):
        np.testing.assert_allclose(offsets[row], opened(vertices, share) - neutral, atol=0.15)
    zero = int(np.argmin(np.abs(offsets).max(axis=(1, 2))))
    assert SHARES[zero] == SHARES[CALMEST]  # neither the first frame nor the one with the mouth most closed


def test_what_is_known_of_the_frames(gallery: Gallery, made: RegisteredGallery) -> None:
    assert (made.sequences, made.frames, made.rejected) == (4, 52, {})
    assert np.isnan(gallery.frames.valence).all()
    assert gallery.template.name == "flame"
    assert np.ptp(gallery.template.mesh.vertices[:, 1]) == pytest.approx(160, abs=5)  # millimetres
    assert check_gallery(made.gallery) == []


def test_it_goes_on_where_it_was(database: Path, made: RegisteredGallery) -> None:
    again = gallery_from_registered(read_coma(database), made.gallery)
    assert (again.sequences, again.there_before) == (0, 4)


def test_a_damaged_mesh_is_listed(database: Path) -> None:
    bad = database / "FaceTalk_1_1_TA/mouth_open/mouth_open.000007.ply"
    bad.write_bytes(b"ply\n")
    fewer = database / "FaceTalk_1_1_TA/mouth_open/mouth_open.000008.ply"
    trimesh.Trimesh(*face(0), process=False).submesh([range(40)], append=True).export(fewer)
    vertices, triangles = face(0)
    other = database / "FaceTalk_1_1_TA/mouth_open/mouth_open.000009.ply"
    trimesh.Trimesh(vertices / 1000, triangles[::-1], process=False).export(other)
    made = gallery_from_registered(read_coma(database), database / "g.zarr")
    assert made.frames == 49
    assert set(made.rejected) == {str(bad), str(fewer), str(other)}
    assert f"vertices, those of flame {N * N}" in made.rejected[str(fewer)]
    assert made.rejected[str(other)] == "has other triangles than the meshes before it"


def test_meshes_of_another_topology(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(module.N_VERTICES, "flame", 5023)
    with pytest.raises(InputError, match="and all other meshes cannot be used"):
        gallery_from_registered(read_coma(database), database / "g.zarr")
    assert not (database / "g.zarr").exists()


def test_raw_scans_are_for_register(tmp_path: Path) -> None:
    raw = ScanSequence("a", "1", "b", True, None, None, None, (ScanRecord(0, tmp_path / "a.obj"),))
    with pytest.raises(InputError, match=r"a\.obj: is a raw scan; synth-affect register brings it to a template"):
        gallery_from_registered([raw], tmp_path / "g.zarr")
