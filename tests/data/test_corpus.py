"""A corpus of bad and odd files: each gives a picture or one line that names the file; nothing else comes out.

A fresh interpreter reads them all, so that its peak memory and what native code writes to the terminal are seen too.
"""

from __future__ import annotations

import io
import json
import os
import struct
import subprocess
import sys
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from PIL import ExifTags, Image, ImageCms

READER = """
import json, re, sys, time
from pathlib import Path
from synth_affect.data.pictures import read_picture
from synth_affect.errors import InputError
for name in json.loads(sys.stdin.read()):
    start, outcome = time.perf_counter(), {"name": name}
    try:
        picture = read_picture(Path(name))
        outcome |= {"shape": picture.pixels.shape, "dtype": str(picture.pixels.dtype), "format": picture.format}
        outcome |= {"alpha": picture.alpha is not None, "grey": picture.grey, "first": picture.pixels[0, 0].tolist()}
        del picture
    except InputError as error:
        outcome["message"] = str(error)
    except BaseException as error:
        outcome["escaped"] = repr(error)
    outcome["seconds"] = time.perf_counter() - start
    # Not getrusage's, which begins with what the process was forked from.
    outcome["peak_mib"] = int(re.search(r"VmHWM:\\s*(\\d+) kB", Path("/proc/self/status").read_text())[1]) // 1024
    print(json.dumps(outcome), flush=True)
"""

pytestmark = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="peak memory is read from /proc")

PEAK_MIB = 200
"""The interpreter with its libraries takes some 70, the largest picture here is small; a bomb that goes off shows."""
SECONDS = 60.0
"""Each takes milliseconds; what hangs shows on a busy machine, too."""

A_PICTURE, AN_ERROR, EITHER = "a picture", "an error", "either"


def noise(width: int = 48, height: int = 40, mode: str = "RGB") -> Image.Image:
    return Image.fromarray(np.random.default_rng(1).integers(0, 256, (height, width, 3), dtype=np.uint8)).convert(mode)


def saved(image: Image.Image, file_format: str, **options: Any) -> bytes:
    out = io.BytesIO()
    image.save(out, file_format, **options)
    return out.getvalue()


def chunk(name: bytes, data: bytes, *, crc: int | None = None) -> bytes:
    return (
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data) if crc is None else crc)
    )


def png_of(width: int, height: int, rows: bytes, *, depth: int = 8, colour: int = 2, beside: bytes = b"") -> bytes:
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    data = chunk(b"IDAT", zlib.compress(rows, 9))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + beside + data + chunk(b"IEND", b"")


def flipped(content: bytes, at: int) -> bytes:
    return content[:at] + bytes([content[at] ^ 0xFF]) + content[at + 1 :]


def frames(n: int = 3) -> dict[str, Any]:
    others = [Image.new("RGB", (8, 8), (60 * i, 0, 0)) for i in range(1, n)]
    return {"save_all": True, "append_images": others}


def tiff_with_a_loop() -> bytes:
    """A directory that names itself as the next."""
    content = bytearray(saved(noise(), "TIFF"))
    (first,) = struct.unpack("<I", content[4:8])
    (n_entries,) = struct.unpack("<H", content[first : first + 2])
    content[first + 2 + 12 * n_entries : first + 6 + 12 * n_entries] = struct.pack("<I", first)
    return bytes(content)


