from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from synth_affect.blendshape.registration.quality import (
    QualityLimits,
    RegistrationQuality,
    neighbour_triangles,
    registration_quality,
    reject_reason,
)
from synth_affect.blendshape.registration.result import Registration
from synth_affect.blendshape.registration.rigid import RigidMotion
from synth_affect.blendshape.registration.scan import Scan, prepare_scan
from synth_affect.blendshape.template import Template

GOOD = RegistrationQuality(mean_distance_mm=0.2, p95_distance_mm=0.6, coverage=0.8, fold_overs=3, stretch=1.4)


@pytest.fixture
def itself(template: Template) -> Scan:
    """The template as its own scan."""
    return prepare_scan(template.mesh.vertices, template.mesh.triangles, name="itself")


def placed(template: Template, *, shift_mm: float = 0.0) -> Registration:
    return Registration(
        vertices=template.mesh.vertices + np.array([0, 0, shift_mm], np.float32),
        scan_to_head=RigidMotion(np.eye(3), np.zeros(3)),
        matched=np.ones(len(template.mesh.vertices), dtype=bool),
        iterations=1,
        converged=True,
        residual_mm=0.0,
    )


def test_the_template_on_itself_is_perfect(template: Template, itself: Scan) -> None:
    quality = registration_quality(template, itself, placed(template))
    assert quality.mean_distance_mm == pytest.approx(0, abs=1e-4)
    assert quality.p95_distance_mm == pytest.approx(0, abs=1e-4)
    assert quality.coverage > 0.93  # all but its open edges
    assert quality.fold_overs == 0
    assert quality.stretch == pytest.approx(1, abs=1e-5)


def test_a_shift_shows(template: Template, itself: Scan) -> None:
    quality = registration_quality(template, itself, placed(template, shift_mm=10))
    assert 2 < quality.mean_distance_mm < 10
    assert quality.coverage < 0.5


def test_a_fold_and_a_stretch_show(template: Template, itself: Scan) -> None:
    vertices = template.mesh.vertices.copy()
    tip = int(vertices[:, 2].argmax())
    vertices[tip] += np.array([12, 0, -3], np.float32)
    quality = registration_quality(template, itself, replace(placed(template), vertices=vertices))
    assert quality.fold_overs > 0
    vertices = template.mesh.vertices * np.float32(3)
    assert registration_quality(template, itself, replace(placed(template), vertices=vertices)).stretch == (
        pytest.approx(3, rel=1e-4)
    )


def test_nothing_matched_is_no_good_distance(template: Template, itself: Scan) -> None:
    nothing = replace(placed(template), matched=np.zeros(len(template.mesh.vertices), dtype=bool))
    quality = registration_quality(template, itself, nothing)
    assert np.isnan(quality.mean_distance_mm)
    assert reject_reason(quality, QualityLimits()) is not None


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ({}, None),
        ({"mean_distance_mm": 1.5}, "lies 1.50 mm from the scan in the mean, at most 0.8 is allowed"),
        ({"p95_distance_mm": 4.0}, "lies more than 4.00 mm from the scan at 5 % of its vertices, at most 2.5"),
        ({"coverage": 0.3}, "the scan covers 30% of the face, 50% is needed"),
        ({"fold_overs": 400}, "folds over at 400 places, at most 150 are allowed"),
        ({"stretch": 3.25}, "is stretched 3.2 fold, at most 2.5 is allowed"),
    ],
)
def test_says_what_is_wrong(fault: dict[str, Any], reason: str | None) -> None:
    found = reject_reason(replace(GOOD, **fault), QualityLimits())
    assert (found is None) if reason is None else (found or "").startswith(reason)


def test_neighbours_of_a_strip() -> None:
    strip = np.array([[0, 1, 2], [2, 1, 3], [2, 3, 4]])
    pairs = {tuple(sorted(pair)) for pair in neighbour_triangles(strip).tolist()}
    assert pairs == {(0, 1), (1, 2)}
