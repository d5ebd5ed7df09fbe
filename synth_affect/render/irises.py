"""Where the irises of a photograph are: a fitted head knows to some millimetres, the picture itself to tenths."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from synth_affect.arrays import FloatArray, IntArray

RADIUS_MM, RADIUS_SPREAD_MM = 5.85, 0.9
"""Half of the visible iris of adults, 11.7 mm (Rüfer et al. 2005), and how far a fitted face's may be off."""
BALL_RADIUS_MM, LARGEST_TILT = 15.0, 0.6
GAZE_MM = (3.5, 2.0)
"""How far beside, and above or below, its place on the fitted head an iris is looked for."""
PLACE_SPREAD_MM = (2.5, 1.2)
COARSE_MM, FINE_MM = 0.5, 0.125
RADII_MM = np.arange(4.5, 7.01, 0.125)
RIM_MM = 0.35
"""So far inside and outside its edge an iris is compared with the white."""
VIEW_PX_PER_MM = 5.0
HALF_VIEW_MM = 14.0
SOFT_MM = 0.25
ANGLES = 40
FROM_LID_MM = 0.5
"""So close to a lid lies its shade."""
LEAST_ARC = 0.12
"""Share of the way round that must be seen between the lids."""
PRIOR = 0.015
"""Worth of one standard deviation from the expected place or size, squared, in contrast."""
LEAST_CONTRAST = 0.05
"""Contrast of iris to white, against the brightest, below which the head's own place is as good."""


@dataclass(frozen=True, slots=True, eq=False)
class Irises:
    """Of the subject's right and left eye.

    centres : (2, 2) float32, px.  to_iris : (2, 2, 2) float32, takes an offset from a centre, px, to the iris, whose
    edge is at length 1.
    """

    centres: FloatArray
    to_iris: FloatArray

    def nearest(self, columns: IntArray, rows: IntArray) -> IntArray:
        """(n,) 0 or 1: the eye that each pixel is nearer to."""
        places = np.stack([columns + 0.5, rows + 0.5], axis=1)
        nearest: IntArray = np.argmin(((places[:, None] - self.centres) ** 2).sum(axis=2), axis=1)
        return nearest

    def radius(self, columns: IntArray, rows: IntArray, eye: IntArray) -> FloatArray:
        """(n,) float32: distance of pixels from the middle of their eye's iris, in its radii."""
        offset = np.stack([columns + 0.5, rows + 0.5], axis=1) - self.centres[eye]
        radius: FloatArray = np.linalg.norm(np.einsum("nij,nj->ni", self.to_iris[eye], offset), axis=1)
        return radius.astype(np.float32)

    def radius_px(self, eye: int) -> float:
        """The radius of the circle of as large an area as the iris of one eye."""
        return float(abs(np.linalg.det(self.to_iris[eye])) ** -0.5)


def find_irises(
    pixels: FloatArray,
    inside_mm: FloatArray,
    expected: FloatArray,
    balls: FloatArray,
    px_per_mm: float,
) -> Irises:
    """The irises of both eyes, near where they are expected; there, where the photograph does not show them.

    pixels : (height, width, 3) float32 sRGB, 0-255.  inside_mm : (height, width) float32, from the lids into the eye.
    expected, balls : (2, 2) px, middles of the irises and of the eyeballs on the fitted head.
    Source: after Daugman 2004, eq. 1: the circle along which brightness changes most, here where no lid covers it.
    """
    seen = [_Eye(pixels, inside_mm, middle, ball, px_per_mm) for middle, ball in zip(expected, balls, strict=True)]
    steps = [np.arange(-reach, reach + 1e-6, COARSE_MM) for reach in GAZE_MM]
    coarse = np.stack(np.meshgrid(*steps), axis=-1).reshape(-1, 2)
    radii = RADII_MM[::2]
    scores = [eye.contrast(coarse, radii) for eye in seen]
    radius = radii[np.argmax(sum(score.max(axis=0) for score in scores))]
    near = np.stack(np.meshgrid(*[np.arange(-0.5, 0.51, FINE_MM)] * 2), axis=-1).reshape(-1, 2)
    radii = RADII_MM[np.abs(RADII_MM - radius) < 0.3]
    places = [coarse[np.argmax(score.max(axis=1))] + near for score in scores]
    scores = [eye.contrast(place, radii) for eye, place in zip(seen, places, strict=True)]
    best = int(np.argmax(sum(score.max(axis=0) for score in scores)))
    centres, to_iris = [], []
    for eye, place, score in zip(seen, places, scores, strict=True):
        found = score[:, best].max() > LEAST_CONTRAST
        middle = place[np.argmax(score[:, best])] if found else np.zeros(2)
        centres.append(eye.middle + middle * px_per_mm)
        size = radii[best] if found else RADIUS_MM
        to_iris.append(np.linalg.inv(eye.shape) / (size * px_per_mm))
    return Irises(np.stack(centres).astype(np.float32), np.stack(to_iris).astype(np.float32))


