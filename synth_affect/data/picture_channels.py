"""What an opened picture's pixels are: their depth, their colours, which way up they stand."""

from __future__ import annotations

from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt
from PIL import Image

from synth_affect.errors import InputError

DEEP_FORMATS = ("PNG", "TIFF")
"""Of which 16 bits a channel are read and written."""


def is_deep_file(image: Image.Image, header: bytes) -> bool:
    """Whether the file, which starts with `header`, has 16 bits a channel."""
    if image.format not in DEEP_FORMATS:
        return False
    from synth_affect.data.deep_pixels import is_deep

    return is_deep(image, header)


def read_deep_channels(file: BinaryIO, image: Image.Image) -> npt.NDArray[np.uint16] | None:
    """The 16-bit channels in the bytes of `file`; None where Pillow has to read them."""
    from synth_affect.data.deep_pixels import read_deep

    file.seek(0)
    return read_deep(file.read(), image)


_DEEP_MODES = ("I", "I;16", "I;16B", "I;16L", "I;16N")


def shallow_channels(image: Image.Image, path: Path) -> npt.NDArray[np.unsignedinteger[Any]]:
    """(height, width) grey or (height, width, 2 to 4) grey and alpha, RGB, RGB and alpha, as Pillow reads them."""
    if image.mode == "F":
        raise InputError(path, "its pixels are floating-point numbers; give a picture of 8 or 16 bits")
    if image.mode in _DEEP_MODES:
        numbers = np.asarray(image)
        if numbers.min() < 0 or numbers.max() > 65535:
            raise InputError(path, "its pixels are 32-bit numbers; give a picture of 8 or 16 bits")
        return numbers.astype(np.uint16)
    if image.mode in ("CMYK", "LAB"):
        from synth_affect.data.colour_profiles import to_srgb

        return _samples(to_srgb(image, image.info.get("icc_profile")))
    grey = image.mode in ("1", "L", "LA", "La")
    mode = ("L" if grey else "RGB") + ("A" if image.has_transparency_data else "")
    # One value of transparency makes a mode of its own necessary, and Pillow applies it on the way there.
    return _samples(image if image.mode == mode else image.convert(mode))


_BAND_ROWS = 256


def _samples(image: Image.Image) -> npt.NDArray[np.uint8]:
    """np.asarray(image), in bands, because Pillow makes two more copies on the way; of 8 bits a sample."""
    n_channels = len(image.getbands())
    samples = np.empty((image.height, image.width) + ((n_channels,) if n_channels > 1 else ()), np.uint8)
    for top in range(0, image.height, _BAND_ROWS):
        bottom = min(top + _BAND_ROWS, image.height)
        samples[top:bottom] = np.asarray(image.crop((0, top, image.width, bottom)))
    return samples


def turned_upright(
    channels: npt.NDArray[np.unsignedinteger[Any]], orientation: int
) -> npt.NDArray[np.unsignedinteger[Any]]:
    """(height, width, n) as EXIF's orientation 1 to 8 says it is to be seen; other numbers say nothing."""
    match orientation:
        case 2:
            return channels[:, ::-1]
        case 3:
            return channels[::-1, ::-1]
        case 4:
            return channels[::-1]
        case 5:
            return channels.swapaxes(0, 1)
        case 6:
            return channels[::-1].swapaxes(0, 1)
        case 7:
            return channels[::-1, ::-1].swapaxes(0, 1)
        case 8:
            return channels[:, ::-1].swapaxes(0, 1)
    return channels


def profile_of(image: Image.Image, *, grey: bool) -> bytes | None:
    """Of the pixels as they were read."""
    profile: bytes | None = image.info.get("icc_profile")
    if profile is None and image.mode != "LAB":
        return None
    from synth_affect.data.colour_profiles import srgb_profile, usable_profile

    if image.mode == "LAB" or (image.mode == "CMYK" and profile is not None):
        return srgb_profile()
    return usable_profile(profile, "GRAY" if grey else "RGB")
