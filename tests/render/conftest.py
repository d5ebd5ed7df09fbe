"""Pictures of the packaged head, drawn matt under a known light: what the renderer should read is known exactly."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from synth_affect.arrays import FloatArray, ImageArray
from synth_affect.heads.camera import Camera, ImageSize
from synth_affect.heads.cc0 import load_cc0
from synth_affect.heads.mesh import vertex_normals
from synth_affect.heads.model import HeadModel, head_vertices
from synth_affect.render.colour import linear_to_srgb
from synth_affect.render.rasterizer import interpolate, rasterize_projected
from synth_affect.render.scene import Scene, prepare_scene, project_with
from synth_affect.render.spherical_harmonics import Lighting, shading

SKIN = (0.42, 0.28, 0.21)
ALBEDO = {
    "eyeball": (0.62, 0.60, 0.58),
    "iris": (0.10, 0.06, 0.04),
    "lips": (0.40, 0.18, 0.17),
    "scalp": (0.05, 0.04, 0.03),
}
DISTANCE_MM = 600.0

SceneMaker = Callable[..., tuple[ImageArray, Scene]]
Displacer = Callable[..., FloatArray]


@pytest.fixture(scope="session")
def cc0_head() -> HeadModel:
    return load_cc0()


@pytest.fixture(scope="session")
def studio_light() -> Lighting:
    """A soft lamp above and to the right of the viewer, for a surface of albedo 1."""
    coefficients = np.zeros((9, 3))
    coefficients[0] = np.array([1.0, 0.95, 0.9]) / 0.282095
    coefficients[[1, 2, 3]] = np.array([0.25, 0.45, 0.3])[:, None]
    return Lighting(coefficients)


@pytest.fixture(scope="session")
def displace() -> Displacer:
    """The vertices of a scene's face with so much more of each unit: `displace(scene, jawOpen=0.5)`."""

    def with_units(scene: Scene, **weights: float) -> FloatArray:
        head = scene.head
        vertices = scene.vertices.copy()
        for name, weight in weights.items():
            vertices += np.float32(weight) * head.expression_units[head.unit_names.index(name)]
        return vertices

    return with_units


@pytest.fixture(scope="session")
def make_scene(cc0_head: HeadModel, studio_light: Lighting) -> SceneMaker:
    """A picture of the mean head, and the scene read from it: `make_scene(yaw_rad=0.5, jawOpen=0.2)`.

    size : (height, width) px.  px_per_mm : at the head's origin, which is 600 mm away and seen at centre (x, y) px.
    texture : spread of the skin's pigment from pixel to pixel.  All other arguments are weights of units.
    """

    def make(
        *,
        size: tuple[int, int] = (300, 240),
        px_per_mm: float = 1.0,
        yaw_rad: float = 0.0,
        roll_rad: float = 0.0,
        centre: tuple[float, float] | None = None,
        texture: float = 0.03,
        **units: float,
    ) -> tuple[ImageArray, Scene]:
        head = cc0_head
        weights = np.array([units.get(name, 0.0) for name in head.unit_names], dtype=np.float32)
        assert set(units) <= set(head.unit_names)
        vertices = head_vertices(head, np.zeros(len(head.identity_basis)), weights)
        cos_y, sin_y, cos_r, sin_r = np.cos(yaw_rad), np.sin(yaw_rad), np.cos(roll_rad), np.sin(roll_rad)
        yaw = np.array([[cos_y, 0, sin_y], [0, 1, 0], [-sin_y, 0, cos_y]])
        roll = np.array([[cos_r, -sin_r, 0], [sin_r, cos_r, 0], [0, 0, 1]])
        at = np.array(centre or (size[1] / 2, size[0] / 2))
        camera = Camera(roll @ yaw, np.array([0, 0, DISTANCE_MM]), px_per_mm * DISTANCE_MM, at)
        offsets = np.zeros((len(vertices), 2), dtype=np.float32)
        image = _photograph(head, camera, vertices, size, studio_light, texture)
        return image, prepare_scene(image, head, camera, vertices, offsets)

    return make


@pytest.fixture(scope="session")
def portrait_scene(make_scene: SceneMaker) -> tuple[ImageArray, Scene]:
    """A frontal face, 1 px a millimetre, mouth closed, well inside its picture."""
    return make_scene()


def _photograph(
    head: HeadModel,
    camera: Camera,
    vertices: FloatArray,
    size: tuple[int, int],
    light: Lighting,
    texture: float,
) -> ImageArray:
    projected = project_with(camera, vertices, np.zeros((len(vertices), 2), dtype=np.float32))
    fragments = rasterize_projected(projected, head.triangles, ImageSize(*size))
    seen = fragments.pix_to_face[0, :, :, 0]
    normals = interpolate(fragments, head.triangles, vertex_normals(vertices, head.triangles))
    length = np.linalg.norm(normals, axis=2, keepdims=True)
    albedo = np.array([ALBEDO.get(name, SKIN) for name in head.region_names], dtype=np.float32)
    pigment = 1 + texture * np.random.default_rng(5).normal(size=(*size, 1))
    lit = albedo[head.triangle_regions[seen]] * pigment * shading(light, normals / np.maximum(length, 1e-6))
    y, x = np.mgrid[: size[0], : size[1]]
    wall = 0.3 + 0.2 * np.stack([np.sin(x / 7), np.cos(y / 9), np.sin((x + y) / 11)], axis=2)
    return linear_to_srgb(np.where(seen[..., None] >= 0, lit, wall).astype(np.float32), np.uint8)
