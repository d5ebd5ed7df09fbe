"""Where torch computes."""

from __future__ import annotations

from synth_affect.errors import InputError
from synth_affect.optional import import_optional

MOST_DEVICES = 64


def choose_device(name: str, devices: int = 1) -> str:
    """`cpu` or `cuda`, of those and `auto`.

    devices : GPUs, or processes on the CPU.  Raises InputError when there are not the GPUs that were asked for.
    """
    if not 1 <= devices <= MOST_DEVICES:
        raise InputError("--devices", f"{devices} is not in [1, {MOST_DEVICES}]")
    cuda = import_optional("torch", "train").cuda
    there = bool(cuda.is_available())
    if name == "cuda" and not there:
        raise InputError("--device", "cuda was asked for, and torch finds no GPU")
    if not there or name == "cpu":
        return "cpu"
    if devices > cuda.device_count():
        raise InputError("--devices", f"{devices} were asked for, and torch finds {cuda.device_count()} GPUs")
    return "cuda"
