"""Order and variations of what a network sees."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from synth_affect.regressors.batches import (
    _MIRRORED,
    BatchPlan,
    BatchStream,
    draw_variations,
    pictures_of,
    vary_landmarks,
)
from synth_affect.regressors.samples import FaceSamples, join, windows

torch = pytest.importorskip("torch")
Make = Callable[..., FaceSamples]


def plan_of(samples: FaceSamples, **more: object) -> BatchPlan:
    zeros = np.zeros(len(samples), dtype=np.int64)
    return BatchPlan(samples, windows(samples, 3), zeros, 4, 7, **more)  # type: ignore[arg-type]


def numbers(plan: BatchPlan, epoch: int) -> list[int]:
    return [int(n) for batch in BatchStream(plan, lambda: epoch) for n in batch["numbers"][batch["real"]]]


def test_an_epoch_is_its_number_and_shows_everything_once(samples: Make) -> None:
    plan = plan_of(join([samples(2, 5, clips=True), samples(2, 5, seed=3)]))
    first = numbers(plan, 0)
    assert sorted(first) == list(range(20))
    assert first == numbers(plan, 0)
    assert first != numbers(plan, 1)
    assert first != numbers(replace(plan, seed=8), 0)
    assert len(BatchStream(plan, lambda: 0)) == len(list(BatchStream(plan, lambda: 0)))


def test_short_clips_are_filled_up_and_stills_are_apart(samples: Make) -> None:
    for batch in BatchStream(plan_of(join([samples(2, 5, clips=True), samples(2, 5)])), lambda: 0):
        lengths = batch["real"].sum(dim=1)
        assert (lengths == 1).all() or (lengths > 1).all()
        filled = batch["numbers"][~batch["real"]]
        assert len(filled) == 0 or batch["numbers"].shape[1] == 3


def test_parts_of_batches_make_the_batches(samples: Make) -> None:
    plan = plan_of(join([samples(2, 5, clips=True), samples(2, 5)]))
    whole = list(BatchStream(plan, lambda: 3))
    parts = [list(BatchStream(plan, lambda: 3, (number, 2))) for number in (0, 1)]
    for batch, *both in zip(whole, *parts, strict=True):
        for name in batch.keys() - {"weight"}:
            torch.testing.assert_close(torch.cat([part[name] for part in both]), batch[name])
        weights = [float(part["weight"]) for part in both]
        sizes = [len(part["numbers"]) for part in both]
        assert weights == pytest.approx([2 * size / sum(sizes) for size in sizes])


def test_the_share_of_made_pictures_is_drawn_anew(samples: Make) -> None:
    real, made = samples(2, 5), samples(4, 10, seed=5)
    both = join([real, replace(made, made=np.ones(40, dtype=bool))])
    plan = plan_of(both, made_share=0.5)
    first, second = (numbers(plan, epoch) for epoch in (0, 1))
    assert len(first) == 15
    assert sorted(n for n in first if n < 10) == list(range(10))
    assert sorted(first) != sorted(second)
    assert len(numbers(replace(plan, made_share=None), 0)) == 50


def test_mirroring_twice_is_nothing() -> None:
    assert sorted(_MIRRORED.tolist()) == list(range(68))
    np.testing.assert_array_equal(_MIRRORED[_MIRRORED], np.arange(68))
    assert (_MIRRORED[36], _MIRRORED[48], _MIRRORED[30], _MIRRORED[60], _MIRRORED[8]) == (45, 54, 30, 64, 8)


def test_landmarks_go_where_the_picture_goes() -> None:
    rng = np.random.default_rng(0)
    size, n = 64, 6
    warps, _, mirrored = draw_variations(n, rng)
    assert mirrored.any()
    assert not mirrored.all()
    places = np.full((n, 1, 68, 2), 0.3, dtype=np.float32)
    places[..., 1] = -0.2
    x, y = (int((1 + places[0, 0, 0, i]) / 2 * size) for i in range(2))
    pictures = np.zeros((n, 1, size, size, 3), dtype=np.uint8)
    pictures[:, :, y - 1 : y + 2, x - 1 : x + 2] = 255
    batch = {
        "pictures": torch.from_numpy(pictures),
        "warp": torch.from_numpy(warps),
        "tone": torch.tensor([[1.0, 0.0]]).repeat(n, 1),
    }
    varied = pictures_of(batch)[:, 0, 0] + 1
    axis = (torch.arange(size) + 0.5) / size * 2 - 1
    mass = varied.sum(dim=(1, 2))
    found = torch.stack([(varied.sum(dim=1) * axis).sum(dim=1), (varied.sum(dim=2) * axis).sum(dim=1)], dim=1)
    centre = (np.array([x, y]) + 0.5) / size * 2 - 1
    wanted = vary_landmarks(np.full((n, 1, 68, 2), centre, dtype=np.float32), warps, mirrored)[:, 0, 0]
    np.testing.assert_allclose((found / mass[:, None]).numpy(), wanted, atol=0.02)


def test_pictures_become_what_networks_take(samples: Make) -> None:
    batch = next(iter(BatchStream(plan_of(samples(2, 5), varied=False), None)))
    pictures = pictures_of(batch)
    assert pictures.shape == (4, 1, 3, 32, 32)
    assert -1 <= float(pictures.min()) <= float(pictures.max()) <= 1
    np.testing.assert_allclose(pictures[0, 0, :, 5, 9].numpy(), batch["pictures"][0, 0, 5, 9].numpy() / 127.5 - 1)
