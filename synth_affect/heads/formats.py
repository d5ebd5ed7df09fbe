"""Which model a file or folder holds, by its content, and what reads it."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

from synth_affect.errors import InputError
from synth_affect.heads import basel_2009, basel_2017, flame, gnm, lsfm, matlab, surrey
from synth_affect.heads.foreign import ForeignHead
from synth_affect.heads.ict_folder import shapes_folder

PACKED, ICT = "packed", "ict"
FOREIGN: Mapping[str, Callable[[Path], ForeignHead]] = {
    gnm.NAME: gnm.load_gnm,
    flame.NAME: flame.load_flame,
    basel_2009.NAME: basel_2009.load_basel_2009,
    basel_2017.NAME: basel_2017.load_basel_2017,
    lsfm.NAME: lsfm.load_lsfm,
    surrey.NAME: surrey.load_surrey,
}
"""What reads the models that have to be furnished."""
PICKLE_SUFFIXES = (".pkl", ".pickle")


def recognise(path: Path) -> str:
    """PACKED, ICT or a name of FOREIGN. Raises InputError when `path` is absent or none of them."""
    if path.is_dir():
        if shapes_folder(path) is not None:
            return ICT
        raise InputError(path, "a folder without ICT-FaceKit's generic_neutral_mesh.obj")
    try:
        with path.open("rb") as file:
            start = file.read(64)
    except FileNotFoundError:
        raise InputError(path, "no such file") from None
    except OSError as error:
        raise InputError(path, f"cannot be read ({error.strerror})") from error
    if start[:2] == b"PK":
        return _of_archive(path)
    if start.startswith(basel_2017.MAGIC):
        return basel_2017.NAME
    if path.suffix.lower() in PICKLE_SUFFIXES:
        return flame.NAME
    if start.startswith(b"MATLAB") or path.suffix.lower() == ".mat":
        return lsfm.NAME if "trilist" in matlab.variables(path) else basel_2009.NAME
    if start.startswith(surrey.VERSION):
        return surrey.NAME
    raise InputError(path, "not a head model that can be read; synth-affect models list says which there are")


def _of_archive(path: Path) -> str:
    try:
        with zipfile.ZipFile(path) as archive:
            members = set(archive.namelist())
    except (OSError, zipfile.BadZipFile) as error:
        raise InputError(path, f"not a packed head model ({error})") from error
    if "meta.npy" in members:
        return PACKED
    if f"{gnm.MEMBER}.npy" in members:
        return gnm.NAME
    if "polygons.npy" in members:
        return ICT
    inside = [name for name in members if Path(name).suffix.lower() in PICKLE_SUFFIXES]
    if inside:
        raise InputError(path, f"unpack it, and give {Path(inside[0]).name}")
    raise InputError(path, "an archive without a head model")
