"""Rendered heads of known shape, pose and camera, on which refinement is measured; and how a shape's error is measured.

The light is what a refinement does not model: a few area lamps of many points each with 1/r^2 fall-off, gloss on the
skin, and a floor that shines back. The skin has pores, freckles, blotches, lips, brows and a beard's shade. Shadows are
not cast. The detector sees faces in these pictures; they are no photographs.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from synth_affect.arrays import FloatArray, ImageArray
from synth_affect.blendshape.registration.surface import SurfaceTree
from synth_affect.fitting.fit import FaceFit
from synth_affect.fitting.landmarks import Landmarks
from synth_affect.fitting.markup import NOSE_TIP
from synth_affect.heads.camera import Camera, ImageSize, project, to_camera
from synth_affect.heads.mesh import vertex_normals
from synth_affect.heads.model import HeadModel, embed, head_vertices, region_triangles, region_vertices
from synth_affect.pipelines.embed_landmarks import paint
from synth_affect.render.colour import linear_to_srgb, srgb_to_linear
from synth_affect.render.rasterizer import interpolate, rasterize_projected

SIDE = 640
OVERSAMPLING = 2
EXPRESSIONS = ("mouthSmileLeft", "mouthSmileRight", "browInnerUp", "jawOpen", "eyeSquintLeft", "eyeSquintRight")
FACE_RADIUS_MM = 85.0
"""The face is what lies so near to the tip of the nose."""
SURFACE = ("skin", "lips", "lids", "neck", "scalp", "ears")
CLOSEST_POINT_ROUNDS = 25


@dataclass(frozen=True, slots=True, eq=False)
class RenderedHead:
    """image : (SIDE, SIDE, 3) uint8.  vertices (n_vertices, 3) float32, mm, and camera : the truth."""

    head: HeadModel
    image: ImageArray
    vertices: FloatArray
    camera: Camera
    yaw_deg: float

    @property
    def size(self) -> ImageSize:
        """Of the picture."""
        return ImageSize(SIDE, SIDE)

    def true_landmarks(self) -> Landmarks:
        """MediaPipe's points where they truly are."""
        points = embed(self.vertices.astype(np.float64), self.head.triangles, self.head.landmarks_478)
        projected = project(self.camera, points)
        projected[:, 2] -= projected[:, 2].mean()
        return Landmarks(projected, {})


def rendered_head(head: HeadModel, seed: int, yaw_deg: float) -> RenderedHead:
    """One head of `seed`, turned by `yaw_deg` to either side and a little otherwise."""
    rng = np.random.default_rng(seed)
    identity = np.clip(rng.normal(0, 0.9, len(head.identity_basis)), -2.5, 2.5).astype(np.float32)
    weights = np.zeros(len(head.unit_names), np.float32)
    for name in EXPRESSIONS:
        weights[head.unit_names.index(name)] = rng.uniform(0, 0.35) * (rng.random() < 0.5)
    vertices = head_vertices(head, identity, weights)
    yaw = np.radians(yaw_deg * rng.choice([-1, 1]) + rng.uniform(-4, 4))
    pitch, roll = np.radians(rng.uniform(-8, 8, 2))
    focal = SIDE * rng.uniform(1.2, 2.6)
    distance = focal * 230 / SIDE * rng.uniform(0.95, 1.15)
    camera = Camera(_rotation(yaw, pitch, roll), np.array([0, 10, distance]), focal, np.array([SIDE / 2, SIDE / 2]))
    return RenderedHead(head, _picture(head, vertices, camera, rng), vertices, camera, yaw_deg)


@dataclass(frozen=True, slots=True)
class FitErrors:
    """shape_mm : median distance of the true face's vertices from the fitted surface after the best similarity.
    pose_deg : the angle of that similarity's rotation, both faces as they stand before the camera.
    log_distance : of the camera, fitted over true.
    """

    shape_mm: float
    pose_deg: float
    log_distance: float


