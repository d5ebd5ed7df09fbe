"""How a face is cut out for a network, and how what the network made of it goes back into the photograph.

Alignment: the similarity that brings three means of ibug's 68 points, of the right eye, the left eye and the corners of
the mouth, nearest to their PLACES in the square crop, in least squares. So the face stands upright, 28 % of the side
lie between the eyes, and the chin is inside, of an open mouth, too. Training and editing use the same.

Paste-back: only a region round the face changes: the hull of its points, raised to the forehead and lowered for a chin
that falls, with MARGIN around it, and nothing within EDGE of the crop's border. There the crop enters as the main job's
pictures do, with its own gradients and the photograph's values around it (Poisson blending); over FEATHER its sharpness
fades into the photograph's, too. Everything else keeps its bytes. What enters is the network's picture (`paste_back`),
or the photograph itself as a change that the network drew would have it (`carry_back`).

Convention: px, with pixel centres at .5, x right, y down; a crop of `size` px covers [0, size] in both. The centre of a
right eye at crop place (0.36, 0.34) of a 100 px crop is at (36, 34) px.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

from synth_affect.arrays import FloatArray, ImageArray, readonly
from synth_affect.editors.face_change import GREY, FaceChange
from synth_affect.errors import FitError
from synth_affect.render.poisson import poisson_blend

PLACES = np.array([(0.36, 0.34), (0.64, 0.34), (0.5, 0.66)])
"""Of the right eye, the left eye and the mouth, in sides of the crop."""
RIGHT_EYE, LEFT_EYE, MOUTH_CORNERS = tuple(range(36, 42)), tuple(range(42, 48)), (48, 54)
BROWS, CHIN = tuple(range(17, 27)), tuple(range(5, 12))
FOREHEAD, FALL, MARGIN, EDGE, FEATHER = 0.12, 0.06, 0.035, 0.02, 0.07
"""Sides of the crop: how far the brows are raised and the chin is lowered; how far the region reaches beyond them; how
much of the crop's border is never used; and over what width the network's picture gains its full say.
"""
SMALLEST_SIDE = 12.0
"""Side of the crop in the photograph, px; less is no face that could be edited."""
MASK_SIDE = 128


@dataclass(frozen=True, slots=True, eq=False)
class FaceCrop:
    """Where a face's crop lies.

    matrix : (3, 3) float64, a similarity from places in [0, 1] of the crop to px of the photograph.
    region : (n, 2) float64, the convex outline that may change, in places of the crop.
    """

    matrix: FloatArray
    region: FloatArray

    @property
    def side_px(self) -> float:
        """Of the crop in the photograph."""
        return float(np.hypot(*self.matrix[:2, 0]))


def align(points: FloatArray) -> FaceCrop:
    """The crop of a face. points : (68, 2), ibug's order, px.

    Raises FitError when the points are no face's.
    """
    points = readonly(points, "points", (68, 2), np.float64)
    seen = np.array([points[list(group)].mean(axis=0) for group in (RIGHT_EYE, LEFT_EYE, MOUTH_CORNERS)])
    # As complex numbers a similarity without reflection is seen = a * place + b, with a and b free.
    place, found = PLACES @ (1, 1j), seen @ (1, 1j)
    from_mean, seen_from_mean = place - place.mean(), found - found.mean()
    a = np.vdot(from_mean, seen_from_mean) / np.vdot(from_mean, from_mean)
    b = found.mean() - a * place.mean()
    if not abs(a) >= SMALLEST_SIDE:
        raise FitError(f"a face of {abs(a):.0f} px is too small to be cut out")
    matrix = np.array([[a.real, -a.imag, b.real], [a.imag, a.real, b.imag], [0, 0, 1]])
    return FaceCrop(matrix, _region(_apply(np.linalg.inv(matrix), points)))


def cut_out(image: ImageArray, crop: FaceCrop, size: int) -> FloatArray:
    """(size, size, 3) float32 in [-1, 1] of a (height, width, 3) picture; beyond it, its border is repeated."""
    pixels = _resample(image, crop.matrix @ _scale(1 / size), (size, size))
    most = np.float32(np.iinfo(image.dtype).max)
    scaled: FloatArray = np.clip(pixels / most, 0, 1) * 2 - 1
    return scaled


def paste_back(image: ImageArray, crop: FaceCrop, edited: FloatArray) -> ImageArray:
    """A copy of `image` with the edited crop (size, size, 3) in [-1, 1] in its place; outside it bit-identical."""
    window = _window(image, crop)
    if window is None:
        return image.copy()
    shown = np.clip(_resample(edited, _scale(len(edited)) @ window.to_crop, window.shape), -1, 1)
    return _enter(image, window, (shown + 1) / 2)


def carry_back(image: ImageArray, crop: FaceCrop, change: FaceChange) -> ImageArray:
    """A copy of `image` whose face changes so: its own pixels, moved, and the rest added; outside it bit-identical."""
    window = _window(image, crop)
    if window is None:
        return image.copy()
    to_change = _scale(len(change.moves)) @ window.to_crop
    moves = window.say * _resample(change.moves, to_change, window.shape) @ crop.matrix[:2, :2].T
    height, width = window.shape
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
    places = np.dstack([columns + window.box[1].start, rows + window.box[0].start]) + moves
    low = np.maximum(np.floor(places.min(axis=(0, 1))) - 3, 0).astype(int)
    high = np.ceil(places.max(axis=(0, 1))).astype(int) + 4
    own = image[low[1] : high[1], low[0] : high[0]].astype(np.float32) / np.float32(np.iinfo(image.dtype).max)
    moved = cv2.remap(own, (places - low).astype(np.float32), None, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    return _enter(image, window, np.clip(moved + _resample(change.rest, to_change, window.shape) / 2, 0, 1))


@dataclass(frozen=True, slots=True, eq=False)
class _Window:
    """box : rows and columns of the picture that hold the region.  to_crop : (3, 3), from its px to places of the crop.
    say : (height, width, 1) float32, of the edit in each pixel.
    """

    box: tuple[slice, slice]
    to_crop: FloatArray
    say: FloatArray

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width."""
        return self.say.shape[0], self.say.shape[1]


