from __future__ import annotations

import numpy as np
import pytest

from synth_affect.fitting.photometric.surface import face_surface
from synth_affect.heads.model import HeadModel, head_vertices, region_triangles, region_vertices

torch = pytest.importorskip("torch")


def test_a_surface_is_the_outer_part_of_its_head(head: HeadModel) -> None:
    centre = np.array([1.0, -20.0, 60.0])
    surface = face_surface(head, centre, "cpu", "float64")
    rng = np.random.default_rng(2)
    identity = rng.normal(size=len(head.identity_basis)).astype(np.float32)
    weights = rng.uniform(size=len(head.unit_names)).astype(np.float32)
    coefficients = torch.tensor(np.concatenate([identity, weights]), dtype=torch.float64)
    ours = (surface.points + surface.basis @ coefficients).numpy() + centre
    np.testing.assert_allclose(ours, head_vertices(head, identity, weights)[surface.vertex_of], atol=2e-4)
    assert surface.n_identity == len(identity)
    compared = surface.vertex_of[np.unique(surface.triangles[surface.compared])]
    np.testing.assert_array_equal(compared, region_vertices(head, "skin", "lips"))
    assert not np.isin(
        surface.vertex_of, np.setdiff1d(region_vertices(head, "gums"), region_vertices(head, "lips"))
    ).any()
    assert len(surface.shaded) >= int(region_triangles(head, "skin", "lips").sum())


def test_edges_are_differences_of_the_basis(head: HeadModel) -> None:
    surface = face_surface(head, np.zeros(3), "cpu")
    a, b, c = (surface.basis[surface.shaded[:, k]] for k in range(3))
    assert torch.equal(surface.edges[0], b - a)
    assert torch.equal(surface.edges[1], c - a)


def test_bumps_cover_the_face_in_mirrored_pairs(head: HeadModel) -> None:
    surface = face_surface(head, np.zeros(3), "cpu", "float64")
    bumps, counterpart = surface.bumps.numpy(), surface.counterpart.numpy()
    np.testing.assert_array_equal(counterpart[counterpart], np.arange(len(counterpart)))
    assert counterpart[-1] == len(counterpart) - 1, "the lips are their own counterpart"
    kept = np.full(len(head.mean), -1)
    kept[surface.vertex_of] = np.arange(len(surface.vertex_of))
    skin = region_vertices(head, "skin")
    there, mirrored = kept[skin], kept[head.mirror[skin]]
    np.testing.assert_allclose(bumps[there, :-1], bumps[mirrored][:, counterpart[:-1]], atol=1e-3)
    assert bumps[there, :-1].max(axis=1).min() > 0.2, "no part of the skin is without one"
    lips = kept[region_vertices(head, "lips")]
    np.testing.assert_array_equal(bumps[lips, -1], 1)
