"""Fits of many pictures of one person: one identity, and a pose and an expression for each picture.

The normal equations of all pictures together are an arrow: every picture touches the identity and its own unknowns
alone. So each picture's own unknowns are eliminated (a Schur complement, `LandmarkSolver.identity_evidence`), what is
left is added up, and its minimum in the box is the identity; with it each picture is fitted anew, which is the quicker
fit, having a third of the unknowns. That is repeated until the identity rests. The cost grows with the number of
pictures, not with its cube.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from synth_affect.arrays import FloatArray
from synth_affect.errors import ShapeError
from synth_affect.fitting.fit import FaceFit
from synth_affect.fitting.landmarks import Landmarks
from synth_affect.fitting.solver import LandmarkSolver
from synth_affect.heads.camera import ImageSize

COMMON_ERROR = 0.1
"""Share of the landmarks' error that all pictures of a person have in common (what the basis cannot express, where the
detector errs alike): n pictures count as n / (1 + COMMON_ERROR (n - 1)), at most ten.
"""

MOST_EVIDENCE = 24
"""Faces that tell the identity of one person; with the error that they have in common, further ones add little."""

MOST_ROUNDS = 6
AT_REST_SD = 0.02
"""The identity rests when its coefficients move by less than this, root mean square."""
STEP = 0.7
"""Share of a step that is taken: whole ones overshoot by about half, since expressions that rested at a bound begin to
follow, and take twice as many rounds.
"""


@dataclass(frozen=True, slots=True, eq=False)
class SeenFace:
    """landmarks : 478 or 68 points, px.  image_size : of the picture they lie in."""

    landmarks: Landmarks
    image_size: ImageSize


def fit_batch(
    solver: LandmarkSolver,
    faces: Sequence[SeenFace],
    *,
    people: Sequence[int | None] | None = None,
    alone: Sequence[FaceFit] | None = None,
) -> list[FaceFit]:
    """The fit of every face; those of one person share the identity.

    people : a number for the person behind each face, None for somebody seen once; all are strangers when absent.
    alone : the fit of each face by itself, where there is one already; made where they are needed when absent.
    Raises ShapeError when there are not as many people or fits as faces, FitError as the solver.
    """
    who: Sequence[int | None] = [None] * len(faces) if people is None else people
    for name, given in (("people", who), ("alone", faces if alone is None else alone)):
        if len(given) != len(faces):
            raise ShapeError(name, (len(faces),), (len(given),))
    fits: list[FaceFit | None] = [None] * len(faces) if alone is None else list(alone)
    identities: dict[int | None, FloatArray] = {}
    for person, places in _people(who).items():
        identities[person] = _shared_identity(solver, faces, places, fits)
    return [_fit(solver, *each) for each in zip(faces, map(identities.get, who), fits, strict=True)]


def _people(who: Sequence[int | None]) -> dict[int, list[int]]:
    """The places of each person who is seen more than once."""
    places: dict[int, list[int]] = {}
    for place, person in enumerate(who):
        if person is not None:
            places.setdefault(person, []).append(place)
    return {person: own for person, own in places.items() if len(own) > 1}


def _shared_identity(
    solver: LandmarkSolver, faces: Sequence[SeenFace], places: Sequence[int], fits: list[FaceFit | None]
) -> FloatArray:
    """Of the person at `places`; the fits of the faces that told it replace those in `fits`."""
    telling = [places[k] for k in _spread(len(places), MOST_EVIDENCE)]
    weight = 1.0 / (1.0 + COMMON_ERROR * (len(telling) - 1))
    identity: FloatArray | None = None
    for _ in range(MOST_ROUNDS):
        evidence = []
        for place in telling:
            fits[place] = fit = _fit(solver, faces[place], identity, fits[place])
            evidence.append(solver.identity_evidence(faces[place].landmarks, fit))
        likeliest = solver.likeliest_identity(evidence, weight)
        if identity is None:
            identity = likeliest
            continue
        step = likeliest - identity
        identity = identity + STEP * step  # between two points of the box, so inside it
        if np.sqrt((step**2).mean()) < AT_REST_SD:
            break
    assert identity is not None
    return identity


def _fit(solver: LandmarkSolver, face: SeenFace, identity: FloatArray | None, start: FaceFit | None) -> FaceFit:
    """Of a stranger with a start, the start is the fit."""
    if identity is None and start is not None:
        return start
    return solver(face.landmarks, face.image_size, identity=identity, start=start)


def _spread(count: int, most: int) -> list[int]:
    """At most so many of `count` places, evenly spread, the first and the last among them."""
    return [int(place) for place in np.linspace(0, count - 1, min(count, most)).round()]
