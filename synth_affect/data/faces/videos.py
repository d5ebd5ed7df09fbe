"""How many frames a video has, for readers of databases; nothing of it is decoded."""

from __future__ import annotations

from pathlib import Path

from synth_affect.errors import InputError

MAX_FRAMES = 10_000_000
"""Four days at 30 a second; a header that announces more is damaged."""


def count_frames(path: Path) -> int:
    """Frames of a video, as its container announces them. Raises InputError when it is no video that can be opened."""
    from synth_affect.data.video_frames import VideoFile  # brings OpenCV, which readers of pictures do without

    try:
        with path.open("rb") as file:
            head = file.read(12)
    except OSError as error:
        raise InputError(path, f"cannot be read ({error.strerror})") from error
    if not _is_container(head):
        raise InputError(path, "is no video")
    with VideoFile(path) as video:
        announced = video.announced
    if not 1 <= announced <= MAX_FRAMES:
        raise InputError(path, f"announces {announced} frames")
    return announced


def _is_container(head: bytes) -> bool:
    """Whether a file begins as a video. Playlists do not: the decoder would open what they name, anywhere."""
    return (
        head[4:8] in (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip")
        or (head[:4] == b"RIFF" and head[8:11] == b"AVI")
        or head[:4] in (b"\x1a\x45\xdf\xa3", b"\x00\x00\x01\xba", b"\x00\x00\x01\xb3", b"\x30\x26\xb2\x75")
        or head[:3] == b"FLV"
    )
