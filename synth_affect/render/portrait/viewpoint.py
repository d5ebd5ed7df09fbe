"""Where the camera of a portrait stands."""

from __future__ import annotations

import numpy as np
from scipy.spatial.transform import Rotation

from synth_affect.heads.camera import HEAD_TO_CAMERA_AXES, Camera, ImageSize

FILM_MM = 24.0
"""Height of the picture to which focal lengths refer: a square out of a 36 x 24 mm frame."""
FOCAL_MM = (35.0, 135.0)
FACE_MM, FACE_SHARE = 190.0, (0.38, 0.66)
"""From the hairline to the chin, and its share of the picture's height."""
MIDDLE_MM = np.array([0.0, -22.0, -10.0])
"""The place of the head frame that stands near the picture's middle."""
SIDEWAYS, LARGEST_YAW_DEG = 0.25, 60.0
"""Share of the pictures whose yaw is even over the whole range; the others are nearly frontal."""


def draw_camera(size: ImageSize, rng: np.random.Generator) -> tuple[Camera, float]:
    """A camera, and its focal length in mm on 36 x 24."""
    focal_mm = float(np.exp(rng.uniform(*np.log(FOCAL_MM))))
    yaw = rng.uniform(-LARGEST_YAW_DEG, LARGEST_YAW_DEG) if rng.random() < SIDEWAYS else rng.normal(0, 11)
    pitch, roll = np.clip(rng.normal(2, 7), -20, 20), np.clip(rng.normal(0, 4.5), -14, 14)
    angles = np.radians([roll, np.clip(yaw, -LARGEST_YAW_DEG, LARGEST_YAW_DEG), pitch])
    rotation = Rotation.from_euler("ZYX", angles).as_matrix()
    side = min(size.height, size.width)
    focal_px = focal_mm / FILM_MM * side
    distance = focal_px * FACE_MM / (rng.uniform(*FACE_SHARE) * side)
    off = rng.normal([0, 0.0], [0.045, 0.03]).clip(-0.1, 0.1) * side / focal_px
    translation = distance * np.array([off[0], off[1], 1.0]) - HEAD_TO_CAMERA_AXES @ rotation @ MIDDLE_MM
    centre = np.array([size.width / 2, size.height / 2])
    return Camera(rotation, translation, focal_px, centre), focal_mm
