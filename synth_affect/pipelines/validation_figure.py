"""The figure of the validation: concordance and error against the count of components."""

from __future__ import annotations

from typing import Any

from PIL import Image, ImageDraw

from synth_affect.pipelines.drawing import FAINT_INK, INK, blank, write

PANEL_WIDTH, PANEL_HEIGHT = 420, 300
LEFT, TOP, BOTTOM = 60, 40, 50
COLOURS = {"valence": (200, 80, 30), "arousal": (40, 90, 180)}
TEXT_PX = 14


def draw_cca(summary: dict[str, Any]) -> Image.Image:
    """Two panels, CCC and MSE; a line and confidence bars a dimension, the ceiling dashed.

    summary : what `validate_cca` returns.
    """
    sheet = blank(TOP + PANEL_HEIGHT + BOTTOM, 2 * (LEFT + PANEL_WIDTH) + 20)
    draw = ImageDraw.Draw(sheet)
    for panel, measure in enumerate(("ccc", "mse")):
        _draw_panel(draw, LEFT + panel * (LEFT + PANEL_WIDTH), measure, summary)
    return sheet


def _draw_panel(draw: ImageDraw.ImageDraw, left: int, measure: str, summary: dict[str, Any]) -> None:
    rows = summary["rows"]
    ceiling = summary["annotation_ceiling"]
    highest = max(row[f"{measure}_{d}"] + row[f"{measure}_{d}_ci"] for row in rows for d in COLOURS)
    top_value = 1.0 if measure == "ccc" else _round_up(highest)
    right, bottom = left + PANEL_WIDTH - 20, TOP + PANEL_HEIGHT

    def x(place: int) -> float:
        return left + (place + 0.5) * (right - left) / len(rows)

    def y(value: float) -> float:
        return bottom - min(max(value / top_value, 0), 1) * PANEL_HEIGHT

    for tick in range(6):
        value = top_value * tick / 5
        draw.line((left, y(value), right, y(value)), fill=(225, 225, 225))
        write(draw, (left - 6, y(value)), f"{value:.2g}", TEXT_PX - 2, anchor="rm", ink=FAINT_INK)
    for place, row in enumerate(rows):
        write(draw, (x(place), bottom + 14), str(row["components"]), TEXT_PX - 2)
    write(draw, ((left + right) / 2, bottom + 36), "principal components", TEXT_PX)
    write(draw, (left, TOP - 20), measure.upper(), TEXT_PX, anchor="lm")
    for number, (dimension, colour) in enumerate(COLOURS.items()):
        write(draw, (right - 70 * number, TOP - 20), dimension, TEXT_PX, anchor="rm", ink=colour)
        name = f"{measure}_{dimension}"
        points = [(x(place), y(row[name])) for place, row in enumerate(rows)]
        draw.line(points, fill=colour, width=2)
        for (centre, height), row in zip(points, rows, strict=True):
            low, high = y(row[name] - row[f"{name}_ci"]), y(row[name] + row[f"{name}_ci"])
            draw.line((centre, low, centre, high), fill=colour)
            draw.ellipse((centre - 3, height - 3, centre + 3, height + 3), fill=colour)
        if ceiling is not None:
            for start in range(left, right, 10):
                draw.line((start, y(ceiling[name]), min(start + 5, right), y(ceiling[name])), fill=colour)
    draw.line((left, TOP, left, bottom, right, bottom), fill=INK)


def _round_up(value: float) -> float:
    """The next of 0.01, 0.02, 0.05, 0.1, ... that is not below."""
    step = 0.01
    while True:
        for factor in (1, 2, 5):
            if value <= factor * step:
                return factor * step
        step *= 10
