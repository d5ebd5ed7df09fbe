from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from synth_affect.blendshape.gallery.frames import GallerySequence
from synth_affect.blendshape.gallery.writer import GalleryWriter, ensure_gallery
from synth_affect.blendshape.template import Template, face_template, face_vertices
from synth_affect.cli import main
from synth_affect.heads.archive import topology_id
from synth_affect.heads.cc0 import load_cc0
from synth_affect.heads.mesh import Mesh


def write_gallery(path: Path, template: Template, shapes: np.ndarray, people: tuple[str, ...]) -> Path:
    """The first shape grows with pleasure, the second with displeasure."""
    ensure_gallery(path, template)
    with GalleryWriter(path) as writer:
        for number, person in enumerate(people):
            rng = np.random.default_rng(number)
            angle, radius = rng.uniform(0, 2 * np.pi, 60), rng.uniform(0.3, 0.7, 60)
            valence, arousal = radius * np.cos(angle), radius * np.sin(angle)
            amounts = np.stack([np.maximum(valence, 0), np.maximum(-valence, 0)], axis=1)
            writer.append(
                GallerySequence(
                    subject=person,
                    session="1",
                    sequence="all",
                    posed=False,
                    category=None,
                    offsets=np.tensordot(amounts, shapes, 1).astype(np.float16),
                    frame=np.arange(60, dtype=np.int32),
                    valence=valence.astype(np.float32),
                    arousal=arousal.astype(np.float32),
                    apex=np.zeros(60, dtype=np.bool_),
                )
            )
    return path


@pytest.fixture(scope="module")
def gallery(tmp_path_factory: pytest.TempPathFactory) -> Path:
    head = load_cc0()
    units = head.expression_units[:, face_vertices(head)]
    smile = units[head.unit_names.index("mouthSmileLeft")] + units[head.unit_names.index("mouthSmileRight")]
    frown = units[head.unit_names.index("mouthFrownLeft")] + units[head.unit_names.index("mouthFrownRight")]
    people = tuple(f"p{k}" for k in range(25))
    path = tmp_path_factory.mktemp("grid") / "gallery"
    return write_gallery(path, face_template(head), np.stack([smile, frown]), people)


@pytest.fixture(scope="module")
def built(gallery: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("built") / "grid.npz"
    assert main(["grid-model", "build", str(gallery), "--out", str(out), "--components", "3"]) == 0
    return out


def test_info_tells_what_is_in_a_grid(built: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["grid-model", "info", str(built)]) == 0
    assert "1500 frames of 25 recordings of 25 people" in capsys.readouterr().out
    assert main(["grid-model", "info", str(built), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["frames"], found["components"]) == (1500, 3)
    assert np.shape(found["counts"]) == (10, 10)
    assert found["source"]["origin"] == "recorded or registered faces"


def test_plot_draws_every_cell(built: Path, tmp_path: Path) -> None:
    out = tmp_path / "grid.png"
    assert main(["grid-model", "plot", str(built), "--out", str(out)]) == 0
    with Image.open(out) as picture:
        assert min(picture.size) > 1000
        assert np.asarray(picture.convert("L")).min() < 60


def test_the_command_edits_with_a_grid_and_says_so(built: Path, portrait_path: Path, tmp_path: Path) -> None:
    out = tmp_path / "o.png"
    request = ["--image", str(portrait_path), "--valence", "-0.6", "--arousal", "0.1", "-o", str(out)]
    assert main([*request, "--grid", str(built), "--lookup", "cell"]) == 0
    said = json.loads(out.with_name("o.png.json").read_text())
    assert said["request"]["grid"] == str(built)
    assert said["request"]["lookup"] == "cell"
    with_grid = out.read_bytes()
    assert main(request) == 0
    assert out.read_bytes() != with_grid
    assert "grid" not in json.loads(out.with_name("o.png.json").read_text())["request"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--lookup", "cell"], "--grid: missing"),
        (["--grid", "none.npz"], "none.npz: no such file"),
        (["--grid", "default", "--statistic", "mean", "--sample", "1"], "--sample"),
    ],
)
def test_wrong_requests_cost_one_line(
    options: list[str], message: str, portrait_path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "o.png"
    request = ["--image", str(portrait_path), "--valence", "0.5", "--arousal", "0.5", "-o", str(out)]
    assert main([*request, *options]) == 2
    said = capsys.readouterr().err
    assert message in said
    assert said.count("\n") == 1
    assert not out.exists()


def test_wrong_galleries_cost_one_line(
    gallery: Path, sheet_gallery: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "grid.npz"
    for path, options, message in (
        (sheet_gallery, [], "a gallery of template"),
        (gallery, ["--components", "5000"], "fewer"),
        (gallery, ["--components", "0"], "--components: 0 is not 1 or more"),
        (tmp_path / "absent", [], "absent"),
    ):
        assert main(["grid-model", "build", str(path), "--out", str(out), *options]) == 2
        said = capsys.readouterr().err
        assert message in said
        assert said.count("\n") == 1
        assert not out.exists()


@pytest.fixture
def sheet_gallery(tmp_path: Path) -> Path:
    """Of a template that is no face of the packaged head: the same vertices, other triangles."""
    whole = face_template(load_cc0())
    triangles = np.roll(whole.mesh.triangles, 1, axis=0)
    other = replace(whole, topology=topology_id(triangles), mesh=Mesh(whole.mesh.vertices, triangles))
    return write_gallery(tmp_path / "other", other, np.zeros((2, len(whole.mesh.vertices), 3)), ("a", "b"))
