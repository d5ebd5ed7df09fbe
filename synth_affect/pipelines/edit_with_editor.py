"""One picture file edited by any editor: the 3DMM way, or a neural one with its weights."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import synth_affect
from synth_affect.affect import Emotion, ValenceArousal
from synth_affect.data.picture_encoding import DEFAULT_QUALITY, check_quality
from synth_affect.data.pictures import read_picture
from synth_affect.data.provenance import Provenance, sha256_file, sidecar_path
from synth_affect.errors import FitError, InputError, NoFaceError
from synth_affect.pipelines.open_editor import EditorChoice, open_editor
from synth_affect.pipelines.output_files import OutputPicture, check_output_paths, write_together


@dataclass(frozen=True, slots=True)
class EditorRequest:
    """image : the photograph; its largest face is edited.  output : the picture to write; a sidecar goes with it.
    emotion : the category that `point` is of, for the record; None where none was named.
    quality : of pictures in a lossy format, 1 to 100.
    """

    image: Path
    point: ValenceArousal
    output: Path
    editor: EditorChoice
    emotion: Emotion | None = None
    quality: int = DEFAULT_QUALITY

    def __post_init__(self) -> None:
        check_quality(self.quality)


def edit_with_editor(request: EditorRequest) -> dict[str, Any]:
    """Edit, and write picture and sidecar; returns a summary as JSON values.

    Raises InputError when an input cannot be used or an output cannot be written; then nothing is.
    """
    weights = () if request.editor.weights is None else (request.editor.weights,)
    check_output_paths([request.output], [], (request.image, *weights))
    picture = read_picture(request.image)
    digest = sha256_file(request.image)
    with closing(open_editor(request.editor)) as editor:
        try:
            edited = next(iter(editor.edit(picture.pixels, [request.point])))
        except NoFaceError:
            raise NoFaceError(request.image) from None
        except FitError as error:
            raise InputError(request.image, str(error)) from error
        asked = {
            "valence": request.point.valence,
            "arousal": request.point.arousal,
            "category": request.emotion,
            "editor": editor.name,
            "face": "largest",
            "shows": "edit",
        }
        made_by = {"editor": editor.name, "fingerprint": editor.fingerprint, "device": editor.device}
        # A card's list of data says where they lay on somebody's disk; here their names are enough.
        about = {name: editor.about.get(name) for name in ("licence", "weights_sha256", "size_px")}
        provenance = Provenance(asked, synth_affect.__version__, editor.fingerprint, digest)
    summary = {**made_by, **{name: value for name, value in about.items() if value is not None}}
    write_together([OutputPicture(request.output, edited, picture, provenance, summary)], {}, quality=request.quality)
    return {
        "input": str(request.image),
        "input_sha256": digest,
        "output": str(request.output),
        "sidecar": str(sidecar_path(request.output)),
        "version": synth_affect.__version__,
        "request": asked,
        **summary,
    }
