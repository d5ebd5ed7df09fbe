"""Picture files: what goes in comes out upright and RGB; what goes out says that it is synthetic."""

from __future__ import annotations

import importlib.util
import io
import os
import struct
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import ExifTags, Image, ImageCms

from synth_affect.data.colour_profiles import srgb_profile
from synth_affect.data.picture_encoding import FORMAT_OF_SUFFIX
from synth_affect.data.pictures import Picture, check_output, read_picture, write_picture
from synth_affect.data.provenance import Provenance, xmp_packet
from synth_affect.errors import InputError, ShapeError


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


PROVENANCE = Provenance({"valence": 0.6, "arousal": 0.3}, "1.0", "cc0", "00" * 32)
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
_GREY_LINEAR = grey_profile()
SUFFIXES = sorted(FORMAT_OF_SUFFIX)
LOSSLESS = [".png", ".tif", ".tiff"]


def smooth_pixels(height: int = 24, width: int = 40) -> np.ndarray[Any, np.dtype[np.uint8]]:
    rows, columns = np.mgrid[:height, :width]
    return np.stack([rows * 10, columns * 6, rows * 5 + columns * 3], axis=2).astype(np.uint8)


def picture(**fields: Any) -> Picture:
    given: dict[str, Any] = {"pixels": smooth_pixels(), "alpha": None, "icc_profile": None, "exif": None}
    return Picture(**(given | {"format": "PNG", "path": Path("in.png")} | fields))


def save(path: Path, image: Image.Image, **options: Any) -> Path:
    image.save(path, **options)
    return path


def packet_in(path: Path) -> bytes:
    """The XMP packet as Pillow hands it out, an instrument of its own."""
    with Image.open(path) as image:
        packet = image.info.get("xmp") or image.info["XML:com.adobe.xmp"]
    return packet.encode() if isinstance(packet, str) else packet


# --- reading


def test_modes_become_rgb(tmp_path: Path) -> None:
    rgb = Image.fromarray(smooth_pixels())
    grey = np.asarray(rgb.convert("L"))
    read = read_picture(save(tmp_path / "grey.png", rgb.convert("L")))
    assert read.alpha is None
    np.testing.assert_array_equal(read.pixels, np.repeat(grey[..., None], 3, axis=2))
    palette = rgb.quantize(16)
    np.testing.assert_array_equal(
        read_picture(save(tmp_path / "palette.png", palette)).pixels, np.asarray(palette.convert("RGB"))
    )
    bilevel = rgb.convert("1")
    np.testing.assert_array_equal(
        read_picture(save(tmp_path / "bilevel.png", bilevel)).pixels, np.asarray(bilevel.convert("RGB"))
    )
    cmyk = read_picture(save(tmp_path / "cmyk.jpg", rgb.convert("CMYK"), quality=100, subsampling=0))
    assert np.abs(cmyk.pixels.astype(int) - smooth_pixels()).max() <= 4


def test_floating_point_pixels_are_refused(tmp_path: Path) -> None:
    path = save(tmp_path / "float.tif", Image.fromarray(np.ones((4, 4), np.float32)))
    with pytest.raises(InputError, match="floating-point"):
        read_picture(path)


@pytest.mark.parametrize("mode", ["RGBA", "LA", "PA"])
def test_alpha_is_kept_apart(tmp_path: Path, mode: str) -> None:
    alpha = np.arange(24 * 40, dtype=np.uint16).reshape(24, 40).astype(np.uint8)
    image = Image.fromarray(np.dstack([smooth_pixels(), alpha]))
    converted = image.convert("LA") if mode == "LA" else image
    suffix = ".png"
    if mode == "PA":  # a palette with transparent entries
        converted = image.quantize(32)
        alpha = np.asarray(converted.convert("RGBA"))[..., 3]
    read = read_picture(save(tmp_path / f"a{suffix}", converted))
    assert read.alpha is not None
    np.testing.assert_array_equal(read.alpha, alpha)
    assert read.pixels.shape == (24, 40, 3)


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".tif"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_applied_and_forgotten(tmp_path: Path, suffix: str, orientation: int) -> None:
    stored = np.zeros((16, 32, 3), np.uint8)
    stored[:8, :16] = (250, 10, 10)
    undo = {1: lambda a: a, 2: lambda a: a[:, ::-1], 3: lambda a: a[::-1, ::-1], 4: lambda a: a[::-1]}
    undo |= {5: lambda a: a.swapaxes(0, 1), 6: lambda a: np.rot90(a, -1)}
    undo |= {7: lambda a: a[::-1, ::-1].swapaxes(0, 1), 8: lambda a: np.rot90(a)}
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    exif[ExifTags.Base.Make] = "Maker"
    path = save(
        tmp_path / f"turned{suffix}", Image.fromarray(stored), exif=exif, quality=100, subsampling=0, lossless=True
    )
    read = read_picture(path)
    np.testing.assert_allclose(read.pixels.astype(int), undo[orientation](stored), atol=3)
    assert read.exif is not None
    kept = Image.Exif()
    kept.load(read.exif)
    assert dict(kept) == {ExifTags.Base.Make: "Maker"}


