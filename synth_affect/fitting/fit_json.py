"""`FaceFit` as JSON: one fit, written down, serves many targets later.

The text is versioned and names the head model that its coefficients belong to. Numbers are written with the fewest
digits that give back the same float32 (float64 for the camera), so that reading returns the fit bit by bit.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from synth_affect.arrays import FloatArray
from synth_affect.errors import InputError, ShapeError
from synth_affect.fitting.fit import FaceFit
from synth_affect.fitting.markup import IBUG, MEDIAPIPE
from synth_affect.heads.camera import Camera, ImageSize
from synth_affect.heads.model import HeadModel

FORMAT = "synth-affect face fit"
VERSION = 1

LARGEST_COEFFICIENT = 10.0
"""Standard deviations; the solver stays within a third of it."""

FOCAL_PER_SIDE = (0.1, 100.0)
"""Of the longer side of the picture: from a fisheye to a telescope."""

DEPTH_MM = (100.0, 200_000.0)
"""From nearer than a lens focuses to a face of a few pixels in the largest picture."""

N_LANDMARKS = (MEDIAPIPE.n_landmarks, IBUG.n_landmarks)


def fit_to_json(fit: FaceFit) -> str:
    """`fit` as JSON text, one line a field, ending with a newline."""
    camera = fit.camera
    fields = {
        "format": FORMAT,
        "version": VERSION,
        "head": fit.head,
        "topology": fit.topology,
        "image_size": {"height": fit.image_size.height, "width": fit.image_size.width},
        "camera": {
            "rotation": _numbers(camera.rotation),
            "translation": _numbers(camera.translation),
            "focal_px": camera.focal_px,
            "principal_point": _numbers(camera.principal_point),
        },
        "identity_coefficients": _numbers(fit.identity_coefficients),
        "expression_weights": _numbers(fit.expression_weights),
        "landmarks_image": _numbers(fit.landmarks_image),
        "residual_iod": fit.residual_iod,
        "converged": fit.converged,
        "iterations": fit.iterations,
    }
    lines = [f"  {json.dumps(name)}: {json.dumps(value, allow_nan=False)}" for name, value in fields.items()]
    return "{\n" + ",\n".join(lines) + "\n}\n"


def fit_from_json(text: str, source: str | Path, *, head: HeadModel | None = None) -> FaceFit:
    """The fit that `fit_to_json` wrote.

    text : the JSON.  source : the file it comes from, for the messages.
    head : the model that the fit is going to be used with; a fit of another one is refused.
    Raises InputError when the text is not such a fit, is of another version, or belongs to another head.
    """
    try:
        fields = json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise InputError(source, f"not JSON: {error}") from error
    reader = _Reader(source)
    top = reader.mapping(fields, "the fit")
    if top.get("format") != FORMAT:
        raise InputError(source, f'not a face fit: "format" is not "{FORMAT}"')
    if top.get("version") != VERSION:
        raise InputError(source, f"a face fit of version {top.get('version')!r}; this program reads version {VERSION}")
    name, topology = reader.text(top, "head"), reader.text(top, "topology")
    if head is not None and (name, topology) != (head.name, head.topology):
        raise InputError(
            source, f"fitted with the head {name} ({topology}), but the head in use is {head.name} ({head.topology})"
        )
    size = reader.mapping(top.get("image_size"), "image_size")
    camera = reader.mapping(top.get("camera"), "camera")
    try:
        fit = FaceFit(
            head=name,
            topology=topology,
            image_size=ImageSize(reader.count(size, "height", least=1), reader.count(size, "width", least=1)),
            camera=Camera(
                rotation=reader.array(camera, "rotation"),
                translation=reader.array(camera, "translation"),
                focal_px=reader.number(camera, "focal_px"),
                principal_point=reader.array(camera, "principal_point"),
            ),
            identity_coefficients=reader.array(top, "identity_coefficients"),
            expression_weights=reader.array(top, "expression_weights"),
            landmarks_image=reader.array(top, "landmarks_image"),
            residual_iod=reader.number(top, "residual_iod"),
            converged=reader.boolean(top, "converged"),
            iterations=reader.count(top, "iterations", least=0),
        )
    except ShapeError as error:
        raise InputError(source, str(error)) from error
    _refuse_impossible(fit, source)
    if head is not None:
        counts = {
            "identity_coefficients": (len(fit.identity_coefficients), len(head.identity_basis)),
            "expression_weights": (len(fit.expression_weights), len(head.unit_names)),
        }
        for field, (have, want) in counts.items():
            if have != want:
                raise InputError(source, f"{have} {field}, but the head {head.name} has {want}")
    return fit


def _numbers(array: FloatArray) -> list[Any]:
    """Nested lists of floats with the shortest digits that give back the array's own dtype."""
    if array.ndim > 1:
        return [_numbers(row) for row in array]
    return [float(str(value)) for value in array]


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a number")


