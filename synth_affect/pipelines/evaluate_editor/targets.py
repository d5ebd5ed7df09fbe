"""The fixed sets of targets on which editors are compared.

`ring`     directions x radii of the circumplex: `affect.ring`.
`labels`   the 7 x 7 labels of Lindt et al. 2019 (steps of 1/3 over the square), neutral among them.
`corners`  the four corners, their "extreme" labels.
`classes`  the places of categories of emotion on the plane; for editors that know nothing else, before judges that name
           what they see.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

from synth_affect.affect import Emotion, ValenceArousal, grid, position, ring
from synth_affect.editors.faces import CATEGORIES
from synth_affect.errors import InputError

TargetSet = Literal["ring", "labels", "corners", "classes"]
TARGET_SETS: tuple[TargetSet, ...] = get_args(TargetSet)
DEFAULT_SETS: tuple[TargetSet, ...] = ("ring", "labels", "corners")
LABEL_STEPS = 7
STRONG_RADIUS = 0.6
"""A target this far from neutral, or further, is strong."""
NEUTRAL = ValenceArousal(0.0, 0.0)
DEFAULT_DIRECTIONS, DEFAULT_RADII = 28, (0.25, 0.5, 0.75, 1.0)
"""Of the project's standard ring."""


@dataclass(frozen=True, slots=True)
class TargetChoice:
    """sets : names of TARGET_SETS.  directions, radii : of the ring.  categories : of the classes.

    Raises InputError for no set, a bad ring, or no class.
    """

    sets: tuple[TargetSet, ...] = DEFAULT_SETS
    directions: int = DEFAULT_DIRECTIONS
    radii: tuple[float, ...] = DEFAULT_RADII
    categories: tuple[Emotion, ...] = CATEGORIES

    def __post_init__(self) -> None:
        if not self.sets:
            raise InputError("--targets", f"none; there are {', '.join(TARGET_SETS)}")
        for name in self.sets:
            if name not in TARGET_SETS:
                raise InputError("--targets", f"{name!r} is none of {', '.join(TARGET_SETS)}")
        if not 1 <= self.directions <= 360:
            raise InputError("--directions", f"{self.directions} is not in [1, 360]")
        if not self.radii or any(not 0 < radius <= 1 for radius in self.radii):
            raise InputError("--radii", "not all in (0, 1]")
        if not self.categories:
            raise InputError("--classes", "none")

    def points(self, name: TargetSet) -> tuple[ValenceArousal, ...]:
        """The targets of one set."""
        if name == "ring":
            return ring(self.directions, self.radii)
        if name == "labels":
            return grid(LABEL_STEPS)
        if name == "classes":
            return tuple(position(emotion) for emotion in self.categories)
        return tuple(ValenceArousal(v, a) for a in (1.0, -1.0) for v in (-1.0, 1.0))

    def union(self) -> tuple[ValenceArousal, ...]:
        """Every target once, neutral first: maps of change are drawn against it."""
        named = {key(NEUTRAL): NEUTRAL}
        for name in self.sets:
            for point in self.points(name):
                named.setdefault(key(point), point)
        return tuple(named.values())

    def emotions(self) -> dict[str, Emotion]:
        """The category that is asked for by each target of the set `classes`, by the target's key."""
        return {key(position(emotion)): emotion for emotion in self.categories} if "classes" in self.sets else {}

    def described(self) -> dict[str, Any]:
        """As JSON values."""
        described: dict[str, Any] = {"sets": list(self.sets)}
        if "ring" in self.sets:
            described |= {"directions": self.directions, "radii": list(self.radii)}
        if "classes" in self.sets:
            described["classes"] = [str(emotion) for emotion in self.categories]
        return described


def parse_sets(text: str) -> tuple[TargetSet, ...]:
    """Of names with commas between them. Raises InputError naming `--targets`."""
    names = [part.strip() for part in text.split(",") if part.strip()]
    unknown = [name for name in names if name not in TARGET_SETS]
    if unknown:
        raise InputError("--targets", f"{unknown[0]!r} is none of {', '.join(TARGET_SETS)}")
    return tuple(name for name in TARGET_SETS if name in names)


def key(point: ValenceArousal) -> str:
    """The name of a target, in files and records: v+0.333a-1.000."""
    return f"v{point.valence + 0.0:+.3f}a{point.arousal + 0.0:+.3f}".replace("-0.000", "+0.000")


def is_strong(points: Sequence[ValenceArousal]) -> list[bool]:
    """Of each point."""
    return [point.intensity >= STRONG_RADIUS - 1e-9 for point in points]
