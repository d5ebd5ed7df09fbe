"""Small pictures and their files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageCms

from synth_affect.data.pictures import Picture
from synth_affect.data.provenance import Provenance

PROVENANCE = Provenance({"valence": 0.6, "arousal": 0.3}, "1.0", "cc0", "00" * 32)
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def smooth_pixels(height: int = 24, width: int = 40) -> np.ndarray[Any, np.dtype[np.uint8]]:
    rows, columns = np.mgrid[:height, :width]
    return np.stack([rows * 10, columns * 6, rows * 5 + columns * 3], axis=2).astype(np.uint8)


def picture(**fields: Any) -> Picture:
    given: dict[str, Any] = {"pixels": smooth_pixels(), "alpha": None, "icc_profile": None, "exif": None}
    return Picture(**(given | {"format": "PNG", "path": Path("in.png")} | fields))


def save(path: Path, image: Image.Image, **options: Any) -> Path:
    image.save(path, **options)
    return path
