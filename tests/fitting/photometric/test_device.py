from __future__ import annotations

import pytest

from synth_affect.errors import InputError, MissingDependencyError
from synth_affect.fitting.photometric import device as module
from synth_affect.fitting.photometric.device import choose_device


def test_without_torch_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str, extra: str) -> None:
        raise MissingDependencyError(name, extra, "No module named 'torch'")

    monkeypatch.setattr(module, "import_optional", absent)
    with pytest.raises(
        MissingDependencyError, match=r'torch cannot be imported .* pip install "synth-affect\[refine\]"'
    ):
        choose_device("auto")


def test_an_unknown_word_is_refused_before_torch_is_asked_for() -> None:
    with pytest.raises(InputError, match="--device: tpu is not one of cpu, cuda, auto"):
        choose_device("tpu")  # type: ignore[arg-type]


def test_cuda_that_is_not_there_is_an_error_and_auto_takes_the_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    torch = pytest.importorskip("torch")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(InputError, match="--device: cuda was asked for, but "):
        choose_device("cuda")
    assert choose_device("auto") == "cpu"
    assert choose_device("cpu") == "cpu"


def test_a_gpu_without_pytorch3d_is_taken_only_when_it_can_be_used(monkeypatch: pytest.MonkeyPatch) -> None:
    torch = pytest.importorskip("torch")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)

    def no_pytorch3d(name: str, extra: str) -> object:
        if name == "pytorch3d":
            raise MissingDependencyError(name, extra, "No module named 'pytorch3d'")
        return torch

    monkeypatch.setattr(module, "import_optional", no_pytorch3d)
    assert choose_device("auto") == "cpu"
    with pytest.raises(MissingDependencyError, match="pytorch3d"):
        choose_device("cuda")
    monkeypatch.setattr(module, "import_optional", lambda name, extra: torch)
    assert choose_device("auto") == choose_device("cuda") == "cuda"
