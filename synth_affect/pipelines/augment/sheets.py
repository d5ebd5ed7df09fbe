"""What a person looks at after a run: faces that were brought to their targets, and faces that were left out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from synth_affect.arrays import FloatArray, ImageArray, as_uint8
from synth_affect.data.atomic import atomic_write
from synth_affect.data.pictures import read_picture
from synth_affect.errors import InputError
from synth_affect.pipelines.augment.journal import DoneFace
from synth_affect.pipelines.augment.selection import Candidate
from synth_affect.pipelines.drawing import FAINT_INK, blank, resized, write
from synth_affect.pipelines.edit_picture import signed
from synth_affect.pipelines.read_face import FacePictures

ACCEPTED_SHEET, REJECTED_SHEET = "accepted.jpg", "rejected.jpg"
MOST_ACCEPTED, SHOWN_TARGETS, MOST_REJECTED = 12, 6, 60
TILE_PX, CAPTION_PX, GAP_PX = 150, 18, 6
PER_ROW = 10
LONGEST_CAPTION = 24
JPEG_QUALITY = 85


@dataclass(frozen=True, slots=True, eq=False)
class ShownFace:
    """A face with what became of it."""

    candidate: Candidate
    done: DoneFace


@dataclass(frozen=True, slots=True, eq=False)
class _Tile:
    pixels: ImageArray | None
    caption: str


def evenly(count: int, most: int) -> list[int]:
    """Up to `most` of the numbers below `count`, evenly spaced, the first and the last among them."""
    return sorted({round(float(place)) for place in np.linspace(0, count - 1, min(count, most))}) if count else []


def draw_sheets(folder: Path, accepted: Sequence[ShownFace], rejected: Sequence[ShownFace]) -> list[Path]:
    """Write the sheets that have something to show, and return their files; the same faces give the same bytes.

    accepted : each becomes a row, its source first.  rejected : each becomes a tile over its reason.
    """
    written = []
    with FacePictures() as pictures:
        rows = [_row(face, folder, pictures) for face in accepted]
        tiles = [_Tile(_source(face, pictures), _short(face.done.reason)) for face in rejected]
    if rows:
        written.append(_save(folder / ACCEPTED_SHEET, rows))
    if tiles:
        written.append(_save(folder / REJECTED_SHEET, [tiles[i : i + PER_ROW] for i in range(0, len(tiles), PER_ROW)]))
    return written


def _row(face: ShownFace, folder: Path, pictures: FacePictures) -> list[_Tile]:
    tiles = [_Tile(_source(face, pictures), _short(face.done.key))]
    shown = face.done.pictures
    for place in evenly(len(shown), SHOWN_TARGETS):
        picture = shown[place]
        pixels = as_uint8(read_picture(folder / picture.path).pixels)
        tiles.append(_Tile(_cropped(pixels, face.done), f"{signed(picture.valence)} {signed(picture.arousal)}"))
    return tiles


def _source(face: ShownFace, pictures: FacePictures) -> ImageArray | None:
    """None where the source cannot be read, which may be why it was left out."""
    try:
        return _cropped(as_uint8(pictures.read(face.candidate.record).picture.pixels), face.done)
    except InputError:
        return None


def _cropped(pixels: ImageArray, done: DoneFace) -> ImageArray:
    """A square tile round the fitted face, or the whole picture made to fit."""
    height, width = pixels.shape[:2]
    centre: FloatArray = np.array([width, height]) / 2
    half = max(height, width) / 2
    if "left_px" in done.measures:
        left, top, right, bottom = (done.measures[f"{edge}_px"] for edge in ("left", "top", "right", "bottom"))
        centre, half = np.array([left + right, top + bottom]) / 2, 0.75 * max(right - left, bottom - top)
    side = max(round(2 * half), 2)
    first = np.round(centre - half).astype(int)
    corner, end = np.maximum(first, 0), np.minimum(first + side, [width, height])
    square = np.full((side, side, 3), 255, dtype=np.uint8)
    part = pixels[corner[1] : end[1], corner[0] : end[0]]
    at = corner - first
    square[at[1] : at[1] + part.shape[0], at[0] : at[0] + part.shape[1]] = part
    return resized(square, TILE_PX, TILE_PX)


def _save(path: Path, rows: Sequence[Sequence[_Tile]]) -> Path:
    step_x, step_y = TILE_PX + GAP_PX, TILE_PX + CAPTION_PX + GAP_PX
    sheet = blank(GAP_PX + step_y * len(rows), GAP_PX + step_x * max(map(len, rows)))
    draw = ImageDraw.Draw(sheet)
    for i, row in enumerate(rows):
        for j, tile in enumerate(row):
            left, top = GAP_PX + j * step_x, GAP_PX + i * step_y
            if tile.pixels is None:
                write(draw, (left + TILE_PX / 2, top + TILE_PX / 2), "cannot be read", 12, ink=FAINT_INK)
            else:
                sheet.paste(Image.fromarray(tile.pixels), (left, top))
            write(draw, (left + TILE_PX / 2, top + TILE_PX + CAPTION_PX / 2), tile.caption, 11)
    with atomic_write(path) as file:
        sheet.save(file, format="JPEG", quality=JPEG_QUALITY)
    return path


def _short(text: str) -> str:
    return text if len(text) <= LONGEST_CAPTION else text[: LONGEST_CAPTION - 1] + "…"
