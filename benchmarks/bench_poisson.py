"""How long Poisson blending takes for a mask of 300 x 300 px in three channels; the bar is 15 ms in one thread.

Beside it, in the same run: OpenCV's `seamlessClone`. Both are compared with scipy's direct solution of the same
equations, in grey levels of 255. `seamlessClone` answers another question in part, and the error says how far that is
from what was asked: it erodes the mask, solves over its whole bounding box, and returns uint8, so half a level is
rounding. It writes into its mask and places the patch by the box's centre; here it gets a fresh mask each time and the
centre, within a pixel of the true one, at which its error is least.
"""

from __future__ import annotations

import itertools
from functools import partial

import cv2
import numpy as np
from scipy import sparse
from scipy.sparse.linalg import splu

from benchmarks._timing import Row, arguments, measure, print_table, surroundings, use_one_thread, write_json
from synth_affect.render.poisson import poisson_blend

TITLE = "Poisson blending: masks within 300 x 300 px of a picture of 512 x 512 px, 3 channels"
BAR_MS = 15.0
BAR_LEVELS = 0.2


def pictures() -> tuple[np.ndarray, np.ndarray]:
    """A photograph, and the same under other light with noise: uint8, so that both blenders take them as they are."""
    from skimage.data import astronaut

    target = astronaut()
    rows, columns = np.mgrid[:512, :512] / 512
    light = (0.6 + 0.5 * columns + 0.2 * np.sin(9 * rows))[..., None]
    noise = np.random.default_rng(0).normal(0, 6, target.shape)
    source = np.clip(0.8 * target[::-1] * light + noise, 0, 255).astype(np.uint8)
    return source, target


def masks() -> dict[str, np.ndarray]:
    rows, columns = np.mgrid[:512, :512]
    square = (np.abs(rows - 255.5) < 150) & (np.abs(columns - 255.5) < 150)
    oval = ((rows - 256) / 150) ** 2 + ((columns - 256) / 115) ** 2 < 1
    holes = ((rows - 210) / 14) ** 2 + ((np.abs(columns - 256) - 50) / 26) ** 2 < 1
    at_the_border = np.zeros_like(square)
    at_the_border[212:, 106:406] = True
    pepper = square & (np.random.default_rng(1).random(square.shape) < 0.9)
    return {
        "square": square,
        "oval with two holes": oval & ~holes,
        "square at the bottom border": at_the_border,
        "square, a tenth of it missing": pepper,
    }


def exact(source: np.ndarray, target: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """The float64 blend by a sparse factorisation."""
    height, width = mask.shape
    n = int(mask.sum())
    number = np.full(mask.shape, -1)
    number[mask] = np.arange(n)
    difference = target.astype(np.float64) - source
    row, column = np.nonzero(mask)
    degree, charge = np.zeros(n), np.zeros((n, target.shape[2]))
    entries = []
    for dy, dx in ((0, 1), (0, -1), (1, 0), (-1, 0)):
        y, x = row + dy, column + dx
        there = (y >= 0) & (y < height) & (x >= 0) & (x < width)
        degree += there
        i, y, x = np.flatnonzero(there), y[there], x[there]
        j = number[y, x]
        charge[i[j < 0]] += difference[y[j < 0], x[j < 0]]
        entries.append((i[j >= 0], j[j >= 0], np.full(int((j >= 0).sum()), -1.0)))
    entries.append((np.arange(n), np.arange(n), degree))
    i, j, value = (np.concatenate(parts) for parts in zip(*entries, strict=True))
    result = target.astype(np.float64)
    result[mask] = source[mask] + splu(sparse.csc_matrix((value, (i, j)))).solve(charge)
    return result


def clone(source: np.ndarray, target: np.ndarray, mask: np.ndarray, shift: tuple[int, int] = (0, 0)) -> np.ndarray:
    """OpenCV's blend with its patch put back where it was taken, or (x, y) px beside it."""
    x, y, width, height = cv2.boundingRect(mask)
    centre = (x + width // 2 + shift[0], y + height // 2 + shift[1])
    return cv2.seamlessClone(source, target, mask.copy(), centre, cv2.NORMAL_CLONE)


def best_shift(source: np.ndarray, target: np.ndarray, mask: np.ndarray, reference: np.ndarray) -> tuple[int, int]:
    """The shift, within a pixel, at which OpenCV comes closest; it raises where the patch leaves the picture."""
    errors: dict[tuple[int, int], float] = {}
    for shift in itertools.product((-1, 0, 1), (-1, 0, 1)):
        try:
            errors[shift] = np.abs(clone(source, target, mask, shift) - reference)[mask > 0].mean()
        except cv2.error:
            continue
    return min(errors, key=errors.__getitem__)


def levels(result: np.ndarray, reference: np.ndarray, mask: np.ndarray) -> str:
    error = np.abs(result - reference)[mask]
    return f"error: mean {error.mean():.3f}, max {error.max():.3f} levels"


def main() -> None:
    """Print the table."""
    options = arguments(__doc__, repeats=30).parse_args()
    use_one_thread()
    cv2.setNumThreads(1)
    context = surroundings(["numba", "scipy", "opencv-contrib-python"])
    source, target = pictures()
    source_float, target_float = source.astype(np.float32), target.astype(np.float32)
    rows = []
    for name, mask in masks().items():
        # What uint8 cannot show is left out of the comparison of both.
        reference = np.clip(exact(source, target, mask), 0, 255)
        ours = np.clip(poisson_blend(source_float, target_float, mask), 0, 255)
        time = measure(partial(poisson_blend, source_float, target_float, mask), repeats=options.repeats)
        within = time.median_ms <= BAR_MS and np.abs(ours - reference).max() <= BAR_LEVELS
        note = f"{levels(ours, reference, mask)}; {'within' if within else 'OVER'} the bars"
        rows.append(Row(f"{name}: poisson_blend", time, note))

        picture_mask = mask.astype(np.uint8) * 255
        shift = best_shift(source, target, picture_mask, reference)
        theirs = clone(source, target, picture_mask, shift)
        peer = measure(partial(clone, source, target, picture_mask, shift), repeats=options.repeats)
        outside = int((theirs != target).any(axis=-1)[~mask].sum())
        note = f"{levels(theirs, reference, mask)}; {outside} pixels outside changed; centre moved by {shift}"
        rows.append(Row(f"{name}: seamlessClone", peer, f"{note}; {peer.median_ms / time.median_ms:.1f} x our time"))
    print_table(TITLE, rows, context=context)
    if options.json is not None:
        write_json(options.json, TITLE, rows, context=context)


if __name__ == "__main__":
    main()
