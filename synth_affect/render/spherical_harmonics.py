"""Lighting of matt surfaces by nine spherical harmonics: estimated from a picture, evaluated, compared.

Source: Ramamoorthi & Hanrahan 2001, "An efficient representation for irradiance environment maps".
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from synth_affect.arrays import FloatArray, readonly
from synth_affect.errors import FitError, ShapeError
from synth_affect.render.colour import LUMINANCE_WEIGHTS

BAND = np.array([0, 1, 1, 1, 2, 2, 2, 2, 2])
"""The band l of each of the nine terms."""

LAMBERTIAN_BANDS = np.array([np.pi, 2 * np.pi / 3, np.pi / 4])
"""By what the cosine of a matt surface multiplies the bands l = 0, 1, 2 of the light around it (eq. 8)."""

Y00 = 0.5 / np.sqrt(np.pi)
Y1 = np.sqrt(3 / (4 * np.pi))
Y2 = np.sqrt(15 / (4 * np.pi))
Y20 = np.sqrt(5 / (16 * np.pi))
Y22 = np.sqrt(15 / (16 * np.pi))

RADIANCE_SPREAD = 0.75
"""Spread of a term of the light around a head, as a share of its mean; a single lamp has 1.7 along its direction.
Judgement: rooms and skies are softer than a lamp."""

SMALLEST_NOISE = 0.02
"""Skin differs from place to place by at least this share of its mean colour: no sample is trusted further."""

TUKEY = 4.685
"""Where Tukey's biweight reaches zero, in standard deviations: 95 % efficient on Gaussian noise."""

MOST_SAMPLES = 4096
"""Of more samples an evenly spaced part is used: it says the same, sooner."""

DARKEST = 0.05
"""Shading fades towards zero below this share of its mean over all directions, instead of turning negative."""


@dataclass(frozen=True, slots=True, eq=False)
class Lighting:
    """The light on a matt surface, times its mean colour.

    coefficients : (9, 3) float32, linear RGB; colour at a normal = sh_basis(normal) @ coefficients. A term is
        albedo / pi * LAMBERTIAN_BANDS[l] times that term of the radiance around the head. Row 0 is positive.

    Convention: head frame (x right, y up, z to the viewer); rows are (l, m) = (0, 0), (1, -1) along y, (1, 0) along z,
    (1, 1) along x, (2, -2) xy, (2, -1) yz, (2, 0) 3z^2 - 1, (2, 1) xz, (2, 2) x^2 - y^2. A lamp to the viewer's right
    makes row 3 positive, a lamp above makes row 1 positive.
    """

    coefficients: FloatArray

    def __post_init__(self) -> None:
        object.__setattr__(self, "coefficients", readonly(self.coefficients, "coefficients", (9, 3), np.float32))
        if not (self.coefficients[0] > 0).all():
            raise ShapeError("coefficients", "a positive mean in row 0", str(self.coefficients[0]))


def sh_basis(normals: FloatArray) -> FloatArray:
    """(..., 9) real, orthonormal spherical harmonics at the unit vectors `normals` (..., 3), in their dtype.

    Convention: order and axes of `Lighting`, no Condon-Shortley sign. The normal (0, 0, 1) gives
    (0.282095, 0, 0.488603, 0, 0, 0, 0.630783, 0, 0).
    """
    x, y, z = normals[..., 0], normals[..., 1], normals[..., 2]
    terms = [
        np.full_like(x, Y00),
        Y1 * y,
        Y1 * z,
        Y1 * x,
        Y2 * x * y,
        Y2 * y * z,
        Y20 * (3 * z * z - 1),
        Y2 * x * z,
        Y22 * (x * x - y * y),
    ]
    return np.stack(terms, axis=-1).astype(normals.dtype, copy=False)


