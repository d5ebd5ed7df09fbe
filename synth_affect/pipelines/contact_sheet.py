"""One face at many points of the valence-arousal plane, on one sheet."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

import synth_affect
from synth_affect.affect import ValenceArousal, grid, ring
from synth_affect.arrays import ImageArray, as_uint8
from synth_affect.blendshape.expression_change import InputExpression
from synth_affect.blendshape.local_units import ActionUnits
from synth_affect.data.picture_encoding import DEFAULT_QUALITY, check_quality
from synth_affect.data.provenance import Provenance, sidecar_path
from synth_affect.errors import InputError
from synth_affect.fitting.fit import FaceFit
from synth_affect.pipelines.drawing import FAINT_INK, INK, blank, font, on_paper, resized, write
from synth_affect.pipelines.edit_picture import Target, signed
from synth_affect.pipelines.output_files import OutputPicture, check_output_paths, write_together
from synth_affect.pipelines.picture_faces import FaceSource, blaming_the_given_fit, open_faces, summarise
from synth_affect.render.scene import Region

RING_DIRECTIONS, RING_RADII = 28, (0.25, 0.5, 0.75, 1.0)
GAP_PX = 6
BLOCK_GAP_PX = 26
MARGIN_PX = 70
HEADING_PX = 40
TEXT_PX = 19
CAPTION_PX = 20
CAPTION_TEXT_PX = 13
CLOSE_UP_ROOM = 0.18
"""Share of the face's height and width on each side."""

Progress = Callable[[Iterable["Cell"], int], Iterable["Cell"]]
"""Goes through cells, of which there are so many, and shows how far it is."""


@dataclass(frozen=True, slots=True)
class Cell:
    """A place of a sheet. target : what is asked of the face there; None shows the input.  caption : below, or "".
    action_units : on top of the target; None takes those of the whole sheet.
    """

    row: int
    column: int
    target: ValenceArousal | None
    caption: str = ""
    action_units: ActionUnits | None = None


@dataclass(frozen=True, slots=True)
class Layout:
    """How a sheet is laid out.

    name : for the provenance.  tile_height_px : of one picture.
    row_titles, column_titles : one each a row and column; "" for none.  axes : whether the plane's axes are named.
    split : rows and columns after which there is a wider gap.
    close : the tiles show the face alone; else all that an edit can change, neck and hair too.
    """

    name: str
    cells: tuple[Cell, ...]
    tile_height_px: int
    row_titles: tuple[str, ...]
    column_titles: tuple[str, ...]
    axes: bool = True
    split: tuple[int, int] | None = None
    close: bool = False


