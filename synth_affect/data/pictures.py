"""Picture files: read into upright RGB arrays, written with their provenance inside."""

from __future__ import annotations

import contextlib
import io
import stat
import struct
import warnings
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt
from PIL import ExifTags, Image, PngImagePlugin, UnidentifiedImageError

from synth_affect.arrays import ImageArray, IntArray, as_uint8, readonly
from synth_affect.data.atomic import atomic_write, check_writable
from synth_affect.data.exif import exif_to_keep, tiff_directory
from synth_affect.data.provenance import Provenance, xmp_packet
from synth_affect.errors import InputError, MissingDependencyError, ShapeError
from synth_affect.fitting.native_log import native_log_silenced
from synth_affect.optional import import_optional

READABLE_FORMATS = ("PNG", "JPEG", "WEBP", "AVIF", "TIFF", "BMP", "GIF", "PPM", "JPEG2000")
"""Pillow's names; HEIC comes on top where pillow-heif is installed. Formats that are programs or containers (EPS, PDF,
WMF) are left out.
"""

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

MAX_PIXELS = 1 << 27
"""134 megapixels, which is 400 MB of them; larger pictures are refused before they are unpacked."""

DEFAULT_QUALITY = 95

# Formats of which the writers know 16 bits a channel, and those of which they know grey.
_DEEP_FORMATS = ("PNG", "TIFF")
_GREY_FORMATS = ("PNG", "TIFF", "JPEG")

# What Pillow's readers raise on damaged files: each format's parser has its own ways to stumble.
_DAMAGE = (
    *(OSError, SyntaxError, ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError, EOFError),
    *(RuntimeError, AssertionError, ZeroDivisionError, struct.error, zlib.error),
)


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """A picture as it is seen: upright, RGB.

    pixels : (height, width, 3) uint8 or uint16, in the colour space of icc_profile (sRGB where that is None).
    alpha : (height, width) of the same dtype, or None where the file has no transparency.
    icc_profile : for RGB, or for grey where `grey`; or None.
    exif : without orientation (the pixels are turned) and thumbnail (it would show the face before), or None.
    format : of the file, in Pillow's words.  path : where it was read.
    grey : the file has no colours (its three channels are the same), and what is made from it shall have none.
    """

    pixels: ImageArray
    alpha: IntArray | None
    icc_profile: bytes | None
    exif: bytes | None
    format: str
    path: Path
    grey: bool = False

    def __post_init__(self) -> None:
        dtype = self.pixels.dtype
        if dtype not in (np.uint8, np.uint16):
            raise ShapeError("pixels", "uint8 or uint16", str(dtype))
        object.__setattr__(self, "pixels", readonly(self.pixels, "pixels", ("height", "width", 3), dtype))
        if self.alpha is not None:
            object.__setattr__(self, "alpha", readonly(self.alpha, "alpha", self.pixels.shape[:2], dtype))


def read_picture(path: Path) -> Picture:
    """The picture in `path`, whatever its suffix; grey, palette and CMYK become RGB.

    16 bits a channel stay so in PNG and TIFF of greys or of RGB, with or without alpha; elsewhere they become 8. CMYK
    and LAB come in sRGB, through the file's own profile.
    Raises InputError when there is no such file, it cannot be read, is no picture, damaged, too large, or has several
    frames.
    """
    try:
        kind = path.stat().st_mode
        if stat.S_ISDIR(kind):
            raise InputError(path, "a folder, not a picture")
        if not stat.S_ISREG(kind):
            raise InputError(path, "not a regular file")  # a pipe would wait for ever, a device never end
        file = path.open("rb")
    except FileNotFoundError:
        raise InputError(path, "no such file") from None
    except OSError as error:
        raise InputError(path, f"cannot be read ({error.strerror})") from error
    except ValueError as error:  # a name with a NUL
        raise InputError(path, f"cannot be read ({error})") from error
    with file, warnings.catch_warnings():
        # Pillow warns of what it mends, and of large pictures that it reads all the same.
        warnings.simplefilter("ignore")
        return _decode(file, path)


