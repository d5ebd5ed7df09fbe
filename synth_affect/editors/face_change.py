"""What an edit changes in a face, told by two drawings of one network: of the face as it is, and as it is to be.

A small network draws a blurred face that is nearly somebody. What it knows is how the two differ, and that is all that
a photograph gets from it: its pixels move as the parts of the drawing did, and what no movement explains, such as the
dark of a mouth that opens, is added. Skin, hair and whose face it is stay the photograph's.

1. The network's crops are aligned by the corners of the mouth, too, so that a smile enlarges the whole face. The later
   drawing is brought back by the similarity that lets the BAND of eyes and nose rest.
2. Movement: dense optical flow (Farneback 2003) of the drawings' lightness.
3. The rest: the later drawing less the earlier one, moved. Of what is broader than TONE nothing is taken, because the
   light of a face is the photograph's, and of its colours COLOUR, because a small network's drift.
Both are multiplied by a gain, because a network that learnt for minutes draws the mean of what it is not sure of.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from synth_affect.arrays import FloatArray

GREY = np.array([0.299, 0.587, 0.114], dtype=np.float32)
"""Rec. 601 weights of a picture without colours."""
BAND = ((0.27, 0.52), (0.26, 0.74))
"""Rows and columns of a crop with the eyes and the bridge of the nose, in sides."""
TONE, COLOUR = 1 / 8, 0.4
FLOW_SIDE = 256
WINDOW, POLYNOMIAL, POLYNOMIAL_SPREAD, LEVELS, ROUNDS = 30, 7, 1.5, 4, 5
SMOOTH = 1.5 / 64
"""Farneback's numbers in pictures of FLOW_SIDE, and over how many sides its flow is smoothed."""
DETAIL, INNER = 1 / 16, 0.19
"""What is finer than DETAIL is compared, and no more than INNER of the sides near to the border, see `likest`."""
RESERVE = 0.1


@dataclass(frozen=True, slots=True, eq=False)
class FaceChange:
    """moves : (size, size, 2) float32, sides of the crop; at each place how far to the right and down lies what comes
    there.  rest : (size, size, 3) float32, what is added to it, where a crop's values span 2.
    """

    moves: FloatArray
    rest: FloatArray


def change_between(before: FloatArray, after: FloatArray, gain: float = 1.0) -> FaceChange:
    """`gain` times what changes from `before` to `after`, (size, size, 3) in [-1, 1], two drawings of one face."""
    side = len(before)
    before, after = np.asarray(before, np.float32), np.asarray(after, np.float32)
    if np.array_equal(before, after):  # flow of nothing would be noise
        return FaceChange(np.zeros((side, side, 2), np.float32), np.zeros((side, side, 3), np.float32))
    after = _at_rest(before, after)
    flow = _flow(before, after)
    rows, columns = np.mgrid[0:side, 0:side].astype(np.float32)
    places = np.dstack([columns, rows]) + flow
    moved = cv2.remap(before, places, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    rest = after - moved
    rest -= cv2.GaussianBlur(rest, (0, 0), TONE * side)
    light = (rest @ GREY)[..., np.newaxis]
    return FaceChange(
        (gain * flow / side).astype(np.float32), (gain * (light + COLOUR * (rest - light))).astype(np.float32)
    )


def likest(crop: FloatArray, drawings: FloatArray, intensities: Sequence[float]) -> int:
    """The number of the drawing that shows what the crop does: where fine lightness correlates best.

    crop : (size, size, 3).  drawings : (n, size, size, 3), of the same face with different expressions.
    intensities : of these; a stronger one must be liker, by RESERVE of the distance at 1, since most faces are mild.
    Tone and colours have no say: they drift with what is asked of a small network.
    """
    wanted = _detail(crop)
    distances = [
        (1 - float(np.dot(wanted, _detail(drawing)))) * (1 + RESERVE * intensity)
        for drawing, intensity in zip(drawings, intensities, strict=True)
    ]
    return int(np.argmin(distances))


def _detail(picture: FloatArray) -> FloatArray:
    """(n,) of the crop's middle, of length 1 and mean 0."""
    side = len(picture)
    grey = np.asarray(picture @ GREY, np.float32)
    fine = grey - cv2.GaussianBlur(grey, (0, 0), DETAIL * side)
    edge = round(INNER * side)
    values = fine[edge : side - edge, edge : side - edge].ravel()
    values = values - values.mean()
    found: FloatArray = values / max(float(np.linalg.norm(values)), 1e-9)
    return found


def _flow(before: FloatArray, after: FloatArray) -> FloatArray:
    """(size, size, 2) px: `after` at x shows what `before` does at x + flow."""
    side = len(before)
    shown = [np.clip((picture @ GREY + 1) * 127.5, 0, 255) for picture in (after, before)]
    large = [
        np.clip(np.rint(cv2.resize(grey, (FLOW_SIDE, FLOW_SIDE), interpolation=cv2.INTER_CUBIC)), 0, 255)
        for grey in shown
    ]
    flow = cv2.calcOpticalFlowFarneback(
        large[0].astype(np.uint8), large[1].astype(np.uint8), np.zeros((FLOW_SIDE, FLOW_SIDE, 2), np.float32),
        0.5, LEVELS, WINDOW, ROUNDS, POLYNOMIAL, POLYNOMIAL_SPREAD, cv2.OPTFLOW_FARNEBACK_GAUSSIAN,
    )  # fmt: skip
    own = cv2.resize(flow, (side, side), interpolation=cv2.INTER_AREA) * (side / FLOW_SIDE)
    smooth: FloatArray = cv2.GaussianBlur(own, (0, 0), SMOOTH * side)
    return smooth


def _at_rest(before: FloatArray, after: FloatArray) -> FloatArray:
    """`after`, such that in the BAND nothing moves as a whole."""
    side = len(before)
    rows, columns = (slice(round(low * side), round(high * side)) for low, high in BAND)
    flow = _flow(before, after)[rows, columns]
    y, x = np.mgrid[rows, columns]
    # As complex numbers a similarity without reflection is source = a * place + b, with a and b free.
    place, source = (x + 1j * y).ravel(), (x + flow[..., 0] + 1j * (y + flow[..., 1])).ravel()
    from_mean = place - place.mean()
    a = np.vdot(from_mean, source - source.mean()) / np.vdot(from_mean, from_mean)
    b = source.mean() - a * place.mean()
    back = 1 / a
    matrix = np.array([[back.real, -back.imag, -(b * back).real], [back.imag, back.real, -(b * back).imag]])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    found: FloatArray = cv2.warpAffine(after, matrix, (side, side), flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return found
