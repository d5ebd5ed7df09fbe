from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks._tiny_network import write_tiny_network
from synth_affect.errors import InputError
from synth_affect.pipelines.judges.open_judges import (
    AFFECT_JUDGES,
    IDENTITY_JUDGES,
    JudgeCards,
    check_judges,
    open_affect_judge,
    open_identity_judge,
    open_judges,
    read_cards,
)


@pytest.mark.parametrize("spec", ["emonet", "emonet=", "other=file", "=file", ""])
def test_a_specification_that_is_none_names_the_kinds(spec: str) -> None:
    with pytest.raises(InputError, match=", ".join(AFFECT_JUDGES)):
        open_affect_judge(spec)
    with pytest.raises(InputError, match=", ".join(IDENTITY_JUDGES)):
        open_identity_judge(spec)


def test_files_are_looked_for_before_any_work(tmp_path: Path) -> None:
    there = tmp_path / "there"
    there.touch()
    check_judges([f"{kind}={there}" for kind in AFFECT_JUDGES], [f"{kind}={there}" for kind in IDENTITY_JUDGES])
    for affect, identity in ([f"emonet={tmp_path / 'a'}"], []), ([], [f"arcface={tmp_path / 'a'}"]), (["a.json"], []):
        with pytest.raises(InputError, match="no such file"):
            check_judges(affect, identity)


def test_judges_are_tried_when_they_are_opened(tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    pytest.importorskip("onnx")
    good = write_tiny_network(tmp_path / "good_va_mtl.onnx", [0.0] * 10, [0.1] * 10)
    one = write_tiny_network(tmp_path / "one.onnx", [1.0], [0.5], (1, 3, 112, 112))
    opened = open_judges([f"hsemotion={good}"], [f"arcface={one}"])
    assert [card.name for card in opened.cards.affect] == ["HSEmotion good_va_mtl"]
    assert [card.name for card in opened.cards.identity] == ["ArcFace one"]
    nan = write_tiny_network(tmp_path / "nan.onnx", [0.0] * 10, [float("nan")] * 10)
    few = write_tiny_network(tmp_path / "few.onnx", [0.0] * 9, [0.0] * 9)
    for affect, says in (([nan], "gives NaN"), ([few], "gives 9 numbers"), ([good, good], "two judges are called")):
        with pytest.raises(InputError, match=says):
            open_judges([f"hsemotion={path}" for path in affect], [])


def test_cards_come_from_a_process_of_its_own(tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    pytest.importorskip("onnx")
    good = write_tiny_network(tmp_path / "good_va_mtl.onnx", [0.0] * 10, [0.1] * 10)
    assert read_cards([f"hsemotion={good}"], []) == open_judges([f"hsemotion={good}"], []).cards
    good.write_bytes(good.read_bytes()[:-20])
    with pytest.raises(InputError, match=r"good_va_mtl.onnx: not a network that onnxruntime can open"):
        read_cards([f"hsemotion={good}"], [])
    assert read_cards([], []) == JudgeCards()


@pytest.mark.parametrize(
    ("command", "kind", "package"),
    [
        (["--valence", "0.5", "--arousal", "0", "--verify", "--image"], "hsemotion", "onnxruntime"),
        (["augment", "--targets", "ring", "--verify", "--out", "out"], "emonet", "torch"),
        (["evaluate", "editor", "--out", "out", "--images"], "hsemotion", "onnxruntime"),
    ],
)
def test_a_missing_extra_is_said_before_any_work(
    tmp_path: Path, portrait_path: Path, command: list[str], kind: str, package: str
) -> None:
    (tmp_path / "absent").mkdir()
    (tmp_path / "absent" / f"{package}.py").write_text("raise ImportError('absent')")
    (tmp_path / "weights").touch()
    (tmp_path / "faces").mkdir()
    shutil.copy(portrait_path, tmp_path / "faces" / "face.png")
    arguments = [*command, "faces" if "augment" in command else "faces/face.png", "--judge", f"{kind}=weights"]
    before = sorted(tmp_path.rglob("*"))
    done = subprocess.run(
        [sys.executable, "-m", "synth_affect", *arguments],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path / "absent"), str(Path(__file__).parents[3])])},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr.startswith(f"synth-affect: {package} cannot be imported (absent); to install it: pip install")
    assert done.stderr.count("\n") == 1
    assert [path for path in sorted(tmp_path.rglob("*")) if "__pycache__" not in path.parts] == before
