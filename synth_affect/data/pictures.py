"""Picture files: read into upright RGB arrays, written with their provenance inside."""

from __future__ import annotations

import stat
import warnings
from collections.abc import Iterable
from pathlib import Path

from synth_affect.arrays import ImageArray
from synth_affect.data.atomic import atomic_write, check_writable
from synth_affect.data.picture import Picture
from synth_affect.data.picture_decoding import decode_picture
from synth_affect.data.picture_encoding import DEFAULT_QUALITY, encode_picture, format_of
from synth_affect.data.provenance import Provenance
from synth_affect.errors import InputError

__all__ = ["Picture", "check_output", "read_picture", "write_picture"]


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
        return decode_picture(file, path)


def check_output(path: Path, inputs: Iterable[Path] = ()) -> None:
    """Raises InputError when `path` cannot become an output picture: wrong suffix, no such folder, one of `inputs`."""
    format_of(path)
    check_writable(path, inputs)


def write_picture(
    pixels: ImageArray, path: Path, like: Picture, provenance: Provenance, *, quality: int = DEFAULT_QUALITY
) -> None:
    """Writes what `encode_picture` gives. Raises InputError when the file cannot be written; then nothing is."""
    encoded = encode_picture(pixels, path, like, provenance, quality=quality)
    with atomic_write(path) as file:
        file.write(encoded)
