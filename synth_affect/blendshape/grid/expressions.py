"""The valence-arousal grid as a source of expressions: a displacement explained by the head's units, and the rest.

The units drive what a displacement of the face says nothing of: jaw, teeth, tongue, lids over the eyeball, folds of the
skin, closing of lips. The rest is added to the skin; it dies away towards the rim of the face, the lids and the line
between the lips, so that nothing tears and nothing goes through anything else.
"""

from __future__ import annotations

import numpy as np
from scipy.linalg import cholesky, solve_triangular
from scipy.optimize import nnls
from scipy.spatial import cKDTree

from synth_affect.affect import Emotion, ValenceArousal
from synth_affect.arrays import FloatArray, IntArray
from synth_affect.blendshape.action_units import ARKIT_UNITS, UNIT_INDEX, mirrored
from synth_affect.blendshape.affect_map import expression_weights, limited
from synth_affect.blendshape.expression_change import LOWER_INNER_LIP, UPPER_INNER_LIP
from synth_affect.blendshape.expression_source import AffectExpression
from synth_affect.blendshape.grid.affect_grid import AffectGrid, GridQuestion
from synth_affect.blendshape.template import face_template, face_vertices
from synth_affect.blendshape.transfer.correspondence import face_correspondence
from synth_affect.errors import ShapeError
from synth_affect.heads.model import HeadModel, LandmarkEmbedding, embed, region_vertices

RIDGE_MM = 0.05
"""Root mean square over the face that a unit must explain, at weight 1, to be worth its use. Much less than any unit
moves: what is held back here is made up for by the rest on the skin, but not in the folds and at the lids."""
NO_FEELING = ("eyeLook", "tongueOut")
"""Units that a feeling does not use: gaze, which is in every recording, and the tongue, which a face does not show."""
ONE_SIDED = 0.3
"""Share of the displacements' norm in what differs between left and right from which on the difference is meant."""
LARGEST_REST = 1.5
"""Of the rest, as a factor on its natural strength: units have limits of their own, the rest has this one."""
RIM_MM, EYE_MM, LIP_LINE_MM = (3.0, 18.0), (1.0, 6.0), (1.5, 7.0)
"""Distances between which the rest goes from nothing to all of it."""


