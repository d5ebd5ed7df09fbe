"""How long one displacement takes from the packaged head's face to another head: ICT-FaceKit, or where that is not
here the packaged head with its triangles in another order. The bar is 50 ms a target after one factorisation a subject.

Beside it, in the same run: solving the same equations without kept factors, which is what transfers without state do,
and the barycentric addition of displacements, which knows nothing of deformation.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmarks._timing import Row, arguments, measure, print_table, surroundings, use_one_thread, write_json
from synth_affect.blendshape.template import face_template, face_vertices
from synth_affect.blendshape.transfer.correspondence import face_correspondence
from synth_affect.blendshape.transfer.deformation_transfer import DeformationTransfer
from synth_affect.blendshape.transfer.expression_transfer import ExpressionTransfer
from synth_affect.heads.archive import topology_id
from synth_affect.heads.cc0 import load_cc0
from synth_affect.heads.model import HeadModel, LandmarkEmbedding, embed
from synth_affect.pipelines.open_head import open_head

TITLE = "Transfer of one displacement to another head"
BAR_MS = 50.0


def reordered(head: HeadModel) -> HeadModel:
    """The same head with its triangles in another order."""
    order = np.random.default_rng(0).permutation(len(head.triangles))
    place = np.argsort(order)

    def moved(embedding: LandmarkEmbedding) -> LandmarkEmbedding:
        return LandmarkEmbedding(place[embedding.triangles], embedding.barycentric)

    return replace(
        head,
        name="cc0, reordered",
        topology=topology_id(head.triangles[order]),
        triangles=head.triangles[order],
        triangle_regions=head.triangle_regions[order],
        uv_triangles=head.uv_triangles[order],
        landmarks_478=moved(head.landmarks_478),
        landmarks_68=moved(head.landmarks_68),
    )


def main() -> None:
    """Print the table; write it where asked."""
    parser = arguments(__doc__, repeats=20)
    parser.add_argument("--head", metavar="PATH", help="another head model, such as ICT-FaceKit's packed file")
    options = parser.parse_args()
    use_one_thread()
    context = surroundings(["scipy", "numba"])
    source = load_cc0()
    target = reordered(source) if options.head is None else open_head(options.head)
    pairs = face_correspondence(source, target)
    template = face_template(source).mesh
    offsets = sum(
        weight * source.expression_units[source.unit_names.index(name)]
        for name, weight in (("jawOpen", 0.5), ("mouthSmileLeft", 0.8), ("mouthSmileRight", 0.8), ("browInnerUp", 1))
    )[face_vertices(source)]
    transfer = ExpressionTransfer(source, target, correspondence=pairs)

    def deformation() -> DeformationTransfer:
        subject = face_template(target).mesh
        return DeformationTransfer(template, subject, pairs.triangles, places=pairs.places)

    kept = deformation()
    per_target = measure(lambda: transfer(offsets), repeats=options.repeats)
    fresh = measure(lambda: deformation()(template.vertices + offsets), repeats=max(options.repeats // 4, 3), warm_up=1)
    with_factors = measure(lambda: kept(template.vertices + offsets), repeats=options.repeats)
    rows = [
        Row(
            "to all of the head, a target",
            per_target,
            f"{len(target.mean)} vertices of {target.name}; bar {BAR_MS:.0f} ms: "
            + ("held" if per_target.best_ms <= BAR_MS else "MISSED"),
        ),
        Row("deformation transfer of the face alone", with_factors, f"{len(pairs.triangles)} triangles"),
        Row("the same without kept factors", fresh, f"{fresh.best_ms / with_factors.best_ms:.0f} times as long"),
        Row(
            "barycentric addition on the face alone",
            measure(lambda: embed(offsets, template.triangles, pairs.places), repeats=options.repeats),
            "no deformation",
        ),
        Row(
            "once a subject",
            measure(lambda: ExpressionTransfer(source, target, correspondence=pairs), repeats=3, warm_up=0),
        ),
        Row("once a pair of heads", measure(lambda: face_correspondence(source, target), repeats=3, warm_up=0)),
    ]
    print_table(TITLE, rows, context=context)
    if options.json:
        write_json(Path(options.json), TITLE, rows, context=context)


if __name__ == "__main__":
    main()
