"""What a page can take home: files as the command line makes them, made in a folder that is gone when they are sent."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

from synth_affect.arrays import ImageArray
from synth_affect.data.picture_encoding import DEFAULT_QUALITY
from synth_affect.data.provenance import sidecar_path
from synth_affect.data.video_writing import write_gif, write_mp4
from synth_affect.errors import InputError
from synth_affect.pipelines.affect_path import about_synthetic, path_points
from synth_affect.pipelines.contact_sheet import grid_layout, write_contact_sheet
from synth_affect.pipelines.edit_picture import EditOutputs, default_output, edit_picture
from synth_affect.pipelines.export_mesh import MeshOutput, export_mesh
from synth_affect.pipelines.face_window import whole_window
from synth_affect.pipelines.open_expressions import ExpressionChoice
from synth_affect.pipelines.picture_faces import FaceSource
from synth_affect.web.serve.asked import Asked, AskedPath
from synth_affect.web.serve.sessions import Session
from synth_affect.web.serve.studio import Studio

FOLDER_PREFIX = "synth-affect-serve-"
PATH_PX = 1080
"""Longest side of an animation."""
SHEET_STEPS = 5
MEDIA_TYPES: Mapping[str, str] = {
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".json": "application/json",
    ".glb": "model/gltf-binary",
    ".gif": "image/gif",
    ".mp4": "video/mp4",
}

Step = TypeVar("Step")
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

    def source(self, folder: Path) -> FaceSource:
        """The session's file in `folder`, for the pipelines that start from files."""
        image = folder / self.session.upload.name
        image.write_bytes(self.session.upload.content)
        return FaceSource(
            image=image,
            face=self.asked.face or "largest",
            landmark_model=self.studio.landmark_model,
            head=self.asked.head,
            expressions=self.asked.expressions,
        )

    def steps(self, items: Iterable[Step], count: int) -> Iterator[Step]:
        """The items, told one by one."""
        for done, item in enumerate(items):
            self.tell(done, count)
            yield item
        self.tell(count, count)


def make(kind: str, order: Order) -> Product:
    """One of PRODUCTS, made one at a time.

    Raises InputError for another kind, and when it cannot be made.
    """
    if kind not in PRODUCTS:
        raise InputError("product", f"is none of {', '.join(PRODUCTS)}")
    with _one_at_a_time, TemporaryDirectory(prefix=FOLDER_PREFIX) as made:
        folder = Path(made)
        (folder / "in").mkdir()
        (folder / "out").mkdir()
        path = PRODUCTS[kind](order, folder)
        return Product(path.name, MEDIA_TYPES[path.suffix], path.read_bytes())


def _picture(suffix: str, *, its_sidecar: bool = False) -> Callable[[Order, Path], Path]:
    def make_picture(order: Order, folder: Path) -> Path:
        source = order.source(folder / "in")
        output = folder / "out" / default_output(source.image, order.asked.target).with_suffix(suffix).name
        edit_picture(source, order.asked.target, EditOutputs(output), order.studio.judges)
        return sidecar_path(output) if its_sidecar else output

    return make_picture


def _mesh(order: Order, folder: Path) -> Path:
    source = order.source(folder / "in")
    output = folder / "out" / default_output(source.image, order.asked.target).with_suffix(".glb").name
    export_mesh(source, order.asked.target, MeshOutput(output))
    return output


def _sheet(order: Order, folder: Path) -> Path:
    source = order.source(folder / "in")
    output = folder / "out" / f"{source.image.stem}_grid.jpg"
    target = order.asked.target
    write_contact_sheet(
        source,
        grid_layout(SHEET_STEPS),
        output,
        intensity=target.intensity,
        input_expression=target.input_expression,
        wrinkles=target.wrinkles,
        action_units=target.action_units,
        quality=DEFAULT_QUALITY,
        progress=order.steps,
    )
    return output


def _path(suffix: str) -> Callable[[Order, Path], Path]:
    def make_path(order: Order, folder: Path) -> Path:
        way = order.path
        if way is None:
            raise InputError("path", "is missing; draw one in the plane")
        output = folder / "out" / f"{Path(order.session.upload.name).stem}_path{suffix}"
        rate = way.rate
        frames = _frames(order, way)
        about = about_synthetic(
            replace(
                order.studio.provenance(order.session, order.asked, "path"),
                request={
                    **{name: value for name, value in order.asked.described().items() if name not in OF_ONE_POINT},
                    "through": [[point.valence, point.arousal] for point in way.corners],
                    "seconds": way.seconds,
                    "fps": rate,
                    "longest_px": PATH_PX,
                },
            )
        )
        if suffix == ".mp4":
            write_mp4(output, ((k / rate, frame) for k, frame in enumerate(frames)), about=about)
        else:
            write_gif(output, frames, rate, about=about)
        return output

    return make_path


OF_ONE_POINT = ("valence", "arousal", "category")


def _frames(order: Order, way: AskedPath) -> Iterator[ImageArray]:
    """The whole picture at PATH_PX, point by point of the way."""
    asked, count = order.asked, round(way.seconds * way.rate)
    base = order.studio.synthesizer(asked.head, ExpressionChoice())
    drawing = order.studio.synthesizer(asked.head, asked.expressions)
    window = whole_window(order.session.upload.picture.pixels, order.studio.fit(order.session, asked), PATH_PX)
    scene = base.prepare(window.pixels, window.fit)
    for point in order.steps(path_points(way.corners, count), count):
        yield drawing.synthesize(
            window.pixels,
            window.fit,
            valence=point.valence,
            arousal=point.arousal,
            intensity=asked.target.intensity,
            input_expression=asked.target.input_expression,
            wrinkles=asked.target.wrinkles,
            action_units=asked.target.action_units,
            scene=scene,
        ).image


PRODUCTS: Mapping[str, Callable[[Order, Path], Path]] = {
    "picture": _picture(".png"),
    "photo": _picture(".jpg"),
    "sidecar": _picture(".png", its_sidecar=True),
    "mesh": _mesh,
    "sheet": _sheet,
    "gif": _path(".gif"),
    "mp4": _path(".mp4"),
}
"""Name in a page's request -> what makes it, and the file that it wrote."""
