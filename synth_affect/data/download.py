"""Files from the network: whole and with the right sum, or not there; a download that broke off goes on."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import IO

from synth_affect.data.provenance import sha256_file
from synth_affect.errors import InputError

CHUNK_BYTES = 1 << 16
TIMEOUT_S = 30
PARTIAL_CONTENT, RANGE_NOT_SATISFIABLE = 206, 416
Progress = Callable[[Iterable[bytes], int], Iterable[bytes]]
"""Shows how far it is: given the pieces that arrive and their count, gives them back one by one."""


def download(
    url: str,
    target: Path,
    sha256: str | None,
    *,
    otherwise: str = "",
    progress: Progress = lambda pieces, count: pieces,
) -> None:
    """Put the file behind `url` under `target`, whose folder is made.

    sha256 : what the file must have; None where `target` is checked by its reader.
    otherwise : what a user without a network does; by default, put the file there by hand.
    What has arrived stays beside `target`, with `.part` behind its name, and is not fetched again.
    Raises InputError: no network, an answer that is no file, a wrong sum; then `target` is as it was.
    """
    part = target.with_name(target.name + ".part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with part.open("ab") as file:
            _fetch_rest(url, file, progress)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:  # requests' errors are OSErrors
        raise InputError(
            target,
            f"the download of {url} failed ({type(error).__name__}); try again, or "
            + (otherwise or "put the file there by hand"),
        ) from error
    found = sha256_file(part)
    if sha256 is not None and found != sha256:
        part.unlink()
        raise InputError(target, f"what came from {url} has the sha256 {found[:16]}..., expected {sha256[:16]}...")
    part.replace(target)


def _fetch_rest(url: str, file: IO[bytes], progress: Progress) -> None:
    import requests

    have = file.seek(0, os.SEEK_END)
    headers = {"Range": f"bytes={have}-", "Accept-Encoding": "identity"} if have else {"Accept-Encoding": "identity"}
    with requests.get(url, headers=headers, stream=True, timeout=TIMEOUT_S) as answer:
        if have and answer.status_code == RANGE_NOT_SATISFIABLE:
            return  # it was all there
        answer.raise_for_status()
        if have and answer.status_code != PARTIAL_CONTENT:
            file.truncate(0)
            have = 0
        expected = answer.headers.get("Content-Length")
        for piece in progress(answer.iter_content(CHUNK_BYTES), -(-int(expected or 0) // CHUNK_BYTES)):
            file.write(piece)
        if expected is not None and file.tell() - have != int(expected):
            raise OSError("it broke off")
