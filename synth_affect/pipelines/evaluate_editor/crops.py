"""`synth-affect evaluate crops`: how many of an editor's crops a judge names as they were asked for.

Each person's neutral face, cut out as the editor sees it, is edited to every category that the editor knows, and the
judge reads what the network drew: nothing is pasted back, and no landmark is looked for. It also reads what can be
compared: the same people's own pictures of these categories, which is what it can tell at all, and their neutral ones,
some of which it may name as asked for although nothing was done.

OUT/NAME.json  the figures; NAME is the editor's
OUT/NAME.png   the edits of a few people
OUT/crops/     the faces, cut out; another editor of this size finds them there
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

import synth_affect
from synth_affect.affect import Emotion, position
from synth_affect.data.atomic import atomic_write
from synth_affect.editors.faces import CATEGORIES, EditorFaces
from synth_affect.editors.neural_editor import CropEditor
from synth_affect.editors.weights import StoredEditor, load_editor
from synth_affect.errors import InputError
from synth_affect.pipelines.evaluate_editor.crop_scores import CropReadings, score_crops
from synth_affect.pipelines.evaluate_editor.progress import Progress, silent
from synth_affect.pipelines.figure_file import write_figure
from synth_affect.pipelines.judges.crop_judge import CropJudge
from synth_affect.pipelines.open_editor import open_crop_editor
from synth_affect.pipelines.reproduce.crops import as_crop, as_picture
from synth_affect.pipelines.reproduce.sheets import tile_sheet
from synth_affect.pipelines.training.editor_faces import as_editor_faces, load_editor_faces
from synth_affect.pipelines.training.face_samples import FaceSource, LoadedFaces
from synth_affect.pipelines.training.face_samples import Progress as ReadingProgress
from synth_affect.pipelines.training.people_choice import chosen_people
from synth_affect.regressors.class_scores import share_text
from synth_affect.regressors.devices import choose_device

SHEET_PEOPLE = 6


@dataclass(frozen=True, slots=True)
class CropsRequest:
    """weights : of the editor.  judge : see `CropJudge`.  sources : labelled faces.
    people : who of them is edited, see `PeopleChoice`; "" for all from whom neither editor nor judge has learnt.
    """

    weights: Path
    judge: Path
    sources: tuple[FaceSource, ...]
    people: str = ""


def evaluate_crops(
    request: CropsRequest,
    out: Path,
    *,
    device: str = "auto",
    reading: ReadingProgress | None = None,
    progress: Progress = silent,
) -> dict[str, Any]:
    """Edit, judge, write what the module's docstring lists, and return what is in the JSON file.

    Raises InputError for weights, a judge, faces or people that it cannot be done with, for people from whom the judge
    learnt, and for an `out` that cannot be written.
    """
    stored, chosen = load_editor(request.weights), choose_device(device)
    editor, judge = open_crop_editor(stored, chosen), CropJudge(request.judge, chosen)
    asked = askable(stored, judge)
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(out, f"cannot be made ({error.strerror or error})") from error
    everything = replace(stored.recipe, needs_affect=False, needs_category=True, categories=())
    cache = out / "crops" / str(editor.size)
    loaded = load_editor_faces(request.sources, everything, editor.size, cache=cache, progress=reading)
    tested, n_known = _tested(loaded, request, stored, judge)
    faces = as_editor_faces(loaded, np.flatnonzero(np.isin(loaded.samples.subjects, sorted(tested))))
    neutral = _neutral(faces)
    made = edit_all(editor, neutral, asked, progress)
    about = {
        "editor": stored.recipe.name,
        "weights_sha256": stored.sha256,
        "judge": judge.described(),
        "data": loaded.digest,
        "size_px": editor.size,
        "people": len(neutral),
        "people_trained_on": n_known,
        "version": synth_affect.__version__,
        **judge_all(judge, faces, neutral, made, asked),
    }
    few = slice(None, None, -(-len(neutral) // SHEET_PEOPLE))
    sheet = tile_sheet([neutral.pictures[few], *made[:, few]], ["input", *map(str, asked)])
    name = stored.recipe.name
    shows = {"evaluation": "crops", "editor": name}
    pixels = np.asarray(sheet.convert("RGB"))
    write_figure(pixels, out / f"{name}.png", shows=shows, maker=f"{name} {stored.sha256}", digest=loaded.digest)
    with atomic_write(out / f"{name}.json") as file:
        file.write((json.dumps(about, indent=2) + "\n").encode())
    return {**about, "output": str(out / f"{name}.json")}


def askable(stored: StoredEditor, judge: CropJudge) -> tuple[Emotion, ...]:
    """The categories that the editor knows and the judge tells apart, but neutral.

    Raises InputError for none, and for a judge that does not know neutral.
    """
    known = stored.recipe.categories or CATEGORIES
    found = tuple(category for category in judge.categories if category in known and category is not Emotion.NEUTRAL)
    if not found or Emotion.NEUTRAL not in judge.categories:
        named = ", ".join(judge.categories)
        raise InputError("--judge", f"tells apart {named}; neutral is needed, and one of {', '.join(known)}")
    return found


def _tested(
    loaded: LoadedFaces, request: CropsRequest, stored: StoredEditor, judge: CropJudge
) -> tuple[frozenset[str], int]:
    """Who is edited, and how many of them the editor's card names as trained on, or as chosen by."""
    names = sorted({str(name) for name in loaded.samples.subjects})
    of_editor = stored.card.get("people") or {}
    known = {name for part in ("train", "validation") for name in of_editor.get(part) or ()}
    seen = judge.seen(names)
    if not request.people:
        found = frozenset(names) - known - frozenset(seen)
        if not found:
            raise InputError("--data", "shows only people from whom editor or judge learnt; others are needed")
        return found, 0
    found = chosen_people(names, request.people, "--people")
    both = sorted(found & set(seen))
    if both:
        raise InputError("--people", f"the judge learnt from {both[0]}, too; it is to judge others")
    return found, len(found & known)


