"""A foreign head model furnished with what an edit needs: landmarks, regions, eyes, a mouth and ARKit's units.

Only the face's surface and its identities are the model's own; the rest comes from the packaged head, fitted to it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from scipy.interpolate import RBFInterpolator

from synth_affect.arrays import FloatArray, IntArray
from synth_affect.blendshape.registration.surface import SurfaceTree
from synth_affect.blendshape.template import face_vertices
from synth_affect.blendshape.transfer.expression_transfer import ExpressionTransfer
from synth_affect.fitting.landmarks import LandmarkDetector
from synth_affect.heads.archive import topology_id
from synth_affect.heads.cc0 import load_cc0
from synth_affect.heads.foreign import LEAST_AREA_MM2, ForeignHead
from synth_affect.heads.mesh import triangle_normals
from synth_affect.heads.mirror import mirror_by_geometry
from synth_affect.heads.model import HeadModel, LandmarkEmbedding, embed
from synth_affect.heads.regions import REGIONS
from synth_affect.heads.unrolled_uv import ATLAS_COLUMN, unrolled_uv
from synth_affect.pipelines.embed_landmarks import (
    Progress,
    embed_landmarks,
    ibug_embedding,
)
from synth_affect.pipelines.foreign_head.grafted_parts import EYES, Graft, graft_mesh, graft_parts
from synth_affect.pipelines.foreign_head.landmarks import (
    EYE_CORNERS,
    N_SKIN_LANDMARKS,
    SMOOTHING_MM,
    between_eyes,
    mended,
    reliable,
    shift_to_packaged,
)
from synth_affect.pipelines.foreign_head.regions import EYE_CONTOURS, LOWER_LIP, UPPER_LIP, carry_regions, onto_contours

N_ROUGH_HEADS = 6
JAW_ALONE = ("jawOpen",)


def furnish_head(
    foreign: ForeignHead, detector: LandmarkDetector, progress: Progress = lambda items, count: items
) -> HeadModel:
    """The whole head. Takes some twenty seconds.

    Raises FitError when the detector does not see its renderings as faces, or the face is not of a head's size.
    """
    packaged = load_cc0()
    bare = _bare(foreign)
    bare = replace(bare, mean=bare.mean - between_eyes(bare, detector))
    rough = embed_landmarks(bare, detector, progress, n_heads=N_ROUGH_HEADS)
    bare = replace(bare, mean=bare.mean + shift_to_packaged(bare, rough, packaged))
    head, graft = _furnished(bare, packaged, rough)
    # Seen with lips, brows and eyes it is a better face than the bare surface was.
    landmarks = mended(head, packaged, embed_landmarks(head, detector, progress))
    head = replace(head, landmarks_478=landmarks, landmarks_68=ibug_embedding(landmarks))
    return _with_units(head, packaged, graft)


def _bare(foreign: ForeignHead) -> HeadModel:
    """All skin, without units, in the middle of the picture."""
    n = len(foreign.mean)
    none = LandmarkEmbedding(np.zeros(0, np.int32), np.zeros((0, 3), np.float32))
    middle = 0.5 * (foreign.mean.min(axis=0) + foreign.mean.max(axis=0))
    return HeadModel(
        name=foreign.name,
        licence=foreign.licence,
        source=foreign.source,
        topology=topology_id(foreign.triangles),
        mean=foreign.mean - middle,
        triangles=foreign.triangles,
        identity_basis=foreign.identity_basis,
        expression_units=np.zeros((0, n, 3), np.float32),
        unit_names=(),
        triangle_regions=np.full(len(foreign.triangles), REGIONS.index("skin")),
        region_names=REGIONS,
        uv=np.zeros((n, 2)),
        uv_triangles=foreign.triangles,
        mirror=mirror_by_geometry(foreign.mean - middle, np.zeros(n, np.int64), np.zeros(1, np.int64)),
        landmarks_478=none,
        landmarks_68=none,
    )


def _furnished(bare: HeadModel, packaged: HeadModel, landmarks: LandmarkEmbedding) -> tuple[HeadModel, Graft]:
    """With regions, eyes and mouth; of the units jawOpen alone; without landmarks."""
    theirs = embed(packaged.mean.astype(np.float64), packaged.triangles, packaged.landmarks_478)
    ours = embed(bare.mean.astype(np.float64), bare.triangles, landmarks)
    # A detector takes lids without colours for closed, so of the eyes only the corners count.
    lids = set(np.ravel(EYE_CONTOURS)) - set(EYE_CORNERS)
    used = np.array([point for point in range(N_SKIN_LANDMARKS) if point not in lids])
    used = used[reliable(theirs[used], ours[used])]
    warp = RBFInterpolator(theirs[used], ours[used], kernel="linear", smoothing=SMOOTHING_MM, degree=1)
    warped = warp(packaged.mean.astype(np.float64))
    contours = warp(theirs[np.ravel(EYE_CONTOURS)]).reshape(2, -1, 3)
    lips = (_vertices_at(bare, landmarks, UPPER_LIP), _vertices_at(bare, landmarks, LOWER_LIP))
    vertices = bare.mean.astype(np.float64)
    carried = carry_regions(packaged, warped, contours, vertices, bare.triangles, lips)
    # The packaged head's cavity takes the place of any that the surface has.
    keep = ~carried.between_lids & (carried.regions != REGIONS.index("mouth_cavity"))
    edges = _rim(bare.triangles[~carried.between_lids], bare.triangles[carried.between_lids])
    if len(edges):
        # The mesh has no edges where the lids' are: without this they would be jagged.
        vertices[edges] = onto_contours(vertices[edges], contours, SurfaceTree(vertices, bare.triangles))
        bare = replace(bare, mean=vertices)
        areas = np.linalg.norm(triangle_normals(vertices, bare.triangles), axis=1) / 2
        keep &= areas > LEAST_AREA_MM2
    varies = np.stack([embed(basis, bare.triangles, landmarks)[used] for basis in bare.identity_basis])
    outer = [*UPPER_LIP, *LOWER_LIP]
    graft = graft_parts(
        packaged,
        warped,
        _size(ours[used]) / _size(theirs[used]),
        (theirs[np.array(EYE_CONTOURS)], contours),
        (theirs[outer], ours[outer]),
        vertices[edges] if len(edges) else contours.reshape(-1, 3),
        (ours[used], varies),
    )
    return _joined(bare, packaged, graft, np.flatnonzero(keep), carried.regions, carried.jaw_open), graft


def _joined(
    bare: HeadModel, packaged: HeadModel, graft: Graft, kept: IntArray, regions: IntArray, jaw_open: FloatArray
) -> HeadModel:
    """The surface's triangles `kept` and the grafted parts as one head."""
    own, local = np.unique(bare.triangles[kept], return_inverse=True)
    parts = graft_mesh(packaged, graft)
    triangles = np.concatenate([local.reshape(-1, 3), parts.triangles + len(own)]).astype(np.int32)
    mean = np.concatenate([bare.mean[own], parts.vertices])
    labels = np.concatenate([regions[kept], packaged.triangle_regions[graft.triangles]])
    jaw = packaged.expression_units[packaged.unit_names.index("jawOpen"), graft.vertices] * graft.scale
    uv, uv_triangles = unrolled_uv(mean, triangles, labels)
    _eyes_uv(uv, packaged, graft, len(own))
    place = np.full(len(packaged.mean), -1)
    place[graft.vertices] = np.arange(len(graft.vertices))
    mirror = mirror_by_geometry(bare.mean[own], np.zeros(len(own), np.int64), np.zeros(1, np.int64))
    return replace(
        bare,
        topology=topology_id(triangles),
        mean=mean,
        triangles=triangles,
        identity_basis=np.concatenate([bare.identity_basis[:, own], graft.identity], axis=1),
        expression_units=np.concatenate([jaw_open[own], jaw])[None],
        unit_names=JAW_ALONE,
        triangle_regions=labels,
        uv=uv,
        uv_triangles=uv_triangles,
        mirror=np.concatenate([mirror, len(own) + place[packaged.mirror[graft.vertices]]]),
    )


