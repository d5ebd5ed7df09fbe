"""A head of six vertices, small enough to know by heart: a square face above a square neck."""

from __future__ import annotations

import numpy as np
import pytest

from synth_affect.heads.archive import topology_id
from synth_affect.heads.model import HeadModel, LandmarkEmbedding


@pytest.fixture
def tiny_head() -> HeadModel:
    rng = np.random.default_rng(5)
    mean = np.array([[-10, 10, 0], [10, 10, 0], [-10, 0, 5], [10, 0, 5], [-10, -10, 0], [10, -10, 0]])
    triangles = np.array([[0, 2, 3], [0, 3, 1], [2, 4, 5], [2, 5, 3]], dtype=np.int32)
    embedding = LandmarkEmbedding(np.array([0, 3, 1]), np.array([[1, 0, 0], [0.25, 0.5, 0.25], [0, 0, 1]]))
    return HeadModel(
        name="tiny",
        licence="CC0-1.0",
        source="made by the tests",
        topology=topology_id(triangles),
        mean=mean,
        triangles=triangles,
        # Sixteenths are exact in float16.
        identity_basis=rng.integers(-64, 64, (4, 6, 3)) / 16,
        expression_units=rng.integers(-64, 64, (2, 6, 3)) / 16,
        unit_names=("jawOpen", "eyeBlinkLeft"),
        triangle_regions=np.array([0, 0, 1, 1]),
        region_names=("skin", "neck"),
        uv=(mean[:, :2] + 16) / 32,
        uv_triangles=triangles,
        mirror=np.array([1, 0, 3, 2, 5, 4]),
        landmarks_478=embedding,
        landmarks_68=LandmarkEmbedding(np.array([2]), np.array([[0.5, 0.5, 0]])),
    )
