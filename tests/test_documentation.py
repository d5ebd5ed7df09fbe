"""Every command line of the README and of docs, tried as far as is quick. The name of each test says how far:

run : with a portrait for face.jpg, to the end, and its outputs are there
refused : with none of its files; all the command has against it must be a file or model that is missing
parsed : commands that would start long work without asking for a file, and mentioned ones; options and values are read
named : other programs; what they name is there
"""

from __future__ import annotations

import ast
import importlib
import importlib.util
import re
import tomllib
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import typer
import typer.main
from PIL import Image

from synth_affect.arrays import ImageArray
from synth_affect.blendshape.local_units import ActionUnits
from synth_affect.cli import NAME, app, main
from synth_affect.fitting.fit_json import fit_to_json
from synth_affect.fitting.landmarks import Landmarks
from synth_affect.heads.model import embed
from synth_affect.pipelines.synthesize import AffectSynthesizer
from synth_affect.render.scene import project_with
from tests.documented import OURS, ROOT, Line, command_lines, python_blocks

PICTURES = ("face.jpg", "group.jpg")
OUTPUTS = ("-o", "--output", "--out", "--report", "--fit-out")
LONG = {"grid", "export", "units", "path", "video", "--ring", "--head", "--grid", "--verify"}
"""Of what could be run: too long, or with a file that nobody has."""
PLACEHOLDER = "NAME"
WITHOUT_FILES = {("doctor",), ("models", "list"), ("units",)}
STARTS_WORK = {("demo",), ("render-faces",), ("gallery", "synthesize"), ("gallery", "synthesize-scans"), ("serve",)}
COMPLETION = {"--install-completion", "--show-completion"}


@cache
def parser() -> Any:
    return typer.main.get_command(app)


def parsed(line: Line) -> tuple[tuple[str, ...], dict[str, Any]]:
    """The command's path and its values, read by the parser. Raises TyperException for what it does not take."""
    command = parser()
    context = command.make_context(NAME, line.arguments)
    path: list[str] = []
    while hasattr(command, "resolve_command"):
        rest = [*getattr(context, "_protected_args", []), *context.args]
        if not rest:
            break
        name, command, rest = command.resolve_command(context, rest)
        path.append(name)
        try:
            context = command.make_context(name, rest, parent=context)
        except typer.BadParameter as error:
            if line.mentioned and type(error).__name__ == "MissingParameter":
                break
            raise
    return tuple(path), context.params


def how_far(line: Line) -> str:
    if Path(line.words[0]).name != OURS:
        return "named"
    if COMPLETION & set(line.words):
        return "parsed"
    try:
        path, _ = parsed(line)
    except typer.TyperException:
        return "parsed"  # where it fails, and says why
    if path in STARTS_WORK or PLACEHOLDER in line.words:
        return "parsed"
    words = set(line.words)
    runs = not words & LONG if words & set(PICTURES) else path in WITHOUT_FILES
    if runs:
        return "run"
    return "parsed" if line.mentioned else "refused"


# Each once; where it stands in a block it is tried as that.
LINES = list({line.words: line for line in sorted(command_lines(), key=lambda line: not line.mentioned)}.values())


def tried(degree: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    chosen = [line for line in LINES if how_far(line) == degree]
    return pytest.mark.parametrize("line", [pytest.param(line, id=f"{degree}: {line}") for line in chosen])


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory, portrait: ImageArray, portrait_landmarks: Landmarks) -> Path:
    """A folder with the files that the documentation takes for granted."""
    folder = tmp_path_factory.mktemp("desk")
    Image.fromarray(portrait).save(folder / "face.jpg", quality=95)
    Image.fromarray(np.hstack([portrait, portrait])).save(folder / "group.jpg", quality=95)
    with AffectSynthesizer() as synthesizer:
        fit = synthesizer.fit_landmarks(portrait, portrait_landmarks)
        scene = synthesizer.prepare(portrait, fit)
    points = embed(project_with(scene.camera, scene.vertices, scene.offsets_px), *_of(scene.head))[:, :2] + 1
    rows = "\n".join(f"{x:.2f} {y:.2f}" for x, y in points)
    (folder / "face.pts").write_text(f"version: 1\nn_points: 68\n{{\n{rows}\n}}\n")
    (folder / "face.json").write_text(fit_to_json(fit))
    return folder


def _of(head: Any) -> tuple[Any, Any]:
    return head.triangles, head.landmarks_68


@tried("run")
def test_a_line_runs(
    line: Line, desk: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(desk)
    assert main(line.arguments) == 0, capsys.readouterr().err
    for option, value in zip(line.words, line.words[1:], strict=False):
        if option in OUTPUTS:
            assert (desk / value).stat().st_size > 0


@tried("refused")
def test_a_line_is_refused_for_its_missing_files_alone(
    line: Line, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _, values = parsed(line)
    ActionUnits.parse(values.get("au") or ())
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))  # where no model is installed
    assert main(line.arguments) == 2
    subject = capsys.readouterr().err.removeprefix(f"{NAME}: ")
    named = [part.rstrip("/") for word in line.arguments if not word.startswith("-") for part in word.split("=")]
    assert any(subject.startswith(word) for word in named), subject
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


@tried("parsed")
def test_a_line_is_parsed(line: Line) -> None:
    if not COMPLETION & set(line.words):
        parsed(line)
    else:
        assert set(line.arguments) <= {option for each in parser().params for option in each.opts}


@tried("named")
def test_what_a_line_names_is_there(line: Line) -> None:
    program, *rest = line.words
    words = [word for word in rest if not word.startswith("-")]
    match Path(program).name or program:
        case "make":
            targets = re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE)
            assert set(words) - {word for word in words if "=" in word} <= set(targets)
        case "pip":
            project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
            for extras in re.findall(r"\[([\w,-]+)\]", " ".join(words)):
                assert set(extras.split(",")) <= set(project["optional-dependencies"])
            for pinned in words:
                if pinned.startswith("opencv"):
                    assert any(pinned in asked for asked in project["dependencies"])
        case "python" | "python3" if rest[:1] == ["-m"]:
            assert importlib.util.find_spec(rest[1]) is not None
        case "python" | "python3":
            script = (ROOT / words[0]).read_text("utf-8")
            for option in (word for word in rest if word.startswith("--")):
                assert f'"{option}"' in script, f"{words[0]} has no {option}"
        case "git" | "cd" | "." | "ls" | "split" | "mkdocs" | "cat":
            pass
        case _:
            pytest.fail(f"{program} is new here: say what can be checked of it")


@pytest.mark.parametrize(("place", "code"), [pytest.param(*block, id=block[0]) for block in python_blocks()])
def test_python_has_the_names_that_it_imports(place: str, code: str) -> None:
    for node in _imports(ast.parse(code)):
        module = importlib.import_module(node.module or "")
        for alias in node.names:
            assert hasattr(module, alias.name), f"{place}: {node.module} has no {alias.name}"


def _imports(tree: ast.Module) -> Iterator[ast.ImportFrom]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom))


def test_the_pages_have_lines_of_each_kind() -> None:
    degrees = [how_far(line) for line in LINES]
    assert {degree for degree in degrees if degrees.count(degree) > 2} == {"run", "refused", "parsed", "named"}


def test_a_wrong_option_would_be_found() -> None:
    for words in ("--smile", "grid --image face.jpg --steps many", "models lst", "--image face.jpg --au"):
        with pytest.raises(typer.TyperException):
            parsed(Line("here:1", (OURS, *words.split())))
