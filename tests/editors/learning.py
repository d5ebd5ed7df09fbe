"""What tells who learns from what in a step of networks that learn against each other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any


class Features:
    """Stands for a network of identity: one layer, whose weights must not learn; it notes how many it was shown."""

    def __init__(self) -> None:
        import torch

        generator = torch.Generator().manual_seed(5)
        self.weights = torch.nn.Parameter(torch.randn(4, 3, 3, 3, generator=generator))
        self.shown: list[int] = []

    def __call__(self, pictures: Any) -> list[Any]:
        import torch

        self.shown.append(len(pictures))
        return [torch.relu(torch.nn.functional.conv2d(pictures, self.weights.detach()))]


class Watched:
    """An optimizer that says whose parameters had gradients when it stepped, and does nothing.

    part_of : of a parameter's name.
    """

    def __init__(self, learner: Any, steps: list[set[str]], part_of: Callable[[str], str]) -> None:
        self.learner, self.steps, self.part_of = learner, steps, part_of

    def zero_grad(self, **_: object) -> None:
        self.learner.zero_grad()

    def step(self) -> None:
        self.steps.append({self.part_of(name) for name, p in self.learner.named_parameters() if p.grad is not None})


def reached_of(learner: Any, loss: Any, networks: Sequence[str]) -> dict[str, str]:
    """The networks of whose parameters `loss` depends on some, and whether it does on all."""
    import torch

    found = {}
    for name in networks:
        parameters = list(getattr(learner, name).parameters())
        gradients = torch.autograd.grad(loss, parameters, retain_graph=True, allow_unused=True)
        n = sum(gradient is not None for gradient in gradients)
        found[name] = "all" if n == len(parameters) else "some" if n else "none"
    return {name: reach for name, reach in found.items() if reach != "none"}
