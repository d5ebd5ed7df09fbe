"""Picture files: read into upright RGB arrays, written with their provenance inside."""

from __future__ import annotations

import io
import struct
import warnings
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import ExifTags, Image, ImageOps, PngImagePlugin, UnidentifiedImageError

from synth_affect.arrays import ImageArray, IntArray, readonly
from synth_affect.data.atomic import atomic_write, check_writable
from synth_affect.data.provenance import Provenance, xmp_packet
from synth_affect.errors import InputError, ShapeError

READABLE_FORMATS = ("PNG", "JPEG", "WEBP", "TIFF", "BMP", "GIF", "PPM", "JPEG2000")
"""Pillow's names. Formats that are programs or containers (EPS, PDF, WMF) are left out."""

FORMAT_OF_SUFFIX = {
    ".png": "PNG",
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".webp": "WEBP",
    ".tif": "TIFF",
    ".tiff": "TIFF",
}
"""What is written. Only formats that carry an XMP packet: no picture leaves without saying that it is synthetic."""

# What Pillow's readers raise on damaged files: each format's parser has its own ways to stumble.
_DAMAGE = (OSError, SyntaxError, ValueError, TypeError, KeyError, IndexError, OverflowError, struct.error, zlib.error)


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """A picture as it is seen: upright, RGB.

    pixels : (height, width, 3) uint8 or uint16, in the colour space of icc_profile (sRGB where that is None).
    alpha : (height, width) of the same dtype, or None where the file has no transparency.
    icc_profile : an RGB profile, or None.
    exif : without orientation (the pixels are turned) and thumbnail (it would show the face before), or None.
    format : of the file, in Pillow's words.  path : where it was read.
    """

    pixels: ImageArray
    alpha: IntArray | None
    icc_profile: bytes | None
    exif: bytes | None
    format: str
    path: Path

    def __post_init__(self) -> None:
        dtype = self.pixels.dtype
        if dtype not in (np.uint8, np.uint16):
            raise ShapeError("pixels", "uint8 or uint16", str(dtype))
        object.__setattr__(self, "pixels", readonly(self.pixels, "pixels", ("height", "width", 3), dtype))
        if self.alpha is not None:
            object.__setattr__(self, "alpha", readonly(self.alpha, "alpha", self.pixels.shape[:2], dtype))


def read_picture(path: Path) -> Picture:
    """The picture in `path`; grey, palette and CMYK become RGB, 16 bits a channel become 8.

    Raises InputError when there is no such file, it cannot be read, is no picture, damaged, too large, or has several
    frames.
    """
    if path.is_dir():
        raise InputError(path, "a folder, not a picture")
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise InputError(path, "no such file") from None
    except OSError as error:
        raise InputError(path, f"cannot be read ({error.strerror})") from error
    if not content:
        raise InputError(path, "the file is empty")
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore"
        )  # Pillow warns of what it mends, and of large pictures that it reads all the same
        return _decode(content, path)


def check_output(path: Path, inputs: Iterable[Path] = ()) -> None:
    """Raises InputError when `path` cannot become an output picture: wrong suffix, no such folder, one of `inputs`."""
    _format_of(path)
    check_writable(path, inputs)


def encode_picture(
    pixels: ImageArray, path: Path, like: Picture, provenance: Provenance, *, quality: int = 95
) -> bytes:
    """`pixels` in the format of the suffix of `path`, with `provenance` as the XMP packet; nothing is written.

    pixels : (height, width, 3) uint8, of the size of `like`, whose alpha (not in JPEG, which has none), ICC profile and
        EXIF are kept.
    quality : of JPEG (without chroma subsampling) and WebP, 1 to 100; PNG and TIFF are lossless.
    Raises InputError when the format cannot hold the picture.
    """
    file_format = _format_of(path)
    if pixels.shape != like.pixels.shape:
        raise ShapeError("pixels", like.pixels.shape, pixels.shape)
    if pixels.dtype != np.uint8:
        raise ShapeError("pixels", "uint8", str(pixels.dtype))
    channels = pixels if like.alpha is None or file_format == "JPEG" else np.dstack([pixels, like.alpha])
    image = Image.fromarray(np.ascontiguousarray(channels))
    encoded = io.BytesIO()
    try:
        image.save(encoded, file_format, **_save_options(file_format, like, xmp_packet(provenance), quality))
    except (OSError, ValueError) as error:  # more pixels on a side than the format can hold
        raise InputError(path, f"cannot be written as {file_format} ({error})") from error
    return encoded.getvalue()


def write_picture(pixels: ImageArray, path: Path, like: Picture, provenance: Provenance, *, quality: int = 95) -> None:
    """Writes what `encode_picture` gives. Raises InputError when the file cannot be written; then nothing is."""
    encoded = encode_picture(pixels, path, like, provenance, quality=quality)
    with atomic_write(path) as file:
        file.write(encoded)


