"""report.html: one file, with everything in it, for reading and for keeping."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path
from typing import Any

import numpy as np

from synth_affect.affect import ValenceArousal
from synth_affect.data.atomic import atomic_write
from synth_affect.pipelines.edit_picture import signed
from synth_affect.pipelines.evaluate_editor.background import REACH
from synth_affect.pipelines.evaluate_editor.change_maps import change_maps, draw_change_maps
from synth_affect.pipelines.evaluate_editor.html_parts import (
    STYLE,
    arrow_plane,
    colour_key,
    error_plane,
    figure,
    inline,
    percent,
    table,
    thumbnail,
)
from synth_affect.pipelines.evaluate_editor.progress import Progress
from synth_affect.pipelines.evaluate_editor.scores import DIMENSIONS, Edit, readings_of
from synth_affect.pipelines.evaluate_editor.targets import STRONG_RADIUS, TargetChoice, TargetSet, key
from synth_affect.pipelines.judges.judge import JudgeCard

MOST_STRIPS = 16
"""Faces of which pictures are shown."""
STRIP_DIRECTIONS = 8
CELLS: dict[TargetSet, float] = {"ring": 0.11, "labels": 0.32, "corners": 0.32, "classes": 0.14}
SET_TITLES: dict[TargetSet, str] = {
    "ring": "ring",
    "labels": "49 labels (7 × 7)",
    "corners": "four corners (extreme)",
    "classes": "places of the categories",
}
PUBLISHED: dict[str, dict[str, tuple[str, str, str]]] = {
    "labels": {"valence": (".528", ".567", ".312"), "arousal": (".607", ".483", ".210")},
    "corners": {"valence": (".671", ".691", ".353"), "arousal": (".720", ".624", ".267")},
}
"""RMSE, SAGR, CCC of CAAE by judges of its authors' own, on AffectNet: Lindt et al. 2019, table IV."""


def write_report(
    out: Path,
    summary: dict[str, Any],
    edits: Sequence[Edit],
    choice: TargetChoice,
    judges: Sequence[JudgeCard],
    progress: Progress,
) -> None:
    """`out`/report.html. summary : as `evaluate_editor` returns it."""
    editor = summary["editor"]
    parts = [
        f"<h1>How well does {escape(editor['name'])} do what is asked?</h1>",
        *_about(editor["about"]),
        f'<p class="faint">{escape(editor["fingerprint"])} on {escape(editor["device"])}; {summary["n_faces"]} faces, '
        f"{summary['n_pictures']} pictures; synth-affect {escape(summary['version'])}</p>",
        *_judges(summary),
        *_affect(summary, choice),
        *_classes(summary),
        *_planes(edits, choice, judges),
        *_followed(summary),
        *_identity(summary),
        *_background_and_speed(summary),
        *_pictures(edits),
        *_maps(edits, choice, progress),
        *_refused(summary),
    ]
    page = (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" '
        f'content="width=device-width, initial-scale=1"><title>{escape(editor["name"])}: evaluation</title>'
        f"<style>{STYLE}</style></head><body><main>{''.join(parts)}</main></body></html>\n"
    )
    with atomic_write(out / "report.html") as file:
        file.write(page.encode())


def _about(about: dict[str, Any]) -> list[str]:
    """What the editor was trained on."""
    training, data = about.get("training"), about.get("data")
    if not training or not data:
        return []
    learned, sources = data["train"], escape(", ".join(data["source"]))
    return [
        f"<p>Trained on {learned['pictures']} pictures of {learned['people']} people ({sources}), "
        f"{training['epochs']} epochs, {training['seconds'] / 60:.0f} minutes on {escape(training['hardware'])}. "
        f"{escape(str(about.get('licence') or ''))}.</p>"
    ]