class GridExpressions:
    """Reads a grid for a head; made once, asked once a target.

    home : the head on whose face template the grid was built.  edited : the head that is edited; `home` by default.
    question : how the grid is read.
    Raises ShapeError when the grid belongs to another template, or `home` lacks one of the 52 units.
    """

    def __init__(
        self,
        grid: AffectGrid,
        home: HeadModel,
        question: GridQuestion | None = None,
        edited: HeadModel | None = None,
    ) -> None:
        template = face_template(home)
        if grid.topology != template.topology:
            raise ShapeError("grid", f"one of template {template.topology}", grid.topology)
        missing = [name for name in ARKIT_UNITS if name not in home.unit_names]
        if missing:
            raise ShapeError("head", "the 52 ARKit units", "none named " + ", ".join(missing))
        self._grid, self._question = grid, question or GridQuestion()
        face = face_vertices(home)
        order = [home.unit_names.index(name) for name in ARKIT_UNITS]
        self._units = home.expression_units[order][:, face].reshape(len(order), -1)
        self._components = grid.components.offsets.reshape(len(grid.components.offsets), -1)
        self._shown = np.array([not name.startswith(NO_FEELING) for name in ARKIT_UNITS])
        units = self._units[self._shown]
        gram = (units @ units.T).astype(np.float64) + RIDGE_MM**2 * len(face) * np.eye(len(units))
        self._root = cholesky(gram)
        self._projection = (units @ self._components.T).astype(np.float64)
        self._mirror = _mirror(home, face)
        keep = rest_share(home)
        self._keep = np.minimum(keep, keep[self._mirror])
        self._symmetric = self._asymmetry(grid.typical) < ONE_SIDED
        self._places: LandmarkEmbedding | None = None
        if edited is not None and edited.topology != home.topology:
            self._triangles, self._places = template.mesh.triangles, face_correspondence(home, edited).places
            self._keep_edited = rest_share(edited)

    def expression(self, target: ValenceArousal, emotion: Emotion | None, intensity: float) -> AffectExpression:
        """Of the grid; for a category that it does not know, that of the prototypes' families."""
        found = self._grid.weights(target, emotion, self._question)
        if found is None:
            return AffectExpression(expression_weights(target, emotion, intensity=intensity))
        if intensity == 0 or not found.any():
            return AffectExpression(np.zeros(len(ARKIT_UNITS)))
        symmetric = self._question.sample is None and (
            self._symmetric if emotion is None else self._asymmetry(found[None]) < ONE_SIDED
        )
        explained = self._projection @ found
        if symmetric:
            both_sides = np.zeros(len(ARKIT_UNITS))
            both_sides[self._shown] = explained
            explained = ((both_sides + both_sides[_OTHER_SIDE]) / 2)[self._shown]
        weights = np.zeros(len(ARKIT_UNITS))
        weights[self._shown] = nnls(self._root, solve_triangular(self._root, explained, trans="T"))[0]
        if symmetric:
            weights = (weights + weights[_OTHER_SIDE]) / 2
        natural = limited(weights)
        rest = (found @ self._components - natural.astype(np.float32) @ self._units).reshape(-1, 3)
        if symmetric:
            rest = (rest + self._reflected(rest)) / 2
        rest = np.float32(min(intensity, LARGEST_REST)) * self._keep[:, None] * rest
        if self._places is not None:
            rest = self._keep_edited[:, None] * embed(rest, self._triangles, self._places)
        return AffectExpression(limited(intensity * weights), rest)

    def _reflected(self, offsets: FloatArray) -> FloatArray:
        """(n, 3): `offsets` (n, 3) of the template seen in a mirror."""
        seen: FloatArray = offsets[self._mirror] * _FLIP
        return seen

    def _asymmetry(self, weights: FloatArray) -> float:
        """Share of the norm of the displacements of weights (n, k) in the difference between them and their mirror."""
        offsets = self._grid.components.inverse_transform(weights)
        differences = [(one - self._reflected(one)) / 2 for one in offsets]
        return float(np.linalg.norm(differences) / max(float(np.linalg.norm(offsets)), 1e-12))


_FLIP = np.array([-1, 1, 1], dtype=np.float32)
_OTHER_SIDE = [UNIT_INDEX[mirrored(name)] for name in ARKIT_UNITS]


def _mirror(head: HeadModel, face: IntArray) -> IntArray:
    """(n_face_vertices,) each one's counterpart; a few at the rim have none, and stand for themselves."""
    place = np.full(len(head.mean), -1)
    place[face] = np.arange(len(face))
    other = place[head.mirror[face]]
    return np.where(other >= 0, other, np.arange(len(face)))


def rest_share(head: HeadModel) -> FloatArray:
    """(n_face_vertices,) float32 in [0, 1]: how much of what the units leave over the skin of `head` takes."""
    face = head.mean[face_vertices(head)]
    template = face_template(head)
    edges = np.sort(template.mesh.triangles[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2), axis=1)
    unique, uses = np.unique(edges, axis=0, return_counts=True)
    rim = face[np.unique(unique[uses == 1])]
    lids, cavity = head.mean[region_vertices(head, "lids")], head.mean[region_vertices(head, "mouth_cavity")]
    # The template ends at the eyes and in the mouth, too; the outer rim is what is far from both.
    outer = rim[np.minimum(_distance(rim, lids), _distance(rim, cavity)) > EYE_MM[1]]
    points = embed(head.mean, head.triangles, head.landmarks_478)
    line = np.concatenate([points[[*UPPER_INNER_LIP, *LOWER_INNER_LIP, 78, 308]], cavity])
    share = np.ones(len(face))
    for stops, (nothing_mm, all_mm) in ((outer, RIM_MM), (lids, EYE_MM), (line, LIP_LINE_MM)):
        if len(stops):
            t = np.clip((_distance(face, stops) - nothing_mm) / (all_mm - nothing_mm), 0, 1)
            share *= t * t * (3 - 2 * t)
    return share.astype(np.float32)


def _distance(points: FloatArray, others: FloatArray) -> FloatArray:
    """(n,) mm from each point to the nearest of the others."""
    return np.asarray(cKDTree(others).query(points)[0])
