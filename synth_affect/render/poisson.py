"""Poisson blending: a patch enters a picture with its own gradients and the picture's values around it, in its place.

Source: Perez, Gangnet & Blake 2003, "Poisson image editing", in its membrane form: the blend is the patch plus the
smoothest function that makes up the difference on the rim.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from synth_affect.arrays import BoolArray, FloatArray, readonly
from synth_affect.errors import ShapeError
from synth_affect.render.multigrid import Network, add_potential


def poisson_blend(source: FloatArray, target: FloatArray, mask: BoolArray, *, tolerance: float = 1e-3) -> FloatArray:
    """(height, width, channels) float32: `target` with the pixels of `mask` replaced by those of `source`, fitted in.

    source, target : (height, width, channels) float32, any scale; finite in and around the mask.
    mask : (height, width) bool, any shape and number of parts.
    tolerance : the solver stops when a step changes no pixel by more than this share of the largest difference between
        source and target on the rim; what then remains is a fraction of it.

    Outside the mask the result is `target`, bit for bit. Inside it is source + m, where m is harmonic (the 5-point
    Laplacian vanishes) and equals target - source on the rim: the pixels outside the mask that share a side with it.
    Where the mask meets the border of the picture nothing is asked of m, so that it arrives there level. A mask that
    covers the whole picture has no rim, and the result is `source`.
    Raises ShapeError when shapes differ or a value is not finite, FitError when the solver finds no answer.
    """
    if mask.dtype != np.bool_ or mask.ndim != 2:
        raise ShapeError("mask", "(height, width) bool", f"{mask.shape} {mask.dtype}")
    height, width = mask.shape
    if target.ndim != 3 or target.shape[:2] != mask.shape:
        raise ShapeError("target", (height, width, "channels"), target.shape)
    if source.shape != target.shape:
        raise ShapeError("source", target.shape, source.shape)

    result: FloatArray = target.astype(np.float32)
    if mask.all():
        whole: FloatArray = source.astype(np.float32)
        return whole
    if not mask.any():
        return result

    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    top, bottom = max(rows[0] - 1, 0), min(rows[-1] + 2, height)
    left, right = max(columns[0] - 1, 0), min(columns[-1] + 2, width)
    box = (slice(top, bottom), slice(left, right))
    # One cell of frame around the mask: the rim where the picture goes on, cells of nothing where it ends.
    inside = np.zeros((rows[-1] - rows[0] + 3, columns[-1] - columns[0] + 3), dtype=np.bool_)
    in_picture = np.zeros_like(inside)
    y, x = top - rows[0] + 1, left - columns[0] + 1
    in_frame = (slice(y, y + bottom - top), slice(x, x + right - left))
    inside[in_frame] = mask[box]
    in_picture[in_frame] = True
    patch = readonly(source[box], "source", ("height", "width", "channels"), np.float32)
    around = readonly(target[box], "target", ("height", "width", "channels"), np.float32)
    difference = np.zeros((target.shape[2], *inside.shape), dtype=np.float32)
    difference[:, *in_frame] = np.moveaxis(around - patch, 2, 0)

    membrane = _membrane(difference, inside, in_picture, tolerance)
    blended = patch + np.moveaxis(membrane[:, *in_frame], 0, 2)
    np.copyto(result[box], blended, where=mask[box][..., None])
    return result


def _membrane(difference: FloatArray, inside: BoolArray, in_picture: BoolArray, tolerance: float) -> FloatArray:
    """(channels, height, width) float32, harmonic at `inside` and equal to `difference` on the rim around it.

    It is the rim's mean and the potential that the rest of the rim pulls it to.
    """
    east, south, held = _conductances(inside, in_picture)
    charge = np.zeros_like(difference)
    mean, largest = _rim_charge(difference, inside, in_picture, held, charge)
    if not np.isfinite(largest):
        raise ShapeError("source, target", "differences that float32 can hold", str(largest))
    membrane: FloatArray = np.zeros_like(difference) + mean[:, None, None]
    if largest > 0:
        ends = [not end.any() for end in (in_picture[0], in_picture[-1], in_picture[:, 0], in_picture[:, -1])]
        network = Network(east, south, held, np.array(ends))
        add_potential(membrane, network, charge, smallest_step=tolerance * largest)
    return membrane


@njit(cache=True)  # type: ignore[untyped-decorator]
def _conductances(inside: BoolArray, in_picture: BoolArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """East, south: 1 between neighbours in the mask. Held: how many pixels of the rim a pixel of the mask touches."""
    height, width = inside.shape
    east = np.zeros((height, width), dtype=np.float32)
    south = np.zeros((height, width), dtype=np.float32)
    held = np.zeros((height, width), dtype=np.float32)
    for y in range(1, height - 1):
        for x in range(1, width - 1):
            if not inside[y, x]:
                continue
            east[y, x] = inside[y, x + 1]
            south[y, x] = inside[y + 1, x]
            for dy, dx in ((-1, 0), (1, 0), (0, -1), (0, 1)):
                if in_picture[y + dy, x + dx] and not inside[y + dy, x + dx]:
                    held[y, x] += 1
    return east, south, held


@njit(cache=True)  # type: ignore[untyped-decorator]
def _rim_charge(
    difference: FloatArray, inside: BoolArray, in_picture: BoolArray, held: FloatArray, charge: FloatArray
) -> tuple[FloatArray, float]:
    """Fill `charge` with the pull of the rim less its mean; return that mean (channels,) and the largest value."""
    n_channels, height, width = difference.shape
    mean = np.zeros(n_channels, dtype=np.float32)
    largest = 0.0
    for c in range(n_channels):
        total, count = 0.0, 0.0
        for y in range(1, height - 1):
            for x in range(1, width - 1):
                if held[y, x] == 0:
                    continue
                for dy, dx in ((-1, 0), (1, 0), (0, -1), (0, 1)):
                    if in_picture[y + dy, x + dx] and not inside[y + dy, x + dx]:
                        value = difference[c, y + dy, x + dx]
                        charge[c, y, x] += value
                        total += value
                        largest = max(largest, abs(value))
                count += held[y, x]
        mean[c] = total / count
        for y in range(height):
            for x in range(width):
                charge[c, y, x] -= held[y, x] * mean[c]
    return mean, largest
