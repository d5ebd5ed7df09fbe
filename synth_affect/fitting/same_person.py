"""Fits of many pictures of one person: one identity, and a pose and an expression for each picture.

The normal equations of all pictures together are an arrow: every picture touches the identity and its own unknowns
alone. So each picture's own unknowns are eliminated (a Schur complement, `LandmarkSolver.identity_evidence`), what is
left is added up, and its minimum in the box is the identity; with it each picture is fitted anew, which is the quicker
fit, having a third of the unknowns. That is repeated until the identity rests. The cost grows with the number of
pictures, not with its cube.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from synth_affect.arrays import FloatArray
from synth_affect.errors import ShapeError
from synth_affect.fitting.fit import FaceFit
from synth_affect.fitting.landmarks import Landmarks
from synth_affect.fitting.solver import IdentityEvidence, LandmarkSolver
from synth_affect.heads.camera import ImageSize

COMMON_ERROR = 0.1
"""Share of the landmarks' error that all pictures of a person have in common (what the basis cannot express, where the
detector errs alike): n pictures count as n / (1 + COMMON_ERROR (n - 1)), at most ten.
"""

MOST_ROUNDS = 6
AT_REST_SD = 0.05
"""The identity rests when no coefficient moves by more than this many standard deviations."""


@dataclass(frozen=True, slots=True, eq=False)
class SeenFace:
    """landmarks : 478 or 68 points, px.  image_size : of the picture they lie in."""

    landmarks: Landmarks
    image_size: ImageSize


@dataclass(frozen=True, slots=True, eq=False)
class FitTask:
    """identity : (n_identity,) where it is known.  start : an earlier fit.
    evidence : whether to say what the picture tells of the identity.
    """

    face: SeenFace
    identity: FloatArray | None
    start: FaceFit | None
    evidence: bool


@dataclass(frozen=True, slots=True, eq=False)
class FitOutcome:
    """evidence : None where it was not asked for."""

    fit: FaceFit
    evidence: IdentityEvidence | None


Mapper = Callable[[Sequence[FitTask]], Iterable[FitOutcome]]
"""Does tasks, in order; in other processes where it likes."""


def do_fit_task(solver: LandmarkSolver, task: FitTask) -> FitOutcome:
    """One fit. Raises FitError and ShapeError as the solver."""
    fit = solver(task.face.landmarks, task.face.image_size, identity=task.identity, start=task.start)
    return FitOutcome(fit, solver.identity_evidence(task.face.landmarks, fit) if task.evidence else None)


def fit_batch(
    solver: LandmarkSolver,
    faces: Sequence[SeenFace],
    *,
    people: Sequence[int | None] | None = None,
    mapper: Mapper | None = None,
) -> list[FaceFit]:
    """The fit of every face; those of one person share the identity.

    people : a number for the person behind each face, None for somebody seen once; all are strangers when absent.
    mapper : where the fits are made; here, one after the other, when absent. The answers do not depend on it.
    Raises ShapeError when there are not as many people as faces, FitError as the solver.
    """

    def here(tasks: Sequence[FitTask]) -> Iterable[FitOutcome]:
        return (do_fit_task(solver, task) for task in tasks)

    run = here if mapper is None else mapper
    who: Sequence[int | None] = [None] * len(faces) if people is None else people
    if len(who) != len(faces):
        raise ShapeError("people", (len(faces),), (len(who),))
    sets = {person: [k for k, p in enumerate(who) if p == person] for person in who if person is not None}
    sets = {person: places for person, places in sets.items() if len(places) > 1}
    identities: dict[int, FloatArray] = {}
    moving = set(sets)
    outcomes: list[FitOutcome | None] = [None] * len(faces)
    todo = list(range(len(faces)))
    for round_ in range(MOST_ROUNDS + 1):
        last = round_ == MOST_ROUNDS
        tasks = [
            FitTask(
                face=faces[k],
                identity=None if (person := who[k]) is None else identities.get(person),
                start=None if (earlier := outcomes[k]) is None else earlier.fit,
                evidence=not last and who[k] in moving,
            )
            for k in todo
        ]
        for k, outcome in zip(todo, run(tasks), strict=True):
            outcomes[k] = outcome
        for person in sorted(moving):
            evidence = [o.evidence for k in sets[person] if (o := outcomes[k]) and o.evidence is not None]
            if not evidence:  # the last round
                continue
            found = solver.likeliest_identity(evidence, 1.0 / (1.0 + COMMON_ERROR * (len(evidence) - 1)))
            before = identities.get(person)
            if before is not None and np.abs(found - before).max() < AT_REST_SD:
                moving.discard(person)
                continue
            identities[person] = found
        todo = [k for person in sorted(moving) for k in sets[person]]
        if not todo:
            break
    return [outcome.fit for outcome in outcomes if outcome is not None]
