"""What goes into a refinement beside the picture, and what it says of itself."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from synth_affect.arrays import FloatArray, readonly
from synth_affect.fitting.priors import Lens


@dataclass(frozen=True, slots=True)
class Level:
    """One stage from coarse to fine.

    side : the face's window is looked at in this many pixels across.
    refreshes : how often the visible surface is found anew.  steps : Gauss-Newton steps after each.
    """

    side: int
    refreshes: int
    steps: int


@dataclass(frozen=True, slots=True)
class RefinementSettings:
    """What a refinement believes, and its schedule. Colours are relative to the face's median.

    levels : from coarse to fine. One is the default: on rendered heads a second of 112 pixels left errors as they were.
    samples : at most this many pixels of a face take part.
    pixel_noise : standard deviation of a channel about the model that explains it.
    robust_pixel : distance of a colour from which a pixel counts as something else, hair or glasses (Geman-McClure).
    independent_pixels : pixels side by side err together: all of a face count as this many.
    albedo_sd, albedo_difference_sd : of the albedo's bumps about none, and of left and right ones about each other.
    lips_sd : of the colour that the lips have in common.
    landmark_noise_mm, robust_landmark_mm : as of the landmark fit, whose points count more here: they hold against the
        pixels, which see no features of 2 mm at this size. Judged on held-out landmarks of photographs.
    expression_sd : of an expression weight about that of the landmark fit, which knew the detector's readings.
    identity_limit : bound of the identity coefficients, standard deviations.
    focal : let the pixels take part in telling focal length from distance, or leave the ratio as it was.
    lens : prior of the camera's distance, as of the landmark fit.
    """

    levels: tuple[Level, ...] = (Level(56, 3, 4),)
    samples: int = 1600
    pixel_noise: float = 0.06
    robust_pixel: float = 0.15
    independent_pixels: float = 300.0
    albedo_sd: float = 0.15
    albedo_difference_sd: float = 0.05
    lips_sd: float = 0.3
    landmark_noise_mm: float = 1.5
    robust_landmark_mm: float = 5.0
    expression_sd: float = 0.1
    identity_limit: float = 3.0
    focal: bool = True
    lens: Lens = field(default_factory=Lens)


@dataclass(frozen=True, slots=True)
class EnergyTerms:
    """Parts of what is minimised, in the unit of half a squared standard deviation."""

    pixels: float
    landmarks: float
    identity: float
    expression: float
    distance: float
    light: float
    albedo: float

    @property
    def total(self) -> float:
        """Their sum."""
        return self.pixels + self.landmarks + self.identity + self.expression + self.distance + self.light + self.albedo


@dataclass(frozen=True, slots=True, eq=False)
class RefinementReport:
    """What a refinement did.

    device : "cpu" or "cuda".  rasterizer : "numba" or "pytorch3d".
    before, after : the energy of the landmark fit and of the result, both on the finest level, each with the light and
        the albedo that suit it best.
    steps : that were tried.  accepted : that lowered the energy.  pixels : that took part at the end.
    lighting : (9, 3) float32 in the order of `sh_basis`, on normals in the axes of the picture (x right, y up, z to
        the viewer), whatever the pose; times albedo it is linear RGB in [0, 1].
    albedo : (n_vertices, 3) float32, relative to the face's mean colour; 1 where nothing is known.
    distance_sd : standard deviation of the log of the camera's distance, and so of the focal length, after all that
        was seen; that of the prior where nothing was. The face's shape changes with the distance.
    moved_mm : median way of the face's vertices, beside pose.
    """

    device: str
    rasterizer: str
    before: EnergyTerms
    after: EnergyTerms
    steps: int
    accepted: int
    pixels: int
    lighting: FloatArray
    albedo: FloatArray
    distance_sd: float
    moved_mm: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "lighting", readonly(self.lighting, "lighting", (9, 3), np.float32))
        object.__setattr__(self, "albedo", readonly(self.albedo, "albedo", ("n_vertices", 3), np.float32))
