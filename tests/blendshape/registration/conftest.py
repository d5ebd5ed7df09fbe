"""One template, one registrar and a raw scan, made once: they cost more than what is tested on them."""

from __future__ import annotations

import numpy as np
import pytest

from synth_affect.arrays import FloatArray
from synth_affect.blendshape.registration.nonrigid_icp import NonRigidIcp
from synth_affect.blendshape.registration.result import Registration
from synth_affect.blendshape.registration.scan import Scan, prepare_scan
from synth_affect.blendshape.template import Template, face_template
from synth_affect.heads.cc0 import load_cc0
from synth_affect.heads.model import HeadModel
from tests.blendshape.registration.raw_scans import RawScan, identity, raw_scan, weights


@pytest.fixture(scope="session")
def head() -> HeadModel:
    return load_cc0()


@pytest.fixture(scope="session")
def template(head: HeadModel) -> Template:
    return face_template(head)


@pytest.fixture(scope="session")
def icp(template: Template) -> NonRigidIcp:
    return NonRigidIcp(template)


@pytest.fixture(scope="session")
def smile(head: HeadModel, template: Template) -> RawScan:
    rng = np.random.default_rng(11)
    return raw_scan(head, template, identity(head, rng), weights(head, "smile"), rng, spacing_mm=1.7)


@pytest.fixture(scope="session")
def smile_scan(smile: RawScan) -> Scan:
    return prepare_scan(smile.vertices, smile.triangles, name="smile")


@pytest.fixture(scope="session")
def smile_landmarks(smile: RawScan) -> FloatArray:
    """As a detector finds them: 1 mm off."""
    return smile.landmarks + np.random.default_rng(12).normal(0, 1.0, smile.landmarks.shape)


@pytest.fixture(scope="session")
def smile_registration(icp: NonRigidIcp, smile_scan: Scan, smile_landmarks: FloatArray) -> Registration:
    return icp(smile_scan, smile_landmarks)
