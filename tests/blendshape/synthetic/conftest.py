"""One support on the template and one person, which many tests look at."""

from __future__ import annotations

import pytest

from synth_affect.blendshape.synthetic.style import FaceMotion, FaceSupport, face_support
from synth_affect.blendshape.synthetic.subjects import draw_subject_motion
from synth_affect.heads.cc0 import load_cc0
from synth_affect.heads.model import HeadModel


@pytest.fixture(scope="session")
def cc0() -> HeadModel:
    return load_cc0()


@pytest.fixture(scope="session")
def support(cc0: HeadModel) -> FaceSupport:
    return face_support(cc0)


@pytest.fixture(scope="session")
def motion(support: FaceSupport) -> FaceMotion:
    return draw_subject_motion(support, 0, 0)
