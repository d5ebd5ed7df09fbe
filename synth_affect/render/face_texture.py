"""The photograph laid out on a head's texture: each texel's colour from where the picture shows it, or its like.

A texel is seen where its point of the fitted mesh lies in the picture, turned to the camera and behind nothing. What is
not seen there is taken from the mirrored point on the other side of the face, in the tone of this side; what neither
shows is continued over the mesh itself, across the cuts of the texture, so that no cut is seen. Parts of which the
picture shows nothing (teeth behind closed lips) have colours of their own.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from synth_affect.arrays import BoolArray, FloatArray, ImageArray, IntArray, as_uint8, readonly
from synth_affect.errors import ShapeError
from synth_affect.heads.camera import Camera, ImageSize, to_camera
from synth_affect.heads.mesh import vertex_normals
from synth_affect.heads.model import HeadModel, region_triangles
from synth_affect.render.fragments import Fragments
from synth_affect.render.pull_push import extend
from synth_affect.render.rasterizer import interpolate, rasterize_projected
from synth_affect.render.scene import project_with

FACING = (0.2, 0.55)
"""Cosine to the camera from which on a texel is used, and is used in full."""
HIDDEN_MM = 3.0
"""So far behind the nearest surface a point counts as hidden."""
OUTLINE_MM = (1.5, 5.0)
"""So far within the head's outline a pixel begins to count, and counts in full: a fitted outline errs, and outside is
the background."""
MARGIN_PX = 1.5
"""Nearer to the picture's border nothing is read."""
HAIR_MM = 12.0
"""Past the outline of the face by more, a picture shows hair or what is behind the head, where the model has scalp."""
UNSEEN = {
    "teeth_upper": (0.88, 0.85, 0.78),
    "teeth_lower": (0.84, 0.81, 0.74),
    "gums": (0.62, 0.36, 0.35),
    "tongue": (0.60, 0.34, 0.33),
    "mouth_cavity": (0.28, 0.13, 0.12),
}
"""sRGB in [0, 1] of parts that no picture of closed lips shows, in the light of a well-exposed face."""
_DETAIL = {"skin": 1.0, "lips": 2.0, "lids": 2.0, "eyeball": 2.0, "iris": 6.0}
"""How much of the texture a part takes beside its size."""
_BINS, _EVEN = 128, 0.3
_WELL_EXPOSED = 0.72
"""Red of skin in that light; parts are darkened with a darker face."""


@dataclass(frozen=True, slots=True, eq=False)
class FaceTexture:
    """pixels : (size, size, 3) uint8 sRGB.  uv : (n_uv, 2) float32, v up, where the head's uv stand in it.
    vertex_colours : (n_vertices, 3) uint8, the same on the mesh.
    seen : share of the face's skin whose texels the picture shows, mirrored ones not counted.
    """

    pixels: ImageArray
    uv: FloatArray
    vertex_colours: ImageArray
    seen: float


@dataclass(frozen=True, slots=True, eq=False)
class PosedHead:
    """How a picture shows a head. vertices : (n_vertices, 3) mm.  camera, offsets_px : (n_vertices, 2), as in Scene."""

    head: HeadModel
    vertices: FloatArray
    camera: Camera
    offsets_px: FloatArray


