"""One output looked at again: what judges read of it against what was asked, and whether it is the same person."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from synth_affect.affect import ValenceArousal
from synth_affect.arrays import FloatArray, ImageArray
from synth_affect.pipelines.judges.face_heights import read_face
from synth_affect.pipelines.judges.face_view import FaceView, FaceViewer
from synth_affect.pipelines.judges.judge import AffectReading, IdentityCard
from synth_affect.pipelines.judges.open_judges import JudgeCards, check_judges, open_judges


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


@dataclass(frozen=True, slots=True, eq=False)
class JudgedInput:
    """What the verifier saw in a picture before it was edited, for all edits of it.

    face : as it was.  affect, embeddings : of each judge.  readings : of `face_heights`.
    """

    face: FaceView
    affect: tuple[AffectReading, ...]
    embeddings: tuple[FloatArray, ...]
    readings: dict[str, float]


@dataclass(frozen=True, slots=True)
class Verification:
    """found : whether a face is seen where it was; without one there is nothing else.
    readings : of `face_heights`, in the output; changes : the same less those of the input.
    """

    target: ValenceArousal
    found: bool
    affect: tuple[JudgedAffect, ...] = ()
    identity: tuple[JudgedIdentity, ...] = ()
    readings: dict[str, float] = field(default_factory=dict)
    changes: dict[str, float] = field(default_factory=dict)

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
            "readings": {name: round(value, 4) for name, value in self.readings.items()},
            "changes": {name: round(value, 4) for name, value in self.changes.items()},
        }

    def _passes(self, said: JudgedIdentity) -> bool:
        assert said.card.same_person is not None
        return bool(said.card.passes([said.likeness], said.card.same_person)[0])


class OutputVerifier:
    """Opened judges and the detector that shows them faces. A context manager.

    Raises InputError for weights that cannot be used, MissingDependencyError for a judge whose extra is not installed.
    """

    def __init__(
        self, choice: VerifierChoice, landmark_model: Path | None = None, *, small_faces: bool = False
    ) -> None:
        """landmark_model, small_faces : of the detector, see `FaceViewer`."""
        self._judges = open_judges(choice.judges, choice.identities)
        with ExitStack() as opened:
            self._viewer = opened.enter_context(FaceViewer(landmark_model, small_faces=small_faces))
            self._opened = opened.pop_all()

    @property
    def cards(self) -> JudgeCards:
        """What is said of the judges."""
        return self._judges.cards

    def look(self, before: ImageArray, near: tuple[float, float]) -> JudgedInput | None:
        """What there is to compare edits with; None where the detector sees no face.

        before : (height, width, 3) sRGB.  near : centre of the face that is edited, px.
        """
        was = self._viewer.view(before, near)
        if was is None:
            return None
        return JudgedInput(
            was,
            tuple(judge.read(was) for judge in self._judges.affect),
            tuple(judge.embed(was) for judge in self._judges.identity),
            read_face(was),
        )

    def verify(self, before: JudgedInput | None, after: ImageArray, target: ValenceArousal) -> Verification:
        """before : of the input, by `look`.  after : (height, width, 3) sRGB, the output."""
        now = None if before is None else self._viewer.view_again(after, before.face)
        if before is None or now is None:
            return Verification(target, found=False)
        readings = read_face(now)
        return Verification(
            target,
            found=True,
            affect=tuple(
                JudgedAffect(judge.card.name, judge.read(now), was)
                for judge, was in zip(self._judges.affect, before.affect, strict=True)
            ),
            identity=tuple(
                JudgedIdentity(judge.card, judge.card.compare(was, judge.embed(now)))
                for judge, was in zip(self._judges.identity, before.embeddings, strict=True)
            ),
            readings=readings,
            changes={name: value - before.readings[name] for name, value in readings.items()},
        )

    def close(self) -> None:
        """Free the detector."""
        self._opened.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()
