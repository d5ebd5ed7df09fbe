"""What happens to the expression that a face already has when another is asked for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from synth_affect.arrays import FloatArray
from synth_affect.heads.model import HeadModel, embed

InputExpression = Literal["replace", "keep"]

LOWER_FACE = ("jaw", "mouth", "cheek", "nose", "tongue")
UPPER_FACE = ("brow", "eyeSquint", "eyeWide")
# Gaze and the opening of the lids at rest belong to the person and the moment, not to the feeling.

AT_REST, EXPRESSIVE = 0.25, 0.45
"""A fit of a neutral face has small weights: up to AT_REST in its strongest unit a half of the face counts as resting,
from EXPRESSIVE on as showing something. Judged by eye on fits of neutral and smiling photographs."""


def changed_expression(
    fitted: FloatArray, asked: FloatArray, unit_names: Sequence[str], input_expression: InputExpression
) -> FloatArray:
    """(n_units,) float32 in [0, 1]: the weights of the new face.

    fitted, asked : (n_units,) weights of the photograph and of the target.
    input_expression : "replace" takes away what the face shows, as far as it is more than resting; "keep" adds to it.
    """
    kept = fitted.astype(np.float64)
    if input_expression == "replace":
        for prefixes in (LOWER_FACE, UPPER_FACE):
            group = [k for k, name in enumerate(unit_names) if name.startswith(prefixes)]
            kept[group] *= 1 - shown_share(fitted, unit_names, prefixes)
    changed: FloatArray = np.clip(kept + asked, 0, 1).astype(np.float32)
    return changed


def shown_share(fitted: FloatArray, unit_names: Sequence[str], prefixes: tuple[str, ...]) -> float:
    """How far a half of the face shows something, in [0, 1], from the strongest of its units."""
    strongest = max(
        (float(w) for w, name in zip(fitted, unit_names, strict=True) if name.startswith(prefixes)), default=0
    )
    t = min(max((strongest - AT_REST) / (EXPRESSIVE - AT_REST), 0.0), 1.0)
    return t * t * (3 - 2 * t)


UPPER_INNER_LIP = (191, 80, 81, 82, 13, 312, 311, 310, 415)
LOWER_INNER_LIP = (95, 88, 178, 87, 14, 317, 402, 318, 324)
"""MediaPipe's points along the inner lips, from the subject's right to the left; equal places face each other."""
CLOSING_UNITS = ("jawOpen", "mouthUpperUpLeft", "mouthUpperUpRight", "mouthLowerDownLeft", "mouthLowerDownRight")
CLOSING_RIDGE_MM = 1.5
OVERLAP_MM = 0.8
"""Lips are brought this much past touching: what the photograph shows at their rims is still half tooth."""
CLOSED_MM, PARTED_MM = 0.6, 1.6
"""Lips nearer than the first count as closed, further than the second as parted."""


def touching_gaps(head: HeadModel) -> FloatArray:
    """(9,) mm between the points of the inner lips when the lips touch: they lie a little off the line of contact."""
    points = embed(head.mean, head.triangles, head.landmarks_478)[:, 1]
    gaps: FloatArray = points[list(UPPER_INNER_LIP)] - points[list(LOWER_INNER_LIP)]
    return gaps


def lip_closing(head: HeadModel, gaps_mm: FloatArray) -> FloatArray:
    """(n_units,) float32: weights, mostly negative, that bring lips together which a fit's own weights leave apart.

    gaps_mm : (9,) opening between the inner lips at UPPER_INNER_LIP / LOWER_INNER_LIP, mm, on the face without its
        expression, less `touching_gaps`. A fit explains an opened mouth partly by identity and by what is left over,
        so taking away its weights does not close it. Least squares over the units that part the lips.
    """
    parted = np.clip((np.max(gaps_mm) - CLOSED_MM) / (PARTED_MM - CLOSED_MM), 0, 1)
    closing = np.zeros(len(head.unit_names), dtype=np.float32)
    if parted == 0:
        return closing
    units = [head.unit_names.index(name) for name in CLOSING_UNITS]
    moved = np.stack([embed(head.expression_units[u], head.triangles, head.landmarks_478)[:, 1] for u in units], axis=1)
    opens = moved[list(UPPER_INNER_LIP)] - moved[list(LOWER_INNER_LIP)]
    system = opens.T @ opens + CLOSING_RIDGE_MM**2 * np.eye(len(units))
    closing[units] = -parted * np.linalg.solve(system, opens.T @ (np.maximum(gaps_mm, 0) + OVERLAP_MM))
    return closing


UPPER_LIDS = {"eyeBlinkRight": 159, "eyeBlinkLeft": 386}
LOWER_LIDS = {"eyeBlinkRight": 145, "eyeBlinkLeft": 374}
"""MediaPipe's points in the middle of the lids' edges."""
LID_SCALE, LIFT_SCALE = (0.35, 1.25), (0.3, 1.4)
UPPER_LID_LIFTS = {"eyeWideRight": "eyeBlinkRight", "eyeWideLeft": "eyeBlinkLeft"}
LOWER_LID_LIFTS = {"eyeSquintRight": "eyeBlinkRight", "eyeSquintLeft": "eyeBlinkLeft"}
LID_UNITS = (*UPPER_LIDS, *UPPER_LID_LIFTS, *LOWER_LID_LIFTS)
"""Of a head, for `lid_travel`."""
IRISES = {"eyeBlinkRight": 468, "eyeBlinkLeft": 473}
"""MediaPipe's points in the middle of the irises."""
IRIS_RADIUS_MM, WHITE_ABOVE_MM = 5.4, 1.1
"""Height of the iris above its middle as it is seen, and how much white an upper lid that is raised as far as it goes
bares over it: eyes that stare out of their white are those of a doll."""
MOST_LIFT = 0.45
"""How far, against the opening of an eye at rest, its upper lid is raised at most: narrow eyes stay narrower."""
LEAST_SQUINT, MOST_HELD_BACK = 0.4, 1.0
"""Factor of a squint, and power of a blink's weight, on the narrowest eyes."""


