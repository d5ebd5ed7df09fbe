"""Everything about one face in one picture that does not depend on the expression asked for; made once, used often."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from synth_affect.arrays import BoolArray, FloatArray, ImageArray, IntArray
from synth_affect.heads.camera import HEAD_TO_CAMERA_AXES, Camera, ImageSize, project
from synth_affect.heads.mesh import vertex_normals
from synth_affect.heads.model import HeadModel, embed, region_triangles, region_vertices
from synth_affect.render.appearance import chroma, face_lighting, own_tooth_white, skin_texture, tooth_white
from synth_affect.render.colour import linear_to_srgb
from synth_affect.render.crevices import crevices
from synth_affect.render.eyes import EyeTexture, eye_texture
from synth_affect.render.face_frame import face_frame
from synth_affect.render.fragments import Fragments
from synth_affect.render.lips import lip_pixels, parted_lips
from synth_affect.render.mask_box import mask_box
from synth_affect.render.occlusion import Occluders, find_occluders
from synth_affect.render.own_teeth import OwnTeeth, own_upper_teeth
from synth_affect.render.pull_push import extend
from synth_affect.render.rasterizer import interpolate, rasterize_projected
from synth_affect.render.spherical_harmonics import Lighting
from synth_affect.render.surroundings import apart_mm

FACE = ("skin", "lips", "lids")
EYES = ("eyeball", "iris")
INTERIOR = ("mouth_cavity", "teeth_upper", "teeth_lower", "gums", "tongue")
FACE_KIND, EYE_KIND, INTERIOR_KIND = 1, 2, 3

MARGIN_MM = 36.0
"""How far past the face the picture may change: the flow fades out over less."""
JAW_MARGIN_MM = 24.0
"""More room below, for a jaw that opens."""


EYE_WHITE = 0.85
"""Light from the eye's white against a tooth's, where the photograph does not show it."""


@dataclass(frozen=True, slots=True)
class Region:
    """A rectangle of the picture: rows [top, bottom), columns [left, right)."""

    top: int
    bottom: int
    left: int
    right: int

    @property
    def size(self) -> ImageSize:
        """Height and width in pixels."""
        return ImageSize(self.bottom - self.top, self.right - self.left)

    def of(self, image: FloatArray | ImageArray) -> npt.NDArray[Any]:
        """The rectangle's part of a picture, of its dtype, a view."""
        part: npt.NDArray[Any] = image[self.top : self.bottom, self.left : self.right]
        return part


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """One face of one picture at rest, as the renderer needs it.

    head : the model that was fitted.
    camera, offsets_px : how vertices become pixels: project(camera, vertices) + offsets_px.
    vertices : (n_vertices, 3) float32, mm, the fitted face.  triangles : those that are drawn (lashes are not).
    kinds : (n_triangles,) uint8: FACE_KIND, EYE_KIND, INTERIOR_KIND; 0 is the rest of the head.
    regions : (n_triangles,) uint8, index into the head's region_names.
    within : vertices of the mouth's interior that are none of the face's.
    image_size : of the whole picture.
    region : the part of the picture that may change.  pixels : its (height, width, 3) float32 sRGB, 0-255.
    skin : (height, width, 3) float32, `pixels` as a texture of the face: lips continued over an opened mouth,
        skin continued under what stands in front of it.
    parted_skin : (height, width, 3) float32, `skin` without the line between closed lips, for lips that open.
    projected : (n_vertices, 3) float32, x and y in pixels of the region, depth in mm.
    fragments : the rest mesh in the region.  kind_map : (height, width) uint8, kind under each pixel.
    px_per_mm : scale of the picture at the face.  normals : (n_vertices, 3) at rest.  lighting : of the face.
    white : (3,) float32, linear RGB of a tooth in this face's light.
    own_teeth : the upper teeth that the photograph shows; None without any.
    crevices : (n_vertices,) float32, light that reaches a vertex between teeth; 1 elsewhere.
    facing : (n_vertices,) float32, cosine between the surface at rest and the direction to the camera.
    eyes : their texture.
    chroma : share of colour that the picture has, 0 for greyscale and 1 for ordinary photographs.
    skin_texture : how lined or rough the skin looks, see `skin_texture`.
    apart_mm : (height, width) float32, how far from the face what lies around it is, edges counted as distance.
    occluders : what stands in front of the face and stays where it is; None without any.
    """

    head: HeadModel
    camera: Camera
    offsets_px: FloatArray
    vertices: FloatArray
    triangles: IntArray
    kinds: IntArray
    regions: IntArray
    within: IntArray
    image_size: ImageSize
    region: Region
    pixels: FloatArray
    skin: FloatArray
    parted_skin: FloatArray
    projected: FloatArray
    fragments: Fragments
    kind_map: IntArray
    px_per_mm: float
    normals: FloatArray
    lighting: Lighting
    white: FloatArray
    own_teeth: OwnTeeth | None
    crevices: FloatArray
    facing: FloatArray
    eyes: EyeTexture
    chroma: float
    skin_texture: float
    apart_mm: FloatArray
    occluders: Occluders | None


