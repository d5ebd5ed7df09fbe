"""A chart of the skin that every head has: the mean head unrolled onto a cylinder about its vertical axis.

Whatever is painted there follows the skin through identity and expression, because each vertex keeps its place.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from synth_affect.arrays import FloatArray, IntArray, readonly
from synth_affect.heads.camera import ImageSize
from synth_affect.heads.model import HeadModel, embed, region_triangles, region_vertices
from synth_affect.render.fragments import Fragments
from synth_affect.render.rasterizer import rasterize_projected

RADIUS_MM = 95.0
"""Of the cylinder: about that of the cheeks, so that a millimetre of the chart is about one of the face."""
TEXEL_MM = 0.4
AXIS_SHARE = 0.48
"""The axis lies this share of the way from the front of the face to the back of the head."""
OUTSIDE = ("skin", "lips", "lids", "neck", "scalp", "ears")
"""Regions that are skin, seen from outside."""


@dataclass(frozen=True, slots=True)
class Cylinder:
    """axis_z_mm : z of its axis, which is parallel to y.  top_mm : y of the chart's upper edge.  size : in texels."""

    axis_z_mm: float
    top_mm: float
    size: ImageSize

    def texels(self, points: FloatArray) -> FloatArray:
        """(..., 2) float32: column and row of points (..., 3) mm of the mean head; 0.5 is a texel's centre."""
        around = np.arctan2(points[..., 0], points[..., 2] - self.axis_z_mm)
        column = self.size.width / 2 + around * (RADIUS_MM / TEXEL_MM)
        row = (self.top_mm - points[..., 1]) / TEXEL_MM
        return np.stack([column, row], axis=-1).astype(np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class Chart:
    """head : the model.  cylinder : onto which it is unrolled.
    landmarks : (478, 2) float32, texels (column, row) of MediaPipe's points.
    triangles : (n, 3) int32, those of the head's outside.  fragments : the outermost of them under each texel.
    """

    head: HeadModel
    cylinder: Cylinder
    landmarks: FloatArray
    triangles: IntArray
    fragments: Fragments

    def __post_init__(self) -> None:
        object.__setattr__(self, "landmarks", readonly(self.landmarks, "landmarks", (478, 2), np.float32))

    @property
    def size(self) -> ImageSize:
        """In texels."""
        return self.cylinder.size


def unroll(head: HeadModel) -> Chart:
    """The chart of a head model; made once, used for every person."""
    outside = region_vertices(head, *OUTSIDE)
    low, high = head.mean[outside].min(axis=0), head.mean[outside].max(axis=0)
    top = float(high[1]) + 2 * TEXEL_MM
    size = ImageSize(int((top - low[1]) / TEXEL_MM) + 3, 2 * int(np.pi * RADIUS_MM / TEXEL_MM))
    cylinder = Cylinder(float(high[2] + AXIS_SHARE * (low[2] - high[2])), top, size)
    places = cylinder.texels(head.mean)
    radius = np.hypot(head.mean[:, 0], head.mean[:, 2] - cylinder.axis_z_mm)
    drawn = np.concatenate([places, (1000.0 - radius)[:, None]], axis=1).astype(np.float32)
    triangles = head.triangles[region_triangles(head, *OUTSIDE)]
    # A triangle that reaches round the back would cover the whole chart.
    triangles = np.ascontiguousarray(triangles[np.ptp(drawn[triangles, 0], axis=1) < size.width / 2])
    return Chart(
        head=head,
        cylinder=cylinder,
        landmarks=cylinder.texels(embed(head.mean, head.triangles, head.landmarks_478)),
        triangles=triangles,
        fragments=rasterize_projected(drawn, triangles, size),
    )


def on_surface(chart: Chart, texels: FloatArray) -> tuple[IntArray, FloatArray]:
    """Triangles (into `chart.triangles`; -1 off the surface) and barycentrics under `texels` (..., 2)."""
    column = np.clip(texels[..., 0].astype(np.intp), 0, chart.size.width - 1)
    row = np.clip(texels[..., 1].astype(np.intp), 0, chart.size.height - 1)
    return chart.fragments.pix_to_face[0, row, column, 0], chart.fragments.bary_coords[0, row, column, 0]
