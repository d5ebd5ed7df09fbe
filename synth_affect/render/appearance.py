"""What a photograph says of a face's light, of the white of its teeth, and of its skin."""

from __future__ import annotations

import cv2
import numpy as np

from synth_affect.arrays import BoolArray, FloatArray
from synth_affect.render.colour import luminance, srgb_to_linear
from synth_affect.render.spherical_harmonics import Lighting, estimate_lighting


def face_lighting(pixels: FloatArray, normals: FloatArray, skin: BoolArray) -> Lighting:
    """Spherical harmonics from the face's own skin, thinned out to a few thousand pixels.

    pixels : (height, width, 3) float32 sRGB, 0-255.  normals : (height, width, 3).  skin : (height, width) bool.
    """
    rows, columns = np.nonzero(cv2.erode(skin.astype(np.uint8), np.ones((3, 3), np.uint8)))
    step = max(1, len(rows) // 4000)
    rows, columns = rows[::step], columns[::step]
    toward = normals[rows, columns]
    length = np.linalg.norm(toward, axis=1)
    good = length > 0.1
    colours = srgb_to_linear(pixels[rows, columns][good] / 255)
    return estimate_lighting(colours, toward[good] / length[good, None])


ENAMEL = np.array([1.0, 0.94, 0.84], dtype=np.float32)
"""Teeth are yellower than paper (linear RGB)."""
CAST_SHARE = 0.5
"""How far the colour of the light, as the skin and, through reddish vessels, the eyes' white show it, tints teeth."""
SKIN_RANGE = np.array([[1.2, 0.75, 0.44], [2.0, 0.97, 0.9]], dtype=np.float32)
"""Skin of all tones in ordinary light against its luminance (linear RGB); what is beyond is the colour of the light.
Judged on portraits."""
LEAST_CAST = 0.4
LEAST_LEVEL = 1.1
"""Luminance of a tooth against the brighter skin: enamel is paler than the lightest skin, and the white of narrow eyes,
which lies in the shade of brows and lashes, would make it grey."""


def tooth_white(pixels: FloatArray, skin: BoolArray, eye_white: BoolArray) -> FloatArray:
    """(3,) float32 linear RGB of a tooth in the light of this face, read off the eyes' white and the skin.

    pixels : (height, width, 3) float32 sRGB, 0-255.  skin, eye_white : (height, width) bool, where they are seen.
    """
    linear = srgb_to_linear(pixels / 255)
    if not skin.any():
        return 0.6 * ENAMEL
    skin_light = float(np.percentile(luminance(linear[skin]), 75))
    sclera = linear[cv2.erode(eye_white.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0]
    level, tint = 1.1 * skin_light, ENAMEL
    if len(sclera) >= 12:
        level = 1.15 * float(np.percentile(luminance(sclera), 80))
        cast = np.percentile(sclera, 80, axis=0)
        tint = ENAMEL * np.clip(cast / max(float(luminance(cast)), 1e-4), 0.7, 1.3) ** CAST_SHARE
    colour = np.median(linear[skin], axis=0).astype(np.float32)
    colour /= max(float(luminance(colour)), 1e-4)
    tint = (tint * np.maximum(colour / np.clip(colour, *SKIN_RANGE), LEAST_CAST) ** CAST_SHARE).astype(np.float32)
    level = float(np.clip(level, LEAST_LEVEL * skin_light, 2.2 * skin_light))
    white: FloatArray = (level * tint / luminance(tint)).astype(np.float32)
    return _below_clipping(white)


BRIGHTEST = 0.8
"""Teeth stay below clipped white, whatever colour the light has."""


def _below_clipping(white: FloatArray) -> FloatArray:
    shown: FloatArray = np.maximum(white * min(1.0, BRIGHTEST / max(float(white.max()), 1e-6)), 0.01)
    return shown


PALER_THAN_LIPS = 0.06
"""How much less red than the lips what an open mouth shows must be to be teeth."""
OWN_TEETH_PIXELS = 40
OWN_TEETH_LIGHT = (0.5, 2.5)
"""Luminance of visible teeth against that of the skin; what is darker is cavity, what is brighter a reflection."""


def own_tooth_white(
    white: FloatArray, pixels: FloatArray, face: BoolArray, lips: BoolArray, inside: BoolArray
) -> FloatArray:
    """(3,) float32 linear RGB: `white` as bright as the teeth that are seen, and half way to their colour.

    white : (3,) of `tooth_white`, returned as it is where too few teeth are seen to tell.
    pixels : (height, width, 3) float32 sRGB, 0-255.
    face, lips, inside : (height, width) bool, where skin with the lips, lips alone and the mouth's inside are seen.
    """
    within = cv2.erode(inside.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    if int(within.sum()) < OWN_TEETH_PIXELS or not lips.any() or not face.any():
        return white
    seen = srgb_to_linear(pixels[within] / 255)
    light = luminance(seen)
    of_skin = float(np.percentile(luminance(srgb_to_linear(pixels[face] / 255)), 75))
    pale = _redness(pixels[within]) < float(np.median(_redness(pixels[lips]))) - PALER_THAN_LIPS
    teeth = pale & (light > OWN_TEETH_LIGHT[0] * of_skin) & (light < OWN_TEETH_LIGHT[1] * of_skin)
    if int(teeth.sum()) < OWN_TEETH_PIXELS:
        return white
    bright = light[teeth] >= np.median(light[teeth])
    own = np.median(seen[teeth][bright], axis=0)
    mixed = np.sqrt(own * white * (luminance(own) / luminance(white))).astype(np.float32)
    return _below_clipping(mixed)


def _redness(pixels: FloatArray) -> FloatArray:
    """(n,) how far red stands above green and blue, as a share of all three; pixels (n, 3)."""
    redness: FloatArray = (pixels[:, 0] - 0.5 * (pixels[:, 1] + pixels[:, 2])) / (pixels.sum(axis=1) + 3)
    return redness


COLOURED_SKIN = 0.12


def chroma(skin: FloatArray) -> float:
    """Share of colour that a picture has, in [0, 1], read off its skin (n, 3), sRGB 0-255.

    From the median skin colour's saturation; even the palest photographed skin has more than COLOURED_SKIN.
    """
    if len(skin) == 0:
        return 1.0
    median = np.median(skin, axis=0)
    return float(np.clip((median.max() - median.min()) / max(float(median.max()), 1.0) / COLOURED_SKIN, 0, 1))


TEXTURE_BAND_MM = (0.6, 2.2)
TEXTURE_INSIDE_MM = 3.0


def skin_texture(pixels: FloatArray, skin: BoolArray, px_per_mm: float) -> float:
    """How lined or rough the skin looks: median size of log brightness between two widths, away from lids and lips.

    About 0.02 on young, made-up or softly lit faces, 0.05 on lined, bearded or hard-lit ones.
    """
    inner = cv2.erode(skin.astype(np.uint8), np.ones((1 + 2 * round(TEXTURE_INSIDE_MM * px_per_mm),) * 2, np.uint8)) > 0
    if not inner.any():
        return 0.03
    brightness = np.log(luminance(srgb_to_linear(pixels / 255)) + 0.01)
    fine, coarse = (cv2.GaussianBlur(brightness, (0, 0), max(w * px_per_mm, 0.5)) for w in TEXTURE_BAND_MM)
    return float(np.median(np.abs(fine - coarse)[inner]))
