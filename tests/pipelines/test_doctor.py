"""Each of the doctor's findings, on an installation that lacks what it looks for."""

from __future__ import annotations

import importlib
import importlib.metadata
import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import synth_affect
from synth_affect.pipelines import doctor
from synth_affect.pipelines.doctor import Finding


def with_versions(monkeypatch: pytest.MonkeyPatch, **versions: str | None) -> None:
    """As if these distributions, and no others, were installed."""

    def version(name: str) -> str:
        found = versions.get(name.replace("-", "_"))
        if found is None:
            raise importlib.metadata.PackageNotFoundError(name)
        return found

    monkeypatch.setattr(importlib.metadata, "version", version)


def with_requirements(monkeypatch: pytest.MonkeyPatch, requirements: list[str], extras: list[str]) -> None:
    fields = {"Requires-Dist": requirements, "Provides-Extra": extras}
    distribution = SimpleNamespace(metadata=SimpleNamespace(get_all=fields.get))
    monkeypatch.setattr(importlib.metadata, "distribution", lambda name: distribution)


@pytest.mark.parametrize(
    ("versions", "state"),
    [
        ({"opencv_python": "5.0", "opencv_contrib_python": "5.0"}, "ok"),
        ({"opencv_python": "5.0", "opencv_contrib_python": "4.9"}, "bad"),
        ({"opencv_python": "5.0"}, "bad"),
        ({}, "bad"),
        ({"opencv_python": "5.0", "opencv_contrib_python": "5.0", "opencv_python_headless": "4.9"}, "bad"),
        ({"opencv_python": "5.0", "opencv_contrib_python": "5.0", "opencv_python_headless": "5.0"}, "ok"),
    ],
)
def test_all_opencv_wheels_are_of_one_version(
    monkeypatch: pytest.MonkeyPatch, versions: dict[str, str], state: str
) -> None:
    with_versions(monkeypatch, **versions)
    found = doctor._opencv_wheels()
    assert found.state == state
    assert ("must be of one version" in found.text) == (state == "bad")


def test_libraries_are_held_against_what_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = ["numpy>=2.0", "rich", 'torch==2.11.*; extra == "gpu"', 'ray>=2; extra == "cluster"', 'a; extra == "dev"']
    asked += ['synth-affect[gpu]; extra == "dev"', 'winonly; sys_platform == "nowhere"']
    with_requirements(monkeypatch, asked, ["gpu", "cluster", "dev"])
    with_versions(monkeypatch, numpy="1.26", rich="15", torch="2.11.0+cu130", a="1")
    found = {finding.subject: finding for finding in doctor._requirements()}
    assert {subject: finding.state for subject, finding in found.items()} == {
        "libraries": "bad",
        "extra gpu": "ok",
        "extra cluster": "absent",
        "extra dev": "ok",
    }
    assert found["libraries"].text == "numpy 1.26 is not >=2.0: pip install synth-affect"
    assert found["extra cluster"].text == 'ray is absent: pip install "synth-affect[cluster]"'
    assert found["extra dev"].facts == {"versions": {"a": "1"}}


def test_a_checkout_that_is_not_installed_is_no_illness(monkeypatch: pytest.MonkeyPatch) -> None:
    def distribution(name: str) -> None:
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "distribution", distribution)
    assert [finding.state for finding in doctor._requirements()] == ["absent"]


def test_a_library_that_breaks_when_imported_is_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    def import_module(name: str) -> None:
        raise ImportError("libGL.so.1: cannot open shared\nobject file")

    monkeypatch.setattr(importlib, "import_module", import_module)
    found = doctor._importable("cv2")
    assert found.state == "bad"
    assert "libGL.so.1" in found.text
    assert "\n" not in found.text


def test_a_missing_file_of_the_package_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert doctor._packaged_files().state == "ok"
    monkeypatch.setattr(synth_affect, "__file__", str(tmp_path / "__init__.py"))
    found = doctor._packaged_files()
    assert found.state == "bad"
    assert str(tmp_path / "heads/cc0_head.npz") in found.text


def test_a_missing_landmark_model_is_told_and_not_fetched(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from synth_affect.fitting import model_file

    monkeypatch.setattr(model_file, "_cache_path", lambda: tmp_path / "none.task")
    monkeypatch.setattr(model_file, "_path_in_wheel", lambda: None)
    monkeypatch.setattr(model_file, "_download", lambda: pytest.fail("it was fetched"))
    found = doctor._landmark_model()
    assert found.state == "bad"
    assert model_file.MODEL_URL in found.text


def gpu(monkeypatch: pytest.MonkeyPatch, seen: list[str], torch: Any) -> Finding:
    real: Callable[[str], Any] = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: torch if name == "torch" else real(name))
    monkeypatch.setattr(importlib, "import_module", lambda name: torch)
    monkeypatch.setattr(doctor, "_nvidia_smi", lambda: seen)
    return doctor._gpu()


def test_a_gpu_is_told_with_what_can_use_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def torch(names: list[str]) -> SimpleNamespace:
        cuda = SimpleNamespace(
            is_available=lambda: bool(names), device_count=lambda: len(names), get_device_name=names.__getitem__
        )
        return SimpleNamespace(__version__="2.13", cuda=cuda)

    card = "NVIDIA H200, 143771 MiB, 570.1"
    for seen, module, state, text in (
        ([], None, "absent", "none, and none is needed"),
        ([card], None, "absent", f"{card}; torch, which would use it, is absent"),
        ([], torch([]), "absent", "none, and none is needed"),
        ([card], torch([]), "absent", f"{card}, which torch 2.13 cannot use"),
        ([card], torch(["NVIDIA H200"]), "ok", "NVIDIA H200, used by torch 2.13"),
    ):
        found = gpu(monkeypatch, seen, module)
        assert (found.state, found.text) == (state, text)
        json.dumps(found.facts)


def test_a_cache_has_a_size_and_is_writable_or_not(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "a.nbc").write_bytes(b"x" * 1000)
    (tmp_path / "b.py").write_bytes(b"x" * 50)
    found = doctor._cache("cache", tmp_path, lambda path: path.suffix == ".nbc", "things")
    assert (found.state, found.facts["bytes"], found.facts["writable"]) == ("ok", 1000, True)
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["a.nbc", "b.py", "deep"]
    assert doctor._cache("cache", tmp_path / "not" / "yet", lambda path: True, "things").state == "ok"
    below_a_file = doctor._cache("cache", tmp_path / "b.py" / "cache", lambda path: True, "things")
    assert below_a_file.state == "absent"
    assert "cannot be written" in below_a_file.text


def test_compiled_functions_lie_where_numba_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    assert doctor._compiled_folder() == tmp_path
    monkeypatch.delenv("NUMBA_CACHE_DIR")
    monkeypatch.setattr(doctor, "_is_writable", lambda folder: False)
    assert doctor._compiled_folder().name == "numba"


def test_the_report_is_json_and_sick_with_one_bad_finding() -> None:
    fine, absent, bad = (Finding("a", state, "text", {"n": 1}) for state in ("ok", "absent", "bad"))
    assert doctor.report([fine, absent])["healthy"] is True
    found = json.loads(json.dumps(doctor.report([fine, bad])))
    assert found["healthy"] is False
    assert found["findings"][1] == {"subject": "a", "state": "bad", "text": "text", "n": 1}
