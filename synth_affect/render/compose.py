"""From a displaced mesh to a picture: warp, relight, fill what the photograph does not show, blend."""

from __future__ import annotations

import math
from dataclasses import replace

import cv2
import numpy as np

from synth_affect.arrays import BoolArray, FloatArray, ImageArray
from synth_affect.render.creases import fill_creases
from synth_affect.render.eyes import eye_colours
from synth_affect.render.flow import SurfaceFlow, sample, surface_flow
from synth_affect.render.lips import NEIGHBOURS
from synth_affect.render.mask_box import mask_box
from synth_affect.render.mouth import Interior, down_in_picture, lip_contact, mouth_interior
from synth_affect.render.own_teeth import OwnTeeth
from synth_affect.render.poisson import poisson_blend
from synth_affect.render.pull_push import extend
from synth_affect.render.rising import rising
from synth_affect.render.scene import EYE_KIND, FACE_KIND, INTERIOR_KIND, Scene
from synth_affect.render.upper_teeth import SHOWN_MM, missing_mm
from synth_affect.render.wrinkles import WrinkleMaps, wrinkle_light

STILL_PX = 0.004
"""Pixels that neither move this far nor change their light keep their bytes."""
MEETING = 0.5
"""Grey levels of 255 that nearly all of the rim stays under; such steps vanish when the picture is rounded."""
PAD = 4
FOLD_TINT = np.array([0.75, 1.1, 1.25], dtype=np.float32)
"""Powers of a fold's shade in red, green and blue: light that skin scatters into a fold is red, so it is never grey."""
EDGE_PX = 0.7
"""Softness of the edge of an eye: half a pixel of optics on either side."""


def render_expression(
    image: ImageArray,
    scene: Scene,
    vertices: FloatArray,
    wrinkles: WrinkleMaps | None = None,
    fold_strengths: FloatArray | None = None,
) -> ImageArray:
    """The picture with the face of `scene` displaced to `vertices` (n_vertices, 3), mm, head frame.

    image : (height, width, 3) uint8 or uint16 sRGB, the picture that the scene was prepared from; it is not written to.
    wrinkles, fold_strengths : maps of folds and (n_groups,) how far each deepens.
    Returns (height, width, 3) of the same dtype; outside the region that changes bit-identical to `image`.
    """
    surface = surface_flow(scene, vertices)
    warped = sample(scene.skin, surface.flow)
    _press_together(warped, scene, surface)
    _part_lips(warped, scene, surface)
    light = surface.relight * lip_contact(scene, surface)
    # sRGB is nearly a power of 1 / 2.2, so a factor on light is a power of it on the code value.
    warped *= np.power(light, 1 / 2.2, dtype=np.float32)[..., None]
    if wrinkles is not None and fold_strengths is not None:
        folds = wrinkle_light(warped, scene, surface, wrinkles, fold_strengths)
        light = light * folds
        tint = (1 + scene.chroma * (FOLD_TINT - 1)) / np.float32(2.2)
        for channel, power in enumerate(tint):
            warped[..., channel] *= np.power(folds, power)
        warped = fill_creases(warped, scene, surface, wrinkles, fold_strengths)
    _soften_steps(warped, surface)
    composed = _with_eyes(warped, scene, surface)
    interior = _interior(scene, surface)
    if interior is not None:
        composed = _with_interior(composed, scene, surface, interior)
    composed = _with_occluders(composed, scene)
    changed = _changed(surface, light)
    if not changed.any():
        return image.copy()
    blended = composed if _meets(composed, scene.pixels, changed) else poisson_blend(composed, scene.pixels, changed)
    if blended is not composed:
        blended = _with_occluders(blended, scene)
    result = image.copy()
    target = result[scene.region.top : scene.region.bottom, scene.region.left : scene.region.right]
    most = np.iinfo(image.dtype).max
    target[changed] = np.clip(np.rint(blended[changed] * np.float32(most / 255)), 0, most).astype(image.dtype)
    return result


PRESSED, PRESSED_SKIN = (0.4, 1.0), (1.0, 2.0)
"""Steps of the flow, in pixels from one to the next, from which on, and from which on wholly, what lies beside the
face, and its skin, is read from the blurred picture: a collar's edge that a chin presses together would be a stair, and
lashes on a lid that goes under a brow would be dots."""
PRESSED_PX = 1.0


