"""How much of the upper teeth an opened mouth shows.

How long an upper lip is cannot be read from a photograph whose mouth is shut, nor from one that smiles, where the lip
is drawn up. A lip that the fit makes too long hides the teeth of a wide open mouth, which looks toothless.
"""

from __future__ import annotations

import numpy as np

from synth_affect.arrays import BoolArray, FloatArray
from synth_affect.heads.model import HeadModel, region_vertices
from synth_affect.render.scene import Scene, project_with

SHOWN_MM, SHOWN_SHARE = 4.5, 0.3
"""What is to be seen of the front teeth below the rim of the upper lip, and its share of a mouth that is open less.
The lip's front covers over a millimetre of it."""
LONGEST_DROP_MM = 4.0
MIDDLE_MM = 6.0
"""Half the width in which teeth and lips are compared."""


def show_upper_teeth(scene: Scene, vertices: FloatArray) -> FloatArray:
    """`vertices` with the upper teeth and their gums lowered as far as an open mouth needs to show them.

    vertices : (n_vertices, 3) float32, mm, head frame, the displaced face.  Returns the same, or a changed copy: the
    drop follows the lips without a step. It is 0 for a mouth that is shut, shows its teeth, or hides them no more than
    the photograph's does.
    """
    of_jaw = _of_jaw(scene.head)
    drop = _missing_mm(scene, vertices, of_jaw) - _missing_mm(scene, scene.vertices, of_jaw)
    if drop <= 0:
        return vertices
    lowered = vertices.copy()
    lowered[upper_row(scene.head), 1] -= np.float32(drop)
    return lowered


def upper_row(head: HeadModel) -> BoolArray:
    """(n_vertices,) bool: the upper teeth and their gums."""
    row: BoolArray = _in(head, "teeth_upper") | (_in(head, "gums") & ~_of_jaw(head))
    return row


def _of_jaw(head: HeadModel) -> BoolArray:
    """(n_vertices,) bool: what the jaw takes along."""
    travel = head.expression_units[head.unit_names.index("jawOpen"), :, 1]
    of_jaw: BoolArray = travel < 0.5 * float(travel[region_vertices(head, "lips")].min())
    return of_jaw


def _missing_mm(scene: Scene, vertices: FloatArray, of_jaw: BoolArray) -> float:
    """How much further down the front teeth would have to reach; of_jaw : (n_vertices,), of `_of_jaw`."""
    middle = np.abs(scene.head.mean[:, 0]) < MIDDLE_MM
    lips, teeth = (_in(scene.head, name) & middle for name in ("lips", "teeth_upper"))
    height = _height_mm(scene, vertices)
    upper_rim = float(height[lips & ~of_jaw].min())
    opening = upper_rim - float(height[lips & of_jaw].max())
    return min(missing_mm(opening, upper_rim - float(height[teeth].min())), LONGEST_DROP_MM)


def missing_mm(opening_mm: float, shown_mm: float) -> float:
    """How much further down the front teeth would have to reach in a mouth so far open that shows so much of them."""
    wanted = min(SHOWN_MM, SHOWN_SHARE * max(opening_mm, 0.0))
    return max(wanted - shown_mm, 0.0)


def _in(head: HeadModel, region: str) -> BoolArray:
    """(n_vertices,) bool."""
    inside = np.zeros(len(head.mean), dtype=bool)
    inside[region_vertices(head, region)] = True
    return inside


def _height_mm(scene: Scene, vertices: FloatArray) -> FloatArray:
    """(n_vertices,) how far up each vertex lies as the picture shows it, from forehead to chin, mm."""
    up = scene.camera.rotation[:2, 1] * [1, -1]
    height: FloatArray = project_with(scene.camera, vertices, scene.offsets_px)[:, :2] @ (up / np.linalg.norm(up))
    return height / np.float32(scene.px_per_mm)
