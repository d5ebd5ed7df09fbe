"""Sixteen bits a channel: read as they are stored, written as they are given, with all that stands beside them."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from PIL import ExifTags, Image

from synth_affect.data.colour_profiles import srgb_profile
from synth_affect.data.picture_encoding import luma
from synth_affect.data.pictures import Picture, read_picture, write_picture
from synth_affect.data.provenance import Provenance, xmp_packet
from synth_affect.errors import InputError

PROVENANCE = Provenance({"valence": 0.6, "arousal": 0.3}, "1.0", "cc0", "00" * 32)
SRGB = srgb_profile()
Deep = np.ndarray[Any, np.dtype[np.uint16]]

_COLOUR_TYPE = {1: 0, 2: 4, 3: 2, 4: 6}


def deep(n_channels: int, height: int = 20, width: int = 31) -> Deep:
    return np.random.default_rng(3).integers(0, 65536, (height, width, n_channels), dtype=np.uint16)


def chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png(channels: Deep, *beside: bytes) -> bytes:
    """Written here, byte by byte, so that no library's idea of the format is compared with itself."""
    height, width, n_channels = channels.shape
    header = struct.pack(">IIBBBBB", width, height, 16, _COLOUR_TYPE[n_channels], 0, 0, 0)
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in channels)
    data = chunk(b"IDAT", zlib.compress(rows))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + b"".join(beside) + data + chunk(b"IEND", b"")


def png_rows(content: bytes) -> Deep:
    """(height, width, n) samples, by undoing the rows' filters one byte after the other (PNG specification, 9.2)."""
    chunks: dict[bytes, bytes] = {}
    at = 8
    while at < len(content):
        (length,) = struct.unpack(">I", content[at : at + 4])
        name = content[at + 4 : at + 8]
        chunks[name] = chunks.get(name, b"") + content[at + 8 : at + 8 + length]
        at += 12 + length
    width, height, depth, colour = struct.unpack(">IIBB", chunks[b"IHDR"][:10])
    assert depth == 16
    step = 2 * {0: 1, 4: 2, 2: 3, 6: 4}[colour]
    data, rows = zlib.decompress(chunks[b"IDAT"]), []
    above = bytearray(width * step)
    for row in range(height):
        start = row * (1 + width * step)
        kind, line = data[start], bytearray(data[start + 1 : start + 1 + width * step])
        for i in range(len(line)):
            a, b = line[i - step] if i >= step else 0, above[i]
            c = above[i - step] if i >= step else 0
            paeth = min((abs(b - c), 0, a), (abs(a - c), 1, b), (abs(a + b - 2 * c), 2, c))[2]
            line[i] = (line[i] + [0, a, b, (a + b) // 2, paeth][kind]) & 255
        rows.append(bytes(line))
        above = line
    return np.frombuffer(b"".join(rows), ">u2").reshape(height, width, step // 2).astype(np.uint16)


@pytest.mark.parametrize("n_channels", [1, 2, 3, 4])
def test_png_is_read_sample_by_sample(tmp_path: Path, n_channels: int) -> None:
    channels = deep(n_channels)
    (tmp_path / "d.png").write_bytes(png(channels))
    read = read_picture(tmp_path / "d.png")
    assert read.pixels.dtype == np.uint16
    assert read.grey == (n_channels < 3)
    np.testing.assert_array_equal(read.pixels, channels[..., :3] if n_channels > 2 else channels[..., [0, 0, 0]])
    if n_channels in (2, 4):
        assert read.alpha is not None
        np.testing.assert_array_equal(read.alpha, channels[..., -1])
    else:
        assert read.alpha is None


@pytest.mark.parametrize("n_channels", [1, 3, 4])
@pytest.mark.parametrize("byteorder", ["<", ">"])
@pytest.mark.parametrize("compression", [None, "zlib"])
def test_tiff_is_read_sample_by_sample(tmp_path: Path, n_channels: int, byteorder: Any, compression: Any) -> None:
    channels = deep(n_channels)
    layout: dict[str, Any] = {"photometric": "minisblack" if n_channels == 1 else "rgb"}
    if n_channels == 4:
        layout["extrasamples"] = ["unassalpha"]
    stored = channels[..., 0] if n_channels == 1 else channels
    tifffile.imwrite(tmp_path / "d.tif", stored, byteorder=byteorder, compression=compression, **layout)
    read = read_picture(tmp_path / "d.tif")
    assert read.pixels.dtype == np.uint16
    np.testing.assert_array_equal(read.pixels[..., :3], channels[..., :3] if n_channels > 1 else channels[..., [0] * 3])
    if n_channels == 4:
        assert read.alpha is not None
        np.testing.assert_array_equal(read.alpha, channels[..., 3])


def test_a_tiff_in_which_zero_is_white(tmp_path: Path) -> None:
    grey = deep(1)[..., 0]
    tifffile.imwrite(tmp_path / "w.tif", grey, photometric="miniswhite")
    np.testing.assert_array_equal(read_picture(tmp_path / "w.tif").pixels[..., 1], 65535 - grey)


@pytest.mark.parametrize("suffix", [".png", ".tif"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_deep_pixels_are_turned(tmp_path: Path, suffix: str, orientation: int) -> None:
    stored = deep(3)
    if suffix == ".png":
        tiff = b"MM\0*" + struct.pack(">IHHHIHHI", 8, 1, 0x0112, 3, 1, orientation, 0, 0)
        (tmp_path / "t.png").write_bytes(png(stored, chunk(b"eXIf", tiff)))
    else:
        tags = [(274, "H", 1, orientation, True)]
        tifffile.imwrite(tmp_path / "t.tif", stored, photometric="rgb", extratags=tags)
    wanted = [stored, stored[:, ::-1], stored[::-1, ::-1], stored[::-1], stored.swapaxes(0, 1)]
    wanted += [np.rot90(stored, -1), stored[::-1, ::-1].swapaxes(0, 1), np.rot90(stored)]
    read = read_picture(tmp_path / f"t{suffix}")
    assert read.pixels.dtype == np.uint16
    np.testing.assert_array_equal(read.pixels, wanted[orientation - 1])
    assert read.exif is None or b"\x01\x12" not in read.exif


def test_layouts_beyond_become_eight_bits(tmp_path: Path) -> None:
    """Colours multiplied with alpha, and inks: Pillow undoes them, at 8 bits."""
    channels = deep(4)
    channels[..., :3] = channels[..., :3].astype(np.uint32) * channels[..., 3:] // 65535
    tifffile.imwrite(tmp_path / "a.tif", channels, photometric="rgb", extrasamples=["assocalpha"])
    tifffile.imwrite(tmp_path / "c.tif", channels, photometric="separated")
    for name in ("a.tif", "c.tif"):
        assert read_picture(tmp_path / name).pixels.dtype == np.uint8


def like(channels: Deep, **fields: Any) -> Picture:
    given: dict[str, Any] = {"alpha": None, "icc_profile": SRGB, "exif": None, "format": "PNG", "path": Path("in.png")}
    return Picture(pixels=channels[..., :3], **(given | fields))


@pytest.mark.parametrize("suffix", [".png", ".tif"])
@pytest.mark.parametrize("n_channels", [1, 2, 3, 4])
def test_what_is_written_has_every_bit(tmp_path: Path, suffix: str, n_channels: int) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Make] = "Maker"
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.DateTimeOriginal] = "2020:01:02 03:04:05"
    exif.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSLatitudeRef] = "N"
    grey = n_channels < 3
    channels = deep(n_channels)
    pixels = channels[..., [0, 0, 0]] if grey else channels[..., :3]
    alpha = channels[..., -1] if n_channels in (2, 4) else None
    model = like(pixels, grey=grey, alpha=alpha, exif=exif.tobytes(), icc_profile=None if grey else SRGB)
    path = tmp_path / f"out{suffix}"
    write_picture(pixels, path, model, PROVENANCE)
    # Two readers that had no part in it.
    stored = png_rows(path.read_bytes()) if suffix == ".png" else tifffile.imread(path).reshape(20, 31, -1)
    # Grey with alpha has no writer.
    wanted = np.dstack([pixels, alpha]) if n_channels == 2 and alpha is not None else channels
    np.testing.assert_array_equal(stored, wanted)
    with Image.open(path) as image:
        packet = image.info.get("xmp") or image.info["XML:com.adobe.xmp"]
        assert (packet.encode() if isinstance(packet, str) else packet) == xmp_packet(PROVENANCE)
        assert image.info.get("icc_profile") == model.icc_profile
        kept = image.getexif()
        assert kept[ExifTags.Base.Make] == "Maker"
        assert kept.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.DateTimeOriginal] == "2020:01:02 03:04:05"
        assert kept.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSLatitudeRef] == "N"
    back = read_picture(path)
    np.testing.assert_array_equal(back.pixels, pixels)
    assert back.grey == (n_channels == 1)
    first = path.read_bytes()
    write_picture(pixels, path, model, PROVENANCE)
    assert path.read_bytes() == first


