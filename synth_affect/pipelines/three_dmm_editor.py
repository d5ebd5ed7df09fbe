"""The 3DMM way, this package's main job, as an `Editor`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import synth_affect
from synth_affect.affect import ValenceArousal
from synth_affect.arrays import ImageArray
from synth_affect.editors.protocol import Editor
from synth_affect.pipelines.synthesize import AffectSynthesizer


class ThreeDmmEditor(Editor):
    """Fits a head model, displaces it, and warps the photograph; needs nothing beyond the core."""

    def __init__(self, synthesizer: AffectSynthesizer | None = None) -> None:
        """synthesizer : is taken over, and closed by `close`; the command's defaults where None."""
        self._synthesizer = AffectSynthesizer() if synthesizer is None else synthesizer

    @property
    def name(self) -> str:
        """3dmm."""
        return "3dmm"

    @property
    def fingerprint(self) -> str:
        """Of the package and the head model."""
        return f"synth-affect {synth_affect.__version__}, head {self._synthesizer.head.name}"

    @property
    def device(self) -> str:
        """The CPU."""
        return "cpu"

    def edit(self, image: ImageArray, targets: Sequence[ValenceArousal]) -> Iterator[ImageArray]:
        """See `Editor.edit`; the face is fitted once for all targets."""
        fit = self._synthesizer.fit(image)
        scene = self._synthesizer.prepare(image, fit)
        for target in targets:
            result = self._synthesizer.synthesize(
                image, fit, valence=target.valence, arousal=target.arousal, scene=scene
            )
            yield result.image

    def close(self) -> None:
        """Close the detector."""
        self._synthesizer.close()
