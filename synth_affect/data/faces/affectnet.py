"""AffectNet (Mollahosseini et al. 2017): pictures from the web with a category, valence and arousal.

Two releases, told apart by their folders, see `affectnet_lists` and `affectnet_crops`.
"""

from __future__ import annotations

from pathlib import Path

from synth_affect.affect import Emotion
from synth_affect.data.faces.annotation_files import whole_number

TITLE = "AffectNet"
OBTAIN = "AffectNet is given for research to faculty, mohammadmahoor.com/affectnet"
NONE = -2.0
CATEGORIES = (
    *(Emotion.NEUTRAL, Emotion.HAPPINESS, Emotion.SADNESS, Emotion.SURPRISE, Emotion.FEAR, Emotion.DISGUST),
    *(Emotion.ANGER, Emotion.CONTEMPT),
)
NO_CATEGORY = 8
"""Of a face that shows an emotion, but none of the eight; 9 is uncertain, 10 no face."""
HIGHEST_CODE = 10
NOTE = "persons are not named, so a split cannot keep them apart"


def category_of(code: str) -> Emotion | None:
    """The category of a code; None for 8 to 10. Raises ValueError."""
    number = whole_number(code, "expression", high=HIGHEST_CODE)
    return CATEGORIES[number] if number < len(CATEGORIES) else None


def is_crops(folder: Path) -> bool:
    """Whether it holds the newer release."""
    return any((folder / name / "annotations").is_dir() for name in ("train_set", "val_set"))
