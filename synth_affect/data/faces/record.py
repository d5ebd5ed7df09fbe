"""What a reader of a database of pictures gives for each picture or frame: a record, or why it was turned down.

Nothing of a picture is opened here; a record says where it lies and what the database knows of it.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias
from urllib.parse import quote

import numpy as np

from synth_affect.affect import Emotion
from synth_affect.arrays import FloatArray, readonly
from synth_affect.errors import InputError

Split = Literal["train", "validation", "test"]
Box: TypeAlias = tuple[float, float, float, float]
"""Left, top, right, bottom, px."""

MAX_KEY = 400
_KEY = re.compile(r"(?!\.{1,2}(?:/|$))[^/\\:*?\"<>|\x00-\x1f\x7f\ud800-\udfff]{1,200}(?:/(?!\.{1,2}(?:/|$))"
                  r"[^/\\:*?\"<>|\x00-\x1f\x7f\ud800-\udfff]{1,200})*")  # fmt: skip
_NAME = re.compile(r"[^\x00-\x1f\x7f\ud800-\udfff]{1,200}")
_QUOTED = re.compile(r"[%/\\:*?\"<>|\x00-\x1f\x7f\ud800-\udfff]|^\.|[. ]$|^~")


@dataclass(frozen=True, slots=True, eq=False)
class FaceRecord:
    """One picture, or one frame of a video.

    key : unique in its database; a relative posix path without extension that is safe as the name of an output.
    path : the picture, or the video that holds it.  frame : 0-based index in the video; None for a picture.
    subject, sequence : names of the person and of the recording; None where the database has none.
    valence, arousal : in [-1, 1], or both NaN where the database has none.
    category : where the database has one of ours.
    neutral : what the database itself says of the face; None where it says nothing.
    landmarks : (68, 2) float32, px, in ibug's order; (0, 0) is the corner of the first pixel, as far as the database
        says where its own lies.
    box : of the face.  split : that the picture belongs to; None in a database without.
    Raises InputError when the key is not safe, a name could not be written, or a label is not in its range.
    """

    key: str
    path: Path
    frame: int | None = None
    subject: str | None = None
    sequence: str | None = None
    valence: float = math.nan
    arousal: float = math.nan
    category: Emotion | None = None
    neutral: bool | None = None
    landmarks: FloatArray | None = None
    box: Box | None = None
    split: Split | None = None

    def __post_init__(self) -> None:
        check_key(self.key)
        for what, name in (("subject", self.subject), ("sequence", self.sequence)):
            if name is not None and _NAME.fullmatch(name) is None:
                raise InputError(self.key, f"its {what} {name[:40]!a} is no name in UTF-8 of up to 200 characters")
        if not _is_utf8(str(self.path)):
            raise InputError(self.key, f"the name of its file, {str(self.path)!a}, is not UTF-8; rename it")
        labelled = -1 <= self.valence <= 1 and -1 <= self.arousal <= 1
        if not labelled and not (math.isnan(self.valence) and math.isnan(self.arousal)):
            raise InputError(self.key, f"valence {self.valence:g}, arousal {self.arousal:g} are not in [-1, 1]")
        if self.frame is not None and self.frame < 0:
            raise InputError(self.key, f"frame {self.frame} is not 0 or more")
        if self.landmarks is not None:
            object.__setattr__(self, "landmarks", readonly(self.landmarks, "landmarks", (68, 2), np.float32))
        if self.box is not None:
            left, top, right, bottom = self.box
            if not (-math.inf < left < right < math.inf and -math.inf < top < bottom < math.inf):
                raise InputError(self.key, f"{self.box} is no box")

    @property
    def has_affect(self) -> bool:
        """Whether there are valence and arousal."""
        return not math.isnan(self.valence)


@dataclass(frozen=True, slots=True)
class Rejected:
    """What a reader turned down.

    key : of the picture, or a name for the group of pictures.  path : the file at fault.
    count : pictures or lines that the reason is of.
    """

    key: str
    path: Path
    reason: str
    count: int = 1

    def __post_init__(self) -> None:
        # All of it goes into messages and lists, so it must be something that can be written.
        object.__setattr__(self, "key", _readable(self.key))
        object.__setattr__(self, "reason", _readable(self.reason))
        if not _is_utf8(str(self.path)):
            object.__setattr__(self, "path", Path(_readable(str(self.path))))


FaceItem: TypeAlias = FaceRecord | Rejected


def _readable(text: str) -> str:
    return text if _is_utf8(text) else text.encode("utf-8", "replace").decode()


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def check_key(key: str) -> None:
    """Raises InputError when `key` could leave an output folder, or has a character that some system has in no name."""
    if len(key) > MAX_KEY or _KEY.fullmatch(key) is None:
        raise InputError(repr(key[:80]), "is no name for an output")


def key_of(*names: str) -> str:
    """A key of names that may hold any character: what is not safe in one becomes %XX, so different names stay so."""
    return "/".join(_QUOTED.sub(_quote, name) or "%" for name in names)


def _quote(match: re.Match[str]) -> str:
    character = match[0]
    if character in "%./~ " or ord(character) < 128:
        return f"%{ord(character):02X}"
    # A byte of a name that is no UTF-8 comes as a lone surrogate, and is that byte again; other halves are spelled out.
    is_byte = "\udc80" <= character <= "\udcff"
    return quote(character.encode("utf-8", "surrogateescape" if is_byte else "surrogatepass"))