def _press_together(warped: FloatArray, scene: Scene, surface: SurfaceFlow) -> None:
    """Even out what the flow presses together, in place: one sample a pixel is too few there."""
    step = _steps(surface)
    beside, skin = (np.clip((step - least) / (most - least), 0, 1) for least, most in (PRESSED, PRESSED_SKIN))
    share = np.where(surface.kind_map == 0, beside, skin * (surface.kind_map == FACE_KIND))
    if not share.any():
        return
    box = mask_box(share > 0, 4)
    reach = 4 + int(np.ceil(_longest(surface.flow[box]).max()))
    read = tuple(slice(max(side.start - reach, 0), side.stop + reach) for side in box)
    corner = (box[0].start - read[0].start, box[1].start - read[1].start)
    soft = sample(cv2.GaussianBlur(scene.skin[read], (0, 0), PRESSED_PX), surface.flow[box], corner)
    warped[box] += cv2.GaussianBlur(share[box], (0, 0), PRESSED_PX)[..., None] * (soft - warped[box])


STEP, STEP_PX = (1.5, 3.0), 0.6
"""Steps of the flow on the face, in pixels, from which on, and from which on wholly, the border between what it brings
together is blurred, and by how much."""


def _soften_steps(warped: FloatArray, surface: SurfaceFlow) -> None:
    """Blur by as much as optics would where surfaces meet that were apart, in place: lips that close, a lid under the
    brow. From pixel to pixel their border would be a stair.
    """
    share = np.clip((_steps(surface) - STEP[0]) / (STEP[1] - STEP[0]), 0, 1) * (surface.kind_map == FACE_KIND)
    if not share.any():
        return
    box = mask_box(share > 0, PAD)
    share = cv2.GaussianBlur(share[box], (0, 0), STEP_PX)[..., None]
    warped[box] += share * (cv2.GaussianBlur(warped[box], (0, 0), STEP_PX) - warped[box])


def _steps(surface: SurfaceFlow) -> FloatArray:
    """(height, width) float32: the largest difference of the flow to a neighbour, px."""
    steps = np.zeros(surface.kind_map.shape, dtype=np.float32)
    for channel in cv2.split(surface.flow):
        for first, second in NEIGHBOURS:
            step = np.abs(channel[second] - channel[first])
            for place in (first, second):
                np.maximum(steps[place], step, out=steps[place])
    return steps


PARTING_MM = 1.3
"""Width over which lips that open show what lay between them."""
PARTED_LIGHT = 0.4
"""Light on what lay between the lips: it is turned towards the mouth."""


def _part_lips(warped: FloatArray, scene: Scene, surface: SurfaceFlow) -> None:
    """Take the line between closed lips from the rims of lips that open, in place; less in the corners."""
    opened = surface.kind_map == INTERIOR_KIND
    if scene.parted_skin is scene.skin or not opened.any():
        return
    sigma = max(PARTING_MM * scene.px_per_mm, 1.0)
    box = mask_box(opened, 2 + round(3 * sigma))
    openness = cv2.GaussianBlur(opened[box].astype(np.float32), (0, 0), sigma)
    share = np.clip((openness - 0.05) / 0.3, 0, 1)[..., None]
    parted = sample(scene.parted_skin, surface.flow[box], (box[0].start, box[1].start))
    shade = 1 - (1 - PARTED_LIGHT ** (1 / 2.2)) * np.clip(2 * openness, 0, 1)[..., None]
    warped[box] += share * (shade * parted - warped[box])


OWN_ROW = (0.8, 0.85)
"""Share of the opened mouth with the photograph's own upper teeth over it from which on, and from which on wholly, they
are shown: in a wider one they would seem to be missing at the sides."""
BARED_MM = (0.5, 1.2)
"""How much more of the row than the photograph shows may be bared, on the mean over its width, before it begins to give
way, and when it has: what is continued above it is a smooth band."""
UNDER_LIP_MM, UNDER_LIP = 1.0, 0.75
"""So near to the lips their teeth lie in the shade, and what of their sRGB values is left right at the rim."""


