"""How scans are registered: the ways that there are, and what a run keeps to."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol, get_args

from synth_affect.arrays import FloatArray
from synth_affect.blendshape.registration.nonrigid_icp import NonRigidIcp
from synth_affect.blendshape.registration.nonrigid_icp_settings import FOR_SEEN_LANDMARKS, NonRigidIcpSettings
from synth_affect.blendshape.registration.quality import (
    QualityLimits,
)
from synth_affect.blendshape.registration.result import Registration
from synth_affect.blendshape.registration.scan import Scan
from synth_affect.blendshape.registration.uv_registration import UvRegistration, UvSettings
from synth_affect.errors import InputError

Method = Literal["nicp", "uv"]


class Registrar(Protocol):
    """Brings a template onto scans."""

    def __call__(
        self,
        scan: Scan,
        landmarks: FloatArray,
        *,
        start: FloatArray | None = None,
        neutral: FloatArray | None = None,
    ) -> Registration:
        """The template's vertices on `scan`.

        landmarks : (68, 3), mm, scan frame, in the order of the template's; rows of NaN where a point is missing.
        start : (n_vertices, 3), mm, scan frame: about where the vertices are, from the frame before. With it the
            landmarks may all be missing.
        neutral : (n_vertices, 3), mm, any frame: the same face in the reference frame of the recording, from which
            displacements are taken; None takes the start for it.
        Raises InputError when the landmarks are too few, or the scan is not beneath the template.
        """
        ...


REGISTRARS: dict[Method, tuple[Any, Any]] = {
    "nicp": (NonRigidIcp, NonRigidIcpSettings),
    "uv": (UvRegistration, UvSettings),
}
"""Each way's registrar, made from a template and settings, and the default settings."""


@dataclass(frozen=True, slots=True)
class RegisterSettings:
    """How scans are registered; a folder of registered scans keeps to one of these.

    landmarks : folder or pattern of landmark files, see `landmark_file`; None looks for them on the scans.
    landmark_model : MediaPipe's model file, where not the one that is found.
    """

    method: Method = "nicp"
    landmarks: str | None = None
    landmark_model: Path | None = None
    limits: QualityLimits = field(default_factory=QualityLimits)

    def __post_init__(self) -> None:
        if self.method not in get_args(Method):
            raise InputError("--method", f"{self.method!r} is none of {', '.join(get_args(Method))}")


def registrar_settings(settings: RegisterSettings) -> Any:
    """The way's own settings."""
    if settings.method == "nicp" and settings.landmarks is None:
        return FOR_SEEN_LANDMARKS
    return REGISTRARS[settings.method][1]()
