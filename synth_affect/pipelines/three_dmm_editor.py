"""The 3DMM way, this package's main job, as an `Editor`."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import synth_affect
from synth_affect.affect import ValenceArousal
from synth_affect.arrays import ImageArray
from synth_affect.editors.protocol import Editor
from synth_affect.fitting.model_file import find_landmark_model
from synth_affect.pipelines.synthesize import AffectSynthesizer

PACKAGE = Path(synth_affect.__file__).parent
MAKES_PICTURES = ("affect.py", "heads", "blendshape", "fitting", "render", "pipelines/synthesize.py")
"""What of the package decides what a picture looks like: code, head model, prototypes, grid and folds."""
SUFFIXES = (".py", ".npz", ".json")


class ThreeDmmEditor(Editor):
    """Fits a head model, displaces it, and warps the photograph; needs nothing beyond the core."""

    def __init__(self) -> None:
        """The command's defaults. Raises InputError when there is no model of landmarks."""
        self._synthesizer = AffectSynthesizer()
        digest = files_digest(PACKAGE, MAKES_PICTURES)
        digest.update(find_landmark_model().read_bytes())
        self._digest = digest.hexdigest()[:16]

    @property
    def name(self) -> str:
        """3dmm."""
        return "3dmm"

    @property
    def fingerprint(self) -> str:
        """Of the package, its files that make pictures, and MediaPipe's model: a version alone is not enough while the
        package is worked on.
        """
        return f"synth-affect {synth_affect.__version__}, files {self._digest}, head {self._synthesizer.head.name}"

    @property
    def about(self) -> Mapping[str, Any]:
        """Its map of expressions is made from published prototypes; no picture was learned from."""
        return {"licence": self._synthesizer.head.licence, "training": None, "data": None}

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


def files_digest(root: Path, parts: Iterable[str]) -> hashlib._Hash:
    """sha256 over names and contents of `parts` of a folder: files, and folders with their files of SUFFIXES."""
    digest = hashlib.sha256()
    for part in parts:
        path = root / part
        files = [path] if path.is_file() else sorted(p for p in path.rglob("*") if p.suffix in SUFFIXES)
        for file in files:
            content = file.read_bytes()
            digest.update(f"{file.relative_to(root).as_posix()} {len(content)}\n".encode() + content)
    return digest
