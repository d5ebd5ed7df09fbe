"""The figure of a grid: the histogram of annotations, and the shape of each cell (Kollias et al. 2018, figure 3)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from synth_affect.affect import ValenceArousal
from synth_affect.arrays import FloatArray, ImageArray
from synth_affect.blendshape.action_units import arrange
from synth_affect.blendshape.grid.affect_grid import AffectGrid, GridQuestion, Statistic
from synth_affect.blendshape.grid.cells import CELLS_PER_SIDE, cell_centres
from synth_affect.blendshape.grid.expressions import GridExpressions
from synth_affect.blendshape.template import face_template, face_vertices
from synth_affect.data.atomic import atomic_write, check_writable
from synth_affect.errors import InputError
from synth_affect.heads.camera import ImageSize
from synth_affect.heads.mesh import vertex_normals
from synth_affect.heads.model import HeadModel, embed, region_triangles, region_vertices
from synth_affect.pipelines.drawing import FAINT_INK, blank, write
from synth_affect.pipelines.embed_landmarks import BROWS as BROW_COLOUR
from synth_affect.pipelines.embed_landmarks import COLOURS
from synth_affect.pipelines.open_expressions import open_grid
from synth_affect.pipelines.open_head import DEFAULT, open_head
from synth_affect.render.rasterizer import interpolate, rasterize_projected

TILE = ImageSize(240, 188)
GAP_PX, MARGIN_PX, HEADING_PX, BOX_PX = 4, 56, 44, 78
LIGHT = (0.25, 0.45, 0.86)
OVERSAMPLING = 2
BROWS = ((70, 63, 105, 66, 107), (46, 53, 52, 65, 55), (336, 296, 334, 293, 300), (285, 295, 282, 283, 276))
"""MediaPipe's points along the upper and the lower edge of either brow, each from the outer or the inner end on."""
BROW_MM = 2.2
"""From the middle of a brow its colour fades over this distance."""
Progress = Callable[[Iterable[int], int], Iterable[int]]


def write_grid_figure(
    name: str, out: Path, *, statistic: Statistic = "typical", head: str = DEFAULT, progress: Progress | None = None
) -> dict[str, Any]:
    """Draw the grid that `open_grid` finds under `name`; returns a summary as JSON values.

    Raises InputError when the grid cannot be read, is not of the head's template, or `out` cannot be written as PNG.
    """
    check_writable(out)
    if out.suffix.lower() != ".png":
        raise InputError(out, "the figure is a PNG; give it a name that ends in .png")
    grid = open_grid(name)
    model = open_head(head)
    wanted = face_template(model).topology
    if grid.topology != wanted:
        raise InputError(name, f"a grid of template {grid.topology}, expected {wanted}, the face of {head}")
    figure = draw_grid(grid, model, statistic, progress)
    with atomic_write(out) as file:
        figure.save(file, "PNG")
    return {"output": str(out), "statistic": statistic, "size": list(figure.size)}


def draw_grid(grid: AffectGrid, head: HeadModel, statistic: Statistic, progress: Progress | None = None) -> Image.Image:
    """Left the counts of frames, right the head's mean with each cell's expression; valence to the right, arousal
    upwards. Cells that are filled from around have a pale frame.
    """
    source = GridExpressions(grid, head, GridQuestion("cell", statistic))
    width = CELLS_PER_SIDE * (TILE.width + GAP_PX)
    height = CELLS_PER_SIDE * (TILE.height + GAP_PX)
    left = MARGIN_PX + CELLS_PER_SIDE * BOX_PX + MARGIN_PX
    sheet = blank(HEADING_PX + height + MARGIN_PX, left + width + GAP_PX)
    draw = ImageDraw.Draw(sheet)
    write(draw, (MARGIN_PX, HEADING_PX / 2), "annotated frames", 18, anchor="lm")
    write(draw, (left, HEADING_PX / 2), f"{statistic} expression of each cell", 18, anchor="lm")
    _draw_histogram(draw, grid)
    colours = face_colours(head)
    cells: Iterable[int] = range(len(grid.counts))
    for cell in cells if progress is None else progress(cells, len(grid.counts)):
        row, column = divmod(cell, CELLS_PER_SIDE)
        valence, arousal = cell_centres()[cell]
        expression = source.expression(ValenceArousal(float(valence), float(arousal)), None, 1.0)
        units = head.expression_units
        weights = arrange(expression.weights, head.unit_names).astype(np.float32)
        vertices = head.mean + (weights @ units.reshape(len(units), -1)).reshape(-1, 3)
        if expression.residual is not None:
            vertices[face_vertices(head)] += expression.residual
        x = left + column * (TILE.width + GAP_PX)
        y = HEADING_PX + (CELLS_PER_SIDE - 1 - row) * (TILE.height + GAP_PX)
        sheet.paste(Image.fromarray(_render(head, vertices, colours)), (x, y))
        if grid.thin[cell]:
            draw.rectangle((x, y, x + TILE.width - 1, y + TILE.height - 1), outline=(190, 190, 190), width=2)
    _draw_levels(draw, left, TILE.width + GAP_PX, TILE.height + GAP_PX)
    return sheet


