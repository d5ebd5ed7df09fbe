"""The loop for networks that learn against each other."""

from __future__ import annotations

import csv
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from synth_affect.editors.faces import EditorFaces
from synth_affect.editors.recipes import Recipe
from synth_affect.editors.training import LAST, LOG, LoopSettings, TrainedEditor, pictures_as_tensor, train_editor
from synth_affect.errors import InputError

torch = pytest.importorskip("torch")
pytest.importorskip("lightning")

Make = Callable[..., EditorFaces]
LOOP = LoopSettings(epochs=3, batch=6, seed=5)


def trained(shade: Recipe, loop: LoopSettings, faces: EditorFaces, folder: Path, **more: Any) -> TrainedEditor:
    torch.manual_seed(1)
    return train_editor(shade.build_learner(shade.settings(), faces, None), loop, faces, folder, **more)


def rows_of(folder: Path) -> list[dict[str, str]]:
    with (folder / LOG).open() as file:
        return list(csv.DictReader(file))


def test_both_networks_learn_and_the_log_says_what(shade: Recipe, faces: Make, tmp_path: Path) -> None:
    sheets: dict[int, np.ndarray] = {}
    shown = faces(1, seed=8)
    start = shade.build_learner(shade.settings(), faces(), None).state_dict()
    found = trained(shade, replace(LOOP, epochs=30), faces(), tmp_path, draw=sheets.__setitem__, shown=shown)
    assert set(found.state) == set(start)
    rows = rows_of(tmp_path)
    assert [row["epoch"] for row in rows] == [str(epoch) for epoch in range(30)]
    assert [row["step"] for row in rows] == [str(4 * (epoch + 1)) for epoch in range(30)], "20 faces, 6 a batch"
    assert [rows[0]["fooled"], rows[1]["critic"]] == ["", ""], "stages have losses of their own"
    assert float(rows[0]["critic"]) > 0
    assert float(rows[-1]["pixel"]) < 0.8 * float(rows[0]["pixel"])
    assert found.losses["pixel"] == pytest.approx(float(rows[-1]["pixel"]))
    assert (found.steps, set(sheets)) == (120, set(range(30)))
    np.testing.assert_array_equal(sheets[4], shown.pictures[0])
    assert 0 < found.seconds < 600


def test_a_batch_is_what_it_says(faces: Make) -> None:
    pictures = faces().pictures
    tensor = pictures_as_tensor(pictures, "cpu")
    assert tensor.shape == (20, 3, 16, 16)
    np.testing.assert_allclose(tensor[3, 1].numpy(), pictures[3, :, :, 1] / 127.5 - 1, atol=1e-6)


SCRIPT = """
import sys
from pathlib import Path
sys.path.insert(0, {tests!r})
from shade_editor import SHADE, make_faces
import torch
from synth_affect.editors.training import LoopSettings, train_editor
torch.set_num_threads({threads})
torch.manual_seed(1)
learner = SHADE.build_learner(SHADE.settings(), make_faces(), None)
train_editor(learner, LoopSettings(**{loop!r}), make_faces(), Path({out!r}))
"""


def test_a_killed_run_goes_on_to_the_same_weights(shade: Recipe, faces: Make, tmp_path: Path) -> None:
    loop = LoopSettings(epochs=400, batch=6, interval=3, seed=5)
    killed = tmp_path / "killed"
    about = {"epochs": 400, "batch": 6, "interval": 3, "seed": 5}
    # Sums of another number of threads are rounded differently.
    threads = torch.get_num_threads()
    script = SCRIPT.format(tests=str(Path(__file__).parent.parent), threads=threads, loop=about, out=str(killed))
    with subprocess.Popen([sys.executable, "-c", script], stderr=subprocess.PIPE) as process:
        for _ in range(30000):
            if process.poll() is not None or ((killed / LOG).is_file() and len(rows_of(killed)) >= 5):
                break
            time.sleep(0.005)
        process.send_signal(signal.SIGKILL)
        process.wait()
    stored = len(torch.load(killed / LAST, weights_only=True)["history"])
    assert 4 <= stored < 800, "it was to be killed on its way"
    assert stored >= len(rows_of(killed)) - 1, "no more than one interval is lost"
    # The rest of 400 epochs is long; a run of the epochs that the kill left, and a few more, shows the same.
    fewer = replace(loop, epochs=stored // 2 + 3)
    torch.manual_seed(99)  # what the process drew before must not matter
    resumed = trained(shade, fewer, faces(), killed)
    whole = trained(shade, fewer, faces(), tmp_path / "whole")
    assert resumed.steps == whole.steps == 4 * fewer.epochs
    for name, tensor in whole.state.items():
        torch.testing.assert_close(resumed.state[name], tensor, rtol=0, atol=0)
    timeless = [[{**row, "seconds": ""} for row in rows_of(folder)] for folder in (killed, tmp_path / "whole")]
    assert timeless[0] == timeless[1]
    again = trained(shade, fewer, faces(), killed)
    assert again.steps == whole.steps, "a finished run is read"
    other = trained(shade, replace(fewer, seed=6), faces(), tmp_path / "other")
    assert any(not torch.equal(other.state[name], tensor) for name, tensor in whole.state.items())


def test_intervals_cut_an_epoch_and_leave_no_face_out(faces: Make) -> None:
    from synth_affect.editors.training import _Plan

    plan = _Plan(26, LoopSettings(epochs=2, batch=5, interval=2, seed=0))
    assert (plan.parts, plan.steps, plan.n_intervals) == (3, 2, 6)
    epoch = [[plan.cut(plan.order(i), i, step) for step in range(plan.steps)] for i in range(plan.parts)]
    assert [[len(batch) for batch in part] for part in epoch] == [[5, 5], [5, 5], [5, 0]], "one is left out, see batch"
    assert len({int(face) for part in epoch for batch in part for face in batch}) == 25
    assert not np.array_equal(plan.order(0), plan.order(3))
    whole = _Plan(8, LoopSettings(epochs=1, batch=3))
    assert [len(whole.cut(whole.order(0), 0, step)) for step in range(whole.steps)] == [3, 3, 2]


def test_what_cannot_be_trained_is_one_line(shade: Recipe, faces: Make, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="two faces are the least"):
        trained(shade, LOOP, faces(1, 1), tmp_path)
    broken = faces()
    nan = EditorFaces(broken.pictures, np.full((20, 2), np.nan), broken.categories, broken.subjects, broken.keys)
    with pytest.raises(InputError, match="loss pixel is no number any more in epoch 0"):
        trained(shade, LOOP, nan, tmp_path / "nan")
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot be made"):
        trained(shade, LOOP, faces(), tmp_path / "file" / "folder")
    for bad, option in (({"epochs": 0}, "--epochs"), ({"batch": 1}, "--batch"), ({"interval": 0}, "--interval")):
        with pytest.raises(InputError, match=option):
            LoopSettings(**{"epochs": 1, "batch": 2, **bad})