def prepare_scene(
    image: ImageArray, head: HeadModel, camera: Camera, vertices: FloatArray, offsets_px: FloatArray
) -> Scene:
    """Read everything that a fitted face and its picture say.

    image : (height, width, 3) uint8 or uint16 sRGB.  vertices : (n_vertices, 3) mm, head frame, the fitted face.
    offsets_px : (n_vertices, 2), added to the projection.
    """
    shown = ~region_triangles(head, "lashes")
    triangles = head.triangles[shown]
    kinds = np.zeros(len(head.triangles), dtype=np.uint8)
    for kind, names in enumerate((FACE, EYES, INTERIOR), start=1):
        kinds[region_triangles(head, *names)] = kind
    kinds, regions = kinds[shown], head.triangle_regions[shown]
    projected = project_with(camera, vertices, offsets_px)
    face = region_vertices(head, *FACE)
    px_per_mm = camera.focal_px / float(np.median(projected[face, 2]))
    region = _region(projected[face, :2], px_per_mm, ImageSize(image.shape[0], image.shape[1]))
    projected = projected - np.array([region.left, region.top, 0], dtype=np.float32)
    fragments = rasterize_projected(projected, triangles, region.size)
    seen = fragments.pix_to_face[0, :, :, 0]
    kind_map = np.where(seen >= 0, kinds[seen], 0).astype(np.uint8)
    normals = vertex_normals(vertices, triangles)
    pixels = np.ascontiguousarray(region.of(image), dtype=np.float32) * np.float32(255 / np.iinfo(image.dtype).max)
    lighting = face_lighting(pixels, interpolate(fragments, triangles, normals), kind_map == FACE_KIND)
    eye_white = (seen >= 0) & (regions[seen] == head.region_names.index("eyeball"))
    upper, lower = lip_pixels(head, triangles, regions, fragments)
    white = tooth_white(pixels, kind_map == FACE_KIND, eye_white)
    own_white = own_tooth_white(white, pixels, kind_map == FACE_KIND, upper | lower, kind_map == INTERIOR_KIND)
    eye_white_srgb = linear_to_srgb(EYE_WHITE * white) * np.float32(255)
    hard = region_vertices(head, "teeth_upper", "teeth_lower", "gums")
    landmarks = embed(projected[:, :2], head.triangles, head.landmarks_478)
    on_face = kind_map == FACE_KIND
    occluders = find_occluders(
        pixels, on_face, kind_map == EYE_KIND, kind_map > 0, face_frame(landmarks, camera, px_per_mm)
    )
    skin = _skin(pixels, kind_map, upper | lower, px_per_mm)
    if occluders is not None:
        skin = _uncovered(skin, occluders, on_face, px_per_mm)
    return Scene(
        head=head,
        camera=camera,
        offsets_px=offsets_px,
        vertices=vertices,
        triangles=triangles,
        kinds=kinds,
        regions=regions,
        within=np.setdiff1d(region_vertices(head, *INTERIOR), face),
        image_size=ImageSize(image.shape[0], image.shape[1]),
        region=region,
        pixels=pixels,
        skin=skin,
        parted_skin=parted_lips(skin, upper, lower, on_face, px_per_mm),
        projected=projected,
        fragments=fragments,
        kind_map=kind_map,
        px_per_mm=px_per_mm,
        normals=normals,
        lighting=lighting,
        white=own_white,
        own_teeth=own_upper_teeth(pixels, kind_map == INTERIOR_KIND, upper | lower, own_white, camera, px_per_mm),
        crevices=crevices(head.mean, vertex_normals(head.mean, triangles), triangles, hard),
        facing=_facing(camera, vertices, normals),
        eyes=eye_texture(head, pixels, kind_map == EYE_KIND, projected, px_per_mm, eye_white_srgb),
        chroma=chroma(pixels[kind_map == FACE_KIND]),
        skin_texture=skin_texture(pixels, (seen >= 0) & (regions[seen] == head.region_names.index("skin")), px_per_mm),
        apart_mm=apart_mm(pixels, kind_map > 0, px_per_mm),
        occluders=occluders,
    )


