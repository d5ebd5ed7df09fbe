"""The command as it is typed, on real photographs, in processes of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

FACES = Path(__file__).parents[3] / "shared" / "faces"

pytestmark = pytest.mark.skipif(not FACES.is_dir(), reason="../shared/faces with the test pictures is absent")


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "synth_affect", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder, stdin=subprocess.DEVNULL)


def pixels(path: Path) -> Any:
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB"))


def test_the_first_command_of_the_readme(tmp_path: Path) -> None:
    (tmp_path / "face.jpg").symlink_to(FACES / "man_front_a.jpg")
    done = run(tmp_path, "--image", "face.jpg", "--valence", "0.6", "--arousal", "0.3")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "wrote face_v+0.60_a+0.30.png\n"
    before, after = pixels(tmp_path / "face.jpg"), pixels(tmp_path / "face_v+0.60_a+0.30.png")
    changed = (before != after).any(axis=2)
    assert 0.01 < changed.mean() < 0.5


def test_a_cat_has_no_face(tmp_path: Path) -> None:
    cat = str(FACES / "cat_not_a_face.jpg")
    done = run(tmp_path, "--image", cat, "--valence", "0.6", "--arousal", "0.3", "-o", "o.png", "--report", "r.png")
    assert (done.returncode, done.stdout, done.stderr) == (2, "", f"synth-affect: {cat}: no face found\n")
    assert not list(tmp_path.iterdir())


def test_both_of_two_people(tmp_path: Path) -> None:
    image = str(FACES / "two_people.jpg")
    target = ["--valence", "-0.7", "--arousal", "-0.3", "--json", "-o", "o.png"]
    done = run(tmp_path, "--image", image, "--face", "all", *target)
    assert (done.returncode, done.stderr) == (0, "")
    faces = json.loads(done.stdout)["faces"]
    assert [face["face"] for face in faces] == [0, 1]
    areas = [(right - left) * (bottom - top) for left, top, right, bottom in (face["box_px"] for face in faces)]
    assert areas[0] >= areas[1]
    changed = (pixels(FACES / "two_people.jpg") != pixels(tmp_path / "o.png")).any(axis=2)
    for left, top, right, bottom in (np.round(face["box_px"]).astype(int) for face in faces):
        assert changed[top:bottom, left:right].mean() > 0.2
    refused = run(tmp_path, "--image", image, "--face", "2", *target)
    assert refused.returncode == 2
    assert "shows 2 faces" in refused.stderr
