"""The 52 ARKit units on the assembled head: read from the targets, softened where they are angular, made symmetric."""

from __future__ import annotations

import numpy as np
from scipy import sparse

from tools.cc0_head.assembly import REGIONS, Assembly, mirrored
from tools.cc0_head.makehuman import MakeHumanData

SOFTEN_ROUNDS = 12
# MakeHuman draws these smaller than faces that were scanned (ICT-FaceKit's largest travel, mm: browInnerUp 6.1,
# browOuterUp 8.6, noseSneer 10.3, mouthUpperUp 8.8, mouthShrugLower 11.3; here 5.2, 7.0, 4.8, 5.5, 6.8).
AMPLITUDE = {"browInnerUp": 1.35, "browOuterUp": 1.25, "noseSneer": 1.5, "mouthUpperUp": 1.35, "mouthShrugLower": 1.15}
JAW_TONGUE_EXTRA_MM = np.array([0.0, -3.0, 0.0])  # the helper's tongue lags the lower teeth when the jaw opens


def _mirrored_name(name: str) -> str:
    if name.endswith("Left"):
        return name[:-4] + "Right"
    return name[:-5] + "Left" if name.endswith("Right") else name


def expression_units(data: MakeHumanData, head: Assembly) -> tuple[list[str], np.ndarray]:
    """Names and (52, n_vertices, 3) mm."""
    names = data.unit_names()
    offsets = np.stack([head.operator @ data.face_unit(name) for name in names])
    for k, name in enumerate(names):
        offsets[k] *= AMPLITUDE.get(name.removesuffix("Left").removesuffix("Right"), 1.0)
    tongue = np.unique(head.triangles[head.regions == REGIONS.index("tongue")])
    offsets[names.index("jawOpen"), tongue] += JAW_TONGUE_EXTRA_MM
    mouth = [k for k, name in enumerate(names) if name.startswith(("jaw", "mouth"))]
    offsets[mouth] = _soften(offsets[mouth], head)
    # jawLeft and mouthLeft mirror to their Right like every pair; units without a side mirror to themselves.
    partner = [names.index(_mirrored_name(name)) for name in names]
    return names, np.stack([0.5 * (offsets[k] + mirrored(offsets[p], head.mirror)) for k, p in enumerate(partner)])


def _soften(offsets: np.ndarray, head: Assembly) -> np.ndarray:
    """Diffuse the units along the lips: the base mesh is so coarse there that an opened lower lip has a corner.

    Upper and lower lip meet only in the corners of the mouth, so that they do not pull each other.
    """
    lips = head.regions == REGIONS.index("lips")
    n = len(head.mirror)
    links = head.triangles[np.isin(head.regions, [REGIONS.index(r) for r in ("lips", "skin", "mouth_cavity")])]
    rows = links[:, [0, 1, 2]].ravel()
    cols = links[:, [1, 2, 0]].ravel()
    adjacency = sparse.coo_matrix((np.ones(len(rows)), (rows, cols)), shape=(n, n)).tocsr()
    adjacency = (adjacency + adjacency.T).sign()
    degree = np.maximum(np.asarray(adjacency.sum(1)).ravel(), 1)
    average = sparse.diags(1 / degree) @ adjacency
    share = np.zeros(n)
    share[np.unique(head.triangles[lips])] = 0.5
    for _ in range(3):  # fade out over three rings
        share = np.maximum(share, 0.6 * np.asarray(average @ share))
    smooth = offsets.copy()
    for _ in range(SOFTEN_ROUNDS):
        for k in range(len(smooth)):
            smooth[k] += share[:, None] * (average @ smooth[k] - smooth[k])
    return smooth
