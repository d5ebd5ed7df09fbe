"""Names made harmless, pictures measured before they are unpacked."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from synth_affect.data.provenance import DIGITAL_SOURCE_TYPE, Provenance
from synth_affect.errors import InputError
from synth_affect.web.serve.intake import LONGEST_NAME, SHOWN_PX, as_jpeg, on_white, safe_name, take_in
from synth_affect.web.serve.limits import Limits

LIMITS = Limits(upload_bytes=1 << 20, megapixels=0.5)


def png(height: int, width: int, mode: str = "RGB") -> bytes:
    file = io.BytesIO()
    Image.new(mode, (width, height), 7 if mode == "L" else None).save(file, "PNG")
    return file.getvalue()


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("face.jpg", "face.jpg"),
        ("Mein Bild (2).png", "Mein Bild (2).png"),
        ("写真.jpg", "写真.jpg"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\a\\b.png", "b.png"),
        ("a\x00b\r\nc.png", "abc.png"),
        ("\u202egnp.exe", "gnp.exe"),
        ('a<b>"c|d.png', "a_b_c_d.png"),
        ("..", "picture"),
        ("", "picture"),
        ("/", "picture"),
    ],
)
def test_names(given: str, kept: str) -> None:
    assert safe_name(given) == kept


def test_a_long_name_keeps_its_end() -> None:
    name = safe_name("x" * 5000 + ".png")
    assert len(name) == LONGEST_NAME
    assert name.endswith("x.png")


def test_what_is_too_large_is_said_with_its_size() -> None:
    with pytest.raises(InputError, match=r"1 megapixels \(1000 x 1000\); this page takes up to 0.5"):
        take_in(png(1000, 1000), "a.png", LIMITS)
    with pytest.raises(InputError, match="larger than the 1 MB"):
        take_in(bytes((1 << 20) + 1), "a.png", LIMITS)
    with pytest.raises(InputError, match="no face is seen"):
        take_in(png(31, 100), "a.png", LIMITS)


def test_what_is_shown_is_no_larger_than_it_need_be() -> None:
    taken = take_in(png(SHOWN_PX + 100, 60), "a.png", LIMITS)
    assert taken.shown.shape[0] == SHOWN_PX
    assert taken.shown_scale == pytest.approx(SHOWN_PX / (SHOWN_PX + 100))
    small = take_in(png(100, 60), "a.png", LIMITS)
    assert (small.shown.shape, small.shown_scale) == ((100, 60, 3), 1)


def test_transparency_is_shown_on_white() -> None:
    pixels = np.full((4, 4, 3), 100, np.uint8)
    alpha = np.zeros((8, 8), np.uint16)
    alpha[:, 4:] = 65535
    flat = on_white(pixels, alpha)
    assert flat[0, 0].tolist() == [255] * 3
    assert flat[0, 3].tolist() == [100] * 3
    assert on_white(pixels, None) is pixels


def test_what_is_shown_says_that_it_is_synthetic() -> None:
    taken = take_in(png(64, 64, "L"), "a.png", LIMITS)
    shown = as_jpeg(taken.shown, taken.picture, Provenance({"shows": "preview"}, "1", "cc0", taken.sha256))
    image = Image.open(io.BytesIO(shown))
    assert (image.format, image.size) == ("JPEG", (64, 64))
    assert DIGITAL_SOURCE_TYPE.encode() in shown
