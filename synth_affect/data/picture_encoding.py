"""Pixels as the bytes of a picture file that carries its provenance, profile and EXIF."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, PngImagePlugin

from synth_affect.arrays import ImageArray, as_uint8
from synth_affect.data.exif import tiff_directory
from synth_affect.data.picture import Picture
from synth_affect.data.picture_channels import DEEP_FORMATS
from synth_affect.data.provenance import Provenance, xmp_packet
from synth_affect.errors import InputError, ShapeError

FORMAT_OF_SUFFIX = {
    ".png": "PNG",
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".webp": "WEBP",
    ".avif": "AVIF",
    ".tif": "TIFF",
    ".tiff": "TIFF",
}
"""What is written. Only formats that carry an XMP packet: no picture leaves without saying that it is synthetic."""

DEFAULT_QUALITY = 95

_GREY_FORMATS = ("PNG", "TIFF", "JPEG")
"""Of which the writers know grey."""


def encode_picture(
    pixels: ImageArray, path: Path, like: Picture, provenance: Provenance, *, quality: int = DEFAULT_QUALITY
) -> bytes:
    """`pixels` in the format of the suffix of `path`, with `provenance` as the XMP packet; nothing is written.

    pixels : (height, width, 3), of the size and dtype of `like`, whose alpha (not in JPEG, which has none), ICC profile
        and EXIF are kept.  16 bits stay in PNG and TIFF and become 8 elsewhere; a grey `like` gives a grey picture in
        PNG, TIFF and JPEG (but grey of 16 bits with alpha is stored as RGB), and an sRGB one elsewhere.
    quality : of JPEG (without chroma subsampling), WebP and AVIF, 1 to 100; PNG and TIFF are lossless.
    Raises InputError when the format cannot hold the picture.
    """
    file_format = format_of(path)
    if pixels.shape != like.pixels.shape:
        raise ShapeError("pixels", like.pixels.shape, pixels.shape)
    if pixels.dtype != like.pixels.dtype:
        raise ShapeError("pixels", str(like.pixels.dtype), str(pixels.dtype))
    check_quality(quality)
    alpha = like.alpha if file_format != "JPEG" else None
    if file_format not in DEEP_FORMATS:
        pixels, alpha = as_uint8(pixels), None if alpha is None else as_uint8(alpha)
    channels, icc_profile = _channels(pixels, like, grey_possible=file_format in _GREY_FORMATS)
    if alpha is not None:
        channels = np.dstack([channels, alpha])
    xmp = xmp_packet(provenance)
    try:
        if channels.dtype == np.uint16:
            return _encode_deep(channels, file_format, icc_profile, like.exif, xmp)
        encoded = io.BytesIO()
        options = _save_options(file_format, icc_profile, like.exif, xmp, quality)
        Image.fromarray(np.ascontiguousarray(channels)).save(encoded, file_format, **options)
    except (OSError, ValueError, KeyError) as error:  # more than the format can hold, or no such encoder
        raise InputError(path, f"cannot be written as {file_format} ({error})") from error
    return encoded.getvalue()


def check_quality(quality: int) -> None:
    """Raises InputError for a quality outside 1 to 100."""
    if not 1 <= quality <= 100:
        raise InputError("--quality", f"{quality} is not a whole number from 1 to 100")


def format_of(path: Path) -> str:
    """Pillow's name of the format of the suffix. Raises InputError for one that is not written."""
    try:
        return FORMAT_OF_SUFFIX[path.suffix.lower()]
    except KeyError:
        raise InputError(path, f"pictures are written as {', '.join(FORMAT_OF_SUFFIX)}") from None


def _channels(
    pixels: ImageArray, like: Picture, *, grey_possible: bool
) -> tuple[npt.NDArray[np.unsignedinteger[Any]], bytes | None]:
    """What is stored of `pixels`, (height, width) or (height, width, 3), and the profile that goes with it."""
    if not like.grey:
        return pixels, like.icc_profile
    grey = luma(pixels)
    if grey_possible:
        return grey, like.icc_profile
    if like.icc_profile is None:
        return np.dstack([grey] * 3), None
    from synth_affect.data.colour_profiles import srgb_profile, to_srgb

    return np.asarray(to_srgb(Image.fromarray(grey), like.icc_profile)), srgb_profile()


def luma(pixels: ImageArray) -> npt.NDArray[np.unsignedinteger[Any]]:
    """(height, width) of the dtype of `pixels`: ITU-R BT.601's weights in 1/65536, as Pillow has them; equal channels
    give their own value.
    """
    red, green, blue = (pixels[..., i].astype(np.uint32) for i in range(3))
    weighted = (19595 * red + 38470 * green + 7471 * blue + 32768) >> 16
    return weighted.astype(pixels.dtype)


def _encode_deep(
    channels: npt.NDArray[np.uint16], file_format: str, icc_profile: bytes | None, exif: bytes | None, xmp: bytes
) -> bytes:
    from synth_affect.data.deep_pixels import encode_deep_png, encode_deep_tiff

    if channels.ndim == 3 and channels.shape[2] == 2:
        channels = channels[..., [0, 0, 0, 1]]  # OpenCV writes no grey with alpha, and Pillow reads none from TIFF
        icc_profile = None  # one for grey does not fit these channels
    if file_format == "PNG":
        return encode_deep_png(channels, xmp=xmp, icc_profile=icc_profile, exif=exif)
    return encode_deep_tiff(channels, tiff_directory(exif, xmp), icc_profile=icc_profile)


def _save_options(
    file_format: str, icc_profile: bytes | None, exif: bytes | None, xmp: bytes, quality: int
) -> dict[str, Any]:
    options: dict[str, Any] = {}
    if icc_profile is not None:
        options["icc_profile"] = icc_profile
    if exif is not None:
        options["exif"] = exif
    match file_format:
        case "PNG":
            text = PngImagePlugin.PngInfo()
            text.add_itxt("XML:com.adobe.xmp", xmp.decode())
            options["pnginfo"] = text
        case "JPEG":
            options |= {"xmp": xmp, "quality": quality, "subsampling": "4:4:4"}
        case "WEBP":
            options |= {"xmp": xmp, "quality": quality}
        case "AVIF":
            # One thread and one tile: the bytes must not depend on the machine's count of cores.
            options |= {"xmp": xmp, "quality": quality, "subsampling": "4:4:4", "max_threads": 1, "autotiling": False}
        case "TIFF":
            # EXIF and XMP are tags among the file's own. And no compression: the writer that compresses fails on
            # EXIF's own directory.
            options = {"tiffinfo": tiff_directory(exif, xmp), "icc_profile": icc_profile}
    return options
