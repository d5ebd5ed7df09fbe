"""Where the face is on a surface about which nothing is known, and which of the landmarks found there are right."""

from __future__ import annotations

import numpy as np
from scipy.interpolate import RBFInterpolator
from scipy.spatial import cKDTree

from synth_affect.arrays import BoolArray, FloatArray
from synth_affect.blendshape.registration.surface import SurfaceTree
from synth_affect.blendshape.transfer.correspondence import barycentric
from synth_affect.errors import FitError
from synth_affect.fitting.landmarks import LandmarkDetector
from synth_affect.heads.camera import Camera
from synth_affect.heads.model import HeadModel, LandmarkEmbedding, embed, region_triangles
from synth_affect.pipelines.embed_landmarks import DISTANCE_MM, FOCAL_PX, SIZE, paint, picture

N_SKIN_LANDMARKS = 468
OUTSIDE = ("skin", "lips", "lids", "ears", "neck", "scalp")
EYE_CORNERS = (33, 133, 263, 362)
SMOOTHING_MM = 1.0
"""Landmarks of two heads lie this far beside each other's places: the detector's error on a rendering."""
FAR_OFF_MM, FAR_OFF_FACTOR = 6.0, 4.0
"""A landmark that lies so far, and so many times as far as the usual one, beside its place is in error."""
SHARE_OF_PICTURE = 0.85
BETWEEN_CORNERS_MM = (60.0, 130.0)
"""Of the eyes' outer corners, on anything that is a head."""


def between_eyes(bare: HeadModel, detector: LandmarkDetector) -> FloatArray:
    """(3,) mm: the middle of the corners of the eyes, as seen in one picture of the whole surface.

    Raises FitError when no face is seen, or one that is not of a head's size.
    """
    front = float(bare.mean[:, 2].max())
    extent = float(np.ptp(bare.mean[:, :2], axis=0).max())
    focal = SHARE_OF_PICTURE * min(SIZE.height, SIZE.width) * DISTANCE_MM / extent
    place = np.array([0, 0, DISTANCE_MM + front])
    camera = Camera(np.eye(3), place, min(focal, FOCAL_PX), np.array([SIZE.width / 2, SIZE.height / 2]))
    image, fragments, triangles = picture(bare, paint(bare), bare.mean, camera)
    found = detector.detect(image)
    if not found:
        raise FitError(f"no face is seen on {bare.name}; it must look along z with y up")
    seen = fragments.pix_to_face[0, :, :, 0]
    rows, columns = np.nonzero(seen >= 0)
    # The nearest that is covered: a surface may have holes for eyes.
    at = cKDTree(np.stack([columns, rows], axis=1)).query(found[0].points_image[list(EYE_CORNERS), :2] - 0.5)[1]
    rows, columns = rows[at], columns[at]
    under = triangles[seen[rows, columns]]
    weights = fragments.bary_coords[0, rows, columns, 0]
    corners = np.einsum("nk,nkd->nd", weights, bare.mean[under].astype(np.float64))
    apart = float(np.linalg.norm(corners[0] - corners[2]))
    if not BETWEEN_CORNERS_MM[0] < apart < BETWEEN_CORNERS_MM[1]:
        raise FitError(f"the eyes of {bare.name} are {apart:.0f} mm apart; no head's are")
    middle: FloatArray = corners.mean(axis=0).astype(np.float32)
    return middle


def shift_to_packaged(bare: HeadModel, landmarks: LandmarkEmbedding, packaged: HeadModel) -> FloatArray:
    """(3,) mm from the face to where the packaged head has its own."""
    ours = embed(bare.mean, bare.triangles, landmarks)
    theirs = embed(packaged.mean, packaged.triangles, packaged.landmarks_478)
    shift: FloatArray = np.median((theirs - ours)[:N_SKIN_LANDMARKS], axis=0)
    return shift


def reliable(theirs: FloatArray, ours: FloatArray) -> BoolArray:
    """(n_landmarks,) bool: those that one affine map brings near to the other head's; others fell through a hole
    for an eye, or past an ear.
    """
    system = np.column_stack([theirs, np.ones(len(theirs))])
    off = np.linalg.norm(system @ np.linalg.lstsq(system, ours, rcond=None)[0] - ours, axis=1)
    reliable: BoolArray = off < max(FAR_OFF_MM, FAR_OFF_FACTOR * float(np.median(off)))
    return reliable


def mended(head: HeadModel, packaged: HeadModel, landmarks: LandmarkEmbedding) -> LandmarkEmbedding:
    """Landmarks that cannot be relied upon put where those of the packaged head come to lie beside the others."""
    skin = slice(0, N_SKIN_LANDMARKS)
    theirs = embed(packaged.mean.astype(np.float64), packaged.triangles, packaged.landmarks_478)[skin]
    ours = embed(head.mean.astype(np.float64), head.triangles, landmarks)[skin]
    good = reliable(theirs, ours)
    if good.all():
        return landmarks
    warp = RBFInterpolator(theirs[good], ours[good], kernel="linear", smoothing=SMOOTHING_MM, degree=1)
    surface = np.flatnonzero(region_triangles(head, *OUTSIDE))
    found = SurfaceTree(head.mean, head.triangles[surface]).nearest(warp(theirs[~good]))
    bad = np.flatnonzero(~good)
    triangles, weights = landmarks.triangles.copy(), landmarks.barycentric.copy()
    triangles[bad] = surface[found.triangles]
    weights[bad] = barycentric(found.points, head.mean[head.triangles[triangles[bad]]].astype(np.float64))
    return LandmarkEmbedding(triangles, weights)
