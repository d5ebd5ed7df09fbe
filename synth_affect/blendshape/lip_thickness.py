"""Lips keep their proportions: a change of expression makes them thicker or thinner by a factor, not by millimetres.

A head model moves all lips by the same millimetres. Where a smile is taken away, these are its average person's: added
to thin lips, which are thinner still in the smile, they pile up in the middle and leave nothing at the sides. So the
outer edge of either lip is put where the photograph's thickness, times the change of the average person's, has it.
Thickness is what the picture shows, along the face's own upright, because that is what the photograph tells.
"""

from __future__ import annotations

import numpy as np

from synth_affect.arrays import FloatArray, IntArray
from synth_affect.heads.model import HeadModel, embed

UPPER = ((185, 40, 39, 37, 0, 267, 269, 270, 409), (191, 80, 81, 82, 13, 312, 311, 310, 415))
LOWER = ((146, 91, 181, 84, 17, 314, 405, 321, 375), (95, 88, 178, 87, 14, 317, 402, 318, 324))
"""MediaPipe's points along the outer and the inner edge of either lip, from the subject's right to the left."""
FACTORS = (0.6, 1.7)
"""Least and greatest change of thickness."""
LEAST_MM = 1.5
"""A lip of the average person that is seen thinner than this, turned away, has no say."""
REACH_MM = 9.0
"""How far beside the lips the skin goes along."""
OPEN_JAW = 0.6
"""Distances are measured with the mouth open, so that neither lip takes the other one along."""


class LipThickness:
    """The lips of one head model; `correct` serves any face and expression of it."""

    def __init__(self, head: HeadModel) -> None:
        self._head = head
        open_mouth = head.mean + OPEN_JAW * head.expression_units[head.unit_names.index("jawOpen")]
        points = embed(open_mouth, head.triangles, head.landmarks_478)
        self._edges = [(list(outer), list(inner)) for outer, inner in (UPPER, LOWER)]
        self._shares = [_shares(open_mouth, points[outer], points[inner]) for outer, inner in self._edges]
        average = [embed(unit, head.triangles, head.landmarks_478) for unit in head.expression_units]
        self._average, self._moves = embed(head.mean, head.triangles, head.landmarks_478), np.stack(average)

    def correct(
        self,
        displaced: FloatArray,
        picture: tuple[FloatArray, FloatArray],
        weights: tuple[FloatArray, FloatArray],
        rotation: FloatArray,
        px_per_mm: float,
    ) -> FloatArray:
        """(n_vertices, 3) float32, mm: `displaced` with lips of the thickness that they should have.

        displaced : (n_vertices, 3), mm, the new face.
        picture : (478, 2) twice, px, the landmarks of the photograph's face and of the new one, as they are drawn.
        weights : (n_units,) twice, of the photograph's expression and of the new one.
        rotation : (3, 3), of the fit's camera.  px_per_mm : scale of the picture at the face.
        """
        up = rotation[:2, 1] * [1, -1]
        up = up / np.linalg.norm(up)
        raised = rotation[:2].T @ (up * [1, -1])  # the same way in the head's frame
        corrected = displaced
        for (outer, inner), (vertices, shares), sign in zip(self._edges, self._shares, (1, -1), strict=True):
            before, after = (sign * (points[outer] - points[inner]) @ up / px_per_mm for points in picture)
            rest, moved = (sign * self._of_average(outer, inner, w) @ raised for w in weights)
            factor = np.where(np.minimum(rest, moved) > LEAST_MM, moved / np.maximum(rest, LEAST_MM), 1)
            wanted = np.maximum(before, 0) * np.clip(factor, *FACTORS)
            lacking = np.where(np.minimum(rest, moved) > LEAST_MM, wanted - after, 0)
            even = np.convolve(np.pad(lacking, 1), [0.25, 0.5, 0.25], "valid")  # the corners stay
            if corrected is displaced:
                corrected = displaced.copy()
            corrected[vertices] += (sign * (shares @ even)[:, None] * raised).astype(np.float32)
        return corrected

    def _of_average(self, outer: list[int], inner: list[int], weights: FloatArray) -> FloatArray:
        """(9, 3) mm from the inner to the outer edge on the model's mean face."""
        points = self._average + np.tensordot(weights, self._moves, 1)
        found: FloatArray = points[outer] - points[inner]
        return found


def _shares(vertices: FloatArray, outer: FloatArray, inner: FloatArray) -> tuple[IntArray, FloatArray]:
    """The vertices that go along, and (n, 9) how far each does with every point of the outer edge.

    All of it on the edge, nothing on the inner one, and less and less on the skin beyond.
    """
    to_outer, along = _nearest_on(vertices, outer)
    to_inner, _ = _nearest_on(vertices, inner)
    width = np.linalg.norm(outer - inner, axis=1) @ along.T
    on_lip = to_inner / np.maximum(to_inner + to_outer, 1e-6)
    # Beyond the edge both distances grow; on the lip they add up to its width.
    beyond = np.clip((to_inner - width) / np.maximum(to_outer, 1e-6), 0, 1)
    t = np.clip(1 - to_outer / REACH_MM, 0, 1)
    share = np.maximum(on_lip * (1 - beyond), beyond) * t * t * (3 - 2 * t)
    chosen = np.flatnonzero(share > 1e-3)
    return chosen, share[chosen, None] * along[chosen]


def _nearest_on(vertices: FloatArray, line: FloatArray) -> tuple[FloatArray, FloatArray]:
    """(n,) mm to the polyline `line` (m, 3), and (n, m) the weights of its points at the nearest place."""
    start, step = line[:-1], np.diff(line, axis=0)
    t = np.einsum("vsk,sk->vs", vertices[:, None] - start, step) / (step**2).sum(axis=1)
    t = np.clip(t, 0, 1)
    away = np.linalg.norm(vertices[:, None] - (start + t[..., None] * step), axis=2)
    nearest = away.argmin(axis=1)
    rows = np.arange(len(vertices))
    weights = np.zeros((len(vertices), len(line)))
    weights[rows, nearest] = 1 - t[rows, nearest]
    weights[rows, nearest + 1] = t[rows, nearest]
    return away[rows, nearest], weights
