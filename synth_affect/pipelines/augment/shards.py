"""The pictures of a finished run once more, in WebDataset shards: tar files of pictures, each with its row as JSON.

Source: the layout of https://github.com/webdataset/webdataset: files of one sample stand together and share a name.
"""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Iterator
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import Any

from synth_affect.data.atomic import atomic_write, remove_temporaries
from synth_affect.errors import InputError
from synth_affect.pipelines.augment.manifest import MANIFEST, manifest_rows


def write_shards(folder: Path, per_shard: int) -> list[Path]:
    """Write `shards-<per_shard>/000000.tar` and so on, in the order of the manifest in `folder`; the same run gives the
    same bytes. Shards that are there are whole, and stay.

    Raises InputError when a picture is missing or a shard cannot be written.
    """
    target = folder / f"shards-{per_shard}"
    try:
        target.mkdir(exist_ok=True)
        remove_temporaries(target)
    except OSError as error:
        raise InputError(target, f"cannot be used ({error.strerror or error})") from error
    rows, shards = enumerate(manifest_rows(folder / MANIFEST)), list[Path]()
    while shard := list(islice(rows, per_shard)):
        path = target / f"{len(shards):06d}.tar"
        if not path.is_file():
            with atomic_write(path) as file, tarfile.open(fileobj=file, mode="w", format=tarfile.USTAR_FORMAT) as tar:
                for number, row in shard:
                    for suffix, content in _sample(folder, row):
                        member = tarfile.TarInfo(f"{number:09d}{suffix}")  # no time, no owner
                        member.size = len(content)
                        tar.addfile(member, io.BytesIO(content))
        shards.append(path)
    return shards


def _sample(folder: Path, row: dict[str, Any]) -> Iterator[tuple[str, bytes]]:
    path = folder / row["path"]
    try:
        yield PurePosixPath(row["path"]).suffix, path.read_bytes()
    except OSError as error:
        raise InputError(path, f"cannot be read ({error.strerror or error})") from error
    yield ".json", json.dumps(row, sort_keys=True, allow_nan=False).encode()
