"""A displacement of one head's face template as a displacement of all of another head."""

from __future__ import annotations

import numpy as np

from synth_affect.arrays import FloatArray, readonly
from synth_affect.blendshape.template import face_template, face_vertices
from synth_affect.blendshape.transfer.correspondence import FaceCorrespondence, face_correspondence
from synth_affect.blendshape.transfer.deformation_transfer import DeformationTransfer
from synth_affect.blendshape.transfer.lid_clearance import LidClearance
from synth_affect.blendshape.transfer.whole_head import WholeHead
from synth_affect.errors import ShapeError
from synth_affect.heads.mesh import Mesh
from synth_affect.heads.model import HeadModel, region_vertices

REACH_MM, LID_REACH_MM = 20.0, 3.0
"""Deformations rule below this scale, the source's own displacements above it. On the lids they rule sooner: a lid must
arrive at the other one, however high the eye."""


class ExpressionTransfer:
    """Brings displacements from the template of `source` to the head `target`; made once a subject.

    vertices : (n_vertices, 3) mm, the subject's neutral face in the target's topology; the target's mean when absent.
    correspondence : of both heads, which is the same for all subjects; worked out when absent.

    Within one topology the displacement is added as it is (the paper's way); else it goes by deformation transfer.
    """

    def __init__(
        self,
        source: HeadModel,
        target: HeadModel,
        vertices: FloatArray | None = None,
        correspondence: FaceCorrespondence | None = None,
    ) -> None:
        there, here = face_template(source), face_template(target)
        self._whole_head = WholeHead(target)
        self._rest = there.mesh.vertices
        self._transfer: DeformationTransfer | None = None
        if there.topology == here.topology:
            return
        pairs = face_correspondence(source, target) if correspondence is None else correspondence
        if (pairs.source_topology, pairs.target_topology) != (there.topology, here.topology):
            raise ShapeError("correspondence", f"from {source.name} to {target.name}", "that of other heads")
        neutral = target.mean if vertices is None else readonly(vertices, "vertices", target.mean.shape, np.float32)
        subject = Mesh(neutral[face_vertices(target)], here.mesh.triangles)
        self._subject = subject.vertices
        self._clear = LidClearance(target, neutral)
        reach = np.where(np.isin(face_vertices(target), region_vertices(target, "lids")), LID_REACH_MM, REACH_MM)
        self._transfer = DeformationTransfer(there.mesh, subject, pairs.triangles, places=pairs.places, reach_mm=reach)

    @property
    def whole_head(self) -> WholeHead:
        """What extends displacements of the target's face to the target's head."""
        return self._whole_head

    def __call__(self, offsets: FloatArray) -> FloatArray:
        """(n_vertices, 3) float32, mm, for all of the target head.

        offsets : (n_template_vertices, 3) mm, on `face_template(source)`.
        """
        wanted = readonly(offsets, "offsets", self._rest.shape, np.float32)
        if self._transfer is None:
            return self._whole_head(wanted)
        return self._whole_head(self._clear(self._transfer(self._rest + wanted)) - self._subject)