def unwrap(image: ImageArray, posed: PosedHead, size: int, cover: FloatArray | None = None) -> FaceTexture:
    """The texture of a head from a photograph.

    image : (height, width, 3) uint8 or uint16 sRGB.  size : side of the texture in px.
    cover : (height, width) float32 in [0, 1], where something stands in front of the face and is not its skin.
    Raises ShapeError when the head has no texture coordinates.
    """
    head = posed.head
    if np.ptp(head.uv, axis=0).min() <= 0:
        raise ShapeError("uv", "texture coordinates over an area", "none")
    picture = as_uint8(image).astype(np.float32)
    view = _View.of(posed, cover, ImageSize(*picture.shape[:2]))
    uv = spread_uv(head)
    laid = np.column_stack([uv * [size, -size] + [0, size], _layer(head)]).astype(np.float32)
    layout = rasterize_projected(laid, head.uv_triangles, ImageSize(size, size))
    triangle = layout.pix_to_face[0, :, :, 0]
    weights = layout.bary_coords[0, :, :, 0]
    covered = triangle >= 0
    picture = _no_finer_than(picture, view, head.triangles, triangle[covered])

    own, own_weight = view.sample(picture, layout, head.triangles)
    other, other_weight = view.sample(picture, layout, head.mirror[head.triangles])
    seen = float(own_weight[np.isin(triangle, np.flatnonzero(region_triangles(head, "skin", "lips")))].mean())
    both = own_weight * other_weight
    other = np.clip(other + extend((own - other) * (both > 0)[..., None], both), 0, 255)
    known_weight = own_weight + (1 - own_weight) * other_weight
    known = own * own_weight[..., None] + other * ((1 - own_weight) * other_weight)[..., None]
    known = known / np.maximum(known_weight, 1e-6)[..., None]

    colours = _on_the_mesh(head, triangle, weights, known, known_weight)
    base = interpolate(layout, head.triangles, colours)
    texels = known * known_weight[..., None] + base * (1 - known_weight)[..., None]
    # Past the charts' borders the colours go on, for those who average texels.
    texels = np.where(covered[..., None], texels, extend(texels * covered[..., None], covered.astype(np.float32)))
    return FaceTexture(
        pixels=np.clip(np.rint(texels), 0, 255).astype(np.uint8),
        uv=uv,
        vertex_colours=np.clip(np.rint(colours), 0, 255).astype(np.uint8),
        seen=seen,
    )


def spread_uv(head: HeadModel) -> FloatArray:
    """(n_uv, 2) float32: the head's uv, each axis stretched where the front of the face lies and squeezed elsewhere.

    A layout that was made for a whole body or scalp leaves the face a twentieth of the texture. Both axes are mapped by
    a rising function of their own, so nothing comes to overlap.
    """
    corners = head.mean[head.triangles]
    cross = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    front = np.maximum(cross[:, 2], 0) / 2  # mm^2 as seen from the front
    weight = np.zeros(len(front))
    for name, factor in _DETAIL.items():
        if name in head.region_names:
            own = region_triangles(head, name)
            weight[own] = factor * front[own]
    places = head.uv[head.uv_triangles].mean(axis=1)
    spread: FloatArray = np.empty_like(head.uv)
    edges = np.linspace(0, 1, _BINS + 1)
    for axis in (0, 1):
        density: FloatArray = np.histogram(places[:, axis], edges, weights=weight)[0]
        density = np.convolve(np.pad(density, 4, mode="edge"), np.ones(9) / 9, mode="valid")
        density = _EVEN / _BINS + (1 - _EVEN) * density / max(float(density.sum()), 1e-9)
        spread[:, axis] = np.interp(head.uv[:, axis], edges, np.concatenate([[0], np.cumsum(density / density.sum())]))
    return spread


