"""What importing costs and brings, in fresh interpreters."""

from __future__ import annotations

import json
import pkgutil
import subprocess
import sys
from pathlib import Path

import synth_affect

OF_EXTRAS = {
    *(
        "torch",
        "lightning",
        "torchmetrics",
        "safetensors",
        "ray",
        "gradio",
        "zarr",
        "sklearn",
        "face_alignment",
        "menpo",
    ),
    *("onnx", "onnxruntime", "pyarrow", "av", "h5py"),
}
HEAVY = {"mediapipe", "cv2", "numba", "scipy", "numpy", "PIL", "rich", "trimesh", "skimage", "matplotlib", "pooch"}
MODULES = sorted(
    module.name
    for module in pkgutil.walk_packages(synth_affect.__path__, "synth_affect.")
    if not module.name.endswith("__main__")
)


def packages_after(code: str, folder: Path) -> set[str]:
    """Top-level packages that a fresh interpreter has imported after `code`; warnings are errors in it."""
    report = "import json, sys; print(json.dumps(sorted({name.partition('.')[0] for name in sys.modules})))"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", f"{code}\n{report}"],
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return set(json.loads(done.stdout.splitlines()[-1]))


def test_the_command_is_parsed_without_the_heavy_libraries(tmp_path: Path) -> None:
    code = "from synth_affect.cli import main\nassert main(['--image', 'none.png', '--smile']) == 2"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert done.stderr.count("\n") == 1
    assert not (HEAVY | OF_EXTRAS) & packages_after("import synth_affect.cli", tmp_path)


def test_no_module_imports_what_only_some_users_need(tmp_path: Path) -> None:
    found = packages_after("\n".join(f"import {module}" for module in MODULES), tmp_path)
    assert "synth_affect" in found
    assert not (OF_EXTRAS | {"mediapipe", "matplotlib", "skimage", "trimesh", "rich"}) & found
    assert not list(tmp_path.iterdir()), "importing wrote files"


def test_the_main_job_does_without_meshes_galleries_and_progress_bars(tmp_path: Path, portrait_path: Path) -> None:
    arguments = ["--image", str(portrait_path), "--valence", "0.6", "--arousal", "0.3", "-o", "o.png"]
    code = f"""
import contextlib, io, json, sys
from synth_affect.cli import main
with contextlib.redirect_stdout(io.StringIO()):
    assert main({arguments!r}) == 0
print(json.dumps(sorted({{name.partition('.')[0] for name in sys.modules}})))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stderr == "", "a detector's native chatter, or a warning"
    found = set(json.loads(done.stdout))
    assert "mediapipe" in found
    assert not (OF_EXTRAS | {"trimesh", "skimage", "rich"}) & found
    assert sorted(path.name for path in tmp_path.iterdir()) == ["o.png", "o.png.json"]
