"""One output looked at again: what judges read of it against what was asked, and whether it is the same person."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from synth_affect.affect import ValenceArousal
from synth_affect.arrays import ImageArray
from synth_affect.pipelines.judges.face_heights import read_face
from synth_affect.pipelines.judges.face_view import FaceView, FaceViewer
from synth_affect.pipelines.judges.judge import AffectJudge, AffectReading, IdentityCard
from synth_affect.pipelines.judges.open_judges import check_judges, open_affect_judge, open_identity_judge


@dataclass(frozen=True, slots=True)
class VerifierChoice:
    """judges, identities : see `open_affect_judge`, `open_identity_judge`; MediaPipe's readings need neither.

    Raises InputError for a specification that is none, or whose file is not there.
    """

    judges: tuple[str, ...] = ()
    identities: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        check_judges(self.judges, self.identities)


@dataclass(frozen=True, slots=True)
class JudgedAffect:
    """What one judge read of the output, and of the input before."""

    judge: str
    after: AffectReading
    before: AffectReading


@dataclass(frozen=True, slots=True)
class JudgedIdentity:
    """likeness : of the output to the input, on the scale of `card`."""

    card: IdentityCard
    likeness: float


@dataclass(frozen=True, slots=True)
class Verification:
    """found : whether a face is seen where it was; without one there is nothing else.
    readings : of `face_heights`, in the output; changes : the same less those of the input.
    """

    target: ValenceArousal
    found: bool
    affect: tuple[JudgedAffect, ...] = ()
    identity: tuple[JudgedIdentity, ...] = ()
    readings: tuple[tuple[str, float], ...] = ()
    changes: tuple[tuple[str, float], ...] = ()

    def described(self) -> dict[str, Any]:
        """As JSON values, for sidecars."""
        if not self.found:
            return {"found": False}
        return {
            "found": True,
            "affect": [
                {
                    "judge": said.judge,
                    "valence": round(said.after.valence, 4),
                    "arousal": round(said.after.arousal, 4),
                    **({"class": said.after.emotion} if said.after.emotion else {}),
                    "valence_error": round(said.after.valence - self.target.valence, 4),
                    "arousal_error": round(said.after.arousal - self.target.arousal, 4),
                    "input_valence": round(said.before.valence, 4),
                    "input_arousal": round(said.before.arousal, 4),
                }
                for said in self.affect
            ],
            "identity": [
                {
                    "judge": said.card.name,
                    said.card.likeness: round(said.likeness, 4),
                    **({"same_person": self._passes(said)} if said.card.same_person is not None else {}),
                }
                for said in self.identity
            ],
            "readings": {name: round(value, 4) for name, value in self.readings},
            "changes": {name: round(value, 4) for name, value in self.changes},
        }

    def _passes(self, said: JudgedIdentity) -> bool:
        assert said.card.same_person is not None
        return bool(said.card.passes([said.likeness], said.card.same_person)[0])


class OutputVerifier:
    """Opened judges. A context manager.

    Raises InputError for weights that cannot be used, MissingDependencyError for a judge whose extra is not installed.
    """

    def __init__(
        self, choice: VerifierChoice, landmark_model: Path | None = None, *, small_faces: bool = False
    ) -> None:
        """landmark_model, small_faces : of the detector, see `FaceViewer`."""
        self._affect: Sequence[AffectJudge] = [open_affect_judge(spec) for spec in choice.judges]
        self._identity = [open_identity_judge(spec) for spec in choice.identities]
        with ExitStack() as opened:
            self._viewer = opened.enter_context(FaceViewer(landmark_model, small_faces=small_faces))
            self._opened = opened.pop_all()

    def verify(
        self, before: ImageArray, after: ImageArray, target: ValenceArousal, near: tuple[float, float]
    ) -> Verification:
        """before, after : (height, width, 3) sRGB.  near : centre of the edited face, px."""
        was = self._viewer.view(before, near)
        now = self._viewer.view(after, near)
        if was is None or now is None:
            return Verification(target, found=False)
        old, new = read_face(was), read_face(now)
        return Verification(
            target,
            found=True,
            affect=tuple(JudgedAffect(judge.card.name, judge.read(now), judge.read(was)) for judge in self._affect),
            identity=tuple(self._compare(was, now)),
            readings=tuple(new.items()),
            changes=tuple((name, value - old[name]) for name, value in new.items()),
        )

    def _compare(self, was: FaceView, now: FaceView) -> list[JudgedIdentity]:
        return [
            JudgedIdentity(judge.card, judge.card.compare(judge.embed(was), judge.embed(now)))
            for judge in self._identity
        ]

    def close(self) -> None:
        """Free the detector."""
        self._opened.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()
