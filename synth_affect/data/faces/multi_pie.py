"""Multi-PIE (CMU): 337 people in up to four sessions, from 15 sides, under 20 lights, with some expressions.

`session<SS>/multiview/<subject>/<recording>/<camera>/<subject>_<session>_<recording>_<camera>_<shot>.png`, such as
`session01/multiview/001/01/05_1/001_01_01_051_07.png`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from types import MappingProxyType

from synth_affect.affect import Emotion
from synth_affect.data.faces.database import FaceDatabase, refuse_without_record, without_affect
from synth_affect.data.faces.folders import find_root, folders_in, pictures_below
from synth_affect.data.faces.record import FaceItem, FaceRecord, key_of

TITLE = "Multi-PIE"
OBTAIN = "Multi-PIE is licensed by Carnegie Mellon University, multipie.org"
FRONTAL, FLASH_IN_FRONT = "051", "07"
RECORDINGS = MappingProxyType(
    {
        ("01", "01"): "neutral",
        ("01", "02"): "smile",
        ("02", "01"): "neutral",
        ("02", "02"): "surprise",
        ("02", "03"): "squint",
        ("03", "01"): "neutral",
        ("03", "02"): "smile",
        ("03", "03"): "disgust",
        ("04", "01"): "neutral",
        ("04", "02"): "neutral",
        ("04", "03"): "scream",
    }
)
"""What was asked for, by session and recording. Squint and scream are none of our emotions."""
CATEGORIES = {
    "neutral": Emotion.NEUTRAL,
    "smile": Emotion.HAPPINESS,
    "surprise": Emotion.SURPRISE,
    "disgust": Emotion.DISGUST,
}
_NAME = re.compile(r"(\d{3})_(\d\d)_(\d\d)_(\d{3})_(\d\d)", re.ASCII)
_CAMERA = re.compile(r"\d\d_\d", re.ASCII)


def open_multi_pie(
    root: Path, *, cameras: tuple[str, ...] = (FRONTAL,), shots: tuple[str, ...] = (FLASH_IN_FRONT,)
) -> FaceDatabase:
    """People by their number, the same in all sessions.

    cameras : such as 051, which is in front.  shots : 00 to 19, by which light shines; 07 is the flash in front, 00 and
    19 are the light of the room.
    Raises InputError when `root` is not laid out so.
    """
    found = find_root(
        root, _holds_sessions, expected="folder session01/multiview of Multi-PIE", obtain=OBTAIN, above=False
    )
    chosen = f"no picture of cameras {', '.join(cameras)} and shots {', '.join(shots)} below it; {OBTAIN}"
    return FaceDatabase(
        name="multi-pie",
        title=TITLE,
        obtain=OBTAIN,
        root=found,
        subjects="people",
        notes=(f"read: cameras {', '.join(cameras)}, shots {', '.join(shots)}",),
        read=without_affect(lambda: refuse_without_record(_read(found, cameras, shots), found, chosen)),
    )


def _sessions(folder: Path) -> list[Path]:
    return [entry for entry in folders_in(folder) if re.fullmatch(r"session\d\d", entry.name, re.IGNORECASE)]


def _holds_sessions(folder: Path) -> bool:
    return any((entry / "multiview").is_dir() for entry in _sessions(folder))


def _read(root: Path, cameras: tuple[str, ...], shots: tuple[str, ...]) -> Iterator[FaceItem]:
    def other_camera(folder: Path) -> bool:
        return _CAMERA.fullmatch(folder.name) is not None and folder.name.replace("_", "") not in cameras

    for session in _sessions(root):
        for path in pictures_below(session / "multiview", other_camera):
            name = _NAME.fullmatch(path.stem)
            if name is None or name[4] not in cameras or name[5] not in shots:
                continue
            asked = RECORDINGS.get((name[2], name[3]), "")
            yield FaceRecord(
                key=key_of(name[1], path.stem),
                path=path,
                subject=name[1],
                sequence=f"{name[2]}-{name[3]}",
                category=CATEGORIES.get(asked),
                neutral=asked == "neutral" if asked else None,
            )
