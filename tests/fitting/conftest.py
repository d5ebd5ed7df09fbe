"""A small head that is made, not loaded: an ellipsoid with a nose, smooth random identities, local expression units."""

from __future__ import annotations

import numpy as np
import pytest

from synth_affect.fitting.markup import (
    FACE_OVAL,
    INNER,
    LEFT_EYE_OUTER_CORNER,
    LEFT_IRIS,
    N_LANDMARKS,
    NOSE_TIP,
    RIGHT_EYE_OUTER_CORNER,
    RIGHT_IRIS,
)
from synth_affect.heads.model import HeadModel, LandmarkEmbedding

_RADII = np.array([75.0, 110.0, 95.0])
_N_IDENTITY = 20
# Where each unit moves the skin (x, y in mm on the front) and which way; the eye units also carry the irises.
_UNITS = {
    "browDownLeft": ((35, 55), (0, -6, 0)),
    "browDownRight": ((-35, 55), (0, -6, 0)),
    "browInnerUp": ((0, 55), (0, 7, 0)),
    "browOuterUpLeft": ((45, 55), (0, 7, 0)),
    "browOuterUpRight": ((-45, 55), (0, 7, 0)),
    "cheekPuff": ((0, -20), (0, 0, 8)),
    "eyeLookInLeft": ((33, 35), (-5, 0, 0)),
    "eyeLookInRight": ((-33, 35), (5, 0, 0)),
    "eyeLookOutLeft": ((33, 35), (5, 0, 0)),
    "eyeLookOutRight": ((-33, 35), (-5, 0, 0)),
    "jawLeft": ((0, -70), (8, 0, 0)),
    "jawOpen": ((0, -80), (0, -20, -5)),
    "jawRight": ((0, -70), (-8, 0, 0)),
    "mouthPucker": ((0, -45), (0, 0, 6)),
    "mouthSmileLeft": ((28, -45), (8, 8, -4)),
    "mouthSmileRight": ((-28, -45), (-8, 8, -4)),
    "noseSneerLeft": ((12, 5), (0, 5, 0)),
    "noseSneerRight": ((-12, 5), (0, 5, 0)),
}

# Which of the 478 places the 68 points take: ear to ear over the chin (the oval runs the other way), the nose tip and
# the eyes' outer corners where ibug has them, and any inner places for the rest.
IBUG_68 = np.concatenate([FACE_OVAL[26:9:-1], INNER[40:400:7][:51]])
IBUG_68[[30, 36, 45]] = NOSE_TIP, RIGHT_EYE_OUTER_CORNER, LEFT_EYE_OUTER_CORNER


@pytest.fixture(scope="session")
def synthetic_head() -> HeadModel:
    return make_synthetic_head()


def make_synthetic_head() -> HeadModel:
    rng = np.random.default_rng(7)
    vertices, triangles = _ellipsoid(48, 72)
    fields = [_as_an_identity(_smooth_field(vertices, rng), vertices) for _ in range(_N_IDENTITY)]
    identity = np.stack([field * 3.0 / (1 + 0.3 * k) for k, field in enumerate(fields)])
    units = np.stack([_bump(vertices, *_UNITS[name]) for name in _UNITS])
    directions = _landmark_directions(rng)
    embedding = _embed_directions(vertices, triangles, directions, rng)
    n = len(vertices)
    return HeadModel(
        name="ellipsoid",
        licence="CC0-1.0",
        source="made by the tests",
        topology="ellipsoid-48x72",
        mean=vertices,
        triangles=triangles,
        identity_basis=identity,
        expression_units=units,
        unit_names=tuple(_UNITS),
        triangle_regions=np.zeros(len(triangles), dtype=np.uint8),
        region_names=("skin",),
        uv=np.zeros((1, 2)),
        uv_triangles=np.zeros_like(triangles),
        mirror=np.arange(n, dtype=np.int32),
        landmarks_478=embedding,
        landmarks_68=LandmarkEmbedding(embedding.triangles[IBUG_68], embedding.barycentric[IBUG_68]),
    )