def _refuse_impossible(fit: FaceFit, source: str | Path) -> None:
    """What no solver writes and no renderer can draw."""
    r = fit.camera.rotation
    # Entries are bounded first: products of huge ones are NaN, which is not above any tolerance.
    if np.abs(r).max() > 2 or np.abs(r @ r.T - np.eye(3)).max() > 1e-6 or np.linalg.det(r) < 0:
        raise InputError(source, "camera.rotation is not a rotation")
    if fit.camera.focal_px <= 0 or fit.camera.translation[2] <= 0:
        raise InputError(source, "the camera needs a focal_px and a depth above 0")
    if not ((fit.expression_weights >= 0) & (fit.expression_weights <= 1)).all():
        raise InputError(source, "expression_weights are not within [0, 1]")
    if np.abs(fit.identity_coefficients).max(initial=0.0) > LARGEST_COEFFICIENT:
        raise InputError(source, f"identity_coefficients are not within {LARGEST_COEFFICIENT:g} of 0")
    if fit.residual_iod < 0:
        raise InputError(source, "residual_iod is negative")
    _refuse_elsewhere(fit, source)


def _refuse_elsewhere(fit: FaceFit, source: str | Path) -> None:
    """Faces that are not in the picture, and cameras that no picture was taken with."""
    camera, size = fit.camera, np.array([fit.image_size.width, fit.image_size.height], dtype=np.float64)
    longer_side = size.max()
    least, most = (share * longer_side for share in FOCAL_PER_SIDE)
    if not least <= camera.focal_px <= most:
        raise InputError(source, f"camera.focal_px is not within [{least:g}, {most:g}]")
    least, most = DEPTH_MM
    if not least <= camera.translation[2] <= most:
        raise InputError(source, f"the depth in camera.translation is not within [{least:g}, {most:g}] mm")
    if not ((camera.principal_point >= 0) & (camera.principal_point <= size)).all():
        raise InputError(source, "camera.principal_point is not in the picture")
    with np.errstate(over="ignore"):  # infinity is refused below
        origin = camera.focal_px * camera.translation[:2] / camera.translation[2] + camera.principal_point
    if not ((origin >= -longer_side) & (origin <= size + longer_side)).all():
        raise InputError(source, "camera.translation puts the head far outside the picture")
    if len(fit.landmarks_image) not in N_LANDMARKS:
        counts = " or ".join(str(n) for n in N_LANDMARKS)
        raise InputError(source, f"{len(fit.landmarks_image)} landmarks_image; a fit has {counts}")
    inside = ((fit.landmarks_image >= 0) & (fit.landmarks_image <= size)).all(axis=1)
    if 2 * np.count_nonzero(inside) < inside.size:
        raise InputError(
            source, f"{np.count_nonzero(~inside)} of {inside.size} landmarks_image lie outside the picture"
        )


class _Reader:
    """Fields of a JSON object by name and kind; every miss is an InputError that says which field."""

    def __init__(self, source: str | Path) -> None:
        self._source = source

    def mapping(self, value: object, name: str) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise InputError(self._source, f"{name} is not a JSON object")
        return value

    def text(self, fields: dict[str, Any], name: str) -> str:
        value = fields.get(name)
        if not isinstance(value, str):
            raise InputError(self._source, f"{name} is not a text")
        return value

    def boolean(self, fields: dict[str, Any], name: str) -> bool:
        value = fields.get(name)
        if not isinstance(value, bool):
            raise InputError(self._source, f"{name} is not true or false")
        return value

    def count(self, fields: dict[str, Any], name: str, *, least: int) -> int:
        value = fields.get(name)
        if not isinstance(value, int) or isinstance(value, bool) or value < least:
            raise InputError(self._source, f"{name} is not a whole number of at least {least}")
        return value

    def number(self, fields: dict[str, Any], name: str) -> float:
        value = fields.get(name)
        if not isinstance(value, int | float) or isinstance(value, bool) or not _is_finite(value):
            raise InputError(self._source, f"{name} is not a finite number")
        return float(value)

    def array(self, fields: dict[str, Any], name: str) -> FloatArray:
        value = fields.get(name)
        if not isinstance(value, list) or not _is_numeric(value):
            raise InputError(self._source, f"{name} is not a list of finite numbers")
        try:
            return np.array(value, dtype=np.float64)
        except ValueError as error:
            raise InputError(self._source, f"{name} has rows of different lengths") from error


def _is_finite(value: float) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:  # a whole number beyond the floats
        return False


def _is_numeric(value: object) -> bool:
    if isinstance(value, list):
        return all(_is_numeric(item) for item in value)
    return isinstance(value, int | float) and not isinstance(value, bool) and _is_finite(value)
