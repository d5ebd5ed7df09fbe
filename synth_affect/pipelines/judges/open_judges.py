"""The judges that words on the command line stand for."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from synth_affect.errors import InputError
from synth_affect.pipelines.judges.face_view import FaceView
from synth_affect.pipelines.judges.judge import AffectJudge, IdentityCard, IdentityJudge, JudgeCard
from synth_affect.pipelines.judges.weights_of_users import check_weights_file
from synth_affect.pipelines.workers import interrupts_ignored


@dataclass(frozen=True, slots=True)
class JudgeCards:
    """What is said of all judges of a run, in the order in which they were asked for."""

    affect: tuple[JudgeCard, ...] = ()
    identity: tuple[IdentityCard, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class OpenJudges:
    """All judges of a run. Made by `open_judges`."""

    affect: tuple[AffectJudge, ...]
    identity: tuple[IdentityJudge, ...]

    @property
    def cards(self) -> JudgeCards:
        """What is said of them."""
        return JudgeCards(tuple(judge.card for judge in self.affect), tuple(judge.card for judge in self.identity))


def open_judges(affect: Sequence[str], identity: Sequence[str]) -> OpenJudges:
    """Judges by their specifications, each shown one picture: a network that fits no judge fails here, not later.

    Raises what `open_affect_judge` and `open_identity_judge` do, and InputError for two judges of one name.
    """
    opened = OpenJudges(
        tuple(open_affect_judge(spec) for spec in affect), tuple(open_identity_judge(spec) for spec in identity)
    )
    check_names("--judge", [card.name for card in opened.cards.affect])
    check_names("--identity", [card.name for card in opened.cards.identity])
    face = _no_face_in_particular()
    for judge in opened.affect:
        judge.read(face)
    for embeds in opened.identity:
        embeds.embed(face)
    return opened


def read_cards(affect: Sequence[str], identity: Sequence[str]) -> JudgeCards:
    """The cards of judges that are opened, tried and forgotten in a process of their own: this one keeps neither their
    libraries nor their memory.

    Raises what `open_judges` does.
    """
    if not affect and not identity:
        return JudgeCards()
    check_judges(affect, identity)  # mistakes of one word need no process
    with interrupts_ignored():
        pool = ProcessPoolExecutor(1, multiprocessing.get_context("spawn"))
        future = pool.submit(_cards, tuple(affect), tuple(identity))
    with pool:
        try:
            return future.result()
        except BrokenProcessPool:
            raise InputError("--judge", "the process that tried the judges died (out of memory?)") from None


def _cards(affect: tuple[str, ...], identity: tuple[str, ...]) -> JudgeCards:
    return open_judges(affect, identity).cards


def _no_face_in_particular() -> FaceView:
    """A grey picture with points all over it."""
    points = np.random.default_rng(0).uniform(16, 112, (478, 2))
    return FaceView(np.full((128, 128, 3), 128, np.uint8), points, {})


def check_names(option: str, names: Sequence[str]) -> None:
    """Raises InputError when two judges could not be told apart in a report."""
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InputError(option, f"two judges are called {twice[0]!r}")


def open_affect_judge(spec: str) -> AffectJudge:
    """`KIND=FILE` with a kind of AFFECT_JUDGES, or the JSON file that describes a classifier.

    Raises InputError for what cannot be used, MissingDependencyError where the judge needs an extra.
    """
    if "=" not in spec and spec.lower().endswith(".json"):
        return _classifier(Path(spec))
    kind, path = _parsed(spec, "--judge", AFFECT_JUDGES)
    return AFFECT_JUDGES[kind](path)


def open_identity_judge(spec: str) -> IdentityJudge:
    """`KIND=FILE` with a kind of IDENTITY_JUDGES; errors as `open_affect_judge`."""
    kind, path = _parsed(spec, "--identity", IDENTITY_JUDGES)
    return IDENTITY_JUDGES[kind](path)


def check_judges(affect: Sequence[str], identity: Sequence[str]) -> None:
    """What can be told of specifications before work is spent on them: their form, and that the files are there.

    Raises InputError.
    """
    for spec in affect:
        described = "=" not in spec and spec.lower().endswith(".json")
        check_weights_file(Path(spec) if described else _parsed(spec, "--judge", AFFECT_JUDGES)[1])
    for spec in identity:
        check_weights_file(_parsed(spec, "--identity", IDENTITY_JUDGES)[1])


def _parsed(spec: str, option: str, kinds: Mapping[str, object]) -> tuple[str, Path]:
    kind, _, file = spec.partition("=")
    if kind not in kinds or not file:
        also = " or the .json of a classifier" if option == "--judge" else ""
        raise InputError(option, f"{spec!r} is not KIND=FILE with a kind of {', '.join(kinds)}{also}")
    return kind, Path(file)


def _classifier(path: Path) -> AffectJudge:
    from synth_affect.pipelines.judges.classifier import ClassifierJudge

    return ClassifierJudge(path)


def _emonet(path: Path) -> AffectJudge:
    from synth_affect.pipelines.judges.emonet import EmoNetJudge

    return EmoNetJudge(path)


def _hsemotion(path: Path) -> AffectJudge:
    from synth_affect.pipelines.judges.hsemotion import HsEmotionJudge

    return HsEmotionJudge(path)


def _arcface(path: Path) -> IdentityJudge:
    from synth_affect.pipelines.judges.arcface import ArcFaceJudge

    return ArcFaceJudge(path)


def _trained(path: Path) -> AffectJudge:
    from synth_affect.pipelines.judges.trained import TrainedJudge

    return TrainedJudge(path)


def _trained_identity(path: Path) -> IdentityJudge:
    from synth_affect.pipelines.judges.trained import TrainedIdentity

    return TrainedIdentity(path)


AFFECT_JUDGES: Mapping[str, Callable[[Path], AffectJudge]] = {
    "classifier": _classifier,
    "emonet": _emonet,
    "hsemotion": _hsemotion,
    "trained": _trained,
}
IDENTITY_JUDGES: Mapping[str, Callable[[Path], IdentityJudge]] = {
    "arcface": _arcface,
    "trained": _trained_identity,
}
