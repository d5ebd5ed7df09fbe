"""`synth-affect evaluate editor|crops|editors-table`: an editor before the yardstick, and its crops before a judge."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from synth_affect.cli.database_settings import DatabaseSettingOption, database_settings
from synth_affect.cli.edit_with import EditorDeviceOption, EditorOption, WeightsOption
from synth_affect.cli.options import DeviceName, JsonOption, count, number
from synth_affect.cli.progress import print_summary, with_progress
from synth_affect.cli.train_options import DatabaseOption, DataOption, DeviceOption, reading
from synth_affect.errors import InputError

if TYPE_CHECKING:
    from synth_affect.pipelines.evaluate_editor.targets import TargetChoice


def add_commands(evaluate_app: typer.Typer) -> None:
    """Register them in the family `evaluate`."""
    evaluate_app.command()(editor)
    evaluate_app.command()(crops)
    evaluate_app.command("editors-table")(editors_table)


def editor(
    images: Annotated[
        Path | None, typer.Option(help="A folder of photographs or of rendered faces, or one.", show_default=False)
    ] = None,
    people: Annotated[
        str, typer.Option(metavar="A-B,...", help="Of rendered faces, who; each one's neutral picture is edited [all].")
    ] = "",
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="A folder for the report, the tables and the pictures.", show_default=False),
    ] = None,
    editor_name: EditorOption = "3dmm",
    weights: WeightsOption = None,
    device: EditorDeviceOption = DeviceName.AUTO,
    targets: Annotated[
        str, typer.Option(metavar="NAME,...", help="Sets of targets: ring, labels (7 x 7), corners, classes.")
    ] = "ring,labels,corners",
    classes: Annotated[
        str, typer.Option(metavar="NAME,...", help="Which categories [default: all eight of faces].")
    ] = "",
    directions: Annotated[int, typer.Option(parser=count, metavar="COUNT", help="Of the ring.")] = 28,
    radii: Annotated[str, typer.Option(metavar="NUMBER,...", help="Of the ring.")] = ".25,.5,.75,1",
    judge: Annotated[
        list[str] | None,
        typer.Option(
            metavar="KIND=FILE",
            help="A judge of affect: emonet=emonet_8.pth, hsemotion=enet_b0_8_va_mtl.onnx, trained=weights, or a "
            "classifier's description.json. Repeatable.",
        ),
    ] = None,
    identity: Annotated[
        list[str] | None,
        typer.Option(metavar="KIND=FILE", help="A judge of identity: arcface=w600k_r50.onnx. Repeatable."),
    ] = None,
    readings: Annotated[
        list[Path] | None,
        typer.Option(help="What another program read from manifest.json of an earlier run. Repeatable."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Judge an editor: affect, identity, background, speed, on fixed targets. Goes on where an earlier run was."""
    if images is None:
        raise InputError("--images", "missing; the photographs that are edited")
    if out is None:
        raise InputError("--out", "missing; the folder to write")
    choice = _choice(targets, directions, radii, classes)
    from synth_affect.pipelines.evaluate_editor.run import EvaluationRequest, evaluate_editor
    from synth_affect.pipelines.open_editor import EditorChoice

    editor_choice = EditorChoice(editor_name, weights, str(device))
    request = EvaluationRequest(
        editor_choice, images, out, choice, tuple(judge or ()), tuple(identity or ()), tuple(readings or ()), people
    )
    summary = evaluate_editor(request, with_progress)
    for refusal in summary["refused"]:
        typer.echo(f"left out {refusal['path']}: {refusal['reason']}", err=True)
    if not as_json:
        typer.echo(_text(summary))
    print_summary({**summary, "output": str(out / "report.html")}, as_json)


