"""Make the golden fragments with pytorch3d, or compare the committed ones with what it makes now.

make gpu-contract                                        installs pytorch3d, compares, runs the live tests
.venv-gpu/bin/python -m tools.build_golden_fragments     writes tests/render/golden_fragments.npz anew
.venv-gpu/bin/python -m tools.build_golden_fragments --compare
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from synth_affect.render.fragments import Fragments
from synth_affect.render.pytorch3d_rasterizer import PyTorch3DRasterizer
from tools.golden_fragments.archive import load_golden, save_golden
from tools.golden_fragments.cases import POSES_DEG, SIZE, golden_camera, golden_meshes
from tools.golden_fragments.compare import agreement

GOLDEN = Path(__file__).resolve().parents[1] / "tests" / "render" / "golden_fragments.npz"


def main() -> int:
    """Exit code 1 when the committed file is not what pytorch3d makes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, default=GOLDEN, help="default: %(default)s")
    parser.add_argument("--device", default="cpu", help="of torch (default: %(default)s)")
    parser.add_argument("--compare", action="store_true", help="write to a temporary place and compare")
    options = parser.parse_args()
    made = render_cases(options.device)
    if not options.compare:
        save_golden(made, options.output)
        print(f"wrote {options.output}, {options.output.stat().st_size / 1e3:.0f} kB")
        return 0
    with tempfile.TemporaryDirectory() as folder:
        remade = Path(folder) / "golden.npz"
        save_golden(made, remade)
        load_golden(remade)
    committed, good = load_golden(options.output), True
    for case, fragments in made.items():
        found = agreement(fragments, committed[case])
        good = good and found.holds
        print(
            f"{case[0]:5} pose {case[1]}: same face {100 * found.same_faces:.3f} %,"
            f" weights {found.worst_weight:.1e}, depth {found.worst_depth:.1e}"
        )
    print("the committed file is what pytorch3d makes" if good else "the committed file is NOT what pytorch3d makes")
    return 0 if good else 1


def render_cases(device: str) -> dict[tuple[str, int], Fragments]:
    """pytorch3d's fragments, by mesh and pose."""
    rasterizer = PyTorch3DRasterizer(device)
    return {
        (name, pose): rasterizer.rasterize(mesh, golden_camera(pose), SIZE)
        for name, mesh in golden_meshes().items()
        for pose in range(len(POSES_DEG))
    }


if __name__ == "__main__":
    sys.exit(main())
