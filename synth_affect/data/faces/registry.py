"""The databases of pictures and videos that can be read, by name, and what of each can be set."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any, get_args

from synth_affect.affect import Emotion
from synth_affect.data.faces import (
    afew,
    afew_va,
    aff_wild,
    aff_wild2,
    affectnet,
    affectnet_crops,
    affectnet_lists,
    celeba,
    ck_plus,
    ferg_db,
    multi_pie,
    named_pictures,
    oulu_casia,
    picture_folder,
    picture_table,
    raf_db,
    scan_pictures,
)
from synth_affect.data.faces.database import FaceDatabase
from synth_affect.data.faces.folders import has_below
from synth_affect.data.scan_databases import SCAN_DATABASES
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
    settings: Mapping[str, Setting] = field(default_factory=dict)


def _one_of(choice: Any) -> Callable[[str], str]:
    names: tuple[str, ...] = get_args(choice)

    def parse(text: str) -> str:
        if text not in names:
            raise ValueError(f"{text!r} is none of {', '.join(names)}")
        return text

    return parse


def _yes_or_no(text: str) -> bool:
    if text.lower() not in (YES | NO) - {""}:
        raise ValueError(f"{text!r} is neither yes nor no")
    return text.lower() in YES


def _count(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 7 and int(text) >= 1):
        raise ValueError(f"{text!r} is not 1 or more")
    return int(text)


def _words(text: str) -> tuple[str, ...]:
    words = tuple(word.strip() for word in text.split(","))
    if not all(words):
        raise ValueError(f"{text!r} has an empty part")
    return words


def _categories(text: str) -> dict[str, Emotion]:
    pairs = [word.partition("=") for word in _words(text)]
    unknown = next((name for _, _, name in pairs if name not in tuple(Emotion)), None)
    if unknown is not None:
        raise ValueError(f"{unknown!r} is none of {', '.join(Emotion)}")
    return {code: Emotion(name) for code, _, name in pairs}


def _open_affectnet(root: Path, **settings: Any) -> FaceDatabase:
    if has_below(root, affectnet.is_crops):
        if settings:
            raise InputError("--database-setting", f"{next(iter(settings))!r} is of AffectNet's release of 2017")
        return affectnet_crops.open_affectnet_crops(root)
    return affectnet_lists.open_affectnet_lists(root, **settings)


_NAMED = MappingProxyType(
    {
        "pattern": Setting(str, "regular expression of the names, with groups `subject` and `code`"),
        "neutral": Setting(_words, "codes of neutral faces, with commas"),
        "categories": Setting(_categories, "emotions of codes, `h=happiness,a=anger`"),
    }
)
_TEMPLATES = MappingProxyType(
    {
        "meshes": Setting(str, "where the scans lie, `{subject}/{sequence}.obj`"),
        "textures": Setting(str, "where their pictures lie, `{subject}/{sequence}.png`"),
    }
)

FACE_DATABASES: Mapping[str, FaceDatabaseKind] = MappingProxyType(
    {
        "aff-wild": FaceDatabaseKind(
            aff_wild.TITLE,
            aff_wild.OBTAIN,
            aff_wild.open_aff_wild,
            {
                "pairing": Setting(
                    _one_of(aff_wild.Pairing), "what the lines of a label file belong to: frames or boxes"
                )
            },
        ),
        "aff-wild2": FaceDatabaseKind(
            aff_wild2.TITLE,
            aff_wild2.OBTAIN,
            aff_wild2.open_aff_wild2,
            {
                "task": Setting(_one_of(aff_wild2.Task), "whose labels are read: va or expr"),
                "annotations": Setting(str, "the folder with Train_Set, where there are several"),
            },
        ),
        "afew-va": FaceDatabaseKind(afew_va.TITLE, afew_va.OBTAIN, afew_va.open_afew_va),
        "affectnet": FaceDatabaseKind(
            affectnet.TITLE,
            affectnet.OBTAIN,
            _open_affectnet,
            {"lists": Setting(_one_of(affectnet_lists.Lists), "of the release of 2017: manual or automatic labels")},
        ),
        "multi-pie": FaceDatabaseKind(
            multi_pie.TITLE,
            multi_pie.OBTAIN,
            multi_pie.open_multi_pie,
            {
                "cameras": Setting(_words, "numbers of cameras, with commas [051, in front]"),
                "shots": Setting(_words, "numbers of lights, with commas [07, flash in front]"),
            },
        ),
        **{
            name: FaceDatabaseKind(
                preset.title, preset.obtain, partial(named_pictures.open_named_pictures, preset=name), _NAMED
            )
            for name, preset in named_pictures.PRESETS.items()
        },
        "afew": FaceDatabaseKind(
            afew.TITLE, afew.OBTAIN, afew.open_afew, {"every": Setting(_count, "read each n-th frame [1]")}
        ),
        "oulu-casia": FaceDatabaseKind(
            oulu_casia.TITLE,
            oulu_casia.OBTAIN,
            oulu_casia.open_oulu_casia,
            {
                "camera": Setting(_one_of(oulu_casia.Camera), "VL (visible) or NI (near infrared)"),
                "light": Setting(_one_of(oulu_casia.Light), "Strong, Weak or Dark"),
                "apex": Setting(_count, "frames at the end of a sequence that carry its emotion [3]"),
            },
        ),
        "ck-plus": FaceDatabaseKind(
            ck_plus.TITLE,
            ck_plus.OBTAIN,
            ck_plus.open_ck_plus,
            {"apex": Setting(_count, "frames at the end of a sequence that carry its emotion [1]")},
        ),
        "ferg-db": FaceDatabaseKind(ferg_db.TITLE, ferg_db.OBTAIN, ferg_db.open_ferg_db),
        "celeba": FaceDatabaseKind(celeba.TITLE, celeba.OBTAIN, celeba.open_celeba),
        "raf-db": FaceDatabaseKind(
            raf_db.TITLE,
            raf_db.OBTAIN,
            raf_db.open_raf_db,
            {"pictures": Setting(_one_of(raf_db.Pictures), "original or aligned")},
        ),
        **{
            name: FaceDatabaseKind(
                f"{SCAN_DATABASES[name].title}, pictures of the scans",
                SCAN_DATABASES[name].obtain,
                partial(scan_pictures.open_scan_pictures, database=name),
                _TEMPLATES if name in scan_pictures.NEEDS_TEMPLATE else MappingProxyType({}),
            )
            for name in scan_pictures.NAMES
        },
        "folder": FaceDatabaseKind(
            picture_folder.TITLE,
            picture_folder.OBTAIN,
            picture_folder.open_picture_folder,
            {"subjects": Setting(_one_of(picture_folder.SubjectsOfFolders), "what tells people apart")},
        ),
        "csv": FaceDatabaseKind(
            picture_table.TITLE,
            picture_table.OBTAIN,
            picture_table.open_picture_table,
            {
                "pictures": Setting(str, "the folder that relative paths start from [that of the file]"),
                "outside": Setting(_yes_or_no, "whether paths may leave that folder [no]"),
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