def _window(image: ImageArray, crop: FaceCrop) -> _Window | None:
    """None where the region is outside."""
    box = _box(crop, image.shape[0], image.shape[1])
    if box is None:
        return None
    rows, columns = box
    to_crop = np.linalg.inv(crop.matrix) @ _shift(columns.start, rows.start)
    shape = (rows.stop - rows.start, columns.stop - columns.start)
    say = np.clip(_resample(_say(crop), _scale(MASK_SIDE) @ to_crop, shape), 0, 1)[..., np.newaxis]
    return _Window(box, to_crop, say)


def _enter(image: ImageArray, window: _Window, after: FloatArray) -> ImageArray:
    """A copy of `image` with `after` (height, width, 3) in [0, 1] blended into the window."""
    result = image.copy()
    changed = window.say[..., 0] > 0
    most = np.float32(np.iinfo(image.dtype).max)
    before = image[window.box].astype(np.float32) / most
    red, green, blue = np.moveaxis(image[window.box], 2, 0)
    if np.array_equal(red, green) and np.array_equal(green, blue):  # what has no colours gets none
        after = np.repeat(after @ GREY[:, np.newaxis], 3, axis=2)
    blended = poisson_blend(after.astype(np.float32), before, changed)
    mixed = before + window.say * (blended - before)
    result[window.box][changed] = np.clip(np.rint(mixed[changed] * most), 0, most).astype(image.dtype)
    return result


