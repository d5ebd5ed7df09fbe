"""Is this installation whole? What `synth-affect doctor` asks, one finding a line."""

from __future__ import annotations

import importlib
import importlib.metadata
import platform
from collections.abc import Iterator
from dataclasses import dataclass

import synth_affect
from synth_affect.errors import SynthAffectError

OPENCV_WHEELS = ("opencv-python", "opencv-contrib-python")
"""Both write the folder `cv2`, so of two versions the one unpacked last is in force, in part."""

SYSTEM_LIBRARIES = "on Debian and Ubuntu: apt-get install libgl1 libegl1 libgles2 libglib2.0-0"


@dataclass(frozen=True, slots=True)
class Finding:
    """subject : what was looked at.  good : whether it is as it should be.  text : what was found, in one line."""

    subject: str
    good: bool
    text: str


def examine() -> Iterator[Finding]:
    """The findings, one after the other; some take a second to come."""
    yield Finding("synth-affect", True, f"{synth_affect.__version__}, Python {platform.python_version()}")
    yield _opencv_wheels()
    for module in ("cv2", "mediapipe", "numba"):
        yield _importable(module)
    yield _landmark_model()
    yield _head_model()


def _opencv_wheels() -> Finding:
    versions = {}
    for wheel in OPENCV_WHEELS:
        try:
            versions[wheel] = importlib.metadata.version(wheel)
        except importlib.metadata.PackageNotFoundError:
            versions[wheel] = "absent"
    text = ", ".join(f"{wheel} {version}" for wheel, version in versions.items())
    equal = len(set(versions.values())) == 1
    return Finding("OpenCV wheels", equal, text if equal else f"{text}; they must be of one version")


def _importable(module: str) -> Finding:
    try:
        imported = importlib.import_module(module)
    except Exception as error:  # an installation can be broken in any way, and each is a finding
        hint = f"; {SYSTEM_LIBRARIES}" if "shared object" in str(error) else ""
        return Finding(module, False, " ".join(f"{type(error).__name__}: {error}{hint}".split()))
    return Finding(module, True, str(getattr(imported, "__version__", "importable")))


def _landmark_model() -> Finding:
    from synth_affect.fitting.model_file import find_landmark_model

    try:
        return Finding("landmark model", True, str(find_landmark_model()))
    except SynthAffectError as error:
        return Finding("landmark model", False, str(error))


def _head_model() -> Finding:
    from synth_affect.heads.cc0 import load_cc0

    try:
        head = load_cc0()
    except SynthAffectError as error:
        return Finding("head model", False, str(error))
    return Finding("head model", True, f"{head.name}, {len(head.mean)} vertices, licence {head.licence}")