def _judges(summary: dict[str, Any]) -> list[str]:
    if not summary["judges"]:
        return [
            "<h2>Judges</h2><p>No judge of valence and arousal was given; what MediaPipe reads of the face is below. "
            "<code>--judge</code> takes one, <code>--readings</code> what was read elsewhere from manifest.json.</p>"
        ]
    rows = [
        [
            escape(card["name"]),
            escape(card["databases"]),
            escape(card["accuracy"]),
            escape(card["terms"]),
            f"mixtures of {len(card['positions'])} classes" if card["positions"] else "any point",
        ]
        for card in summary["judges"]
    ]
    return [
        "<h2>Judges</h2><p>A judge knows the people, the light and the annotators of the database that it was trained "
        "on; pictures from that database are no test of an editor before it.</p>",
        table(["judge", "trained on", "on real pictures", "terms", "can read"], rows, n_text=5),
    ]


def _affect(summary: dict[str, Any], choice: TargetChoice) -> list[str]:
    if not summary["judges"]:
        return []
    parts = [
        "<h2>Affect: is it read as it was asked?</h2><p>CCC is 1 when every reading is what was asked. "
        "<b>Ceiling</b> is the CCC of an editor that is perfect to that judge: one that knows classes alone reads only "
        "their mixtures. <b>Share</b> is the CCC over that ceiling. <b>Change</b> is the CCC of the reading less the "
        f"judge's reading of the photograph. Strong: {STRONG_RADIUS:g} or more from neutral. "
        "Small: 95 % bootstrap intervals over faces. CAAE's published figures (Lindt et al. 2019, table IV) are "
        "by its authors' own judges, on AffectNet.</p>"
    ]
    heads = ["judge", "targets", "n", "of", "RMSE", "SAGR", "CCC", "", "ceiling", "share", "change"]
    for name in choice.sets:
        rows = []
        for card in summary["judges"]:
            for part in ("all", "strong"):
                found = card["sets"][name][part]
                if found is not None and not (part == "strong" and name == "corners"):
                    rows += _affect_rows(escape(card["name"]), part, found)
        for axis, values in PUBLISHED.get(name, {}).items():
            published = "<i>CAAE, published</i>" if axis == "valence" else ""
            rows.append([published, "all" if published else "", "", axis, *values, "", "", "", ""])
        parts += [f"<h3>{SET_TITLES[name]}</h3>", table(heads, rows, n_text=2)]
    return parts


def _affect_rows(judge: str, part: str, found: dict[str, Any]) -> list[list[str]]:
    """One a dimension."""
    rows = []
    for name in DIMENSIONS:
        scores = found[name]
        ccc = scores["ccc"]
        low, high = ccc["low"], ccc["high"]
        first = [judge, part, str(found["n"])] if name == DIMENSIONS[0] else ["", "", ""]
        rows.append(
            [
                *first,
                name,
                figure(scores["rmse"]["value"]),
                figure(scores["sagr"]["value"]),
                f"<b>{figure(ccc['value'])}</b>",
                "" if low is None else f"<small>{low:.2f} – {high:.2f}</small>",
                figure(scores["ceiling"]),
                percent(scores["share"]),
                figure(scores["ccc_of_change"]),
            ]
        )
    return rows


def _classes(summary: dict[str, Any]) -> list[str]:
    judged = [(card["name"], card["classes"]) for card in summary["judges"] if card["classes"] is not None]
    if not judged:
        return []
    parts = [
        "<h2>Categories: is it named as it was asked?</h2><p>Of the pictures that were asked for the place of a "
        "category that the judge knows: rows are what was asked, columns what the judge named.</p>"
    ]
    for name, found in judged:
        share = found["accuracy"]
        interval = "" if share["low"] is None else f" ({percent(share['low'])} - {percent(share['high'])})"
        rows = [
            [escape(asked), *(str(count) for count in row), percent(row[place] / sum(row))]
            for place, (asked, row) in enumerate(zip(found["categories"], found["confusion"], strict=True))
            if sum(row)
        ]
        parts.append(
            f"<h3>{escape(name)}</h3><p><b>{percent(share['value'])}</b>{interval} of {found['n']} pictures are named "
            f"as they were asked for; {percent(found['left_alone'])} would be if nothing had been done.</p>"
        )
        parts.append(table(["asked", *map(escape, found["categories"]), "share"], rows))
    return parts


