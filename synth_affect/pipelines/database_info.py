"""What a copy of a database holds, read once as a stream: before hours are spent on it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from synth_affect.data.faces.database import FaceDatabase, at_rest
from synth_affect.data.faces.folds import is_source
from synth_affect.data.faces.record import FaceItem, Rejected

NO_SPLIT = "none"
Progress = Callable[[Iterable[FaceItem]], Iterable[FaceItem]]
"""Passes on what it is given; how many there will be, nobody knows."""


@dataclass(frozen=True, slots=True)
class RejectKind:
    """Rejects alike but for their numbers. reason, path : of the first.  count : pictures or lines."""

    reason: str
    path: str
    count: int


@dataclass(frozen=True, slots=True)
class DatabaseInfo:
    """records : pictures or frames.  people : that are named, videos where they stand for people.
    splits : records by split, "none" without one.  categories : records by emotion, where one is known.
    labelled : with valence and arousal.  at_rest : of them, those at (0, 0).  neutral : said to be neutral.
    sources : of which new pictures may be made.  with_landmarks, with_box : records.
    rejected : how often what was turned down, the most frequent first.
    """

    records: int
    people: int
    splits: dict[str, int]
    categories: dict[str, int]
    labelled: int
    at_rest: int
    neutral: int
    sources: int
    with_landmarks: int
    with_box: int
    rejected: tuple[RejectKind, ...]


def describe_database(database: FaceDatabase, progress: Progress = lambda items: items) -> DatabaseInfo:
    """Count all that `database` holds. Raises InputError when it holds nothing, or a part of it cannot be read."""
    people: set[str] = set()
    splits, categories, counts = Counter[str](), Counter[str](), Counter[str]()
    firsts: dict[str, Rejected] = {}
    rejected = Counter[str]()
    for item in progress(database.records()):
        if isinstance(item, Rejected):
            kind = re.sub(r"\d+(\.\d+)?|'[^']*'", "#", item.reason)
            firsts.setdefault(kind, item)
            rejected[kind] += item.count
            continue
        splits[item.split or NO_SPLIT] += 1
        if item.subject is not None:
            people.add(item.subject)
        if item.category is not None:
            categories[item.category.value] += 1
        counts["labelled"] += item.has_affect
        counts["at_rest"] += at_rest(item.valence, item.arousal)
        counts["neutral"] += bool(item.neutral)
        counts["sources"] += is_source(item)
        counts["with_landmarks"] += item.landmarks is not None
        counts["with_box"] += item.box is not None
    return DatabaseInfo(
        records=splits.total(),
        people=len(people),
        splits=dict(splits),
        categories=dict(sorted(categories.items())),
        labelled=counts["labelled"],
        at_rest=counts["at_rest"],
        neutral=counts["neutral"],
        sources=counts["sources"],
        with_landmarks=counts["with_landmarks"],
        with_box=counts["with_box"],
        rejected=tuple(
            RejectKind(firsts[kind].reason, str(firsts[kind].path), count) for kind, count in rejected.most_common()
        ),
    )


def info_text(database: FaceDatabase, info: DatabaseInfo) -> str:
    """For people, line by line."""

    def listed(counts: dict[str, int]) -> str:
        return ", ".join(f"{name} {count:,}" for name, count in counts.items()) or "none"

    people = {"people": "people", "videos": "videos, which stand for people", "none": "people are not named"}
    lines = [
        f"{database.title} at {database.root}",
        f"{info.records:,} pictures or frames; splits: {listed(info.splits)}",
        people["none"] if not database.has_subjects else f"{info.people:,} {people[database.subjects]}",
        f"valence and arousal: {info.labelled:,}, of them (0, 0): {info.at_rest:,}",
        f"said to be neutral: {info.neutral:,}",
        f"categories: {listed(info.categories)}",
        f"with landmarks: {info.with_landmarks:,}, with a box: {info.with_box:,}",
        f"may be sources of new pictures: {info.sources:,}",
        *(f"note: {note}" for note in database.notes),
        *(f"turned down {kind.count:,} times, first {kind.path}: {kind.reason}" for kind in info.rejected),
    ]
    return "\n".join(lines)


def names_text() -> str:
    """All databases that can be read, with their settings."""
    from synth_affect.data.faces.registry import FACE_DATABASES

    lines = []
    for name, kind in FACE_DATABASES.items():
        lines.append(f"{name:16} {kind.title}")
        lines += [f"{'':16}   {setting}=...  {about.help}" for setting, about in kind.settings.items()]
    return "\n".join(lines)
