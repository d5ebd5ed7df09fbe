"""A face that goes through points of the valence-arousal plane, as a video, a GIF, or pictures with their labels.

Source: V-A paths as targets, Kollias et al., IJCV 2020.
"""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import synth_affect
from synth_affect.affect import ValenceArousal
from synth_affect.arrays import ImageArray, as_uint8
from synth_affect.data.atomic import check_writable
from synth_affect.data.picture_encoding import encode_picture
from synth_affect.data.provenance import DIGITAL_SOURCE_TYPE, Provenance
from synth_affect.data.video_writing import write_gif, write_mp4
from synth_affect.errors import InputError
from synth_affect.pipelines.edit_picture import Target
from synth_affect.pipelines.picture_faces import FacesOfPicture, FaceSource, blaming_the_given_fit, open_faces

LONGEST_FRAMES = 100_000
PLACES = 4
"""Of the points: what is asked for is what stands in the labels."""
Progress = Callable[[Iterable[ValenceArousal], int], Iterable[ValenceArousal]]


@dataclass(frozen=True, slots=True)
class PathTiming:
    """seconds : of the whole way.  rate : frames a second.

    Raises InputError for numbers that are no time.
    """

    seconds: float
    rate: float

    def __post_init__(self) -> None:
        for option, value in (("--seconds", self.seconds), ("--fps", self.rate)):
            if not 0 < value < float("inf"):
                raise InputError(option, f"{value:g} is not above 0")
        if not 2 <= self.n_frames <= LONGEST_FRAMES:
            raise InputError("--seconds", f"{self.n_frames} frames; 2 to {LONGEST_FRAMES} can be made")

    @property
    def n_frames(self) -> int:
        """Of the whole way."""
        return round(min(self.seconds * self.rate, 10.0 * LONGEST_FRAMES))


def path_points(through: Sequence[ValenceArousal], count: int) -> list[ValenceArousal]:
    """`count` points of a smooth way through the points `through`, in time steps of the same length.

    The way starts and ends slowly, and passes the points between as evenly as it can: each gets a share of the time by
    its distance from the one before. Between two points it leaves neither their valence nor their arousal.
    Raises InputError for fewer than two points.
    """
    from scipy.interpolate import PchipInterpolator

    if len(through) < 2:
        raise InputError("--through", "needs two points or more, such as 0,0 0.8,0.4")
    corners = np.round([[point.valence, point.arousal] for point in through], PLACES)
    steps = np.linalg.norm(np.diff(corners, axis=0), axis=1)
    times = np.concatenate([[0.0], np.cumsum(np.maximum(steps, 1e-3))])  # a point twice is a short rest
    eased = np.linspace(0.0, 1.0, count)
    eased = eased * eased * (3 - 2 * eased)
    way = PchipInterpolator(times, corners, axis=0)(eased * times[-1])
    return [ValenceArousal(*(float(x) + 0.0 for x in point)) for point in np.clip(np.round(way, PLACES), -1, 1)]


def draw_path(
    source: FaceSource,
    through: Sequence[ValenceArousal],
    timing: PathTiming,
    output: Path,
    settings: Target,
    progress: Progress = lambda points, count: points,
) -> dict[str, Any]:
    """Bring one face of a picture along the way, and write it: `.mp4`, `.gif`, or a folder of PNG with labels.csv.

    settings : of it all but the point is used.
    Returns a summary as JSON values. Raises InputError when an input cannot be used, or the output not be written;
    then nothing is.
    """
    if source.face == "all":
        raise InputError("--face", "one face goes its way; give largest or a number")
    points = path_points(through, timing.n_frames)
    kind = output.suffix.lower()
    if kind in (".mp4", ".gif"):
        check_writable(output, source.files)
    elif kind:
        raise InputError(output, f"{kind} is none of .mp4, .gif, or a folder's name")
    elif output.exists():
        raise InputError(output, "is there already")
    with open_faces(source) as opened, blaming_the_given_fit(source):
        request = {
            "through": [[point.valence, point.arousal] for point in through],
            "seconds": timing.seconds,
            "fps": timing.rate,
            "intensity": settings.intensity,
            "input_expression": settings.input_expression,
            "wrinkles": settings.wrinkles,
            "action_units": settings.action_units.described(),
            "face": source.which_face,
            **source.expressions.described(),
        }
        provenance = Provenance(request, synth_affect.__version__, opened.synthesizer.head.name, opened.input_sha256)
        about = about_synthetic(provenance)
        frames = _frames(opened, progress(points, len(points)), settings)
        if kind == ".mp4":
            write_mp4(output, ((k / timing.rate, as_uint8(frame)) for k, frame in enumerate(frames)), about=about)
        elif kind == ".gif":
            write_gif(output, (as_uint8(frame) for frame in frames), timing.rate, about=about)
        else:
            _write_folder(output, frames, points, opened, provenance)
    return {
        "input": str(source.image),
        "input_sha256": opened.input_sha256,
        "output": str(output),
        "frames": len(points),
        "version": synth_affect.__version__,
        "head": provenance.head,
        "request": request,
    }


def about_synthetic(provenance: Provenance) -> str:
    """One line of JSON that says what a video is, for its metadata."""
    return json.dumps(
        {
            "DigitalSourceType": DIGITAL_SOURCE_TYPE,
            "tool": f"synth-affect {provenance.version}",
            "request": dict(provenance.request),
            "head": provenance.head,
            "input_sha256": provenance.input_sha256,
        },
        sort_keys=True,
    )


def _frames(opened: FacesOfPicture, points: Iterable[ValenceArousal], settings: Target) -> Iterator[ImageArray]:
    pixels, fit = opened.picture.pixels, opened.faces[0].fit
    scene = opened.synthesizer.prepare(pixels, fit)
    for point in points:
        yield opened.synthesizer.synthesize(
            pixels,
            fit,
            valence=point.valence,
            arousal=point.arousal,
            intensity=settings.intensity,
            input_expression=settings.input_expression,
            wrinkles=settings.wrinkles,
            action_units=settings.action_units,
            scene=scene,
        ).image


def _write_folder(
    folder: Path,
    frames: Iterable[ImageArray],
    points: Sequence[ValenceArousal],
    opened: FacesOfPicture,
    provenance: Provenance,
) -> None:
    """00000.png and so on, and labels.csv, which `--database csv` reads; the folder is whole or not there."""
    partial = folder.with_name(f".{folder.name}.{os.getpid()}.part")
    table = io.StringIO()
    rows = csv.writer(table, lineterminator="\n")
    rows.writerow(["path", "valence", "arousal"])
    try:
        partial.mkdir()
        for number, (frame, point) in enumerate(zip(frames, points, strict=True)):
            name = Path(f"{number:05d}.png")
            (partial / name).write_bytes(encode_picture(frame, name, opened.picture, provenance))
            rows.writerow([name, point.valence, point.arousal])
        (partial / "labels.csv").write_text(table.getvalue(), encoding="utf-8")
        partial.rename(folder)
    except OSError as error:
        raise InputError(folder, f"cannot be written ({error.strerror or error})") from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)
