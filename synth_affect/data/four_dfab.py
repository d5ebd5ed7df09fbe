"""4DFAB (Imperial College London): 180 people in four sessions over five years, posed and spontaneous.

The tree of the release is not public, so it is described by a template, see `scan_layout`. Valence and arousal are not
part of the release.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from synth_affect.affect import Emotion
from synth_affect.data.scan_layout import ScanLayout, read_layout
from synth_affect.data.scan_records import ScanSequence

OBTAIN = "4DFAB is given for research on a signed agreement, ibug.doc.ic.ac.uk/resources/4dfab"
LAYOUT = ScanLayout(meshes="{subject}/{session}/{sequence}/{frame:05d}.obj")
CATEGORIES = {
    "anger": Emotion.ANGER,
    "angry": Emotion.ANGER,
    "disgust": Emotion.DISGUST,
    "fear": Emotion.FEAR,
    "happiness": Emotion.HAPPINESS,
    "happy": Emotion.HAPPINESS,
    "sadness": Emotion.SADNESS,
    "sad": Emotion.SADNESS,
    "surprise": Emotion.SURPRISE,
}


def read_4dfab(root: Path, *, layout: ScanLayout = LAYOUT, topology: str | None = None) -> Iterator[ScanSequence]:
    """A recording for each person, session and task; its first frame is the neutral one.

    layout : of the files, where not that of LAYOUT.
    topology : name of the vertex order, where the meshes are registered to one.
    A recording whose name holds one of the six emotions counts as posed, any other as spontaneous.
    Raises InputError, at the latest at the end, when nothing below `root` fits the layout.
    """
    return read_layout(root, layout, topology=topology, categories=CATEGORIES)
