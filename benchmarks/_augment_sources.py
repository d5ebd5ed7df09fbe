"""Folders of portraits for the benchmarks of augmentation: skimage's astronaut, so that nothing has to be fetched."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image


def write_portraits(folder: Path, count: int, size_px: int) -> list[str]:
    """`count` pictures of two or more people's folders, each framed and lit a little differently; their keys."""
    from skimage.data import astronaut

    whole = Image.fromarray(np.asarray(astronaut()))
    keys = []
    for number in range(count):
        random = np.random.default_rng(number)
        left, top = (int(x) for x in random.integers(0, 40, 2))
        side = int(random.integers(380, 420)) if size_px < 400 else 512 - max(left, top)
        face = whole.crop((left, top, left + side, top + side)).resize((size_px, size_px), Image.Resampling.LANCZOS)
        pixels = np.asarray(face, np.float32) * random.uniform(0.8, 1.1, 3)
        if number % 2:
            pixels = pixels[:, ::-1]
        key = f"person{number // 2 % 50:02d}/{number:06d}"
        path = folder / f"{key}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)).save(path, quality=95)
        keys.append(key)
    return keys
