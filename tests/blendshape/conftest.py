"""A small template and sequences of it, for the tests of galleries."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from synth_affect.affect import Emotion
from synth_affect.blendshape.gallery.frames import GallerySequence
from synth_affect.blendshape.template import Template
from synth_affect.heads.archive import topology_id
from synth_affect.heads.mesh import Mesh
from synth_affect.heads.model import LandmarkEmbedding

MakeSequence = Callable[..., GallerySequence]


def grid_template(n: int = 9, name: str = "sheet") -> Template:
    """A sheet of n x n vertices, 1 mm apart, with 68 landmarks somewhere on it."""
    y, x = np.mgrid[:n, :n]
    vertices = np.stack([x, y, np.zeros_like(x)], axis=-1).reshape(-1, 3).astype(np.float32)
    corner = (np.arange(n - 1)[:, None] * n + np.arange(n - 1)).ravel()
    triangles = np.concatenate(
        [np.stack([corner, corner + 1, corner + n], 1), np.stack([corner + 1, corner + n + 1, corner + n], 1)]
    ).astype(np.int32)
    landmarks = LandmarkEmbedding(np.arange(68, dtype=np.int32), np.full((68, 3), 1 / 3, dtype=np.float32))
    return Template(name, topology_id(triangles), Mesh(vertices, triangles), landmarks)


@pytest.fixture(scope="session")
def make_template() -> Callable[..., Template]:
    """`grid_template`, for tests that need another."""
    return grid_template


@pytest.fixture(scope="session")
def sheet() -> Template:
    """81 vertices."""
    return grid_template()


@pytest.fixture(scope="session")
def make_sequence(sheet: Template) -> MakeSequence:
    """A sequence of `n_frames` frames of the sheet; its content depends on its names alone."""

    def make(
        sequence: str,
        n_frames: int,
        *,
        subject: str = "anna",
        session: str = "1",
        posed: bool = False,
        category: Emotion | None = None,
        n_vertices: int = len(sheet.mesh.vertices),
    ) -> GallerySequence:
        rng = np.random.default_rng(list(f"{subject}/{session}/{sequence}".encode()))
        valence = rng.uniform(-1, 1, n_frames).astype(np.float32)
        valence[1::7] = np.nan
        return GallerySequence(
            subject=subject,
            session=session,
            sequence=sequence,
            posed=posed,
            category=category,
            offsets=(5 * rng.standard_normal((n_frames, n_vertices, 3))).astype(np.float16),
            frame=2 * np.arange(n_frames, dtype=np.int32) + 3,
            valence=valence,
            arousal=rng.uniform(-1, 1, n_frames).astype(np.float32),
            apex=np.arange(n_frames) == n_frames // 2,
        )

    return make