def test_cmyk_goes_through_its_profile_and_a_profile_for_other_colours_is_not_kept(tmp_path: Path) -> None:
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()  # of no use for CMYK, as broken ones are
    path = save(tmp_path / "c.jpg", Image.fromarray(smooth_pixels()).convert("CMYK"), icc_profile=lab, quality=100)
    read = read_picture(path)
    assert read.icc_profile == srgb_profile()
    assert np.abs(read.pixels.astype(int) - smooth_pixels()).max() <= 12
    assert read_picture(save(tmp_path / "s.png", Image.new("RGB", (4, 4)), icc_profile=SRGB)).icc_profile == SRGB


def broken_files(folder: Path) -> dict[str, Path]:
    image = Image.effect_noise((64, 64), 60).convert("RGB")
    whole = {}
    for suffix in (".png", ".jpg", ".webp", ".tif", ".bmp", ".gif"):
        out = io.BytesIO()
        image.save(out, {".jpg": "JPEG", ".tif": "TIFF"}.get(suffix, suffix[1:].upper()))
        whole[suffix] = out.getvalue()
    contents = {f"half{suffix}": content[: len(content) // 2] for suffix, content in whole.items()}
    contents |= {f"head{suffix}": content[:20] for suffix, content in whole.items()}
    contents |= {"empty.png": b"", "text.jpg": b"not a picture at all\n", "script.eps": b"%!PS-Adobe-3.0 EPSF-3.0\n"}
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    return {name: folder / name for name in contents}


def test_each_broken_file_is_an_input_error_of_one_line(tmp_path: Path) -> None:
    for name, path in broken_files(tmp_path).items():
        with pytest.raises(InputError) as caught:
            read_picture(path)
        assert caught.value.path == str(path), name
        assert "\n" not in str(caught.value), name
        wanted = {"empty.png": "the file is empty", "text.jpg": "not a picture", "script.eps": "not a picture"}
        assert caught.value.reason.startswith(wanted.get(name, ("a damaged picture", "not a picture"))), name


def test_a_cut_of_any_length_is_refused_or_read_but_never_another_error(tmp_path: Path) -> None:
    out = io.BytesIO()
    Image.effect_noise((16, 16), 60).convert("RGB").save(out, "PNG", exif=Image.Exif(), icc_profile=SRGB)
    path = tmp_path / "cut.png"
    n_refused = 0
    for length in range(1, len(out.getvalue()), 37):
        path.write_bytes(out.getvalue()[:length])
        try:
            read_picture(path)
        except InputError:
            n_refused += 1
    assert n_refused > 10


def test_places_that_are_no_picture_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="a folder, not a picture"):
        read_picture(tmp_path)
    with pytest.raises(InputError, match="no such file"):
        read_picture(tmp_path / "absent.png")


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may read anything")
def test_an_unreadable_file(tmp_path: Path) -> None:
    path = save(tmp_path / "secret.png", Image.new("RGB", (2, 2)))
    path.chmod(0)
    with pytest.raises(InputError, match=r"cannot be read \(Permission denied\)"):
        read_picture(path)


@pytest.mark.parametrize("suffix", [".gif", ".png", ".webp", ".tif"])
def test_several_frames_are_refused(tmp_path: Path, suffix: str) -> None:
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "lime", "blue")]
    path = save(tmp_path / f"moving{suffix}", frames[0], save_all=True, append_images=frames[1:])
    with pytest.raises(InputError, match="has 3 frames; give one of them"):
        read_picture(path)


def test_the_picture_behind_a_phones_jpeg_is_ignored(tmp_path: Path) -> None:
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue")]
    path = save(tmp_path / "phone.jpg", frames[0], format="MPO", save_all=True, append_images=frames[1:])
    read = read_picture(path)
    assert read.format == "JPEG"
    assert read.pixels[0, 0, 0] > 200


def test_a_decompression_bomb_is_refused_and_a_large_picture_is_read_in_silence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = save(tmp_path / "large.png", Image.new("L", (100, 100)))
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 8_000)  # Pillow warns here, and refuses at twice as many
    assert read_picture(path).pixels.shape == (100, 100, 3)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 4_000)
    with pytest.raises(InputError, match="has too many pixels"):
        read_picture(path)


def test_broken_exif_does_not_stop_a_picture(tmp_path: Path) -> None:
    path = save(tmp_path / "e.jpg", Image.new("RGB", (8, 8)), exif=b"Exif\x00\x00II*\x00\xff\xff\xff\xff junk")
    read = read_picture(path)
    assert read.pixels.shape == (8, 8, 3)
    assert read.exif is None


def test_values_are_checked_and_read_only() -> None:
    with pytest.raises(ShapeError, match="uint8 or uint16"):
        picture(pixels=smooth_pixels().astype(np.float32))
    with pytest.raises(ShapeError, match=r"alpha: expected \(24, 40\)"):
        picture(alpha=np.zeros((3, 3), np.uint8))
    with pytest.raises(ValueError, match="read-only"):
        picture().pixels[0, 0, 0] = 1
    assert picture(pixels=smooth_pixels().astype(np.uint16)).pixels.dtype == np.uint16