def estimate_lighting(
    colours: FloatArray,
    normals: FloatArray,
    weights: FloatArray | None = None,
    *,
    effective_samples: float = 100.0,
    max_iterations: int = 30,
) -> Lighting:
    """The lighting under which a surface of one mean colour looks most like the samples.

    colours : (n, 3) float, linear RGB.  normals : (n, 3) float, unit, head frame.
    weights : (n,) float >= 0, how far each sample is trusted; equal where None.
    effective_samples : how many of the samples count as independent. Pixels side by side share their pigment, so more
        pixels of one face do not make its lighting surer.

    Tukey's biweight, iteratively reweighted: what does not look like lit skin (hair, glasses, lips, highlights) loses
    its say. Each term above the mean is drawn to zero as strongly as a Gaussian prior of spread
    RADIANCE_SPREAD * LAMBERTIAN_BANDS[l] / pi asks for under the noise found, so directions that no normal shows are
    not guessed from it.
    Raises ShapeError when shapes differ or a weight is negative, FitError when no sample has weight.
    """
    colours = readonly(colours, "colours", ("n", 3), np.float64)
    n = len(colours)
    normals = readonly(normals, "normals", (n, 3), np.float64)
    trust = readonly(np.ones(n) if weights is None else weights, "weights", (n,), np.float64)
    if (trust < 0).any():
        raise ShapeError("weights", "numbers from 0", str(trust.min()))
    trusted = np.flatnonzero(trust)
    if trusted.size == 0:
        raise FitError("the lighting has no sample with a positive weight")
    chosen = trusted[:: -(-trusted.size // MOST_SAMPLES)]
    colours, basis, trust = colours[chosen], sh_basis(normals[chosen]), trust[chosen]

    level = np.maximum([_weighted_median(channel, trust) for channel in colours.T], 1e-4)
    relative = colours / level  # so that one noise and one prior hold for all channels
    spread = RADIANCE_SPREAD * LAMBERTIAN_BANDS[BAND] / LAMBERTIAN_BANDS[0] / Y00
    prior = np.where(BAND > 0, 1 / spread**2, 0.0)

    coefficients = np.zeros((9, 3))
    coefficients[0] = 1 / Y00
    say = trust
    for _ in range(max_iterations):
        distance = np.sqrt(np.mean((relative - basis @ coefficients) ** 2, axis=1))
        noise = max(1.4826 * _weighted_median(distance, trust), SMALLEST_NOISE)
        say = trust * np.clip(1 - (distance / (TUKEY * noise)) ** 2, 0, None) ** 2
        weighted = basis * (say / say.sum())[:, None]
        normal_matrix = weighted.T @ basis + np.diag(prior * noise**2 / effective_samples)
        updated = np.linalg.lstsq(normal_matrix, weighted.T @ relative, rcond=None)[0]
        change = np.abs(updated - coefficients).max()
        coefficients = updated
        if change < 1e-4 / Y00:
            break
    # The prior leaves the mean free; with few normals it could still be drawn below what any light can be.
    coefficients[0] = np.maximum(coefficients[0], DARKEST / Y00)
    return Lighting(coefficients * level)


def shading(lighting: Lighting, normals: FloatArray) -> FloatArray:
    """(..., 3) float32 > 0, linear RGB of a surface of the lighting's mean colour at `normals` (..., 3), head frame."""
    coefficients = lighting.coefficients
    channels = [_positive(_shade(coefficients[:, c], normals), Y00 * coefficients[0, c]) for c in range(3)]
    return np.stack(channels, axis=-1)


def shading_ratio(
    lighting: Lighting,
    normals_before: FloatArray,
    normals_after: FloatArray,
    *,
    limit: tuple[float, float] = (0.6, 1.6),
) -> FloatArray:
    """(...) float32, by how much a surface gets brighter when it turns from one normal to another.

    normals_before, normals_after : (..., 3), unit, head frame; zero vectors on both sides give 1.
    limit : between which values the ratio stays; it approaches them smoothly and is hardly changed near 1.

    The ratio is that of the luminances: one number for the three channels keeps the hue of the skin, and the pigment,
    which is the same before and after, cancels. Equal normals give exactly 1.
    Raises ShapeError unless 0 < limit[0] < 1 < limit[1].
    """
    darkest, brightest = limit
    if not 0 < darkest < 1 < brightest:
        raise ShapeError("limit", "0 < limit[0] < 1 < limit[1]", str(limit))
    grey = lighting.coefficients @ LUMINANCE_WEIGHTS
    mean = Y00 * grey[0]
    after, before = (_positive(_shade(grey, normals), mean) for normals in (normals_after, normals_before))
    stops = np.log(after / before)
    room = np.where(stops > 0, np.float32(np.log(brightest)), np.float32(-np.log(darkest)))
    ratio: FloatArray = np.exp(room * np.tanh(stops / room))
    return ratio


def _shade(coefficients: FloatArray, normals: FloatArray) -> FloatArray:
    """sh_basis(normals) @ coefficients (9,) as one polynomial, term by term: equal normals give equal bits."""
    x, y, z = (normals[..., axis].astype(np.float32) for axis in range(3))
    scale = np.array([Y00, Y1, Y1, Y1, Y2, Y2, Y20, Y2, Y22])
    mean, ky, kz, kx, kxy, kyz, kzz, kxz, kxx = (coefficients * scale).astype(np.float32)
    shade: FloatArray = x * (kx + kxy * y + kxz * z + kxx * x)
    shade += y * (ky + kyz * z - kxx * y)
    shade += z * (kz + 3 * kzz * z) + (mean - kzz)
    return shade


def _positive(shade: FloatArray, mean: float) -> FloatArray:
    """`shade` where it is above DARKEST of `mean`; below, an exponential that continues it without a kink."""
    floor = np.float32(DARKEST * mean)
    # Below -30 the exponential would leave float32's normal numbers, and a ratio of two such has no meaning.
    return np.maximum(shade, floor * np.exp(np.maximum(np.minimum(shade, floor) / floor - 1, -30)))


def _weighted_median(values: FloatArray, weights: FloatArray) -> float:
    order = np.argsort(values, kind="stable")
    reached = np.cumsum(weights[order])
    return float(values[order[np.searchsorted(reached, reached[-1] / 2)]])
