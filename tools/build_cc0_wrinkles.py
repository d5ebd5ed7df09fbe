"""Build the wrinkle maps of the CC0 head: `python -m tools.build_cc0_wrinkles`. Two runs give the same bytes."""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from synth_affect.heads.cc0 import load_cc0
from synth_affect.heads.model import region_triangles
from synth_affect.render.wrinkles import FILE_NAME, WrinkleMaps, save_wrinkle_maps
from tools.cc0_head.wrinkles import draw, fold_groups, texel_places

DEFAULT_OUTPUT = Path(__file__).parents[1] / "synth_affect" / "render" / FILE_NAME


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, default=DEFAULT_OUTPUT)
    output = parser.parse_args().output
    head = load_cc0()
    corners = head.uv[head.uv_triangles[region_triangles(head, "skin", "lips", "lids")].ravel()]
    window = np.concatenate([corners.min(axis=0), corners.max(axis=0)])
    places, covered = texel_places(head, window)
    groups = fold_groups()
    maps = np.stack([draw(strokes, places, covered) for strokes in groups.values()])
    save_wrinkle_maps(WrinkleMaps(head.topology, tuple(groups), maps, window), output)
    print(f"{output}: {len(groups)} groups, {output.stat().st_size / 1e3:.0f} kB")


if __name__ == "__main__":
    main()
