"""The pictures of docs/concepts.md: the plane with its emotions and the way of the data (SVG), and the packaged grid.

    python -m tools.draw_concepts docs

Positions are those of `synth_affect/affect.py`; nothing is measured or drawn by chance.
"""

from __future__ import annotations

import sys
import tempfile
from html import escape
from pathlib import Path

from PIL import Image

from synth_affect.affect import Emotion, position

PLANE, WAY, GRID = "plane.svg", "way.svg", "grid.jpg"
GRID_WIDTH = 1400
SIDE, MARGIN = 640, 60
CELLS = 10
WORDS = (
    Emotion.NEUTRAL,
    Emotion.HAPPINESS,
    Emotion.SADNESS,
    Emotion.SURPRISE,
    Emotion.FEAR,
    Emotion.DISGUST,
    Emotion.ANGER,
    Emotion.CONTEMPT,
    Emotion.EXCITED,
    Emotion.RELAXED,
    Emotion.SLEEPY,
    Emotion.TIRED,
    Emotion.BORED,
    Emotion.ASTONISHED,
)
"""Enough of them to find one's way; all would overlap."""
FACES = WORDS[1:8]
"""The seven categories of faces, drawn bold."""
STEPS = (
    ("photograph", "(height, width, 3) RGB, 8 or 16 bits", "data/pictures"),
    ("landmarks", "478 or 68 points, px", "fitting/mediapipe_detector"),
    ("fitted head", "camera, pose, identity, expression", "fitting/solver"),
    ("new expression", "52 weights from valence, arousal, units", "blendshape"),
    ("displaced head", "the subject's mesh, mm", "pipelines/synthesize"),
    ("flow", "new pixel to old pixel, px", "render/flow"),
    ("light and folds", "shading after over shading before", "render/wrinkles"),
    ("mouth and eyes", "what the photograph did not show", "render/mouth, eyes"),
    ("blended picture", "pixels outside the face keep every bit", "render/poisson"),
)
"""Name, what it is, and where it is made."""
STYLE = (
    "text{font-family:system-ui,sans-serif;fill:#1c2733}.small{font-size:13px}.word{font-size:14px}"
    ".tall{font-size:19px}"
    ".bold{font-weight:600}.grey{fill:#5b6773}.line{stroke:#c3ccd4;stroke-width:1}.axis{stroke:#5b6773;stroke-width:1.5}"
    ".circle{fill:none;stroke:#5b6773;stroke-width:1.5;stroke-dasharray:5 5}.point{fill:#00695c}"
    ".box{fill:#eef3f6;stroke:#90a4ae;stroke-width:1.5}.arrow{stroke:#5b6773;stroke-width:2;fill:none}"
)


def plane() -> str:
    """The square of the plane: cells, unit circle, and emotions at their published positions."""
    full = SIDE + 2 * MARGIN

    def at(valence: float, arousal: float) -> tuple[float, float]:
        return MARGIN + (valence + 1) / 2 * SIDE, MARGIN + (1 - arousal) / 2 * SIDE

    parts = []
    for cell in range(CELLS + 1):
        place = MARGIN + cell * SIDE / CELLS
        parts.append(_line(place, MARGIN, place, MARGIN + SIDE, "line"))
        parts.append(_line(MARGIN, place, MARGIN + SIDE, place, "line"))
    middle = full / 2
    parts += [
        _line(MARGIN, middle, full - MARGIN, middle, "axis"),
        _line(middle, MARGIN, middle, full - MARGIN, "axis"),
        f'<circle class="circle" cx="{middle:g}" cy="{middle:g}" r="{SIDE / 2:g}"/>',
        _text(middle, MARGIN - 32, "arousal +1: excited", "tall grey"),
        _text(middle, full - 20, "arousal -1: drowsy", "tall grey"),
        _text(22, middle, "valence -1: unpleasant", "tall grey", turned=True),
        _text(full - 14, middle, "valence +1: pleasant", "tall grey", turned=True),
    ]
    for word in WORDS:
        target = position(word)
        x, y = at(target.valence, target.arousal)
        parts.append(f'<circle class="point" cx="{x:.1f}" cy="{y:.1f}" r="5"/>')
        parts.append(_text(x, y - 10, word.value, "tall bold" if word in FACES else "tall"))
    return _svg(full, full, "The valence-arousal plane with its 10 by 10 cells and fourteen emotions", parts)