def fit_errors(truth: RenderedHead, head: HeadModel, fit: FaceFit) -> FitErrors:
    """How far a fit of another model is from the truth.

    The two heads share neither vertices nor the axes of their frames: closest points and the similarity are found in
    turn, from the landmarks on.
    """
    inside = region_vertices(truth.head, "skin", "lips")
    true_points = embed(truth.vertices.astype(np.float64), truth.head.triangles, truth.head.landmarks_478)[:468]
    near = np.linalg.norm(truth.vertices[inside] - true_points[NOSE_TIP], axis=1) < FACE_RADIUS_MM
    true_face = to_camera(truth.camera, truth.vertices[inside[near]].astype(np.float64))
    vertices = head_vertices(head, fit.identity_coefficients, fit.expression_weights).astype(np.float64)
    fitted = to_camera(fit.camera, vertices)
    fitted_points = embed(fitted, head.triangles, head.landmarks_478)[:468]
    scale, rotation, shift = _similarity(to_camera(truth.camera, true_points), fitted_points)
    tree = SurfaceTree(fitted, head.triangles[region_triangles(head, *SURFACE)])
    guess = None
    for _ in range(CLOSEST_POINT_ROUNDS):
        nearest = tree.nearest(scale * true_face @ rotation.T + shift, guess=guess)
        guess = nearest.triangles
        scale, rotation, shift = _similarity(true_face, nearest.points)
    distances = tree.nearest(scale * true_face @ rotation.T + shift, guess=guess).distances
    angle = np.degrees(np.arccos(np.clip((np.trace(rotation) - 1) / 2, -1, 1)))
    # Sizes are not seen: distances are compared in sizes of the face.
    apart = scale * true_face[:, 2].mean() / nearest.points[:, 2].mean()
    return FitErrors(float(np.median(distances) / scale), float(angle), float(-np.log(apart)))


def _similarity(source: FloatArray, target: FloatArray) -> tuple[float, FloatArray, FloatArray]:
    """Umeyama 1991: target ~ scale * rotation @ source + shift."""
    source_mean, target_mean = source.mean(axis=0), target.mean(axis=0)
    a, b = source - source_mean, target - target_mean
    u, s, vt = np.linalg.svd(b.T @ a)
    sign = np.array([1, 1, np.sign(np.linalg.det(u @ vt))])
    rotation = (u * sign) @ vt
    scale = float((s * sign).sum() / (a**2).sum())
    return scale, rotation, target_mean - scale * rotation @ source_mean


def _picture(head: HeadModel, vertices: FloatArray, camera: Camera, rng: np.random.Generator) -> ImageArray:
    side = SIDE * OVERSAMPLING
    drawn = head.triangles[~region_triangles(head, "lashes")]
    placed = project(camera, vertices).astype(np.float32)
    placed[:, :2] *= OVERSAMPLING
    fragments = rasterize_projected(placed, drawn, ImageSize(side, side))
    seen = fragments.pix_to_face[0, :, :, 0] >= 0
    points = vertices @ camera.rotation.T.astype(np.float32)
    normals = vertex_normals(vertices, head.triangles) @ camera.rotation.T.astype(np.float32)
    carried = interpolate(
        fragments, drawn, np.concatenate([points, normals, _skin(head, rng), vertices], axis=1).astype(np.float32)
    )
    at, normal, albedo, place = (carried[seen][:, k : k + 3] for k in (0, 3, 6, 9))
    normal = normal / np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-6)
    albedo = albedo * _pores(place, rng)[:, None]
    image = np.zeros((side, side, 3), np.float32)
    background = rng.uniform(0.05, 0.5, 3) * (0.7 + 0.6 * np.linspace(0, 1, side)[:, None, None])
    image[:] = background
    image[seen] = _lit(at, normal, albedo, rng)
    image = image.reshape(SIDE, OVERSAMPLING, SIDE, OVERSAMPLING, 3).mean(axis=(1, 3))
    exposure = 0.32 / max(float(np.percentile(image[seen[::OVERSAMPLING, ::OVERSAMPLING]].mean(axis=1), 70)), 1e-3)
    noisy = image * exposure * (1 + rng.normal(0, 0.01, image.shape)) + rng.normal(0, 0.002, image.shape)
    coded: ImageArray = linear_to_srgb(noisy.astype(np.float32), np.uint8)
    return coded


