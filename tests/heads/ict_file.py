"""A small file in the layout of packed ICT-FaceKit: a flat face of 3.5 mm squares with eyes, mouth, teeth and ears."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from synth_affect.arrays import FloatArray, IntArray
from synth_affect.heads.ict_file import ARKIT_TO_ICT

CELL = 0.35  # cm
COLUMNS, ROWS = 42, 52  # cells, from x = -7.35 and y = -9.1
MOUTH = (17, 25, 16, 18)  # cells: first and last column, first and last row
EYES = {"right": (9, 15, 34, 37), "left": (27, 33, 34, 37)}
LIP_RINGS = 6
EYE_RADIUS, INNER_RADIUS, BULGE = 1.4, 1.3, 0.15


def ict_arrays(n_identity: int = 3) -> dict[str, Any]:
    """The arrays of the file. Jaw and teeth: what lies below the mouth moves down by 4 cm."""
    parts: dict[str, FloatArray] = {}
    polygons: list[IntArray] = []

    def add(name: str, points: FloatArray, quads: IntArray) -> int:
        start = sum(len(p) for p in parts.values())
        parts[name] = np.concatenate([parts[name], points]) if name in parts else points
        polygons.append(quads + start)
        return start

    face, face_quads = _sheet(COLUMNS, ROWS, (-COLUMNS / 2 * CELL, -ROWS / 2 * CELL, 10.0))
    cell = np.arange(COLUMNS * ROWS)
    column, row = cell % COLUMNS, cell // COLUMNS
    hole = np.zeros(len(cell), dtype=bool)
    for left, right, low, high in (MOUTH, *EYES.values()):
        hole |= (column >= left) & (column < right) & (row >= low) & (row < high)
    add("narrow_face", face, face_quads[~hole])
    for edge in (-9.4, 8.0):
        ear, quads = _sheet(4, 8, (edge, 0.0, 2.0))
        add("face", ear, quads)
    skull, quads = _sheet(40, 70, (-7.0, -12.0, -6.0))
    add("head_and_neck", skull, quads[:, ::-1])
    for name, box in (("mouth_socket", MOUTH), ("eye_socket_left", EYES["left"]), ("eye_socket_right", EYES["right"])):
        rim = _rim(*box)
        start = add(name, face[rim] - [0, 0, 2.0], np.zeros((0, 4), dtype=int))
        here, after = np.arange(len(rim)), np.roll(np.arange(len(rim)), -1)
        polygons.append(np.stack([rim[here], rim[after], start + after, start + here], axis=1))
    mouth_y = (MOUTH[2] + MOUTH[3]) / 2 * CELL - ROWS / 2 * CELL
    for part, back, heights in (("gums_and_tongue", 8.6, (0.8, -2.0, -4.0)), ("teeth", 9.0, (0.2, -0.9))):
        for height in heights:
            sheet, quads = _sheet(6, 2, (-3 * CELL, mouth_y + height, back))
            add(part, sheet, quads)
    for side in ("left", "right"):
        left, right, low, high = EYES[side]
        centre = np.array([(left + right) / 2 - COLUMNS / 2, (low + high) / 2 - ROWS / 2, 0]) * CELL + [0, 0, 8.7]
        for radius in (EYE_RADIUS, INNER_RADIUS):
            ball, quads = _ball(radius)
            add(f"eyeball_{side}", ball + centre, quads)
    for name in ("lacrimal", "eye_blend", "eye_occlusion", "eyelashes"):
        for side in ("left", "right"):
            left, right, low, high = EYES[side]
            corner = ((left - COLUMNS / 2) * CELL, (low - ROWS / 2) * CELL, 10.1)
            add(f"{name}_{side}", *_sheet(right - left, 1, corner))

    mean = np.concatenate(list(parts.values())).astype(np.float32)
    ranges, names, start = [], [], 0
    for name, points in parts.items():
        names.append(name)
        ranges.append((0 if name == "face" else start, start + len(points) - 1))
        start += len(points)
    expression_names = sorted({ict for units in ARKIT_TO_ICT.values() for ict in units})
    rng = np.random.default_rng(4)
    expression = (rng.integers(-8, 8, (len(expression_names), 1, 3)) / 64 * np.ones((1, len(mean), 1))).astype("f2")
    jaw = np.zeros_like(mean)
    jaw[: ranges[names.index("eyeball_left")][0]][mean[: ranges[names.index("eyeball_left")][0], 1] < mouth_y, 1] = -4
    jaw[ranges[names.index("head_and_neck")][0] : ranges[names.index("head_and_neck")][1] + 1] = 0
    expression[expression_names.index("jawOpen")] = jaw
    expression[expression_names.index("mouthClose")] = 0
    return {
        "mean": mean,
        "polygons": np.concatenate(polygons).astype(np.int32),
        "identity": (rng.integers(-8, 8, (n_identity, len(mean), 3)) / 256).astype(np.float16),
        "expression": expression,
        "expression_names": np.array(expression_names),
        "landmarks_68": _landmarks(mean[: len(face)], mouth_y),
        "region_names": np.array(names),
        "region_vertex_ranges": np.array(ranges, dtype=np.int32),
    }


def write_ict(path: Path, **changed: Any) -> Path:
    """The file, with some arrays replaced, or left out where None."""
    arrays = {**ict_arrays(), **changed}
    np.savez_compressed(path, **{name: array for name, array in arrays.items() if array is not None})
    return path


def _sheet(columns: int, rows: int, corner: tuple[float, float, float]) -> tuple[FloatArray, IntArray]:
    """Vertices and quads, counter-clockwise from the front."""
    y, x = np.mgrid[: rows + 1, : columns + 1] * CELL
    points = np.stack([x + corner[0], y + corner[1], np.full_like(x, corner[2])], axis=-1).reshape(-1, 3)
    row, column = np.mgrid[:rows, :columns]
    first = (row * (columns + 1) + column).ravel()
    return points, np.stack([first, first + 1, first + columns + 2, first + columns + 1], axis=1)


def _rim(left: int, right: int, low: int, high: int) -> IntArray:
    """Vertices round a hole of the face, in order."""
    corners = [(c, low) for c in range(left, right)] + [(right, r) for r in range(low, high)]
    corners += [(c, high) for c in range(right, left, -1)] + [(left, r) for r in range(high, low, -1)]
    return np.array([r * (COLUMNS + 1) + c for c, r in corners])


def _ball(radius: float, rings: int = 12, around: int = 16) -> tuple[FloatArray, IntArray]:
    """A sphere whose pole looks forward, with a cornea that bulges; the pole's quads are triangles in disguise."""
    polar, turn = np.meshgrid(np.linspace(0.02, 3.0, rings), np.arange(around) / around * 2 * np.pi, indexing="ij")
    bulging = radius + BULGE * np.clip(1 - polar / 0.4, 0, 1)
    direction = np.stack([np.sin(polar) * np.cos(turn), np.sin(polar) * np.sin(turn), np.cos(polar)], axis=-1)
    ring, place = np.mgrid[: rings - 1, :around]
    after = (place + 1) % around
    quads = np.stack([ring * around + place, (ring + 1) * around + place, (ring + 1) * around + after,
                      ring * around + after], axis=-1).reshape(-1, 4)  # fmt: skip
    return (bulging[..., None] * direction).reshape(-1, 3), quads


def _landmarks(face: FloatArray, mouth_y: float) -> IntArray:
    """68 vertices: the chin, the border of the lips LIP_RINGS from the mouth, anything for the rest."""
    places = np.zeros((68, 2))
    places[:17] = np.stack([np.linspace(-6, 6, 17), -8 + 0.1 * np.linspace(-6, 6, 17) ** 2], axis=1)
    # LIP_RINGS edges from the mouth, where squares are walked along their sides.
    across, up, half = (MOUTH[1] - MOUTH[0]) // 2, (MOUTH[3] - MOUTH[2]) // 2, LIP_RINGS // 2
    corner = [(across + half, up + half), (across, up + LIP_RINGS), (0, up + LIP_RINGS)]
    upper = [(-across - LIP_RINGS, 0), *((-x, y) for x, y in corner), *corner[1::-1]]
    lower = [(-x, -y) for x, y in upper]
    places[48:60] = np.array([*upper, *lower]) * CELL + [0, mouth_y]
    return np.array([np.argmin(np.linalg.norm(face[:, :2] - place, axis=1)) for place in places], dtype=np.int32)