def test_grey_is_known_as_grey(tmp_path: Path) -> None:
    rgb = Image.fromarray(smooth_pixels())
    for name, image in {"l.png": rgb.convert("L"), "1.png": rgb.convert("1"), "la.png": rgb.convert("LA")}.items():
        assert read_picture(save(tmp_path / name, image)).grey
    for name, image in {"rgb.png": rgb, "p.png": rgb.quantize(8), "rgba.png": rgb.convert("RGBA")}.items():
        assert not read_picture(save(tmp_path / name, image)).grey


def test_grey_with_one_transparent_value(tmp_path: Path) -> None:
    grey = np.arange(64, dtype=np.uint8).reshape(8, 8)
    read = read_picture(save(tmp_path / "t.png", Image.fromarray(grey), transparency=5))
    assert read.grey
    np.testing.assert_array_equal(read.pixels[..., 2], grey)
    np.testing.assert_array_equal(read.alpha, np.where(grey == 5, 0, 255))


def test_lab_comes_in_srgb(tmp_path: Path) -> None:
    rgb = Image.fromarray(smooth_pixels())
    lab = ImageCms.profileToProfile(
        rgb, ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), outputMode="LAB"
    )
    assert lab is not None
    read = read_picture(save(tmp_path / "lab.tif", lab))
    assert read.icc_profile == srgb_profile()
    assert np.abs(read.pixels.astype(int) - smooth_pixels()).mean() < 2  # dark blues are coarse in 8-bit LAB


def test_numbers_of_32_bits_are_refused_unless_they_fit(tmp_path: Path) -> None:
    large = np.array([[0, 70_000]], np.int32)
    with pytest.raises(InputError, match="32-bit numbers"):
        read_picture(save(tmp_path / "l.tif", Image.fromarray(large)))
    fits = read_picture(save(tmp_path / "f.tif", Image.fromarray(large // 2)))
    assert fits.pixels.tolist() == [[[0] * 3, [35_000] * 3]]


def test_a_broken_profile_is_left_behind(tmp_path: Path) -> None:
    broken = SRGB[:128] + b"\xff" * 64
    assert read_picture(save(tmp_path / "b.png", Image.new("RGB", (4, 4)), icc_profile=broken)).icc_profile is None


HEIC = b"\0\0\0\x1cftypheic\0\0\0\0mif1heicmiaf" + b"\0" * 64


@pytest.mark.skipif(importlib.util.find_spec("pillow_heif") is not None, reason="pillow-heif is installed")
def test_heic_says_what_it_needs(tmp_path: Path) -> None:
    (tmp_path / "phone.heic").write_bytes(HEIC)
    with pytest.raises(InputError, match=r'a HEIC picture, .* give it as JPEG, or pip install "synth-affect\[heif\]"'):
        read_picture(tmp_path / "phone.heic")


@pytest.mark.skipif(importlib.util.find_spec("pillow_heif") is None, reason="pillow-heif is not installed")
def test_heic_is_read_upright(tmp_path: Path) -> None:
    import pillow_heif

    exif = Image.Exif()
    exif[ExifTags.Base.Make] = "Maker"
    pillow_heif.from_pillow(Image.fromarray(smooth_pixels())).save(
        tmp_path / "p.heic", exif=exif.tobytes(), quality=95, chroma=444
    )
    read = read_picture(tmp_path / "p.heic")
    assert read.format == "HEIF"
    assert np.abs(read.pixels.astype(int) - smooth_pixels()).mean() < 3
    assert read.exif is not None
    assert b"Maker" in read.exif
    (tmp_path / "p.heic").write_bytes(HEIC)
    with pytest.raises(InputError, match="damaged"):
        read_picture(tmp_path / "p.heic")


# --- writing


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


def test_more_than_the_format_holds_is_refused_and_nothing_written(tmp_path: Path) -> None:
    wide = np.zeros((1, 16_384, 3), np.uint8)  # WebP ends at 16,383
    with pytest.raises(InputError, match="cannot be written as WEBP"):
        write_picture(wide, tmp_path / "out.webp", picture(pixels=wide), PROVENANCE)
    assert not list(tmp_path.iterdir())


def test_what_check_output_refuses(tmp_path: Path) -> None:
    source = save(tmp_path / "face.png", Image.new("RGB", (2, 2)))
    for name in ("out.bmp", "out", "out.gif"):
        with pytest.raises(InputError, match=r"pictures are written as \.png, \.jpg, \.jpeg, \.webp, \.avif, \.tif"):
            check_output(tmp_path / name)
    with pytest.raises(InputError, match="it would be overwritten"):
        check_output(source, [source])
    with pytest.raises(InputError, match="does not exist"):
        check_output(tmp_path / "nowhere" / "out.png")
    check_output(tmp_path / "OUT.JPG", [source])
