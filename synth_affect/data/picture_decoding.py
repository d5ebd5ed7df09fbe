"""The bytes of a picture file as a `Picture`: formats, damage, size, frames."""

from __future__ import annotations

import contextlib
import struct
import zlib
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import ExifTags, Image, UnidentifiedImageError

from synth_affect.data.exif import exif_to_keep
from synth_affect.data.picture import Picture
from synth_affect.data.picture_channels import (
    is_deep_file,
    profile_of,
    read_deep_channels,
    shallow_channels,
    turned_upright,
)
from synth_affect.errors import InputError, MissingDependencyError
from synth_affect.fitting.native_log import native_log_silenced
from synth_affect.optional import import_optional

READABLE_FORMATS = ("PNG", "JPEG", "WEBP", "AVIF", "TIFF", "BMP", "GIF", "PPM", "JPEG2000")
"""Pillow's names; HEIC comes on top where pillow-heif is installed. Formats that are programs or containers (EPS, PDF,
WMF) are left out.
"""

MAX_PIXELS = 1 << 27
"""134 megapixels, which is 400 MB of them; larger pictures are refused before they are unpacked."""

# What Pillow's readers raise on damaged files: each format's parser has its own ways to stumble.
_DAMAGE = (
    *(OSError, SyntaxError, ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError, EOFError),
    *(RuntimeError, AssertionError, ZeroDivisionError, struct.error, zlib.error),
)


_HEADER = 32


def decode_picture(file: BinaryIO, path: Path) -> Picture:
    """The picture in an open file. Raises InputError, which names `path`, when it is no picture that can be read."""
    try:
        header = file.read(_HEADER)
        if not header:
            raise InputError(path, "the file is empty")
        file.seek(0)
        with _open(file, header, path) as image:
            return _picture(image, file, header, path)
    except UnidentifiedImageError:
        raise InputError(path, f"not a picture ({', '.join(READABLE_FORMATS)} can be read)") from None
    except (Image.DecompressionBombError, MemoryError) as error:
        raise InputError(path, "has too many pixels") from error
    except _DAMAGE as error:
        raise InputError(path, f"a damaged picture ({_first_line(error)})") from error


_HEIC_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")


def _open(file: BinaryIO, header: bytes, path: Path) -> Image.Image:
    try:
        return Image.open(file, formats=READABLE_FORMATS)
    except UnidentifiedImageError:
        if header[4:8] != b"ftyp" or header[8:12] not in _HEIC_BRANDS:
            raise
    try:
        pillow_heif = import_optional("pillow_heif", "heif")
    except MissingDependencyError as error:
        reason = (
            f'a HEIC picture, which cannot be read here: give it as JPEG, or pip install "synth-affect[{error.extra}]"'
        )
        raise InputError(path, reason) from error
    file.seek(0)
    opened = pillow_heif.open_heif(file)
    _check_size(opened.size, path)
    image: Image.Image = opened.to_pillow()  # upright
    image.format = "HEIF"
    return image


def _picture(image: Image.Image, file: BinaryIO, header: bytes, path: Path) -> Picture:
    _check_size(image.size, path)
    file_format = image.format or ""
    # MPO is a phone's JPEG with a depth map or a preview behind the picture.
    n_frames = 1 if file_format == "MPO" else getattr(image, "n_frames", 1)
    if n_frames > 1:
        raise InputError(path, f"has {n_frames} frames; give one of them as a picture of its own")
    deep = is_deep_file(image, header)
    with native_log_silenced() if file_format == "TIFF" else contextlib.nullcontext():
        image.load()
    try:
        orientation, exif = image.getexif().get(ExifTags.Base.Orientation, 1), exif_to_keep(image)
    except _DAMAGE:  # a broken note on the photograph is no reason to refuse the photograph
        orientation, exif = 1, None
    channels = read_deep_channels(file, image) if deep else None
    if channels is None:
        channels = shallow_channels(image, path)
    grey = channels.ndim == 2 or channels.shape[2] == 2
    if channels.ndim == 2:
        channels = channels[..., None]
    n_colours = 1 if grey else 3
    upright = turned_upright(channels, orientation)
    colours = upright[..., :n_colours]
    return Picture(
        pixels=np.repeat(colours, 3, axis=2) if grey else colours,
        alpha=upright[..., n_colours] if upright.shape[2] > n_colours else None,
        icc_profile=profile_of(image, grey=grey),
        exif=exif,
        format="JPEG" if file_format == "MPO" else file_format,
        path=path,
        grey=grey,
    )


def _check_size(size: tuple[int, int], path: Path) -> None:
    width, height = size
    if width * height > MAX_PIXELS:
        raise InputError(path, f"has too many pixels ({width} x {height}; at most {MAX_PIXELS} are read)")


def _first_line(error: BaseException) -> str:
    return str(error).partition("\n")[0] or type(error).__name__
