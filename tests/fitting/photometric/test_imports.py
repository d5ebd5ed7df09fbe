from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path


def test_what_runs_on_a_gpu_imports_without_the_libraries_of_the_cpu(tmp_path: Path) -> None:
    code = """
import json, sys
import synth_affect.fitting.photometric.refine, synth_affect.render.pytorch3d_rasterizer
print(json.dumps(sorted({name.partition(".")[0] for name in sys.modules})))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert not {"mediapipe", "cv2", "numba", "scipy", "torch", "pytorch3d"} & set(json.loads(done.stdout))
