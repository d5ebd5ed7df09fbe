"""Bytes that somebody sent, as a picture that can be worked on; or one sentence about why not."""

from __future__ import annotations

import hashlib
import io
import re
import threading
import unicodedata
import warnings
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, UnidentifiedImageError

from synth_affect.arrays import ImageArray, IntArray, as_uint8
from synth_affect.data.picture import Picture
from synth_affect.data.picture_decoding import READABLE_FORMATS, decode_picture
from synth_affect.data.picture_encoding import encode_picture
from synth_affect.data.provenance import Provenance
from synth_affect.errors import InputError
from synth_affect.web.serve.limits import Limits

LEAST_SIDE_PX = 32
"""No face is found in less."""
LONGEST_NAME = 80
SHOWN_PX = 2048
"""Longest side of what the page shows of a picture; files are made in the picture's own size."""
QUALITY = 90

_one_at_a_time = threading.Lock()
_NOT_IN_NAMES = re.compile(r'[\x00-\x1f\x7f<>:"/\\|?*%]+')


@dataclass(frozen=True, slots=True, eq=False)
class Upload:
    """picture : upright.  content : the file's own bytes, from which products are made.  sha256 : of them.
    name : of the file on the user's disk, made harmless.
    shown : (height, width, 3) uint8, what the page shows of it: at most SHOWN_PX wide and high.
    """

    picture: Picture
    content: bytes
    sha256: str
    name: str
    shown: ImageArray

    @property
    def shown_scale(self) -> float:
        """Pixels of `shown` a pixel of `picture`."""
        return float(max(self.shown.shape) / max(self.picture.pixels.shape))


def safe_name(text: str) -> str:
    """The last part of what was given for a file's name, without anything that means something to a file system."""
    last = unicodedata.normalize("NFC", text).replace("\\", "/").rpartition("/")[2]
    printable = "".join(letter for letter in last if letter.isprintable())
    cleaned = _NOT_IN_NAMES.sub("_", printable).strip(" .")[-LONGEST_NAME:].strip(" .")
    return cleaned or "picture"


def take_in(content: bytes, name: str, limits: Limits) -> Upload:
    """The picture in `content`. Raises InputError, whose path is the harmless name, for what cannot be used.

    One picture is unpacked at a time, after its header has said that it is not too large.
    """
    name = safe_name(name)
    if not content:
        raise InputError(name, "the file is empty")
    if len(content) > limits.upload_bytes:
        raise InputError(name, f"is larger than the {limits.upload_bytes / (1 << 20):g} MB that this page takes")
    with _one_at_a_time, warnings.catch_warnings():
        # Pillow warns of what it mends, and of large pictures that it reads all the same.
        warnings.simplefilter("ignore")
        _check_size(content, name, limits)
        picture = decode_picture(io.BytesIO(content), Path(name))
    height, width = picture.pixels.shape[:2]
    if height * width > limits.megapixels * 1e6:  # of a format whose header does not say
        raise InputError(name, _too_many(width, height, limits))
    return Upload(picture, content, hashlib.sha256(content).hexdigest(), name, _reduced(picture))


def _reduced(picture: Picture) -> ImageArray:
    pixels = as_uint8(picture.pixels)
    height, width = pixels.shape[:2]
    scale = SHOWN_PX / max(height, width)
    if scale >= 1:
        return pixels
    size = (max(round(width * scale), 1), max(round(height * scale), 1))
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)


def _check_size(content: bytes, name: str, limits: Limits) -> None:
    """What can be told of the size without unpacking anything."""
    try:
        with Image.open(io.BytesIO(content), formats=READABLE_FORMATS) as image:
            width, height = image.size
    except UnidentifiedImageError:
        return  # the decoder says what it is, or that it is none
    except Image.DecompressionBombError as error:
        raise InputError(name, "has too many pixels") from error
    except (OSError, SyntaxError, ValueError, TypeError, KeyError, IndexError, OverflowError, RuntimeError) as error:
        raise InputError(name, "a damaged picture") from error
    if width * height > limits.megapixels * 1e6:
        raise InputError(name, _too_many(width, height, limits))
    if min(width, height) < LEAST_SIDE_PX:
        raise InputError(name, f"has {width} x {height} pixels; in less than {LEAST_SIDE_PX} no face is seen")


def _too_many(width: int, height: int, limits: Limits) -> str:
    return (
        f"has {width * height / 1e6:.3g} megapixels ({width} x {height}); this page takes up to {limits.megapixels:g}"
    )


def as_jpeg(pixels: ImageArray, like: Picture, provenance: Provenance) -> bytes:
    """JPEG of pixels (height, width, 3) in the colours of `like`, on white where that is transparent.

    pixels : the whole picture, or a part of it that is all opaque.  Nothing of the camera's notes goes along.
    """
    part = Picture(as_uint8(pixels), None, like.icc_profile, None, "JPEG", like.path, like.grey)
    return encode_picture(part.pixels, Path("shown.jpg"), part, provenance, quality=QUALITY)


def on_white(pixels: ImageArray, alpha: IntArray | None) -> ImageArray:
    """(height, width, 3) uint8: pixels of that shape on white, where alpha, of any size, is less than full."""
    if alpha is None:
        return pixels
    if alpha.shape != pixels.shape[:2]:
        alpha = np.asarray(cv2.resize(alpha, pixels.shape[1::-1], interpolation=cv2.INTER_AREA))
    share = alpha[..., None].astype(np.float32) / np.float32(np.iinfo(alpha.dtype).max)
    flat: ImageArray = np.rint(share * pixels + (1 - share) * 255).astype(np.uint8)
    return flat
