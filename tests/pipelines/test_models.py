from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from synth_affect.data.provenance import sha256_file
from synth_affect.errors import InputError
from synth_affect.heads import ict_folder
from synth_affect.heads.catalogue import CATALOGUE
from synth_affect.heads.cc0 import load_cc0
from synth_affect.heads.formats import FOREIGN, ICT
from synth_affect.pipelines import models as module
from synth_affect.pipelines.head_sheet import COLUMNS, TILE, draw_head
from synth_affect.pipelines.models import describe_head, find_entry, get_model, head_text, list_models, list_text
from synth_affect.pipelines.open_head import installed_path, open_head
from tests.heads.foreign_files import write_gnm, write_shape
from tests.heads.ict_file import ict_arrays


def unseen(items: Iterable[Any], count: int) -> Iterable[Any]:
    return items


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's cache is the test's own."""
    import pooch

    monkeypatch.setattr(pooch, "os_cache", lambda name: tmp_path / "cache" / name)
    return tmp_path / "cache" / "synth-affect"


@pytest.fixture
def prepared(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names that were to be converted; nothing is."""
    names: list[str] = []
    monkeypatch.setattr(module, "prepare_head", lambda name, progress: names.append(name))
    return names


@pytest.fixture
def downloads(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str]:
    """URLs that were fetched; what is behind them lies in a folder."""
    urls: list[str] = []

    def download(url: str, target: Path, sha256: str | None, *, otherwise: str = "", progress: object = None) -> None:
        urls.append(url)
        source = tmp_path / "server" / url.rsplit("/", 1)[1]
        if not source.is_file():
            raise InputError(target, f"the download of {url} failed; {otherwise}")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(source.read_bytes())

    (tmp_path / "server").mkdir()
    monkeypatch.setattr(module, "download", download)
    return urls


def test_every_format_is_in_the_catalogue_and_pinned_or_explained() -> None:
    assert set(CATALOGUE) == {"cc0", ICT, *FOREIGN}
    for entry in CATALOGUE.values():
        assert entry.licence
        assert entry.title
        assert entry.name == "cc0" or (entry.page and entry.file)
        if entry.url:
            assert entry.url.startswith("https://")
            # A commit or a revision, never a branch.
            assert any(len(part) == 40 and set(part) <= set("0123456789abcdef") for part in entry.url.split("/"))


def test_the_list_says_what_is_here(cache: Path) -> None:
    states = {model["name"]: model["state"] for model in list_models()}
    assert states["cc0"] == "packaged"
    assert states["gnm"] == states["ict"] == "downloadable"
    assert {states[name] for name in ("flame", "bfm2009", "bfm2017", "lsfm", "sfm")} == {"registration"}
    installed_path("gnm").parent.mkdir(parents=True)
    installed_path("gnm").write_bytes(b"x")
    assert {model["name"]: model["state"] for model in list_models()}["gnm"] == "installed"
    text = list_text(list_models())
    for model in list_models():
        assert f"{model['name']} " in text
        assert model["licence"] in text


def test_what_cannot_be_fetched_says_why() -> None:
    for name, reason in (
        ("cc0", "nothing to get"),
        ("flame", r"register at https://flame\.is\.tue\.mpg\.de, then --head PATH of your flame2023_Open\.pkl"),
        ("smpl", "no such model; there are cc0, ict"),
    ):
        with pytest.raises(InputError, match=reason):
            find_entry(name)


def test_a_name_that_is_not_installed_says_how(cache: Path) -> None:
    with pytest.raises(InputError, match="not installed; synth-affect models get gnm"):
        open_head("gnm")
    with pytest.raises(InputError, match=r"register at .* give the path of your 01_MorphableModel\.mat"):
        open_head("bfm2009")
    with pytest.raises(InputError, match="no such file"):
        open_head("nonsense")


