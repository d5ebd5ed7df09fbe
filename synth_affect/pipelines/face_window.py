"""The part of a picture that an edit of one face may change, in its own size or reduced, with the face's fit in it.

What a page shows while a point is dragged: only these pixels are drawn and sent, whatever the picture's size.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from synth_affect.arrays import ImageArray, as_uint8, readonly
from synth_affect.fitting.fit import FaceFit
from synth_affect.heads.camera import Camera, ImageSize, project
from synth_affect.heads.model import HeadModel, head_vertices, region_vertices
from synth_affect.render.scene import FACE, JAW_MARGIN_MM, MARGIN_MM

SLACK_MM = 6.0
"""Beyond what the renderer asks for: what a fit leaves over moves the mesh, too."""


@dataclass(frozen=True, slots=True, eq=False)
class FaceWindow:
    """pixels : (height, width, 3) uint8, in the colour space of the picture.  fit : of the face in `pixels`.
    left, top, right, bottom : of the window in the picture, px.
    """

    pixels: ImageArray
    fit: FaceFit
    left: int
    top: int
    right: int
    bottom: int

    def __post_init__(self) -> None:
        object.__setattr__(self, "pixels", readonly(self.pixels, "pixels", ("height", "width", 3), np.uint8))


def face_window(
    image: ImageArray, fit: FaceFit, head: HeadModel, *, most_scale: float = 1.0, longest_px: int | None = None
) -> FaceWindow:
    """The window round the face of `fit`.

    image : (height, width, 3) uint8 or uint16, the picture that was fitted.  head : the model of the fit.
    most_scale : it is reduced to this share of the picture's size, in (0, 1].
    longest_px : a window with a longer side is reduced further, to it.
    """
    return _window(image, fit, _bounds(fit, head), most_scale, longest_px)


def whole_window(image: ImageArray, fit: FaceFit, longest_px: int) -> FaceWindow:
    """The whole picture as a window; arguments as of `face_window`."""
    return _window(image, fit, (0, 0, fit.image_size.width, fit.image_size.height), 1.0, longest_px)


def _window(
    image: ImageArray, fit: FaceFit, bounds: tuple[int, int, int, int], most_scale: float, longest_px: int | None
) -> FaceWindow:
    left, top, right, bottom = bounds
    pixels = as_uint8(image[top:bottom, left:right])
    height, width = pixels.shape[:2]
    scale = most_scale if longest_px is None else min(most_scale, longest_px / max(height, width))
    if scale < 1:
        size = (max(round(width * scale), 1), max(round(height * scale), 1))
        pixels = np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)
    return FaceWindow(pixels, _moved(fit, left, top, scale, pixels), left, top, right, bottom)


def _moved(fit: FaceFit, left: int, top: int, scale: float, pixels: ImageArray) -> FaceFit:
    camera = fit.camera
    corner = np.array([left, top], dtype=np.float64)
    return replace(
        fit,
        image_size=ImageSize(pixels.shape[0], pixels.shape[1]),
        camera=Camera(
            camera.rotation, camera.translation, scale * camera.focal_px, scale * (camera.principal_point - corner)
        ),
        landmarks_image=(scale * (fit.landmarks_image - corner)).astype(np.float32),
    )


def _bounds(fit: FaceFit, head: HeadModel) -> tuple[int, int, int, int]:
    """Left, top, right and bottom, px, inside the picture."""
    face = region_vertices(head, *FACE)
    vertices = head_vertices(head, fit.identity_coefficients, fit.expression_weights)[face]
    projected = project(fit.camera, vertices.astype(np.float64))
    px_per_mm = fit.camera.focal_px / float(np.median(projected[:, 2]))
    points = np.concatenate([projected[:, :2], fit.landmarks_image])
    left, top = points.min(axis=0) - (MARGIN_MM + SLACK_MM) * px_per_mm
    right, bottom = points.max(axis=0) + (MARGIN_MM + SLACK_MM) * px_per_mm
    bottom += JAW_MARGIN_MM * px_per_mm
    height, width = fit.image_size.height, fit.image_size.width
    return (
        int(np.clip(np.floor(left), 0, width - 2)),
        int(np.clip(np.floor(top), 0, height - 2)),
        int(np.clip(np.ceil(right), 2, width)),
        int(np.clip(np.ceil(bottom), 2, height)),
    )
