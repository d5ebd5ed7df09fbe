"""Rendered faces: a labelled data set of invented people, made picture by picture, resumed where a run was stopped.

DIR/dataset.json            format, version, seed, head model, licence
DIR/labels.csv              one row a picture (COLUMNS), written when all are there
DIR/pictures/SSSS/NNN.jpg   picture NNN of person SSSS; 000 is neutral
DIR/geometry/SSSS/NNN.npz   the same picture's geometry, see `Geometry of a picture` in the docs
"""

from __future__ import annotations

import contextlib
import csv
import io
import json
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, get_args
from xml.sax.saxutils import escape

import cv2
import numpy as np

import synth_affect
from synth_affect.arrays import FloatArray
from synth_affect.blendshape.action_units import arrange
from synth_affect.data.atomic import atomic_write
from synth_affect.errors import InputError
from synth_affect.heads.camera import ImageSize, project, yaw_pitch_roll
from synth_affect.pipelines.open_head import open_head
from synth_affect.pipelines.rendered_people import (
    RenderedPerson,
    Studio,
    draw_shown,
    face_shown,
    folds_shown,
    invent_person,
    open_studio,
    points_shown,
)
from synth_affect.render.portrait.background import draw_background
from synth_affect.render.portrait.lights import draw_lights
from synth_affect.render.portrait.picture import render_portrait
from synth_affect.render.portrait.sensor import develop
from synth_affect.render.portrait.viewpoint import draw_camera, draw_laboratory_camera

FORMAT = "synth-affect/rendered-faces/2"
"""Changes whenever a picture of the same name comes out differently."""
DATASET, LABELS, PICTURES, GEOMETRY = "dataset.json", "labels.csv", "pictures", "geometry"
DIGITAL_SOURCE_TYPE = "http://cv.iptc.org/newscodes/digitalsourcetype/algorithmicMedia"
"""IPTC's term for what an algorithm made without sampled training data."""
SIZES = (32, 2048)
Place = Literal["anywhere", "laboratory"]
MOST_SUBJECTS, MOST_PER_SUBJECT, LARGEST_SEED, MOST_WORKERS = 9999, 999, 2**31 - 1, 64
JPEG_QUALITY = (88, 97)

COLUMNS = (
    "picture",
    "geometry",
    "subject",
    "number",
    "valence",
    "arousal",
    "category",
    "prototypes",
    "yaw_deg",
    "pitch_deg",
    "roll_deg",
    "focal_mm",
    "light",
    "age_years",
    "masculinity",
    "typology_deg",
    "hair",
    "beard",
    "make_up",
)

Progress = Callable[[Iterable[Any], int], Iterable[Any]]


@dataclass(frozen=True, slots=True)
class RenderRequest:
    """n_subjects : people.  per_subject : pictures of each, the first one neutral.  head : "cc0" or a file.
    size : height and width of the pictures, px.  seed : of everything.
    maps : also write each picture's depth and face mask into its geometry.
    place : anywhere: each picture has a place, light and view of its own, and shows categories and other points of the
        plane. laboratory: a person stays in one place, under one light, before one camera, and poses the categories.

    Raises InputError naming the option.
    """

    n_subjects: int
    per_subject: int
    head: str = "cc0"
    size: int = 512
    seed: int = 0
    maps: bool = False
    place: Place = "anywhere"

    def __post_init__(self) -> None:
        if self.place not in get_args(Place):
            raise InputError("--place", f"{self.place!r} is none of {', '.join(get_args(Place))}")
        for option, value, least, most in (
            ("--subjects", self.n_subjects, 1, MOST_SUBJECTS),
            ("--per-subject", self.per_subject, 1, MOST_PER_SUBJECT),
            ("--size", self.size, *SIZES),
            ("--seed", self.seed, 0, LARGEST_SEED),
        ):
            if not least <= value <= most:
                raise InputError(option, f"{value} is not in [{least}, {most}]")


def render_faces(
    request: RenderRequest, out: Path, *, workers: int = 1, progress: Progress | None = None
) -> dict[str, Any]:
    """Render what is missing of the data set at `out`; returns a summary for `--json`.

    workers : processes; a picture is the same whatever their number, and whatever was rendered before it.
    progress : wraps the people that are done, as they come.
    Raises InputError when `out` cannot be written or holds something else.
    """
    if not 1 <= workers <= MOST_WORKERS:
        raise InputError("--workers", f"{workers} is not in [1, {MOST_WORKERS}]")
    head = open_head(request.head)  # converted once, before several processes would
    described = {**asdict(request), "head": head.name, "topology": head.topology, "licence": head.licence}
    if request.place == "anywhere":
        del described["place"]  # as in data sets that were made when there was no other
    _claim(out, described)
    missing = {s: numbers for s in range(request.n_subjects) if (numbers := _missing(request, out, s))}
    for subject in missing:
        for part in (PICTURES, GEOMETRY):
            _make_folder(out / part / f"{subject:04d}")
    done = _rendered(request, out, missing, min(workers, max(len(missing), 1)))
    for _ in done if progress is None else progress(done, len(missing)):
        pass
    rows = [_read_label(request, out, s, n) for s in range(request.n_subjects) for n in range(request.per_subject)]
    with atomic_write(out / LABELS) as file:
        file.write(_csv(rows))
    return {
        "output": str(out),
        "labels": str(out / LABELS),
        "subjects": request.n_subjects,
        "pictures": len(rows),
        "pictures_added": sum(len(numbers) for numbers in missing.values()),
    }