def way() -> str:
    """The steps of the main job, in three rows of three."""
    width, height, gap = 300, 92, 44
    columns = 3
    parts = ['<defs><marker id="tip" markerWidth="8" markerHeight="8" refX="6" refY="4" orient="auto">']
    parts.append('<path d="M0,0 L8,4 L0,8 z" fill="#5b6773"/></marker></defs>')
    for number, (name, what, where) in enumerate(STEPS):
        row, column = divmod(number, columns)
        x, y = 10 + column * (width + gap), 10 + row * (height + gap)
        parts.append(f'<rect class="box" x="{x}" y="{y}" width="{width}" height="{height}" rx="8"/>')
        parts.append(_text(x + width / 2, y + 28, f"{number + 1}. {name}", "word bold"))
        parts.append(_text(x + width / 2, y + 52, what, "small"))
        parts.append(_text(x + width / 2, y + 76, where, "small grey"))
        if column < columns - 1:
            parts.append(_arrow(f"M{x + width + 4},{y + height / 2:g} h{gap - 12}"))
        elif row < (len(STEPS) - 1) // columns:
            back = -(columns - 1) * (width + gap)
            parts.append(_arrow(f"M{x + width / 2:g},{y + height + 3} v{gap / 2 - 3:g} h{back} v{gap / 2 - 8:g}"))
    rows = -(-len(STEPS) // columns)
    return _svg(
        columns * (width + gap) - gap + 20,
        rows * (height + gap) - gap + 20,
        "Nine steps from the photograph to the new picture",
        parts,
    )


def _svg(width: float, height: float, title: str, parts: list[str]) -> str:
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" role="img">'
    ground = f'<rect width="{width:g}" height="{height:g}" fill="#ffffff"/>'
    return "\n".join([head, f"<title>{escape(title)}</title>", f"<style>{STYLE}</style>", ground, *parts, "</svg>", ""])


def _line(x1: float, y1: float, x2: float, y2: float, kind: str) -> str:
    return f'<line class="{kind}" x1="{x1:g}" y1="{y1:g}" x2="{x2:g}" y2="{y2:g}"/>'


def _arrow(path: str) -> str:
    return f'<path class="arrow" d="{path}" marker-end="url(#tip)"/>'


def _text(x: float, y: float, text: str, kind: str, *, turned: bool = False) -> str:
    turn = f' transform="rotate(-90 {x:g} {y:g})"' if turned else ""
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}" text-anchor="middle"{turn}>{escape(text)}</text>'


def draw_grid_figure(out: Path) -> None:
    """The figure of `grid-model plot`, at a size for a page."""
    from synth_affect.pipelines.gallery.grid_figure import write_grid_figure

    with tempfile.TemporaryDirectory() as folder:
        full = Path(folder) / "grid.png"
        write_grid_figure("default", full)
        with Image.open(full) as figure:
            height = round(figure.height * GRID_WIDTH / figure.width)
            figure.resize((GRID_WIDTH, height), Image.Resampling.LANCZOS).save(out, quality=88)


def draw_diagrams(folder: Path) -> None:
    """Write both diagrams into `folder`."""
    (folder / PLANE).write_text(plane(), "utf-8")
    (folder / WAY).write_text(way(), "utf-8")


if __name__ == "__main__":
    draw_diagrams(Path(sys.argv[1]))
    draw_grid_figure(Path(sys.argv[1]) / GRID)
