"""The figure of the validation: concordance and error against the count of components."""

from __future__ import annotations

from typing import Any

from PIL import Image, ImageDraw

from synth_affect.pipelines.drawing import FAINT_INK, INK, blank, write

WIDTH, HEIGHT = 2100, 960
"""Two columns of a page, at 300 dots an inch."""
FINER = 2
"""Drawn so many times as large, then averaged: smooth lines."""
PANEL_WIDTH, PANEL_HEIGHT = 760, 660
LEFT, TOP, BETWEEN = 130, 110, 280
COLOURS = {"valence": (200, 80, 30), "arousal": (40, 90, 180)}
GRID_INK, BAND = (228, 228, 228), (244, 242, 236)
TEXT_PX, SMALL_PX = 32, 28
MEASURES = {"ccc": "concordance (CCC)", "mse": "mean squared error"}

Point = tuple[float, float]
Ink = tuple[int, int, int]


def draw_cca(summary: dict[str, Any]) -> Image.Image:
    """Two panels, CCC and MSE; a line and confidence bars a dimension, the ceiling dashed, the best count on a band.

    summary : what `validate_cca` returns.
    """
    sheet = blank(FINER * HEIGHT, FINER * WIDTH)
    pen = _Pen(ImageDraw.Draw(sheet))
    for panel, measure in enumerate(MEASURES):
        _draw_panel(pen, LEFT + panel * (PANEL_WIDTH + BETWEEN), measure, summary)
    note = f"Mean of {summary['folds']} subject splits; bars: {100 * summary['confidence']:.0f} % intervals"
    if summary["annotation_ceiling"] is not None:
        note += "; dashed: the annotators' labels against what was felt"
    pen.text((LEFT, HEIGHT - 40), note + ".", SMALL_PX, anchor="lm", ink=FAINT_INK)
    return sheet.resize((WIDTH, HEIGHT), Image.Resampling.BOX)


class _Pen:
    """Draws in px of the finished figure."""

    def __init__(self, draw: ImageDraw.ImageDraw) -> None:
        self._draw = draw

    def line(self, points: list[Point], ink: Ink, width: float = 2) -> None:
        flat = [FINER * value for point in points for value in point]
        self._draw.line(flat, fill=ink, width=round(FINER * width), joint="curve")

    def dashes(self, left: float, right: float, height: float, ink: Ink) -> None:
        start = left
        while start < right:
            self.line([(start, height), (min(start + 14, right), height)], ink, 3)
            start += 24

    def box(self, left: float, top: float, right: float, bottom: float, ink: Ink) -> None:
        self._draw.rectangle([FINER * value for value in (left, top, right, bottom)], fill=ink)

    def disc(self, centre: Point, radius: float, ink: Ink) -> None:
        x, y = centre
        corners = [FINER * value for value in (x - radius, y - radius, x + radius, y + radius)]
        self._draw.ellipse(corners, fill=ink)

    def text(self, at: Point, text: str, size_px: int, *, anchor: str = "mm", ink: Ink = INK) -> None:
        write(self._draw, (FINER * at[0], FINER * at[1]), text, FINER * size_px, anchor=anchor, ink=ink)


def _draw_panel(pen: _Pen, left: int, measure: str, summary: dict[str, Any]) -> None:
    rows, ceiling = summary["rows"], summary["annotation_ceiling"]
    highest = max(row[f"{measure}_{d}"] + row[f"{measure}_{d}_ci"] for row in rows for d in COLOURS)
    top_value = 1.0 if measure == "ccc" else _round_up(highest)
    right, bottom = left + PANEL_WIDTH, TOP + PANEL_HEIGHT
    step = PANEL_WIDTH / len(rows)

    def x(place: float) -> float:
        return left + (place + 0.5) * step

    def y(value: float) -> float:
        return bottom - min(max(value / top_value, 0), 1) * PANEL_HEIGHT

    for place, row in enumerate(rows):
        best = row["components"] == summary["best_components"]
        if best:
            pen.box(x(place) - step / 2, TOP, x(place) + step / 2, bottom, BAND)
            pen.text((x(place), bottom - 24), "best", SMALL_PX, ink=FAINT_INK)
        pen.text((x(place), bottom + 32), str(row["components"]), TEXT_PX)
    for tick in range(6):
        value = top_value * tick / 5
        pen.line([(left, y(value)), (right, y(value))], GRID_INK)
        pen.text((left - 16, y(value)), f"{value:.2g}", SMALL_PX, anchor="rm", ink=FAINT_INK)
    pen.text(((left + right) / 2, bottom + 86), "principal components", TEXT_PX)
    pen.text((left, TOP - 42), MEASURES[measure], TEXT_PX, anchor="lm")

    ends = {}
    for number, (dimension, ink) in enumerate(COLOURS.items()):
        name, beside = f"{measure}_{dimension}", (number - 0.5) * 0.1
        if ceiling is not None:
            pen.dashes(left, right, y(ceiling[name]), ink)
        points = [(x(place + beside), y(row[name])) for place, row in enumerate(rows)]
        pen.line(points, ink, 4)
        for (centre, height), row in zip(points, rows, strict=True):
            ends_of_bar = [y(row[name] - row[f"{name}_ci"]), y(row[name] + row[f"{name}_ci"])]
            pen.line([(centre, ends_of_bar[0]), (centre, ends_of_bar[1])], ink, 3)
            for end in ends_of_bar:
                pen.line([(centre - 9, end), (centre + 9, end)], ink, 3)
            _draw_mark(pen, (centre, height), dimension, ink)
        ends[dimension] = points[-1][1]
    for dimension, height in _apart(ends, TEXT_PX * 1.2).items():
        pen.text((right + 12, height), dimension, TEXT_PX, anchor="lm", ink=COLOURS[dimension])
    pen.line([(left, TOP), (left, bottom), (right, bottom)], INK, 3)


def _draw_mark(pen: _Pen, centre: Point, dimension: str, ink: Ink) -> None:
    """A disc or a square, so that the two can be told apart without colours."""
    x, y = centre
    if dimension == "valence":
        pen.disc(centre, 10, ink)
    else:
        pen.box(x - 9, y - 9, x + 9, y + 9, ink)


def _apart(heights: dict[str, float], least: float) -> dict[str, float]:
    """Those two heights, moved away from each other until they are `least` apart."""
    (low, low_at), (high, high_at) = sorted(heights.items(), key=lambda item: item[1])
    missing = max(least - (high_at - low_at), 0) / 2
    return {low: low_at - missing, high: high_at + missing}


def _round_up(value: float) -> float:
    """The next of 0.01, 0.02, 0.05, 0.1, ... that is not below."""
    step = 0.01
    while True:
        for factor in (1, 2, 5):
            if value <= factor * step:
                return factor * step
        step *= 10
