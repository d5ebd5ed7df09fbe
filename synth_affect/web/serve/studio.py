"""What all pages share: heads, synthesizers, the detector; and what one face of one session looks like when asked."""

from __future__ import annotations

import contextlib
import itertools
import os
import threading
from collections import OrderedDict
from collections.abc import Hashable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self, cast

import cv2
import numpy as np

import synth_affect
from synth_affect.arrays import ImageArray
from synth_affect.data.pictures import read_picture
from synth_affect.data.provenance import Provenance
from synth_affect.errors import FitError, InputError, ShapeError
from synth_affect.fitting.fit import FaceFit
from synth_affect.fitting.landmarks import Landmarks
from synth_affect.fitting.quality import QualityMeter
from synth_affect.pipelines.demo_picture import find_demo_picture
from synth_affect.pipelines.edit_picture import synthesize_target
from synth_affect.pipelines.face_window import FaceWindow, face_window, whole_window
from synth_affect.pipelines.open_detector import DetectorChoice, open_detector
from synth_affect.pipelines.open_expressions import ExpressionChoice, open_expressions
from synth_affect.pipelines.open_head import DEFAULT, open_head
from synth_affect.pipelines.picture_faces import ChosenFace
from synth_affect.pipelines.synthesize import AffectSynthesizer
from synth_affect.pipelines.verify import JudgedInput, OutputVerifier, VerifierChoice
from synth_affect.render.scene import Scene
from synth_affect.web.serve.asked import Asked
from synth_affect.web.serve.sessions import Session

PREVIEW_PX = 512
"""Longest side of the window that is drawn while a point is dragged."""
KEPT_SYNTHESIZERS = 12
KEPT_PREVIEWS = 4
"""Of a session: faces, and heads of a face."""
KEPT_FULL_PIXELS = 6_000_000
"""Of windows in full size, of all sessions together; the oldest go. A pixel takes some 80 bytes."""


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """A window with all that does not depend on what is asked."""

    window: FaceWindow
    scene: Scene


@dataclass(frozen=True, slots=True, eq=False)
class Drawn:
    """pixels : (height, width, 3) uint8, what stands in `window` now."""

    pixels: ImageArray
    window: FaceWindow