@pytest.mark.parametrize("suffix", [".jpg", ".webp", ".avif"])
def test_other_formats_take_the_nearest_eight_bits(tmp_path: Path, suffix: str) -> None:
    rows, columns = np.mgrid[:24, :40]
    smooth = np.stack([rows * 2500, columns * 1500, rows * 1200 + columns * 700], axis=2).astype(np.uint16)
    write_picture(smooth, tmp_path / f"o{suffix}", like(smooth), PROVENANCE)
    back = read_picture(tmp_path / f"o{suffix}")
    assert back.pixels.dtype == np.uint8
    assert np.abs(back.pixels - smooth / 257.0).max() <= 12


def test_luma_gives_grey_back_and_weights_colours_like_pillow() -> None:
    every = np.arange(65536, dtype=np.uint16).reshape(256, 256)
    np.testing.assert_array_equal(luma(np.dstack([every] * 3)), every)
    colours = (deep(3) >> 8).astype(np.uint8)
    np.testing.assert_array_equal(luma(colours), np.asarray(Image.fromarray(colours).convert("L")))


def test_a_deep_file_in_pieces_is_refused(tmp_path: Path) -> None:
    whole = png(deep(3))
    for length in (30, 60, len(whole) // 2, len(whole) - 200):
        (tmp_path / "cut.png").write_bytes(whole[:length])
        with pytest.raises(InputError):
            read_picture(tmp_path / "cut.png")
