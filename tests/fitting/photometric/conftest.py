"""A small rendered face: the packaged head under light of two lamps, and a landmark fit that is off."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from synth_affect.arrays import FloatArray, ImageArray
from synth_affect.fitting.fit import FaceFit
from synth_affect.heads.camera import Camera, ImageSize, project
from synth_affect.heads.cc0 import load_cc0
from synth_affect.heads.mesh import vertex_normals
from synth_affect.heads.model import HeadModel, embed, head_vertices, region_triangles, region_vertices
from synth_affect.render.colour import linear_to_srgb
from synth_affect.render.rasterizer import interpolate, rasterize_projected

SIZE = ImageSize(200, 180)
SKIN, LIPS = (0.42, 0.26, 0.2), (0.33, 0.12, 0.11)


@dataclass(frozen=True, slots=True, eq=False)
class Portrait:
    """image : (200, 180, 3) uint8.  vertices, camera : the truth.  fit : of landmarks, off by a few pixels."""

    image: ImageArray
    vertices: FloatArray
    camera: Camera
    fit: FaceFit


@pytest.fixture(scope="session")
def head() -> HeadModel:
    return load_cc0()


@pytest.fixture(scope="session")
def portraits(head: HeadModel) -> list[Portrait]:
    return [rendered(head, seed) for seed in (1, 2)]


def rendered(head: HeadModel, seed: int) -> Portrait:
    """A face whose landmark fit knows the camera and where the points are, and takes it for the mean face."""
    rng = np.random.default_rng(seed)
    identity = np.zeros(len(head.identity_basis), np.float32)
    identity[:12] = rng.normal(0, 1.2, 12)
    weights = np.zeros(len(head.unit_names), np.float32)
    vertices = head_vertices(head, identity, weights)
    yaw = rng.uniform(-0.5, 0.5)
    rotation = np.array([[np.cos(yaw), 0, np.sin(yaw)], [0, 1, 0], [-np.sin(yaw), 0, np.cos(yaw)]])
    camera = Camera(rotation, np.array([4.0, 6.0, 950.0]), 640.0, np.array([90.0, 100.0]))
    landmarks = project(camera, embed(vertices, head.triangles, head.landmarks_478))[:, :2]
    fit = FaceFit(
        head=head.name,
        topology=head.topology,
        image_size=SIZE,
        camera=camera,
        identity_coefficients=np.zeros_like(identity),
        expression_weights=weights,
        landmarks_image=landmarks + rng.normal(0, 0.5, landmarks.shape),
        residual_iod=0.1,
        converged=True,
        iterations=9,
    )
    return Portrait(_picture(head, vertices, camera), vertices, camera, fit)


def _picture(head: HeadModel, vertices: FloatArray, camera: Camera) -> ImageArray:
    shown = head.triangles[region_triangles(head, "skin", "lips", "lids", "eyeball", "iris", "scalp", "ears", "neck")]
    colours = np.tile(np.array(SKIN, np.float32), (len(vertices), 1))
    colours[region_vertices(head, "lips")] = LIPS
    normals = vertex_normals(vertices, head.triangles) @ camera.rotation.T.astype(np.float32)
    light = 0.25 + sum(
        power * np.clip(normals @ (np.array(towards) / np.linalg.norm(towards)), 0, None)
        for power, towards in ((0.7, (0.7, 0.5, 0.8)), (0.4, (-0.9, 0.1, 0.4)))
    )
    fragments = rasterize_projected(project(camera, vertices).astype(np.float32), shown, SIZE)
    image = interpolate(fragments, shown, (colours * light[:, None]).astype(np.float32))
    image[fragments.pix_to_face[0, :, :, 0] < 0] = (0.1, 0.15, 0.3)
    coded: ImageArray = linear_to_srgb(image, np.uint8)
    return coded
