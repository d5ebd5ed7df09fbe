"""The pictures that belong to the scans of 3D databases: textures, and photographs taken with the scan."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from synth_affect.data.faces.database import FaceDatabase, refuse_without_record, without_affect
from synth_affect.data.faces.record import FaceItem, FaceRecord, Rejected, key_of
from synth_affect.data.scan_databases import SCAN_DATABASES, read_scans
from synth_affect.data.scan_layout import ScanLayout
from synth_affect.errors import InputError

NAMES = ("bosphorus", "bu-3dfe", "bu-4dfe", "kf-itw", "4dfab")
"""Of the databases of which scans may have pictures."""
NEEDS_TEMPLATE = ("kf-itw", "4dfab")
"""Those of which the tree is not public."""


def open_scan_pictures(root: Path, database: str, *, meshes: str = "", textures: str = "") -> FaceDatabase:
    """People by the names of the database; the neutral scan of a person stands once, whatever recordings it begins.

    meshes, textures : templates of the paths, for a database without a public tree, see `scan_layout`.
    Raises InputError when `root` is not laid out so, at the latest at the end of the stream.
    """
    found = SCAN_DATABASES[database]
    layout = None
    if database in NEEDS_TEMPLATE:
        if not textures:
            raise InputError(
                "textures", f"set it to where the pictures of {found.title} lie, {{subject}}/{{sequence}}.png"
            )
        assert found.layout is not None
        layout = ScanLayout(meshes=meshes or found.layout.meshes, textures=textures, option="meshes")
    read_scans(database, root, layout=layout)  # checks what can be told before the files are read
    empty = f"no scan has a picture; {found.obtain}"
    return FaceDatabase(
        name=database,
        title=f"{found.title}, pictures of the scans",
        obtain=found.obtain,
        root=root,
        subjects="people",
        read=without_affect(lambda: refuse_without_record(_read(database, root, layout), root, empty)),
    )


def _read(database: str, root: Path, layout: ScanLayout | None) -> Iterator[FaceItem]:
    subject, seen, bare = "", set[Path](), 0
    for recording in read_scans(database, root, layout=layout):
        if recording.subject != subject:
            subject, seen = recording.subject, set()
        for scan in recording.scans:
            if scan.texture is None:
                bare += 1
                continue
            if scan.texture in seen:
                continue
            seen.add(scan.texture)
            yield FaceRecord(
                key=key_of(recording.subject, recording.session, recording.sequence, scan.texture.stem),
                path=scan.texture,
                subject=recording.subject,
                sequence=recording.sequence,
                category=None if scan.neutral else recording.category,
                neutral=scan.neutral,
            )
    if bare:
        yield Rejected("scans", root, "scans without a picture", bare)
