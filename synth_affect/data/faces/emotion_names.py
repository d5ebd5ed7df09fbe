"""What databases call the emotions, in folders and file names."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from synth_affect.affect import Emotion

_NAMES = {
    Emotion.NEUTRAL: ("neutral", "neutrality"),
    Emotion.HAPPINESS: ("happiness", "happy", "joy", "smile", "smiling"),
    Emotion.SADNESS: ("sadness", "sad"),
    Emotion.SURPRISE: ("surprise", "surprised"),
    Emotion.FEAR: ("fear", "fearful", "afraid"),
    Emotion.DISGUST: ("disgust", "disgusted"),
    Emotion.ANGER: ("anger", "angry"),
    Emotion.CONTEMPT: ("contempt",),
}
EMOTION_NAMES: Mapping[str, Emotion] = MappingProxyType({name: key for key, names in _NAMES.items() for name in names})


def emotion_named(name: str) -> Emotion | None:
    """The emotion of that name, in any case; None where it is none of ours."""
    return EMOTION_NAMES.get(name.strip().lower())