@dataclass(frozen=True, slots=True, eq=False)
class _View:
    """The picture's side. projected : (n_vertices, 3) px, px, mm.  facing : (n_vertices,) cosine to the camera.
    allowed : (n_vertices,) in [0, 1].  zbuf : (height, width) mm, infinite where nothing is.
    bare : (height, width) float32, 1 well within the outline and where nothing stands in front of the face.
    """

    projected: FloatArray
    facing: FloatArray
    allowed: FloatArray
    zbuf: FloatArray
    bare: FloatArray

    @staticmethod
    def of(posed: PosedHead, cover: FloatArray | None, size: ImageSize) -> _View:
        head, vertices = posed.head, readonly(posed.vertices, "vertices", posed.head.mean.shape, np.float32)
        projected = project_with(posed.camera, vertices, posed.offsets_px)
        shown = head.triangles[_drawn(head)]
        zbuf = rasterize_projected(projected, shown, size).zbuf[0, :, :, 0]
        places = to_camera(posed.camera, vertices)
        normals = vertex_normals(vertices, head.triangles)
        turned = to_camera(posed.camera, normals) - to_camera(posed.camera, np.zeros((1, 3), np.float32))
        facing = -(places * turned).sum(axis=1) / np.linalg.norm(places, axis=1)
        px_per_mm = posed.camera.focal_px / float(np.median(projected[:, 2]))
        inside = cv2.distanceTransform((zbuf >= 0).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5) / px_per_mm
        bare = np.clip((inside - OUTLINE_MM[0]) / (OUTLINE_MM[1] - OUTLINE_MM[0]), 0, 1).astype(np.float32)
        if cover is not None:
            bare *= cv2.erode(1 - cover.astype(np.float32), np.ones((3, 3), np.uint8))
        return _View(projected, facing, _bare(head), np.where(zbuf < 0, np.inf, zbuf).astype(np.float32), bare)

    def sample(self, picture: FloatArray, layout: Fragments, triangles: IntArray) -> tuple[FloatArray, FloatArray]:
        """Colours (size, size, 3) 0-255 of the texels, and how far they are to be used (size, size), in [0, 1].

        layout : which triangle a texel lies on, and where.  triangles : what stands at its corners.
        """
        place = interpolate(layout, triangles, np.column_stack([self.projected, self.facing, self.allowed]))
        covered = layout.pix_to_face[0, :, :, 0] >= 0
        x, y, depth, facing, allowed = (np.ascontiguousarray(place[..., k]) for k in range(5))
        height, width = self.zbuf.shape
        nearest = cv2.remap(
            self.zbuf, x - 0.5, y - 0.5, cv2.INTER_NEAREST, borderMode=cv2.BORDER_CONSTANT, borderValue=0.0
        )
        inside = (x > MARGIN_PX) & (y > MARGIN_PX) & (x < width - MARGIN_PX) & (y < height - MARGIN_PX)
        usable = covered & inside & (depth < nearest + HIDDEN_MM)
        ramp = np.clip((facing - FACING[0]) / (FACING[1] - FACING[0]), 0, 1)
        bare = cv2.remap(self.bare, x - 0.5, y - 0.5, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        weight = (usable * ramp * ramp * (3 - 2 * ramp) * allowed * bare).astype(np.float32)
        # What is hidden ends sharply; a soft edge on this side of it hides the step.
        size = len(x)
        reach = max(size // 256, 1)
        soft = cv2.GaussianBlur(cv2.erode(weight, np.ones((2 * reach + 1,) * 2, np.uint8)), (0, 0), reach)
        scale_x, scale_y = picture.shape[1] / width, picture.shape[0] / height
        colours = cv2.remap(
            picture, x * scale_x - 0.5, y * scale_y - 0.5, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
        return colours, np.minimum(soft, weight).astype(np.float32)


def _layer(head: HeadModel) -> FloatArray:
    """(n_uv,) depth of each place of the layout: where parts lie on one another (in ICT-FaceKit's, the mouth's inside
    and the nostrils' on the face), what looks outwards is on top.
    """
    outwards = head.mean - head.mean.mean(axis=0)
    normals = vertex_normals(head.mean, head.triangles)
    cosine = (outwards * normals).sum(axis=1) / np.maximum(np.linalg.norm(outwards, axis=1), 1e-6)
    inner = [name for name in UNSEEN if name in head.region_names]
    if inner:
        cosine[np.unique(head.triangles[region_triangles(head, *inner)])] = -2
    depth = np.empty(len(head.uv))
    depth[head.uv_triangles] = 20.0 - cosine[head.triangles]
    return depth


def _drawn(head: HeadModel) -> BoolArray:
    """(n_triangles,): all but lashes, which are cards that need transparency."""
    if "lashes" not in head.region_names:
        return np.ones(len(head.triangles), dtype=np.bool_)
    return ~region_triangles(head, "lashes")


def _bare(head: HeadModel) -> FloatArray:
    """(n_vertices,) in [0, 1]: 0 where a picture shows hair, or what is behind the head, in place of the model."""
    allowed = np.ones(len(head.mean), dtype=np.float32)
    for name in ("scalp", "ears", "neck"):
        if name in head.region_names:
            allowed[np.unique(head.triangles[region_triangles(head, name)])] = 0
    if allowed.all():
        return allowed
    skin = head.mean[allowed > 0]
    bare = np.flatnonzero(allowed == 0)
    # Near the face its own colours go on; further out they fade.
    from scipy.spatial import KDTree

    distance = KDTree(skin).query(head.mean[bare])[0]
    allowed[bare] = np.clip(1 - distance / HAIR_MM, 0, 1)
    return allowed


def _no_finer_than(picture: FloatArray, view: _View, triangles: IntArray, texels: IntArray) -> FloatArray:
    """The picture, shrunk where a texel covers more than one of its pixels. texels : (n,) the triangle of each."""
    counts = np.bincount(texels, minlength=len(triangles))
    faces_it = (counts > 0) & (view.facing[triangles].min(axis=1) > FACING[1])
    a, b, c = (view.projected[triangles[faces_it, k], :2] for k in range(3))
    areas = np.abs((b - a)[:, 0] * (c - a)[:, 1] - (b - a)[:, 1] * (c - a)[:, 0]) / 2
    px_per_texel = float(np.sqrt(areas.sum() / max(float(counts[faces_it].sum()), 1.0)))
    if px_per_texel <= 1.2:
        return picture
    return np.asarray(cv2.resize(picture, None, fx=1 / px_per_texel, fy=1 / px_per_texel, interpolation=cv2.INTER_AREA))


def _on_the_mesh(
    head: HeadModel, triangle: IntArray, weights: FloatArray, known: FloatArray, known_weight: FloatArray
) -> FloatArray:
    """(n_vertices, 3) float32: mean of the texels around each vertex, and where there are none, the smoothest course
    over the mesh between those that have some.
    """
    from scipy.sparse import coo_array, diags_array
    from scipy.sparse.linalg import spsolve

    n_vertices = len(head.mean)
    used = (triangle >= 0) & (known_weight > 0)
    share = weights[used] * known_weight[used][:, None]
    corner = head.triangles[triangle[used]].ravel()
    total = np.bincount(corner, share.ravel(), n_vertices)
    summed = np.stack(
        [np.bincount(corner, (share * known[used][:, k : k + 1]).ravel(), n_vertices) for k in range(3)], axis=1
    )
    colours = summed / np.maximum(total, 1e-9)[:, None]
    trust = np.minimum(total, 1.0)
    tone = float(np.median(colours[trust > 0.5, 0])) / 255 / _WELL_EXPOSED if (trust > 0.5).any() else 1.0
    for name, colour in UNSEEN.items():
        if name in head.region_names:
            own = np.unique(head.triangles[region_triangles(head, name)])
            blind = own[trust[own] < 0.5]
            colours[blind] = 255 * np.clip(np.array(colour) * min(tone, 1.2), 0, 1)
            trust[blind] = 1.0
    ends = np.concatenate([head.triangles[:, [0, 1]], head.triangles[:, [1, 2]], head.triangles[:, [2, 0]]])
    ends = np.unique(np.sort(ends, axis=1), axis=0)
    both = np.concatenate([ends, ends[:, ::-1]])
    near = coo_array((np.ones(len(both)), (both[:, 0], both[:, 1])), shape=(n_vertices, n_vertices)).tocsr()
    laplacian = diags_array(near.sum(axis=1)) - near
    mean = (colours * trust[:, None]).sum(axis=0) / max(float(trust.sum()), 1e-9)
    # A part without any known vertex takes the mean: the little weight on it makes the equations solvable.
    hold, faint = 100.0 * trust, 1e-6
    system = (laplacian + diags_array(hold + faint)).tocsc()
    filled = spsolve(system, hold[:, None] * colours + faint * mean)
    return np.asarray(filled, dtype=np.float32).reshape(-1, 3)