def picture_path(out: Path, subject: int, number: int) -> Path:
    """Of picture `number` of person `subject`."""
    return out / PICTURES / f"{subject:04d}" / f"{number:03d}.jpg"


def geometry_path(out: Path, subject: int, number: int) -> Path:
    """Of the same picture's geometry; where it is, the picture is finished."""
    return out / GEOMETRY / f"{subject:04d}" / f"{number:03d}.npz"


def _claim(out: Path, described: dict[str, Any]) -> None:
    """See that `out` is this data set or can become it."""
    said = {
        "format": FORMAT,
        "version": synth_affect.__version__,
        "what": "rendered faces of invented people; no photographs",
        "digital_source_type": DIGITAL_SOURCE_TYPE,
        **described,
    }
    path = out / DATASET
    _make_folder(out)
    try:
        before = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        if any(out.iterdir()):
            raise InputError(out, f"is not empty and holds no {DATASET}; choose another folder") from None
    except (OSError, ValueError) as error:
        raise InputError(path, f"cannot be read ({error})") from error
    else:
        if before != said:
            raise InputError(out, f"holds another data set ({DATASET} says otherwise); choose another folder")
        return
    with atomic_write(path) as file:
        file.write((json.dumps(said, indent=2) + "\n").encode())


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(folder, f"cannot be made ({error.strerror or error})") from error


def _missing(request: RenderRequest, out: Path, subject: int) -> list[int]:
    return [n for n in range(request.per_subject) if not geometry_path(out, subject, n).is_file()]


def _rendered(request: RenderRequest, out: Path, missing: dict[int, list[int]], workers: int) -> Iterator[int]:
    """People, as they are finished."""
    if not missing:
        return
    context = multiprocessing.get_context("spawn")
    stop = context.Event()
    # Always in processes of one thread, since sums of several threads are rounded differently.
    with _one_thread_each():
        pool = ProcessPoolExecutor(workers, context, _open_worker, (request, str(out), stop))
        waiting: list[Future[int]] = []
        try:
            waiting = [pool.submit(_render_person, subject, numbers) for subject, numbers in missing.items()]
            for finished in as_completed(waiting):
                yield finished.result()
        finally:
            stop.set()
            pool.shutdown(wait=True, cancel_futures=True)