class Studio:
    """Safe to be used from several threads. A context manager.

    heads : names or files of head models that pages may ask for, the default first.  Pages know files by their name,
        not by where they lie.
    judges : read the results, beside MediaPipe.  landmark_model : of the detector, see `find_landmark_model`.
    """

    def __init__(
        self,
        heads: Sequence[str] = (DEFAULT,),
        judges: VerifierChoice | None = None,
        landmark_model: Path | None = None,
    ) -> None:
        """Raises InputError when two files have one name, or a detector or judge cannot be opened."""
        self._sources = _named(heads)
        self.heads = tuple(self._sources)
        self.judges = VerifierChoice() if judges is None else judges
        self.landmark_model = landmark_model
        self._held, self._closed = ExitStack(), False
        self._seeing, self._opening = threading.Lock(), threading.RLock()
        self._drawing = threading.BoundedSemaphore(os.cpu_count() or 1)
        self._full_size = threading.Lock()
        self._synthesizers: OrderedDict[tuple[str, ExpressionChoice], AffectSynthesizer] = OrderedDict()
        self._full: OrderedDict[tuple[str, Hashable], View] = OrderedDict()
        with ExitStack() as opened:
            self._detector = open_detector(DetectorChoice(landmark_model=landmark_model), small_faces=True)
            opened.callback(self._detector.close)
            self._verifier = opened.enter_context(OutputVerifier(self.judges, landmark_model))
            self._held = opened.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Free the detectors, when nobody looks through them any more."""
        with self._seeing:
            self._closed = True
            self._held.close()

    def find_faces(self, pixels: ImageArray) -> tuple[Landmarks, ...]:
        """All faces of a picture (height, width, 3), largest first. Raises InputError when the studio is closed."""
        with self._seeing:
            if self._closed:
                raise InputError("studio", "is closed")
            return tuple(self._detector.detect(pixels))

    def draw(self, session: Session, asked: Asked, *, full: bool) -> Drawn:
        """The window of the face as asked; reduced to PREVIEW_PX, or in the size in which the picture is shown.

        Raises InputError when this face cannot be drawn.
        """
        if not full:
            with self._drawing:
                view = self.preview(session, asked)
                return Drawn(self.paint(asked, view), view.window)
        wanted = replace(asked, number=0)
        latest = cast("tuple[Asked, Drawn] | None", session.cached.get("drawn"))
        if latest is not None and latest[0] == wanted:
            return latest[1]
        with self._full_size:  # one at a time: a large face takes a good part of the memory
            view = self._in_full(session, asked)
            drawn = Drawn(self.paint(asked, view), view.window)
        session.cached["drawn"] = (wanted, drawn)
        return drawn

    def edit(self, session: Session, asked: Asked) -> ImageArray:
        """The whole picture, in its own size and depth, as asked; what `draw` shows is smaller."""
        pixels, fit = session.upload.picture.pixels, self.fit(session, asked)
        scene = self.synthesizer(asked.head, ExpressionChoice()).prepare(pixels, fit)
        return self._synthesize(asked, pixels, fit, scene)

    def measured(self, session: Session, asked: Asked) -> ChosenFace:
        """The fit of the asked face with its quality, for records."""
        fit, synthesizer = self.fit(session, asked), self.synthesizer(asked.head, ExpressionChoice())
        measure = QualityMeter(synthesizer.head, synthesizer.solver)
        with self._opening:
            quality = measure(session.upload.picture.pixels, session.faces[asked.face], fit)
        return ChosenFace(asked.face, fit, quality)

    def read(self, session: Session, asked: Asked) -> dict[str, Any]:
        """What instruments read of the picture as `draw` shows it: JSON values, as in a sidecar of `--verify`."""
        drawn = self.draw(session, asked, full=True)
        before, scale, window = session.upload.shown, session.upload.shown_scale, drawn.window
        left, top, right, bottom = (
            round(scale * edge) for edge in (window.left, window.top, window.right, window.bottom)
        )
        after = before.copy()
        after[top:bottom, left:right] = cv2.resize(drawn.pixels, (right - left, bottom - top))
        key = ("looked", asked.face)
        with self._seeing:
            if key not in session.cached:
                x, y = scale * session.faces[asked.face].points_image[:, :2].mean(axis=0)
                session.cached[key] = self._verifier.look(before, (float(x), float(y)))
            looked = cast("JudgedInput | None", session.cached[key])
            return self._verifier.verify(looked, after, asked.target.point).described()

    def provenance(self, session: Session, asked: Asked, shows: str) -> Provenance:
        """Of what is drawn."""
        request = {**asked.described(), "shows": shows}
        return Provenance(request, synth_affect.__version__, self.fit(session, asked).head, session.upload.sha256)

    def fit(self, session: Session, asked: Asked) -> FaceFit:
        """Of the asked face with the asked head."""
        key = ("fit", asked.head, asked.face)
        found = session.cached.get(key)
        if found is None:
            synthesizer = self.synthesizer(asked.head, ExpressionChoice())
            try:
                with self._opening:
                    found = synthesizer.fit_landmarks(session.upload.picture.pixels, session.faces[asked.face])
            except (FitError, ShapeError) as error:
                raise InputError("face", f"no head fits it ({error})") from error
            session.cached[key] = found
        return cast(FaceFit, found)

    def synthesizer(self, head: str, expressions: ExpressionChoice) -> AffectSynthesizer:
        """The one for the head and the source of expressions; some are kept."""
        key = (head, expressions)
        with self._opening:
            if key in self._synthesizers:
                self._synthesizers.move_to_end(key)
                return self._synthesizers[key]
            model = open_head(self._sources[head])
            wrinkles = None
            if head != DEFAULT:
                from synth_affect.pipelines.carry_wrinkles import folds_on

                wrinkles = folds_on(model)
            made = AffectSynthesizer(model, None, wrinkles, open_expressions(expressions, model))
            self._synthesizers[key] = made
            while len(self._synthesizers) > KEPT_SYNTHESIZERS:
                self._synthesizers.popitem(last=False)
            return made

    def source_of(self, head: str) -> str:
        """The name or file behind the name that pages know."""
        return self._sources[head]

    def forget(self, key: str) -> None:
        """Drop what is kept of the session `key` beside itself."""
        with self._opening:
            for each in [each for each in self._full if each[0] == key]:
                del self._full[each]

    def warm_up(self) -> None:
        """Draw the demo's face with each head, so that the first page does not wait for files and compilers."""
        with contextlib.suppress(InputError):  # no demo, or the studio is closed already: a page will do it
            pixels = read_picture(find_demo_picture()).pixels
            faces = self.find_faces(pixels)[:1]
            for head, landmarks in itertools.product(self.heads, faces):
                synthesizer = self.synthesizer(head, ExpressionChoice())
                fit = synthesizer.fit_landmarks(pixels, landmarks)
                window = face_window(pixels, fit, synthesizer.head, longest_px=PREVIEW_PX)
                scene = synthesizer.prepare(window.pixels, window.fit)
                for valence, arousal in ((0.6, 0.3), (-0.5, 0.6)):
                    synthesizer.synthesize(window.pixels, window.fit, valence=valence, arousal=arousal, scene=scene)

    def paint(self, asked: Asked, view: View) -> ImageArray:
        """(height, width, 3) uint8: the pixels of the view's window as asked."""
        return self._synthesize(asked, view.window.pixels, view.window.fit, view.scene)

    def _synthesize(self, asked: Asked, pixels: ImageArray, fit: FaceFit, scene: Scene) -> ImageArray:
        synthesizer = self.synthesizer(asked.head, asked.expressions)
        return synthesize_target(synthesizer, pixels, fit, asked.target, scene).image

    def preview(self, session: Session, asked: Asked) -> View:
        """The window of the asked face at PREVIEW_PX; kept."""
        key = ("preview", asked.head, asked.face)
        view = session.cached.get(key)
        if view is None:
            view = session.cached[key] = self._view(session, asked, PREVIEW_PX)
            kept = [each for each in list(session.cached) if isinstance(each, tuple) and each[0] == "preview"]
            for each in kept[:-KEPT_PREVIEWS]:
                session.cached.pop(each, None)
        return cast(View, view)

    def whole_view(self, session: Session, asked: Asked, longest_px: int) -> View:
        """The whole picture, reduced to `longest_px`, with the asked face."""
        window = whole_window(session.upload.picture.pixels, self.fit(session, asked), longest_px)
        return View(window, self.synthesizer(asked.head, ExpressionChoice()).prepare(window.pixels, window.fit))

    def _in_full(self, session: Session, asked: Asked) -> View:
        key = (session.key, (asked.head, asked.face))
        with self._opening:
            if key in self._full:
                self._full.move_to_end(key)
                return self._full[key]
        view = self._view(session, asked)
        with self._opening:
            self._full[key] = view
            while sum(_n_pixels(each) for each in self._full.values()) > KEPT_FULL_PIXELS:
                self._full.popitem(last=False)
        return view

    def _view(self, session: Session, asked: Asked, longest_px: int | None = None) -> View:
        synthesizer, upload = self.synthesizer(asked.head, ExpressionChoice()), session.upload
        window = face_window(
            upload.picture.pixels,
            self.fit(session, asked),
            synthesizer.head,
            most_scale=upload.shown_scale,
            longest_px=longest_px,
        )
        return View(window, synthesizer.prepare(window.pixels, window.fit))


def _named(heads: Sequence[str]) -> dict[str, str]:
    """What pages call a head -> its name in the catalogue, or its file."""
    named: dict[str, str] = {}
    for head in dict.fromkeys(heads):
        name = Path(head).name
        if name in named:
            raise InputError("--head", f"{named[name]} and {head} have the same name; rename one")
        named[name] = head
    return named


def _n_pixels(view: View) -> int:
    return int(np.prod(view.window.pixels.shape[:2]))
