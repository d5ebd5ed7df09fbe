"""The packaged folds of the skin on a head that they were not drawn for."""

from __future__ import annotations

import cv2
import numpy as np

from synth_affect.blendshape.template import FACE_REGIONS, face_template, face_vertices
from synth_affect.blendshape.transfer.correspondence import FaceCorrespondence, face_correspondence
from synth_affect.errors import ShapeError
from synth_affect.heads.camera import ImageSize
from synth_affect.heads.cc0 import load_cc0
from synth_affect.heads.model import HeadModel, embed, region_triangles
from synth_affect.render.rasterizer import interpolate, rasterize_projected
from synth_affect.render.wrinkles import WrinkleMaps, load_wrinkle_maps, vertex_texels


def folds_on(head: HeadModel) -> WrinkleMaps | None:
    """The packaged folds on any head with landmarks: its own, or carried from the head that they were drawn for."""
    own = load_wrinkle_maps(head)
    if own is not None:
        return own
    source = load_cc0()
    maps = load_wrinkle_maps(source)
    return None if maps is None else carry_wrinkles(maps, source, head, face_correspondence(source, head))


def carry_wrinkles(
    maps: WrinkleMaps, source: HeadModel, target: HeadModel, correspondence: FaceCorrespondence
) -> WrinkleMaps:
    """`maps` of `source` redrawn in the texture coordinates of `target`: each fold at the place that corresponds.

    correspondence : from `face_correspondence(source, target)`.
    Raises ShapeError when maps or correspondence belong to other heads.
    """
    template = face_template(source)
    if maps.topology != source.topology:
        raise ShapeError("maps", f"those of {source.name}", "those of another head")
    if (correspondence.source_topology, correspondence.target_topology) != (
        template.topology,
        face_template(target).topology,
    ):
        raise ShapeError("correspondence", f"from {source.name} to {target.name}", "that of other heads")
    size = maps.heights_mm.shape[1]
    theirs = vertex_texels(source, maps)[face_vertices(source)].astype(np.float64)
    texels = np.full((len(target.mean), 2), -1e4)
    texels[face_vertices(target)] = embed(theirs, template.mesh.triangles, correspondence.places)
    face = region_triangles(target, *FACE_REGIONS)
    covered = face & (texels[target.triangles] > -1).all(axis=(1, 2))
    corners, uv_corners = target.triangles[covered], target.uv_triangles[covered]
    low, high = target.uv[uv_corners].min(axis=(0, 1)), target.uv[uv_corners].max(axis=(0, 1))
    drawn = np.full((len(target.uv), 3), 1000, dtype=np.float32)
    drawn[:, :2] = (target.uv - low) / (high - low) * size
    carried = np.zeros((len(target.uv), 2), dtype=np.float32)
    carried[uv_corners] = texels[corners]
    fragments = rasterize_projected(drawn, np.ascontiguousarray(uv_corners), ImageSize(size, size))
    places = interpolate(fragments, np.ascontiguousarray(uv_corners), carried)
    places[fragments.pix_to_face[0, :, :, 0] < 0] = -1e4
    heights = [
        cv2.remap(height, places[..., 0], places[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
        for height in maps.heights_mm
    ]
    return WrinkleMaps(target.topology, maps.groups, np.stack(heights), np.concatenate([low, high]))
