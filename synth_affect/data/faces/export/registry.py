"""The layouts that new pictures can be written in, by name."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from synth_affect.data.faces.affectnet import is_crops
from synth_affect.data.faces.database import FaceDatabase
from synth_affect.data.faces.export.afew_va import AfewVaLayout
from synth_affect.data.faces.export.aff_wild import AffWildLayout
from synth_affect.data.faces.export.aff_wild2 import AffWild2Layout
from synth_affect.data.faces.export.affectnet import AffectNetCropsLayout, AffectNetListsLayout
from synth_affect.data.faces.export.layout import ExportLayout
from synth_affect.data.faces.export.table import PlainLayout
from synth_affect.errors import InputError

SOURCE = "source"
"""Stands for the layout of the database that the sources are of."""

_LAYOUTS: tuple[ExportLayout, ...] = (
    AfewVaLayout(),
    AffWildLayout(),
    AffWild2Layout(),
    AffectNetCropsLayout(),
    AffectNetListsLayout(),
    PlainLayout(),
)
EXPORT_LAYOUTS: Mapping[str, ExportLayout] = MappingProxyType({layout.name: layout for layout in _LAYOUTS})


def open_export_layout(name: str, database: FaceDatabase) -> ExportLayout:
    """The layout `name`; "source" is that of `database`, and the plain one for a database without valence and arousal.

    Raises InputError for a name that is not known.
    """
    if name == SOURCE:
        name = database.name
        if name == "affectnet" and not is_crops(database.root):
            name = "affectnet-lists"
        if name not in EXPORT_LAYOUTS:
            name = "plain"
    if name not in EXPORT_LAYOUTS:
        raise InputError("--layout", f"{name!r} is none of {SOURCE}, {', '.join(EXPORT_LAYOUTS)}")
    return EXPORT_LAYOUTS[name]
