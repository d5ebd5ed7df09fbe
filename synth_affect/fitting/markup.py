"""MediaPipe's 478 face landmarks: how many there are, and its named groups. Left and right are the subject's."""

from __future__ import annotations

import numpy as np

from synth_affect.arrays import FloatArray, IntArray

N_LANDMARKS = 478

RIGHT_EYE_OUTER_CORNER = 33
LEFT_EYE_OUTER_CORNER = 263

NOSE_TIP = 4

# fmt: off
FACE_OVAL: IntArray = np.array([
    10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377,
    152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109,
])
# fmt: on
"""The 36 points of the face's outline, from the top of the forehead over the subject's left cheek and the chin."""

RIGHT_IRIS: IntArray = np.arange(468, 473)
LEFT_IRIS: IntArray = np.arange(473, 478)
IRISES: IntArray = np.concatenate([RIGHT_IRIS, LEFT_IRIS])

INNER: IntArray = np.setdiff1d(np.arange(468), FACE_OVAL)
"""The points that are fixed to skin: neither outline nor iris."""

for _group in (FACE_OVAL, RIGHT_IRIS, LEFT_IRIS, IRISES, INNER):
    _group.flags.writeable = False


def interocular_distance_px(points_image: FloatArray) -> float:
    """Distance of the outer eye corners in pixels. points_image : (478, 2 or 3), px."""
    corners = points_image[[RIGHT_EYE_OUTER_CORNER, LEFT_EYE_OUTER_CORNER], :2]
    return float(np.linalg.norm(corners[0] - corners[1]))