def _neutral(faces: EditorFaces) -> EditorFaces:
    """The first neutral picture of each person who has one. Raises InputError where nobody has."""
    own = np.flatnonzero(faces.categories == CATEGORIES.index(Emotion.NEUTRAL))
    if not len(own):
        raise InputError("--data", "has no neutral picture of the people who are tested")
    return faces.select(own[np.unique(faces.people[own], return_index=True)[1]])


def edit_all(
    editor: CropEditor, faces: EditorFaces, asked: Sequence[Emotion], progress: Progress = silent
) -> npt.NDArray[np.uint8]:
    """(asked, n, size, size, 3) uint8: each of n faces, edited to the position of each category."""
    targets = [position(category) for category in asked]
    made = [
        as_picture(editor.edit_crops(as_crop(picture), targets))
        for picture in progress(iter(faces.pictures), len(faces), "editing")
    ]
    edited: npt.NDArray[np.uint8] = np.stack(made, axis=1)
    return edited


def judge_all(
    judge: CropJudge, faces: EditorFaces, neutral: EditorFaces, made: npt.NDArray[np.uint8], asked: Sequence[Emotion]
) -> dict[str, Any]:
    """`score_crops` of the edits `made` of `neutral`, and of the real pictures among `faces`."""
    number = {category: place for place, category in enumerate(judge.categories)}
    shown = np.array([number[c] if c in (*asked, Emotion.NEUTRAL) else -1 for c in CATEGORIES])
    real = faces.select(shown[faces.categories] >= 0)
    return score_crops(
        CropReadings(
            judge.categories,
            judge.read(made.reshape(-1, *made.shape[2:])),
            np.repeat([number[category] for category in asked], len(neutral)),
            np.tile(neutral.subjects, len(asked)),
        ),
        CropReadings(judge.categories, judge.read(real.pictures), shown[real.categories], real.subjects),
        asked,
    )


def crops_text(found: Mapping[str, Any]) -> str:
    """The main figures, and a line a category."""
    edits, among, real = found["edits"], found["edits_among_asked"], found["real"]
    lines = [
        f"{found['people']} people, {edits['n']} edits of their neutral faces, {found['size_px']} px",
        f"named as asked for: {share_text(edits['accuracy'])}; had nothing been done: {found['left_alone']:.0%}",
        f"where only these and neutral may be named: {share_text(among['accuracy'])}",
        f"real pictures of these people that are named rightly: {share_text(real['accuracy'])} of {real['n']}",
        f"{'':12}{'edits':>20}{'real pictures':>15}{'neutral ones':>14}  other edits are taken for",
    ]
    for category, own in found["of_each"].items():
        others = ", ".join(f"{name} {share:.0%}" for name, share in own["taken_for"].items())
        real_share = "none" if own["real"] is None else f"{own['real']:.0%}"
        lines.append(f"{category:12}{share_text(own['edits']):>20}{real_share:>15}{own['unedited']:>14.0%}  {others}")
    if found["people_trained_on"]:
        lines.append(f"the editor was trained on, or chosen by, {found['people_trained_on']} of these people")
    return "\n".join(lines)
