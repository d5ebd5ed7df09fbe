"""Where the relief of one unwrapped face is found again on another: optical flow between pictures of curvature.

Source: Lucas & Kanade 1981, in the iterated and robust form of Baker & Matthews 2004, on several pictures at once.
What a face's surface shows (cheeks are smooth) does not tell everywhere where to go, so no flow is preferred to some,
with a fixed weight. OpenCV's DIS flow has no such weight; it was measured to end further off than no flow at all.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np

from synth_affect.arrays import BoolArray, FloatArray
from synth_affect.blendshape.registration.cylinder import UvMap

MAX_STEP = 2.0
"""Pixels of the reduced pictures that one round may move a place."""


@dataclass(frozen=True, slots=True)
class FlowSettings:
    """Measured on synthetic faces, with landmarks off by 1 mm.

    reduction : pixels of the maps that become one.
    bands_mm : widths of Gaussians; a picture of relief is the difference of two neighbours' blurs of the radius.
    gains : one a picture, per mm, before large values are compressed.
    window_mm : within which places move together.  rounds : of the iteration.
    outlier : difference of the pictures at which a pixel counts a quarter.
    stay : weight of no flow, in squared gradient of the pictures (per pixel).
    after : share of the window over which the flow is smoothed after each round.
    """

    reduction: int = 2
    bands_mm: tuple[float, ...] = (1.5, 4.0, 10.0)
    gains: tuple[float, ...] = (4.0, 1.4)
    window_mm: float = 6.0
    rounds: int = 6
    outlier: float = 0.2
    stay: float = 0.04
    after: float = 0.2


def relief_flow(source: UvMap, target: UvMap, pixel_mm: float, settings: FlowSettings) -> FloatArray:
    """(height, width, 2) float32, pixels: what is at x in `source` is at x + flow[x] in `target`.

    Convention: flow[..., 0] points along columns, flow[..., 1] along rows; with `target` moved 3 columns to the right
    against `source` the flow is (3, 0).
    """
    s = settings
    pixel = pixel_mm * s.reduction
    A, on_a = relief(source, pixel_mm, s)
    B, on_b = relief(target, pixel_mm, s)
    height, width = on_a.shape
    rows, columns = np.mgrid[:height, :width].astype(np.float32)
    flow = np.zeros((height, width, 2), dtype=np.float32)
    A_x, A_y = _gradient(A)
    for _ in range(s.rounds):
        at = columns + flow[..., 0], rows + flow[..., 1]
        B_at = cv2.remap(B, *at, cv2.INTER_LINEAR)
        seen = on_a * (cv2.remap(on_b, *at, cv2.INTER_LINEAR) > 0.99)
        B_x, B_y = _gradient(B_at)
        g_x, g_y, error = (A_x + B_x) / 2, (A_y + B_y) / 2, A - B_at
        weight = seen[..., None] / (1 + (error / s.outlier) ** 2) ** 2  # Geman-McClure

        def window(term: FloatArray, weight: FloatArray = weight) -> FloatArray:
            return _blur((term * weight).sum(axis=2), s.window_mm / pixel)

        a, b, c = window(g_x * g_x) + s.stay, window(g_x * g_y), window(g_y * g_y) + s.stay
        p, q = window(g_x * error), window(g_y * error)
        step = np.dstack([c * p - b * q, a * q - b * p]) / (a * c - b * b)[..., None]
        length = np.linalg.norm(step, axis=2, keepdims=True)
        step *= np.minimum(1, MAX_STEP / np.maximum(length, 1e-9))
        flow = _blur(flow + step, s.after * s.window_mm / pixel)
    full = cv2.resize(flow, (source.radius.shape[1], source.radius.shape[0]), interpolation=cv2.INTER_LINEAR)
    return np.asarray(full * s.reduction)


def relief(uv_map: UvMap, pixel_mm: float, settings: FlowSettings) -> tuple[FloatArray, FloatArray]:
    """(h, w, n_bands) float32 in (-1, 1), how far the surface stands out at each scale, and (h, w) float32 0 or 1,
    where there is surface; reduced.
    """
    size = tuple(n // settings.reduction for n in uv_map.radius.shape[::-1])
    share = cv2.resize(uv_map.covered.astype(np.float32), size, interpolation=cv2.INTER_AREA)
    radius = cv2.resize(uv_map.radius, size, interpolation=cv2.INTER_AREA) / np.maximum(share, 1e-3)
    covered = (share > 0.5).astype(np.float32)
    pixel = pixel_mm * settings.reduction
    blurred = [blur_covered(radius, covered, width / pixel) for width in settings.bands_mm]
    bands = []
    for (fine, coarse), gain in zip(pairwise(blurred), settings.gains, strict=True):
        height = gain * (fine - coarse)
        bands.append(height / np.sqrt(1 + height * height) * covered)
    return np.dstack(bands), covered


def blur_covered(values: FloatArray, covered: BoolArray | FloatArray, sigma_px: float) -> FloatArray:
    """(height, width) float32: the Gaussian mean of `values` over the covered pixels alone."""
    weight = covered.astype(np.float32)
    return np.asarray(_blur(values * weight, sigma_px) / np.maximum(_blur(weight, sigma_px), 1e-3))


def _blur(values: FloatArray, sigma_px: float) -> FloatArray:
    return np.asarray(cv2.GaussianBlur(values, (0, 0), sigma_px)).reshape(values.shape)


def _gradient(bands: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Per pixel, along columns and along rows."""
    x, y = (cv2.Sobel(bands, -1, dx, 1 - dx, scale=1 / 8).reshape(bands.shape) for dx in (1, 0))
    return x, y