def test_a_file_is_fetched_once_and_converted(
    downloads: list[str], prepared: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    served = tmp_path / "server" / "gnm_head.npz"
    write_gnm(served, np.zeros((3, 3)), np.array([[0, 1, 2]]), np.zeros((1, 3, 3)))
    pinned = replace(CATALOGUE["gnm"], sha256=sha256_file(served))
    monkeypatch.setattr(module, "CATALOGUE", {**CATALOGUE, "gnm": pinned})
    for _ in range(2):
        summary = get_model("gnm", fetching=unseen, converting=unseen)
        assert summary == {"output": str(installed_path("gnm")), "name": "gnm", "licence": "Apache-2.0"}
    assert downloads == [CATALOGUE["gnm"].url]
    assert prepared == ["gnm", "gnm"]


def test_another_file_that_was_put_there_by_hand_is_refused(downloads: list[str], prepared: list[str]) -> None:
    installed_path("gnm").parent.mkdir(parents=True)
    installed_path("gnm").write_bytes(b"PK another")
    with pytest.raises(InputError, match="not the file that is pinned; delete it, or give its path to --head"):
        get_model("gnm", fetching=unseen, converting=unseen)
    assert (downloads, prepared) == ([], [])


@pytest.fixture
def shapes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, downloads: list[str]) -> Path:
    """A server with ICT-FaceKit's files, of which a few suffice."""
    arrays = ict_arrays()
    server = tmp_path / "server"
    monkeypatch.setattr(ict_folder, "N_IDENTITY", 2)
    monkeypatch.setattr(ict_folder, "EXPRESSIONS", ("browDown_L", "jawOpen"))
    for name in ict_folder.file_names():
        write_shape(server / name, arrays["mean"], arrays["polygons"])
    monkeypatch.setattr(ict_folder, "NEUTRAL_SHA256", ict_folder.neutral_digest(server / ict_folder.NEUTRAL))
    return server


def test_ict_is_fetched_shape_by_shape_and_goes_on(shapes: Path, downloads: list[str], prepared: list[str]) -> None:
    late = (shapes / "jawOpen.obj").rename(shapes / "late")
    with pytest.raises(InputError, match=r"jawOpen\.obj failed; get https://github.com/.* folder FaceXModel to --head"):
        get_model("ict", fetching=unseen, converting=unseen)
    assert not installed_path("ict").exists()
    assert len(downloads) == 5
    late.rename(shapes / "jawOpen.obj")
    get_model("ict", fetching=unseen, converting=unseen)
    assert len(downloads) == 6, "what had arrived was fetched again"
    assert [path.name for path in installed_path("ict").parent.iterdir()] == [installed_path("ict").name]
    with np.load(installed_path("ict")) as arrays:
        assert arrays["expression"].shape[0] == 2
    assert prepared == ["ict"]


def test_another_mesh_under_the_name_is_refused(shapes: Path, downloads: list[str], prepared: list[str]) -> None:
    text = (shapes / ict_folder.NEUTRAL).read_text()
    (shapes / ict_folder.NEUTRAL).write_text(text.replace("\nf ", "\nf 1/1 2/1 3/1\nf ", 1))
    with pytest.raises(InputError, match="not the mesh that was asked for"):
        get_model("ict", fetching=unseen, converting=unseen)
    assert list(installed_path("ict").parent.iterdir()) == []
    assert prepared == []


def test_a_description_counts_what_is_there() -> None:
    head = load_cc0()
    found = describe_head("cc0", unseen)
    assert found["vertices"] == len(head.mean)
    assert found["units"] == list(head.unit_names)
    assert sum(found["regions"].values()) == found["triangles"] == len(head.triangles)
    assert found["landmark_asymmetry_mm"] < 0.3
    text = head_text(found)
    for part in ("CC0-1.0", "52 units", "jawOpen", f"{len(head.identity_basis)} components"):
        assert part in text


def test_the_sheet_shows_mean_identities_and_expressions() -> None:
    sheet = np.asarray(draw_head(load_cc0()))
    height, width = sheet.shape[0] // 4, sheet.shape[1] // COLUMNS
    tiles = [
        sheet[row * height : row * height + TILE.height, column * width : column * width + TILE.width].astype(int)
        for row, column in ((0, 1), (1, 0), (2, 0), (3, 0))
    ]
    for tile in tiles:
        assert 0.25 < (tile < 250).any(axis=2).mean() < 0.9
    for other in tiles[1:]:
        assert (np.abs(other - tiles[0]).max(axis=2) > 20).mean() > 0.01
