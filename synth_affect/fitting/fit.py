"""`FaceFit`: a head model fitted to one face of one picture."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from synth_affect.arrays import FloatArray, readonly
from synth_affect.heads.camera import Camera, ImageSize


@dataclass(frozen=True, slots=True, eq=False)
class FaceFit:
    """What a picture says about one face; one fit serves many targets.

    head : name of the head model.  topology : id of its triangles.
    image_size : of the picture that was fitted.
    camera : pose and projection.
    identity_coefficients : (n_identity,) float32, standard deviations.
    expression_weights : (n_units,) float32 in [0, 1], in the order of the model's unit_names.
    landmarks_image : (n_landmarks, 2) float32, px, the points that were fitted.
    residual_iod : mean distance of fitted to detected points, in inter-ocular distances of the picture.
    converged, iterations : how the solver ended.
    """

    head: str
    topology: str
    image_size: ImageSize
    camera: Camera
    identity_coefficients: FloatArray
    expression_weights: FloatArray
    landmarks_image: FloatArray
    residual_iod: float
    converged: bool
    iterations: int

    def __post_init__(self) -> None:
        def check(field: str, shape: tuple[int | str, ...]) -> None:
            object.__setattr__(self, field, readonly(getattr(self, field), field, shape, np.float32))

        check("identity_coefficients", ("n_identity",))
        check("expression_weights", ("n_units",))
        check("landmarks_image", ("n_landmarks", 2))
