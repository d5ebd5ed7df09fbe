"""The synthetic gallery: made recording by recording, appended in one order, resumed where a run was stopped."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

from synth_affect.blendshape.gallery.format import FRAMES_PER_CHUNK
from synth_affect.blendshape.gallery.frames import GallerySequence
from synth_affect.blendshape.gallery.writer import GalleryWriter, ensure_gallery
from synth_affect.blendshape.synthetic.annotators import draw_annotators
from synth_affect.blendshape.synthetic.recordings import (
    GalleryRecipe,
    RecordingId,
    annotation_ceiling,
    record,
    recordings,
)
from synth_affect.blendshape.synthetic.style import FaceMotion, face_support
from synth_affect.blendshape.synthetic.subjects import Habits, draw_habits, draw_subject_motion
from synth_affect.blendshape.template import face_template
from synth_affect.data.atomic import atomic_write
from synth_affect.errors import InputError
from synth_affect.heads.cc0 import load_cc0

FORMAT = "synth-affect/synthetic/5"
"""Changes whenever a recording of the same name comes out differently."""

COMMIT_FRAMES = 32 * FRAMES_PER_CHUNK
"""Frames are committed in parts of about this many: what a stopped run loses, and makes anew."""
MOST_WORKERS = 64

T = TypeVar("T")
R = TypeVar("R")
Progress = Callable[[Iterable[GallerySequence], int], Iterable[GallerySequence]]


def synthesize_gallery(
    recipe: GalleryRecipe, out: Path, *, workers: int = 1, progress: Progress | None = None
) -> dict[str, Any]:
    """Make the gallery of `recipe` at `out`, or what is missing of it; returns a summary for `--json`.

    workers : threads; the gallery is the same whatever their number.
    Beside the gallery, `recipe_path(out)` says what it was made from.
    Raises InputError when `out` cannot be written, or holds something else than a part of this gallery.
    """
    check_workers(workers)
    head = load_cc0()
    described = {"gallery": asdict(recipe), "head": head.topology}
    keep_recipe(out, recipe_path(out), described)
    ensure_gallery(out, face_template(head))
    support, annotators = face_support(head), draw_annotators(recipe.seed)

    # One person after the other: the last few are all that is needed.
    @lru_cache(maxsize=workers + 1)
    def person(subject: int) -> tuple[FaceMotion, Habits]:
        return draw_subject_motion(support, recipe.seed, subject), draw_habits(recipe.seed, subject)

    def make(recording: RecordingId) -> GallerySequence:
        motion, habits = person(recording.subject)
        return record(motion, habits, annotators, recipe.seed, recording)

    with GalleryWriter(out) as writer:
        planned = [r for subject in range(recipe.n_subjects) for r in recordings(recipe, subject)]
        missing = [r for r in planned if r.names not in writer]
        made: Iterable[GallerySequence] = in_order(make, missing, workers)
        batch: list[GallerySequence] = []
        n_before = len(writer)
        for sequence in made if progress is None else progress(made, len(missing)):
            batch.append(sequence)
            if sum(len(s.frame) for s in batch) >= COMMIT_FRAMES:
                writer.append(*batch)
                batch = []
        writer.append(*batch)
        n_frames = len(writer)
    ceiling = asdict(annotation_ceiling(recipe)) if recipe.n_sequences else None
    return {
        "output": str(out),
        "recipe": str(recipe_path(out)),
        "subjects": recipe.n_subjects,
        "sequences": len(planned),
        "sequences_added": len(missing),
        "frames": n_frames,
        "frames_added": n_frames - n_before,
        "annotation_ceiling": ceiling,
    }


def recipe_path(out: Path) -> Path:
    """The file beside `out` that says what was synthesized there: JSON, its `gallery` the fields of GalleryRecipe."""
    return out.with_name(out.name + ".recipe.json")


def read_recipe(gallery: Path) -> GalleryRecipe:
    """What the synthetic gallery was made from. Raises InputError when that is not said beside it."""
    path = recipe_path(gallery)
    said = _read(path)
    if said is None:
        raise InputError(gallery, f"not a synthetic gallery: there is no {path.name} beside it")
    try:
        return GalleryRecipe(**said["gallery"])
    except (KeyError, TypeError) as error:
        raise InputError(path, f"does not describe a gallery ({error})") from error


def keep_recipe(out: Path, path: Path, described: dict[str, Any]) -> None:
    """Write at `path` what `out` is made from, or see that it is what a run before this one wrote.

    Raises InputError when `out` is there and was made from something else.
    """
    said = {"format": FORMAT, **described}
    before = _read(path)
    if before is None:
        if out.exists() and (not out.is_dir() or any(out.iterdir())):
            raise InputError(out, f"is there already, and {path.name} does not say that it is synthetic")
        with atomic_write(path) as file:
            file.write((json.dumps(said, indent=2) + "\n").encode())
    elif before != said:
        raise InputError(out, f"was made from something else ({path.name}); choose another name")


def in_order(make: Callable[[T], R], items: Sequence[T], workers: int) -> Iterator[R]:
    """`make(item)` of all items in their order, `workers` at a time and never many ahead."""
    if workers == 1:
        yield from map(make, items)
        return
    with ThreadPoolExecutor(workers) as pool:
        ahead: deque[Future[R]] = deque()
        try:
            for item in items:
                ahead.append(pool.submit(make, item))
                if len(ahead) > workers:
                    yield ahead.popleft().result()
            while ahead:
                yield ahead.popleft().result()
        finally:
            for future in ahead:
                future.cancel()


def check_workers(workers: int) -> None:
    """Raises InputError for a number of workers that makes no sense."""
    if not 1 <= workers <= MOST_WORKERS:
        raise InputError("--workers", f"{workers} is not in [1, {MOST_WORKERS}]")


def _read(path: Path) -> dict[str, Any] | None:
    try:
        said = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise InputError(path, f"cannot be read ({error})") from error
    if not isinstance(said, dict) or said.get("format") != FORMAT:
        raise InputError(path, f"not of the format {FORMAT}")
    return said