def check_output(path: Path, inputs: Iterable[Path] = ()) -> None:
    """Raises InputError when `path` cannot become an output picture: wrong suffix, no such folder, one of `inputs`."""
    _format_of(path)
    check_writable(path, inputs)


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
    file_format = _format_of(path)
    if pixels.shape != like.pixels.shape:
        raise ShapeError("pixels", like.pixels.shape, pixels.shape)
    if pixels.dtype != like.pixels.dtype:
        raise ShapeError("pixels", str(like.pixels.dtype), str(pixels.dtype))
    check_quality(quality)
    alpha = like.alpha if file_format != "JPEG" else None
    if file_format not in _DEEP_FORMATS:
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


def write_picture(
    pixels: ImageArray, path: Path, like: Picture, provenance: Provenance, *, quality: int = DEFAULT_QUALITY
) -> None:
    """Writes what `encode_picture` gives. Raises InputError when the file cannot be written; then nothing is."""
    encoded = encode_picture(pixels, path, like, provenance, quality=quality)
    with atomic_write(path) as file:
        file.write(encoded)


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


def _format_of(path: Path) -> str:
    try:
        return FORMAT_OF_SUFFIX[path.suffix.lower()]
    except KeyError:
        raise InputError(path, f"pictures are written as {', '.join(FORMAT_OF_SUFFIX)}") from None


_HEADER = 32


def _decode(file: BinaryIO, path: Path) -> Picture:
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
        raise InputError(path, f"a HEIC picture; {error}") from error
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
    deep = _is_deep(image, header)
    with native_log_silenced() if file_format == "TIFF" else contextlib.nullcontext():
        image.load()
    try:
        orientation, exif = image.getexif().get(ExifTags.Base.Orientation, 1), exif_to_keep(image)
    except _DAMAGE:  # a broken note on the photograph is no reason to refuse the photograph
        orientation, exif = 1, None
    channels = _read_deep(file, image) if deep else None
    if channels is None:
        channels = _shallow_channels(image, path)
    grey = channels.ndim == 2 or channels.shape[2] == 2
    if channels.ndim == 2:
        channels = channels[..., None]
    n_colours = 1 if grey else 3
    upright = _turned(channels, orientation)
    colours = upright[..., :n_colours]
    return Picture(
        pixels=np.repeat(colours, 3, axis=2) if grey else colours,
        alpha=upright[..., n_colours] if upright.shape[2] > n_colours else None,
        icc_profile=_profile(image, grey=grey),
        exif=exif,
        format="JPEG" if file_format == "MPO" else file_format,
        path=path,
        grey=grey,
    )


def _check_size(size: tuple[int, int], path: Path) -> None:
    width, height = size
    if width * height > MAX_PIXELS:
        raise InputError(path, f"has too many pixels ({width} x {height}; at most {MAX_PIXELS} are read)")


def _is_deep(image: Image.Image, header: bytes) -> bool:
    if image.format not in _DEEP_FORMATS:
        return False
    from synth_affect.data.deep_pixels import is_deep

    return is_deep(image, header)


def _read_deep(file: BinaryIO, image: Image.Image) -> npt.NDArray[np.uint16] | None:
    from synth_affect.data.deep_pixels import read_deep

    file.seek(0)
    return read_deep(file.read(), image)


_DEEP_MODES = ("I", "I;16", "I;16B", "I;16L", "I;16N")


def _shallow_channels(image: Image.Image, path: Path) -> npt.NDArray[np.unsignedinteger[Any]]:
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


def _turned(channels: npt.NDArray[np.unsignedinteger[Any]], orientation: int) -> npt.NDArray[np.unsignedinteger[Any]]:
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


def _profile(image: Image.Image, *, grey: bool) -> bytes | None:
    """Of the pixels as they were read."""
    profile: bytes | None = image.info.get("icc_profile")
    if profile is None and image.mode != "LAB":
        return None
    from synth_affect.data.colour_profiles import srgb_profile, usable_profile

    if image.mode == "LAB" or (image.mode == "CMYK" and profile is not None):
        return srgb_profile()
    return usable_profile(profile, "GRAY" if grey else "RGB")


def _first_line(error: BaseException) -> str:
    return str(error).partition("\n")[0] or type(error).__name__
