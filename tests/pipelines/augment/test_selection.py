from __future__ import annotations

from pathlib import Path

import pytest

from synth_affect.affect import Emotion
from synth_affect.data.faces.record import FaceRecord, Rejected
from synth_affect.errors import InputError
from synth_affect.pipelines.augment.selection import candidates, read_accept_list

PICTURE = Path("a.png")


def keys(*records: FaceRecord | Rejected, accepted: frozenset[str] | None = None) -> list[str]:
    return [candidate.record.key for candidate in candidates(records, accepted)]


def test_faces_labelled_neutral_are_candidates() -> None:
    assert keys(
        FaceRecord("zero", PICTURE, valence=0.0, arousal=0.0),
        FaceRecord("pleased", PICTURE, valence=0.1, arousal=0.0),
        FaceRecord("first", PICTURE, neutral=True, category=Emotion.HAPPINESS),
        FaceRecord("last", PICTURE, neutral=False),
        FaceRecord("at ease", PICTURE, category=Emotion.NEUTRAL),
        FaceRecord("angry", PICTURE, category=Emotion.ANGER),
        FaceRecord("unknown", PICTURE),
        Rejected("broken", PICTURE, "is broken"),
    ) == ["zero", "first", "at ease", "unknown"]


@pytest.mark.parametrize("accepted", [None, frozenset({"train", "validation", "test", "none"})])
def test_only_training_pictures_are_sources(accepted: frozenset[str] | None) -> None:
    records = [
        FaceRecord("train", PICTURE, split="train"),
        FaceRecord("validation", PICTURE, split="validation"),
        FaceRecord("test", PICTURE, split="test"),
        FaceRecord("none", PICTURE),
    ]
    assert keys(*records, accepted=accepted) == ["train", "none"]


def test_a_list_takes_the_place_of_labels() -> None:
    smiling = FaceRecord("smiling", PICTURE, valence=0.8, arousal=0.2)
    neutral = FaceRecord("neutral", PICTURE, valence=0.0, arousal=0.0)
    assert keys(smiling, neutral, accepted=frozenset({"smiling"})) == ["smiling"]


def test_places_count_the_candidates() -> None:
    records = [FaceRecord(f"{n}", PICTURE, valence=0.0 if n % 2 else 1.0, arousal=0.0) for n in range(6)]
    assert [candidate.place for candidate in candidates(records)] == [0, 1, 2]


def test_a_list_has_a_key_a_line(tmp_path: Path) -> None:
    path = tmp_path / "list.txt"
    path.write_text("# chosen by hand\nanna/a\r\n\n bert/b \n", encoding="utf-8")
    assert read_accept_list(path) == {"anna/a", "bert/b"}
    path.write_text("# none\n")
    with pytest.raises(InputError, match="names no face"):
        read_accept_list(path)
