"""What is written into picture files: pixels as they are, and that they are synthetic."""

from __future__ import annotations

import io
import struct
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest
from PIL import ExifTags, Image, ImageCms

from synth_affect.data.colour_profiles import srgb_profile
from synth_affect.data.picture_encoding import FORMAT_OF_SUFFIX
from synth_affect.data.pictures import read_picture, write_picture
from synth_affect.data.provenance import xmp_packet
from synth_affect.errors import InputError, ShapeError
from tests.data.picture_files import PROVENANCE, SRGB, picture, save, smooth_pixels


def grey_profile() -> bytes:
    """A profile for grey whose values are proportional to light, by hand because Pillow makes none."""
    white = b"XYZ \0\0\0\0" + struct.pack(">3i", 63190, 65536, 54061)  # D50 in 1/65536
    curve = b"curv\0\0\0\0\0\0\0\0"
    title = b"desc\0\0\0\0" + struct.pack(">I", 2) + b"g\0" + b"\0" * 78
    note = b"text\0\0\0\0CC0\0"
    tags = {b"desc": title, b"cprt": note, b"wtpt": white, b"kTRC": curve}
    table, body, at = struct.pack(">I", len(tags)), b"", 128 + 4 + 12 * len(tags)
    for name, data in tags.items():
        padded = data.ljust(-(-len(data) // 4) * 4, b"\0")
        table += name + struct.pack(">II", at + len(body), len(data))
        body += padded
    header = struct.pack(">I4sI4s4s4s", at + len(body), b"lcms", 0x02100000, b"mntr", b"GRAY", b"XYZ ")
    header += struct.pack(">6H", 2020, 1, 1, 0, 0, 0) + b"acsp" + b"\0" * 28 + struct.pack(">3i", 63190, 65536, 54061)
    return header.ljust(128, b"\0") + table + body


_GREY_LINEAR = grey_profile()
SUFFIXES = sorted(FORMAT_OF_SUFFIX)
LOSSLESS = [".png", ".tif", ".tiff"]


def packet_in(path: Path) -> bytes:
    """The XMP packet as Pillow hands it out, an instrument of its own."""
    with Image.open(path) as image:
        packet = image.info.get("xmp") or image.info["XML:com.adobe.xmp"]
    return packet.encode() if isinstance(packet, str) else packet


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_grey_stays_grey_where_the_format_can(tmp_path: Path, suffix: str) -> None:
    """What the edit coloured included; the profile for grey goes with it, or is used up on the way to sRGB."""
    grey = ImageCms.ImageCmsProfile(io.BytesIO(_GREY_LINEAR)).tobytes()
    path = tmp_path / f"out{suffix}"
    write_picture(smooth_pixels(), path, picture(grey=True, icc_profile=grey), PROVENANCE)
    back = read_picture(path)
    wanted = np.asarray(Image.fromarray(smooth_pixels()).convert("L")).astype(float)
    if FORMAT_OF_SUFFIX[suffix] in ("WEBP", "AVIF"):
        assert back.icc_profile == srgb_profile()
        wanted = 255 * np.where(wanted > 1, 1.055 * (wanted / 255) ** (1 / 2.4) - 0.055, 12.92 * wanted / 255)
    else:
        assert back.grey
        assert back.icc_profile == grey
    assert np.abs(back.pixels - wanted[..., None]).max() <= (0 if suffix in LOSSLESS else 14)


def test_the_layout_of_the_inputs_file_is_not_believed_of_the_output(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.PhotometricInterpretation] = 6  # YCbCr, as a camera's JPEG may say
    exif[ExifTags.Base.RowsPerStrip] = 3
    exif[ExifTags.Base.Model] = "Model"
    write_picture(smooth_pixels(), tmp_path / "o.tif", picture(exif=exif.tobytes()), PROVENANCE)
    back = read_picture(tmp_path / "o.tif")
    np.testing.assert_array_equal(back.pixels, smooth_pixels())
    assert back.exif is not None
    assert b"Model" in back.exif


@pytest.mark.parametrize("suffix", [".jpg", ".webp", ".avif"])
def test_quality_is_passed_on(tmp_path: Path, suffix: str) -> None:
    noisy = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    sizes = []
    for quality in (20, 60, 95):
        write_picture(noisy, tmp_path / f"q{suffix}", picture(pixels=noisy), PROVENANCE, quality=quality)
        sizes.append((tmp_path / f"q{suffix}").stat().st_size)
    assert sizes == sorted(sizes)
    assert sizes[0] < 0.6 * sizes[2]
    for quality in (0, 101):
        with pytest.raises(InputError, match="not a whole number from 1 to 100"):
            write_picture(noisy, tmp_path / f"q{suffix}", picture(pixels=noisy), PROVENANCE, quality=quality)


def test_more_exif_than_jpeg_holds_is_refused_not_dropped(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.ImageDescription] = "long " * 20_000
    with pytest.raises(InputError, match=r"cannot be written as JPEG \(EXIF data is too long\)"):
        write_picture(smooth_pixels(), tmp_path / "o.jpg", picture(exif=exif.tobytes()), PROVENANCE)
    write_picture(smooth_pixels(), tmp_path / "o.png", picture(exif=exif.tobytes()), PROVENANCE)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_every_format_carries_the_packet_unchanged(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"out{suffix}"
    write_picture(smooth_pixels(), path, picture(icc_profile=SRGB), PROVENANCE)
    assert packet_in(path).rstrip(b"\x00") == xmp_packet(PROVENANCE)
    assert "compositeSynthetic" in ET.tostring(ET.fromstring(packet_in(path).rstrip(b"\x00")), encoding="unicode")
    assert [item.name for item in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_pixels_profile_exif_and_alpha_survive(tmp_path: Path, suffix: str) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Make] = "Maker"
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.DateTimeOriginal] = "2020:01:02 03:04:05"
    alpha = np.full((24, 40), 255, np.uint8)
    alpha[4:9, 5:9] = 100
    like = picture(alpha=alpha, icc_profile=SRGB, exif=exif.tobytes())
    path = tmp_path / f"out{suffix}"
    write_picture(smooth_pixels(), path, like, PROVENANCE)
    back = read_picture(path)
    worst = np.abs(back.pixels.astype(int) - smooth_pixels()).max()
    assert worst == 0 if suffix in LOSSLESS else worst <= 12
    assert back.icc_profile == SRGB
    assert back.exif is not None
    kept = Image.Exif()
    kept.load(back.exif)
    assert kept[ExifTags.Base.Make] == "Maker"
    assert kept.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.DateTimeOriginal] == "2020:01:02 03:04:05"
    if FORMAT_OF_SUFFIX[suffix] == "JPEG":
        assert back.alpha is None
    else:
        np.testing.assert_array_equal(back.alpha, alpha)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_the_same_picture_gives_the_same_bytes(tmp_path: Path, suffix: str) -> None:
    for name in ("a", "b"):
        write_picture(smooth_pixels(), tmp_path / f"{name}{suffix}", picture(icc_profile=SRGB), PROVENANCE)
    assert (tmp_path / f"a{suffix}").read_bytes() == (tmp_path / f"b{suffix}").read_bytes()


def test_jpeg_keeps_full_colour_resolution(tmp_path: Path) -> None:
    path = tmp_path / "out.jpg"
    write_picture(smooth_pixels(), path, picture(), PROVENANCE)
    with Image.open(path) as image:
        assert [layer[1:3] for layer in image.layer] == [(1, 1)] * 3  # type: ignore[attr-defined]
    write_picture(smooth_pixels(), tmp_path / "small.jpg", picture(), PROVENANCE, quality=30)
    assert (tmp_path / "small.jpg").stat().st_size < path.stat().st_size


def test_the_inputs_packet_and_thumbnail_do_not_travel_on(tmp_path: Path) -> None:
    thumbnail = io.BytesIO()
    Image.new("RGB", (16, 16), "red").save(thumbnail, "JPEG")
    # A first directory with the maker and an XMP packet of its own, a second one with the thumbnail; written by hand
    # because Pillow writes no thumbnails.
    packet = b"<old-packet/>"
    first = struct.pack("<H", 2) + struct.pack("<HHI4s", 0x010F, 2, 4, b"abc\0")
    first += struct.pack("<HHII", 0x02BC, 1, len(packet), 80) + struct.pack("<I", 38)
    second = struct.pack("<H", 2) + struct.pack("<HHII", 0x0201, 4, 1, 100)
    second += struct.pack("<HHII", 0x0202, 4, 1, len(thumbnail.getvalue())) + struct.pack("<I", 0)
    tiff = (b"II*\0" + struct.pack("<I", 8) + first + second).ljust(80, b"\0")
    tiff = (tiff + packet).ljust(100, b"\0") + thumbnail.getvalue()
    source = save(tmp_path / "in.jpg", Image.new("RGB", (40, 24)), exif=b"Exif\0\0" + tiff, xmp=b"<history/>")
    assert thumbnail.getvalue() in source.read_bytes()
    like = read_picture(source)
    assert like.exif is not None
    write_picture(smooth_pixels(), tmp_path / "out.jpg", like, PROVENANCE)
    written = (tmp_path / "out.jpg").read_bytes()
    assert b"abc\0" in written
    for gone in (thumbnail.getvalue(), packet, b"<history/>"):
        assert gone not in written


def test_other_sizes_and_depths_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ShapeError, match=r"expected \(24, 40, 3\)"):
        write_picture(smooth_pixels(25), tmp_path / "out.png", picture(), PROVENANCE)
    with pytest.raises(ShapeError, match="expected uint8, got float32"):
        write_picture(smooth_pixels().astype(np.float32), tmp_path / "out.png", picture(), PROVENANCE)  # type: ignore[arg-type]
