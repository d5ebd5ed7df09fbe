"""Colours of skin and hair from the pigments in them.

Skin is lit from within: light crosses the epidermis, which melanin darkens, twice, and is reflected by the dermis,
which haemoglobin reddens. In each channel the reflectance falls exponentially with the pigment (Beer-Lambert), as in
the two-pigment model of Tsumura et al. 2003; the densities of each pigment here are fitted by eye to skin of all tones,
because sRGB's channels are wide. Hair: the same with eumelanin and pheomelanin.
"""

from __future__ import annotations

import numpy as np

from synth_affect.arrays import FloatArray

DERMIS = np.array([0.80, 0.60, 0.51], dtype=np.float32)
"""Linear reflectance of skin without melanin and with little blood."""
MELANIN = np.array([0.72, 1.00, 1.34], dtype=np.float32)
HAEMOGLOBIN = np.array([0.03, 0.22, 0.17], dtype=np.float32)
"""Densities at an amount of 1."""
SURFACE = 0.010
"""Reflected by the surface itself, whatever lies below."""

TYPOLOGY_RANGE_DEG = (-58.0, 62.0)
"""From very dark to very light; Chardon et al. 1991 call skin above 55 very light, below -30 dark."""

_EUMELANIN = np.array([1.95, 2.35, 2.75], dtype=np.float32)
_PHEOMELANIN = np.array([0.35, 1.35, 2.3], dtype=np.float32)
_FIBRE = np.array([0.66, 0.49, 0.31], dtype=np.float32)
_XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)


def skin_reflectance(melanin: FloatArray | float, blood: FloatArray | float) -> FloatArray:
    """(..., 3) float32 linear RGB reflectance of amounts of melanin and haemoglobin (...)."""
    amounts, of_blood = np.asarray(melanin, np.float32)[..., None], np.asarray(blood, np.float32)[..., None]
    reflectance: FloatArray = SURFACE + (1 - SURFACE) * DERMIS * np.exp(-amounts * MELANIN - of_blood * HAEMOGLOBIN)
    return reflectance.astype(np.float32)


def typology_deg(reflectance: FloatArray) -> FloatArray:
    """(...) individual typology angle, degrees, of linear RGB (..., 3): atan2(L* - 50, b*) under D65."""
    xyz = reflectance.astype(np.float64) @ _XYZ.T / _XYZ.sum(axis=1)
    f = np.where(xyz > (6 / 29) ** 3, np.cbrt(xyz), xyz / (3 * (6 / 29) ** 2) + 4 / 29)
    lightness, yellow = 116 * f[..., 1] - 16, 200 * (f[..., 1] - f[..., 2])
    angle: FloatArray = np.degrees(np.arctan2(lightness - 50, yellow))
    return angle


def melanin_of(typology: float, blood: float) -> float:
    """The amount of melanin with which skin with this much blood has the typology angle, degrees."""
    amounts = np.linspace(0, 3.5, 701)
    angles = typology_deg(skin_reflectance(amounts, np.full_like(amounts, blood)))
    return float(np.interp(-typology, -angles, amounts))


def hair_reflectance(eumelanin: float, pheomelanin: float, grey: float) -> FloatArray:
    """(3,) float32 linear RGB of hair; pigments and the share of white hair in [0, 1]."""
    pigmented = _FIBRE * np.exp(-1.9 * eumelanin * _EUMELANIN - pheomelanin * _PHEOMELANIN * (1 - 0.6 * eumelanin))
    mixed: FloatArray = 0.006 + (1 - grey) * pigmented + grey * np.array([0.52, 0.51, 0.50])
    return mixed.astype(np.float32)
