"""Samples that a small network can learn: a disc whose place and shade are the affect, on the colour of a person."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from synth_affect.regressors.samples import Crops, FaceSamples


def make_samples(
    n_people: int = 6, per_person: int = 8, size: int = 32, clips: bool = False, seed: int = 0
) -> FaceSamples:
    rng = np.random.default_rng(seed)
    n = n_people * per_person
    affect = rng.uniform(-0.9, 0.9, (n, 2)).astype(np.float32)
    people = np.repeat(np.arange(n_people), per_person)
    y, x = np.mgrid[:size, :size] / size * 2 - 1
    pictures = np.empty((n, size, size, 3), dtype=np.uint8)
    for i, (v, a) in enumerate(affect):
        disc = (x**2 + (y - 0.5 * v) ** 2) < 0.15
        hue = np.random.default_rng(people[i]).uniform(0, 120, 3)
        pictures[i] = np.where(disc[..., np.newaxis], 128 + 120 * a, hue)
    landmarks = np.repeat(np.stack([np.zeros(n), 0.5 * affect[:, 0]], axis=1)[:, np.newaxis], 68, axis=1)
    return FaceSamples(
        pictures=Crops.of(pictures),
        affect=affect,
        landmarks=landmarks.astype(np.float32),
        categories=np.array(["happiness" if v > 0 else "sadness" for v in affect[:, 0]]),
        subjects=np.array([f"p{person}" for person in people]),
        sequences=np.array([f"c{person}" if clips else "" for person in people]),
        keys=np.array([f"p{person}/{i:04d}" for i, person in enumerate(people)]),
        frames=np.arange(n, dtype=np.int64),
        made=np.zeros(n, dtype=bool),
    )


@pytest.fixture
def samples() -> Callable[..., FaceSamples]:
    return make_samples