def grid_layout(steps: int) -> Layout:
    """The square of the plane, steps x steps: valence from left to right, arousal from bottom to top."""
    targets = grid(steps)
    levels = [target.valence for target in targets[:steps]]
    cells = tuple(Cell(k // steps, k % steps, target) for k, target in enumerate(targets))
    titles = tuple(signed(level) for level in levels)
    return Layout(f"grid of {steps} x {steps}", cells, 220, titles[::-1], titles)


def ring_layout() -> Layout:
    """28 directions x 4 radii, each quadrant of the plane in its corner of the sheet: directions side by side, the
    largest radius at the outer edge.
    """
    per_quadrant = RING_DIRECTIONS // 4
    n_radii = len(RING_RADII)
    cells = []
    for k, target in enumerate(ring(RING_DIRECTIONS, RING_RADII)):
        radius, direction = divmod(k, RING_DIRECTIONS)
        quadrant, within = divmod(direction, per_quadrant)
        on_top, on_the_left = quadrant in (0, 1), quadrant in (1, 2)
        # In each quadrant valence rises from left to right, as it does over the sheet.
        across = per_quadrant - 1 - within if on_top else within
        column = across + (0 if on_the_left else per_quadrant)
        row = n_radii - 1 - radius if on_top else n_radii + radius
        cells.append(Cell(row, column, target, f"{signed(target.valence)} {signed(target.arousal)}"))
    radii = tuple(f"{radius:.2f}" for radius in RING_RADII)
    return Layout(
        f"ring of {RING_DIRECTIONS} directions x {n_radii} radii",
        tuple(cells),
        150,
        radii[::-1] + radii,
        ("",) * (2 * per_quadrant),
        split=(n_radii, per_quadrant),
    )


def compass_layout() -> Layout:
    """The input in the middle of eight feelings, each in its direction of the plane, 0.8 from neutral."""
    places = ((1, 2), (0, 2), (0, 1), (0, 0), (1, 0), (2, 0), (2, 1), (2, 2))
    words = ("pleased", "excited", "astonished", "angry", "displeased", "sad", "sleepy", "relaxed")
    cells = [
        Cell(row, column, target, f"{word}  {signed(target.valence)} {signed(target.arousal)}")
        for (row, column), word, target in zip(places, words, ring(len(places), (0.8,)), strict=True)
    ]
    cells.append(Cell(1, 1, None, "the photograph"))
    return Layout("compass of 8 directions", tuple(cells), 300, ("",) * 3, ("",) * 3)


def write_contact_sheet(
    source: FaceSource,
    layout: Layout,
    output: Path,
    *,
    intensity: float = 1.0,
    input_expression: InputExpression = "replace",
    wrinkles: float = 1.0,
    action_units: ActionUnits | None = None,
    quality: int = DEFAULT_QUALITY,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Edit one face of a picture file for every cell of `layout`, and write the sheet with its sidecar.

    Returns a summary as JSON values.
    Raises InputError when the input cannot be used or the output cannot be written; then nothing is.
    """
    if source.face == "all":
        raise InputError("--face", "a sheet shows one face; give largest or a number")
    settings = Target(
        ValenceArousal(0, 0),
        intensity=intensity,
        input_expression=input_expression,
        wrinkles=wrinkles,
        action_units=ActionUnits() if action_units is None else action_units,
    )
    check_quality(quality)
    check_output_paths([output], [], source.files)
    with open_faces(source) as opened, blaming_the_given_fit(source):
        face, synthesizer = opened.faces[0], opened.synthesizer
        pixels = opened.picture.pixels
        scene = synthesizer.prepare(pixels, face.fit)
        window = _close_up(face.fit) if layout.close else scene.region

        def tiles() -> Iterator[ImageArray]:
            cells = layout.cells if progress is None else progress(layout.cells, len(layout.cells))
            for cell in cells:
                shown = pixels
                if cell.target is not None:
                    shown = synthesizer.synthesize(
                        pixels,
                        face.fit,
                        valence=cell.target.valence,
                        arousal=cell.target.arousal,
                        intensity=settings.intensity,
                        input_expression=settings.input_expression,
                        wrinkles=settings.wrinkles,
                        action_units=settings.action_units if cell.action_units is None else cell.action_units,
                        scene=scene,
                    ).image
                yield as_uint8(window.of(shown))

        sheet = draw_sheet(layout, tiles(), f"synthetic, synth-affect {synth_affect.__version__}, {layout.name}")
        request = {
            "shows": layout.name,
            "intensity": settings.intensity,
            "input_expression": settings.input_expression,
            "wrinkles": settings.wrinkles,
            "action_units": settings.action_units.described(),
            "face": source.which_face,
            **source.expressions.described(),
        }
        provenance = Provenance(request, synth_affect.__version__, synthesizer.head.name, opened.input_sha256)
        fits = {"faces": [summarise(face)]}
        write_together(
            [OutputPicture(output, sheet, on_paper(sheet, opened.picture), provenance, fits)], {}, quality=quality
        )
    return {
        "input": str(source.image),
        "input_sha256": opened.input_sha256,
        "output": str(output),
        "sidecar": str(sidecar_path(output)),
        "version": synth_affect.__version__,
        "head": provenance.head,
        "request": request,
        "targets": [[cell.target.valence, cell.target.arousal] for cell in layout.cells if cell.target is not None],
        **fits,
    }


def _close_up(fit: FaceFit) -> Region:
    """The face's landmarks, with a little room for brows that rise and a jaw that drops."""
    points = fit.landmarks_image[:, :2]
    low, high = points.min(axis=0), points.max(axis=0)
    room = CLOSE_UP_ROOM * (high - low)
    left, top = np.maximum(low - room, 0).astype(int).tolist()
    right, bottom = np.minimum(high + room, [fit.image_size.width, fit.image_size.height]).astype(int).tolist()
    return Region(top, bottom, left, right)


def draw_sheet(layout: Layout, tiles: Iterable[ImageArray], heading: str) -> ImageArray:
    """tiles : one (rows, columns, 3) uint8 picture a cell, in their order, all of one size.

    Returns (height, width, 3) uint8.
    """
    sheet: Image.Image | None = None
    for cell, tile in zip(layout.cells, tiles, strict=True):
        height = layout.tile_height_px
        width = max(1, round(tile.shape[1] * height / tile.shape[0]))
        frame = _Frame(layout, height, width)
        if sheet is None:
            sheet = frame.empty_sheet(heading)
        left, top = frame.corner(cell.row, cell.column)
        sheet.paste(Image.fromarray(resized(tile, height, width)), (left, top))
        if cell.caption:
            middle = (left + width / 2, top + height + CAPTION_PX / 2)
            write(ImageDraw.Draw(sheet), middle, cell.caption, frame.caption_text_px)
    assert sheet is not None, "a layout has cells"
    return np.asarray(sheet)


class _Frame:
    """Where everything of a sheet stands, once the size of a tile is known."""

    def __init__(self, layout: Layout, height: int, width: int) -> None:
        self.layout, self.height, self.width = layout, height, width
        self.n_rows, self.n_columns = len(layout.row_titles), len(layout.column_titles)
        self.caption = CAPTION_PX if any(cell.caption for cell in layout.cells) else 0
        self.caption_text_px = CAPTION_TEXT_PX if width < 200 else TEXT_PX - 3
        self.split = layout.split or (self.n_rows, self.n_columns)

    def corner(self, row: int, column: int) -> tuple[int, int]:
        """Left and top of a tile, px."""
        left = MARGIN_PX + column * (self.width + GAP_PX) + (BLOCK_GAP_PX if column >= self.split[1] else 0)
        top = HEADING_PX + row * (self.height + self.caption + GAP_PX) + (BLOCK_GAP_PX if row >= self.split[0] else 0)
        return left, top

    def empty_sheet(self, heading: str) -> Image.Image:
        """The sheet with its titles and axes, without pictures."""
        last_left, last_top = self.corner(self.n_rows - 1, self.n_columns - 1)
        right, bottom = last_left + self.width, last_top + self.height + self.caption
        titles = 26 if any(self.layout.column_titles) else 0
        sheet = blank(bottom + titles + MARGIN_PX - 16, right + GAP_PX * 2)
        draw = ImageDraw.Draw(sheet)
        write(draw, (MARGIN_PX, HEADING_PX / 2), heading, TEXT_PX - 3, anchor="lm", ink=FAINT_INK)
        for column, title in enumerate(self.layout.column_titles):
            write(draw, (self.corner(0, column)[0] + self.width / 2, bottom + titles / 2 + 2), title, TEXT_PX - 3)
        for row, title in enumerate(self.layout.row_titles):
            write(draw, (MARGIN_PX - 5, self.corner(row, 0)[1] + self.height / 2), title, TEXT_PX - 5, anchor="rm")
        if self.layout.axes:
            self._draw_axes(sheet, right, bottom + titles)
        return sheet

    def _draw_axes(self, sheet: Image.Image, right: int, below: int) -> None:
        """Writes "valence" with an arrow to the right below the tiles, "arousal" with one upwards beside them."""
        across = _arrow("valence", right - MARGIN_PX)
        sheet.paste(across, (MARGIN_PX, below + 6))
        upwards = _arrow("arousal", below - HEADING_PX).transpose(Image.Transpose.ROTATE_90)
        sheet.paste(upwards, (2, HEADING_PX))


def _arrow(word: str, length: int) -> Image.Image:
    strip = blank(20, max(length, 1))
    draw = ImageDraw.Draw(strip)
    text_width = draw.textlength(word, font=font(TEXT_PX - 3))
    middle = length / 2
    write(draw, (middle, 10), word, TEXT_PX - 3)
    draw.line((middle + text_width / 2 + 10, 10, length - 2, 10), fill=INK)
    draw.line((2, 10, middle - text_width / 2 - 10, 10), fill=INK)
    draw.polygon(((length - 1, 10), (length - 10, 6), (length - 10, 14)), fill=INK)
    return strip
