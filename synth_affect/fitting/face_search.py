"""Where to look for faces in a picture, and which of the finds to believe.

A detector that shrinks what it sees to a small square misses faces that fill the frame and faces that are small in it,
and takes a cat's face for a person's now and then. The cure for the first is to look again through other windows; for
the second, to look twice at each find: a face is seen again from close by and from farther off, a chance pattern not.
Measured with MediaPipe: 18 faces of 17 photographs and paintings were seen again at all eight scales tried, 1.5 to 5
times their size; the chance finds (two cats, a clock) at none, a colour wheel only from close by. Confidence thresholds
below .5 find no face more, and many faces that are none.

Turned faces are a matter of their own. Those 18, turned in steps of 15 degrees, were found and met within 3 % of the
inter-ocular distance up to 75 degrees; from 90 on they were missed, or a face was "found" upside down in them, and
confirmed, in every second picture. So each find is looked at with its own upright up, and once more the other way up;
where both ways show a face, the one that stays where it is when the view is turned a little is the face.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from synth_affect.arrays import FloatArray, ImageArray
from synth_affect.fitting.landmarks import Landmarks
from synth_affect.fitting.markup import LEFT_EYE_OUTER_CORNER, RIGHT_EYE_OUTER_CORNER, interocular_distance_px
from synth_affect.heads.camera import ImageSize

PADDED_SCALES = (1.25, 1.5, 2.0)
"""Sides of the padded windows, as multiples of the picture's long side."""

TILES_PER_SIDE = (2, 4)
"""Each rung of tiles divides the long side by one of these."""

SMALLEST_TILE_PX = 192
"""Faces that only a smaller tile would show are less than some 30 px high, and say nothing about an expression."""

SECOND_LOOK_SCALES = (2.0, 3.0)
"""Sides of the windows of the second look, as multiples of the face's box."""


ENOUGH_PX = 768
"""A view is shrunk as far as it keeps this many pixels on its longer side. MediaPipe looks for faces in 192 of them,
and reads a face, which takes a third of a second look, in 256.
"""

LARGEST_TURNED_VIEW_PX = 512
"""The same where a view is interpolated, which only ever shows one face."""

STEADY_TURN_DEG = 40
"""How far the view is turned to either side to see whether a find stays; a face does up to 75 degrees."""

STEADY_ENOUGH = 0.1
"""In inter-ocular distances. Of 226 finds that were right none moved by more than .02."""

QUARTERS = (0, 90, 270, 180)
"""Turns of the picture that are searched, the likeliest first. The view is an exact copy, and each face in it within 45
degrees of upright in one of them.
"""


@dataclass(frozen=True, slots=True)
class Window:
    """A part of the picture, px; it may reach past the borders.

    turn_deg : the view shows it turned anticlockwise by so much, about its middle: a face that leans to the right by
        turn_deg (its eyes' line falls to the right) is upright in it. Where it is no count of quarters, the window is
        square.

    Convention: a view turned by 90 degrees of a window of width 3 and height 2 is 2 wide and 3 high, and its pixel at
    (0.5, 0.5) is the window's at (2.5, 0.5).
    """

    left: int
    top: int
    width: int
    height: int
    turn_deg: float = 0.0

    @property
    def view_size(self) -> ImageSize:
        """Of the view; that of the window with its sides swapped after an odd count of quarters."""
        if round(self.turn_deg / 90) % 2 and self.turn_deg % 90 == 0:
            return ImageSize(self.width, self.height)
        return ImageSize(self.height, self.width)


Look = Callable[[Window], list[Landmarks]]
"""Finds faces in a window; the landmarks are in the picture's coordinates."""


