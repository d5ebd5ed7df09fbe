"""Pictures that mean harm, or no good, as somebody might send them to a page: bytes, and the name they come under."""

from __future__ import annotations

import gzip
import io
import struct
import zipfile
import zlib
from collections.abc import Iterator

import numpy as np
from PIL import Image, PngImagePlugin

from benchmarks._hostile_files import damaged, encoded, portrait

SCRIPT = b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'><script>alert(2)</script></svg>"
N_DAMAGED = 16
Upload = tuple[str, str, bytes]
"""What is wrong, the name it is sent under, and its bytes."""


def hostile_uploads(upload_bytes: int, megapixels: float) -> list[Upload]:
    """More than fifty.

    upload_bytes, megapixels : the limits of the page; some of the pictures are beyond them.
    """
    good = encoded(portrait(), ".jpg")
    return [
        *_no_pictures(),
        *_bombs(megapixels),
        *_in_disguise(good),
        *_damaged(),
        *_named(good),
        *_large(upload_bytes),
    ]


def _no_pictures() -> Iterator[Upload]:
    yield "nothing", "empty.png", b""
    yield "one byte", "one.png", b"\x89"
    yield "text", "notes.jpg", b"hello, I am a picture\n" * 50
    yield "html", "page.png", b"<!doctype html><script>alert(1)</script>"
    yield "svg with scripts", "drawing.svg", SCRIPT
    yield "svg as png", "drawing.png", SCRIPT
    yield (
        "svg that grows",
        "lol.svg",
        b"<!DOCTYPE s [<!ENTITY a 'aaaaaaaaaa'>" + b"<!ENTITY b '&a;&a;&a;'>" * 20 + b"]><svg/>",
    )
    yield "svg that reads files", "read.svg", b"<!DOCTYPE s [<!ENTITY f SYSTEM 'file:///etc/passwd'>]><svg>&f;</svg>"
    yield "zip bomb", "bomb.zip", _zip(20_000_000)
    yield "zip bomb as png", "bomb.png", _zip(20_000_000)
    yield "gzip bomb", "bomb.jpg", gzip.compress(bytes(50_000_000))
    yield "program", "run.png", b"\x7fELF" + bytes(4000)
    yield "windows program", "run.jpg", b"MZ" + bytes(4000)
    yield "postscript", "code.eps", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(/etc/passwd) (r) file\n"
    yield "pdf", "paper.pdf", b"%PDF-1.7\n1 0 obj << /OpenAction << /S /JavaScript /JS (app.alert(1)) >> >>\n"
    yield "metafile", "old.wmf", struct.pack("<IH4hHIH", 0x9AC6CDD7, 0, 0, 0, 99, 99, 72, 0, 0) + bytes(100)
    yield "imagemagick script", "run.mvg", b"push graphic-context\nviewbox 0 0 9 9\nfill 'url(https://a/|ls)'\n"
    yield (
        "pickle",
        "model.jpg",
        b"\x80\x04\x95\x1f\x00\x00\x00\x00\x00\x00\x00\x8c\x05posix\x8c\x06system\x93\x8c\x02id\x85R.",
    )
    yield "heic without pixels", "phone.heic", b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic" + bytes(400)


def _bombs(megapixels: float) -> Iterator[Upload]:
    yield "100 megapixels", "huge.png", _png(10_000, 10_000, b"")
    yield "100 megapixels, whole", "white.png", _flat_png(10_000, 10_000)
    yield "4 gigapixels", "giant.png", _png(65_535, 65_535, b"")
    yield "more pixels than there are numbers", "beyond.png", _png(2**31 - 1, 2**31 - 1, b"")
    yield "a line without end", "line.png", _flat_png(int(2e6 * megapixels), 1)
    yield "no pixels", "none.png", _png(0, 0, b"")
    yield "rows that unpack to too much", "long.png", _png(64, 64, zlib.compress(bytes(30_000_000)))
    yield "notes that unpack to too much", "chatty.png", _with_long_notes()
    yield "a profile that unpacks to too much", "profile.png", _with_profile(bytes(30_000_000))
    yield "gif of 4000 frames", "film.gif", _gif(4000)
    yield "gif with a screen too large", "screen.gif", b"GIF89a\xff\xff\xff\xff\x80\x00\x00" + bytes(6) + b";"
    yield "tiff that leads to itself", "ring.tif", b"II*\x00\x08\x00\x00\x00\x00\x00\x08\x00\x00\x00"
    yield "tiff with a strip too long", "strip.tif", _tiff(60_000, 60_000)
    yield (
        "bmp with a false size",
        "false.bmp",
        b"BM" + struct.pack("<IHHIIiiHHIIiiII", 90, 0, 0, 54, 40, 90_000, 90_000, 1, 24, 0, 0, 0, 0, 0, 0),
    )
    yield "ppm with a false size", "false.ppm", b"P6 100000 100000 255\n" + bytes(100)
    yield (
        "webp with a false size",
        "false.webp",
        b"RIFF\xff\xff\xff\x7fWEBPVP8X\x0a\x00\x00\x00\x10\x00\x00\x00\xff\xff\xff\xff\xff\xff",
    )
    yield "jpeg with a false size", "false.jpg", _resized_jpeg(65_500, 65_500)


