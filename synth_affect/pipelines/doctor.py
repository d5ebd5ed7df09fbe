"""Is this installation whole? What `synth-affect doctor` asks, one finding a line. Nothing is fetched for it."""

from __future__ import annotations

import contextlib
import importlib
import importlib.metadata
import importlib.util
import os
import platform
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import synth_affect
from synth_affect.errors import SynthAffectError

OPENCV_WHEELS = (
    *("opencv-python", "opencv-contrib-python"),
    *("opencv-python-headless", "opencv-contrib-python-headless"),
)
"""All write the folder `cv2`, so of two versions the one unpacked last is in force, in part."""
ALWAYS = OPENCV_WHEELS[:2]

SYSTEM_LIBRARIES = "on Debian and Ubuntu: apt-get install libgl1 libegl1 libgles2 libglib2.0-0"
PACKAGED = (
    *("heads/cc0_head.npz", "render/cc0_wrinkles.npz"),
    *("blendshape/prototypes.json", "blendshape/default_grid.npz"),
)
"""Files that the main job reads."""
NVIDIA_SMI = ("nvidia-smi", "--query-gpu=name,memory.total,driver_version", "--format=csv,noheader")
PATIENCE_S = 20.0

State = Literal["ok", "bad", "absent"]


@dataclass(frozen=True, slots=True)
class Finding:
    """subject : what was looked at.  state : "bad" where the main job is in danger, "absent" where something that it
    does without is not there.  text : what was found, in one line.  facts : the same for programs, JSON values.
    """

    subject: str
    state: State
    text: str
    facts: Mapping[str, Any] = field(default_factory=dict)


def examine() -> Iterator[Finding]:
    """The findings, one after the other; some take a second to come."""
    yield _self()
    yield _packaged_files()
    yield from _requirements()
    yield _opencv_wheels()
    for module in ("cv2", "mediapipe", "numba"):
        yield _importable(module)
    yield _landmark_model()
    yield _head_model()
    yield from _other_heads()
    yield _gpu()
    yield from _caches()


def report(findings: list[Finding]) -> dict[str, Any]:
    """All findings as JSON values."""
    return {
        "healthy": all(finding.state != "bad" for finding in findings),
        "findings": [
            {"subject": each.subject, "state": each.state, "text": each.text, **each.facts} for each in findings
        ],
    }


def _self() -> Finding:
    where = Path(synth_affect.__file__).parent
    facts = {
        "version": synth_affect.__version__,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "path": str(where),
    }
    text = f"{facts['version']}, Python {facts['python']}, {platform.system()} {platform.machine()}, in {where}"
    return Finding("synth-affect", "ok", text, facts)


def _packaged_files() -> Finding:
    here = Path(synth_affect.__file__).parent
    expected = {here / name for name in PACKAGED}
    with contextlib.suppress(importlib.metadata.PackageNotFoundError):
        distribution = importlib.metadata.distribution("synth-affect")
        # What a wheel brought is in its RECORD; an installation in place has none, or lists none of it.
        listed = (distribution.files or []) if distribution.read_text("RECORD") else []
        expected |= {Path(str(file.locate())) for file in listed if file.parts[0] == here.name}
    missing = sorted(str(path) for path in expected if not path.is_file())
    if missing:
        return Finding("packaged files", "bad", f"{', '.join(missing)} missing; install the package again")
    return Finding("packaged files", "ok", f"all {len(expected)} are there")


def _requirements() -> Iterator[Finding]:
    """What the package asks for in its core, and extra by extra."""
    from packaging.requirements import Requirement

    try:
        metadata = importlib.metadata.distribution("synth-affect").metadata
    except importlib.metadata.PackageNotFoundError:
        yield Finding("libraries", "absent", "not installed as a package, so nobody knows what it asks for")
        return
    requirements = [Requirement(text) for text in metadata.get_all("Requires-Dist") or []]
    core = [each for each in requirements if each.marker is None or each.marker.evaluate({"extra": ""})]
    yield _libraries("libraries", core, "bad", "pip install synth-affect")
    for extra in metadata.get_all("Provides-Extra") or []:
        asked = [each for each in requirements if each not in core and _of_extra(each, extra)]
        yield _libraries(f"extra {extra}", asked, "absent", f'pip install "synth-affect[{extra}]"')


def _of_extra(requirement: Any, extra: str) -> bool:
    itself = requirement.name.replace("_", "-").lower() == "synth-affect"  # an extra that takes in others
    return not itself and requirement.marker is not None and requirement.marker.evaluate({"extra": extra})


def _libraries(subject: str, asked: list[Any], otherwise: State, remedy: str) -> Finding:
    versions, wrong = {}, []
    for requirement in asked:
        version = _version(requirement.name)
        versions[requirement.name] = version
        if version is None:
            wrong.append(f"{requirement.name} is absent")
        elif not requirement.specifier.contains(version, prereleases=True):
            wrong.append(f"{requirement.name} {version} is not {requirement.specifier}")
    facts = {"versions": versions}
    if wrong:
        return Finding(subject, otherwise, f"{'; '.join(wrong)}: {remedy}", facts)
    return Finding(subject, "ok", ", ".join(f"{name} {version}" for name, version in versions.items()), facts)


def _version(distribution: str) -> str | None:
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return None


