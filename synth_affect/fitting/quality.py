"""How far a fit of a face can be trusted, from what the picture shows of it: measures, and one score of them.

    score = min over the faults of mark(measure),    mark = clip((measure - bad) / (good - bad), 0, 1)

A face is as good as its worst fault: a sharp, large face of which half is hidden is a bad one. `FAULTS` has the
measures with their bounds. How neutral the face is stands beside the score and is no part of it: an expression is no
fault.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import cv2
import numpy as np

from synth_affect.arrays import BoolArray, FloatArray, ImageArray, IntArray, as_uint8
from synth_affect.errors import InputError
from synth_affect.fitting.fit import FaceFit
from synth_affect.fitting.landmarks import Landmarks
from synth_affect.fitting.markup import interocular_distance_px, markup_of
from synth_affect.fitting.solver import LandmarkSolver
from synth_affect.heads.camera import Camera, project, to_camera, yaw_pitch_roll
from synth_affect.heads.mesh import vertex_normals
from synth_affect.heads.model import HeadModel, embed, head_vertices, region_vertices


@dataclass(frozen=True, slots=True)
class Fault:
    """What can be wrong with a fit. bad, good : of the measure; mark 0 and 1.  says : the reason, with the measure."""

    measure: str
    bad: float
    good: float
    says: str

    def mark(self, value: float) -> float:
        """In [0, 1]; 0 for NaN, which is no good sign."""
        mark = (value - self.bad) / (self.good - self.bad)
        return min(max(mark, 0.0), 1.0) if mark == mark else 0.0


FAULTS = (
    Fault("held_out_iod", 0.09, 0.025, "points that the fit did not see lie off by {:.1%} of the eyes' distance"),
    Fault("residual_iod", 0.07, 0.02, "its points lie off by {:.1%} of the eyes' distance"),
    Fault("in_picture", 0.6, 0.97, "{:.0%} of the face is in the picture"),
    Fault("visible", 0.35, 0.75, "{:.0%} of the face is turned to the camera"),
    Fault("unhidden", 0.45, 0.75, "{:.0%} of the visible face has the colour of its skin"),
    Fault("yaw_deg", 80.0, 45.0, "turned by {:.0f} degrees"),
    Fault("identity_sd", 1.5, 0.8, "a head {:.2f} standard deviations from the mean one"),
    Fault("size_px", 12.0, 50.0, "{:.0f} px between the eyes"),
    Fault("sharpness", 0.03, 0.2, "sharpness {:.2f}"),
)
"""Bounds lie between photographs as they are and the same ones spoilt. Of 17 portraits the lowest in_picture was 1.0,
visible 0.77, unhidden 0.76 (0.63 with a hand at the chin in coloured light), sharpness 0.27, the largest held_out_iod
0.025, residual_iod 0.031, identity_sd 0.56. Blurred by 2 and 5 % of the eyes' distance, sharpness was 0.11 and 0.07 at
most; with the lower half, a side or the eyes covered by a coloured plate, unhidden was 0.46 to 0.64 (by a grey one 0.56
to 0.89: a pale plate on pale skin is not seen); with 20 and 40 % of the width cut off, in_picture was 0.89 and 0.69 at
most. Landmarks hardly suffer from any of that: the detector makes up a likely face, and held_out_iod alone would pass
them all.
"""

SAMPLED_PX_PER_MM = 1.0
"""Sharpness is looked for at this scale at most: pores of a large portrait are no better than none."""
TURNED_TO_CAMERA = 0.15
"""Cosine from which on skin is seen."""
STRANGE_CHROMA = 0.06
"""Distance in shares of red, green and blue from the face's own skin from which on it is something else."""
_LINE_ROUNDS, _LINE_STIFFNESS = 6, 0.002
NOISE_LEVELS = 8.0
"""Grey levels that a channel of a dark pixel may be off."""
EXPRESSIVE_MM = 3.0
"""Mean motion of the face's skin from rest that is anything but neutral: a broad smile moves it by as much."""
_GAZE = "eyeLook"


