"""The databases of pictures and videos that can be read, by name, and what of each can be set."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, get_args

from synth_affect.data.faces import afew_va, aff_wild, picture_folder, picture_table
from synth_affect.data.faces.database import FaceDatabase
from synth_affect.data.sequence_labels import NO, YES
from synth_affect.errors import InputError


@dataclass(frozen=True, slots=True)
class Setting:
    """Of a reader. parse : its value from text; raises ValueError that says what is wrong.  help : one clause."""

    parse: Callable[[str], Any]
    help: str


@dataclass(frozen=True, slots=True)
class FaceDatabaseKind:
    """title, obtain : for people.  open : the reader; takes the folder (or file) and the settings by name.
    settings : what a copy may need said, because the layout is not public or public readers disagree.
    """

    title: str
    obtain: str
    open: Callable[..., FaceDatabase]
    settings: Mapping[str, Setting] = MappingProxyType({})


def _one_of(*names: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if text not in names:
            raise ValueError(f"{text!r} is none of {', '.join(names)}")
        return text

    return parse


def _yes_or_no(text: str) -> bool:
    if text.lower() not in (YES | NO) - {""}:
        raise ValueError(f"{text!r} is neither yes nor no")
    return text.lower() in YES


FACE_DATABASES: Mapping[str, FaceDatabaseKind] = MappingProxyType(
    {
        "afew-va": FaceDatabaseKind(afew_va.TITLE, afew_va.OBTAIN, afew_va.open_afew_va),
        "aff-wild": FaceDatabaseKind(
            aff_wild.TITLE,
            aff_wild.OBTAIN,
            aff_wild.open_aff_wild,
            {"pairing": Setting(_one_of(*get_args(aff_wild.Pairing)), "what the lines of a label file belong to")},
        ),
        "folder": FaceDatabaseKind(
            picture_folder.TITLE,
            picture_folder.OBTAIN,
            picture_folder.open_picture_folder,
            {"subjects": Setting(_one_of("none", "first-folder"), "what tells people apart")},
        ),
        "csv": FaceDatabaseKind(
            picture_table.TITLE,
            picture_table.OBTAIN,
            picture_table.open_picture_table,
            {
                "pictures": Setting(str, "the folder that relative paths start from"),
                "outside": Setting(_yes_or_no, "whether paths may leave that folder"),
            },
        ),
    }
)


def open_face_database(name: str, root: Path, settings: Mapping[str, str] = MappingProxyType({})) -> FaceDatabase:
    """The database `name` at `root`: its own folder, one up to two levels above it, or one of its parts.

    settings : texts, by the names in FACE_DATABASES.
    Raises InputError when there is no such database or setting, or something of the layout is missing; it says what,
    and where the database comes from.
    """
    kind = FACE_DATABASES.get(name)
    if kind is None:
        raise InputError("--database", f"{name!r} is none of {', '.join(FACE_DATABASES)}")
    values = {}
    for setting, text in settings.items():
        if setting not in kind.settings:
            known = ", ".join(kind.settings) or "nothing"
            raise InputError("--database-setting", f"{setting!r} cannot be set for {name}; what can: {known}")
        try:
            values[setting] = kind.settings[setting].parse(text)
        except ValueError as error:
            raise InputError("--database-setting", f"{setting}: {error}") from None
    return kind.open(root, **values)
