"""What people download: that it is whole, says what it is, and does the main job where it is installed."""

from __future__ import annotations

import email
import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import tomllib
import zipfile
from email.message import Message
from pathlib import Path
from typing import Any

import pytest

import synth_affect

ROOT = Path(__file__).resolve().parents[1]
CARELESS = shutil.ignore_patterns("__pycache__", "*.egg-info")

pytest.importorskip("setuptools", "77", reason="packages are built with setuptools 77 or newer")


def project() -> dict[str, Any]:
    found: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    return found


def run(*command: str | Path, cwd: Path) -> str:
    # Without what would lead the new interpreter back to this checkout.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def built(kind: str, source: Path, into: Path) -> Path:
    """The file that the project's own backend makes of `source`. kind : sdist or wheel."""
    code = f"import sys; from setuptools.build_meta import build_{kind}; build_{kind}(sys.argv[1])"
    into.mkdir()
    run(sys.executable, "-c", code, into, cwd=source)
    (made,) = into.iterdir()
    return made


@pytest.fixture(scope="module")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Made of a copy, because a build leaves files in its source."""
    folder = tmp_path_factory.mktemp("build")
    source = folder / "source"
    source.mkdir()
    for path in ROOT.iterdir():
        if path.is_file():
            shutil.copy(path, source)
    for name in ("synth_affect", "tests", "docs", "benchmarks", "tools"):
        shutil.copytree(ROOT / name, source / name, ignore=CARELESS)
    return built("sdist", source, folder / "sdist")


@pytest.fixture(scope="module")
def wheel(sdist: Path) -> Path:
    """Made of nothing but the sdist."""
    folder = sdist.parent.parent / "unpacked"
    with tarfile.open(sdist) as archive:
        archive.extractall(folder, filter="data")
    (source,) = folder.iterdir()
    return built("wheel", source, folder.parent / "wheel")


def test_the_sdist_holds_what_a_contributor_needs(sdist: Path) -> None:
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {"pyproject.toml", "README.md", "LICENSE", "CHANGELOG.md", "CITATION.cff", "Makefile"} <= names
    for path in ("tests/conftest.py", "tests/render/golden_fragments.npz", "docs/frames.md", "docs/demo.jpg"):
        assert path in names
    assert not [name for name in names if "__pycache__" in name or name.endswith((".nbc", ".nbi", ".pyc"))]


def test_the_wheel_holds_every_file_of_the_package(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        packed = {name for name in archive.namelist() if name.startswith("synth_affect/")}
    package = ROOT / "synth_affect"
    there = {path for path in package.rglob("*") if path.is_file() and "__pycache__" not in path.parts}
    assert packed == {path.relative_to(ROOT).as_posix() for path in there}
    assert "synth_affect/py.typed" in packed


def test_the_wheel_says_what_it_is(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        (path,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        metadata: Message = email.message_from_bytes(archive.read(path))
        licence = archive.read(path.replace("METADATA", "licenses/LICENSE")).decode()
        points = archive.read(path.replace("METADATA", "entry_points.txt")).decode()
    assert metadata["Name"] == "synth-affect"
    assert metadata["Version"] == synth_affect.__version__ == project()["version"]
    assert metadata["License-Expression"] == "Apache-2.0"
    assert "Apache License" in licence
    assert "synth-affect = synth_affect.cli:main" in points
    assert metadata["Description-Content-Type"] == "text/markdown"
    assert set(metadata.get_all("Provides-Extra") or []) == set(project()["optional-dependencies"])


def test_the_interpreters_that_are_named_are_those_that_are_allowed() -> None:
    named = {
        int(found[1])
        for classifier in project()["classifiers"]
        if (found := re.fullmatch(r"Programming Language :: Python :: 3\.(\d+)", classifier))
    }
    least, below = map(int, re.findall(r"3\.(\d+)", project()["requires-python"]))
    assert named == set(range(least, below))
    assert "Typing :: Typed" in project()["classifiers"]


def test_the_citation_is_valid_and_of_this_version() -> None:
    yaml = pytest.importorskip("yaml")
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))
    # What the Citation File Format 1.2.0 asks for.
    assert citation["cff-version"] == "1.2.0"
    for key in ("message", "title", "authors"):
        assert citation[key]
    known = {"cff-version", "message", "title", "abstract", "type", "version", "license", "authors", "keywords"}
    assert set(citation) <= known | {"references", "date-released", "doi", "repository-code", "url"}
    for reference in citation["references"]:
        assert {"type", "title", "authors"} <= set(reference)
        assert all({"given-names", "family-names"} == set(author) for author in reference["authors"])
    assert citation["version"] == synth_affect.__version__
    assert citation["license"] == project()["license"]


def test_the_changelog_knows_this_version_or_what_will_be_it() -> None:
    headings = re.findall(r"^## (.+)$", (ROOT / "CHANGELOG.md").read_text("utf-8"), flags=re.MULTILINE)
    assert headings[0] == "Unreleased" or headings[0].split()[0] == synth_affect.__version__


def test_the_installed_wheel_does_the_main_job(wheel: Path, portrait_path: Path, tmp_path: Path) -> None:
    run(sys.executable, "-m", "venv", "--without-pip", tmp_path / "venv", cwd=tmp_path)
    binaries = tmp_path / "venv" / ("Scripts" if os.name == "nt" else "bin")
    python = binaries / "python"
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", python)
    run(*pip, "install", "--quiet", "--no-deps", "--no-index", wheel, cwd=tmp_path)
    site = Path(run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=tmp_path).strip())
    # The libraries are this interpreter's; a path in a .pth is added, and .pth files in it are not read.
    (site / "libraries.pth").write_text(sysconfig.get_path("purelib") + "\n")
    where = run(python, "-c", "import synth_affect; print(synth_affect.__file__)", cwd=tmp_path)
    assert Path(where.strip()).is_relative_to(site)

    command = binaries / "synth-affect"
    said = run(command, "--image", portrait_path, "--valence", "0.6", "--arousal", "0.3", "-o", "o.png", cwd=tmp_path)
    assert said == "wrote o.png\n"
    assert json.loads((tmp_path / "o.png.json").read_text())["version"] == synth_affect.__version__
    code = (
        "from synth_affect.pipelines.doctor import examine; print(next(f for f in examine() if 'files' in f.subject))"
    )
    packaged = run(python, "-c", code, cwd=tmp_path)
    assert "state='ok'" in packaged
    assert int(re.findall(r"all (\d+)", packaged)[0]) > 400, "it looked at what the wheel brought"
