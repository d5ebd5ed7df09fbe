"""Text and panels of the sheets that people read: reports and contact sheets."""

from __future__ import annotations

import functools
from dataclasses import replace

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from synth_affect.arrays import FloatArray, ImageArray
from synth_affect.data.pictures import Picture

PAPER = (255, 255, 255)
INK = (30, 30, 30)
FAINT_INK = (120, 120, 120)
Font = ImageFont.ImageFont | ImageFont.FreeTypeFont


@functools.cache
def font(size_px: int) -> Font:
    """The font that Pillow carries; the same on every machine."""
    return ImageFont.load_default(size_px)


def resized(pixels: ImageArray | FloatArray, height: int, width: int) -> ImageArray:
    """(height, width, channels) of `pixels`, averaged where it shrinks and bicubic where it grows."""
    shrinks = height < pixels.shape[0]
    scaled: ImageArray = cv2.resize(
        np.ascontiguousarray(pixels), (width, height), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
    )
    return scaled


def blank(height: int, width: int) -> Image.Image:
    """A white sheet."""
    return Image.new("RGB", (width, height), PAPER)


def write(
    draw: ImageDraw.ImageDraw,
    xy: tuple[float, float],
    text: str,
    size_px: int,
    *,
    anchor: str = "mm",
    ink: tuple[int, int, int] = INK,
) -> None:
    """`text` at `xy` px; anchor as in Pillow ("mm": centred)."""
    draw.text(xy, text, fill=ink, font=font(size_px), anchor=anchor)


def on_paper(sheet: ImageArray, picture: Picture) -> Picture:
    """`sheet` as a picture file in the colour space of `picture`, and with nothing else of it."""
    # A sheet has colours of its own, for which a profile of greys says nothing.
    profile = None if picture.grey else picture.icc_profile
    return replace(picture, pixels=sheet, alpha=None, exif=None, icc_profile=profile, grey=False)
