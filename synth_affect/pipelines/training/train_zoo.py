"""`synth-affect train all`: every editor on the same faces, one after the other, and one report.

OUT/NAME/        as `synth-affect train NAME` writes it
OUT/report.md    a row an editor: sizes, time, data, what its paper scores; under it the last sheet of each
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from synth_affect.data.atomic import atomic_write
from synth_affect.editors.recipes import RECIPES, open_recipe
from synth_affect.errors import InputError
from synth_affect.pipelines.open_identity import IdentityChoice
from synth_affect.pipelines.training.face_samples import FaceSource, Progress
from synth_affect.pipelines.training.people_choice import PeopleChoice
from synth_affect.pipelines.training.train_editor import SAMPLES, TrainEditorRequest, train_one_editor

REPORT = "report.md"
COLUMNS = ("editor", "size", "minutes", "steps", "device", "people", "pictures", "on people it never saw")
TITLES: Mapping[str, str] = {
    "accuracy": "faces told rightly",
    "comparison_accuracy": "pairs told rightly",
    "share_on_own_axis": "emotions on their own axis",
}
"""Numbers of a card's `test` that the report shows, and what it calls them."""


def train_zoo(
    sources: Sequence[FaceSource],
    out: Path,
    *,
    small: bool,
    people: PeopleChoice,
    identity: IdentityChoice,
    max_yaw_deg: float = 90.0,
    seed: int = 0,
    device: str = "auto",
    progress: Progress | None = None,
    begin: Callable[[str], None] = lambda name: None,
) -> dict[str, dict[str, Any]]:
    """Train all of RECIPES; what is finished is read, and what was stopped is gone on with. Returns card by name.

    begin : is told each name before its turn. For the other arguments see `TrainEditorRequest`.
    Raises InputError for data that one of them cannot be trained on; those before it are kept.
    """
    cards: dict[str, dict[str, Any]] = {}
    for name in RECIPES:
        recipe = open_recipe(name)
        settings = recipe.small() if small else recipe.settings()
        begin(name)
        request = TrainEditorRequest(
            name, settings, tuple(sources), people, identity if recipe.needs_identity else IdentityChoice(),
            max_yaw_deg, seed=seed,
        )  # fmt: skip
        cards[name] = train_one_editor(request, out / name, device=device, progress=progress)
    try:
        with atomic_write(out / REPORT) as file:
            file.write(report(cards, out).encode())
    except OSError as error:
        raise InputError(out / REPORT, f"cannot be written ({error.strerror or error})") from error
    return cards


def report(cards: Mapping[str, Mapping[str, Any]], out: Path) -> str:
    """Markdown. out : the folder whose sheets are shown, by their place in it."""
    lines = ["# Editors trained on the same faces", "", _row(COLUMNS), _row(["---"] * len(COLUMNS))]
    lines += [_row(_cells(name, card)) for name, card in cards.items()]
    for name in cards:
        sheets = sorted((out / name / SAMPLES).glob("*.png"))
        if sheets:
            shown = sheets[-1].relative_to(out).as_posix()
            lines += ["", f"## {name}", "", f"{(RECIPES[name].__doc__ or '').strip()}", "", f"![]({shown})"]
    return "\n".join(lines) + "\n"


def _cells(name: str, card: Mapping[str, Any]) -> list[str]:
    training, data = card["training"], card["data"]["train"]
    scores = card.get("test") or {}
    said = ", ".join(f"{title} {scores[key]:.2f}" for key, title in TITLES.items() if key in scores)
    return [
        name, str(card["settings"]["size"]), f"{training['seconds'] / 60:.1f}", str(training["steps"]),
        str(training["hardware"]), str(data["people"]), str(data["pictures"]), said or "see `evaluate editor`",
    ]  # fmt: skip


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
