"""Optimal-step non-rigid ICP (Amberg, Romdhani, Vetter 2007)."""

from __future__ import annotations

from dataclasses import dataclass


from synth_affect.arrays import FloatArray
from synth_affect.blendshape.registration.result import Registration
from synth_affect.blendshape.registration.scan import Scan
from synth_affect.blendshape.template import Template


@dataclass(frozen=True, slots=True)
class NonRigidIcpSettings:
    """Documented defaults."""


class NonRigidIcp:
    """Registers scans to one template; keeps what does not change between them."""

    def __init__(self, template: Template, settings: NonRigidIcpSettings | None = None) -> None:
        self.template = template
        self.settings = NonRigidIcpSettings() if settings is None else settings

    def __call__(self, scan: Scan, landmarks: FloatArray, *, start: FloatArray | None = None) -> Registration:
        """The template on `scan`.

        landmarks : (n_landmarks, 3) mm, in the scan's frame, in the order of the template's; NaN rows are missing.
        start : (n_vertices, 3) mm, the registered vertices of the frame before; None begins from the landmarks.
        """
        raise NotImplementedError
