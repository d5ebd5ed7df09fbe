"""From linear light to a picture as cameras make them: exposure, white balance, shoulder, blur, noise, vignette."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from synth_affect.arrays import FloatArray
from synth_affect.render.colour import linear_to_srgb
from synth_affect.render.portrait.lights import Lights
from synth_affect.render.portrait.picture import Shot

FACE_LEVEL = 0.27
"""Linear level to which a camera brings the face, as far as it adapts."""
ADAPTS = 0.72
"""Share of the logarithm of a face's brightness that the exposure makes up for: dark skin stays darker than light."""
WHITE_ADAPTS = (0.5, 0.95)
SHOULDER = 0.62
"""Light up to here is kept, what is brighter is bent below 1."""


def develop(shot: Shot, background: FloatArray, lights: Lights, rng: np.random.Generator) -> npt.NDArray[np.uint8]:
    """(height, width, 3) uint8 sRGB. background : (height, width, 3) float32, linear light."""
    light = shot.colour + (1 - shot.cover[..., None]) * background
    height, width = shot.cover.shape
    seen = shot.face > 0.5
    level = float(light[seen].mean()) if seen.any() else float(light.mean())
    gain = (FACE_LEVEL / max(level, 1e-3)) ** ADAPTS * np.exp(rng.normal(0, 0.13))
    cast = lights.radiance.mean(axis=(0, 1)) + 0.5 * sum(
        (lamp.strength for lamp in lights.lamps), np.zeros(3, dtype=np.float32)
    )
    white = (cast.mean() / cast) ** rng.uniform(*WHITE_ADAPTS) * np.exp(rng.normal(0, 0.02, 3))
    light = light * (gain * white).astype(np.float32)
    rows = (np.arange(height, dtype=np.float32) + 0.5) / height - 0.5
    columns = (np.arange(width, dtype=np.float32) + 0.5) / width - 0.5
    dark = max(rng.normal(0.12, 0.15), 0.0)
    light *= (1 - dark * 2 * (rows[:, None] ** 2 + columns[None, :] ** 2))[..., None]
    blur = max(rng.normal(0.45, 0.25), 0.0) * max(width, height) / 512
    if blur > 0.2:
        light = cv2.GaussianBlur(light, (0, 0), blur)
    bent = np.where(
        light < SHOULDER, light, SHOULDER + (1 - SHOULDER) * (1 - np.exp(-(light - SHOULDER) / (1 - SHOULDER)))
    )
    photons = float(np.exp(rng.uniform(np.log(1.5e3), np.log(3e4))))
    noise = rng.standard_normal(bent.shape).astype(np.float32) * np.sqrt(np.maximum(bent, 1e-4) / photons + 4e-6)
    return linear_to_srgb(np.maximum(bent + noise, 0).astype(np.float32), np.uint8)
