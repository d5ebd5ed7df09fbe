"""Where to look for faces in a picture, and which of the finds to believe.

A detector that shrinks what it sees to a small square misses faces that fill the frame and faces that are small in it,
and takes a cat's face for a person's now and then. The cure for the first is to look again through other windows; for
the second, to look twice at each find: a face is seen again from close by and from farther off, a chance pattern not.
Measured with MediaPipe: 18 faces of 17 photographs and paintings were seen again at all eight scales tried, 1.5 to 5
times their size; the chance finds (two cats, a clock) at none, a colour wheel only from close by. Confidence thresholds
below .5 find no face more, and many faces that are none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from synth_affect.arrays import ImageArray
from synth_affect.fitting.landmarks import Landmarks
from synth_affect.heads.camera import ImageSize

PADDED_SCALES = (1.25, 1.5, 2.0)
"""Sides of the padded windows, as multiples of the picture's long side."""

TILES_PER_SIDE = (2, 4)
"""Each rung of tiles divides the long side by one of these."""

SMALLEST_TILE_PX = 192
"""Faces that only a smaller tile would show are less than some 30 px high, and say nothing about an expression."""

SECOND_LOOK_SCALES = (2.0, 3.0)
"""Sides of the windows of the second look, as multiples of the face's box."""


@dataclass(frozen=True, slots=True)
class Window:
    """A part of the picture, px; it may reach past the borders."""

    left: int
    top: int
    width: int
    height: int


Look = Callable[[Window], list[Landmarks]]
"""Finds faces in a window; the landmarks are in the picture's coordinates."""


def find_faces(look: Look, size: ImageSize, *, small_faces: bool = False) -> list[Landmarks]:
    """The faces of a picture, largest box first, each once.

    small_faces : look through the tiles also when the whole picture showed a face; otherwise the search ends at the
        first rung that shows one.
    """
    faces: list[Landmarks] = []
    for windows in search_rungs(size):
        finds = [(window, face) for window in windows for face in look(window)]
        # A face that a window's border cuts is placed badly: of several views of one face the most central goes first.
        finds.sort(key=lambda find: _distance_to_centre(*find))
        for _, find in finds:
            if any(overlap(find, face) > _SAME_FACE for face in faces):
                continue
            face = second_look(look, find)
            if face is not None and all(overlap(face, other) <= _SAME_FACE for other in faces):
                faces.append(face)
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


def second_look(look: Look, find: Landmarks) -> Landmarks | None:
    """The face `find` seen again from each of SECOND_LOOK_SCALES, or None when one of these views does not show it.

    The mean of the views is returned, not `find`: one view of a detector is off by 0.74 % of the inter-ocular distance
    (mean over 17 pictures, against the mean of 24 views), the mean of these two by 0.39 %.
    """
    left, top, right, bottom = box(find)
    views: list[Landmarks] = []
    for scale in SECOND_LOOK_SCALES:
        side = max(1, round(scale * max(right - left, bottom - top)))
        window = Window(round((left + right - side) / 2), round((top + bottom - side) / 2), side, side)
        seen = max(look(window), key=lambda face: overlap(face, find), default=None)
        if seen is None or overlap(seen, find) <= _SEEN_AGAIN:
            return None
        views.append(seen)
    return Landmarks(
        points_image=np.mean([view.points_image for view in views], axis=0),
        blendshapes={name: float(np.mean([view.blendshapes[name] for view in views])) for name in views[0].blendshapes},
    )


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


def crop(image: ImageArray, window: Window) -> ImageArray:
    """The pixels of `window` as a contiguous array; black where it reaches past the picture."""
    height, width = image.shape[:2]
    top, bottom = np.clip((window.top, window.top + window.height), 0, height).tolist()
    left, right = np.clip((window.left, window.left + window.width), 0, width).tolist()
    inside: npt.NDArray[Any] = image[top:bottom, left:right]
    if inside.shape[:2] == (window.height, window.width):
        return np.ascontiguousarray(inside)
    out = np.zeros((window.height, window.width, image.shape[2]), image.dtype)
    out[top - window.top : bottom - window.top, left - window.left : right - window.left] = inside
    return out


def _area(bounds: tuple[float, float, float, float]) -> float:
    left, top, right, bottom = bounds
    return max(right - left, 0.0) * max(bottom - top, 0.0)


def _distance_to_centre(window: Window, face: Landmarks) -> float:
    """Of the face's box to the window's centre, along the worse axis, in half windows."""
    left, top, right, bottom = box(face)
    across = abs((left + right) / 2 - window.left - window.width / 2) / (window.width / 2)
    down = abs((top + bottom) / 2 - window.top - window.height / 2) / (window.height / 2)
    return max(across, down)
