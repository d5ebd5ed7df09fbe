"""The packaged head against itself with vertices and triangles in another order: another topology, the same face."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from synth_affect.blendshape.template import face_template, face_vertices
from synth_affect.blendshape.transfer.correspondence import FaceCorrespondence, face_correspondence
from synth_affect.blendshape.transfer.expression_transfer import ExpressionTransfer
from synth_affect.errors import ShapeError
from synth_affect.heads.archive import topology_id
from synth_affect.heads.cc0 import load_cc0
from synth_affect.heads.model import HeadModel, LandmarkEmbedding, embed, head_vertices, region_vertices


@pytest.fixture(scope="module")
def head() -> HeadModel:
    return load_cc0()


@pytest.fixture(scope="module")
def order(head: HeadModel) -> np.ndarray:
    """Vertex k of the shuffled head is vertex order[k] of the packaged one."""
    return np.random.default_rng(8).permutation(len(head.mean))


@pytest.fixture(scope="module")
def shuffled(head: HeadModel, order: np.ndarray) -> HeadModel:
    place = np.argsort(order)
    turn = np.random.default_rng(9).permutation(len(head.triangles))
    back = np.argsort(turn)
    triangles = place[head.triangles[turn]].astype(np.int32)

    def moved(embedding: LandmarkEmbedding) -> LandmarkEmbedding:
        return LandmarkEmbedding(back[embedding.triangles], embedding.barycentric)

    return replace(
        head,
        name="shuffled",
        topology=topology_id(triangles),
        mean=head.mean[order],
        triangles=triangles,
        identity_basis=head.identity_basis[:, order],
        expression_units=head.expression_units[:, order],
        triangle_regions=head.triangle_regions[turn],
        uv_triangles=head.uv_triangles[turn],
        mirror=place[head.mirror[order]],
        landmarks_478=moved(head.landmarks_478),
        landmarks_68=moved(head.landmarks_68),
    )


@pytest.fixture(scope="module")
def pairs(head: HeadModel, shuffled: HeadModel) -> FaceCorrespondence:
    return face_correspondence(head, shuffled)


@pytest.fixture(scope="module")
def transfer(head: HeadModel, shuffled: HeadModel, pairs: FaceCorrespondence) -> ExpressionTransfer:
    return ExpressionTransfer(head, shuffled, correspondence=pairs)


def expression(head: HeadModel, **weights: float) -> np.ndarray:
    return sum(weight * head.expression_units[head.unit_names.index(name)] for name, weight in weights.items())


def test_every_place_finds_itself_also_where_lips_and_lids_touch(
    head: HeadModel, shuffled: HeadModel, order: np.ndarray, pairs: FaceCorrespondence
) -> None:
    there, here = face_template(head), face_template(shuffled)
    assert (pairs.source_topology, pairs.target_topology) == (there.topology, here.topology)
    found = embed(there.mesh.vertices, there.mesh.triangles, pairs.places)
    assert np.linalg.norm(found - here.mesh.vertices, axis=1).max() < 0.05
    jaw = expression(head, jawOpen=1.0)[face_vertices(head)]
    carried = embed(jaw, there.mesh.triangles, pairs.places)
    own = expression(shuffled, jawOpen=1.0)[face_vertices(shuffled)]
    assert np.abs(carried - own).max() < 0.1  # an upper lip that took the lower one's would be 20 mm off
    assert (pairs.triangles >= 0).all()


def test_an_expression_arrives_as_it_left(
    head: HeadModel, shuffled: HeadModel, order: np.ndarray, transfer: ExpressionTransfer
) -> None:
    for weights in ({"jawOpen": 0.5}, {"mouthSmileLeft": 1.0, "browDownRight": 0.8}, {"mouthPucker": 0.8}):
        wanted = expression(head, **weights)
        moved = transfer(wanted[face_vertices(head)])
        assert (moved.shape, moved.dtype) == (shuffled.mean.shape, np.float32)
        face = face_vertices(shuffled)
        assert np.abs(moved - wanted[order])[face].max() < 0.35
        inside = region_vertices(shuffled, "teeth_lower", "teeth_upper", "tongue")
        assert np.abs(moved - wanted[order])[inside].max() < 0.8


def test_nothing_moves_when_nothing_is_asked(head: HeadModel, transfer: ExpressionTransfer) -> None:
    assert np.abs(transfer(np.zeros((len(face_vertices(head)), 3)))).max() < 0.01


def test_within_one_topology_it_is_added(head: HeadModel) -> None:
    subject = head_vertices(head, np.ones(len(head.identity_basis)), np.zeros(len(head.unit_names)))
    offsets = np.random.default_rng(2).normal(0, 1, (len(face_vertices(head)), 3)).astype(np.float32)
    moved = ExpressionTransfer(head, head, subject)(offsets)
    np.testing.assert_array_equal(moved[face_vertices(head)], offsets)
    same = face_correspondence(head, head)
    template = face_template(head)
    np.testing.assert_array_equal(same.triangles, np.arange(len(template.mesh.triangles)))
    np.testing.assert_allclose(
        embed(template.mesh.vertices, template.mesh.triangles, same.places), template.mesh.vertices
    )


def test_a_larger_subject_moves_like_the_source(
    head: HeadModel, shuffled: HeadModel, pairs: FaceCorrespondence
) -> None:
    identity = np.zeros(len(head.identity_basis))
    identity[0] = 2.0
    subject = head_vertices(shuffled, identity, np.zeros(len(head.unit_names)))
    offsets = expression(head, jawOpen=0.4)[face_vertices(head)]
    moved = ExpressionTransfer(head, shuffled, subject, pairs)(offsets)
    chin = embed(moved, shuffled.triangles, shuffled.landmarks_478)[152]
    asked = embed(expression(head, jawOpen=0.4), head.triangles, head.landmarks_478)[152]
    assert np.linalg.norm(chin - asked) < 0.15 * np.linalg.norm(asked)


def test_what_does_not_fit_is_named(
    head: HeadModel, shuffled: HeadModel, pairs: FaceCorrespondence, transfer: ExpressionTransfer
) -> None:
    with pytest.raises(ShapeError, match="that of other heads"):
        ExpressionTransfer(shuffled, head, correspondence=pairs)
    with pytest.raises(ShapeError, match="vertices: expected"):
        ExpressionTransfer(head, shuffled, head.mean[1:], pairs)
    with pytest.raises(ShapeError, match="offsets: expected"):
        transfer(np.zeros((3, 3)))
    bare = replace(shuffled, landmarks_478=LandmarkEmbedding(np.array([0]), np.array([[1, 0, 0]])))
    with pytest.raises(ShapeError, match="MediaPipe"):
        face_correspondence(head, bare)
    no_jaw = replace(shuffled, unit_names=tuple(n.replace("jawOpen", "yawn") for n in shuffled.unit_names))
    with pytest.raises(ShapeError, match="jawOpen"):
        face_correspondence(head, no_jaw)
