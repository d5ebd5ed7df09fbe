"""Databases of stills of which the file names say what there is to know, read by a regular expression.

The groups of the expression are `subject`, for the person, and `code`, for what the picture shows; both may be left
out. A preset is the expression of a database, as far as its names are public; each part of it can be set.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType

from synth_affect.affect import Emotion
from synth_affect.data.faces.database import FaceDatabase, refuse_without_record, without_affect
from synth_affect.data.faces.folders import pictures_below
from synth_affect.data.faces.record import FaceItem, FaceRecord, Rejected, key_of
from synth_affect.errors import InputError

_RESEARCH = "is given for research"


@dataclass(frozen=True, slots=True)
class NamedPictures:
    """How a database names its pictures.

    pattern : of the whole name without its suffix, in any case; names that do not fit are turned down.
    neutral : codes of neutral faces; with none, nothing is said of that.  categories : of codes.
    ignore : of names that fit but are not wanted.  note : what is not known of the names.
    """

    title: str
    obtain: str
    pattern: str = r".*"
    neutral: tuple[str, ...] = ()
    categories: Mapping[str, Emotion] = field(default_factory=lambda: MappingProxyType({}))
    ignore: str = r"(?!)"
    note: str = ""


_PICS = "is one of the 2D face sets of PICS, University of Stirling, pics.stir.ac.uk, for research"
PRESETS: Mapping[str, NamedPictures] = MappingProxyType(
    {
        "face-place": NamedPictures(
            "Face Place",
            f"Face Place (Michael J. Tarr, Carnegie Mellon University) {_RESEARCH}",
            r"(?P<subject>[CAHBM][FM]\d{4})_(?P<code>\d{4})_00F",
            ignore=r"[CAHBM][FM]\d{4}_\d{4}_\d\d[FLR]",
            note="which codes are of a neutral face is not public; name them with the setting `neutral`",
        ),
        "fei": NamedPictures(
            "FEI, frontal pictures",
            f"the FEI face database {_RESEARCH}, fei.edu.br/~cet/facedatabase.html (frontalimages_manuallyaligned)",
            r"(?P<subject>\d{1,3})(?P<code>[ab])",
            neutral=("a",),
            categories=MappingProxyType({"a": Emotion.NEUTRAL, "b": Emotion.HAPPINESS}),
        ),
        "fei-originals": NamedPictures(
            "FEI, original pictures",
            f"the FEI face database {_RESEARCH}, fei.edu.br/~cet/facedatabase.html (originalimages)",
            r"(?P<subject>\d{1,3})-(?P<code>\d\d)",
            note="which number is the neutral face in front is not public (11 is often named); set `neutral`, or read "
            "the frontal pictures with `fei`",
        ),
        "pain": NamedPictures(
            "Pain expressions",
            f"Pain {_PICS}",
            r"(?P<subject>[fm]\d{1,2})(?P<code>n|a|d|f|h|sa|s)\d*",
            neutral=("n",),
            categories=MappingProxyType(
                {
                    "n": Emotion.NEUTRAL,
                    "a": Emotion.ANGER,
                    "d": Emotion.DISGUST,
                    "f": Emotion.FEAR,
                    "h": Emotion.HAPPINESS,
                    "sa": Emotion.SADNESS,
                    "s": Emotion.SURPRISE,
                }
            ),
            note="names were read in one public program only",
        ),
        "iranian-women": NamedPictures(
            "Iranian women",
            f"Iranian women {_PICS}",
            note="its names are not public: set `pattern` and `neutral` to tell people and neutral faces apart",
        ),
        "nottingham": NamedPictures(
            "Nottingham scans",
            f"Nottingham scans {_PICS}",
            note="its names are not public: set `pattern` and `neutral` to tell people and neutral faces apart",
        ),
        "names": NamedPictures("Pictures by their names", "name a folder of your own pictures"),
    }
)


def open_named_pictures(
    root: Path,
    preset: str,
    *,
    pattern: str | None = None,
    neutral: tuple[str, ...] | None = None,
    categories: Mapping[str, Emotion] | None = None,
) -> FaceDatabase:
    """All pictures in `root` and below that fit the preset.

    pattern, neutral, categories : in place of those of the preset, see `NamedPictures`.
    Raises InputError when `root` is no folder or the pattern no regular expression; at the end of the stream when no
    picture fits.
    """
    given = {"pattern": pattern, "neutral": neutral, "categories": categories}
    names = replace(PRESETS[preset], **{name: value for name, value in given.items() if value is not None})  # type: ignore[arg-type]
    if not root.is_dir():
        raise InputError(root, "a file, not a folder" if root.exists() else f"no such folder; {names.obtain}")
    try:
        fits = re.compile(names.pattern, re.IGNORECASE | re.ASCII)
    except (re.error, RecursionError, OverflowError) as error:
        raise InputError("pattern", f"{names.pattern[:80]!r} is no regular expression ({error})") from None
    if (names.neutral or names.categories) and "code" not in fits.groupindex:
        raise InputError("pattern", f"{names.pattern[:80]!r} has no group `code` for the codes of neutral faces")
    return FaceDatabase(
        name=preset,
        title=names.title,
        obtain=names.obtain,
        root=root,
        subjects="people" if "subject" in fits.groupindex else "none",
        notes=(names.note,) if names.note and pattern is None else (),
        read=without_affect(
            lambda: refuse_without_record(
                _read(root, names, fits), root, f"no picture with a name of {names.title} in it; {names.obtain}"
            )
        ),
    )


def _read(root: Path, names: NamedPictures, fits: re.Pattern[str]) -> Iterator[FaceItem]:
    neutral = {code.lower() for code in names.neutral}
    categories = {code.lower(): category for code, category in names.categories.items()}
    ignore = re.compile(names.ignore, re.IGNORECASE | re.ASCII)
    keys: set[str] = set()
    for path in pictures_below(root):
        found = fits.fullmatch(path.stem)
        key = key_of(*path.relative_to(root).parts[:-1], path.stem)
        if found is None:
            if ignore.fullmatch(path.stem) is None:
                yield Rejected(key, path, "its name does not fit the pattern")
            continue
        if key in keys:
            yield Rejected(key, path, "has the name of another, but for the suffix")
            continue
        keys.add(key)
        groups = {name: (text or "").lower() for name, text in found.groupdict().items()}
        code = groups.get("code", "")
        try:
            yield FaceRecord(
                key=key,
                path=path,
                subject=groups.get("subject") or None,
                category=categories.get(code),
                neutral=code in neutral if neutral else None,
            )
        except InputError as error:
            yield Rejected(key, path, error.reason)
