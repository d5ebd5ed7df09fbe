"""An editor that writes what was asked into the middle of the face, and a judge that reads it there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from synth_affect.affect import ValenceArousal
from synth_affect.arrays import FloatArray, ImageArray
from synth_affect.editors.protocol import Editor
from synth_affect.errors import FitError
from synth_affect.pipelines.evaluate_editor import judging, run
from synth_affect.pipelines.judges.face_heights import READINGS
from synth_affect.pipelines.judges.face_view import FaceView
from synth_affect.pipelines.judges.judge import AffectReading, IdentityCard, JudgeCard
from synth_affect.pipelines.judges.open_judges import OpenJudges

SIDE = 120
UNITS = ("mouthSmile", "browDown", "eyeWide", "eyeBlink")


class WritingEditor(Editor):
    """Grey level of pixel (60, 60): 127 + 100 valence; of (61, 60): 127 + 100 arousal."""

    made: list[ValenceArousal] = []  # noqa: RUF012, of all instances
    version = "1"
    spills = False

    @property
    def name(self) -> str:
        return "writing"

    @property
    def fingerprint(self) -> str:
        return f"writing {self.version}"

    @property
    def about(self) -> dict[str, Any]:
        data = {"source": ["rendered"], "train": {"pictures": 9, "people": 3}}
        return {"licence": "free <i>", "training": {"epochs": 2, "seconds": 90.0, "hardware": "a CPU"}, "data": data}

    @property
    def device(self) -> str:
        return "cpu"

    def edit(self, image: ImageArray, targets: Sequence[ValenceArousal]) -> Iterator[ImageArray]:
        if image.min() == 9:
            raise FitError("too dark")
        for target in targets:
            self.made.append(target)
            edited = image.copy()
            edited[60, 60] = round(127 + 100 * target.valence)
            edited[61, 60] = round(127 + 100 * target.arousal)
            if self.spills:
                edited[0, 0] = 255 - edited[0, 0]
            yield edited

    def close(self) -> None:
        pass


class Viewer:
    """Sees a face of 40 px in the middle of every picture whose first pixel is not 8."""

    def __init__(self) -> None:
        self.n_views = 0

    def view(self, image: ImageArray, near: tuple[float, float] | None = None) -> FaceView | None:
        if image[0, 0, 0] == 8:
            return None
        along = np.linspace(0, 2 * np.pi, 478)
        points = 60 + 20 * np.stack([np.cos(along), np.sin(along)], axis=1)
        units = {f"{stem}{side}": 0.0 for stem in UNITS for side in ("Left", "Right")}
        return FaceView(np.asarray(image, np.uint8), points, {**units, "jawOpen": int(image[61, 60, 0]) / 255})

    def close(self) -> None:
        pass

    def __enter__(self) -> Viewer:
        return self

    def __exit__(self, *_: object) -> None:
        pass


class ReadingJudge:
    n_read = 0

    def __init__(self, name: str = "reader") -> None:
        self.card = JudgeCard(name, "none <b>", "exact", "free", f"{name} 1")

    def read(self, face: FaceView) -> AffectReading:
        type(self).n_read += 1
        valence, arousal = (int(face.pixels[y, 60, 0]) - 127 for y in (60, 61))
        return AffectReading(valence / 100, arousal / 100)


class ColourIdentity:
    def __init__(self) -> None:
        self.card = IdentityCard("colour", "distance", 0.6, "none", "free", "colour 1")

    def embed(self, face: FaceView) -> FloatArray:
        return face.pixels[60, 60, :1].astype(np.float64) / 255


def open_stubs(affect: Sequence[str], identity: Sequence[str]) -> OpenJudges:
    return OpenJudges(tuple(ReadingJudge(name) for name in affect), tuple(ColourIdentity() for _ in identity))


@pytest.fixture
def reading_judge() -> type[ReadingJudge]:
    """The class of the run's judges, which counts what it reads."""
    return ReadingJudge


@pytest.fixture
def stubs(monkeypatch: pytest.MonkeyPatch) -> type[WritingEditor]:
    class Stub(WritingEditor):
        made: list[ValenceArousal] = []  # noqa: RUF012

    ReadingJudge.n_read = 0
    monkeypatch.setattr(run, "open_editor", lambda choice: Stub())
    monkeypatch.setattr(run, "FaceViewer", Viewer)
    monkeypatch.setattr(run, "check_judges", lambda affect, identity: None)
    monkeypatch.setattr(run, "open_judges", open_stubs)
    monkeypatch.setattr(run, "read_cards", lambda affect, identity: open_stubs(affect, identity).cards)
    monkeypatch.setattr(judging, "read_face", lambda view: dict.fromkeys(READINGS, view.units["jawOpen"]))
    return Stub


@pytest.fixture
def photographs(tmp_path: Path) -> Path:
    """Two faces that can be edited, one that cannot, one picture without a face."""
    folder = tmp_path / "photographs"
    folder.mkdir()
    for name, grey in (("a", 127), ("b <i>", 100), ("dark", 9), ("nobody", 8)):
        Image.new("RGB", (SIDE, SIDE), (grey,) * 3).save(folder / f"{name}.png")
    (folder / "notes.txt").write_text("no picture")
    return folder
