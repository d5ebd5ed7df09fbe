"""Damaged pictures and videos, and annotation files that mean harm, made from a good portrait and a seed."""

from __future__ import annotations

import io
import json
import os
import struct
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from synth_affect.arrays import ImageArray

FORMATS = {".jpg": "JPEG", ".png": "PNG", ".webp": "WEBP", ".tif": "TIFF", ".bmp": "BMP"}


@dataclass(frozen=True, slots=True)
class Case:
    """name : of what is wrong.  arguments : of `synth-affect augment`, without its output."""

    name: str
    arguments: tuple[str, ...]


def portrait(size_px: int = 128) -> ImageArray:
    """A face."""
    from skimage.data import astronaut

    face = Image.fromarray(np.asarray(astronaut())[:300, 100:400])
    return np.asarray(face.resize((size_px, size_px), Image.Resampling.LANCZOS))


def encoded(pixels: npt.NDArray[Any], suffix: str) -> bytes:
    """Of a good picture."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, FORMATS[suffix])
    return file.getvalue()


def damaged(content: bytes, random: np.random.Generator) -> tuple[str, bytes]:
    """A name of the damage, and what is left."""
    kind = int(random.integers(6))
    if kind == 0:
        return "cut", content[: int(random.integers(1, len(content)))]
    if kind == 1:
        flipped = bytearray(content)
        for place in random.integers(0, len(content), 1 + len(content) // 400):
            flipped[place] ^= 1 << int(random.integers(8))
        return "flipped", bytes(flipped)
    if kind == 2:
        start = int(random.integers(0, len(content) // 2))
        return "zeroed", content[:start] + bytes(len(content) // 4) + content[start + len(content) // 4 :]
    if kind == 3:
        flipped = bytearray(content)
        for place in random.integers(0, min(len(content), 64), 4):  # the header
            flipped[place] = int(random.integers(256))
        return "header", bytes(flipped)
    if kind == 4:
        return "noise", content[:16] + random.bytes(len(content) // 2)
    half = len(content) // 2
    return "turned", content[half:] + content[:half]


def write_damaged_pictures(folder: Path, count: int, seed: int) -> None:
    """`count` files, a few of them good pictures in disguise or of odd kinds."""
    random, pixels = np.random.default_rng(seed), portrait()
    special = list(_special(pixels))
    folder.mkdir(parents=True)
    for number in range(count):
        if number < len(special):
            name, content = special[number]
        else:
            suffix = str(random.choice(list(FORMATS)))
            kind, content = damaged(encoded(pixels, suffix), random)
            name = f"{kind}{suffix}"
        (folder / f"{number:03d}-{name}").write_bytes(content)
    (folder / "folder.jpg").mkdir()
    (folder / "loop.png").symlink_to(folder / "loop.png")
    (folder / "nowhere.png").symlink_to("/nowhere/at/all.png")
    (folder / "passwords.jpg").symlink_to("/etc/passwd")
    if hasattr(os, "mkfifo"):
        os.mkfifo(folder / "pipe.jpg")


def _special(pixels: ImageArray) -> Iterator[tuple[str, bytes]]:
    yield "good.jpg", encoded(pixels, ".jpg")
    yield "wrong-suffix.png", encoded(pixels, ".jpg")
    yield "empty.jpg", b""
    yield "one-byte.png", b"\x89"
    yield "text.jpg", b"this is no picture\n" * 100
    yield "page.jpg", b"<html><body>404</body></html>"
    for width, height in ((65_000, 65_000), (2**31 - 1, 1), (0, 10), (30_000, 30_000)):
        yield f"announces-{width}x{height}.png", _png_of(width, height, b"\0" * 1000)
    yield "bomb.png", _png_of(12_500, 12_500, b"\0" * (12_500 * 12_501 // 8))
    yield "one-pixel.png", encoded(pixels[:1, :1], ".png")
    yield "line.png", encoded(np.ascontiguousarray(pixels[:1]), ".png")
    yield "ribbon.png", encoded(np.tile(pixels[:2], (1, 60, 1)), ".png")
    yield "grey.png", encoded(pixels[..., 0].copy(), ".png")
    yield "deep.png", encoded(pixels[..., 0].astype(np.uint16) * 257, ".png")
    for mode in ("CMYK", "P", "1", "LA"):
        file = io.BytesIO()
        Image.fromarray(pixels).convert(mode).save(file, "JPEG" if mode == "CMYK" else "PNG")
        yield f"mode-{mode}.{'jpg' if mode == 'CMYK' else 'png'}", file.getvalue()
    file = io.BytesIO()
    frames = [Image.fromarray(pixels), Image.fromarray(pixels[::-1].copy())]
    frames[0].save(file, "TIFF", save_all=True, append_images=frames[1:])
    yield "two-pages.tif", file.getvalue()
    yield "vector.jpg", b"<svg xmlns='http://www.w3.org/2000/svg'><image href='/etc/passwd'/></svg>"
    yield "script.png", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(/etc/passwd) run\n"


def _png_of(width: int, height: int, rows: bytes) -> bytes:
    def chunk(name: bytes, content: bytes) -> bytes:
        body = name + content
        return struct.pack(">I", len(content)) + body + struct.pack(">I", zlib.crc32(body))

    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    packed = zlib.compress(rows, 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", packed) + chunk(b"IEND", b"")


def write_damaged_videos(folder: Path, count: int, seed: int) -> Path:
    """`count` videos and a table that names two frames of each; the first is good. Returns the table."""
    from synth_affect.data.video_writing import write_mp4

    random = np.random.default_rng(seed)
    folder.mkdir(parents=True)
    good = folder / "000-good.mp4"
    write_mp4(good, ((k / 25, portrait()) for k in range(4)), about="")
    playlist = f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{good}\n#EXT-X-ENDLIST\n".encode()
    special = [
        playlist,
        b"",
        b"ffconcat version 1.0\nfile '000-good.mp4'\n",
        b"v=0\nc=IN IP4 127.0.0.1\nm=video 9 RTP/AVP 96\n",
    ]
    names = [good.name]
    for number in range(1, count):
        kind, content = damaged(good.read_bytes(), random)
        if number <= len(special):
            kind, content = "playlist", special[number - 1]
        names.append(f"{number:03d}-{kind}{random.choice(['.mp4', '.avi', '.mkv', '.webm'])}")
        (folder / names[-1]).write_bytes(content)
    rows = [f"{name},{frame}" for name in names for frame in (0, 2, 10**9)]
    table = folder / "frames.csv"
    table.write_text("path,frame\n" + "\n".join(rows) + "\n", encoding="utf-8")
    return table


GOOD_ROW = "face.png,0,0"
HEADER = "path,valence,arousal"


def tables() -> dict[str, bytes]:
    """CSV files by what is wrong with them; most have a good row at their end."""

    def csv(*rows: str, header: str = HEADER, end: str = "\n") -> bytes:
        return end.join([header, *rows, GOOD_ROW, ""]).encode()

    long = "a" * 300
    return {
        "empty": b"",
        "zeros": bytes(4000),
        "noise": np.random.default_rng(0).bytes(4000),
        "bom": b"\xef\xbb\xbf" + csv(),
        "utf-16": csv().decode().encode("utf-16"),
        "latin": csv("f\xe4ce.png,0,0").decode().encode("latin-1"),
        "crlf": csv(end="\r\n"),
        "cr": csv(end="\r"),
        "mixed ends": csv().replace(b"\n", b"\r\n", 1) + b"\r\r\n",
        "no rows": HEADER.encode(),
        "missing column": csv("x.png,0", header="path,valence"),
        "no path": csv("0,0", header="valence,arousal"),
        "column twice": csv("face.png,0,0,0", header="path,valence,valence,arousal"),
        "short rows": csv("face.png", ",", ",,", "face.png,0"),
        "long rows": csv("face.png" + ",0" * 5000),
        "huge numbers": csv("face.png,1e999,0", f"face.png,{'9' * 5000},0", "face.png,1e-400,-1e400"),
        "out of range": csv("face.png,7,-11", "face.png,-1.0001,0"),
        "no numbers": csv("face.png,nan,inf", "face.png,--,0x10", "face.png,1_0,\u0661", "face.png,None,null"),
        "quotes": csv('"face.png,0,0', 'face".png,0,0'),
        "nulls": csv("fa\0ce.png,0,0", "\0,0,0"),
        "climbs": csv("../../../../etc/passwd,0,0", "../face.png,0,0", "a/../../b.png,0,0", "..,0,0", ".,0,0", "/,0,0"),
        "absolute": csv("/etc/passwd,0,0", "C:\\Windows\\win.ini,0,0", "\\\\server\\share\\a.png,0,0", "//x/y.png,0,0"),
        "addresses": csv("http://127.0.0.1:9/a.png,0,0", "file:///etc/passwd,0,0", "data:image/png;base64\\,AA,0,0"),
        "devices": csv("/dev/zero,0,0", "CON.png,0,0", "nul,0,0"),
        "long names": csv(f"{long}.png,0,0", "/".join([long] * 20) + ".png,0,0"),
        "strange names": csv("a\u202egnp.png,0,0", "\u0000.png,0,0", "~root/a.png,0,0", "a;rm -rf x.png,0,0"),
        "formula": csv("=cmd|' /C calc'!A0,0,0", "@SUM(1),0,0"),
        "subjects": csv("face.png,0,0,../../x", "face.png,0,0," + "s" * 10_000, header=HEADER + ",subject"),
        "landmarks": csv("face.png,0,0,1;2;3", "face.png,0,0," + ";".join(["nan"] * 136), header=HEADER + ",landmarks"),
        "far landmarks": csv("face.png,0,0," + ";".join(["1e30"] * 136), header=HEADER + ",landmarks"),
        "frames": csv("face.png,0,0,-1", "face.png,0,0,1e9", f"face.png,0,0,{'9' * 30}", header=HEADER + ",frame"),
        "splits": csv("face.png,0,0,TRAIN!", "face.png,0,0,test", header=HEADER + ",split"),
        "same again": csv(*[GOOD_ROW] * 50),
        "case": csv("FACE.png,0,0"),
        "one long line": b"path," + b"x" * 300_000,
        "many columns": (",".join(f"c{k}" for k in range(20_000)) + "\n").encode(),
        "page": b"<!doctype html><title>404</title>",
        "json": b'{"path": "face.png"}',
    }  # fmt: skip


def clips() -> dict[str, bytes]:
    """JSON files of an AFEW-VA clip by what is wrong with them."""
    points = [[25 + k % 35, 20 + k % 45] for k in range(68)]

    def clip(frames: object, **more: object) -> bytes:
        return json.dumps({"video_id": "001", "actor": "Anna", "frames": frames, **more}).encode()

    frame = {"landmarks": points, "valence": 0.0, "arousal": 0.0}
    return {
        "empty": b"",
        "noise": np.random.default_rng(1).bytes(500),
        "cut": clip({"00000": frame})[:200],
        "bom": b"\xef\xbb\xbf" + clip({"00000": frame}),
        "list": b"[]",
        "number": b"1e999",
        "deep": b"[" * 100_000 + b"]" * 100_000,
        "twice": b'{"frames":{"00000":{},"00000":{}}}',
        "no frames": b'{"video_id":"001"}',
        "frames a list": clip([frame]),
        "climbs": clip({"../../../../etc/passwd": frame, "00000": frame}),
        "absolute": clip({"/etc/passwd": frame}),
        "id climbs": clip({"00000": frame}, video_id="../../up"),
        "actor climbs": clip({"00000": frame}, actor="../../up\n\0"),
        "actor a list": clip({"00000": frame}, actor=[1, 2]),
        "huge label": clip({"00000": {**frame, "valence": 10**400}}),
        "nan label": clip({"00000": {**frame, "valence": float("nan")}}),
        "label a text": clip({"00000": {**frame, "valence": "0"}}),
        "label of another scale": clip({"00000": {**frame, "valence": 99}}),
        "no label": clip({"00000": {"landmarks": points}}),
        "few points": clip({"00000": {**frame, "landmarks": points[:5]}}),
        "points nan": clip({"00000": {**frame, "landmarks": [[float("nan")] * 2] * 68}}),
        "points far": clip({"00000": {**frame, "landmarks": [[1e300, -1e300]] * 68}}),
        "points a text": clip({"00000": {**frame, "landmarks": "68"}}),
        "frame not there": clip({"99999": frame}),
        "frame no number": clip({"\u0661\u0662": frame, "-1": frame}),
    }


def label_lists() -> dict[str, bytes]:
    """Aff-Wild's files of one axis by what is wrong with them."""
    return {
        "empty": b"",
        "noise": np.random.default_rng(2).bytes(300),
        "crlf": b"0\r\n0\r\n0\r\n0\r\n",
        "bom": b"\xef\xbb\xbf0\n0\n0\n0\n",
        "header": b"valence\n0\n0\n0\n",
        "huge": b"1e999\n" + b"9" * 5000 + b"\n0\n0\n",
        "nan": b"nan\ninf\n0\n0\n",
        "more lines": b"0\n" * 50_000,
        "fewer lines": b"0\n",
        "words": b"zero\n../../x\n0\n0\n",
        "no end": b"0\n0\n0\n0",
        "one long line": b"0 " * 200_000,
    }


