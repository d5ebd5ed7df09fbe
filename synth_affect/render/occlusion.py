"""What stands in front of a face and must not move with it: glasses, a hand, a microphone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from synth_affect.arrays import BoolArray, FloatArray
from synth_affect.render.colour import luminance
from synth_affect.render.face_frame import FaceFrame
from synth_affect.render.glasses import glasses_frame


@dataclass(frozen=True, slots=True, eq=False)
class Occluders:
    """cover : (height, width) float32 in [0, 1], how much of a pixel is not the face but something in front of it."""

    cover: FloatArray


def find_occluders(
    pixels: FloatArray, on_face: BoolArray, eyes: BoolArray, frame: FaceFrame, px_per_mm: float
) -> Occluders | None:
    """What stands in front of the face; None when nothing does.

    pixels : (height, width, 3) float32 sRGB, 0-255, of the region.  on_face, eyes : (height, width) bool, where the fitted
    face and its eyes between the lids are.
    """
    if not on_face.any():
        return None
    skin_light = float(np.median(luminance(pixels[on_face][::7])))
    glasses = glasses_frame(pixels, on_face, eyes, frame, skin_light)
    return None if glasses is None else Occluders(glasses)