def truncated() -> dict[str, tuple[bytes, str]]:
    corpus = {}
    image = noise(96, 80)
    wholes = {
        "jpg": saved(image, "JPEG", quality=95),
        "progressive.jpg": saved(image, "JPEG", progressive=True),
        "png": saved(image, "PNG"),
        "webp": saved(image, "WEBP"),
        "lossless.webp": saved(image, "WEBP", lossless=True),
        "tif": saved(image, "TIFF"),
        "lzw.tif": saved(image, "TIFF", compression="tiff_lzw"),
        "bmp": saved(image, "BMP"),
        "gif": saved(image, "GIF"),
        "avif": saved(image, "AVIF"),
        "jp2": saved(image, "JPEG2000"),
        "ppm": saved(image, "PPM"),
    }
    for suffix, whole in wholes.items():
        corpus[f"whole.{suffix}"] = (whole, A_PICTURE)
        for share in (0.002, 0.01, 0.05, 0.2, 0.5, 0.8, 0.97):
            length = max(3, int(share * len(whole)))
            # Without its last bytes a picture may be whole all the same; half of one never is.
            corpus[f"cut_at_{length}.{suffix}"] = (whole[:length], AN_ERROR if share <= 0.8 else EITHER)
        # Some formats hold part of a picture and say so only by its quality.
        for share in (0.3, 0.6):
            corpus[f"flipped_at_{share}.{suffix}"] = (flipped(whole, int(share * len(whole))), EITHER)
    return corpus


