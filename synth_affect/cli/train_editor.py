"""`synth-affect train caae|exprgan|...`: one command a recipe, all with the same options."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from synth_affect.cli.database_settings import DatabaseSettingOption, database_settings
from synth_affect.cli.options import DeviceName, JsonOption, count, number
from synth_affect.cli.train_options import (
    DatabaseOption,
    DataOption,
    DeviceOption,
    FoldOption,
    FoldsOption,
    OutOption,
    SeedOption,
    TestPeopleOption,
    ValidationPeopleOption,
    reading,
)
from synth_affect.editors.recipes import RECIPES
from synth_affect.errors import InputError

if TYPE_CHECKING:
    from synth_affect.editors.recipes import Recipe, RecipeSettings

IdentityNetworkOption = Annotated[
    Path | None, typer.Option(help="Weights of train identity, for losses of identity [the packaged ones].")
]
VggFaceOption = Annotated[Path | None, typer.Option(help="Or the user's VGG-Face, as in the papers.")]
SmallOption = Annotated[bool, typer.Option("--small", help="The size that a CPU trains in minutes.")]
SetOption = Annotated[
    list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="Another value of a setting. Repeatable.")
]
EpochsOption = Annotated[
    int | None, typer.Option(parser=count, metavar="COUNT", help="As --set epochs=COUNT, where an editor has that.")
]
BatchOption = Annotated[int | None, typer.Option(parser=count, metavar="COUNT", help="As --set batch=COUNT.")]
MaxYawOption = Annotated[
    float, typer.Option(parser=number, metavar="DEGREES", help="Faces turned farther are left out.")
]
IntervalOption = Annotated[
    int, typer.Option(parser=count, metavar="STEPS", help="Between checkpoints, where an epoch is longer.")
]


def add_commands(train_app: typer.Typer) -> None:
    """Register a command for each recipe in the family `train`."""
    for name, recipe in RECIPES.items():
        train_app.command(name, help=f"{recipe.__doc__}\n\nsynth-affect train {name} --data FACES --small --out DIR")(
            _command(name)
        )
    train_app.command("all")(train_all)


def _command(name: str) -> Callable[..., None]:
    def command(
        data: DataOption,
        out: OutOption,
        database: DatabaseOption = "",
        database_setting: DatabaseSettingOption = None,
        small: SmallOption = False,
        epochs: EpochsOption = None,
        batch: BatchOption = None,
        changes: SetOption = None,
        identity_network: IdentityNetworkOption = None,
        vgg_face: VggFaceOption = None,
        max_yaw: MaxYawOption = 90.0,
        test_people: TestPeopleOption = "",
        validation_people: ValidationPeopleOption = "",
        folds: FoldsOption = 5,
        fold: FoldOption = 0,
        interval: IntervalOption = 500,
        seed: SeedOption = 0,
        device: DeviceOption = DeviceName.AUTO,
        as_json: JsonOption = False,
    ) -> None:
        from synth_affect.editors.recipes import open_recipe
        from synth_affect.pipelines.open_identity import IdentityChoice
        from synth_affect.pipelines.training.face_samples import FaceSource
        from synth_affect.pipelines.training.people_choice import PeopleChoice
        from synth_affect.pipelines.training.train_editor import TrainEditorRequest, train_one_editor
        from synth_affect.pipelines.training.train_regressor import WEIGHTS

        recipe = open_recipe(name)
        request = TrainEditorRequest(
            name,
            _settings(recipe, small, {"epochs": epochs, "batch": batch}, changes or []),
            tuple(FaceSource(path, database, database_settings(database_setting)) for path in data),
            PeopleChoice(test_people, validation_people, folds, fold),
            IdentityChoice(identity_network, vgg_face),
            max_yaw,
            interval,
            seed,
        )
        card = train_one_editor(request, out, device=str(device), progress=reading)
        typer.echo(json.dumps(card, indent=2) if as_json else f"wrote {out / WEIGHTS}, {_said(card)}")

    return command


def train_all(
    data: DataOption,
    out: OutOption,
    database: DatabaseOption = "",
    database_setting: DatabaseSettingOption = None,
    small: SmallOption = False,
    identity_network: IdentityNetworkOption = None,
    vgg_face: VggFaceOption = None,
    max_yaw: MaxYawOption = 90.0,
    test_people: TestPeopleOption = "",
    validation_people: ValidationPeopleOption = "",
    folds: FoldsOption = 5,
    fold: FoldOption = 0,
    seed: SeedOption = 0,
    device: DeviceOption = DeviceName.AUTO,
    as_json: JsonOption = False,
) -> None:
    """All editors on the same faces, one after the other, and one report of them.

    synth-affect train all --data FACES --small --out DIR
    """
    from synth_affect.pipelines.open_identity import IdentityChoice
    from synth_affect.pipelines.training.face_samples import FaceSource
    from synth_affect.pipelines.training.people_choice import PeopleChoice
    from synth_affect.pipelines.training.train_zoo import REPORT, train_zoo

    cards = train_zoo(
        tuple(FaceSource(path, database, database_settings(database_setting)) for path in data),
        out,
        small=small,
        people=PeopleChoice(test_people, validation_people, folds, fold),
        identity=IdentityChoice(identity_network, vgg_face),
        max_yaw_deg=max_yaw,
        seed=seed,
        device=str(device),
        progress=reading,
        begin=lambda name: typer.echo(f"training {name}", err=True),
    )
    typer.echo(json.dumps(cards, indent=2) if as_json else f"wrote {out / REPORT}")


def _settings(recipe: Recipe, small: bool, counts: dict[str, int | None], changes: list[str]) -> RecipeSettings:
    from synth_affect.editors.recipes import parse_settings

    start = recipe.small() if small else recipe.settings()
    texts = {name: str(value) for name, value in counts.items() if value is not None}
    settable = [field.name for field in fields(start)]  # type: ignore[arg-type]
    for name in texts:
        if name not in settable:
            raise InputError(f"--{name}", f"{recipe.name} takes no single number; its --set has {', '.join(settable)}")
    for change in changes:
        name, equals, text = change.partition("=")
        if not equals:
            raise InputError("--set", f"{change!r} is not NAME=VALUE")
        texts[name.strip()] = text
    return parse_settings(recipe, start, texts)


def _said(card: dict[str, Any]) -> str:
    training, data = card["training"], card["data"]["train"]
    took = f"{training['epochs']} epochs, {training['steps']} steps, {training['seconds'] / 60:.1f} minutes"
    return f"{took} on {training['device']}, {data['pictures']} pictures of {data['people']} people"
