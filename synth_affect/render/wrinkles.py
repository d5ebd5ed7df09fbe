"""Folds of the skin that a smooth mesh cannot make: height fields in the head's UV that enter the shading."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import as_file, files
from pathlib import Path

import cv2
import numpy as np

from synth_affect.arrays import FloatArray, readonly
from synth_affect.heads.model import HeadModel
from synth_affect.render.flow import SurfaceFlow
from synth_affect.render.rasterizer import interpolate
from synth_affect.render.scene import FACE_KIND, Scene

FILE_NAME = "cc0_wrinkles.npz"

# How far each unit folds which group; {side} runs over Left and Right together with the group's own side. Judgement.
DRIVERS: Mapping[str, Mapping[str, float]] = {
    "forehead": {"browInnerUp": 0.6, "browOuterUpLeft": 0.3, "browOuterUpRight": 0.3},
    "glabella": {"browDownLeft": 0.6, "browDownRight": 0.6},
    "nose_root": {"noseSneerLeft": 0.5, "noseSneerRight": 0.5, "browDownLeft": 0.2, "browDownRight": 0.2},
    "chin": {"mouthShrugLower": 1.0},
    "crows_feet": {"cheekSquint{side}": 0.7, "eyeSquint{side}": 0.35, "mouthSmile{side}": 0.2},
    "lower_lid": {"cheekSquint{side}": 0.5, "eyeSquint{side}": 0.4, "mouthSmile{side}": 0.15},
    "nose": {"noseSneer{side}": 1.1},
    "nasolabial": {"mouthSmile{side}": 0.6, "noseSneer{side}": 0.3, "mouthUpperUp{side}": 0.2},
    "mouth_corner": {"mouthFrown{side}": 0.9},
    "dimple": {"mouthDimple{side}": 1.0, "mouthSmile{side}": 0.25},
}
SLOPE_SHADE = 1.1
"""Change of log light a unit of slope against the light; below the 1.57 of a grazing lamp, skin scatters."""
DEPTH_SHADE = 0.55
"""Change of log light a millimetre of depth: a furrow sees less of the sky."""
LEAST_TOP_LIGHT = 0.35
"""Portraits are lit from above at least this much, whatever the estimate says."""
LIMIT, LEAST_LIMIT = 0.45, 0.06
"""Largest change of log light, and what is left of it where the photograph shows a fold as deep already."""
SMOOTH_SKIN, LINED_SKIN = (0.020, 0.45), (0.045, 1.1)
"""(texture, factor): made-up young faces and lined or bearded ones among the portraits that were looked at."""
OWN_BAND_MM = (0.6, 4.0)
"""Sizes of the folds that a photograph has of its own."""


@dataclass(frozen=True, slots=True, eq=False)
class WrinkleMaps:
    """topology : of the head that they belong to.  groups : their names.
    heights_mm : (n_groups, size, size) float32, at full strength; rows along v, columns along u.
    window : (4,) float32, the part (u0, v0, u1, v1) of the head's UV that they cover.
    """

    topology: str
    groups: tuple[str, ...]
    heights_mm: FloatArray
    window: FloatArray

    def __post_init__(self) -> None:
        shape = (len(self.groups), "size", "size")
        object.__setattr__(self, "heights_mm", readonly(self.heights_mm, "heights_mm", shape, np.float32))
        object.__setattr__(self, "window", readonly(self.window, "window", (4,), np.float32))


QUANTUM_MM = 0.01


def save_wrinkle_maps(maps: WrinkleMaps, path: Path) -> None:
    """Write them with heights rounded to QUANTUM_MM."""
    np.savez_compressed(
        path,
        topology=np.frombuffer(maps.topology.encode(), dtype=np.uint8),
        groups=np.frombuffer("\n".join(maps.groups).encode(), dtype=np.uint8),
        heights=np.clip(np.rint(maps.heights_mm / QUANTUM_MM), -127, 127).astype(np.int8),
        window=maps.window,
    )


def load_wrinkle_maps(head: HeadModel) -> WrinkleMaps | None:
    """The packaged maps, or None where `head` has another topology."""
    with as_file(files("synth_affect.render") / FILE_NAME) as path, np.load(path, allow_pickle=False) as arrays:
        topology = arrays["topology"].tobytes().decode()
        if topology != head.topology:
            return None
        groups = tuple(arrays["groups"].tobytes().decode().split("\n"))
        return WrinkleMaps(topology, groups, arrays["heights"].astype(np.float32) * QUANTUM_MM, arrays["window"])


def fold_strengths(change: FloatArray, unit_names: Sequence[str], groups: Sequence[str]) -> FloatArray:
    """(n_groups,) float32 in [-1, 1]: how far a change of expression deepens (or, below 0, smooths) each group.

    change : (n_units,) new weights minus those of the photograph.
    """
    weight = dict(zip(unit_names, change, strict=True))
    strengths = np.zeros(len(groups), dtype=np.float32)
    for place, group in enumerate(groups):
        name, _, side = group.rpartition("_")
        drivers = DRIVERS[group] if group in DRIVERS else DRIVERS[name]
        total = sum(c * weight.get(u.format(side=side.capitalize()), 0.0) for u, c in drivers.items())
        strengths[place] = np.clip(total, -1, 1)
    return strengths


@lru_cache(maxsize=4)
def vertex_texels(head: HeadModel, maps: WrinkleMaps) -> FloatArray:
    """(n_vertices, 2) float32: column and row of the maps at each vertex; far outside where the maps do not reach."""
    size = maps.heights_mm.shape[1]
    texels = np.full((len(head.mean), 2), -1e4, dtype=np.float32)
    uv = (head.uv - maps.window[:2]) / (maps.window[2:] - maps.window[:2])
    within = np.asarray(((uv >= 0) & (uv <= 1)).all(axis=1))
    corners, uv_corners = head.triangles.ravel(), head.uv_triangles.ravel()
    use = within[uv_corners]
    texels[corners[use]] = uv[uv_corners[use]] * size - 0.5
    return readonly(texels, "texels", ("n_vertices", 2), np.float32)


def _relief(maps: WrinkleMaps, strengths: FloatArray) -> FloatArray:
    """(size, size) float32, mm: the maps of all groups, each times its strength; few of them act at a time."""
    relief = np.zeros(maps.heights_mm.shape[1:], dtype=np.float32)
    for group in np.flatnonzero(strengths):
        relief += np.float32(strengths[group]) * maps.heights_mm[group]
    return relief


def skin_factor(texture: float) -> float:
    """How deep folds become on skin of this texture (Scene.skin_texture): smooth and young skin folds less."""
    low, high = SMOOTH_SKIN, LINED_SKIN
    return float(np.interp(texture, (low[0], high[0]), (low[1], high[1])))


def on_surface(scene: Scene, surface: SurfaceFlow, maps: WrinkleMaps, relief: FloatArray) -> FloatArray:
    """(height, width) float32: a map (size, size) at the surface under each pixel."""
    texels = interpolate(surface.fragments, scene.triangles, vertex_texels(scene.head, maps))
    seen: FloatArray = cv2.remap(
        relief, texels[..., 0], texels[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT
    )
    return seen


def wrinkle_light(
    picture: FloatArray, scene: Scene, surface: SurfaceFlow, maps: WrinkleMaps, strengths: FloatArray
) -> FloatArray:
    """(height, width) float32: factor on linear light, 1 where nothing folds; less where `picture` has its own folds.

    picture : (height, width, 3) float32 sRGB, 0-255, the displaced face before it is shaded.
    strengths : (n_groups,), of `fold_strengths`, times what the user and the skin ask for; only positive ones deepen.
    """
    deepening = np.maximum(strengths, 0)
    skin = surface.kind_map == FACE_KIND
    if not deepening.any() or not skin.any():
        return np.ones(skin.shape, dtype=np.float32)
    relief = _relief(maps, deepening)
    height = np.where(skin, on_surface(scene, surface, maps, relief), 0).astype(np.float32)
    slope_x = cv2.Sobel(height, cv2.CV_32F, 1, 0, ksize=3, scale=scene.px_per_mm / 8)
    slope_y = cv2.Sobel(height, cv2.CV_32F, 0, 1, ksize=3, scale=scene.px_per_mm / 8)
    light_x, light_up = _light_direction(scene)
    # A slope that rises to the right faces left; one that rises downwards in the picture faces up.
    log_light = SLOPE_SHADE * (light_up * slope_y - light_x * slope_x) + DEPTH_SHADE * np.minimum(height, 0)
    limit = np.clip(LIMIT - _own_folds(picture, scene.px_per_mm), LEAST_LIMIT, LIMIT)
    limited: FloatArray = np.exp(limit * np.tanh(log_light / limit)).astype(np.float32)
    return np.where(skin, limited, 1).astype(np.float32)


def _own_folds(picture: FloatArray, px_per_mm: float) -> FloatArray:
    """(height, width) float32, >= 0: how much darker than around it a narrow place is, in log light."""
    height, width = picture.shape[:2]
    brightness = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY) + 4
    # Folds are wider than two pixels of any picture that is worth it.
    halved = cv2.resize(brightness, (max(width // 2, 1), max(height // 2, 1)), interpolation=cv2.INTER_AREA)
    fine, coarse = (cv2.GaussianBlur(halved, (0, 0), max(0.5 * band * px_per_mm, 0.3)) for band in OWN_BAND_MM)
    # Code values are nearly light to the power of 1 / 2.2.
    darker = np.maximum(2.2 * np.log(np.maximum(coarse, 1) / np.maximum(fine, 1)), 0)
    own: FloatArray = cv2.resize(darker, (width, height), interpolation=cv2.INTER_LINEAR)
    return own


def _light_direction(scene: Scene) -> tuple[float, float]:
    """To the right and up in the picture, the share of the light that comes from the side (linear SH band)."""
    mean = scene.lighting.coefficients[:4].mean(axis=1)
    linear = np.array([mean[3], mean[1], mean[2]]) / max(float(mean[0]), 1e-6)  # head frame: x, y, z
    seen = scene.camera.rotation @ linear
    return float(np.clip(seen[0], -0.8, 0.8)), float(np.clip(seen[1], LEAST_TOP_LIGHT, 0.9))
