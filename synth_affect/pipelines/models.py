"""The head models of the catalogue: what there is, what is installed, what one holds, and getting it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np

from synth_affect.data.atomic import atomic_write
from synth_affect.data.download import download
from synth_affect.data.provenance import sha256_file
from synth_affect.errors import InputError
from synth_affect.heads.catalogue import CATALOGUE, ModelEntry
from synth_affect.heads.model import HeadModel
from synth_affect.pipelines.embed_landmarks import asymmetry_mm
from synth_affect.pipelines.open_head import DEFAULT, installed_path, open_head, prepare_head

Progress = Callable[[Iterable[Any], int], Iterable[Any]]


def list_models() -> list[dict[str, Any]]:
    """One JSON object a model of the catalogue; `state` is packaged, installed, downloadable or registration."""
    return [
        {"name": entry.name, "state": _state(entry), "licence": entry.licence, "what": entry.title, "page": entry.page}
        for entry in CATALOGUE.values()
    ]


def list_text(models: list[dict[str, Any]]) -> str:
    """The list for people: a line a model, then how to get those that are not here."""
    rows = [(m["name"], m["state"], m["licence"], m["what"]) for m in models]
    widths = [max(len(row[k]) for row in rows) for k in range(2)]
    lines = [f"{name:{widths[0]}}  {state:{widths[1]}}  {what} ({licence})" for name, state, licence, what in rows]
    lines += [
        "",
        "downloadable: synth-affect models get NAME; registration: synth-affect models get NAME says where, and",
        "--head PATH takes the file that you are given",
    ]
    return "\n".join(lines)


def find_entry(name: str) -> ModelEntry:
    """The entry of the catalogue that can be downloaded.

    Raises InputError for an unknown name, and where a user has to register, or has it already.
    """
    entry = CATALOGUE.get(name)
    if entry is None:
        raise InputError(name, f"no such model; there are {', '.join(CATALOGUE)}")
    if name == DEFAULT:
        raise InputError(name, "comes with this package; nothing to get")
    if not entry.url:
        raise InputError(name, f"{entry.licence}: register at {entry.page}, then --head PATH of your {entry.file}")
    return entry


def get_model(name: str, *, fetching: Progress, converting: Progress) -> dict[str, Any]:
    """Download a model and convert it; returns a summary as JSON values.

    What was downloaded before is not downloaded again, nor is what had arrived when a download broke off.
    Raises InputError: see `find_entry` and `download`; nothing is ever left half-written under a model's name.
    """
    entry = find_entry(name)
    target = installed_path(name)
    if target.is_file():
        if entry.sha256 and sha256_file(target) != entry.sha256:
            raise InputError(target, "not the file that is pinned; delete it, or give its path to --head")
    else:
        if entry.sha256:
            download(entry.url, target, entry.sha256, progress=fetching)
        else:
            _get_ict(entry, target, fetching)
    prepare_head(name, converting)
    return {"output": str(target), "name": name, "licence": entry.licence}


def _get_ict(entry: ModelEntry, target: Path, progress: Progress) -> None:
    """The shapes one by one, packed into `target`; those that have arrived stay until all have."""
    from synth_affect.heads.ict_folder import NEUTRAL, NEUTRAL_SHA256, file_names, neutral_digest, read_folder

    folder = target.parent / "shapes"
    names = file_names()
    for name in progress(names, len(names)):
        if not (folder / name).is_file():
            otherwise = f"get {entry.page} another way, and give its folder FaceXModel to --head"
            download(entry.url + name, folder / name, None, otherwise=otherwise)
    if neutral_digest(folder / NEUTRAL) != NEUTRAL_SHA256:
        shutil.rmtree(folder)
        raise InputError(target, f"what came from {entry.url} is not the mesh that was asked for")
    with atomic_write(target) as file:
        np.savez_compressed(file, **read_folder(folder))
    shutil.rmtree(folder)


def describe_head(name: str, progress: Progress) -> dict[str, Any]:
    """What a model holds, as JSON values. Raises InputError as `open_head`."""
    head = open_head(name, progress)
    return {
        "name": head.name,
        "licence": head.licence,
        "source": head.source,
        "topology": head.topology,
        "vertices": len(head.mean),
        "triangles": len(head.triangles),
        "identity_components": len(head.identity_basis),
        "units": list(head.unit_names),
        "landmarks": len(head.landmarks_478.triangles),
        "landmark_asymmetry_mm": round(asymmetry_mm(head, head.landmarks_478), 2),
        "regions": _regions(head),
    }


def head_text(found: dict[str, Any]) -> str:
    """`describe_head` for people."""
    regions = ", ".join(f"{region} {count}" for region, count in found["regions"].items())
    return "\n".join(
        (
            f"{found['name']}: {found['source']}",
            f"licence: {found['licence']}",
            f"mesh: {found['vertices']} vertices, {found['triangles']} triangles (topology {found['topology']})",
            f"identity: {found['identity_components']} components",
            f"expression: {len(found['units'])} units ({', '.join(found['units'])})",
            f"landmarks: {found['landmarks']}, at most {found['landmark_asymmetry_mm']} mm from symmetry",
            f"triangles by region: {regions}",
        )
    )


def _regions(head: HeadModel) -> dict[str, int]:
    counts = np.bincount(head.triangle_regions, minlength=len(head.region_names))
    return dict(zip(head.region_names, counts.tolist(), strict=True))


def _state(entry: ModelEntry) -> str:
    if entry.name == DEFAULT:
        return "packaged"
    if not entry.url:
        return "registration"
    return "installed" if installed_path(entry.name).is_file() else "downloadable"
