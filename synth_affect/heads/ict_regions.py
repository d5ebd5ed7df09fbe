"""Which region each polygon of ICT-FaceKit belongs to: rings round its openings, and what its jaw carries."""

from __future__ import annotations

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import dijkstra
from scipy.spatial import cKDTree

from synth_affect.arrays import FloatArray, IntArray
from synth_affect.errors import ShapeError
from synth_affect.heads.ict_file import PARTS, IctArrays
from synth_affect.heads.regions import REGIONS

OUTER_LIP, CHIN = tuple(range(48, 60)), 8
"""ibug's points: the border of the lips' red, the lowest of the chin."""
INNERMOST_LIP_RING = 3
"""Rows of polygons from the mouth's socket outwards; what lies further in is cavity."""
LID_RINGS = 6
"""Rows of polygons from an eye's socket: some 6 mm."""
THROAT_BELOW_CHIN_MM = 4.0
NECK_SLOPE = 0.25
"""The neck's upper border rises from the chin backwards, mm a mm."""
EAR_BELOW_MM, EAR_REACH_MM, EAR_OUTWARDS = 14.0, 36.0, 0.80
"""An ear's middle lies this far below the face's widest point; an ear reaches this far, and from the side inwards to
this share of the face's width."""
TONGUE_FROM_TEETH_MM = 4.0
"""What moves with the jaw this far from any tooth is tongue, or the floor around it."""


def _rings_from(socket: str, arrays: IctArrays, graph: coo_matrix) -> FloatArray:
    """(n,) edges from where the face ends at a socket; infinite inside other parts that are not connected."""
    start, end = arrays.part[graph.row], arrays.part[graph.col]
    inside, face = PARTS.index(socket), PARTS.index("narrow_face")
    rim = np.concatenate([graph.row[(start == face) & (end == inside)], graph.col[(end == face) & (start == inside)]])
    if not len(rim):
        raise ShapeError("polygons", f"some between face and {socket}", "none")
    rings: FloatArray = dijkstra(graph, directed=False, indices=np.unique(rim), unweighted=True, min_only=True)
    return rings


def label_skin(regions: IntArray, arrays: IctArrays, corners: IntArray, part: IntArray, graph: coo_matrix) -> None:
    """Write the regions of all outer skin and of the mouth's socket into `regions`."""
    centre = arrays.mean[corners].mean(axis=1)
    chin = arrays.mean[arrays.landmarks_68[CHIN]]
    face = arrays.mean[np.isin(arrays.part, [PARTS.index("face"), PARTS.index("narrow_face")])]
    around = np.isin(part, [PARTS.index("face"), PARTS.index("head_and_neck")])
    regions[around] = REGIONS.index("scalp")
    regions[around & (centre[:, 1] < chin[1] + NECK_SLOPE * (chin[2] - centre[:, 2]))] = REGIONS.index("neck")
    for widest in (face[np.argmin(face[:, 0])], face[np.argmax(face[:, 0])]):
        near = np.linalg.norm(centre - widest + [0, EAR_BELOW_MM, 0], axis=1) < EAR_REACH_MM
        outwards = centre[:, 0] * np.sign(widest[0]) > EAR_OUTWARDS * abs(widest[0])
        regions[around & near & outwards] = REGIONS.index("ears")
    narrow = part == PARTS.index("narrow_face")
    regions[narrow] = REGIONS.index("skin")
    regions[narrow & (centre[:, 1] < chin[1] - THROAT_BELOW_CHIN_MM)] = REGIONS.index("neck")
    lip = _rings_from("mouth_socket", arrays, graph)[corners].max(axis=1)
    border = arrays.landmarks_68[list(OUTER_LIP)]
    width = _rings_from("mouth_socket", arrays, graph)[border]
    regions[narrow & (lip <= width[_nearest(centre, arrays.mean[border])])] = REGIONS.index("lips")
    regions[narrow & (lip <= INNERMOST_LIP_RING)] = REGIONS.index("mouth_cavity")
    for side in ("left", "right"):
        lid = _rings_from(f"eye_socket_{side}", arrays, graph)[corners].max(axis=1)
        regions[narrow & (lid <= LID_RINGS)] = REGIONS.index("lids")
    regions[part == PARTS.index("mouth_socket")] = REGIONS.index("mouth_cavity")


def label_mouth(regions: IntArray, arrays: IctArrays, corners: IntArray, part: IntArray) -> None:
    """Write the regions of teeth, gums and tongue into `regions`: what the jaw carries is lower."""
    travel = np.linalg.norm(arrays.units["jawOpen"], axis=1)
    carried = travel[corners].min(axis=1) > 0.25 * travel.max()
    teeth, soft = part == PARTS.index("teeth"), part == PARTS.index("gums_and_tongue")
    if not teeth.any() or not soft.any():
        raise ShapeError("region_vertex_ranges", "teeth and gums", "empty ones")
    regions[teeth] = np.where(carried[teeth], REGIONS.index("teeth_lower"), REGIONS.index("teeth_upper"))
    from_teeth, _ = cKDTree(arrays.mean[np.unique(corners[teeth])]).query(arrays.mean[corners[soft]].mean(axis=1))
    tongue = carried[soft] & (from_teeth > TONGUE_FROM_TEETH_MM)
    regions[soft] = np.where(tongue, REGIONS.index("tongue"), REGIONS.index("gums"))


def _nearest(points: FloatArray, among: FloatArray) -> IntArray:
    nearest: IntArray = np.asarray(cKDTree(among).query(points)[1])
    return nearest