def _in_disguise(good: bytes) -> Iterator[Upload]:
    """Some of them are pictures that can be used."""
    yield "jpeg with a zip behind", "both.jpg", good + _zip(1000)
    yield "jpeg with a script behind", "both.html", good + b"<script>alert(1)</script>"
    yield "gif and script in one", "both.gif", b"GIF89a/*" + bytes(40) + b"*/=1;alert(1)"
    yield "wrong suffix", "face.exe", good
    yield "png called jpg", "face.jpg", encoded(portrait(), ".png")
    yield (
        "without a face",
        "noise.png",
        encoded(np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8), ".png"),
    )
    yield "too small", "dot.png", encoded(np.zeros((3, 3, 3), np.uint8), ".png")


def _damaged() -> Iterator[Upload]:
    random = np.random.default_rng(11)
    for number in range(N_DAMAGED):
        suffix = (".jpg", ".png", ".webp", ".tif", ".bmp")[number % 5]
        kind, content = damaged(encoded(portrait(), suffix), random)
        yield f"{suffix} {kind}", f"damaged{number}{suffix}", content


def _named(good: bytes) -> Iterator[Upload]:
    """A good picture under names that mean something to a file system, a shell, a page or a header."""
    for name in (
        *(
            "../../../../etc/cron.d/job",
            "/etc/passwd",
            "C:\\Windows\\win.ini",
            "..\\..\\x.png",
            "~/.ssh/authorized_keys",
        ),
        *("a\x00b.png", "a\r\nSet-Cookie: x=1.png", "<img src=x onerror=alert(1)>.png", "$(touch x).png", "-rf.png"),
        *(
            "CON",
            ".",
            "..",
            "",
            "x" * 5000 + ".png",
            "\u202egnp.exe",
            "%2e%2e%2fx.png",
            "file:///etc/passwd",
            "a|b;c&d.png",
        ),
    ):
        yield f"name {name[:30]!r}", name, good


def _large(upload_bytes: int) -> Iterator[Upload]:
    yield "a byte too many", "long.bin", bytes(upload_bytes + 1)
    yield "twice too many", "longer.png", encoded(portrait(), ".png") + bytes(2 * upload_bytes)


def _zip(size: int) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("../../bomb", bytes(size))
    return file.getvalue()


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def _png(width: int, height: int, rows: bytes) -> bytes:
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", head) + _chunk(b"IDAT", rows) + _chunk(b"IEND", b"")


def _flat_png(width: int, height: int) -> bytes:
    """A whole picture, a bit a pixel."""
    packer = zlib.compressobj(9)
    row = bytes(1 + (width + 7) // 8)
    rows = b"".join(packer.compress(row) for _ in range(height)) + packer.flush()
    head = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", head) + _chunk(b"IDAT", rows) + _chunk(b"IEND", b"")


def _with_long_notes() -> bytes:
    notes = PngImagePlugin.PngInfo()
    notes.add_text("a", "x" * 30_000_000, zip=True)
    file = io.BytesIO()
    Image.fromarray(portrait(64)).save(file, "PNG", pnginfo=notes)
    return file.getvalue()


def _with_profile(profile: bytes) -> bytes:
    file = io.BytesIO()
    Image.fromarray(portrait(64)).save(file, "PNG", icc_profile=profile)
    return file.getvalue()


def _gif(n_frames: int) -> bytes:
    file = io.BytesIO()
    frames = [Image.new("L", (32, 32), number % 256) for number in range(n_frames)]
    frames[0].save(file, "GIF", save_all=True, append_images=frames[1:])
    return file.getvalue()


def _tiff(width: int, height: int) -> bytes:
    tags = ((256, width), (257, height), (258, 8), (259, 1), (262, 1), (273, 8), (277, 1), (278, height), (279, 2**31))
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags)
    return b"II*\x00" + struct.pack("<I", 8) + struct.pack("<H", len(tags)) + entries + bytes(4)


def _resized_jpeg(width: int, height: int) -> bytes:
    content = bytearray(encoded(portrait(), ".jpg"))
    frame = content.index(b"\xff\xc0")
    content[frame + 5 : frame + 9] = struct.pack(">HH", height, width)
    return bytes(content)
