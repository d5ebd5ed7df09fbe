"""Where the camera of a portrait stands."""

from __future__ import annotations

from collections.abc import Sequence

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
LABORATORY_FOCAL_MM, LABORATORY_SHARE = (60.0, 100.0), (0.5, 0.6)
HELD_DEG = (1.5, 3.0, 2.0)
"""Standard deviations of roll, yaw and pitch of a head that is held still, before a camera that stays."""


def draw_camera(size: ImageSize, rng: np.random.Generator) -> tuple[Camera, float]:
    """A camera, and its focal length in mm on 36 x 24."""
    focal_mm = float(np.exp(rng.uniform(*np.log(FOCAL_MM))))
    yaw = rng.uniform(-LARGEST_YAW_DEG, LARGEST_YAW_DEG) if rng.random() < SIDEWAYS else rng.normal(0, 11)
    pitch, roll = np.clip(rng.normal(2, 7), -20, 20), np.clip(rng.normal(0, 4.5), -14, 14)
    angles_deg = (roll, float(np.clip(yaw, -LARGEST_YAW_DEG, LARGEST_YAW_DEG)), pitch)
    return _camera(size, focal_mm, angles_deg, rng.uniform(*FACE_SHARE), rng), focal_mm


def draw_laboratory_camera(
    size: ImageSize, person: np.random.Generator, picture: np.random.Generator
) -> tuple[Camera, float]:
    """A camera that stays where it is for one person, who looks into it and hardly moves; and its focal length.

    person : draws what stays.  picture : how the head is held.
    """
    focal_mm, share = float(person.uniform(*LABORATORY_FOCAL_MM)), float(person.uniform(*LABORATORY_SHARE))
    angles_deg = picture.normal(0, HELD_DEG).tolist()
    return _camera(size, focal_mm, angles_deg, share, person), focal_mm


def _camera(
    size: ImageSize, focal_mm: float, angles_deg: Sequence[float], face_share: float, rng: np.random.Generator
) -> Camera:
    """angles_deg : roll, yaw, pitch.  rng : draws how far off the middle it looks."""
    rotation = Rotation.from_euler("ZYX", np.radians(angles_deg)).as_matrix()
    side = min(size.height, size.width)
    focal_px = focal_mm / FILM_MM * side
    distance = focal_px * FACE_MM / (face_share * side)
    off = rng.normal([0, 0.0], [0.045, 0.03]).clip(-0.1, 0.1) * side / focal_px
    translation = distance * np.array([off[0], off[1], 1.0]) - HEAD_TO_CAMERA_AXES @ rotation @ MIDDLE_MM
    centre = np.array([size.width / 2, size.height / 2])
    return Camera(rotation, translation, focal_px, centre)