LIP_RIM_MM = 1.2
"""So close to an open mouth a fitted lip may lie on teeth."""


STRAY_TOOTH_MM, LEAST_PALER = 4.5, 0.05
"""So far from an open mouth a tooth may lie under a fitted lip; how much less red than lips teeth are to be told."""
TOOTH_SHARE, PALER = 0.35, 1.15
"""From this share of the way between the colours of lips and teeth on, and this much brighter than the lips around,
it is a tooth."""


def _skin(pixels: FloatArray, kind_map: IntArray, lips: BoolArray, px_per_mm: float) -> FloatArray:
    """`pixels` with lips continued over the opened mouth, so that a lip that moves takes no teeth along.

    lips : (height, width) bool, where the fitted face has lips.
    """
    inside = (kind_map == INTERIOR_KIND).astype(np.uint8)
    if not inside.any():
        return pixels
    width = 1 + 2 * max(1, round(LIP_RIM_MM * px_per_mm))
    opening = cv2.dilate(inside, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (width, width)))
    around = 1 + 2 * max(1, round(0.5 * LIP_RIM_MM * px_per_mm))
    stray = _stray_teeth(pixels, inside > 0, lips, px_per_mm).astype(np.uint8)
    opening = np.maximum(opening, cv2.dilate(stray, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (around, around))))
    known = ((opening == 0) & (kind_map == FACE_KIND)).astype(np.float32)
    over = cv2.GaussianBlur(opening.astype(np.float32), (0, 0), max(0.25 * LIP_RIM_MM * px_per_mm, 0.5))
    over = np.maximum(over, inside)[..., None]
    skin: FloatArray = over * extend(pixels, known) + (1 - over) * pixels
    return skin


