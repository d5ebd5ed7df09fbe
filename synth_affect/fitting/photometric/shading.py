"""Light on a matt surface by nine spherical harmonics, as tensors: `render.spherical_harmonics` for a batch."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from synth_affect.fitting.photometric.device import EXTRA
from synth_affect.optional import import_optional

if TYPE_CHECKING:
    from torch import Tensor

N_LIGHT = 9
Y00 = 0.5 / np.sqrt(np.pi)
Y1 = np.sqrt(3 / (4 * np.pi))
Y2 = np.sqrt(15 / (4 * np.pi))
Y20 = np.sqrt(5 / (16 * np.pi))
Y22 = np.sqrt(15 / (16 * np.pi))
BAND_SD = (1.0, *3 * (1.8,), *5 * (0.65,))
"""Prior of a term relative to the face's mean: the spread of light around a head times what a matt surface leaves of
each band (Ramamoorthi & Hanrahan 2001, eq. 8). The mean itself is hardly bound."""


def harmonics(normals: Tensor) -> Tensor:
    """(..., 9) at unit normals (..., 3), x right, y up, z to the viewer; order of `sh_basis`."""
    torch = import_optional("torch", EXTRA)
    x, y, z = normals.unbind(-1)
    terms: Tensor = torch.stack(
        [
            torch.full_like(x, Y00),
            Y1 * y,
            Y1 * z,
            Y1 * x,
            Y2 * x * y,
            Y2 * y * z,
            Y20 * (3 * z * z - 1),
            Y2 * x * z,
            Y22 * (x * x - y * y),
        ],
        dim=-1,
    )
    return terms


def harmonics_gradient(normals: Tensor, light: Tensor) -> Tensor:
    """(batch, n, channels, 3), how the light on normals (batch, n, 3) changes with them.

    light : (batch, channels, 9).
    """
    torch = import_optional("torch", EXTRA)
    x, y, z = (axis[..., None] for axis in normals.unbind(-1))
    _, ky, kz, kx, kxy, kyz, kzz, kxz, kxx = (term[:, None] for term in light.unbind(-1))
    made: Tensor = torch.stack(
        [
            Y1 * kx + Y2 * (kxy * y + kxz * z) + 2 * Y22 * kxx * x,
            Y1 * ky + Y2 * (kxy * x + kyz * z) - 2 * Y22 * kxx * y,
            Y1 * kz + Y2 * (kyz * y + kxz * x) + 6 * Y20 * kzz * z,
        ],
        dim=-1,
    )
    return made
