"""How far what lies around a face is from it, where an edge between them counts as distance."""

from __future__ import annotations

import cv2
import numpy as np

from synth_affect.arrays import BoolArray, FloatArray

CELL_MM = 2.0
EDGE_BLUR_MM = 0.5
LEAST_EDGE = 0.12
"""Change of log colour a millimetre (length over three channels) that is still one surface: a shade under a chin."""
EDGE_COST = 8.0
"""Millimetres that a millimetre counts more for each unit of change past that."""
FASTEST = 3.0
"""A millimetre counts at most this much: what fades with this distance has no steps."""
FARTHEST_MM = 200.0


def apart_mm(pixels: FloatArray, face: BoolArray, px_per_mm: float) -> FloatArray:
    """(height, width) float32, mm: shortest way from the face to each pixel, longer across edges; 0 on the face.

    A hand, a collar or a wall behind the face is further away than a neck that goes on from it.
    pixels : (height, width, 3) float32 sRGB, 0-255.  face : (height, width) bool.
    """
    height, width = face.shape
    if not face.any():
        return np.full(face.shape, FARTHEST_MM, dtype=np.float32)
    cells = tuple(max(4, round(side / px_per_mm / CELL_MM)) for side in (width, height))
    blurred = cv2.GaussianBlur(pixels, (0, 0), max(EDGE_BLUR_MM * px_per_mm, 0.5))
    squared = np.zeros(face.shape, dtype=np.float32)
    for channel in cv2.split(np.log(blurred + 8)):
        for along in ((1, 0), (0, 1)):
            squared += cv2.Sobel(channel, cv2.CV_32F, *along, scale=px_per_mm / 8) ** 2
    edge = cv2.resize(np.sqrt(squared), cells, interpolation=cv2.INTER_AREA)
    cost = CELL_MM * np.clip(1 + EDGE_COST * (edge - LEAST_EDGE), 1, FASTEST)
    inside = cv2.resize(face.astype(np.float32), cells, interpolation=cv2.INTER_AREA) > 0.5
    way = cv2.resize(_shortest(np.where(inside, 0, FARTHEST_MM), cost), (width, height), interpolation=cv2.INTER_LINEAR)
    apart: FloatArray = np.where(face, 0, cv2.GaussianBlur(way, (0, 0), CELL_MM * px_per_mm)).astype(np.float32)
    return apart


def _shortest(start: FloatArray, cost: FloatArray) -> FloatArray:
    """(rows, columns): `start`, or what it takes to come from a neighbour to a cell of this cost where that is less."""
    reached = start.astype(np.float32)
    rows, columns = reached.shape
    while True:
        padded = np.pad(reached, 1, constant_values=FARTHEST_MM)
        nearest = reached
        for down in (0, 1, 2):
            for right in (0, 1, 2):
                step = np.float32(np.hypot(down - 1, right - 1))
                nearest = np.minimum(nearest, padded[down : down + rows, right : right + columns] + step * cost)
        if np.array_equal(nearest, reached):
            return nearest
        reached = nearest
