"""The packaged head with units and on random people, and what is seen of it."""

from __future__ import annotations

import numpy as np
from scipy.spatial.transform import Rotation

from synth_affect.heads.camera import HEAD_TO_CAMERA_AXES, Camera, ImageSize, project
from synth_affect.heads.model import HeadModel, embed, head_vertices, region_triangles
from synth_affect.render.rasterizer import rasterize_projected

INSIDE_MOUTH = ("mouth_cavity", "teeth_upper", "teeth_lower", "gums", "tongue")
EYE = ("eyeball", "iris")
PIXEL_MM = 0.25
YAWS_DEG = (-30.0, 0.0, 30.0)
FLIP = np.array([-1.0, 1.0, 1.0])
# MediaPipe's points round the opening of the subject's right and left eye.
RIGHT_LIDS = (33, 246, 161, 160, 159, 158, 157, 173, 133, 155, 154, 153, 145, 144, 163, 7)
LEFT_LIDS = (263, 466, 388, 387, 386, 385, 384, 398, 362, 382, 381, 380, 374, 373, 390, 249)


def unit(head: HeadModel, *names: str) -> np.ndarray:
    return sum(head.expression_units[head.unit_names.index(name)] for name in names)


def random_heads(head: HeadModel, n: int, seed: int = 0) -> list[np.ndarray]:
    coefficients = np.random.default_rng(seed).normal(size=(n, len(head.identity_basis)))
    return [head_vertices(head, c, np.zeros(len(head.unit_names))) for c in coefficients]


def landmarks(head: HeadModel, values: np.ndarray) -> np.ndarray:
    return embed(values, head.triangles, head.landmarks_478)


def seen_from(
    head: HeadModel, vertices: np.ndarray, regions: tuple[str, ...], yaw_deg: float, centre: tuple[float, float, float]
) -> tuple[np.ndarray, Camera]:
    """(240, 480) bool: where a triangle of `regions` is nearest, without lashes; the camera 600 mm from `centre`."""
    rotation = Rotation.from_euler("y", yaw_deg, degrees=True).as_matrix()
    translation = [0, 0, 600] - HEAD_TO_CAMERA_AXES @ rotation @ np.array(centre)
    camera = Camera(rotation, translation, 600 / PIXEL_MM, np.array([240.0, 120.0]))
    shown = ~region_triangles(head, "lashes")
    fragments = rasterize_projected(project(camera, vertices), head.triangles[shown], ImageSize(240, 480))
    face = fragments.pix_to_face[0, :, :, 0]
    return (face >= 0) & region_triangles(head, *regions)[shown][face], camera


def eyes_seen(head: HeadModel, vertices: np.ndarray, yaw_deg: float) -> tuple[np.ndarray, Camera]:
    return seen_from(head, vertices, EYE, yaw_deg, (0.0, 0.0, 0.0))


def inside_mouth_seen(head: HeadModel, vertices: np.ndarray, yaw_deg: float = 0.0) -> np.ndarray:
    return seen_from(head, vertices, INSIDE_MOUTH, yaw_deg, (0.0, -68.0, 0.0))[0]
