"""The editors that can be evaluated, by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from synth_affect.editors.protocol import Editor
from synth_affect.errors import InputError


def open_editor(name: str) -> Editor:
    """Raises InputError for another name than those of EDITORS."""
    if name not in EDITORS:
        raise InputError("--editor", f"{name!r} is none of {', '.join(EDITORS)}")
    return EDITORS[name]()


def _three_dmm() -> Editor:
    from synth_affect.pipelines.three_dmm_editor import ThreeDmmEditor

    return ThreeDmmEditor()


EDITORS: Mapping[str, Callable[[], Editor]] = {"3dmm": _three_dmm}
