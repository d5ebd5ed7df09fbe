"""The files of one request: checked together before the work, written together after it."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from synth_affect.arrays import ImageArray
from synth_affect.data.atomic import atomic_write, check_writable
from synth_affect.data.picture import Picture
from synth_affect.data.picture_encoding import DEFAULT_QUALITY, encode_picture
from synth_affect.data.pictures import check_output
from synth_affect.data.provenance import Provenance, sidecar, sidecar_path
from synth_affect.errors import InputError


@dataclass(frozen=True, slots=True, eq=False)
class OutputPicture:
    """A picture that is to be written, with the sidecar that goes with it.

    pixels : (height, width, 3), of the dtype of `like`.  like : whose alpha, ICC profile and EXIF it keeps.
    fit : JSON values, for the sidecar.
    """

    path: Path
    pixels: ImageArray
    like: Picture
    provenance: Provenance
    fit: Mapping[str, Any]


def beside(image: Path, ending: str) -> Path:
    """The output for which no name was given: in the folder of `image`, named after it, `ending` in place of its
    suffix. Raises InputError when `image` names no file.
    """
    if not image.name:  # ".", "/" and the empty name
        raise InputError(image, "a folder, not a picture")
    return image.with_name(f"{image.stem}{ending}")


def check_output_paths(pictures: Sequence[Path], texts: Sequence[Path], inputs: Iterable[Path]) -> None:
    """Raises InputError when one of the outputs, sidecars included, cannot be written, is one of `inputs`, or is
    named twice, where names that differ in the case of their letters count as one.

    pictures : image files, each with a sidecar.  texts : other files.
    """
    inputs = tuple(inputs)
    for path in pictures:
        check_output(path, inputs)
    others = [*texts, *(sidecar_path(path) for path in pictures)]
    for path in others:
        check_writable(path, inputs)
    seen: set[str] = set()
    for path in (*pictures, *others):
        name = str(path.resolve()).casefold()  # one file where the file system ignores case
        if name in seen:
            raise InputError(path, "two outputs have this name")
        seen.add(name)


def write_together(
    pictures: Sequence[OutputPicture], texts: Mapping[Path, bytes], *, quality: int = DEFAULT_QUALITY
) -> None:
    """Writes every picture, its sidecar, and `texts`.

    All are written in full under temporary names, and only then renamed: texts first, each sidecar before its picture,
    the first of `pictures` last. When one cannot be written, nothing has changed. When a rename fails, or is
    interrupted, the files that were new by then are removed; a file that stood under one of their names is gone.

    quality : of pictures in a lossy format, 1 to 100.
    Raises InputError when one of them cannot be written.
    """
    files: dict[Path, bytes] = {}
    for picture in pictures:
        files[picture.path] = encode_picture(
            picture.pixels, picture.path, picture.like, picture.provenance, quality=quality
        )
        files[sidecar_path(picture.path)] = sidecar(picture.provenance, output=picture.path, fit=picture.fit)
    files.update(texts)
    written: dict[Path, os.stat_result] = {}
    try:
        with contextlib.ExitStack() as names:  # when it closes, temporary names become final ones, the last one first
            for path, content in files.items():
                file = names.enter_context(atomic_write(path))
                try:
                    file.write(content)
                    file.flush()
                    os.fsync(file.fileno())  # a disk that is full says so now, before the first of the names appears
                except OSError as error:  # caught here, where it is known which of the files it was
                    raise InputError(path, f"cannot be written ({error.strerror or error})") from error
                written[path] = os.fstat(file.fileno())
    except BaseException:
        for path, status in written.items():
            _remove_if_it_is(path, status)
        raise


def _remove_if_it_is(path: Path, status: os.stat_result) -> None:
    """Removes the file that `path` names or points to, if it is the one of `status`: one not renamed is not."""
    with contextlib.suppress(OSError):
        if os.path.samestat(path.stat(), status):
            path.resolve().unlink()
