"""What a network sees in an epoch, and in which order: a function of the seed and the number of the epoch alone.

So training that was stopped goes on as if it had not been. Clips and stills are never in one batch, because a still
passes through the convolutions once and a clip frame by frame.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from synth_affect.arrays import FloatArray
from synth_affect.optional import import_optional
from synth_affect.regressors.samples import FaceSamples

if TYPE_CHECKING:
    from torch import Tensor

Batch = dict[str, Any]
TURN_RAD, ZOOM, SHIFT = 0.17, 0.10, 0.05
"""Largest turn, change of scale, and shift (of half the picture) with which training pictures are varied."""
CONTRAST, BRIGHTNESS = 0.2, 0.2
POINT_SD = 0.01
"""Of landmarks, half pictures: about what detectors are off; labels of rendered faces are not."""
_MIRRORED = np.r_[
    16:-1:-1, 26:16:-1, 27:31, 35:30:-1, 45:41:-1, 47, 46, 39:35:-1, 41, 40, 54:47:-1, 59:54:-1, 64:59:-1, 67:64:-1
]
"""Which of ibug's 68 points lies where point i is in the mirrored picture."""


@dataclass(frozen=True, slots=True, eq=False)
class BatchPlan:
    """samples : to learn from.  windows : their numbers, sequence by sequence; all of one sample for pictures.
    labels : (n,) the person or the category of each sample as a number, for networks that learn those; else zeros.
    batch : windows in a batch.  varied : mirror, turn, shift, and change the light of pictures.
    made_share : pictures of `augment` for each other one in an epoch, drawn anew each time; None: all of them.
    """

    samples: FaceSamples
    windows: list[npt.NDArray[np.int64]]
    labels: npt.NDArray[np.int64]
    batch: int
    seed: int
    varied: bool = True
    made_share: float | None = None


class BatchStream:
    """Batches of an epoch as an iterable, each time it is iterated. epoch : asked for its number when it begins.

    part : (number, of how many) equal parts of each batch that this process gets, where several learn together. What is
    random is drawn for the whole batch, so that the parts make the batch that one process would have.
    """

    def __init__(self, plan: BatchPlan, epoch: Callable[[], int] | None, part: tuple[int, int] = (0, 1)) -> None:
        self._plan, self._epoch, self._part = plan, epoch, part

    def __len__(self) -> int:
        return len(self.numbers(0))

    def __iter__(self) -> Iterator[Batch]:
        epoch = self._epoch() if self._epoch is not None else 0
        for place, numbers in enumerate(self.numbers(epoch)):
            rng = np.random.default_rng([self._plan.seed, 2, epoch, place]) if self._shuffles else None
            yield _batch(self._plan, numbers, rng if self._plan.varied else None, self._part)

    @property
    def _shuffles(self) -> bool:
        return self._epoch is not None

    def numbers(self, epoch: int) -> list[npt.NDArray[np.int64]]:
        """Of the windows in each batch of an epoch."""
        plan = self._plan
        lengths = np.array([len(window) for window in plan.windows])
        order = np.arange(len(plan.windows))
        if not self._shuffles:
            return [p for kind in (lengths == 1, lengths > 1) for p in _cut(order[kind], plan.batch)]
        rng = np.random.default_rng([plan.seed, 1, epoch])
        made = np.array([bool(plan.samples.made[window[0]]) for window in plan.windows])
        if plan.made_share is not None:
            n = min(int(made.sum()), round(plan.made_share * int((~made).sum())))
            order = np.concatenate([order[~made], rng.permutation(order[made])[:n]])
        order = rng.permutation(order)
        batches = [p for kind in (True, False) for p in _cut(order[(lengths[order] == 1) == kind], plan.batch)]
        return [batches[place] for place in rng.permutation(len(batches))]


