from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from synth_affect.errors import InputError
from synth_affect.pipelines.open_identity import PACKAGED, IdentityChoice, open_identity
from synth_affect.pipelines.training.people_choice import PeopleChoice
from synth_affect.regressors.weight_file import load_network
from tools.build_identity_network import RECIPE, build

pytest.importorskip("lightning")
pytest.importorskip("torchmetrics")

TINY = replace(
    RECIPE,
    network=replace(RECIPE.network, size=32, width=2, embedding=4),
    training=replace(RECIPE.training, epochs=1, batch=4),
    people=PeopleChoice(test="4-5", validation="2-3"),
)


def rendered(folder: Path, head: str = "cc0") -> Path:
    """What render-faces writes, with noise for pictures: two of each of six people."""
    rng = np.random.default_rng(0)
    points = rng.uniform(20, 40, (68, 3))
    points[36:42, :2], points[42:48, :2], points[[48, 54], :2] = (23, 22), (41, 22), (32, 42)
    (folder / "geometry").mkdir(parents=True)
    rows = ["picture,geometry,subject,valence,arousal,category"]
    for number in range(12):
        pixels = rng.integers(0, 255, (64, 64, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{number}.jpg")
        np.savez(folder / "geometry" / f"{number}.npz", landmarks_68=points)
        rows.append(f"{number}.jpg,geometry/{number}.npz,{number // 2},0,0,neutral")
    (folder / "labels.csv").write_text("\n".join(rows) + "\n")
    (folder / "dataset.json").write_text(json.dumps({"head": head, "seed": 3, "licence": "CC0-1.0"}))
    return folder


def test_the_packaged_network_is_of_the_recipe() -> None:
    card = load_network(PACKAGED).card
    assert card["network"] == json.loads(json.dumps(asdict(RECIPE.network)))
    wanted = asdict(RECIPE.training)
    assert {name: card["training"][name] for name in wanted if name in card["training"]}.items() <= wanted.items()
    assert card["training"]["epochs_run"] == RECIPE.training.epochs, "trained to the end"
    assert card["data"]["people"] == asdict(RECIPE.people)
    rendered_as = asdict(RECIPE.faces)
    for name in ("n_subjects", "per_subject", "head", "size", "seed"):
        assert card["data"]["faces"][name] == rendered_as[name]
    assert card["data"]["faces"]["licence"] == "CC0-1.0"


def test_what_it_builds_can_be_opened_and_says_where_it_is_from(tmp_path: Path) -> None:
    out = tmp_path / "identity.safetensors"
    card = build(TINY, tmp_path / "work", out, faces=rendered(tmp_path / "faces"))
    assert open_identity(IdentityChoice(out)).sha256 == card["sha256"]
    about = load_network(out).card["data"]
    assert (about["faces"]["seed"], about["faces"]["head"], about["paths"]) == (3, "cc0", [])
    assert about["held_out_people"] == ["cc0-3-4", "cc0-3-5"]
    before = out.read_bytes()
    build(TINY, tmp_path / "again", out, faces=tmp_path / "faces")
    assert out.read_bytes() == before, "the same from the same seed"
    with pytest.raises(InputError, match="holds renderings of the head ict, not of cc0"):
        build(TINY, tmp_path / "work", out, faces=rendered(tmp_path / "other", "ict"))