def _opencv_wheels() -> Finding:
    versions = {wheel: _version(wheel) for wheel in OPENCV_WHEELS}
    shown = {wheel: version or "absent" for wheel, version in versions.items() if version or wheel in ALWAYS}
    text = ", ".join(f"{wheel} {version}" for wheel, version in shown.items())
    if len(set(shown.values())) == 1 and any(versions.values()):
        return Finding("OpenCV wheels", "ok", text, {"versions": versions})
    return Finding("OpenCV wheels", "bad", f"{text}; they must be of one version", {"versions": versions})


def _importable(module: str) -> Finding:
    try:
        imported = importlib.import_module(module)
    except Exception as error:  # an installation can be broken in any way, and each is a finding
        hint = f"; {SYSTEM_LIBRARIES}" if "shared object" in str(error) else ""
        return Finding(module, "bad", " ".join(f"{type(error).__name__}: {error}{hint}".split()))
    version = str(getattr(imported, "__version__", "importable"))
    return Finding(module, "ok", version, {"version": version})


def _landmark_model() -> Finding:
    from synth_affect.fitting.model_file import MODEL_URL, local_landmark_model

    path = local_landmark_model()
    if path is None:
        return Finding("landmark model", "bad", f"absent; the first run tries to fetch {MODEL_URL}")
    return Finding("landmark model", "ok", str(path), {"path": str(path)})


def _head_model() -> Finding:
    from synth_affect.heads.cc0 import load_cc0

    try:
        head = load_cc0()
    except SynthAffectError as error:
        return Finding("head model", "bad", str(error))
    return Finding("head model", "ok", f"{head.name}, {len(head.mean)} vertices, licence {head.licence}")


def _other_heads() -> Iterator[Finding]:
    from synth_affect.heads.catalogue import CATALOGUE, PACKAGED
    from synth_affect.pipelines.open_head import installed_path

    for entry in CATALOGUE.values():
        if entry.name == PACKAGED or not entry.url:
            continue
        path = installed_path(entry.name)
        if path.is_file():
            yield Finding(f"head {entry.name}", "ok", str(path), {"path": str(path)})
        else:
            yield Finding(f"head {entry.name}", "absent", f"synth-affect models get {entry.name}")


def _gpu() -> Finding:
    """Nothing of the main job runs on it: never bad."""
    seen = _nvidia_smi()
    facts: dict[str, Any] = {"gpus": seen, "torch": None, "usable": False}
    if importlib.util.find_spec("torch") is None:
        text = f"{'; '.join(seen)}; torch, which would use it, is absent" if seen else "none, and none is needed"
        return Finding("GPU", "absent", text, facts)
    try:
        torch = importlib.import_module("torch")
        usable = bool(torch.cuda.is_available())
        names = [torch.cuda.get_device_name(k) for k in range(torch.cuda.device_count())] if usable else []
    except Exception as error:  # see _importable
        return Finding("GPU", "absent", " ".join(f"torch cannot say: {type(error).__name__}: {error}".split()), facts)
    facts |= {"torch": torch.__version__, "usable": usable}
    if usable:
        return Finding("GPU", "ok", f"{', '.join(names)}, used by torch {torch.__version__}", facts)
    found = f"{'; '.join(seen)}, which torch {torch.__version__} cannot use" if seen else "none, and none is needed"
    return Finding("GPU", "absent", found, facts)


def _nvidia_smi() -> list[str]:
    if shutil.which(NVIDIA_SMI[0]) is None:
        return []
    try:
        done = subprocess.run(NVIDIA_SMI, capture_output=True, text=True, check=True, timeout=PATIENCE_S)
    except (OSError, subprocess.SubprocessError):
        return []
    return [line.strip() for line in done.stdout.splitlines() if line.strip()]


def _caches() -> Iterator[Finding]:
    from synth_affect.pipelines.open_head import user_cache

    yield _cache("cache", user_cache(), lambda path: True, "models and converted heads, all of which can be got again")
    yield _cache(
        "compiled functions",
        _compiled_folder(),
        lambda path: path.suffix in (".nbi", ".nbc"),
        "made at the first run, which takes some seconds",
    )


def _compiled_folder() -> Path:
    """Where numba keeps them: where it is told to, beside the code, or in the user's cache."""
    told, package = os.environ.get("NUMBA_CACHE_DIR"), Path(synth_affect.__file__).parent
    if told:
        return Path(told)
    if _is_writable(package):
        return package
    from numba.misc.appdirs import AppDirs

    return Path(AppDirs(appname="numba", appauthor=False).user_cache_dir)


def _cache(subject: str, folder: Path, belongs: Callable[[Path], bool], what: str) -> Finding:
    """A folder that is not there yet is fine when it can be made; one that cannot be written costs time, no more."""
    size = 0
    for path in folder.rglob("*"):
        try:
            size += path.stat().st_size if belongs(path) and path.is_file() else 0
        except OSError:  # another run has just replaced it
            continue
    writable = _is_writable(folder)
    facts = {"path": str(folder), "bytes": size, "writable": writable}
    text = f"{folder}, {size / 1e6:.1f} MB ({what})"
    if writable:
        return Finding(subject, "ok", text, facts)
    return Finding(subject, "absent", f"{text}; cannot be written, so nothing is kept there", facts)


def _is_writable(folder: Path) -> bool:
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    try:
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False