class _Eye:
    """One eye of the picture, as brightness in a view of VIEW_PX_PER_MM around the expected iris."""

    def __init__(
        self, pixels: FloatArray, inside_mm: FloatArray, middle: FloatArray, ball: FloatArray, px_per_mm: float
    ) -> None:
        self.middle = middle
        tilt = np.clip(np.linalg.norm(middle - ball) / (BALL_RADIUS_MM * px_per_mm), 0, LARGEST_TILT)
        along = (middle - ball) / max(float(np.linalg.norm(middle - ball)), 1e-6)
        self.shape = np.eye(2) - (1 - np.sqrt(1 - tilt**2)) * np.outer(along, along)
        step = px_per_mm / VIEW_PX_PER_MM
        size = round(2 * HALF_VIEW_MM * VIEW_PX_PER_MM)
        corner = middle - HALF_VIEW_MM * px_per_mm + 0.5 * step - 0.5
        matrix = np.array([[step, 0, corner[0]], [0, step, corner[1]]])
        lit = pixels[..., 0] + 0.5 * pixels[..., 1]  # irises of all colours are darker than white in red
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        view = cv2.warpAffine(lit, matrix, (size, size), flags=flags, borderMode=cv2.BORDER_REPLICATE)
        self.inside = cv2.warpAffine(inside_mm, matrix, (size, size), flags=flags)
        soft = cv2.GaussianBlur(view, (0, 0), SOFT_MM * VIEW_PX_PER_MM)
        open_part = self.inside > FROM_LID_MM
        bright = float(np.percentile(soft[open_part], 90)) if open_part.any() else 255.0
        self.lit = np.minimum(soft / max(bright, 1.0), 1.0).astype(np.float32)

    def contrast(self, places_mm: FloatArray, radii_mm: FloatArray) -> FloatArray:
        """(n_places, n_radii) by how much the white around circles is brighter than what is inside, less what speaks
        against their place and size.
        """
        angles = np.arange(ANGLES) * (2 * np.pi / ANGLES)
        round_about = np.stack([np.cos(angles), np.sin(angles)], axis=1) @ self.shape.T
        n, m = len(places_mm), len(radii_mm)
        sampled = []
        for side in (-RIM_MM, RIM_MM):
            mm = places_mm[:, None, None] + (radii_mm[:, None, None] + side) * round_about
            at = ((mm + HALF_VIEW_MM) * VIEW_PX_PER_MM - 0.5).astype(np.float32).reshape(n, -1, 2)
            lit, inside = (
                cv2.remap(field, at[..., 0], at[..., 1], cv2.INTER_LINEAR).reshape(n, m, ANGLES)
                for field in (self.lit, self.inside)
            )
            sampled.append((lit, inside > FROM_LID_MM))
        (inner, inner_seen), (outer, outer_seen) = sampled
        both = inner_seen & outer_seen
        share = both.mean(axis=2)
        step = np.where(both, np.clip(outer - inner, -0.2, 0.8), 0).sum(axis=2) / np.maximum(both.sum(axis=2), 1)
        off = ((places_mm / PLACE_SPREAD_MM) ** 2).sum(axis=1)
        size = ((radii_mm - RADIUS_MM) / RADIUS_SPREAD_MM) ** 2
        score: FloatArray = np.where(share > LEAST_ARC, step * np.sqrt(share), 0) - PRIOR * (off[:, None] + size)
        return score
