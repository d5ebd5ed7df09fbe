"""What the parts of a head are made of: one table from the regions that head models name to materials."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from synth_affect.arrays import FloatArray, IntArray
from synth_affect.heads.model import HeadModel


class Material(IntEnum):
    """HIDDEN parts are not drawn: lashes are strands here."""

    HIDDEN = 0
    SKIN = 1
    EYE = 2
    CAVITY = 3
    TEETH = 4
    GUMS = 5
    TONGUE = 6
    CLOTH = 7
    KNIT = 8


MATERIAL_OF_REGION: dict[str, Material] = {
    "skin": Material.SKIN,
    "lips": Material.SKIN,
    "lids": Material.SKIN,
    "neck": Material.SKIN,
    "scalp": Material.SKIN,
    "ears": Material.SKIN,
    "eyeball": Material.EYE,
    "iris": Material.EYE,
    "lashes": Material.HIDDEN,
    "mouth_cavity": Material.CAVITY,
    "teeth_upper": Material.TEETH,
    "teeth_lower": Material.TEETH,
    "gums": Material.GUMS,
    "tongue": Material.TONGUE,
}


@dataclass(frozen=True, slots=True)
class Surface:
    """colour : linear RGB.  roughness : of the reflection.  reflects : of light that falls straight on it."""

    colour: tuple[float, float, float]
    roughness: float
    reflects: float


SURFACES: dict[Material, Surface] = {
    Material.CAVITY: Surface((0.20, 0.045, 0.04), 0.45, 0.02),
    Material.TEETH: Surface((0.66, 0.60, 0.49), 0.22, 0.04),
    Material.GUMS: Surface((0.42, 0.14, 0.13), 0.25, 0.03),
    Material.TONGUE: Surface((0.42, 0.145, 0.13), 0.38, 0.028),
    Material.CLOTH: Surface((0.5, 0.5, 0.5), 0.85, 0.02),
    Material.KNIT: Surface((0.5, 0.5, 0.5), 0.9, 0.015),
}
"""Of what has one; skin and eyes are painted."""


def materials(head: HeadModel) -> IntArray:
    """(n_triangles,) uint8: the material of each triangle; regions that nobody named are skin."""
    table = np.array([MATERIAL_OF_REGION.get(name, Material.SKIN) for name in head.region_names], dtype=np.uint8)
    of_triangles: IntArray = table[head.triangle_regions]
    return of_triangles


def surface_table(cloth: FloatArray, knit: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Colours (n_materials, 3), roughness and reflectance (n_materials,) by material; cloth, knit : (3,) colours."""
    colour = np.full((len(Material), 3), 0.5, dtype=np.float32)
    rough = np.full(len(Material), 0.5, dtype=np.float32)
    reflects = np.full(len(Material), 0.028, dtype=np.float32)
    for material, surface in SURFACES.items():
        colour[material], rough[material], reflects[material] = surface.colour, surface.roughness, surface.reflects
    colour[Material.CLOTH], colour[Material.KNIT] = cloth, knit
    return colour, rough, reflects
