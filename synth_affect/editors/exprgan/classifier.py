"""Table 1's classifier: G_enc with an FC of 6 on its code, trained with more and more pictures that G_dec made.

Silent, and chosen: it starts from the trained G_enc and trains all of it, Adam with the editor's settings; the same
number of steps whatever the number of made pictures, and in each step as many real ones as made ones; made ones have
drawn codes and a c that is drawn for their class, as in training.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from synth_affect.arrays import FloatArray
from synth_affect.editors.exprgan.controller import draw_controller
from synth_affect.editors.exprgan.networks import EXTRA
from synth_affect.editors.exprgan.settings import CLASSES
from synth_affect.editors.exprgan.trained import BATCH, Pictures, TrainedExprGan
from synth_affect.editors.gradient_step import take_step
from synth_affect.editors.training import pictures_as_tensor
from synth_affect.errors import InputError
from synth_affect.optional import import_optional

if TYPE_CHECKING:
    from torch import Tensor

Classes = npt.NDArray[np.int64]


def make_labelled(editor: TrainedExprGan, n: int, seed: int) -> tuple[Pictures, Classes]:
    """n pictures of people whom nobody is, of the six classes in turn."""
    torch = import_optional("torch", EXTRA)
    classes = np.arange(n, dtype=np.int64) % len(CLASSES)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        controllers = draw_controller(torch.from_numpy(classes), editor.settings.controller).numpy()
    codes = editor.draw_codes(n, np.random.default_rng([seed, n]))
    return editor.decode(codes, controllers), classes


class ExpressionClassifier:
    """G_enc and FC 6, trained when it is made."""

    def __init__(
        self,
        editor: TrainedExprGan,
        pictures: Pictures,
        classes: Classes,
        *,
        made: tuple[Pictures, Classes] | None = None,
        steps: int,
        seed: int = 0,
    ) -> None:
        """pictures, classes : real ones, numbers in CLASSES.  made : see `make_labelled`.

        Raises InputError when there is no picture.
        """
        if not len(pictures):
            raise InputError("--data", f"has no training picture of {', '.join(CLASSES)}")
        torch = import_optional("torch", EXTRA)
        self._device, settings = editor.device, editor.settings
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            head = torch.nn.Linear(settings.code, len(CLASSES)).to(editor.device)
        encoder = copy.deepcopy(editor.networks.encoder).train().requires_grad_(requires_grad=True)
        self._network: Any = torch.nn.Sequential(encoder, head)
        optimizer = torch.optim.Adam(self._network.parameters(), settings.learning_rate, betas=settings.betas)
        rng = np.random.default_rng([seed, 1])
        parts = [(pictures, classes)] + ([made] if made is not None and len(made[0]) else [])
        share = settings.batch // len(parts)
        for _ in range(steps):
            drawn = [rng.integers(len(own), size=share) for own, _ in parts]
            shown = np.concatenate([own[at] for (own, _), at in zip(parts, drawn, strict=True)])
            truth = np.concatenate([labels[at] for (_, labels), at in zip(parts, drawn, strict=True)])
            flips = rng.random(len(shown)) < 0.5
            shown[flips] = shown[flips, :, ::-1]
            logits = self._network(pictures_as_tensor(shown, editor.device))
            loss = torch.nn.functional.cross_entropy(logits, torch.from_numpy(truth).to(editor.device))
            take_step(optimizer, loss)
        self._network.eval()

    def probabilities(self, pictures: Pictures) -> FloatArray:
        """(n, 6) float32, in the order of CLASSES."""
        torch = import_optional("torch", EXTRA)
        parts: list[Tensor] = []
        with torch.inference_mode():
            for start in range(0, len(pictures), BATCH):
                logits = self._network(pictures_as_tensor(pictures[start : start + BATCH], self._device))
                parts.append(torch.softmax(logits.float(), dim=1).cpu())
        found: FloatArray = torch.cat(parts).numpy()
        return found
