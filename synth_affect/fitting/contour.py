"""The outline of a turned face: which points of the mesh the detector's outline points stand for.

A detector draws the outline where the face ends in the picture. Of a face turned away that is no fixed place of the
skin: on the far side it is wherever the surface bends out of sight. So every outline landmark gets a strip of mesh
points that runs from its own place inwards over the cheek, and stands for the one of them that is seen outermost (Zhu
et al. 2015, "landmark marching").
"""

from __future__ import annotations

import numpy as np

from synth_affect.arrays import FloatArray, IntArray
from synth_affect.fitting.markup import MEDIAPIPE, Markup

_SAMPLES = 12
_REACH = 0.6
"""How far a strip goes from the outline (0) to the nose tip (1): past the cheek bone, which is the silhouette at 60
degrees."""


def contour_strips(vertices_head: FloatArray, landmark_points_head: FloatArray, markup: Markup = MEDIAPIPE) -> IntArray:
    """(n_outline, 12) int32: row i are the vertices of a strip from inside `markup.outline[i]` inwards over the skin.

    vertices_head : (n_vertices, 3) mm, head frame.  landmark_points_head : (n_landmarks, 3) mm, its embedded landmarks.
    """
    # Seen from a centre in the plane of the outline, the skin is the outermost surface; what lies behind it (teeth,
    # mouth cavity, eyeballs) is nearer to the centre than the chord between outline and nose, and so can be told from
    # it.
    centre = landmark_points_head[markup.outline].mean(axis=0)
    radius = np.linalg.norm(vertices_head - centre, axis=1)
    direction = (vertices_head - centre) / np.maximum(radius, 1e-9)[:, None]
    strips = np.empty((len(markup.outline), _SAMPLES), dtype=np.int32)
    nose = landmark_points_head[markup.nose_tip] - centre
    fractions = np.linspace(0.0, _REACH, _SAMPLES + 1)[1:]
    for row, landmark in enumerate(markup.outline):
        start = landmark_points_head[landmark] - centre
        chord = start + fractions[:, None] * (nose - start)
        chord_radius = np.linalg.norm(chord, axis=1)
        alignment = direction @ (chord / chord_radius[:, None]).T
        alignment[radius[:, None] < 0.95 * chord_radius] = -1.0
        strips[row] = alignment.argmax(axis=0)
    return strips


def outermost(samples_image: FloatArray, outline_image: FloatArray, *, closed: bool = True) -> IntArray:
    """(n_outline,) index of the sample of each strip that is seen farthest out.

    samples_image : (n_outline, n, 2) px, the projected strips, the landmark's own place first.
    outline_image : (n_outline, 2) px, the detected outline in its order, which says what outwards means.
    closed : whether its last point is a neighbour of its first.
    """
    if closed:
        along = np.roll(outline_image, -1, axis=0) - np.roll(outline_image, 1, axis=0)
    else:
        along = np.empty_like(outline_image)
        along[1:-1] = outline_image[2:] - outline_image[:-2]
        along[0], along[-1] = outline_image[1] - outline_image[0], outline_image[-1] - outline_image[-2]
    normal = np.column_stack([along[:, 1], -along[:, 0]])
    inwards = outline_image.mean(axis=0) - outline_image
    normal *= -np.sign((normal * inwards).sum(axis=1, keepdims=True))
    choice: IntArray = np.einsum("lnd,ld->ln", samples_image, normal).argmax(axis=1)
    return choice
