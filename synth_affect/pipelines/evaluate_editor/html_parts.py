"""Tables, pictures and drawings of the plane, as HTML."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path

import numpy as np
from PIL import Image

from synth_affect.affect import ValenceArousal
from synth_affect.arrays import FloatArray, as_uint8
from synth_affect.data.pictures import read_picture
from synth_affect.pipelines.judges.face_view import square_crop

PLANE_PX, PAD = 300, 26
WORST_ERROR = 1.2
"""Error at which colours end."""

STYLE = """
:root { --ink: #1d232b; --faint: #6a7480; --line: #e3e6ea; --paper: #fff; --band: #f6f7f9; --accent: #2b59a8; }
* { box-sizing: border-box; }
body { margin: 0; background: var(--band); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
main { max-width: 1120px; margin: 0 auto; padding: 32px 28px 64px; background: var(--paper); }
h1 { font-size: 26px; margin: 0 0 4px; }
h2 { font-size: 19px; margin: 40px 0 8px; }
h3 { font-size: 15px; margin: 22px 0 6px; }
p { margin: 6px 0 12px; max-width: 78ch; } .faint { color: var(--faint); }
.wide { overflow-x: auto; }
table { border-collapse: collapse; margin: 8px 0 14px; font-variant-numeric: tabular-nums; }
th, td { padding: 5px 11px; text-align: right; white-space: nowrap; border-bottom: 1px solid var(--line); }
th { font-weight: 600; color: var(--faint); font-size: 13px; }
td.text, th.text { text-align: left; white-space: normal; min-width: 7ch; }
i, small { color: var(--faint); } small { font-size: 12px; }
.row { display: flex; flex-wrap: wrap; gap: 22px; }
figure { margin: 0; } figcaption { color: var(--faint); font-size: 13px; }
.strip { display: flex; gap: 4px; margin: 0 0 10px; overflow-x: auto; } .strip figure { width: 112px; flex: none; }
.strip img { width: 112px; height: 112px; display: block; border-radius: 3px; }
.strip figcaption { text-align: center; }
img.map { max-width: 100%; }
"""


def table(heads: Sequence[str], rows: Iterable[Sequence[str]], *, n_text: int = 1) -> str:
    """heads, and cells that are HTML already.  n_text : columns from the left that hold words."""

    def cells(values: Sequence[str], tag: str) -> str:
        classes = [' class="text"' if place < n_text else "" for place in range(len(values))]
        return "".join(f"<{tag}{kind}>{value}</{tag}>" for kind, value in zip(classes, values, strict=True))

    body = "".join(f"<tr>{cells(row, 'td')}</tr>" for row in rows)
    return f'<div class="wide"><table><tr>{cells([escape(head) for head in heads], "th")}</tr>{body}</table></div>'


def figure(value: float | None, places: int = 2) -> str:
    """A number; a dash where there is none."""
    return "–" if value is None else f"{value:.{places}f}"


def percent(value: float | None) -> str:
    """A share."""
    return "–" if value is None else f"{value:.0%}"


def inline(image: Image.Image, *, quality: int = 85) -> str:
    """A picture as the `src` of an element."""
    encoded = io.BytesIO()
    image.convert("RGB").save(encoded, "JPEG", quality=quality)
    return "data:image/jpeg;base64," + base64.b64encode(encoded.getvalue()).decode()


def thumbnail(path: Path, box: Sequence[float], side: int = 160) -> Image.Image:
    """The face in `box` (left, top, right, bottom, px) of the picture `path`, with its head."""
    corners = np.array(box).reshape(2, 2)
    crop = square_crop(as_uint8(read_picture(path).pixels), corners, 0.3)
    return Image.fromarray(np.ascontiguousarray(crop)).resize((side, side), Image.Resampling.LANCZOS)


def error_plane(targets: Sequence[ValenceArousal], errors: FloatArray, *, cell: float) -> str:
    """SVG: each target coloured by its error.

    errors : (n,).  cell : width of a target's mark, in units of the plane.
    """
    size = cell * _scale()
    marks = []
    for target, error in zip(targets, errors, strict=True):
        x, y = _place(target.valence, target.arousal)
        title = f"<title>{target.valence:+.2f}, {target.arousal:+.2f}: {error:.2f}</title>"
        round_or_not = size / 2 if cell < 0.3 else 3
        marks.append(
            f'<rect x="{x - size / 2:.1f}" y="{y - size / 2:.1f}" width="{size:.1f}" height="{size:.1f}" '
            f'rx="{round_or_not:.1f}" fill="{_colour(error)}">{title}</rect>'
        )
    return _plane("".join(marks))


def arrow_plane(targets: Sequence[ValenceArousal], read: FloatArray) -> str:
    """SVG: a line from each target (ring) to where it was read on average (dot).  read : (n, 2)."""
    marks = []
    for target, (valence, arousal) in zip(targets, read, strict=True):
        (x, y), (u, v) = _place(target.valence, target.arousal), _place(valence, arousal)
        marks.append(
            f'<line x1="{x:.1f}" y1="{y:.1f}" x2="{u:.1f}" y2="{v:.1f}" stroke="#2b59a8" stroke-opacity=".35"/>'
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="none" stroke="#6a7480"/>'
            f'<circle cx="{u:.1f}" cy="{v:.1f}" r="2.6" fill="#2b59a8"/>'
        )
    return _plane("".join(marks))


def colour_key() -> str:
    """SVG: what the colours of `error_plane` mean."""
    steps = 48
    bars = "".join(
        f'<rect x="{10 + 4 * step}" y="4" width="4.3" height="12" fill="{_colour(WORST_ERROR * step / steps)}"/>'
        for step in range(steps)
    )
    text = f'<text x="10" y="32">0</text><text x="202" y="32" text-anchor="end">{WORST_ERROR} and more</text>'
    return f'<svg width="212" height="38" font-size="12" fill="#6a7480">{bars}{text}</svg>'


def _scale() -> float:
    return (PLANE_PX - 2 * PAD) / 2.3


def _place(valence: float, arousal: float) -> tuple[float, float]:
    return PLANE_PX / 2 + _scale() * valence, PLANE_PX / 2 - _scale() * arousal


def _plane(marks: str) -> str:
    (left, _), (right, _) = _place(-1.15, 0), _place(1.15, 0)
    (_, top), (_, bottom) = _place(0, 1.15), _place(0, -1.15)
    middle = PLANE_PX / 2
    return (
        f'<svg width="{PLANE_PX}" height="{PLANE_PX}" font-size="12" font-family="system-ui, sans-serif">'
        f'<g stroke="#c9ced5"><line x1="{left}" y1="{middle}" x2="{right}" y2="{middle}"/>'
        f'<line x1="{middle}" y1="{top}" x2="{middle}" y2="{bottom}"/></g>{marks}'
        f'<g fill="#6a7480"><text x="{right}" y="{PLANE_PX - 6}" text-anchor="end">valence →</text>'
        f'<text x="4" y="14">↑ arousal</text></g></svg>'
    )


_STOPS = np.array([(38, 110, 84), (126, 178, 90), (240, 206, 98), (225, 120, 66), (158, 34, 52)], dtype=np.float64)


def _colour(error: float) -> str:
    along = min(max(error / WORST_ERROR, 0.0), 1.0) * (len(_STOPS) - 1)
    channels = [np.interp(along, np.arange(len(_STOPS)), _STOPS[:, k]) for k in range(3)]
    return "#" + "".join(f"{round(float(channel)):02x}" for channel in channels)
