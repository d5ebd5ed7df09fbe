"""What a person looks at after a run: faces that were brought to their targets, faces that were left out, and pictures
that were dropped.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from synth_affect.arrays import ImageArray, as_uint8
from synth_affect.data.atomic import atomic_write
from synth_affect.data.pictures import read_picture
from synth_affect.errors import InputError
from synth_affect.pipelines.augment.check import PictureCheck
from synth_affect.pipelines.augment.journal import DoneFace, DonePicture, DroppedPicture
from synth_affect.pipelines.augment.selection import Candidate
from synth_affect.pipelines.augment.tiles import JPEG_QUALITY, TILE_PX, face_tile, tile_of_text
from synth_affect.pipelines.drawing import FAINT_INK, blank, write
from synth_affect.pipelines.edit_picture import signed
from synth_affect.pipelines.read_face import FacePictures

ACCEPTED_SHEET, REJECTED_SHEET, DROPPED_SHEET = "accepted.jpg", "rejected.jpg", "dropped.jpg"
MOST_ACCEPTED, SHOWN_TARGETS, MOST_REJECTED, MOST_DROPPED = 12, 6, 60, 60
CAPTION_PX, GAP_PX = 18, 6
PER_ROW = 10
LONGEST_CAPTION = 24


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


def draw_sheets(
    folder: Path, accepted: Sequence[ShownFace], rejected: Sequence[ShownFace], dropped: Sequence[DoneFace] = ()
) -> list[Path]:
    """Write the sheets that have something to show, and return their files; the same faces give the same bytes.

    accepted : each becomes a row, its source first.  rejected : each becomes a tile over its reason.
    dropped : each shows one of its pictures that were, over what was asked and what is wrong.
    """
    written = []
    with FacePictures() as pictures:
        rows = [_row(face, folder, pictures) for face in accepted]
        tiles = [_Tile(_source(face, pictures), _short(face.done.reason)) for face in rejected]
    if rows:
        written.append(_save(folder / ACCEPTED_SHEET, rows))
    for name, shown in ((REJECTED_SHEET, tiles), (DROPPED_SHEET, [_dropped(face) for face in dropped])):
        if shown:
            written.append(_save(folder / name, [shown[i : i + PER_ROW] for i in range(0, len(shown), PER_ROW)]))
    return written


def _row(face: ShownFace, folder: Path, pictures: FacePictures) -> list[_Tile]:
    tiles = [_Tile(_source(face, pictures), _short(face.done.key))]
    shown = face.done.pictures
    for place in evenly(len(shown), SHOWN_TARGETS):
        picture = shown[place]
        pixels = as_uint8(read_picture(folder / picture.path).pixels)
        caption = _asked_and_read(picture, picture.check)
        tiles.append(_Tile(face_tile(pixels, face.done.measures), caption))
    return tiles


def _dropped(face: DoneFace) -> _Tile:
    picture = face.dropped[face.tile_of]
    caption = _asked_and_read(picture, picture.check if picture.fault == "another feeling" else None)
    if picture.fault != "another feeling":
        caption += f" {picture.fault}"
    return _Tile(tile_of_text(face.tile), caption)


def _asked_and_read(picture: DonePicture | DroppedPicture, check: PictureCheck | None) -> str:
    """What was asked and, where a judge has looked, what the first of them read."""
    caption = f"{signed(picture.valence)} {signed(picture.arousal)}"
    if check is None or not check.affect:
        return caption
    valence, arousal = check.affect[0]
    return f"{caption} > {signed(valence)} {signed(arousal)}"


def _source(face: ShownFace, pictures: FacePictures) -> ImageArray | None:
    """None where the source cannot be read, which may be why it was left out."""
    try:
        return face_tile(as_uint8(pictures.read(face.candidate.record).picture.pixels), face.done.measures)
    except InputError:
        return None


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
