"""What goes into a refinement beside the picture, and what it says of itself."""

from __future__ import annotations

from dataclasses import dataclass, field, fields

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
    landmark_noise_mm, robust_landmark_mm : of each landmark by itself, and from where on one is wrong.
    turned_bias_mm, bias_length_mm : a detector's points of a turned face err together: standard deviation of what
        neighbours have in common on a profile, times the sine of the turn of others, and how far apart they still do
        (Gaussian). Without it hundreds of points that are all off by the same 2 mm outvote the pixels.
    outline_side : the outline is looked for in a window of so many pixels across.
    outline_noise_mm, outline_search_mm : standard deviation of an edge about the outline, known and not yet known.
    outline_contrast : step of colour that counts as an edge as much as none counts as none.
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
    turned_bias_mm: float = 2.5
    bias_length_mm: float = 30.0
    outline_side: int = 128
    outline_noise_mm: float = 1.5
    outline_search_mm: float = 4.0
    outline_contrast: float = 0.15
    expression_sd: float = 0.1
    identity_limit: float = 3.0
    focal: bool = True
    lens: Lens = field(default_factory=Lens)


@dataclass(frozen=True, slots=True)
class EnergyTerms:
    """Parts of what is minimised, in the unit of half a squared standard deviation."""

    pixels: float
    outline: float
    landmarks: float
    identity: float
    expression: float
    distance: float
    light: float
    albedo: float

    @property
    def total(self) -> float:
        """Their sum."""
        return float(sum(getattr(self, one.name) for one in fields(self)))


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