def _region(points: FloatArray) -> FloatArray:
    """The hull of (68, 2) places and the forehead over them, widened."""
    brows = points[list(BROWS)]
    raised = np.concatenate([points, brows - [0, FOREHEAD], points[list(CHIN)] + [0, FALL]])
    around = np.exp(2j * np.pi * np.arange(16) / 16)
    circle = MARGIN * np.column_stack([around.real, around.imag])
    widened = (raised[:, np.newaxis] + circle).reshape(-1, 2)
    inside = np.clip(widened, EDGE, 1 - EDGE)
    hull: FloatArray = cv2.convexHull(inside.astype(np.float32))[:, 0].astype(np.float64)
    return hull


def _say(crop: FaceCrop) -> FloatArray:
    """(MASK_SIDE, MASK_SIDE) float32: 1 where the crop counts, 0 where the photograph does."""
    grid = (crop.region * MASK_SIDE - 0.5) * 16  # of sixteenths of a pixel
    mask = np.zeros((MASK_SIDE, MASK_SIDE), dtype=np.uint8)
    cv2.fillConvexPoly(mask, np.rint(grid).astype(np.int32), 1, shift=4)
    depth = cv2.distanceTransform(mask, cv2.DIST_L2, cv2.DIST_MASK_PRECISE) - 2  # resampling reaches out by up to two
    share = np.clip(depth / (FEATHER * MASK_SIDE), 0, 1)
    smooth: FloatArray = (share * share * (3 - 2 * share)).astype(np.float32)
    return smooth


def _box(crop: FaceCrop, height: int, width: int) -> tuple[slice, slice] | None:
    """The rows and columns of the picture that hold the region; None where it is outside."""
    outline = _apply(crop.matrix, crop.region)
    left, top = np.maximum(np.floor(outline.min(axis=0)) - 2, 0).astype(int)
    right, bottom = np.minimum(np.ceil(outline.max(axis=0)) + 2, (width, height)).astype(int)
    return (slice(top, bottom), slice(left, right)) if left < right and top < bottom else None


def _resample(pixels: FloatArray | ImageArray, matrix: FloatArray, shape: tuple[int, int]) -> FloatArray:
    """(*shape, ...) float32: at each pixel the value of `pixels` at `matrix` @ its centre.

    Where `pixels` shrink, they are averaged first, so that none is skipped; where they grow, they are cubic.
    """
    height, width = pixels.shape[:2]
    step = float(np.hypot(*matrix[:2, 0]))
    corners = _apply(matrix, np.array([(0, 0), (shape[1], 0), (0, shape[0]), (shape[1], shape[0])], dtype=float))
    reach = 2 * max(step, 1) + 2
    low = np.floor(corners.min(axis=0) - reach).astype(int)
    high = np.ceil(corners.max(axis=0) + reach).astype(int)
    whole = max(math.floor(step), 1)
    n = -(-(high - low) // whole)
    rows = np.clip(np.arange(low[1], low[1] + n[1] * whole), 0, height - 1)
    columns = np.clip(np.arange(low[0], low[0] + n[0] * whole), 0, width - 1)
    cut = pixels[rows[:, np.newaxis], columns].astype(np.float32)
    if whole > 1:
        cut = cv2.resize(cut, (int(n[0]), int(n[1])), interpolation=cv2.INTER_AREA)
    # OpenCV counts from the centre of the first pixel, here places count from its corner.
    within = _shift(-0.5, -0.5) @ _scale(1 / whole) @ _shift(-low[0], -low[1]) @ matrix @ _shift(0.5, 0.5)
    flags = (cv2.INTER_LINEAR if step >= 1 else cv2.INTER_CUBIC) | cv2.WARP_INVERSE_MAP
    found: FloatArray = cv2.warpAffine(cut, within[:2], shape[::-1], flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return found


def _apply(matrix: FloatArray, points: FloatArray) -> FloatArray:
    moved: FloatArray = points @ matrix[:2, :2].T + matrix[:2, 2]
    return moved


def _shift(x: float, y: float) -> FloatArray:
    return np.array([[1.0, 0.0, x], [0.0, 1.0, y], [0.0, 0.0, 1.0]])


def _scale(factor: float) -> FloatArray:
    return np.diag([factor, factor, 1.0])