def _save_options(file_format: str, like: Picture, xmp: bytes, quality: int) -> dict[str, Any]:
    options: dict[str, Any] = {}
    if like.icc_profile is not None:
        options["icc_profile"] = like.icc_profile
    if like.exif is not None:
        options["exif"] = like.exif
    match file_format:
        case "PNG":
            text = PngImagePlugin.PngInfo()
            text.add_itxt("XML:com.adobe.xmp", xmp.decode())
            options["pnginfo"] = text
        case "JPEG":
            options |= {"xmp": xmp, "quality": quality, "subsampling": "4:4:4"}
        case "WEBP":
            options |= {"xmp": xmp, "quality": quality}
        case "TIFF":
            tags = Image.Exif()  # in TIFF, EXIF and XMP are tags among the file's own
            if like.exif is not None:
                tags.load(like.exif)
            tags[ExifTags.Base.XMLPacket] = xmp
            options["exif"] = tags  # and no compression: the writer that compresses fails on EXIF's own directory
    return options


def _format_of(path: Path) -> str:
    try:
        return FORMAT_OF_SUFFIX[path.suffix.lower()]
    except KeyError:
        raise InputError(path, f"pictures are written as {', '.join(FORMAT_OF_SUFFIX)}") from None


def _decode(content: bytes, path: Path) -> Picture:
    try:
        with Image.open(io.BytesIO(content), formats=READABLE_FORMATS) as image:
            file_format = image.format or ""
            # MPO is a phone's JPEG with a depth map or a preview behind the picture.
            n_frames = 1 if file_format == "MPO" else getattr(image, "n_frames", 1)
            if n_frames > 1:
                raise InputError(path, f"has {n_frames} frames; give one of them as a picture of its own")
            image.load()
            try:
                upright, exif = ImageOps.exif_transpose(image), _exif_to_keep(image)
            except _DAMAGE:  # a broken note on the photograph is no reason to refuse the photograph
                upright, exif = image, None
            pixels, alpha = _rgb_and_alpha(upright, path)
            return Picture(
                pixels=pixels,
                alpha=alpha,
                icc_profile=_rgb_profile(image),
                exif=exif,
                format="JPEG" if file_format == "MPO" else file_format,
                path=path,
            )
    except UnidentifiedImageError:
        raise InputError(path, f"not a picture ({', '.join(READABLE_FORMATS)} can be read)") from None
    except Image.DecompressionBombError as error:
        raise InputError(path, "has too many pixels") from error
    except _DAMAGE as error:
        raise InputError(path, f"a damaged picture ({str(error).partition(chr(10))[0]})") from error


def _rgb_and_alpha(image: Image.Image, path: Path) -> tuple[ImageArray, IntArray | None]:
    if image.mode == "F":
        raise InputError(path, "its pixels are floating-point numbers; give a picture of 8 or 16 bits")
    if image.mode.startswith("I"):  # 16-bit grey, which Pillow may hold in 32 bits
        grey = (np.clip(np.asarray(image), 0, 65535) >> 8).astype(np.uint8)
        return np.repeat(grey[..., None], 3, axis=2), None
    if image.has_transparency_data:
        rgba = np.asarray(image.convert("RGBA"))
        return rgba[..., :3], rgba[..., 3]
    rgb: npt.NDArray[np.uint8] = np.asarray(_cmyk_to_rgb(image) if image.mode == "CMYK" else image.convert("RGB"))
    return rgb, None


def _cmyk_to_rgb(image: Image.Image) -> Image.Image:
    """Through the file's own profile into sRGB; inks have no meaning without one, then as Pillow guesses."""
    profile = image.info.get("icc_profile")
    if profile:
        from PIL import ImageCms

        try:
            converted = ImageCms.profileToProfile(
                image, io.BytesIO(profile), ImageCms.createProfile("sRGB"), outputMode="RGB"
            )
        except (ImageCms.PyCMSError, OSError):
            converted = None
        if converted is not None:
            return converted
    return image.convert("RGB")


def _rgb_profile(image: Image.Image) -> bytes | None:
    """The file's ICC profile where it is one for RGB (bytes 16 to 19 of its header): others do not fit the pixels."""
    profile: bytes | None = image.info.get("icc_profile")
    return profile if profile and profile[16:20] == b"RGB " else None


_TIFF_DESCRIPTION = (
    ExifTags.Base.ImageDescription,
    ExifTags.Base.Make,
    ExifTags.Base.Model,
    ExifTags.Base.DateTime,
    ExifTags.Base.Artist,
    ExifTags.Base.Copyright,
)
"""Of a TIFF's tags, those that tell of the photograph; the others lay out that file."""


def _exif_to_keep(image: Image.Image) -> bytes | None:
    exif = image.getexif()
    if image.format == "TIFF":
        kept = Image.Exif()
        for tag in _TIFF_DESCRIPTION:
            if tag in exif:
                kept[tag] = exif[tag]
        for part in (ExifTags.IFD.Exif, ExifTags.IFD.GPSInfo):
            if part in exif:
                kept[part] = exif.get_ifd(part)
    else:
        kept = exif
        for tag in (ExifTags.Base.Orientation, ExifTags.Base.XMLPacket):
            kept.pop(tag, None)
    return kept.tobytes() if len(kept) else None  # the first directory and its parts; the thumbnail is in the second