def _ellipsoid(n_rows: int, n_columns: int) -> tuple[np.ndarray, np.ndarray]:
    """A closed grid with a nose towards +z; rows run from the top to the chin, both poles are single vertices."""
    polar = np.linspace(0, np.pi, n_rows + 1)[1:-1]
    around = np.linspace(0, 2 * np.pi, n_columns, endpoint=False)
    p, a = np.meshgrid(polar, around, indexing="ij")
    unit = np.stack([np.sin(p) * np.sin(a), np.cos(p), np.sin(p) * np.cos(a)], axis=-1).reshape(-1, 3)
    unit = np.vstack([unit, [0, 1, 0], [0, -1, 0]])
    vertices = unit * _RADII
    front = vertices[:, 2] > 0
    vertices[:, 2] += front * 25.0 * np.exp(-((vertices[:, 0] / 12) ** 2) - ((vertices[:, 1] / 22) ** 2))
    triangles = []
    top, bottom = len(vertices) - 2, len(vertices) - 1
    for column in range(n_columns):
        right = (column + 1) % n_columns
        triangles.append((top, column, right))
        for row in range(len(polar) - 1):
            here, below = row * n_columns, (row + 1) * n_columns
            triangles.append((here + column, below + column, here + right))
            triangles.append((here + right, below + column, below + right))
        last = (len(polar) - 1) * n_columns
        triangles.append((bottom, last + right, last + column))
    return vertices, np.array(triangles, dtype=np.int32)


def _smooth_field(vertices: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    waves = rng.normal(size=(3, 3)) / 60.0
    phases = rng.uniform(0, 2 * np.pi, size=3)
    mirrored = np.cos((vertices * [-1, 1, 1]) @ waves + phases) * [-1, 1, 1]
    return (np.cos(vertices @ waves + phases) + mirrored) / np.sqrt(2)


def _as_an_identity(field: np.ndarray, vertices: np.ndarray) -> np.ndarray:
    """`field` without what moves, turns or scales the face: that is pose, not identity. Bases of
    scanned heads are aligned in the same way.
    """
    front = vertices[:, 2] > 0
    motions = [np.broadcast_to(axis, vertices.shape) for axis in np.eye(3)]
    motions += [np.cross(axis, vertices) for axis in np.eye(3)] + [vertices]
    fit = np.stack([motion[front].ravel() for motion in motions], axis=1)
    amounts = np.linalg.lstsq(fit, field[front].ravel(), rcond=None)[0]
    return field - sum(amount * motion for amount, motion in zip(amounts, motions, strict=True))


def _bump(vertices: np.ndarray, place: tuple[float, float], offset: tuple[float, float, float]) -> np.ndarray:
    near = np.exp(-(((vertices[:, :2] - place) / 18.0) ** 2).sum(axis=1)) * (vertices[:, 2] > 0)
    return near[:, None] * np.array(offset)


def _landmark_directions(rng: np.random.Generator) -> np.ndarray:
    """(478, 3) places on the front, mm, laid out as MediaPipe's: outline, nose tip, eye corners, irises."""
    places = np.zeros((N_LANDMARKS, 2))
    radius, angle = np.sqrt(rng.uniform(0, 1, len(INNER))), rng.uniform(0, 2 * np.pi, len(INNER))
    places[INNER] = np.column_stack([60 * radius * np.sin(angle), 88 * radius * np.cos(angle)])
    angle = np.linspace(0, 2 * np.pi, len(FACE_OVAL), endpoint=False)
    places[FACE_OVAL] = np.column_stack([70 * np.sin(angle), 100 * np.cos(angle)])
    places[NOSE_TIP] = 0, 0
    places[RIGHT_EYE_OUTER_CORNER], places[LEFT_EYE_OUTER_CORNER] = (-48, 35), (48, 35)
    ring = np.array([(0, 35), (5, 35), (0, 40), (-5, 35), (0, 30)])
    places[RIGHT_IRIS], places[LEFT_IRIS] = ring - (33, 0), np.add(ring, (33, 0))
    depth = np.sqrt(np.maximum(1 - ((places / _RADII[:2]) ** 2).sum(axis=1), 0.0)) * _RADII[2]
    return np.column_stack([places, depth])


def _embed_directions(
    vertices: np.ndarray, triangles: np.ndarray, directions: np.ndarray, rng: np.random.Generator
) -> LandmarkEmbedding:
    centres = vertices[triangles].mean(axis=1)
    unit_centres = centres / np.linalg.norm(centres, axis=1, keepdims=True)
    unit = directions / np.linalg.norm(directions, axis=1, keepdims=True)
    chosen = (unit @ unit_centres.T).argmax(axis=1).astype(np.int32)
    return LandmarkEmbedding(chosen, rng.dirichlet((2.0, 2.0, 2.0), size=len(chosen)))