def _interior(scene: Scene, surface: SurfaceFlow) -> Interior | None:
    """The opened mouth with the upper teeth that the photograph shows, where it shows them, or with drawn ones."""
    if scene.own_teeth is None:
        return mouth_interior(scene, surface)
    behind = mouth_interior(scene, surface, upper_teeth=False)
    if behind is None:
        return None
    box = (slice(behind.box.top, behind.box.bottom), slice(behind.box.left, behind.box.right))
    beneath = float((scene.own_teeth.columns[box] * behind.coverage).sum() / max(float(behind.coverage.sum()), 1e-6))
    own = _as_low_as_lips(scene.own_teeth, scene, behind)
    continued = float((own.mask * (1 - own.seen) * behind.coverage).sum()) / scene.px_per_mm**2
    trust = own.trust * rising(beneath, *OWN_ROW) * (1 - rising(continued / (2 * own.half_mm), *BARED_MM))
    drawn = behind if trust == 1 else mouth_interior(scene, surface)
    if trust == 0 or drawn is None:
        return drawn
    depth = cv2.distanceTransform((behind.coverage > 0.5).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5)
    light = np.clip(UNDER_LIP + (1 - UNDER_LIP) * depth / (UNDER_LIP_MM * scene.px_per_mm), UNDER_LIP, 1)
    mask = own.mask[..., None]
    with_own = mask * light[..., None] * own.colours + (1 - mask) * behind.colours
    return replace(behind, colours=trust * with_own + (1 - trust) * drawn.colours)


BEND_MM = 3.0
"""A row is lowered differently from place to place, as slowly as this."""
SIDE_SHARE, LONGEST_DROP_MM = 0.75, 6.0
"""At its ends so much of a row needs to be seen of what needs to be in the middle; how far it is lowered at most."""


def _as_low_as_lips(own: OwnTeeth, scene: Scene, opened: Interior) -> OwnTeeth:
    """`own` in the box of the opened mouth, lowered as far as it needs to be to show, see `upper_teeth`; at the sides
    the lips hang lower.
    """
    down = down_in_picture(scene)
    pad = 2 + math.ceil(LONGEST_DROP_MM * scene.px_per_mm)
    top, left = max(opened.box.top - pad, 0), max(opened.box.left - pad, 0)
    own = own.part((slice(top, opened.box.bottom + pad), slice(left, opened.box.right + pad)))
    box = (
        slice(opened.box.top - top, opened.box.bottom - top),
        slice(opened.box.left - left, opened.box.right - left),
    )
    height, width = own.mask.shape
    across = (np.arange(width) - own.middle[0]) * down[1] - (np.arange(height)[:, None] - own.middle[1]) * down[0]
    place = across / scene.px_per_mm + own.half_mm  # from one end of the row to the other, mm
    n = round(2 * own.half_mm) + 1
    slices = np.rint(place[box]).astype(int)
    counted = (opened.coverage > 0.5) & (slices >= 0) & (slices < n)
    opening, shown = (
        np.bincount(slices[counted], weights, minlength=n) / scene.px_per_mm**2
        for weights in (None, own.mask[box][counted])
    )
    wanted = 1 - (1 - SIDE_SHARE) * np.abs(np.linspace(-1, 1, n)) ** 2
    missing = [missing_mm(a, b + (1 - share) * SHOWN_MM) for a, b, share in zip(opening, shown, wanted, strict=True)]
    drop = np.clip(np.array(missing, np.float32)[None], 0, LONGEST_DROP_MM)
    drop = cv2.GaussianBlur(drop, (0, 0), BEND_MM, borderType=cv2.BORDER_REPLICATE)[0]
    if not drop.any():
        return own.part(box)
    far = np.interp(place, np.arange(n), drop).astype(np.float32)
    return own.lowered(far * np.float32(scene.px_per_mm), down).part(box)


LIP_RIM_MM = 0.8
"""So close to a lip the photograph shows its rim, not what lies behind it."""
OWN_SHARE = (0.6, 0.9)
"""Share of the opened mouth that the photograph shows from which on, and up to which, its own teeth pass into the
picture: beside a row that is half drawn they look broken."""
JAW_SLIP_MM = 2.0
"""What the lower jaw carries is taken from the photograph only while the jaw moves less than this: the model's tongue
and lower teeth are not where the person's are, and a lower tooth must not carry a piece of an upper one away."""


