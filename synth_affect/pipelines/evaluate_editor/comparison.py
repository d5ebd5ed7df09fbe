"""One table of several evaluations: a row an editor, from the folders that `evaluate editor` wrote."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from synth_affect.data.atomic import atomic_write, check_writable
from synth_affect.errors import InputError
from synth_affect.pipelines.evaluate_editor.scores import DIMENSIONS
from synth_affect.pipelines.evaluate_editor.targets import DEFAULT_SETS, TARGET_SETS

RESULTS = "results.json"
SUFFIXES = (".md", ".csv")
NOTHING = "-"
Row = dict[str, str]


def compare_editors(runs: Sequence[Path], out: Path | None = None, *, targets: str = "") -> str:
    """The table as Markdown, or as CSV where `out` ends so; also written there.

    targets : the set of which affect is told; "" for the first that the first run has.
    Raises InputError for a folder without results, or with results of other targets than the first one's.
    """
    if out is not None:
        if out.suffix not in SUFFIXES:
            raise InputError(out, f"a table is written as {' or '.join(SUFFIXES)}")
        check_writable(out)
    read = [_read(run) for run in runs]
    first = read[0]["targets"]
    chosen = targets or next((name for name in (*DEFAULT_SETS, *TARGET_SETS) if name in first["sets"]), "")
    for run, summary in zip(runs, read, strict=True):
        if chosen not in summary["targets"]["sets"]:
            raise InputError(run, f"was not judged on the targets {chosen!r}")
        if _asked(summary, chosen) != _asked(read[0], chosen):
            raise InputError(run, f"was judged on other targets of {chosen!r} than {runs[0]}")
    rows = [_row(summary, chosen) for summary in read]
    heads = list(dict.fromkeys(head for row in rows for head in row))
    text = _csv(heads, rows) if out is not None and out.suffix == ".csv" else _markdown(heads, rows)
    if out is not None:
        with atomic_write(out) as file:
            file.write(text.encode())
    return text


def _read(run: Path) -> dict[str, Any]:
    path = run / RESULTS
    try:
        summary = json.loads(path.read_text("utf-8"))
    except OSError as error:
        reason = f"cannot be read ({error.strerror or error}); is it a finished run of evaluate editor?"
        raise InputError(path, reason) from error
    except (ValueError, RecursionError) as error:
        raise InputError(path, f"is no JSON ({error})") from error
    if not isinstance(summary, dict) or not {"editor", "targets", "judges", "identity", "speed"} <= summary.keys():
        raise InputError(path, "holds no results of evaluate editor")
    return summary


def _asked(summary: Mapping[str, Any], chosen: str) -> Any:
    """What the targets of the set depend on."""
    about = summary["targets"]
    return {"ring": (about.get("directions"), about.get("radii")), "classes": about.get("classes")}.get(chosen)


def _row(summary: Mapping[str, Any], chosen: str) -> Row:
    editor, speed, ground = summary["editor"], summary["speed"], summary["background"]
    about = editor.get("about") or {}
    size = about.get("size_px")
    row = {"editor": editor["name"] + (f", {size} px" if size else ""), "faces": str(summary["n_faces"])}
    for card in summary["judges"]:
        found = card["sets"][chosen]["all"]
        for axis in DIMENSIONS:
            row[f"{card['name']}: {axis} CCC (share of ceiling)"] = NOTHING if found is None else _ccc(found[axis])
        if card.get("classes") is not None:
            row[f"{card['name']}: categories named"] = f"{card['classes']['accuracy']['value']:.0%}"
    for card in summary["identity"]:
        same = card.get("share_same_person")
        said = (
            f"{card['mean']:.2f}" + (f" ({same:.0%} same person)" if same is not None else "") if card["n"] else NOTHING
        )
        row[f"{card['name']}: {card['likeness']}"] = said
    row["background changed"] = f"{ground['pictures_changed']} of {ground['n']}" if ground["n"] else NOTHING
    row["s a picture"] = _number(speed["next_picture_s"], 3)
    row["memory, MiB"] = _number(speed["peak_rss_mib"], 0)
    if speed["peak_gpu_mib"] is not None:
        row["memory, MiB"] += f" + {speed['peak_gpu_mib']:.0f} GPU"
    row["device"] = editor["device"]
    training, data = about.get("training"), about.get("data")
    row["training"] = "none" if training is None else f"{training['seconds'] / 60:.0f} min, {training['hardware']}"
    row["data"] = "none" if data is None else _data(data)
    return row


def _ccc(found: Mapping[str, Any]) -> str:
    value, share = found["ccc"]["value"], found["share"]
    return NOTHING if value is None else f"{value:.2f}" + (f" ({share:.0%})" if share is not None else "")


def _likeness(card: Mapping[str, Any]) -> str:
    same = card["share_same_person"]
    return f"{card['mean']:.2f}" + (f" ({same:.0%} same person)" if same is not None else "")


def _number(value: float | None, digits: int) -> str:
    return NOTHING if value is None else f"{value:.{digits}f}"


def _data(data: Mapping[str, Any]) -> str:
    learned = data["train"]
    return f"{learned['pictures']} pictures of {learned['people']} people, {', '.join(data['source'])}"


def _markdown(heads: Sequence[str], rows: Sequence[Row]) -> str:
    lines = [heads, ["---"] * len(heads), *([row.get(head, NOTHING) for head in heads] for row in rows)]
    return "".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |\n" for line in lines)


def _csv(heads: Sequence[str], rows: Sequence[Row]) -> str:
    text = io.StringIO()
    table = csv.DictWriter(text, list(heads), restval=NOTHING, lineterminator="\n")
    table.writeheader()
    table.writerows(rows)
    return text.getvalue()
