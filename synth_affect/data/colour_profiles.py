"""ICC profiles: which belong to a picture's pixels, and the way into sRGB for pixels that are neither RGB nor grey."""

from __future__ import annotations

import functools
import io
import struct

from PIL import Image, ImageCms

_SPACE = slice(16, 20)
_CREATED = slice(24, 36)
"""Fields of an ICC header: the colour space, and six numbers from year to second."""

_FAILURES = (ImageCms.PyCMSError, OSError, ValueError, TypeError)


@functools.cache
def srgb_profile() -> bytes:
    """An sRGB profile. Its date is fixed, because the same picture must give the same bytes tomorrow."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    profile[_CREATED] = struct.pack(">6H", 2020, 1, 1, 0, 0, 0)
    return bytes(profile)


def usable_profile(profile: bytes | None, space: str) -> bytes | None:
    """`profile` when it can be opened and is one for `space` ("RGB", "GRAY"); others do not fit the pixels."""
    if not profile or profile[_SPACE] != space.encode().ljust(4):
        return None
    try:
        ImageCms.ImageCmsProfile(io.BytesIO(profile))
    except _FAILURES:
        return None
    return profile


def to_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """`image` (CMYK, LAB or grey) as sRGB, through `profile`; where that is absent or broken, as Pillow guesses.

    Inks have no meaning without a profile; LAB is its own.
    """
    if image.mode == "LAB":
        return _converted(image, ImageCms.createProfile("LAB")) or image.getchannel(0).convert("RGB")
    if profile:
        try:
            opened = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        except _FAILURES:
            opened = None
        if opened is not None:
            converted = _converted(image, opened)
            if converted is not None:
                return converted
    return image.convert("RGB")


def _converted(image: Image.Image, profile: object) -> Image.Image | None:
    try:
        return ImageCms.profileToProfile(image, profile, ImageCms.createProfile("sRGB"), outputMode="RGB")  # type: ignore[arg-type]
    except _FAILURES:
        return None