@dataclass(frozen=True, slots=True)
class FitQuality:
    """Measures of one fit.

    held_out_iod : a fit to every second point, without the detector's readings, misses the others by so much.
    residual_iod : the fit misses its own points by so much. Both: mean over visible points, in inter-ocular distances.
    in_picture : share of the face's skin within the picture.  visible : share turned to the camera.
    unhidden : share of what is both that has the skin's colour; a hand has it too, a grey picture has it everywhere.
    yaw_deg : away from the camera, no sign.
    identity_sd : root mean square of the identity's coefficients (Mahalanobis distance over the root of their count).
    size_px : distance of the outer eye corners, as if the face looked into the camera.
    sharpness : share of its contrast that a face loses when it is blurred a little, in [0, 1].
    expression_mm : mean motion of the skin that is expression.  neutrality : 1 at rest, 0 from EXPRESSIVE_MM on.
    """

    held_out_iod: float
    residual_iod: float
    in_picture: float
    visible: float
    unhidden: float
    yaw_deg: float
    identity_sd: float
    size_px: float
    sharpness: float
    expression_mm: float
    neutrality: float

    @property
    def score(self) -> float:
        """In [0, 1], see the head of this file."""
        return min(self.marks().values())

    @property
    def reason(self) -> str:
        """The worst fault in words."""
        marks = self.marks()
        worst = min(FAULTS, key=lambda fault: marks[fault.measure])
        return worst.says.format(getattr(self, worst.measure))

    def marks(self) -> Mapping[str, float]:
        """Of each fault, in [0, 1]."""
        return {fault.measure: fault.mark(getattr(self, fault.measure)) for fault in FAULTS}


MEASURES = tuple(each.name for each in fields(FitQuality))


class QualityMeter:
    """Measures fits of one head model. solver : of that model, for the held-out fit."""

    def __init__(self, head: HeadModel, solver: LandmarkSolver) -> None:
        self._head = head
        self._solver = solver
        skin = region_vertices(head, "skin")
        self._skin: IntArray = skin[_on_the_face(head, skin)]
        self._expressive = np.array([not name.startswith(_GAZE) for name in head.unit_names], dtype=np.float32)
        self._units = head.expression_units[:, self._skin].reshape(len(head.expression_units), -1)

    def __call__(self, image: ImageArray, landmarks: Landmarks, fit: FaceFit) -> FitQuality:
        """What `image` (height, width, 3) uint8 or uint16 shows of a face with these landmarks and this fit."""
        vertices = head_vertices(self._head, fit.identity_coefficients, fit.expression_weights)
        seen = _turned_to_camera(vertices, vertex_normals(vertices, self._head.triangles), fit.camera)[self._skin]
        places = project(fit.camera, vertices[self._skin])[:, :2]
        inside = ((places >= 0) & (places < [fit.image_size.width, fit.image_size.height])).all(axis=1)
        pixels = as_uint8(image)
        size_px = self._size_px(fit, vertices)
        moved = (self._expressive * fit.expression_weights) @ self._units
        expression_mm = float(np.linalg.norm(moved.reshape(-1, 3), axis=1).mean())
        n_identity = len(fit.identity_coefficients)
        return FitQuality(
            held_out_iod=self._held_out(landmarks, fit),
            residual_iod=fit.residual_iod,
            in_picture=float(inside.mean()),
            visible=float(seen.mean()),
            unhidden=_share_of_skin(pixels, places[seen & inside]),
            yaw_deg=abs(float(np.degrees(yaw_pitch_roll(fit.camera)[0]))),
            identity_sd=float(np.linalg.norm(fit.identity_coefficients)) / max(n_identity, 1) ** 0.5,
            size_px=size_px,
            sharpness=_sharpness(pixels, fit.landmarks_image, size_px / self._interocular_mm(vertices)),
            expression_mm=expression_mm,
            neutrality=max(0.0, 1.0 - expression_mm / EXPRESSIVE_MM),
        )

    def _held_out(self, landmarks: Landmarks, fit: FaceFit) -> float:
        markup = markup_of(landmarks.points_image)
        weights = np.zeros(markup.n_landmarks)
        weights[markup.inner[::2]] = 1.0
        if markup.n_landmarks < 100:  # a pose needs the eyes' corners, and few points need the outline
            weights[markup.outline] = 1.0
        half = self._solver(Landmarks(landmarks.points_image, {}), fit.image_size, weights=weights)
        return self._error_iod(half, landmarks, markup.inner[1::2])

    def _error_iod(self, fit: FaceFit, landmarks: Landmarks, points: IntArray) -> float:
        embedding = markup_of(landmarks.points_image).embedding(self._head)
        vertices = head_vertices(self._head, fit.identity_coefficients, fit.expression_weights)
        normals = embed(vertex_normals(vertices, self._head.triangles), self._head.triangles, embedding)
        places = embed(vertices, self._head.triangles, embedding)
        off = np.linalg.norm(project(fit.camera, places)[:, :2] - landmarks.points_image[:, :2], axis=1)
        seen = points[_turned_to_camera(places, normals, fit.camera)[points]]
        return float(off[seen].mean()) / interocular_distance_px(landmarks.points_image) if len(seen) else float("nan")

    def _interocular_mm(self, vertices: FloatArray) -> float:
        markup = markup_of(np.empty((68, 2)))
        points = embed(vertices, self._head.triangles, self._head.landmarks_68)
        corners = points[[markup.right_eye_outer_corner, markup.left_eye_outer_corner]]
        return float(np.linalg.norm(corners[0] - corners[1]))

    def _size_px(self, fit: FaceFit, vertices: FloatArray) -> float:
        depth = float(np.median(to_camera(fit.camera, vertices[self._skin])[:, 2]))
        return self._interocular_mm(vertices) * fit.camera.focal_px / depth


