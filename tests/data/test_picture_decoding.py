"""What is read from picture files is upright, RGB and in sRGB, or refused in one line."""

from __future__ import annotations

import importlib.util
import io
from pathlib import Path

import numpy as np
import pytest
from PIL import ExifTags, Image, ImageCms

from synth_affect.data.colour_profiles import srgb_profile
from synth_affect.data.pictures import read_picture
from synth_affect.errors import InputError
from tests.data.picture_files import SRGB, save, smooth_pixels


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