def find_faces(look: Look, size: ImageSize, *, small_faces: bool = False) -> list[Landmarks]:
    """The faces of a picture, largest box first, each once.

    small_faces : look through the tiles also when the whole picture showed a face; otherwise the search ends at the
        first rung that shows one. Turned copies of the picture are searched when it shows none, or one that is turned.
    """
    faces: list[Landmarks] = []
    for quarter in QUARTERS:
        if faces and not any(_upright(face) == quarter for face in faces):
            continue
        for windows in search_rungs(size):
            views = [replace(window, turn_deg=quarter) for window in windows]
            finds = [(view, face) for view in views for face in look(view)]
            # A face that a window's border cuts is placed badly: of several views of one face the most central goes
            # first.
            finds.sort(key=lambda find: _distance_to_centre(*find))
            for _, find in finds:
                if any(overlap(find, face) > _SAME_FACE for face in faces):
                    continue
                seen = confirmed(look, find)
                if seen is not None and all(overlap(seen, other) <= _SAME_FACE for other in faces):
                    faces.append(seen)
            if faces and not small_faces:
                break
    return sorted(faces, key=lambda face: (-_area(box(face)), *box(face)))


def search_rungs(size: ImageSize) -> Iterator[list[Window]]:
    """Windows to look through, from the likeliest to the last resort: the picture, the picture padded, tiles of it."""
    yield [Window(0, 0, size.width, size.height)]
    long_side = max(size.width, size.height)
    for scale in PADDED_SCALES:
        side = round(scale * long_side)
        yield [Window((size.width - side) // 2, (size.height - side) // 2, side, side)]
    sides = {max(-(-long_side // divisor), SMALLEST_TILE_PX) for divisor in TILES_PER_SIDE}
    for side in sorted(sides, reverse=True):
        if side < long_side:
            yield [
                Window(left, top, side, side)
                for top in _tile_starts(size.height, side)
                for left in _tile_starts(size.width, side)
            ]


def _tile_starts(length: int, side: int) -> list[int]:
    """Neighbours overlap by at least a half, so that each face up to half a tile is whole in one of them."""
    if length <= side:
        return [(length - side) // 2]
    n_steps = -(-2 * (length - side) // side)
    return [round(i * (length - side) / n_steps) for i in range(n_steps + 1)]


def confirmed(look: Look, find: Landmarks) -> Landmarks | None:
    """The face `find` as the second look has it, the right way up; None when it is not seen again.

    Faces that lie or stand on their head are rare in pictures, chance patterns are not: they must also hold still.
    """
    seen = second_look(look, find)
    if seen is None:
        return None
    # A face and what is seen in it upside down share no more than the middle: their boxes overlap by .42 to .54.
    around = _window_about(seen, SECOND_LOOK_SCALES[0], _upright(seen) + 180)
    other_way = _most_overlapping(look(around), seen, _SAME_FACE)
    other = None if other_way is None or _upright(other_way) == _upright(seen) else second_look(look, other_way)
    ways = [seen] if other is None or _upright(other) == _upright(seen) else [seen, other]
    if ways == [seen] and _upright(seen) == 0:
        return seen
    unsteadiness, face = min(((_unsteadiness(look, way), way) for way in ways), key=lambda pair: pair[0])
    return face if unsteadiness <= STEADY_ENOUGH or _upright(face) == 0 else None


def second_look(look: Look, find: Landmarks) -> Landmarks | None:
    """The face `find` seen again from each of SECOND_LOOK_SCALES, or None when one of these views does not show it.

    The mean of the views is returned, not `find`: one view of a detector is off by 0.74 % of the inter-ocular distance
    (mean over 17 pictures, against the mean of 24 views), the mean of these two by 0.39 %. The views are turned by the
    quarters that bring the find nearest to upright; when it then turns out to stand otherwise, once more.
    """
    turn = _upright(find)
    seen = _mean_of_views(look, find, turn)
    if seen is not None and _upright(seen) != turn:
        again = _mean_of_views(look, seen, _upright(seen))
        return again if again is not None else seen
    return seen


def _mean_of_views(look: Look, find: Landmarks, turn_deg: float) -> Landmarks | None:
    views: list[Landmarks] = []
    for scale in SECOND_LOOK_SCALES:
        seen = _most_overlapping(look(_window_about(find, scale, turn_deg)), find, _SEEN_AGAIN)
        if seen is None:
            return None
        views.append(seen)
    return Landmarks(
        points_image=np.mean([view.points_image for view in views], axis=0),
        blendshapes={name: float(np.mean([view.blendshapes[name] for view in views])) for name in views[0].blendshapes},
    )


def _unsteadiness(look: Look, face: Landmarks) -> float:
    """Mean distance of the landmarks in two views turned to either side, in inter-ocular distances; infinite where one
    of them does not show the face.
    """
    points: list[FloatArray] = []
    for turn in (-STEADY_TURN_DEG, STEADY_TURN_DEG):
        window = _window_about(face, SECOND_LOOK_SCALES[0], roll_deg(face) + turn)
        seen = _most_overlapping(look(window), face, _SEEN_AGAIN)
        if seen is None:
            return math.inf
        points.append(seen.points_image[:, :2])
    return float(np.linalg.norm(points[0] - points[1], axis=1).mean()) / max(
        interocular_distance_px(face.points_image), 1e-9
    )


def _window_about(face: Landmarks, scale: float, turn_deg: float) -> Window:
    left, top, right, bottom = box(face)
    side = max(1, round(scale * max(right - left, bottom - top)))
    return Window(round((left + right - side) / 2), round((top + bottom - side) / 2), side, side, turn_deg % 360)


def _most_overlapping(seen: list[Landmarks], face: Landmarks, least: float) -> Landmarks | None:
    nearest = max(seen, key=lambda other: overlap(other, face), default=None)
    return nearest if nearest is not None and overlap(nearest, face) > least else None


def roll_deg(face: Landmarks) -> float:
    """How far the line from the subject's right to the left eye falls to the right of the picture, in (-180, 180]."""
    x, y = (face.points_image[LEFT_EYE_OUTER_CORNER] - face.points_image[RIGHT_EYE_OUTER_CORNER])[:2].tolist()
    return math.degrees(math.atan2(y, x))


def _upright(face: Landmarks) -> int:
    """The quarters, degrees, by which a view is to be turned for the face to stand nearest to upright."""
    return round(roll_deg(face) / 90) * 90 % 360


# Intersection over union. Views of one face were measured to have .93 and more.
_SAME_FACE = 0.3
_SEEN_AGAIN = 0.5


def box(face: Landmarks) -> tuple[float, float, float, float]:
    """left, top, right, bottom of the landmarks, px."""
    left, top = face.points_image[:, :2].min(axis=0).tolist()
    right, bottom = face.points_image[:, :2].max(axis=0).tolist()
    return left, top, right, bottom


def overlap(a: Landmarks, b: Landmarks) -> float:
    """Intersection over union of two faces' boxes, in [0, 1]."""
    box_a, box_b = box(a), box(b)
    intersection = _area(
        (max(box_a[0], box_b[0]), max(box_a[1], box_b[1]), min(box_a[2], box_b[2]), min(box_a[3], box_b[3]))
    )
    union = _area(box_a) + _area(box_b) - intersection
    return intersection / union if union > 0 else 0.0


def crop(image: ImageArray, window: Window, shrink: int = 1) -> ImageArray:
    """The view of `window`, contiguous; black where it reaches past the picture.

    shrink : each pixel is the mean of a square of so many by so many; both sides of the window are multiples of it.
    Turned by quarters it is made of the picture's own pixels; turned otherwise, interpolated, at a size of its own.
    """
    quarters, rest = divmod(window.turn_deg, 90)
    if rest:
        return _turned_view(image, window)
    upright = _inside(image, window) if shrink == 1 else _shrunk(image, window, shrink)
    view: npt.NDArray[Any] = np.ascontiguousarray(np.rot90(upright, int(quarters)))
    return view


def shrinkable(window: Window) -> tuple[Window, int]:
    """`window` and by how much its view may be shrunk, so that memory is bounded and nothing is lost to the detector.

    The window grows at its right and lower border to a multiple of that number.
    """
    shrink = max(1, max(window.width, window.height) // ENOUGH_PX)
    width, height = (-(-side // shrink) * shrink for side in (window.width, window.height))
    return replace(window, width=width, height=height), shrink


def view_to_picture(points: FloatArray, window: Window) -> FloatArray:
    """(n, 2) px of the view of `window` as px of the picture; see Window for the convention."""
    turn = math.radians(window.turn_deg)
    cosine, sine = math.cos(turn), math.sin(turn)
    view = window.view_size
    from_middle = points - np.array([view.width / 2, view.height / 2])
    middle = np.array([window.left + window.width / 2, window.top + window.height / 2])
    turned: FloatArray = from_middle @ np.array([[cosine, sine], [-sine, cosine]]) + middle
    return turned


def _turned_view(image: ImageArray, window: Window) -> ImageArray:
    """As much of the view as the detector resolves, at a size of its own."""
    import cv2

    side = window.width
    size = min(side, LARGEST_TURNED_VIEW_PX)
    # Three corners of the view in the picture; OpenCV's pixels lie at whole numbers.
    corners = np.array([[0, 0], [side, 0], [0, side]], dtype=np.float64)
    there = (view_to_picture(corners, window) - 0.5).astype(np.float32)
    here = (corners * size / side - 0.5).astype(np.float32)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    view: ImageArray = cv2.warpAffine(image, cv2.getAffineTransform(here, there), (size, size), flags=flags)
    return view


def _inside(image: ImageArray, window: Window) -> ImageArray:
    height, width = image.shape[:2]
    top, bottom = np.clip((window.top, window.top + window.height), 0, height).tolist()
    left, right = np.clip((window.left, window.left + window.width), 0, width).tolist()
    inside: npt.NDArray[Any] = image[top:bottom, left:right]
    if inside.shape[:2] == (window.height, window.width):
        return inside
    out = np.zeros((window.height, window.width, image.shape[2]), image.dtype)
    out[top - window.top : bottom - window.top, left - window.left : right - window.left] = inside
    return out


_BAND = 64


def _shrunk(image: ImageArray, window: Window, shrink: int) -> ImageArray:
    """The upright view, averaged; only where the picture is, and in bands of rows, so that no second picture of full
    size comes to be.
    """
    view = np.zeros((window.height // shrink, window.width // shrink, image.shape[2]), image.dtype)
    top, bottom = _squares_with_picture(window.top, image.shape[0], shrink, view.shape[0])
    left, right = _squares_with_picture(window.left, image.shape[1], shrink, view.shape[1])
    if left < right:
        for row in range(top, bottom, _BAND):
            n_rows = min(_BAND, bottom - row)
            band = Window(
                window.left + left * shrink, window.top + row * shrink, (right - left) * shrink, n_rows * shrink
            )
            view[row : row + n_rows, left:right] = _averaged(_inside(image, band), shrink)
    return view


def _squares_with_picture(start: int, length: int, shrink: int, n_squares: int) -> tuple[int, int]:
    """Which of a view's squares along an axis touch the picture. start : of the window, length : of the picture, px."""
    return max(0, -start // shrink), min(n_squares, -(-(length - start) // shrink))


def _averaged(pixels: ImageArray, shrink: int) -> ImageArray:
    import cv2

    height, width = pixels.shape[0] // shrink, pixels.shape[1] // shrink
    small: ImageArray = cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA)
    return small


def _area(bounds: tuple[float, float, float, float]) -> float:
    left, top, right, bottom = bounds
    return max(right - left, 0.0) * max(bottom - top, 0.0)


def _distance_to_centre(window: Window, face: Landmarks) -> float:
    """Of the face's box to the window's centre, along the worse axis, in half windows."""
    left, top, right, bottom = box(face)
    across = abs((left + right) / 2 - window.left - window.width / 2) / (window.width / 2)
    down = abs((top + bottom) / 2 - window.top - window.height / 2) / (window.height / 2)
    return max(across, down)
