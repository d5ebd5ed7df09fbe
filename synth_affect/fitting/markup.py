"""The two sets of face landmarks that are understood, and their named groups. Left and right are the subject's."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from synth_affect.arrays import FloatArray, IntArray
from synth_affect.errors import ShapeError
from synth_affect.heads.model import HeadModel, LandmarkEmbedding

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

# fmt: off
_LIDS: IntArray = np.array([
    33, 7, 163, 144, 145, 153, 154, 155, 133, 173, 157, 158, 159, 160, 161, 246,
    263, 249, 390, 373, 374, 380, 381, 382, 362, 398, 384, 385, 386, 387, 388, 466,
])
# fmt: on
_N_IBUG = 68
_IBUG_OUTLINE: IntArray = np.arange(17)
_IBUG_INNER: IntArray = np.arange(17, _N_IBUG)
_IBUG_LIDS: IntArray = np.arange(36, 48)
_NONE: IntArray = np.arange(0)

for _group in (FACE_OVAL, RIGHT_IRIS, LEFT_IRIS, IRISES, INNER, _LIDS, _IBUG_OUTLINE, _IBUG_INNER, _IBUG_LIDS, _NONE):
    _group.flags.writeable = False


@dataclass(frozen=True, slots=True, eq=False)
class Markup:
    """What the rows of a set of landmarks stand for. Groups are indices into the rows.

    outline : points that lie where the face ends in the picture, in their order along it.  closed : whether the last of
        them is a neighbour of the first.
    inner : points that are fixed to skin, of which lids are those around the eyes.  irises : may be empty.
    nose_tip, right_eye_outer_corner, left_eye_outer_corner : single points.
    weight : of a point beside one of MediaPipe's, which stand closer and err together.
    """

    n_landmarks: int
    outline: IntArray
    closed: bool
    inner: IntArray
    lids: IntArray
    irises: IntArray
    nose_tip: int
    right_eye_outer_corner: int
    left_eye_outer_corner: int
    weight: float

    def embedding(self, head: HeadModel) -> LandmarkEmbedding:
        """Where these points are on `head`."""
        return head.landmarks_68 if self.n_landmarks == _N_IBUG else head.landmarks_478


MEDIAPIPE = Markup(
    n_landmarks=N_LANDMARKS,
    outline=FACE_OVAL,
    closed=True,
    inner=INNER,
    lids=_LIDS,
    irises=IRISES,
    nose_tip=NOSE_TIP,
    right_eye_outer_corner=RIGHT_EYE_OUTER_CORNER,
    left_eye_outer_corner=LEFT_EYE_OUTER_CORNER,
    weight=1.0,
)
"""The face mesh with irises."""

IBUG = Markup(
    n_landmarks=_N_IBUG,
    outline=_IBUG_OUTLINE,
    closed=False,
    inner=_IBUG_INNER,
    lids=_IBUG_LIDS,
    irises=_NONE,
    nose_tip=30,
    right_eye_outer_corner=36,
    left_eye_outer_corner=45,
    weight=5.0,
)
"""The markup of ibug's 300-W: the jaw from the right ear over the chin to the left, then brows, nose, eyes, lips.

Its weight was measured: over 18 faces, MediaPipe's points that are none of the 68 lie off a fit to the 68 by 1.8 % of
the inter-ocular distance with weight 1, 1.5 % with 3, 1.4 % with 5 to 12, of which 5 leaves the pose steadiest; off a
fit to all 478 by 1.1 %.
"""

_MARKUPS = {markup.n_landmarks: markup for markup in (MEDIAPIPE, IBUG)}


def markup_of(points_image: FloatArray) -> Markup:
    """The markup with as many points as `points_image` (n, 2 or 3) has. Raises ShapeError when there is none."""
    try:
        return _MARKUPS[len(points_image)]
    except KeyError:
        raise ShapeError("landmarks", "478 points, or ibug's 68", f"{len(points_image)}") from None


def interocular_distance_px(points_image: FloatArray) -> float:
    """Distance of the outer eye corners in pixels. points_image : (478 or 68, 2 or 3), px."""
    markup = markup_of(points_image)
    corners = points_image[[markup.right_eye_outer_corner, markup.left_eye_outer_corner], :2]
    return float(np.linalg.norm(corners[0] - corners[1]))
