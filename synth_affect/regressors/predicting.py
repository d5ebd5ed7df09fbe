"""What a trained network says of samples."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from synth_affect.arrays import FloatArray
from synth_affect.errors import InputError
from synth_affect.optional import import_optional
from synth_affect.regressors.batches import Batch, BatchPlan, BatchStream, pictures_of
from synth_affect.regressors.networks import NetworkSettings
from synth_affect.regressors.samples import FaceSamples, windows

if TYPE_CHECKING:
    from torch import Tensor, nn

BATCH = 64


def plan_of(
    samples: FaceSamples, settings: NetworkSettings, *, batch: int, steps: int, seed: int = 0, **more: Any
) -> BatchPlan:
    """How `samples` pass through the network: as sequences of at most `steps` frames where it takes them.

    Raises InputError when there is no sample, the pictures are of another size, or it needs landmarks and some have
    none.
    """
    if not len(samples):
        raise InputError("samples", "there is no picture")
    if samples.size != settings.size:
        raise InputError("--size", f"pictures of {samples.size} px, and a network for {settings.size} px")
    if settings.is_recurrent:
        absent = np.flatnonzero(np.isnan(samples.landmarks).any(axis=(1, 2)))
        if len(absent):
            reason = f"has no 68 landmarks, which {settings.kind} reads ({len(absent)} pictures like it)"
            raise InputError(str(samples.keys[absent[0]]), reason)
        cut = windows(samples, steps)
    else:
        cut = [np.array([number]) for number in range(len(samples))]
    return BatchPlan(samples, cut, _labels(samples, settings), batch, seed, **more)


def _labels(samples: FaceSamples, settings: NetworkSettings) -> npt.NDArray[np.int64]:
    if settings.kind == "identity":
        return np.unique(samples.subjects, return_inverse=True)[1].astype(np.int64)
    if settings.kind == "classes":
        return class_labels(samples, settings)
    return np.zeros(len(samples), dtype=np.int64)


def class_labels(samples: FaceSamples, settings: NetworkSettings) -> npt.NDArray[np.int64]:
    """(n,) the place of each sample's category among the network's, -1 for another one or none."""
    found = np.full(len(samples), -1, dtype=np.int64)
    for place, category in enumerate(settings.categories):
        found[samples.categories == str(category)] = place
    return found


def run_network(network: nn.Module, settings: NetworkSettings, batch: Batch, steps: int) -> Tensor:
    """(batch, n_steps, values) of a batch; n_steps is 1 for networks of pictures."""
    pictures = pictures_of(batch)
    found: Tensor
    if settings.is_recurrent:
        found = network(pictures, batch["landmarks"], steps)
    elif settings.takes_landmarks:
        found = network(pictures.flatten(0, 1), batch["landmarks"].flatten(0, 1))[:, None]
    else:
        found = network(pictures.flatten(0, 1))[:, None]
    return found


def last_of_stills(predicted: Tensor, batch: Batch) -> Tensor:
    """One prediction for each frame of the batch: a still's is that after the last step for which it was held."""
    return predicted if predicted.shape[1] == batch["numbers"].shape[1] else predicted[:, -1:]


def predict(
    network: nn.Module, settings: NetworkSettings, samples: FaceSamples, *, steps: int = 16, batch: int = BATCH
) -> FloatArray:
    """(n, values) float32 in the order of the samples: valence and arousal, logits of categories,
    or an embedding.

    steps : see `plan_of`; those of training.  The network is used on the device on which it is.
    """
    torch = import_optional("torch", "train")
    plan = plan_of(samples, settings, batch=batch, steps=steps, varied=False)
    device = next(network.parameters()).device
    found: FloatArray | None = None
    training = network.training
    network.eval()
    with torch.inference_mode():
        for part in BatchStream(plan, None):
            part = {name: tensor.to(device) for name, tensor in part.items()}
            values = last_of_stills(run_network(network, settings, part, steps), part)
            if found is None:
                found = np.zeros((len(samples), values.shape[-1]), dtype=np.float32)
            found[part["numbers"][part["real"]].cpu().numpy()] = values[part["real"]].float().cpu().numpy()
    network.train(training)
    assert found is not None
    return found