def _stray_teeth(pixels: FloatArray, inside: BoolArray, lips: BoolArray, px_per_mm: float) -> BoolArray:
    """(height, width) bool: what on the fitted lips, near the opened mouth, has the colour of teeth."""
    stray = np.zeros(inside.shape, dtype=bool)
    box = mask_box(inside, pad=1 + round(STRAY_TOOTH_MM * px_per_mm))
    from_mouth = cv2.distanceTransform((~inside[box]).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5) / px_per_mm
    red, green, blue = cv2.split(pixels[box] + 1)
    brightness = red + green + blue
    redness = (red - 0.5 * (green + blue)) / brightness
    own = lips[box] & (from_mouth > LIP_RIM_MM)
    teeth = inside[box] & (brightness > np.percentile(brightness[inside[box]], 50))
    if not own.any() or not teeth.any():
        return stray
    of_lips, of_teeth = float(np.median(redness[own])), float(np.median(redness[teeth]))
    if of_teeth > of_lips - LEAST_PALER:
        return stray
    counted = own.astype(np.float32)
    near = 0.5 * STRAY_TOOTH_MM * px_per_mm
    usual = cv2.GaussianBlur(brightness * counted, (0, 0), near) / np.maximum(
        cv2.GaussianBlur(counted, (0, 0), near), 1e-3
    )
    like = (redness < of_lips + TOOTH_SHARE * (of_teeth - of_lips)) & (brightness > PALER * usual)
    like = (like & lips[box] & (from_mouth < STRAY_TOOTH_MM)) | inside[box]
    # A highlight of the lips is as pale, and no part of the row of teeth.
    _, labels = cv2.connectedComponents(like.astype(np.uint8), connectivity=4)
    stray[box] = np.isin(labels, np.unique(labels[inside[box]])) & ~inside[box]
    return stray


COVER_RIM_MM, COVER_RIM_PX = 0.8, 2
"""So close to what stands in front of it the skin lies in its shade or out of focus."""


def _uncovered(skin: FloatArray, occluders: Occluders, on_face: BoolArray, px_per_mm: float) -> FloatArray:
    """`skin` continued under what stands in front of it, so that skin that moves takes nothing of it along."""
    width = 1 + 2 * max(COVER_RIM_PX, round(COVER_RIM_MM * px_per_mm))
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (width, width))
    covered = cv2.dilate(occluders.cover, kernel)
    box = mask_box(covered, pad=4 * width)
    clear = covered[box] < 0.02
    # The face is continued by the face, what lies beside it by all that is near.
    beneath = np.where(
        on_face[box][..., None],
        extend(skin[box], (clear & on_face[box]).astype(np.float32)),
        extend(skin[box], clear.astype(np.float32)),
    )
    soft = cv2.GaussianBlur(covered[box], (0, 0), max(0.25 * COVER_RIM_MM * px_per_mm, 0.5))
    over = np.maximum(soft, occluders.cover[box])[..., None]
    uncovered = skin.copy()
    uncovered[box] = over * beneath + (1 - over) * skin[box]
    return uncovered


def _facing(camera: Camera, vertices: FloatArray, normals: FloatArray) -> FloatArray:
    """(n_vertices,) float32 cosine between the surface and the direction to the camera."""
    centre = -(camera.rotation.T @ (HEAD_TO_CAMERA_AXES @ camera.translation)).astype(np.float32)
    towards = centre - vertices
    towards /= np.linalg.norm(towards, axis=1, keepdims=True)
    facing: FloatArray = (towards * normals).sum(axis=1)
    return facing


def project_with(camera: Camera, vertices: FloatArray, offsets_px: FloatArray) -> FloatArray:
    """(n_vertices, 3) float32: projected (px, px, mm), each moved by its offset."""
    projected = project(camera, vertices.astype(np.float64)).astype(np.float32)
    projected[:, :2] += offsets_px
    return projected


def _region(points: FloatArray, px_per_mm: float, size: ImageSize) -> Region:
    """The face with margins, inside the picture."""
    margin = MARGIN_MM * px_per_mm
    left, top = points.min(axis=0) - margin
    right, bottom = points.max(axis=0) + margin
    bottom += JAW_MARGIN_MM * px_per_mm
    return Region(
        int(np.clip(top, 0, size.height - 1)),
        int(np.clip(np.ceil(bottom), 1, size.height)),
        int(np.clip(left, 0, size.width - 1)),
        int(np.clip(np.ceil(right), 1, size.width)),
    )


def face_mask(scene: Scene, fragments: Fragments) -> BoolArray:
    """(height, width) bool: pixels whose nearest triangle belongs to the face, the eyes or the mouth."""
    seen = fragments.pix_to_face[0, :, :, 0]
    mask: BoolArray = (seen >= 0) & (scene.kinds[seen] > 0)
    return mask