def _planes(edits: Sequence[Edit], choice: TargetChoice, judges: Sequence[JudgeCard]) -> list[str]:
    if not judges:
        return []
    parts = [
        "<h2>Where on the plane?</h2><p>Left: root mean squared distance between what was asked and what was read, for "
        "each target over all faces. Right: from each target (ring) to where it was read on average (dot).</p>",
        colour_key(),
    ]
    for card in judges:
        read, asked, after, _ = readings_of(edits, card)
        panels = []
        for name in choice.sets:
            if name == "corners" and "labels" in choice.sets:
                continue  # they are among the labels
            points = [point for point in choice.points(name) if any(key(e.target) == key(point) for e in read)]
            if not points:
                continue
            names = np.array([key(edit.target) for edit in read])
            own = [names == key(point) for point in points]
            distances = ((after - asked) ** 2).sum(axis=1)
            errors = np.array([math.sqrt(float(distances[rows].mean())) for rows in own])
            means = np.array([after[rows].mean(axis=0) for rows in own])
            svg = error_plane(points, errors, cell=CELLS[name]) + arrow_plane(points, means)
            panels.append(f"<figure>{svg}<figcaption>{SET_TITLES[name]}</figcaption></figure>")
        parts.append(f'<h3>{escape(card.name)}</h3><div class="row">{"".join(panels)}</div>')
    return parts


def _followed(summary: dict[str, Any]) -> list[str]:
    rows = [
        [
            escape(row["name"]),
            f"{'with' if row['sign'] > 0 else 'against'} {row['follows']}",
            figure(row["pearson"]),
            figure(row["mean_change_high"], 3),
            figure(row["mean_change_low"], 3),
        ]
        for row in summary["readings"]
    ]
    heads = ["reading", "should go", "Pearson", "mean change, dimension ≥ .6", "dimension ≤ −.6"]
    return [
        "<h2>What the face does</h2><p>MediaPipe's units (0 to 1) and heights between its points (in distances between "
        "the outer corners of the eyes), each less its value in the photograph. No network of emotions has a say here; "
        "the relation need not be a straight line: a calm face and a sad one both lack a smile.</p>",
        table(heads, rows, n_text=2),
    ]


def _identity(summary: dict[str, Any]) -> list[str]:
    if not summary["identity"]:
        return [
            "<h2>Identity</h2><p>No embedding was given: <code>--identity</code> takes one, and "
            "<code>--readings</code> can bring one.</p>"
        ]
    parts = [
        "<h2>Identity, and affect at a fixed identity</h2><p>Leaving the face alone keeps identity perfectly. So the "
        "<b>gain</b> stands beside it: how far the reading moved towards the strong targets (1: all the way from "
        "neutral), where a picture that is less alike its input than the bar counts as 0.</p>"
    ]
    for card in summary["identity"]:
        if not card["n"]:
            parts.append(f"<p>{escape(card['name'])}: no picture was read.</p>")
            continue
        threshold = (
            "no published threshold"
            if card["same_person"] is None
            else f"same person ({card['same_person']:g}): {percent(card['share_same_person'])}"
        )
        parts.append(
            f"<h3>{escape(card['name'])}</h3><p>{card['likeness']} to the input: mean {card['mean']:.3f}, worst "
            f'{card["worst"]:.3f}; {threshold}. <span class="faint">Trained on {escape(card["databases"])}; '
            f"{escape(card['terms'])}.</span></p>"
        )
        if card["gain"]:
            bars = [row["bar"] for row in card["gain"][0]["at"]]
            sign = "≤" if card["likeness"] == "distance" else "≥"
            rows = [["pictures that pass", *(percent(row["passing"]) for row in card["gain"][0]["at"])]]
            rows += [[f"gain, {escape(g['judge'])}", *(figure(row["gain"]) for row in g["at"])] for g in card["gain"]]
            parts.append(table([card["likeness"], *(f"{sign} {bar:g}" for bar in bars)], rows))
    return parts


