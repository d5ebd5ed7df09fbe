"""The template: the face of a head model as the mesh that every scan of a gallery is brought into."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from synth_affect.arrays import IntArray, readonly
from synth_affect.heads.archive import topology_id
from synth_affect.heads.mesh import Mesh
from synth_affect.heads.model import HeadModel, LandmarkEmbedding, region_triangles, region_vertices

FACE_REGIONS = ("skin", "lips", "lids")


@dataclass(frozen=True, slots=True, eq=False)
class Template:
    """A face mesh with landmarks; displacements of a gallery are stored per vertex of it.

    name : where it comes from.  topology : id of its triangle list; whatever is stored per vertex belongs to it.
    mesh : mm, head frame (x right of the viewer's picture, y up, z to the viewer).
    landmarks_68 : ibug's markup, from 0.
    """

    name: str
    topology: str
    mesh: Mesh
    landmarks_68: LandmarkEmbedding


def face_template(head: HeadModel) -> Template:
    """Skin, lips and lids of the head's mean, without scalp, ears, neck, eyes and mouth.

    Vertex k of the template is vertex `face_vertices(head)[k]` of the head.
    """
    vertex_of = face_vertices(head)
    inside = region_triangles(head, *FACE_REGIONS)
    compact = np.full(len(head.mean), -1, dtype=np.int32)
    compact[vertex_of] = np.arange(len(vertex_of), dtype=np.int32)
    triangle_of = np.full(len(head.triangles), -1, dtype=np.int32)
    triangle_of[inside] = np.arange(int(inside.sum()), dtype=np.int32)
    triangles = compact[head.triangles[inside]]
    landmarks = LandmarkEmbedding(triangle_of[head.landmarks_68.triangles], head.landmarks_68.barycentric)
    return Template(
        name=head.name,
        topology=topology_id(triangles),
        mesh=Mesh(head.mean[vertex_of], triangles),
        landmarks_68=landmarks,
    )


def face_vertices(head: HeadModel) -> IntArray:
    """(n_vertices of the template,) indices into the head's vertices, increasing."""
    return readonly(region_vertices(head, *FACE_REGIONS), "face_vertices", ("n_vertices",), np.int32)
