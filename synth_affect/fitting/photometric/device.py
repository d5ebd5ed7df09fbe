"""Where a refinement runs."""

from __future__ import annotations

from typing import Literal, get_args

from synth_affect.errors import InputError
from synth_affect.optional import import_optional

DeviceChoice = Literal["cpu", "cuda", "auto"]
EXTRA = "refine"
"""torch on any device."""
GPU_EXTRA = "gpu"
"""pytorch3d with the torch that it is built for."""


def choose_device(choice: DeviceChoice) -> str:
    """torch's name of the device: `auto` is the GPU where torch has one and pytorch3d is installed, else the CPU.

    Raises MissingDependencyError without torch, and for `cuda` without pytorch3d; InputError for `cuda` without a GPU
    that torch can use, and for any other word.
    """
    if choice not in get_args(DeviceChoice):
        raise InputError("--device", f"{choice} is not one of {', '.join(get_args(DeviceChoice))}")
    torch = import_optional("torch", EXTRA)
    if choice == "cpu":
        return "cpu"
    if not torch.cuda.is_available():
        if choice == "auto":
            return "cpu"
        build = "this torch is built without CUDA" if torch.version.cuda is None else "torch finds no usable GPU"
        raise InputError("--device", f"cuda was asked for, but {build}; give cpu or auto")
    try:
        import_optional("pytorch3d", GPU_EXTRA)
    except ImportError:
        if choice == "auto":
            return "cpu"
        raise
    return "cuda"