def _background_and_speed(summary: dict[str, Any]) -> list[str]:
    ground, speed = summary["background"], summary["speed"]
    if ground["n"]:
        said = (
            f"{ground['pictures_changed']} of {ground['n']} pictures changed there at all; mean absolute difference "
            f"{ground['mean']:.4f} of 255, at most {ground['largest_mean']:.4f}; at most "
            f"{ground['largest_share']:.2%} of a picture's background."
        )
    else:
        said = "No picture shows any."
    memory = figure(speed["peak_rss_mib"], 0)
    gpu = "" if speed["peak_gpu_mib"] is None else f"; GPU {speed['peak_gpu_mib']:.0f} MiB"
    return [
        f"<h2>Background</h2><p>Outside the landmarks' box widened by {REACH:.0%} of its longer side. {said}</p>",
        "<h2>Time and memory</h2>",
        f"<p>First picture of a face {figure(speed['first_picture_s'])} s, each further one "
        f"{figure(speed['next_picture_s'], 3)} s (medians over faces, {escape(summary['editor']['device'])}); "
        f"peak memory of the process {memory} MiB{gpu}.</p>",
    ]


def _pictures(edits: Sequence[Edit]) -> list[str]:
    """The photograph and strong edits all around the plane, for the first faces."""
    faces: dict[str, list[Edit]] = {}
    for edit in edits:
        faces.setdefault(edit.face, []).append(edit)
    parts = ["<h2>Pictures</h2>"]
    for own in list(faces.values())[:MOST_STRIPS]:
        cells = [_cell(own[0].path, own[0], "photograph")]
        for target in _around(edit.target for edit in own):
            edit = next(edit for edit in own if edit.target == target)
            cells.append(_cell(edit.output, edit, f"{signed(target.valence)}, {signed(target.arousal)}"))
        parts.append(f'<div class="strip">{"".join(cells)}</div>')
    if len(faces) > MOST_STRIPS:
        parts.append(f'<p class="faint">The first {MOST_STRIPS} of {len(faces)} faces.</p>')
    return parts


def _cell(path: Path, edit: Edit, caption: str) -> str:
    picture = inline(thumbnail(path, edit.before.box), quality=82)
    return f'<figure><img alt="{escape(caption)}" src="{picture}"><figcaption>{caption}</figcaption></figure>'


def _around(targets: Iterable[ValenceArousal]) -> list[ValenceArousal]:
    """Of those targets the ones nearest to the unit circle's eight directions, each once."""
    known = list(targets)
    chosen: list[ValenceArousal] = []
    for k in range(STRIP_DIRECTIONS):
        angle = 2 * math.pi * k / STRIP_DIRECTIONS
        x, y = math.cos(angle), math.sin(angle)
        nearest = min(known, key=lambda point: math.hypot(point.valence - x, point.arousal - y))
        if nearest not in chosen:
            chosen.append(nearest)
    return chosen


def _maps(edits: Sequence[Edit], choice: TargetChoice, progress: Progress) -> list[str]:
    if "labels" not in choice.sets:
        return []
    sheet = draw_change_maps(change_maps(edits, progress))
    return [
        "<h2>What changes for which label</h2><p>The largest absolute difference over the channels to the editor's own "
        "neutral picture, mean over the faces, all maps on one scale (figure 2 of Lindt et al. 2019).</p>",
        f'<img class="map" alt="maps of change" src="{inline(sheet)}">',
    ]


def _refused(summary: dict[str, Any]) -> list[str]:
    parts = []
    if summary["n_without_face"]:
        parts.append(f"<p>In {summary['n_without_face']} pictures no face was found; no judge read them.</p>")
    if summary["refused"]:
        rows = [[escape(Path(row["path"]).name), escape(row["reason"])] for row in summary["refused"]]
        parts += ["<h2>Photographs left out</h2>", table(["photograph", "reason"], rows, n_text=2)]
    return parts