def crops(
    weights: Annotated[Path, typer.Option(help="Of the editor: what synth-affect train wrote.", show_default=False)],
    judge: Annotated[
        Path, typer.Option(help="Weights of train classes --crop aligned --no-landmarks.", show_default=False)
    ],
    data: DataOption,
    out: Annotated[Path, typer.Option("--out", "-o", help="A folder for figures, a sheet, and cropped faces.")],
    people: Annotated[
        str, typer.Option(metavar="A-B,...", help="Who is edited [all from whom neither editor nor judge learnt].")
    ] = "",
    database: DatabaseOption = "",
    database_setting: DatabaseSettingOption = None,
    device: DeviceOption = DeviceName.AUTO,
    as_json: JsonOption = False,
) -> None:
    """How many of a neural editor's own crops, not pasted back, a judge names as they were asked for.

    synth-affect evaluate crops --weights FADER/weights.safetensors --judge JUDGE/weights.safetensors --data FACES
    --out DIR
    """
    from synth_affect.pipelines.evaluate_editor.crops import CropsRequest, crops_text, evaluate_crops
    from synth_affect.pipelines.training.face_samples import FaceSource

    sources = tuple(FaceSource(path, database, database_settings(database_setting)) for path in data)
    request = CropsRequest(weights, judge, sources, people)
    found = evaluate_crops(request, out, device=str(device), reading=reading, progress=with_progress)
    if not as_json:
        typer.echo(crops_text(found))
    print_summary(found, as_json)


def editors_table(
    runs: Annotated[
        list[Path], typer.Argument(metavar="RUN...", help="Folders that evaluate editor wrote, a row each.")
    ],
    out: Annotated[
        Path | None, typer.Option("-o", "--out", help="A .md or .csv file to write [the table is printed].")
    ] = None,
    targets: Annotated[
        str, typer.Option(metavar="NAME", help="The set of which affect is told [the first of: ring, labels, corners].")
    ] = "",
) -> None:
    """One table of several editors: affect, identity, background, speed, memory, training.

    synth-affect evaluate editors-table runs/3dmm runs/caae runs/exprgan --out editors.md
    """
    from synth_affect.pipelines.evaluate_editor.comparison import compare_editors

    table = compare_editors(runs, out, targets=targets)
    typer.echo(table.rstrip() if out is None else f"wrote {out}")


def _choice(targets: str, directions: int, radii: str, classes: str) -> TargetChoice:
    from synth_affect.affect import parse_emotion
    from synth_affect.pipelines.evaluate_editor.targets import TargetChoice, parse_sets

    try:
        numbers = tuple(number(part) for part in radii.split(",") if part.strip())
    except typer.BadParameter as error:
        raise InputError("--radii", error.message) from error
    choice = TargetChoice(parse_sets(targets), directions, numbers)
    named = tuple(parse_emotion(part) for part in classes.split(",") if part.strip())
    return replace(choice, categories=named) if named else choice


def _text(summary: dict[str, Any]) -> str:
    """The main figures, a line a judge and set."""
    from synth_affect.regressors.class_scores import share_text

    n_faces = summary["n_faces"]
    lines = [f"{n_faces} {'face' if n_faces == 1 else 'faces'}, {summary['n_pictures']} pictures"]
    for card in summary["judges"]:
        for name, parts in card["sets"].items():
            found = parts["all"]
            if found is not None:
                said = ", ".join(
                    f"{axis} CCC {_of(found[axis]['ccc']['value'])} ({_of(found[axis]['share'])} of its ceiling)"
                    for axis in ("valence", "arousal")
                )
                lines.append(f"{card['name']}, {name}: {said}")
        if card["classes"] is not None:
            found = card["classes"]
            lines.append(
                f"{card['name']}: {share_text(found['accuracy'])} of {found['n']} categories are named as asked for, "
                f"{found['left_alone']:.0%} had nothing been done"
            )
    for card in summary["identity"]:
        if card["n"]:
            lines.append(f"{card['name']}: {card['likeness']} {card['mean']:.3f}, worst {card['worst']:.3f}")
    ground = summary["background"]
    if ground["n"]:
        lines.append(f"background: {ground['pictures_changed']} of {ground['n']} pictures changed")
    seconds = summary["speed"]["next_picture_s"]
    if seconds is not None:
        lines.append(f"{seconds:.3f} s a picture")
    return "\n".join(lines)


def _of(value: float | None) -> str:
    return "undefined" if value is None else f"{value:.2f}"
