"""The packaged default head (CC0), built by tools/build_cc0_head.py from MakeHuman data."""

from __future__ import annotations

from importlib.resources import as_file, files

from synth_affect.heads.archive import load_head
from synth_affect.heads.model import HeadModel

FILE_NAME = "cc0_head.npz"


def load_cc0() -> HeadModel:
    """The embedded head: an adult mean face, identity from MakeHuman's phenotypes, the 52 ARKit units."""
    with as_file(files("synth_affect.heads") / FILE_NAME) as path:
        return load_head(path)
