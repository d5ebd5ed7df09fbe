"""A head model on one sheet: its mean from three sides, its first identities, some of its expressions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from synth_affect.arrays import FloatArray, ImageArray
from synth_affect.data.atomic import atomic_write, check_writable
from synth_affect.errors import InputError
from synth_affect.heads.camera import Camera, ImageSize, project
from synth_affect.heads.mesh import vertex_normals
from synth_affect.heads.model import HeadModel, region_triangles
from synth_affect.pipelines.drawing import blank, write
from synth_affect.pipelines.embed_landmarks import Progress, paint
from synth_affect.pipelines.open_head import open_head
from synth_affect.render.rasterizer import interpolate, rasterize_projected

TILE = ImageSize(260, 230)
OVERSAMPLING = 2
CAPTION_PX, GAP_PX, COLUMNS = 22, 4, 6
DISTANCE_MM, WIDTH_MM, BELOW_EYES_MM = 900.0, 225.0, 28.0
YAWS_DEG = (-60.0, 0.0, 60.0)
N_IDENTITY, DEVIATIONS = 6, 3.0
LIGHT = np.array([0.25, 0.45, 0.86], dtype=np.float32)
EXPRESSIONS = (
    ("jawOpen",),
    ("mouthSmileLeft", "mouthSmileRight"),
    ("eyeBlinkLeft", "eyeBlinkRight"),
    ("browInnerUp", "browOuterUpLeft", "browOuterUpRight", "eyeWideLeft", "eyeWideRight"),
    ("browDownLeft", "browDownRight", "noseSneerLeft", "noseSneerRight"),
    ("mouthFrownLeft", "mouthFrownRight"),
)
"""Units that are drawn together, at weight 1; the first is the caption."""


def write_head_sheet(name: str, out: Path, progress: Progress) -> dict[str, Any]:
    """Draw the head that `open_head` finds under `name`; returns a summary as JSON values.

    Raises InputError when the head cannot be read, or `out` cannot be written as PNG.
    """
    check_writable(out)
    if out.suffix.lower() != ".png":
        raise InputError(out, "the sheet is a PNG; give it a name that ends in .png")
    head = open_head(name, progress)
    sheet = draw_head(head)
    with atomic_write(out) as file:
        sheet.save(file, "PNG")
    return {"output": str(out), "name": head.name, "licence": head.licence, "size": list(sheet.size)}


def draw_head(head: HeadModel) -> Image.Image:
    """Rows of tiles: the mean, then +-3 standard deviations of identities, then expressions."""
    colours = paint(head)
    rows = [[(f"mean, {yaw:+.0f} degrees", head.mean, yaw) for yaw in YAWS_DEG]]
    for sign in (-1, 1):
        rows.append(
            [
                (f"identity {k}, {sign * DEVIATIONS:+.0f} sd", head.mean + np.float32(sign * DEVIATIONS) * offsets, 0.0)
                for k, offsets in enumerate(head.identity_basis[:N_IDENTITY])
            ]
        )
    units = dict(zip(head.unit_names, head.expression_units, strict=True))
    drawn = [[name for name in names if name in units] for names in EXPRESSIONS]
    rows.append([(names[0], head.mean + sum(units[name] for name in names), 0.0) for names in drawn if names])
    step_x, step_y = TILE.width + GAP_PX, TILE.height + CAPTION_PX + GAP_PX
    sheet = blank(len(rows) * step_y, COLUMNS * step_x)
    draw = ImageDraw.Draw(sheet)
    for row, tiles in enumerate(rows):
        for column, (caption, vertices, yaw) in enumerate(tiles):
            x, y = column * step_x, row * step_y
            sheet.paste(Image.fromarray(_tile(head, colours, vertices, yaw)), (x, y))
            write(draw, (x + TILE.width / 2, y + TILE.height + CAPTION_PX / 2), caption, 13)
    return sheet


def _tile(head: HeadModel, colours: FloatArray, vertices: FloatArray, yaw_deg: float) -> ImageArray:
    """(height, width, 3) uint8."""
    c, s = np.cos(np.radians(yaw_deg)), np.sin(np.radians(yaw_deg))
    width, height = OVERSAMPLING * TILE.width, OVERSAMPLING * TILE.height
    focal = DISTANCE_MM * width / WIDTH_MM
    camera = Camera(
        np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]]),
        np.array([0, -BELOW_EYES_MM, DISTANCE_MM]),
        focal,
        np.array([width / 2, height / 2]),
    )
    shown = head.triangles[~region_triangles(head, "lashes")]
    fragments = rasterize_projected(project(camera, vertices).astype(np.float32), shown, ImageSize(height, width))
    normals = vertex_normals(vertices, shown) @ camera.rotation.T.astype(np.float32)
    shade = 0.35 + 0.65 * np.clip(normals @ LIGHT, 0, None)
    image = interpolate(fragments, shown, np.ascontiguousarray(colours * shade[:, None], dtype=np.float32))
    covered = fragments.pix_to_face[0, :, :, 0] >= 0
    image = np.where(covered[..., None], np.clip(image, 0, 255), 255)
    small = image.reshape(TILE.height, OVERSAMPLING, TILE.width, OVERSAMPLING, 3).mean(axis=(1, 3))
    tile: ImageArray = small.round().astype(np.uint8)
    return tile