def face_colours(head: HeadModel) -> FloatArray:
    """(n_vertices, 3) colours, 0-255, of lips, eyes and teeth, and of brows where the head's landmarks have them.

    The bold brows that help a detector (`embed_landmarks.paint`) slant, and would frown on every face.
    """
    colours = np.tile(np.array(COLOURS["skin"], dtype=np.float32), (len(head.mean), 1))
    for region, colour in COLOURS.items():
        colours[region_vertices(head, region)] = colour
    points = embed(head.mean, head.triangles, head.landmarks_478)
    skin = region_vertices(head, "skin")
    away = np.full(len(skin), np.inf)
    for upper, lower in (BROWS[:2], BROWS[2:]):
        knots = (points[list(upper)] + points[list(lower)]) / 2
        places = np.linspace(0, len(knots) - 1, 40)
        line = np.stack([np.interp(places, np.arange(len(knots)), axis) for axis in knots.T], axis=1)
        away = np.minimum(away, np.linalg.norm(head.mean[skin][:, None] - line, axis=2).min(axis=1))
    share = np.exp(-((away / BROW_MM) ** 2))[:, None]
    colours[skin] += share * (np.array(BROW_COLOUR) - colours[skin])
    return colours


def _draw_histogram(draw: ImageDraw.ImageDraw, grid: AffectGrid) -> None:
    step = TILE.height + GAP_PX
    most = max(1, int(grid.counts.max()))
    for cell, (count, thin) in enumerate(zip(grid.counts.tolist(), grid.thin.tolist(), strict=True)):
        row, column = divmod(cell, CELLS_PER_SIDE)
        x, y = MARGIN_PX + column * BOX_PX, HEADING_PX + (CELLS_PER_SIDE - 1 - row) * step
        # By its square root: the cells round neutral hold many times what the others do.
        share = (count / most) ** 0.5
        colour = tuple(round(255 + share * (dark - 255)) for dark in (30, 70, 140))
        draw.rectangle((x, y, x + BOX_PX - 2, y + step - 2), fill=colour, outline=(225, 225, 225))
        ink = (255, 255, 255) if share > 0.6 else FAINT_INK if thin else (30, 30, 30)
        write(draw, (x + BOX_PX / 2, y + step / 2), f"{count}{'*' if thin else ''}", 13, ink=ink)
    _draw_levels(draw, MARGIN_PX, BOX_PX, step)


def _draw_levels(draw: ImageDraw.ImageDraw, left: int, step_x: int, step_y: int) -> None:
    bottom = HEADING_PX + CELLS_PER_SIDE * step_y
    for place in range(CELLS_PER_SIDE):
        level = f"{-0.9 + 0.2 * place:+.1f}"
        write(draw, (left + (place + 0.5) * step_x, bottom + 12), level, 13, ink=FAINT_INK)
        write(draw, (left - 6, bottom - (place + 0.5) * step_y), level, 13, anchor="rm", ink=FAINT_INK)
    write(draw, (left + CELLS_PER_SIDE * step_x / 2, bottom + 34), "valence", 15)


def _render(head: HeadModel, vertices: FloatArray, colours: FloatArray) -> ImageArray:
    """(height, width, 3) uint8: the face from the front, without perspective."""
    shown = head.triangles[~region_triangles(head, "lashes")]
    face = head.mean[face_vertices(head)]
    low, high = face.min(axis=0), face.max(axis=0)
    # Room below for a jaw that opens.
    scale = OVERSAMPLING * min(TILE.width / (1.04 * (high[0] - low[0])), TILE.height / (1.22 * (high[1] - low[1])))
    middle_x, top = (low[0] + high[0]) / 2, high[1] + 0.06 * (high[1] - low[1])
    size = ImageSize(OVERSAMPLING * TILE.height, OVERSAMPLING * TILE.width)
    seen = np.stack(
        [(vertices[:, 0] - middle_x) * scale + size.width / 2, (top - vertices[:, 1]) * scale, 1000 - vertices[:, 2]],
        axis=1,
    ).astype(np.float32)
    fragments = rasterize_projected(seen, shown, size)
    shade = 0.35 + 0.65 * np.clip(vertex_normals(vertices, shown) @ np.array(LIGHT, dtype=np.float32), 0, None)
    image = interpolate(fragments, shown, np.ascontiguousarray(colours * shade[:, None], dtype=np.float32))
    covered = fragments.pix_to_face[0, :, :, 0] >= 0
    image = np.where(covered[..., None], np.clip(image, 0, 255), 255)
    small = image.reshape(TILE.height, OVERSAMPLING, TILE.width, OVERSAMPLING, 3).mean(axis=(1, 3))
    rendered: ImageArray = small.round().astype(np.uint8)
    return rendered
