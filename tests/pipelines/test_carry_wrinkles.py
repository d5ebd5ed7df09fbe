from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from synth_affect.blendshape.template import face_vertices
from synth_affect.blendshape.transfer.correspondence import FaceCorrespondence, face_correspondence
from synth_affect.errors import ShapeError
from synth_affect.heads.archive import topology_id
from synth_affect.heads.cc0 import load_cc0
from synth_affect.heads.model import HeadModel, LandmarkEmbedding
from synth_affect.pipelines.carry_wrinkles import carry_wrinkles, folds_on
from synth_affect.render.wrinkles import WrinkleMaps, load_wrinkle_maps, vertex_texels


@pytest.fixture(scope="module")
def head() -> HeadModel:
    return load_cc0()


@pytest.fixture(scope="module")
def maps(head: HeadModel) -> WrinkleMaps:
    found = load_wrinkle_maps(head)
    assert found is not None
    return found


@pytest.fixture(scope="module")
def other(head: HeadModel) -> HeadModel:
    """The same surface with its triangles in another order and its texture turned by a right angle and squeezed."""
    order = np.random.default_rng(1).permutation(len(head.triangles))
    place = np.argsort(order)

    def moved(embedding: LandmarkEmbedding) -> LandmarkEmbedding:
        return LandmarkEmbedding(place[embedding.triangles], embedding.barycentric)

    return replace(
        head,
        name="other",
        topology=topology_id(head.triangles[order]),
        triangles=head.triangles[order],
        triangle_regions=head.triangle_regions[order],
        uv=np.stack([0.9 * (1 - head.uv[:, 1]), 0.1 + 0.8 * head.uv[:, 0]], axis=1),
        uv_triangles=head.uv_triangles[order],
        landmarks_478=moved(head.landmarks_478),
        landmarks_68=moved(head.landmarks_68),
    )


@pytest.fixture(scope="module")
def pairs(head: HeadModel, other: HeadModel) -> FaceCorrespondence:
    return face_correspondence(head, other)


def heights_at_vertices(head: HeadModel, maps: WrinkleMaps) -> np.ndarray:
    texels = vertex_texels(head, maps)[face_vertices(head)]
    return np.stack([
        cv2.remap(height, texels[None, :, 0], texels[None, :, 1], cv2.INTER_LINEAR)[0] for height in maps.heights_mm
    ])  # fmt: skip


def test_every_place_of_the_face_keeps_its_folds(
    head: HeadModel, maps: WrinkleMaps, other: HeadModel, pairs: FaceCorrespondence
) -> None:
    carried = carry_wrinkles(maps, head, other, pairs)
    assert (carried.topology, carried.groups) == (other.topology, maps.groups)
    assert carried.heights_mm.shape == maps.heights_mm.shape
    before, after = heights_at_vertices(head, maps), heights_at_vertices(other, carried)
    assert np.abs(before).max() > 0.8
    assert np.abs(after - before).mean() < 0.01
    for group, own, found in zip(maps.groups, before, after, strict=True):
        assert np.corrcoef(own, found)[0, 1] > 0.9, group


def test_any_head_has_folds(head: HeadModel, maps: WrinkleMaps, other: HeadModel) -> None:
    own, carried = folds_on(head), folds_on(other)
    assert own is not None
    np.testing.assert_array_equal(own.heights_mm, maps.heights_mm)
    assert carried is not None
    assert carried.topology == other.topology


def test_maps_and_correspondences_of_other_heads_are_refused(
    head: HeadModel, maps: WrinkleMaps, other: HeadModel, pairs: FaceCorrespondence
) -> None:
    with pytest.raises(ShapeError, match="maps: expected those of other"):
        carry_wrinkles(maps, other, head, pairs)
    with pytest.raises(ShapeError, match="correspondence: expected"):
        carry_wrinkles(maps, head, head, pairs)