def _on_the_face(head: HeadModel, skin: IntArray) -> BoolArray:
    """Of the skin, what the landmarks reach round: models differ in how far down and back their skin goes."""
    points = embed(head.mean, head.triangles, head.landmarks_478)
    low, high = points.min(axis=0) - 5.0, points.max(axis=0) + 5.0
    places = head.mean[skin]
    return np.asarray(((places >= low) & (places <= high)).all(axis=1))


def _turned_to_camera(points: FloatArray, normals: FloatArray, camera: Camera) -> BoolArray:
    places = to_camera(camera, points)
    turned = to_camera(camera, normals) - to_camera(camera, np.zeros((1, 3), dtype=normals.dtype))
    cosine = -(places * turned).sum(axis=1) / (np.linalg.norm(places, axis=1) + 1e-9)
    return np.asarray(cosine > TURNED_TO_CAMERA)


def _share_of_skin(pixels: ImageArray, places: FloatArray) -> float:
    """Share of the `places` (n, 2) px on a face that have the colour of most of them; NaN without any."""
    if not len(places):
        return float("nan")
    colours = pixels[places[:, 1].astype(np.intp), places[:, 0].astype(np.intp)].astype(np.float32) + NOISE_LEVELS
    shares = colours / colours.sum(axis=1, keepdims=True)
    # Shadows of a face in warm light are warmer: a line in the log of the light, refitted to what lies near it.
    light = np.log(colours.sum(axis=1))
    line = np.stack([np.ones_like(light), light - np.median(light)], axis=1)
    strange = np.linalg.norm(shares - np.median(shares, axis=0), axis=1)
    for _ in range(_LINE_ROUNDS):
        weight = 1.0 / (1.0 + (strange / STRANGE_CHROMA) ** 2) ** 2
        normal = line.T @ (line * weight[:, None]) + _LINE_STIFFNESS * len(line) * np.diag([0.0, 1.0])
        course = np.linalg.solve(normal, line.T @ (shares * weight[:, None]))
        strange = np.linalg.norm(shares - line @ course, axis=1)
    return float((strange < STRANGE_CHROMA).mean())


def _sharpness(pixels: ImageArray, points: FloatArray, px_per_mm: float) -> float:
    """Share of the grey steps of a face that a blur of one pixel takes, at SAMPLED_PX_PER_MM at most.

    Source: Crete, Dolmiere, Ladret & Nicolas 2007, "The blur effect", whose measure this is, with a Gaussian.
    """
    low = np.maximum(np.floor(points.min(axis=0)), 0).astype(np.intp)
    high = np.ceil(points.max(axis=0)).astype(np.intp)
    crop = pixels[low[1] : high[1], low[0] : high[0]]
    if min(crop.shape[:2]) < 8:
        return float("nan")
    grey = cv2.cvtColor(np.ascontiguousarray(crop), cv2.COLOR_RGB2GRAY).astype(np.float32)
    shrink = SAMPLED_PX_PER_MM / px_per_mm
    if shrink < 1:
        grey = cv2.resize(grey, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA)
    if min(grey.shape) < 8:
        return float("nan")
    soft = cv2.GaussianBlur(grey, (0, 0), 1.0)
    kept = total = 0.0
    for axis in (0, 1):
        steps, soft_steps = np.abs(np.diff(grey, axis=axis)), np.abs(np.diff(soft, axis=axis))
        total += float(steps.sum())
        kept += float(np.minimum(soft_steps, steps).sum())
    return 1.0 - kept / total if total > 0 else 0.0


def check_min_quality(min_quality: float) -> None:
    """Raises InputError for a score that is none."""
    if not 0 <= min_quality <= 1:  # also false for NaN
        raise InputError("--min-quality", f"{min_quality:g} is not in [0, 1]")


def quality_as_json(quality: FitQuality) -> dict[str, Any]:
    """Score, worst fault in words, and measures as JSON values of a few digits; None for what is undefined."""
    measures = {name: getattr(quality, name) for name in MEASURES}
    return {
        "score": round(quality.score, 3),
        "worst": quality.reason,
        **{name: round(value, 4) if math.isfinite(value) else None for name, value in measures.items()},
    }