def _cut(order: npt.NDArray[np.int64], batch: int) -> list[npt.NDArray[np.int64]]:
    """Batches of nearly the same size: a rest of a few samples would have a CCC that is noise."""
    return np.array_split(order, -(-len(order) // batch)) if len(order) else []


def _batch(
    plan: BatchPlan, numbers: npt.NDArray[np.int64], rng: np.random.Generator | None, part: tuple[int, int]
) -> Batch:
    torch = import_optional("torch", "train")
    windows = [plan.windows[number] for number in numbers]
    n = max(len(window) for window in windows)
    # A short clip is filled up with its last frame; `real` says which frames count.
    filled = np.stack([np.concatenate([w, np.full(n - len(w), w[-1])]) for w in windows])
    real = np.arange(n) < np.array([len(window) for window in windows])[:, np.newaxis]
    landmarks = plan.samples.landmarks[filled]
    rows = np.array_split(np.arange(len(windows)), part[1])[part[0]]
    mine = filled[rows]
    found: Batch = {
        "pictures": torch.from_numpy(plan.samples.pictures.take(mine.ravel())).view(
            *mine.shape, plan.samples.size, plan.samples.size, 3
        ),
        "affect": torch.from_numpy(plan.samples.affect[mine]),
        "real": torch.from_numpy(real[rows]),
        "numbers": torch.from_numpy(mine),
        "labels": torch.from_numpy(plan.labels[mine[:, 0]]),
        "weight": torch.tensor(len(rows) * part[1] / len(windows)),
    }
    if rng is not None:
        warps, tones, mirrored = draw_variations(len(windows), rng)
        landmarks = vary_landmarks(landmarks, warps, mirrored)
        landmarks = landmarks + rng.normal(0, POINT_SD, landmarks.shape)
        found |= {"warp": torch.from_numpy(warps[rows]), "tone": torch.from_numpy(tones[rows])}
    found["landmarks"] = torch.from_numpy(np.ascontiguousarray(landmarks[rows], dtype=np.float32)).flatten(2)
    return found


def draw_variations(n: int, rng: np.random.Generator) -> tuple[FloatArray, FloatArray, npt.NDArray[np.bool_]]:
    """(n, 2, 3) float32: where a place of the new picture was in the old one, both in [-1, 1]; (n, 2) float32 gain and
    offset of the values; (n,) whether it is mirrored.
    """
    turn, zoom = rng.uniform(-TURN_RAD, TURN_RAD, n), 1 + rng.uniform(-ZOOM, ZOOM, n)
    mirrored = rng.random(n) < 0.5
    cos, sin = zoom * np.cos(turn), zoom * np.sin(turn)
    sign = np.where(mirrored, -1.0, 1.0)
    warps = np.stack([np.stack([sign * cos, -sin], axis=1), np.stack([sign * sin, cos], axis=1)], axis=1)
    warps = np.concatenate([warps, rng.uniform(-SHIFT, SHIFT, (n, 2, 1))], axis=2)
    tones = np.stack([1 + rng.uniform(-CONTRAST, CONTRAST, n), rng.uniform(-BRIGHTNESS, BRIGHTNESS, n)], axis=1)
    return warps.astype(np.float32), tones.astype(np.float32), mirrored


def vary_landmarks(landmarks: FloatArray, warps: FloatArray, mirrored: npt.NDArray[np.bool_]) -> FloatArray:
    """(n, n_frames, 68, 2) points of the old pictures in the new ones; a mirrored face's are in ibug's order again."""
    moved = landmarks - warps[:, np.newaxis, np.newaxis, :, 2]
    moved = np.einsum("nij,nfpj->nfpi", np.linalg.inv(warps[:, :, :2]), moved)
    moved[mirrored] = moved[mirrored][:, :, _MIRRORED]
    found: FloatArray = moved.astype(np.float32)
    return found


def pictures_of(batch: Batch) -> Tensor:
    """(batch, n_frames, 3, size, size) float32 in [-1, 1] of a batch, varied as it asks for."""
    torch = import_optional("torch", "train")
    found: Tensor = batch["pictures"].permute(0, 1, 4, 2, 3).float() / 127.5 - 1
    if "warp" not in batch:
        return found
    count, n = found.shape[:2]
    grid = torch.nn.functional.affine_grid(batch["warp"], [count, *found.shape[2:]], align_corners=False)
    grid = grid.repeat_interleave(n, dim=0)
    warped = torch.nn.functional.grid_sample(
        found.flatten(0, 1), grid, mode="bilinear", padding_mode="border", align_corners=False
    )
    gain, offset = batch["tone"].repeat_interleave(n, dim=0).view(-1, 2, 1, 1, 1).unbind(dim=1)
    varied: Tensor = (warped * gain + offset).clamp(-1, 1)
    return varied.view(found.shape)
