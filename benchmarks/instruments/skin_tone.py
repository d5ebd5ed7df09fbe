"""How light the skin in a picture is: the individual typology angle (Chardon et al. 1991) of the cheeks.

It measures the picture, light and exposure included, not the person.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

CHEEKS = (50, 101, 205, 280, 330, 425)
"""MediaPipe's points on the cheeks: three on each side, away from lids, nose and beard."""
_DISC = 0.05  # radius, in distances between the outer corners of the eyes

TONES = ((55.0, "very light"), (41.0, "light"), (28.0, "intermediate"), (10.0, "tan"), (-30.0, "brown"))
"""Classes by the least angle of each, degrees; below the last the skin is dark."""


def typology_angle(image: npt.NDArray[np.uint8], points: npt.NDArray[np.float64], inter_ocular_px: float) -> float:
    """Degrees: the larger, the lighter; atan((L* - 50) / b*) of the median colour around the cheek points.

    image : (height, width, 3) uint8 sRGB.  points : (478, 2) px.
    """
    mask = np.zeros(image.shape[:2], np.uint8)
    for x, y in points[list(CHEEKS)]:
        cv2.circle(mask, (round(x), round(y)), max(round(_DISC * inter_ocular_px), 1), 255, -1)
    median = np.median(image[mask > 0], axis=0).astype(np.float32) / 255
    lightness, _, b = cv2.cvtColor(median[np.newaxis, np.newaxis], cv2.COLOR_RGB2LAB)[0, 0]
    return float(np.degrees(np.arctan2(lightness - 50, b)))


def tone(angle_deg: float) -> str:
    """The name of the class of a typology angle."""
    return next((name for least, name in TONES if angle_deg > least), "dark")
