"""The 3D and 4D databases that can be read, by name."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from synth_affect.data import bosphorus, bu_3dfe, bu_4dfe, coma, d3dfacs, four_dfab, kf_itw
from synth_affect.data.scan_layout import ScanLayout
from synth_affect.data.scan_records import ScanSequence
from synth_affect.errors import InputError


@dataclass(frozen=True, slots=True)
class ScanDatabase:
    """title, obtain : for people.  read : all its recordings below a folder.
    layout : how its files lie, where that is no more than a proposal; `read_with_layout` then takes another.
    """

    title: str
    obtain: str
    read: Callable[[Path], Iterator[ScanSequence]]
    layout: ScanLayout | None = None
    read_with_layout: Callable[[Path, ScanLayout], Iterator[ScanSequence]] | None = None


SCAN_DATABASES = MappingProxyType(
    {
        "4dfab": ScanDatabase(
            "4DFAB",
            four_dfab.OBTAIN,
            four_dfab.read_4dfab,
            four_dfab.LAYOUT,
            lambda root, layout: four_dfab.read_4dfab(root, layout=layout),
        ),
        "bu-3dfe": ScanDatabase("BU-3DFE", bu_3dfe.OBTAIN, bu_3dfe.read_bu_3dfe),
        "bu-4dfe": ScanDatabase("BU-4DFE", bu_4dfe.OBTAIN, bu_4dfe.read_bu_4dfe),
        "bosphorus": ScanDatabase("Bosphorus", bosphorus.OBTAIN, bosphorus.read_bosphorus),
        "kf-itw": ScanDatabase(
            "KF-ITW",
            kf_itw.OBTAIN,
            kf_itw.read_kf_itw,
            kf_itw.LAYOUT,
            lambda root, layout: kf_itw.read_kf_itw(root, layout=layout),
        ),
        "coma": ScanDatabase("CoMA", coma.OBTAIN, coma.read_coma),
        "d3dfacs": ScanDatabase("D3DFACS", d3dfacs.OBTAIN, d3dfacs.read_d3dfacs),
    }
)
"""The choices of `--database`."""


def read_scans(database: str, root: Path, *, layout: ScanLayout | None = None) -> Iterator[ScanSequence]:
    """The recordings of the database called `database` below `root`.

    layout : for a database without a public tree.
    Raises InputError for a name that is not in SCAN_DATABASES, a layout where there is one already, and, at the latest
    at the end, when the files below `root` do not lie as they should.
    """
    found = SCAN_DATABASES.get(database)
    if found is None:
        raise InputError("--database", f"{database!r} is none of {', '.join(SCAN_DATABASES)}")
    if layout is None:
        return found.read(root)
    if found.read_with_layout is None:
        raise InputError(layout.option, f"the files of {found.title} lie in one way only")
    return found.read_with_layout(root, layout)