@contextlib.contextmanager
def _one_thread_each() -> Iterator[None]:
    """Processes started here compute with one thread."""
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
    before = {name: os.environ.get(name) for name in names}
    os.environ.update(dict.fromkeys(names, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


@dataclass(frozen=True, slots=True, eq=False)
class _Worker:
    request: RenderRequest
    out: Path
    stop: Any
    studio: Studio


_worker: _Worker | None = None


def _open_worker(request: RenderRequest, out: str, stop: Any) -> None:
    global _worker  # the state of a process of its own
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent is interrupted, and says when to stop
    threading.Thread(target=_leave_with_parent, daemon=True).start()
    cv2.setNumThreads(1)
    _worker = _Worker(request, Path(out), stop, open_studio(open_head(request.head)))


def _leave_with_parent() -> None:
    """A parent that was killed cannot tell its workers, which would wait for it for ever."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _render_person(subject: int, numbers: list[int]) -> int:
    assert _worker is not None
    person = invent_person(_worker.studio, _worker.request.seed, subject)
    for number in numbers:
        if _worker.stop.is_set():
            break
        content, geometry = render_one(_worker.studio, person, _worker.request, number)
        with atomic_write(picture_path(_worker.out, subject, number)) as file:
            file.write(content)
        with atomic_write(geometry_path(_worker.out, subject, number)) as file:
            np.savez(file, **geometry)
    return subject


_CAMERA, _LIGHT, _DEVELOP = 201, 202, 203
"""Streams of random numbers."""


def render_one(
    studio: Studio, person: RenderedPerson, request: RenderRequest, number: int
) -> tuple[bytes, dict[str, Any]]:
    """A picture as JPEG, and its geometry by the names in the npz."""

    def stream(purpose: int) -> np.random.Generator:
        return np.random.default_rng([request.seed, purpose, person.index, number])

    size = ImageSize(request.size, request.size)
    posed = request.place == "laboratory"
    if posed:
        of_person = np.random.default_rng([request.seed, _CAMERA, person.index])
        camera, focal_mm = draw_laboratory_camera(size, of_person, stream(_CAMERA))
        light_rng = np.random.default_rng([request.seed, _LIGHT, person.index])
    else:
        camera, focal_mm = draw_camera(size, stream(_CAMERA))
        light_rng = stream(_LIGHT)
    develop_rng = stream(_DEVELOP)
    lights = draw_lights(light_rng)
    shown = draw_shown(person, request.seed, number, camera, posed=posed)
    vertices = face_shown(studio, person, shown, request.seed, number)
    shot = render_portrait(person.appearance, vertices, camera, size, lights, folds_shown(studio, person, shown))
    pixels = develop(shot, draw_background(lights, size, light_rng), lights, develop_rng)
    points, ibug = points_shown(studio.head, vertices)
    yaw, pitch, roll = (float(np.degrees(angle)) for angle in yaw_pitch_roll(camera))
    looks = person.appearance.person
    label = {
        "picture": str(picture_path(Path(), person.index, number).as_posix()),
        "geometry": str(geometry_path(Path(), person.index, number).as_posix()),
        "subject": person.index,
        "number": number,
        "valence": round(shown.target.valence, 5),
        "arousal": round(shown.target.arousal, 5),
        "category": "" if shown.category is None else str(shown.category),
        "prototypes": " ".join(f"{emotion}:{share:.3f}" for emotion, share in shown.prototypes.items()),
        "yaw_deg": round(yaw, 2),
        "pitch_deg": round(pitch, 2),
        "roll_deg": round(roll, 2),
        "focal_mm": round(focal_mm, 1),
        "light": lights.name,
        "age_years": round(looks.age_years, 1),
        "masculinity": round(looks.masculinity, 3),
        "typology_deg": round(looks.typology_deg, 1),
        "hair": str(looks.hair_style),
        "beard": str(looks.beard),
        "make_up": round(looks.make_up, 3),
    }
    geometry = {
        "vertices": vertices,
        "rotation": camera.rotation,
        "translation": camera.translation,
        "focal_px": np.float64(camera.focal_px),
        "principal_point": camera.principal_point,
        "identity_coefficients": person.identity,
        "expression_weights": arrange(shown.weights, studio.head.unit_names),
        "arkit_weights": shown.weights.astype(np.float32),
        "landmarks_478": project(camera, points).astype(np.float32),
        "landmarks_68": project(camera, ibug).astype(np.float32),
        "label": np.frombuffer(json.dumps(label).encode(), dtype=np.uint8),
    }
    if request.maps:
        geometry["depth_mm"] = shot.depth_mm
        geometry["face"] = np.rint(255 * shot.face).astype(np.uint8)
    return _jpeg(pixels, int(develop_rng.integers(*JPEG_QUALITY)), studio.head.name), geometry


def _jpeg(pixels: Any, quality: int, head: str) -> bytes:
    encoded = cv2.imencode(".jpg", pixels[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes()
    packet = f"""<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
 xmlns:xmp="http://ns.adobe.com/xap/1.0/">
<Iptc4xmpExt:DigitalSourceType>{DIGITAL_SOURCE_TYPE}</Iptc4xmpExt:DigitalSourceType>
<xmp:CreatorTool>{escape(f"synth-affect {synth_affect.__version__} render-faces ({head})")}</xmp:CreatorTool>
</rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end="w"?>""".encode()
    segment = b"http://ns.adobe.com/xap/1.0/\x00" + packet
    return encoded[:2] + b"\xff\xe1" + (len(segment) + 2).to_bytes(2, "big") + segment + encoded[2:]


def _read_label(request: RenderRequest, out: Path, subject: int, number: int) -> dict[str, Any]:
    path = geometry_path(out, subject, number)
    try:
        with np.load(path, allow_pickle=False) as arrays:
            label: dict[str, Any] = json.loads(arrays["label"].tobytes())
    except (OSError, ValueError, KeyError, EOFError) as error:
        raise InputError(path, f"is damaged ({error}); delete it, and run again") from error
    if set(label) != set(COLUMNS):
        raise InputError(path, "has labels of another version; delete it, and run again")
    return label


def _csv(rows: list[dict[str, Any]]) -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def read_labels(folder: Path) -> list[dict[str, str]]:
    """The rows of a data set's labels.csv. Raises InputError when there is none."""
    try:
        with (folder / LABELS).open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))
    except OSError as error:
        raise InputError(folder / LABELS, f"cannot be read ({error.strerror or error})") from error


def read_geometry(path: Path) -> dict[str, FloatArray]:
    """The arrays of one picture's npz. Raises InputError when it cannot be read."""
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return {name: arrays[name] for name in arrays.files if name != "label"}
    except (OSError, ValueError, EOFError) as error:
        raise InputError(path, f"cannot be read ({error})") from error