def lid_travel(head: HeadModel, vertices: FloatArray, fitted: FloatArray, asked: FloatArray) -> FloatArray:
    """(n_units,) float32: how far each unit may go on this face; 1 for all but those that open and close the lids.

    A blink closes the model's eye; on narrower eyes the same weight would close them early. The factor is the opening
    of the fitted face's lids against the travel of the model's; half a blink leaves narrow eyes more of it, since
    lashes and the shade of lids take as much from them as from wide ones. A lid is raised until it bares
    WHITE_ABOVE_MM, and no further than MOST_LIFT. A squint takes the same share of narrow eyes as of the model's.
    vertices : (n_vertices, 3) mm, the fitted face as it is drawn.  fitted : (n_units,) its expression weights.
    asked : (n_units,) weights of the target, before they are scaled.
    """
    points = embed(vertices, head.triangles, head.landmarks_478)
    mean = embed(head.mean, head.triangles, head.landmarks_478)
    travel = np.ones(len(head.unit_names), dtype=np.float32)

    def moved(name: str, point: int) -> float:
        offsets = head.expression_units[head.unit_names.index(name)]
        return float(embed(offsets, head.triangles, head.landmarks_478)[point, 1])

    for name, upper in UPPER_LIDS.items():
        unit, lower = head.unit_names.index(name), LOWER_LIDS[name]
        closed_already = 1 - fitted[unit]
        opening = points[upper, 1] - points[lower, 1]
        model_travel = moved(name, lower) - moved(name, upper)
        travel[unit] = np.clip(opening / max(model_travel * closed_already, 1e-3), *LID_SCALE)
        of_model = max(opening / (mean[upper, 1] - mean[lower, 1]), 1e-3)
        travel[unit] *= np.clip(asked[unit], 0, 1) ** np.clip(of_model**-2 - 1, 0, MOST_HELD_BACK)
    at_rest = {}
    for name, lid in LOWER_LID_LIFTS.items():
        unit, upper, lower = head.unit_names.index(name), UPPER_LIDS[lid], LOWER_LIDS[lid]
        at_rest[lid] = points[upper, 1] - points[lower, 1] + fitted[unit] * moved(name, lower)
        travel[unit] = np.clip(at_rest[lid] / (mean[upper, 1] - mean[lower, 1]), LEAST_SQUINT, 1)
    for name, lid in UPPER_LID_LIFTS.items():
        unit, upper = head.unit_names.index(name), UPPER_LIDS[lid]
        room = points[IRISES[lid], 1] + IRIS_RADIUS_MM + WHITE_ABOVE_MM - points[upper, 1]
        most = min(room, MOST_LIFT * at_rest[lid])
        travel[unit] = np.clip(most / max(moved(name, upper), 1e-3), *LIFT_SCALE)
    return travel
