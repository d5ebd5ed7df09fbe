from __future__ import annotations

import numpy as np
import pytest

from synth_affect.arrays import ImageArray
from synth_affect.fitting.landmarks import Landmarks
from synth_affect.pipelines.judges.face_view import FaceView


@pytest.fixture
def face(portrait: ImageArray, portrait_landmarks: Landmarks) -> FaceView:
    """The portrait."""
    return FaceView(
        np.asarray(portrait, np.uint8), portrait_landmarks.points_image[:, :2], portrait_landmarks.blendshapes
    )