def _eyes_uv(uv: FloatArray, packaged: HeadModel, graft: Graft, first: int) -> None:
    """Write the eyeballs' texture coordinates into `uv`: polar about the irises, as the packaged head's."""
    mine = np.isin(packaged.triangle_regions, [packaged.region_names.index(name) for name in EYES])
    corners, theirs = packaged.triangles[mine].ravel(), packaged.uv[packaged.uv_triangles[mine].ravel()]
    rows = first + np.searchsorted(graft.vertices, corners)
    for column, side in enumerate((-1, 1)):
        here = packaged.mean[corners, 0] * side > 0
        low, high = theirs[here].min(axis=0), theirs[here].max(axis=0)
        polar = (theirs[here] - low) / (high - low)
        uv[rows[here]] = polar * [0.95 * ATLAS_COLUMN, 0.19] + [column * ATLAS_COLUMN, 0.0]


def _with_units(head: HeadModel, packaged: HeadModel, graft: Graft) -> HeadModel:
    """The packaged head's units: on the face by deformation transfer, on the grafted parts as they are."""
    transfer = ExpressionTransfer(packaged, head)
    face = face_vertices(packaged)
    units = np.stack([transfer(unit[face]) for unit in packaged.expression_units])
    units[:, -len(graft.vertices) :] = packaged.expression_units[:, graft.vertices] * graft.scale
    return replace(head, expression_units=units, unit_names=packaged.unit_names)


def _vertices_at(head: HeadModel, landmarks: LandmarkEmbedding, points: Sequence[int]) -> IntArray:
    """The vertex nearest to each landmark."""
    rows = list(points)
    corner = landmarks.barycentric[rows].argmax(axis=1)
    vertices: IntArray = head.triangles[landmarks.triangles[rows], corner]
    return vertices


def _rim(kept: IntArray, removed: IntArray) -> IntArray:
    """The vertices that both have."""
    return np.intersect1d(kept, removed)


def _size(points: FloatArray) -> float:
    return float(np.sqrt(((points - points.mean(axis=0)) ** 2).sum()))
