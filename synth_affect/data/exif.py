"""What of a picture's EXIF travels on to the picture that is made from it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from PIL import ExifTags, Image, TiffImagePlugin

_ABOUT_THE_PHOTOGRAPH = (
    ExifTags.Base.ImageDescription,
    ExifTags.Base.Make,
    ExifTags.Base.Model,
    ExifTags.Base.DateTime,
    ExifTags.Base.Artist,
    ExifTags.Base.Copyright,
)
"""Of the tags of a TIFF's own directory, those that tell of the photograph; the others lay out that file."""

_PARTS = (ExifTags.IFD.Exif, ExifTags.IFD.GPSInfo)


def exif_to_keep(image: Image.Image) -> bytes | None:
    """The EXIF of an opened picture; None where nothing is left.

    It goes without orientation (the pixels are turned), XMP packet (the output has its own) and thumbnail (it would
    show the face before).
    """
    exif = image.getexif()
    if image.format == "TIFF":
        kept = Image.Exif()
        for tag, value in _description(exif).items():
            kept[tag] = value
    else:
        kept = exif
        for tag in (ExifTags.Base.Orientation, ExifTags.Base.XMLPacket):
            kept.pop(tag, None)
    return kept.tobytes() if len(kept) else None  # the first directory and its parts; the thumbnail is in the second


def tiff_directory(exif: bytes | None, xmp: bytes) -> TiffImagePlugin.ImageFileDirectory_v2:
    """A TIFF's directory with the packet and what of `exif` may stand in it.

    Words for the layout of the JPEG that the EXIF came from would be believed there.
    """
    directory = TiffImagePlugin.ImageFileDirectory_v2()
    if exif is not None:
        tags = Image.Exif()
        tags.load(exif)
        for tag, value in _description(tags).items():
            directory[tag] = value
    directory[ExifTags.Base.XMLPacket] = xmp
    return directory


def _description(exif: Image.Exif) -> dict[int, Any]:
    described: dict[int, Any] = {tag: exif[tag] for tag in _ABOUT_THE_PHOTOGRAPH if tag in exif}
    for part in _PARTS:
        if part in exif:
            directory: Mapping[int, Any] = exif.get_ifd(part)
            described[part] = dict(directory)
    return described
