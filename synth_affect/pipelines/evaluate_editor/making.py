"""What an editor makes of photographs: a picture for every target, with a record beside each as soon as it is there."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import synth_affect
from synth_affect.affect import ValenceArousal
from synth_affect.arrays import ImageArray
from synth_affect.data.picture import Picture
from synth_affect.data.pictures import read_picture, write_picture
from synth_affect.data.provenance import Provenance, sha256_file
from synth_affect.editors.protocol import Editor
from synth_affect.errors import InputError, NoFaceError, SynthAffectError
from synth_affect.pipelines.evaluate_editor.background import background_change
from synth_affect.pipelines.evaluate_editor.photographs import Face, Refusal, reason_of
from synth_affect.pipelines.evaluate_editor.progress import Progress
from synth_affect.pipelines.evaluate_editor.records import PictureRecord, load_picture_record, record_path, save_record

MIB = 1 << 20


def make_pictures(
    editor: Editor, faces: Sequence[Face], targets: Sequence[ValenceArousal], progress: Progress
) -> tuple[list[Face], list[Refusal]]:
    """Faces of which every picture is there, and the others."""
    missing = {face.name: [t for t in targets if _made(editor, face, t) is None] for face in faces}
    refusals: list[Refusal] = []

    def made() -> Iterator[None]:
        for face in faces:
            wanted = missing[face.name]
            if not wanted:
                continue
            try:
                for _ in _edit_face(editor, face, wanted):
                    yield None
            except SynthAffectError as error:
                if isinstance(error, InputError) and not isinstance(error, NoFaceError) and _of_output(error, face):
                    raise
                refusals.append(Refusal(face.path, reason_of(error)))

    for _ in progress(made(), sum(map(len, missing.values())), "editing"):
        pass
    refused = {refusal.path for refusal in refusals}
    return [face for face in faces if face.path not in refused], refusals


def _of_output(error: InputError, face: Face) -> bool:
    """Whether it is the output that could not be written: the next face would fail like this one."""
    return Path(error.path).is_relative_to(face.folder)


def _made(editor: Editor, face: Face, target: ValenceArousal) -> PictureRecord | None:
    output = face.output(target)
    record = load_picture_record(output)
    if record is None or (record.input_sha256, record.editor) != (face.sha256, editor.fingerprint):
        return None
    return record if output.is_file() else None


def _edit_face(editor: Editor, face: Face, targets: Sequence[ValenceArousal]) -> Iterator[None]:
    picture = read_picture(face.path)
    face.folder.mkdir(parents=True, exist_ok=True)
    outputs = editor.edit(picture.pixels, targets)
    for number, target in enumerate(targets):
        started = time.perf_counter()
        pixels = next(outputs)
        seconds = time.perf_counter() - started
        output = face.output(target)
        _write_output(editor, picture, face, target, pixels, output)
        change = background_change(picture.pixels, pixels, face.points)
        record = PictureRecord(
            input_sha256=face.sha256,
            editor=editor.fingerprint,
            output_sha256=sha256_file(output),
            seconds=seconds,
            first=number == 0,
            peak_rss_mib=_peak_rss_mib(),
            peak_gpu_mib=_peak_gpu_mib(),
            background_mean=None if change is None else change.mean,
            background_share=None if change is None else change.share,
        )
        save_record(record, record_path(output))
        yield None


def _write_output(
    editor: Editor, picture: Picture, face: Face, target: ValenceArousal, pixels: ImageArray, output: Path
) -> None:
    request = {"valence": target.valence, "arousal": target.arousal, "editor": editor.name, "shows": "evaluation"}
    provenance = Provenance(request, synth_affect.__version__, editor.fingerprint, face.sha256)
    write_picture(pixels, output, picture, provenance)


def _peak_rss_mib() -> float | None:
    if sys.platform == "win32":
        return None
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / MIB if sys.platform == "darwin" else peak / 1024


def _peak_gpu_mib() -> float | None:
    torch = sys.modules.get("torch")  # an editor that uses it has imported it
    if torch is None or not torch.cuda.is_available() or not torch.cuda.is_initialized():
        return None
    return float(torch.cuda.max_memory_allocated()) / MIB