def annotation_cases(folder: Path) -> Iterator[Case]:
    """Databases each with one bad annotation file, below `folder`."""
    face = encoded(portrait(96), ".png")

    def each(kind: str, files: dict[str, bytes], make: Callable[[Path, bytes], tuple[str, ...]]) -> Iterator[Case]:
        for number, (name, content) in enumerate(files.items()):
            place = folder / f"{kind}-{number:02d}"
            place.mkdir(parents=True)
            yield Case(f"{kind}: {name}", make(place, content))

    def table(place: Path, content: bytes) -> tuple[str, ...]:
        (place / "face.png").write_bytes(face)
        (place / "table.csv").write_bytes(content)
        return str(place / "table.csv"), "--database", "csv", "--accept-list", _listed(folder, "face")

    def afew_va(place: Path, content: bytes) -> tuple[str, ...]:
        (place / "001").mkdir()
        (place / "001" / "00000.png").write_bytes(face)
        (place / "001" / "001.json").write_bytes(content)
        return str(place), "--database", "afew-va", "--accept-list", _listed(folder, "001/00000")

    def aff_wild(place: Path, content: bytes) -> tuple[str, ...]:
        for axis in ("valence", "arousal"):
            (place / "annotations/train" / axis).mkdir(parents=True)
            (place / "annotations/train" / axis / "105.txt").write_bytes(content if axis == "valence" else b"0\n" * 4)
        frames = place / "frames/train/105"
        frames.mkdir(parents=True)
        (frames / "00001.jpg").write_bytes(encoded(portrait(96), ".jpg"))
        return str(place), "--database", "aff-wild", "--accept-list", _listed(folder, "train/105/00001")

    yield from each("csv", tables(), table)
    yield from each("afew-va", clips(), afew_va)
    yield from each("aff-wild", label_lists(), aff_wild)


def _listed(folder: Path, key: str) -> str:
    """A list that accepts the good picture, which smiles."""
    path = folder / f"{key.replace('/', '-')}.txt"
    path.write_text(f"{key}\n", encoding="utf-8")
    return str(path)
