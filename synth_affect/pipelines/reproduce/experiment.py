"""What an experiment of a paper is given, and what it gives."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from synth_affect.editors.neural_editor import CropEditor
from synth_affect.editors.weights import StoredEditor
from synth_affect.pipelines.open_editor import open_crop_editor
from synth_affect.pipelines.training.editor_faces import EditorParts

if TYPE_CHECKING:
    from PIL import Image

Progress = Callable[[Iterable[Any], int, str], Iterable[Any]]


@dataclass(frozen=True, slots=True, eq=False)
class Materials:
    """stored : the network.  parts : faces; training and validation people are those that its card names, all others
    are tested.  device : cpu or cuda.  seed : of what is drawn.  progress : of (items, their count, what is done).
    """

    stored: StoredEditor
    parts: EditorParts
    device: str
    seed: int
    progress: Progress

    def open_editor(self) -> CropEditor:
        """The network as an editor of crops. Raises InputError for one that edits nothing."""
        return open_crop_editor(self.stored, self.device)


@dataclass(frozen=True, slots=True, eq=False)
class Result:
    """picture : the figure, where it is one.  figures : numbers of it, or the table: JSON values."""

    picture: Image.Image | None = None
    figures: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Experiment:
    """title : what it shows, in a line.  run : does it. Raises InputError for faces that it cannot be done with."""

    title: str
    run: Callable[[Materials], Result]