def _skin(head: HeadModel, rng: np.random.Generator) -> FloatArray:
    """(n_vertices, 3) linear albedo: a tone of skin with blotches and a shade of beard; what else a head has."""
    painted = srgb_to_linear(paint(head) / 255)
    base = srgb_to_linear(np.array([203, 160, 136]) / 255)
    dark = rng.uniform(0, 1)
    tone = (1 - dark) * np.array([0.60, 0.38, 0.28]) + dark * np.array([0.14, 0.075, 0.05])
    albedo = painted * (tone / base)
    for region in ("eyeball", "teeth_upper", "teeth_lower"):
        albedo[region_vertices(head, region)] = painted[region_vertices(head, region)]
    skin = region_vertices(head, "skin", "lids")
    centres = head.mean[rng.choice(skin, 40)]
    blotch = sum(
        rng.normal(0, 0.08) * np.exp(-0.5 * ((head.mean - centre) ** 2).sum(1) / rng.uniform(5, 16) ** 2)
        for centre in centres
    )
    red = np.exp(-0.5 * ((np.abs(head.mean) - [38, -38, 40]) ** 2 / [300, 200, 1500]).sum(1)) * rng.uniform(0, 0.2)
    beard = rng.uniform(0, 0.45) * (rng.random() < 0.4)
    low = 1 / (1 + np.exp((head.mean[:, 1] - rng.uniform(-62, -50)) / 5))
    albedo *= (np.exp(blotch) * (1 - beard * low))[:, None]
    albedo *= 1 + red[:, None] * np.array([0.4, -0.6, -0.6])
    made: FloatArray = albedo.astype(np.float32)
    return made


def _pores(places: FloatArray, rng: np.random.Generator) -> FloatArray:
    """(n,) factor on the albedo at places (n, 3), mm: waves in random directions from 3 mm down to pores."""
    factor = np.zeros(len(places))
    for wavelength, strength in ((9.0, 0.03), (3.0, 0.035), (1.3, 0.05)):
        for _ in range(5):
            direction = rng.normal(size=3)
            direction *= 2 * np.pi / wavelength / np.linalg.norm(direction)
            factor += strength / np.sqrt(5) * np.sin(places @ direction + rng.uniform(0, 2 * np.pi))
    made: FloatArray = np.exp(factor).astype(np.float32)
    return made


def _lit(points: FloatArray, normals: FloatArray, albedo: FloatArray, rng: np.random.Generator) -> FloatArray:
    """(n, 3) linear colours. points, normals : axes of the picture, x right, y up, z to the viewer."""
    colours = albedo * (0.10 + 0.08 * (0.5 - 0.5 * normals[:, 1:2])) * rng.uniform(0.8, 1.2, 3)
    view = np.array([0, 0, 1.0])
    for lamp in range(rng.integers(2, 4)):
        angle, height = rng.uniform(-1.3, 1.3), rng.uniform(-0.15, 0.9)
        middle = rng.uniform(500, 1400) * np.array([np.sin(angle), np.tan(height), np.cos(angle)])
        power = np.linalg.norm(middle) ** 2 * rng.uniform(0.35, 1.0) * (1.0 if lamp == 0 else 0.5)
        tint = np.array([1, 1, 1]) + rng.uniform(-0.12, 0.12) * np.array([1, 0, -1])
        n_points = 12
        for _ in range(n_points):
            towards = middle + rng.uniform(-180, 180, 3) - points
            length = np.linalg.norm(towards, axis=1, keepdims=True)
            towards = towards / length
            reach = power / n_points / length**2
            cosine = np.clip((normals * towards).sum(1, keepdims=True), 0, None)
            half = towards + view
            half /= np.linalg.norm(half, axis=1, keepdims=True)
            gloss = 0.12 * np.clip((normals * half).sum(1, keepdims=True), 0, None) ** 18 * (cosine > 0)
            colours = colours + reach * tint * (albedo * cosine + gloss)
    made: FloatArray = colours.astype(np.float32)
    return made


def _rotation(yaw: float, pitch: float, roll: float) -> FloatArray:
    cy, sy, cp, sp, cr, sr = np.cos(yaw), np.sin(yaw), np.cos(pitch), np.sin(pitch), np.cos(roll), np.sin(roll)
    return (
        np.array([[cr, -sr, 0], [sr, cr, 0], [0, 0, 1]])
        @ np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
        @ np.array([[1, 0, 0], [0, cp, -sp], [0, sp, cp]])
    )
