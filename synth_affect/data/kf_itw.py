"""KF-ITW (Imperial College London): 17 people, Kinect Fusion meshes of a neutral, a happy and a surprised face.

The tree of the release is not public, so it is described by a template, see `scan_layout`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from synth_affect.affect import Emotion
from synth_affect.data.scan_layout import ScanLayout, read_layout
from synth_affect.data.scan_records import ScanSequence

OBTAIN = "KF-ITW is given by the iBUG group of Imperial College London on request"
LAYOUT = ScanLayout(meshes="{subject}/{sequence}.obj")
NEUTRAL = "neutral"
CATEGORIES = {
    "happy": Emotion.HAPPINESS,
    "happiness": Emotion.HAPPINESS,
    "surprised": Emotion.SURPRISE,
    "surprise": Emotion.SURPRISE,
}


def read_kf_itw(root: Path, *, layout: ScanLayout = LAYOUT, neutral_sequence: str = NEUTRAL) -> Iterator[ScanSequence]:
    """A recording for each person and expression: the neutral face as frame 0, then the expression.

    layout : of the files, where not that of LAYOUT.  neutral_sequence : name of the neutral face in it.
    Raises InputError, at the latest at the end, when nothing below `root` fits the layout.
    """
    recordings = read_layout(root, layout, categories=CATEGORIES, neutral_sequence=neutral_sequence)
    return (recording for recording in recordings if recording.sequence.lower() != neutral_sequence.lower())
