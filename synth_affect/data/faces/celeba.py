"""CelebA: 202,599 pictures of 10,177 people, aligned, 178 x 218.

`img_align_celeba/000001.jpg ...` with `list_eval_partition.txt` (0, 1, 2: training, validation, test) and
`identity_CelebA.txt` (a number a person). No file says whose face is neutral.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from synth_affect.data.faces.annotation_files import read_lines, until_unreadable
from synth_affect.data.faces.database import FaceDatabase, without_affect
from synth_affect.data.faces.folders import PICTURE_SUFFIXES, file_names, find_part, find_root, need_part
from synth_affect.data.faces.record import FaceItem, FaceRecord, Rejected, Split, key_of
from synth_affect.errors import InputError

TITLE = "CelebA"
OBTAIN = "CelebA is given for research, mmlab.ie.cuhk.edu.hk/projects/CelebA.html"
IMAGES, PARTITION, IDENTITIES = "img_align_celeba", "list_eval_partition.txt", "identity_CelebA.txt"
SPLITS: dict[str, Split] = {"0": "train", "1": "validation", "2": "test"}


def open_celeba(root: Path) -> FaceDatabase:
    """People by their number, where the file of identities is there.

    Raises InputError when `root` is not laid out so.
    """
    found = find_root(
        root,
        lambda folder: find_part(folder, IMAGES) is not None,
        expected=f"folder {IMAGES} of CelebA",
        obtain=OBTAIN,
        above=False,
    )
    images, partition = need_part(found, IMAGES, OBTAIN), need_part(found, PARTITION, OBTAIN)
    identities = find_part(found, IDENTITIES)
    return FaceDatabase(
        name="celeba",
        title=TITLE,
        obtain=OBTAIN,
        root=found,
        subjects="none" if identities is None else "people",
        notes=() if identities is not None else (f"there is no {IDENTITIES}, so persons are not named",),
        read=without_affect(lambda: until_unreadable(_read(images, partition, identities), partition.stem)),
    )


def _read(images: Path, partition: Path, identities: Path | None) -> Iterator[FaceItem]:
    people = {} if identities is None else dict(_pairs(identities))
    pictures = file_names(images, PICTURE_SUFFIXES)
    for name, code in _pairs(partition):
        stem = Path(name).stem
        file = pictures.pop(stem, None)
        if code not in SPLITS or file is None:
            reason = (
                "has no picture, or is there twice" if code in SPLITS else f"its part {code[:40]!a} is not 0, 1 or 2"
            )
            yield Rejected(key_of(stem[:100]), partition, reason)
            continue
        try:
            yield FaceRecord(key_of(stem), images / file, subject=people.get(name) or None, split=SPLITS[code])
        except InputError as error:
            yield Rejected(key_of(stem), partition, error.reason)
    if pictures:
        yield Rejected("pictures", images, f"pictures that are not in {partition.name}", len(pictures))


def _pairs(path: Path) -> Iterator[tuple[str, str]]:
    """The two words of each line; a line of another count stands for a picture without one."""
    for _, text in read_lines(path):
        name, *rest = text.split()
        yield name, rest[0] if len(rest) == 1 else ""
