"""The settings of non-rigid ICP: how stiffness falls, and what else weighs."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Level:
    """One stiffness of the schedule.

    plate_mm : features smaller than this are not followed; the fourth root of the plate's weight.
    landmark_mm2 : a landmark weighs as much as this area of surface.
    reach_mm : partners further away are rejected.  min_cosine : so are those whose normal turns away more.
    steps : most solves.  look : find out anew which vertices can be seen, on the shape so far.
    """

    plate_mm: float
    landmark_mm2: float
    reach_mm: float
    min_cosine: float
    steps: int = 2
    look: bool = False


def _schedule(*landmark_mm2: float) -> tuple[Level, ...]:
    """The levels for a face by itself; the weights of the landmarks at the first six."""
    first, second, third, fourth, fifth, sixth = landmark_mm2
    return (
        Level(60.0, first, 20.0, 0.5),
        Level(30.0, second, 12.0, 0.5),
        Level(15.0, third, 8.0, 0.6, steps=5),
        Level(9.0, fourth, 6.0, 0.6, steps=5, look=True),
        Level(6.0, fifth, 4.0, 0.6, steps=5),
        Level(4.0, sixth, 3.0, 0.6, steps=5, look=True),
        Level(2.5, 0.0, 3.0, 0.6),
        Level(1.5, 0.0, 3.0, 0.6, steps=3, look=True),
    )


def _tracking(*landmark_mm2: float) -> tuple[Level, ...]:
    """The levels for a frame that follows another; the weights of the landmarks."""
    first, second, third, fourth = landmark_mm2
    return (
        Level(9.0, first, 6.0, 0.5, steps=3),
        Level(5.0, second, 4.0, 0.6, steps=3, look=True),
        Level(3.0, third, 3.0, 0.6, steps=3),
        Level(2.0, fourth, 2.0, 0.6, steps=2),
    )


@dataclass(frozen=True, slots=True)
class NonRigidIcpSettings:
    """levels : from stiff to loose, for a face by itself; the landmarks fade, and the relief leads.
    track : the same where the frame before is given. The landmarks stay to the end, without what is wrong with them
        all along: the corners of the mouth and the lids slide on surfaces that do not tell.
    stay : weight of the displacement itself where a frame follows, per mm^2, beside 1 for the distance to the scan.
        Without it cheeks and forehead, which nothing holds, drift from frame to frame by as much as faces move.
    tangential : weight of the distance along the surface from the partner, beside 1 for the one across it.
    membrane : of the plate's weight, as the share of stretching in it; keeps parts that nothing holds in shape.
    settled_mm, track_settled_mm : a level ends when its solve moves the vertices by less (root mean square); in a
        sequence small parts move alone.
    solver_steps : of conjugate gradients in a solve.
    """

    levels: tuple[Level, ...] = _schedule(400.0, 250.0, 130.0, 30.0, 10.0, 3.0)
    track: tuple[Level, ...] = _tracking(3.0, 3.0, 3.0, 1.0)
    stay: float = 0.02
    tangential: float = 0.01
    membrane: float = 0.02
    settled_mm: float = 0.05
    track_settled_mm: float = 0.01
    solver_steps: int = 8


FOR_SEEN_LANDMARKS = NonRigidIcpSettings(
    levels=_schedule(400.0, 60.0, 6.0, 1.0, 0.3, 0.1), track=_tracking(2.0, 2.0, 1.5, 0.5)
)
"""For landmarks that a detector found on a bare surface, 2 to 3 mm off, and so for the stiff levels alone: the relief
brings features nearer to their places (on 8 synthetic scans from 2.4 to 1.4 mm, median over the face)."""
