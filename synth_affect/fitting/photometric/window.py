"""The square of the picture in which a face lies, in linear light, at the resolutions at which it is compared."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from synth_affect.arrays import FloatArray, ImageArray
from synth_affect.fitting.photometric.device import EXTRA
from synth_affect.optional import import_optional

if TYPE_CHECKING:
    from torch import Tensor

MARGIN = 0.08
"""On each side of the projected face, as a share of its larger extent."""
LARGEST_SIDE = 896
"""Larger windows are thinned out before they are averaged: four times what any level looks at."""


@dataclass(frozen=True, slots=True)
class Window:
    """left, top : px, whole numbers, may lie outside the picture.  side : px."""

    left: int
    top: int
    side: int


def window_around(points_image: FloatArray) -> Window:
    """The window of projected points (n, 2), px."""
    low, high = points_image.min(axis=0), points_image.max(axis=0)
    side = int(np.ceil(max(float((high - low).max()), 4.0) * (1 + 2 * MARGIN)))
    left, top = np.floor((low + high) / 2 - side / 2).astype(int)
    return Window(int(left), int(top), side)


def cut(pixels: ImageArray | FloatArray, window: Window, like: Tensor) -> Tensor:
    """(channels, side, side) in the dtype and on the device of `like`: integers as shares of their full scale, zero
    outside the picture. pixels : (height, width, channels).
    """
    torch = import_optional("torch", EXTRA)
    height, width, channels = pixels.shape
    step = max(1, window.side // LARGEST_SIDE)
    rows = window.top + np.arange(0, window.side, step)
    columns = window.left + np.arange(0, window.side, step)
    inside_rows, inside_columns = (rows >= 0) & (rows < height), (columns >= 0) & (columns < width)
    found = np.zeros((len(rows), len(columns), channels), dtype=pixels.dtype)
    found[np.ix_(inside_rows, inside_columns)] = pixels[np.ix_(rows[inside_rows], columns[inside_columns])]
    scale = {np.dtype(np.uint8): 255, np.dtype(np.uint16): 65535}.get(pixels.dtype, 1)
    shares = torch.as_tensor(found.astype(np.float32) / np.float32(scale), device=like.device)
    made: Tensor = shares.permute(2, 0, 1).to(like.dtype)
    return made


def linear_light(srgb: Tensor) -> Tensor:
    """sRGB in [0, 1] as linear light (IEC 61966-2-1)."""
    torch = import_optional("torch", EXTRA)
    bent = ((srgb.clamp(min=0) + 0.055) / 1.055) ** 2.4
    made: Tensor = torch.where(srgb <= 0.04045, srgb / 12.92, bent)
    return made


def resized(channels: Tensor, side: int) -> Tensor:
    """(channels, side, side) means over the window's pixels; interpolated where there are fewer."""
    torch = import_optional("torch", EXTRA)
    resize = torch.nn.functional.interpolate
    if channels.shape[-1] >= side:
        made: Tensor = resize(channels[None], size=(side, side), mode="area")[0]
    else:
        made = resize(channels[None], size=(side, side), mode="bilinear", align_corners=False)[0]
    return made


def look_up(images: Tensor, places: Tensor) -> tuple[Tensor, Tensor]:
    """Values (batch, n, channels) of images (batch, side, side, channels) at places (batch, n, 2), px, x then y, pixel
    centres at .5; and their derivatives by the place (batch, n, channels, 2).

    Catmull-Rom: what is looked up at first lies on pixel centres, where bilinear values have a kink.
    """
    torch = import_optional("torch", EXTRA)
    batch, height, width, channels = images.shape
    columns, by_x, slope_x = _taps(places[..., 0], width)
    rows, by_y, slope_y = _taps(places[..., 1], height)
    at = (rows[..., :, None] * width + columns[..., None, :]).flatten(1)
    around = images.reshape(batch, height * width, channels).gather(1, at[..., None].expand(-1, -1, channels))
    around = around.reshape(*places.shape[:2], 4, 4, channels)
    along_x, steep_x = (by_x[..., None, :, None] * around).sum(3), (slope_x[..., None, :, None] * around).sum(3)
    values = (by_y[..., None] * along_x).sum(2)
    derivative = torch.stack([(by_y[..., None] * steep_x).sum(2), (slope_y[..., None] * along_x).sum(2)], dim=-1)
    return values, derivative


def _taps(places: Tensor, size: int) -> tuple[Tensor, Tensor, Tensor]:
    """The four pixels around each place (..., 4), their weights, and how these change with the place."""
    torch = import_optional("torch", EXTRA)
    x = (places - 0.5).clamp(0, size - 1)
    first = x.detach().floor()
    t = x - first
    pixels = (first[..., None].long() + torch.arange(-1, 3, device=places.device)).clamp(0, size - 1)
    weights = torch.stack(
        [
            -0.5 * t + t**2 - 0.5 * t**3,
            1 - 2.5 * t**2 + 1.5 * t**3,
            0.5 * t + 2 * t**2 - 1.5 * t**3,
            -0.5 * t**2 + 0.5 * t**3,
        ],
        dim=-1,
    )
    slopes = torch.stack(
        [
            -0.5 + 2 * t - 1.5 * t**2,
            -5 * t + 4.5 * t**2,
            0.5 + 4 * t - 4.5 * t**2,
            -t + 1.5 * t**2,
        ],
        dim=-1,
    )
    return pixels, weights, slopes
