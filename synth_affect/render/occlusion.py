"""What stands in front of a face and must not move with it: glasses, a hand, a microphone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from synth_affect.arrays import BoolArray, FloatArray
from synth_affect.render.face_frame import FaceFrame
from synth_affect.render.foreground import object_in_front
from synth_affect.render.glasses import glasses_frame


@dataclass(frozen=True, slots=True, eq=False)
class Occluders:
    """cover : (height, width) float32 in [0, 1], how much of a pixel is not the face but something in front of it."""

    cover: FloatArray


def find_occluders(
    pixels: FloatArray, skin: BoolArray, eyes: BoolArray, face: BoolArray, frame: FaceFrame
) -> Occluders | None:
    """What stands in front of the face; None when nothing does.

    pixels : (height, width, 3) float32 sRGB, 0-255, of the region.  skin, eyes, face : (height, width) bool, where the
    fitted face has skin, its eyes between the lids, and either or its mouth.
    """
    covers = [glasses_frame(pixels, skin, eyes, frame), object_in_front(pixels, face, frame)]
    found = [cover for cover in covers if cover is not None]
    return Occluders(np.maximum.reduce(found)) if found else None
