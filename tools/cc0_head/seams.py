"""Where lips and lids meet: the edges of an opening seen from the front, and what makes them touch.

The base mesh's lips touch, but its adults' do not quite, and its blinks run on far below the lower lid.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter1d
from scipy.spatial import cKDTree

from synth_affect.heads.camera import ImageSize
from synth_affect.render.rasterizer import rasterize_projected
from tools.cc0_head.assembly import REGIONS, Assembly, mirrored

PIXEL_MM, FAR_MM = 0.1, 1000.0
INSIDE_MOUTH = ("mouth_cavity", "teeth_upper", "teeth_lower", "gums", "tongue")
EYE = ("eyeball", "iris")

LIP_OVERLAP_MM = 0.5  # closed lips overlap by this, seen from the front
EDGE_JAW = 0.15  # so far is the mouth opened to see the lips' edges: enough to part all of them
APART_JAW = 0.6  # and so far to tell what is near which edge
LIP_REACH_MM = 3.0  # how far from its edge a lip is moved along
LIP_SIDE_MM = 1.5  # a vertex nearer to one edge by this belongs wholly to it; in the corners both pull
LIP_SMOOTH_MM = 0.8

LID_OVERLAP = 0.4  # closed lids of the mean overlap by this share of their opening, so that larger eyes close too
LID_MIDDLE = (
    0.75  # the travel is read where the eye is open by more than this share of its height, away from the corners
)


@dataclass(frozen=True)
class Edge:
    """Places on a surface. corners : (n, 3) vertices.  weights : (n, 3) barycentric."""

    corners: np.ndarray
    weights: np.ndarray

    def read(self, values: np.ndarray) -> np.ndarray:
        """(n, ...) : what `values` (n_vertices, ...) are on the edge."""
        return np.einsum("nk,nk...->n...", self.weights, values[self.corners])


def opening(
    vertices: np.ndarray, head: Assembly, inside: tuple[str, ...], left_half: bool = False
) -> tuple[Edge, Edge]:
    """The edges above and below the part of the regions `inside` that is seen from the front, one place for each column
    of pixels.

    vertices : (n_vertices, 3) mm.  left_half : of the subject's left (x > 0) only.
    """
    opaque = head.regions != REGIONS.index("lashes")
    shown = head.triangles[opaque]
    behind = np.isin(head.regions[opaque], [REGIONS.index(r) for r in inside])
    around = vertices[np.unique(shown[behind])]
    low, high = around.min(0) - 3, around.max(0) + 3
    size = ImageSize(*(int(np.ceil(high[k] - low[k]) / PIXEL_MM) for k in (1, 0)))
    image = np.stack(
        [(vertices[:, 0] - low[0]) / PIXEL_MM, (high[1] - vertices[:, 1]) / PIXEL_MM, FAR_MM - vertices[:, 2]], 1
    )
    fragments = rasterize_projected(image.astype(np.float32), shown, size)
    face, bary = fragments.pix_to_face[0, :, :, 0], fragments.bary_coords[0, :, :, 0]
    seen = (face >= 0) & behind[face]
    x = low[0] + (np.arange(size.width) + 0.5) * PIXEL_MM
    columns = np.flatnonzero(seen.any(0) & ((x > 0) | (not left_half)))
    above = seen[:, columns].argmax(0) - 1
    below = size.height - seen[::-1, columns].argmax(0)
    upper, lower = (Edge(shown[face[row, columns]], bary[row, columns].astype(np.float64)) for row in (above, below))
    return upper, lower


def close_lips(
    mean: np.ndarray, basis: np.ndarray, jaw_open: np.ndarray, head: Assembly
) -> tuple[np.ndarray, np.ndarray]:
    """`mean` and `basis` (mm) with lips that meet in the mean, and that no component parts.

    The gap between the edges is linear in the vertices, so what is taken out of every component is out of every head.
    """
    upper, lower = opening(mean + EDGE_JAW * jaw_open, head, INSIDE_MOUTH)
    apart = mean + APART_JAW * jaw_open
    to_upper, to_lower = (cKDTree(edge.read(apart)).query(apart)[0] for edge in (upper, lower))
    side = np.clip((to_upper - to_lower) / LIP_SIDE_MM, -1, 1)  # 1 on the lower lip, -1 on the upper
    follow = side * np.exp(-0.5 * (np.minimum(to_upper, to_lower) / LIP_REACH_MM) ** 2)
    skin = np.unique(
        head.triangles[np.isin(head.regions, [REGIONS.index(r) for r in ("skin", "lips", "mouth_cavity")])]
    )
    follow[np.setdiff1d(np.arange(len(mean)), skin)] = 0
    along = upper.read(mean)[:, 0]

    def closed(field: np.ndarray, overlap_mm: float, only_parted: bool) -> np.ndarray:
        result = field.astype(np.float64)
        for _ in range(3):  # the edges lie between vertices, which follow less than whole
            gap = upper.read(result)[:, 1] - lower.read(result)[:, 1] + overlap_mm
            gap = gaussian_filter1d(
                np.maximum(gap, 0) if only_parted else gap, LIP_SMOOTH_MM / PIXEL_MM, mode="nearest"
            )
            result[:, 1] += 0.5 * np.interp(mean[:, 0], along, gap) * follow
        return result

    closed_mean = closed(mean, LIP_OVERLAP_MM, True)
    return 0.5 * (closed_mean + mirrored(closed_mean, head.mirror)), np.stack(
        [closed(component, 0.0, False) for component in basis]
    )


def just_closing(blink: np.ndarray, mean: np.ndarray, head: Assembly) -> np.ndarray:
    """The blink (n_vertices, 3) of the subject's left eye (x > 0), scaled so that at weight 1 the upper lid comes just
    over the lower one, all along the eye.
    """
    upper, lower = opening(mean, head, EYE, left_half=True)
    height = upper.read(mean)[:, 1] - lower.read(mean)[:, 1]
    travel = lower.read(blink)[:, 1] - upper.read(blink)[:, 1]
    along = upper.read(mean)[:, 0]
    wide = height > LID_MIDDLE * height.max()
    share = np.polynomial.Polynomial.fit(along[wide], (1 + LID_OVERLAP) * height[wide] / travel[wide], 2)
    scale: np.ndarray = share(np.clip(mean[:, 0], along[wide].min(), along[wide].max()))
    return blink * scale[:, None]
