"""Pixels of 16 bits a channel in PNG and TIFF, which Pillow reads and writes at 8 bits where they are in colour.

OpenCV decodes them and encodes PNG; what a file says beside its pixels (profile, EXIF, XMP) stays with Pillow.
"""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from PIL import ExifTags, Image, TiffImagePlugin

from synth_affect.fitting.native_log import native_log_silenced

Deep = npt.NDArray[np.uint16]

_WHITE_IS_ZERO = 0
_CONTIGUOUS = 1


def is_deep(image: Image.Image, header: bytes) -> bool:
    """Whether an opened PNG or TIFF has 16 bits a channel in a layout that `read_deep` knows: grey or RGB, with or
    without straight alpha.

    header : the first 25 bytes of the file.
    """
    if image.format == "PNG":
        return header[24] == 16
    if image.format != "TIFF":
        return False
    tags: Any = image.tag_v2  # type: ignore[attr-defined]
    bits = tags.get(ExifTags.Base.BitsPerSample, ())
    planes = tags.get(ExifTags.Base.PlanarConfiguration, _CONTIGUOUS)
    return set(bits) == {16} and planes == _CONTIGUOUS and image.mode in ("I;16", "I;16B", "RGB", "RGBA")


def read_deep(content: bytes, loaded: Image.Image) -> Deep | None:
    """(height, width) or (height, width, 2 to 4) uint16: grey, grey and alpha, RGB, RGB and alpha.

    None where OpenCV and Pillow do not see the same picture; then Pillow's 8 bits are the safer ones.

    content : the file.  loaded : the same, opened and loaded by Pillow, which has checked that it is whole.
    TIFF comes turned as its orientation says, as Pillow's does; PNG as it is stored.
    """
    try:
        with native_log_silenced():
            decoded = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)
    except cv2.error:
        return None
    if decoded is None or decoded.dtype != np.uint16:
        return None
    if decoded.ndim == 3:
        decoded = np.concatenate([decoded[..., 2::-1], decoded[..., 3:]], axis=2)
    shallow = np.asarray(loaded)
    if decoded.shape[:2] != shallow.shape[:2]:
        return None
    if decoded.ndim == 2:
        # Pillow keeps grey at 16 bits, but hands it out as stored even where 0 is white.
        agree = shallow.ndim == 2 and np.array_equal(decoded, shallow)
        white_is_zero = loaded.format == "TIFF" and _photometric(loaded) == _WHITE_IS_ZERO
        return (65535 - decoded if white_is_zero else decoded) if agree else None
    n_channels = min(decoded.shape[2], shallow.shape[2]) if shallow.ndim == 3 else 0
    # Pillow keeps the upper byte.
    if n_channels < 3 or not np.array_equal(decoded[..., :n_channels] >> 8, shallow[..., :n_channels]):
        return None
    was_grey = loaded.format == "PNG" and bool((decoded[..., :1] == decoded[..., 1:3]).all()) and _is_grey_png(content)
    grey_and_alpha: Deep = decoded[..., [0, 3]] if was_grey and decoded.shape[2] == 4 else decoded
    return grey_and_alpha


def encode_deep_png(channels: Deep, *, xmp: bytes, icc_profile: bytes | None, exif: bytes | None) -> bytes:
    """The bytes of a PNG of 16 bits a channel. channels : (height, width), or (height, width, 3 or 4)."""
    if channels.ndim == 3:
        channels = np.concatenate([channels[..., 2::-1], channels[..., 3:]], axis=2)
    done, encoded = cv2.imencode(".png", np.ascontiguousarray(channels))
    if not done:
        raise ValueError("the encoder refuses")
    png = encoded.tobytes()
    beside = b""
    if icc_profile is not None:
        beside += _png_chunk(b"iCCP", b"ICC Profile\0\0" + zlib.compress(icc_profile))
    if exif is not None:
        beside += _png_chunk(b"eXIf", exif.removeprefix(b"Exif\0\0"))
    beside += _png_chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + xmp)
    return png[:_PNG_HEADER] + beside + png[_PNG_HEADER:]


def encode_deep_tiff(
    channels: Deep, directory: TiffImagePlugin.ImageFileDirectory_v2, *, icc_profile: bytes | None
) -> bytes:
    """The bytes of an uncompressed TIFF of 16 bits a channel. channels : (height, width), or (height, width, 3 or 4).

    directory : what it says beside the pixels; their layout is entered here.
    """
    rows = np.ascontiguousarray(channels if channels.ndim == 3 else channels[..., None], dtype="<u2")
    height, width, n_channels = rows.shape
    base = ExifTags.Base
    directory[base.ImageWidth], directory[base.ImageLength], directory[base.RowsPerStrip] = width, height, height
    directory[base.BitsPerSample] = (16,) * n_channels
    directory[base.SamplesPerPixel] = n_channels
    directory[base.PhotometricInterpretation] = 2 if n_channels >= 3 else 1  # RGB; black is zero
    directory[base.Compression], directory[base.PlanarConfiguration] = 1, _CONTIGUOUS  # none
    if n_channels == 4:
        directory[base.ExtraSamples] = 2  # alpha that the colours are not multiplied with
    directory[base.StripByteCounts] = rows.nbytes
    directory[base.StripOffsets] = 0  # behind the directory: its writer adds its own length
    if icc_profile is not None:
        directory[base.InterColorProfile] = icc_profile
    out = io.BytesIO()
    directory.save(out)
    out.write(rows.tobytes())
    return out.getvalue()


_PNG_HEADER = 8 + 25
"""Signature and IHDR, which is always the first chunk."""
_PNG_GREY = (0, 4)
"""Colour types, byte 25 of the file."""


def _is_grey_png(content: bytes) -> bool:
    return content[25] in _PNG_GREY


def _png_chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def _photometric(image: Image.Image) -> int | None:
    tags: Any = image.tag_v2  # type: ignore[attr-defined]
    value: int | None = tags.get(ExifTags.Base.PhotometricInterpretation)
    return value
