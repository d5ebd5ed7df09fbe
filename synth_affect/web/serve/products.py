"""What a page can take home: files like those of the command line, made in a folder that is gone when they are sent."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import synth_affect
from synth_affect.affect import ValenceArousal
from synth_affect.arrays import ImageArray
from synth_affect.data.picture_encoding import encode_picture
from synth_affect.data.provenance import Provenance, sidecar, sidecar_path
from synth_affect.data.video_writing import write_gif, write_mp4
from synth_affect.errors import InputError
from synth_affect.fitting.fit_json import fit_to_json
from synth_affect.pipelines.affect_path import about_synthetic, path_points
from synth_affect.pipelines.contact_sheet import draw_sheet, grid_layout
from synth_affect.pipelines.drawing import on_paper
from synth_affect.pipelines.edit_picture import default_output
from synth_affect.pipelines.export_mesh import MeshOutput, export_mesh
from synth_affect.pipelines.picture_faces import FaceSource, summarise
from synth_affect.web.serve.asked import Asked, AskedPath
from synth_affect.web.serve.sessions import Session
from synth_affect.web.serve.studio import Studio, View

FOLDER_PREFIX = "synth-affect-serve-"
GIF_PX, MP4_PX = 480, 1080
"""Longest sides of animations. GIF hardly compresses photographs: larger ones are too heavy."""
SHEET_STEPS = 5
TEXTURE_PX = 1024
"""Side of the mesh's."""
MEDIA_TYPES: Mapping[str, str] = {
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".json": "application/json",
    ".glb": "model/gltf-binary",
    ".gif": "image/gif",
    ".mp4": "video/mp4",
}

Tell = Callable[[int, int], None]
"""How many steps are done, of how many. What it raises ends the work."""

_one_at_a_time = threading.Lock()


@dataclass(frozen=True, slots=True)
class Product:
    """name : for the user's disk.  media_type : of `content`."""

    name: str
    media_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be made of what. path : for animations.  tell : hears how far it is."""

    studio: Studio
    session: Session
    asked: Asked
    path: AskedPath | None
    tell: Tell

    @property
    def stem(self) -> str:
        """Of the names of files."""
        return Path(self.session.upload.name).stem


def make(kind: str, order: Order) -> Product:
    """One of PRODUCTS, made one at a time.

    Raises InputError for another kind, and when it cannot be made.
    """
    if kind not in PRODUCTS:
        raise InputError("product", f"is none of {', '.join(PRODUCTS)}")
    with _one_at_a_time, TemporaryDirectory(prefix=FOLDER_PREFIX) as made:
        path = PRODUCTS[kind](order, Path(made))
        return Product(path.name, MEDIA_TYPES[path.suffix], path.read_bytes())


def _picture(suffix: str) -> Callable[[Order, Path], Path]:
    """The whole picture in its own size and depth, as the command line makes it."""

    def make_picture(order: Order, folder: Path) -> Path:
        studio, picture = order.studio, order.session.upload.picture
        output = folder / default_output(Path(order.stem), order.asked.target).with_suffix(suffix).name
        pixels = studio.edit(order.session, order.asked)
        about = studio.provenance(order.session, order.asked, "edit")
        output.write_bytes(encode_picture(pixels, output, picture, about))
        return output

    return make_picture


def _sidecar(order: Order, folder: Path) -> Path:
    """Of the PNG."""
    studio, session, asked = order.studio, order.session, order.asked
    picture = folder / default_output(Path(order.stem), asked.target).name
    face = {**summarise(studio.measured(session, asked)), "verification": studio.read(session, asked)}
    about = studio.provenance(session, asked, "edit")
    output = sidecar_path(picture)
    output.write_bytes(sidecar(about, output=picture, fit={"faces": [face]}))
    return output


def _mesh(order: Order, folder: Path) -> Path:
    image, fit = folder / f"in_{order.session.upload.name}", folder / "fit.json"
    image.write_bytes(order.session.upload.content)
    fit.write_bytes(fit_to_json(order.studio.fit(order.session, order.asked)).encode())
    source = FaceSource(
        image, fit_in=fit, head=order.studio.source_of(order.asked.head), expressions=order.asked.expressions
    )
    output = folder / default_output(Path(order.stem), order.asked.target).with_suffix(".glb").name
    export_mesh(source, order.asked.target, MeshOutput(output, TEXTURE_PX))
    return output


def _sheet(order: Order, folder: Path) -> Path:
    """From reduced pixels: a tile is smaller still."""
    upload, layout = order.session.upload, grid_layout(SHEET_STEPS)
    view = order.studio.preview(order.session, order.asked)
    points = [cell.target or ValenceArousal(0, 0) for cell in layout.cells]
    tiles = (view.scene.region.of(picture) for picture in _pictures(order, view, points))
    sheet = draw_sheet(layout, tiles, f"synthetic, synth-affect {synth_affect.__version__}, {layout.name}")
    output = folder / f"{order.stem}_grid.jpg"
    about = _provenance(order, layout.name, {})
    output.write_bytes(encode_picture(sheet, output, on_paper(sheet, upload.picture), about))
    return output


def _path(suffix: str, longest_px: int) -> Callable[[Order, Path], Path]:
    def make_path(order: Order, folder: Path) -> Path:
        way = order.path
        if way is None:
            raise InputError("path", "is missing; draw one in the plane")
        output = folder / f"{order.stem}_path{suffix}"
        corners = [[point.valence, point.arousal] for point in way.corners]
        request = {"through": corners, "seconds": way.seconds, "fps": way.rate, "longest_px": longest_px}
        about = about_synthetic(_provenance(order, "path", request))
        view = order.studio.whole_view(order.session, order.asked, longest_px)
        frames = _pictures(order, view, path_points(way.corners, round(way.seconds * way.rate)))
        if suffix == ".mp4":
            write_mp4(output, ((k / way.rate, frame) for k, frame in enumerate(frames)), about=about)
        else:
            write_gif(output, frames, way.rate, about=about)
        return output

    return make_path


def _pictures(order: Order, view: View, points: Sequence[ValenceArousal]) -> Iterator[ImageArray]:
    """The face of `view` at one point after the other, told one by one."""
    for done, point in enumerate(points):
        order.tell(done, len(points))
        target = replace(order.asked.target, point=point, emotion=None)
        yield order.studio.paint(replace(order.asked, target=target), view)
    order.tell(len(points), len(points))


def _provenance(order: Order, shows: str, further: Mapping[str, Any]) -> Provenance:
    """Of what has no point of its own."""
    about = order.studio.provenance(order.session, order.asked, shows)
    kept = {name: value for name, value in about.request.items() if name not in ("valence", "arousal", "category")}
    return replace(about, request={**kept, **further})


PRODUCTS: Mapping[str, Callable[[Order, Path], Path]] = {
    "picture": _picture(".png"),
    "photo": _picture(".jpg"),
    "sidecar": _sidecar,
    "mesh": _mesh,
    "sheet": _sheet,
    "gif": _path(".gif", GIF_PX),
    "mp4": _path(".mp4", MP4_PX),
}
"""Name in a page's request -> what makes it, and the file that it wrote."""