def odd() -> dict[str, tuple[bytes, str]]:
    rgb = noise()
    exif = Image.Exif()
    exif[ExifTags.Base.ImageDescription] = "long " * 10_000
    icc = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("face.png", saved(rgb, "PNG"))
    png, jpeg = saved(rgb, "PNG"), saved(rgb, "JPEG")
    data_at = png.index(b"IDAT")
    many = io.BytesIO()
    tifffile.imwrite(many, np.zeros((3, 16, 16), np.uint8), photometric="minisblack")
    real, half, wide = io.BytesIO(), io.BytesIO(), io.BytesIO()
    tifffile.imwrite(real, np.ones((8, 8, 3), np.float32), photometric="rgb")
    tifffile.imwrite(half, np.ones((8, 8), np.float16))
    tifffile.imwrite(wide, np.full((8, 8, 3), 70_000, np.uint32), photometric="rgb")
    bomb_rows = bytes(1000)  # the header alone must do
    return {
        "1x1.png": (saved(Image.new("RGB", (1, 1)), "PNG"), A_PICTURE),
        "1x1.jpg": (saved(Image.new("L", (1, 1)), "JPEG"), A_PICTURE),
        "20000x2.png": (saved(Image.new("RGB", (20_000, 2)), "PNG"), A_PICTURE),
        "2x20000.jpg": (saved(Image.new("RGB", (2, 20_000)), "JPEG"), A_PICTURE),
        "0x0.png": (png_of(0, 0, b""), AN_ERROR),
        "0x5.bmp": (flipped(saved(rgb, "BMP"), 18)[:18] + b"\0" * 4 + saved(rgb, "BMP")[22:], EITHER),
        "bomb.png": (png_of(30_000, 30_000, bomb_rows), AN_ERROR),
        "bomb_just_over.png": (png_of(13_000, 13_000, bomb_rows), AN_ERROR),
        "bomb_grey.png": (png_of(60_000, 60_000, bomb_rows, depth=1, colour=0), AN_ERROR),
        "bomb_claim.png": (png_of(2**31 - 1, 2**31 - 1, b""), AN_ERROR),
        "bomb.gif": (b"GIF89a" + struct.pack("<HHBBB", 65_535, 65_535, 0xF0, 0, 0) + b"\0" * 40, AN_ERROR),
        "bomb.bmp": (
            b"BM" + struct.pack("<IHHIIiiHHIIiiII", 54, 0, 0, 54, 40, 60_000, 60_000, 1, 24, *[0] * 6),
            AN_ERROR,
        ),
        "bomb.ppm": (b"P6 60000 60000 255\n" + b"\0" * 99, AN_ERROR),
        "bomb_text.png": (
            png_of(4, 4, bytes(13 * 4), beside=chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(200_000_000), 9))),
            EITHER,
        ),
        "bomb_profile.png": (
            png_of(4, 4, bytes(13 * 4), beside=chunk(b"iCCP", b"a\0\0" + zlib.compress(bytes(200_000_000), 9))),
            EITHER,
        ),
        "animated.gif": (saved(Image.new("RGB", (8, 8)), "GIF", **frames()), AN_ERROR),
        "animated.webp": (saved(Image.new("RGB", (8, 8)), "WEBP", **frames()), AN_ERROR),
        "animated.avif": (saved(Image.new("RGB", (8, 8)), "AVIF", **frames()), AN_ERROR),
        "animated.png": (saved(Image.new("RGB", (8, 8)), "PNG", **frames()), AN_ERROR),
        "many_pages.tif": (many.getvalue(), AN_ERROR),
        "phone.mpo": (saved(Image.new("RGB", (8, 8)), "MPO", **frames(2)), A_PICTURE),
        "loop.tif": (tiff_with_a_loop(), EITHER),
        "png_named.jpg": (png, A_PICTURE),
        "jpeg_named.png": (jpeg, A_PICTURE),
        "webp_named.tif": (saved(rgb, "WEBP"), A_PICTURE),
        "jpeg_named.txt": (jpeg, A_PICTURE),
        "no_suffix": (jpeg, A_PICTURE),
        "zero.png": (b"", AN_ERROR),
        "one_byte.jpg": (b"\xff", AN_ERROR),
        "text.jpg": (b"This is not a picture.\n" * 50, AN_ERROR),
        "page.png": (b"<!doctype html><html><body>404</body></html>", AN_ERROR),
        "drawing.svg": (b'<svg xmlns="http://www.w3.org/2000/svg"><rect width="9" height="9"/></svg>', AN_ERROR),
        "document.pdf": (b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF", AN_ERROR),
        "script.eps": (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", AN_ERROR),
        "archive.zip": (archive.getvalue(), AN_ERROR),
        "phone.heic": (b"\0\0\0\x1cftypheic\0\0\0\0mif1heicmiaf" + bytes(64), AN_ERROR),
        "film.mp4": (b"\0\0\0\x18ftypisom\0\0\0\0isommp42" + bytes(64), AN_ERROR),
        "nul.png": (bytes(100_000), AN_ERROR),
        "ff.jpg": (b"\xff" * 100_000, AN_ERROR),
        "signature.png": (b"\x89PNG\r\n\x1a\n", AN_ERROR),
        "wrong_crc_of_data.png": (flipped(png, len(png) - 14), EITHER),
        "wrong_crc_of_header.png": (flipped(png, 30), AN_ERROR),
        "noise_as_data.png": (png[: data_at + 4] + b"\x55" * 400 + png[data_at + 404 :], AN_ERROR),
        "junk_behind.jpg": (jpeg + b"junk" * 100, A_PICTURE),
        "junk_before.jpg": (b"junk" + jpeg, AN_ERROR),
        "corrupt_exif.jpg": (saved(rgb, "JPEG", exif=b"Exif\0\0II*\0\xff\xff\xff\xff junk"), A_PICTURE),
        "exif_that_points_nowhere.jpg": (
            saved(rgb, "JPEG", exif=b"Exif\0\0II*\0\x08\0\0\0\x01\0\x69\x87\x04\0\x01\0\0\0\xf0\xff\xff\x7f\0\0\0\0"),
            A_PICTURE,
        ),
        "exif_orientation_99.jpg": (
            saved(rgb, "JPEG", exif=b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x63\0\0\0\0\0\0\0"),
            A_PICTURE,
        ),
        "orientation_is_text.jpg": (
            saved(rgb, "JPEG", exif=b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x02\0\x02\0\0\0x\0\0\0\0\0\0\0"),
            A_PICTURE,
        ),
        "huge_exif.png": (saved(rgb, "PNG", exif=exif), A_PICTURE),
        "corrupt_profile.jpg": (saved(rgb, "JPEG", icc_profile=b"no profile"), A_PICTURE),
        "cut_profile.png": (saved(rgb, "PNG", icc_profile=icc[:200]), A_PICTURE),
        "profile_of_cmyk.jpg": (saved(noise(mode="CMYK"), "JPEG", icc_profile=icc), A_PICTURE),
        "palette.png": (saved(rgb.quantize(16), "PNG"), A_PICTURE),
        "palette_of_one.gif": (saved(rgb.quantize(1), "GIF"), A_PICTURE),
        "palette_missing.png": (png_of(4, 4, bytes(5 * 4), colour=3), EITHER),
        "bilevel.png": (saved(noise(mode="1"), "PNG"), A_PICTURE),
        "bilevel.tif": (saved(noise(mode="1"), "TIFF", compression="group4"), A_PICTURE),
        "grey_alpha.png": (saved(noise(mode="LA"), "PNG"), A_PICTURE),
        "cmyk.tif": (saved(noise(mode="CMYK"), "TIFF"), A_PICTURE),
        "ycbcr.tif": (saved(noise(mode="YCbCr"), "TIFF"), A_PICTURE),
        "lab.tif": (saved(noise(mode="LAB"), "TIFF"), A_PICTURE),
        "float.tif": (saved(Image.fromarray(np.ones((8, 8), np.float32)), "TIFF"), AN_ERROR),
        "float_rgb.tif": (real.getvalue(), AN_ERROR),
        "half_float.tif": (half.getvalue(), AN_ERROR),
        "32_bits.tif": (wide.getvalue(), AN_ERROR),
        "nan.tif": (saved(Image.fromarray(np.full((8, 8), np.nan, np.float32)), "TIFF"), AN_ERROR),
        "deep.png": (png_of(5, 4, bytes((1 + 30) * 4), depth=16), A_PICTURE),
        "deep_with_half_its_rows.png": (png_of(50, 40, bytes((1 + 300) * 20), depth=16), EITHER),
        "deep_of_unknown_colour.png": (png_of(5, 4, bytes(31 * 4), depth=16, colour=7), AN_ERROR),
        "tiff_header.tif": (b"II*\0\x08\0\0\0", AN_ERROR),
        "tiff_that_points_out.tif": (b"II*\0\xff\xff\xff\x7f", AN_ERROR),
        "big_tiff_header.tif": (b"II+\0\x08\0\0\0\x10\0\0\0\0\0\0\0", AN_ERROR),
    }


CORPUS = truncated() | odd()
PLACES = ("a_folder", "a_pipe", "a_dangling_link", "a_loop_of_links", "nothing_there", "nul\x00in_its_name")


def place(folder: Path) -> None:
    (folder / "a_folder").mkdir()
    os.mkfifo(folder / "a_pipe")
    (folder / "a_dangling_link").symlink_to(folder / "gone")
    (folder / "a_loop_of_links").symlink_to(folder / "a_loop_of_links")


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    folder = tmp_path_factory.mktemp("corpus")
    for name, (content, _) in CORPUS.items():
        (folder / name).write_bytes(content)
    place(folder)
    names = [str(folder / name) for name in (*CORPUS, *PLACES)]
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", READER],
        input=json.dumps(names),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.stderr == "", "something was written to the terminal"
    outcomes = {Path(line["name"]).name: line for line in map(json.loads, done.stdout.splitlines())}
    missing = [name for name in (*CORPUS, *PLACES) if name not in outcomes]
    assert done.returncode == 0, f"the reader died of {missing[:1]}"
    return outcomes


def check_error(outcome: dict[str, Any], reason: str = "") -> None:
    message = outcome["message"]
    assert message.startswith(f"{outcome['name']}: {reason}")
    assert "\n" not in message
    assert len(message) < len(outcome["name"]) + 250


def test_the_corpus_is_large() -> None:
    assert len(CORPUS) + len(PLACES) >= 190


@pytest.mark.parametrize("name", CORPUS)
def test_a_picture_or_one_line_that_names_the_file(outcomes: dict[str, dict[str, Any]], name: str) -> None:
    outcome = outcomes[name]
    assert "escaped" not in outcome, outcome["escaped"]
    if "message" in outcome:
        check_error(outcome)
    else:
        height, width, n_channels = outcome["shape"]
        assert height > 0
        assert width > 0
        assert n_channels == 3
    expected = CORPUS[name][1]
    if expected != EITHER:  # the others may be mended by one version of a library and refused by the next
        assert ("message" in outcome) == (expected == AN_ERROR), outcome.get("message", "was read")
    assert outcome["seconds"] < SECONDS
    assert outcome["peak_mib"] < PEAK_MIB


REASONS = {
    "zero.png": "the file is empty",
    "text.jpg": "not a picture",
    "bomb.png": "has too many pixels",
    "bomb_just_over.png": "has too many pixels (13000 x 13000;",
    "animated.gif": "has 3 frames; give one of them",
    "many_pages.tif": "has 3 frames",
    "float.tif": "its pixels are floating-point numbers",
    "a_folder": "a folder, not a picture",
    "a_pipe": "not a regular file",
    "a_dangling_link": "no such file",
    "nothing_there": "no such file",
    "a_loop_of_links": "cannot be read",
    "nul\x00in_its_name": "cannot be read",
}


@pytest.mark.parametrize("name", REASONS)
def test_the_line_says_what_is_wrong(outcomes: dict[str, dict[str, Any]], name: str) -> None:
    check_error(outcomes[name], REASONS[name])


def test_odd_pictures_are_read_as_what_they_are(outcomes: dict[str, dict[str, Any]]) -> None:
    assert outcomes["png_named.jpg"]["format"] == "PNG"
    assert outcomes["phone.mpo"]["shape"] == [8, 8, 3]
    assert outcomes["20000x2.png"]["shape"] == [2, 20_000, 3]
    assert outcomes["deep.png"]["dtype"] == "uint16"
    assert outcomes["grey_alpha.png"]["grey"]
    assert outcomes["grey_alpha.png"]["alpha"]
    assert not outcomes["palette.png"]["alpha"]
    assert outcomes["junk_behind.jpg"]["first"] == outcomes["jpeg_named.png"]["first"]


# --- the whole command on some of them


def half_a_face(portrait: Any) -> bytes:
    """The astronaut's face from the nose to the left of the picture; the rest lies outside."""
    return saved(Image.fromarray(portrait[:300, 225:]), "PNG")


COMMAND: dict[str, tuple[bytes, str]] = {
    "tiny.png": (CORPUS["1x1.png"][0], "no face found"),
    "wide.png": (CORPUS["20000x2.png"][0], "no face found"),
    "bomb.png": (CORPUS["bomb.png"][0], "has too many pixels"),
    "animated.gif": (CORPUS["animated.gif"][0], "has 3 frames"),
    "page.png": (CORPUS["page.png"][0], "not a picture"),
    "half.jpg": (saved(noise(96, 80), "JPEG", quality=95)[:3000], "a damaged picture"),
}


@pytest.mark.parametrize("name", COMMAND)
def test_the_command_says_one_line_and_writes_nothing(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], name: str
) -> None:
    from synth_affect.cli import BAD_INPUT, main

    (tmp_path / name).write_bytes(COMMAND[name][0])
    arguments = ["--image", str(tmp_path / name), "--valence", "0.5", "--arousal", "0.5", "-o", str(tmp_path / "o.png")]
    assert main(arguments) == BAD_INPUT
    written = capfd.readouterr()
    assert written.out == ""
    assert written.err.splitlines() == [written.err.rstrip("\n")]
    assert written.err.startswith(f"synth-affect: {tmp_path / name}: {COMMAND[name][1]}")
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_the_command_on_a_face_half_outside_the_frame(tmp_path: Path, portrait: Any, capfd: Any) -> None:
    from synth_affect.cli import BAD_INPUT, main

    (tmp_path / "half.png").write_bytes(half_a_face(portrait))
    output = tmp_path / "o.png"
    code = main(["--image", str(tmp_path / "half.png"), "--valence", "0.8", "--arousal", "0.4", "-o", str(output)])
    err = capfd.readouterr().err
    if code == BAD_INPUT:
        assert "no face found" in err
        assert not output.exists()
    else:
        assert code == 0
        with Image.open(output) as image:
            assert image.size == (512 - 225, 300)
