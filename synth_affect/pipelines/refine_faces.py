"""Photometric refinement of the fits of a picture, with what stands in front of the faces left out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from synth_affect.arrays import FloatArray, ImageArray
from synth_affect.fitting.fit import FaceFit
from synth_affect.fitting.photometric.device import DeviceChoice
from synth_affect.fitting.photometric.refine import PhotometricRefiner, Refinement
from synth_affect.fitting.photometric.values import RefinementReport
from synth_affect.pipelines.synthesize import AffectSynthesizer


def refine_faces(
    synthesizer: AffectSynthesizer, image: ImageArray, fits: Sequence[FaceFit], device: DeviceChoice
) -> list[Refinement]:
    """The refinements of all `fits` to one picture, in their order.

    Raises MissingDependencyError and InputError as `choose_device`.
    """
    refiner = PhotometricRefiner(synthesizer.head, device)
    usable = [usable_pixels(synthesizer, image, fit) for fit in fits]
    return refiner.refine_batch([image] * len(fits), fits, usable)


def usable_pixels(synthesizer: AffectSynthesizer, image: ImageArray, fit: FaceFit) -> FloatArray | None:
    """(height, width) float32 in [0, 1], 0 where glasses, a hand or another thing stands in front of the face; None
    where nothing does.
    """
    scene = synthesizer.prepare(image, fit)
    if scene.occluders is None:
        return None
    usable = np.ones(image.shape[:2], np.float32)
    scene.region.of(usable)[...] = 1 - scene.occluders.cover
    return usable


def refinement_as_json(report: RefinementReport) -> dict[str, Any]:
    """What sidecars and `--json` say of a refinement."""
    return {
        "device": report.device,
        "rasterizer": report.rasterizer,
        "energy_before": round(report.before.total, 2),
        "energy_after": round(report.after.total, 2),
        "pixels_before": round(report.before.pixels, 2),
        "pixels_after": round(report.after.pixels, 2),
        "steps": report.steps,
        "accepted": report.accepted,
        "moved_mm": round(report.moved_mm, 2),
        "focal_sd": round(report.distance_sd, 3),
    }