def _with_interior(below: FloatArray, scene: Scene, surface: SurfaceFlow, interior: Interior) -> FloatArray:
    """The opened mouth on the picture: the photograph's own teeth where it shows them, drawn ones where it does not."""
    box = (slice(interior.box.top, interior.box.bottom), slice(interior.box.left, interior.box.right))
    alpha = interior.coverage[..., None]
    colours = interior.colours
    opening = (scene.kind_map == INTERIOR_KIND).astype(np.uint8)
    own = ((surface.kind_map == INTERIOR_KIND) & surface.shown)[box]
    if own.any():
        flow = np.zeros_like(surface.flow)
        flow[box][own] = surface.own_flow[box][own]
        from_rim = cv2.distanceTransform(opening, cv2.DIST_L2, cv2.DIST_MASK_5) / (LIP_RIM_MM * scene.px_per_mm)
        slip = np.linalg.norm(flow[box], axis=2) / (JAW_SLIP_MM * scene.px_per_mm)
        rim = sample(np.clip(from_rim - 0.5, 0, 1), flow)[box]
        # In the last gap of a closing mouth it is dark, and a bright tooth would be a speck.
        deep = cv2.distanceTransform((interior.coverage > 0.5).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5)
        rim = rim * np.clip(deep / (LIP_RIM_MM * scene.px_per_mm), 0, 1)
        still = np.where(own, np.clip(2 - 2 * slip, 0, 1), 0)
        share = float((still * interior.coverage).sum() / interior.coverage.sum())
        trust = (rising(share, *OWN_SHARE) * rim * still)[..., None]
        colours = trust * sample(scene.pixels, flow)[box] + (1 - trust) * colours
    result = below.copy()
    result[box] = alpha * colours + (1 - alpha) * interior.lip_light[..., None] * below[box]
    return result


def _with_occluders(below: FloatArray, scene: Scene) -> FloatArray:
    """What stands in front of the face on the picture, as the photograph shows it."""
    if scene.occluders is None:
        return below
    cover = scene.occluders.cover[..., None]
    result: FloatArray = cover * scene.pixels + (1 - cover) * below
    return result


def _with_eyes(below: FloatArray, scene: Scene, surface: SurfaceFlow) -> FloatArray:
    """The eyes between the lids, their edge softened by half a pixel on either side."""
    mask = surface.kind_map == EYE_KIND
    if not mask.any():
        return below
    result = below.copy()
    above = np.zeros_like(below)
    above[mask] = eye_colours(scene.eyes, scene.pixels, mask, scene.px_per_mm)
    box = mask_box(mask, PAD)
    weights = np.ascontiguousarray(mask[box], dtype=np.float32)
    alpha = cv2.GaussianBlur(weights, (0, 0), EDGE_PX)[..., None]
    result[box] = alpha * extend(np.ascontiguousarray(above[box]), weights) + (1 - alpha) * below[box]
    return result


def _meets(composed: FloatArray, pixels: FloatArray, changed: BoolArray) -> bool:
    """Whether both pictures agree on the inner rim of what changes: then nothing is left to blend."""
    rim = changed & (cv2.erode(changed.astype(np.uint8), np.ones((3, 3), np.uint8), borderValue=1) == 0)
    return not rim.any() or float(np.percentile(np.abs(composed[rim] - pixels[rim]), 99)) < MEETING


def _changed(surface: SurfaceFlow, light: FloatArray) -> BoolArray:
    """(height, width) bool: pixels that move, change their light, or show what the photograph does not."""
    moved = _longest(surface.flow) > STILL_PX
    lit = np.abs(light - 1) > 1e-3
    inner = (surface.kind_map >= EYE_KIND) & ~surface.shown
    opened = (surface.kind_map == INTERIOR_KIND) & (_longest(surface.own_flow) > STILL_PX)
    around = cv2.dilate((inner | opened).astype(np.uint8), np.ones((5, 5), np.uint8)).astype(bool)
    return _filled(moved | lit | around)


def _longest(flow: FloatArray) -> FloatArray:
    """(height, width) larger of both components' sizes; numpy's reduction over a short axis is several times slower."""
    longest: FloatArray = np.maximum(np.abs(flow[..., 0]), np.abs(flow[..., 1]))
    return longest


def _filled(mask: BoolArray) -> BoolArray:
    """`mask` with its holes: what changes has one outer rim, and no rim round the pupil of an eye."""
    outside, labels = cv2.connectedComponents((~mask).astype(np.uint8), connectivity=4)
    touching = np.unique(np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]]))
    open_to_border = np.zeros(outside, dtype=bool)
    open_to_border[touching] = True
    filled: BoolArray = mask | ~open_to_border[labels]
    return filled
