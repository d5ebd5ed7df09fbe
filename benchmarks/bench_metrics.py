"""Scores of valence and arousal with 1,000 resamples: by sums of moments, and by samples that are gathered.

Both draw the same resamples; that they agree is checked. Run: python -m benchmarks.bench_metrics [--samples N]
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from functools import partial
from time import process_time

import numpy as np

from synth_affect.regressors.metrics import score_affect

N_BOOTSTRAP = 1000


def naive(truth: np.ndarray, found: np.ndarray, groups: np.ndarray) -> tuple[float, float]:
    """The interval of the CCC of valence."""
    rng = np.random.default_rng(0)
    members = [np.flatnonzero(groups == g) for g in range(groups.max() + 1)]
    drawn = []
    for _ in range(N_BOOTSTRAP):
        draw = rng.integers(len(members), size=len(members))
        take = draw if len(members) == len(truth) else np.concatenate([members[g] for g in draw])
        for d in (1, 0):
            x, y = truth[take, d], found[take, d]
            cov = np.mean((x - x.mean()) * (y - y.mean()))
            ccc = 2 * cov / (x.var() + y.var() + (x.mean() - y.mean()) ** 2)
        drawn.append(ccc)
    low, high = np.percentile(drawn, [2.5, 97.5])
    return float(low), float(high)


def cpu_seconds(call: Callable[[], object], rounds: int) -> float:
    """Of the fastest of `rounds` calls."""
    times = []
    for _ in range(rounds):
        start = process_time()
        call()
        times.append(process_time() - start)
    return min(times)


def main() -> None:
    """Print one line a case."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", type=int, default=30_000, help="as many as AFEW-VA has frames")
    n = parser.parse_args().samples
    rng = np.random.default_rng(1)
    truth = rng.uniform(-1, 1, (n, 2))
    found = 0.5 * truth + rng.normal(0, 0.3, (n, 2))
    for name, groups in (("240 people", rng.integers(240, size=n)), ("samples", np.arange(n))):
        groups = np.unique(groups, return_inverse=True)[1]
        names = None if name == "samples" else [f"{g:06d}" for g in groups]

        ours = partial(score_affect, truth, found, groups=names, n_bootstrap=N_BOOTSTRAP)
        scores = ours().valence.ccc
        low, high = naive(truth, found, groups)
        assert abs(scores.low - low) < 1e-7
        assert abs(scores.high - high) < 1e-7
        fast = cpu_seconds(ours, 3)
        slow = cpu_seconds(partial(naive, truth, found, groups), 1)
        print(f"{n} samples, {name} drawn: 5 scores by sums {fast:.3f} s, CCC alone by gathering {slow:.3f} s, "
              f"ratio {slow / fast:.1f}")  # fmt: skip


if __name__ == "__main__":
    main()
