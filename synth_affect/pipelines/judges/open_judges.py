"""The judges that words on the command line stand for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from synth_affect.errors import InputError
from synth_affect.pipelines.judges.judge import AffectJudge, IdentityJudge


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
        _check_file(Path(spec) if described else _parsed(spec, "--judge", AFFECT_JUDGES)[1])
    for spec in identity:
        _check_file(_parsed(spec, "--identity", IDENTITY_JUDGES)[1])


def _check_file(path: Path) -> None:
    if not path.is_file():
        raise InputError(path, "no such file")


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
