"""Whether a database of 1.2 million frames (Aff-Wild's size) is read in the memory of one of 12,000.

Every row is a process of its own, so that its peak memory is its own (`ru_maxrss`, with Python and all libraries). The
database is made here: 500 videos (hard links to one) with a label a line, of which 3 in 10 are 0. Beside the stream, in
the same run, the same records held in a list, as a reader without a stream would; and only those at rest, as
`augment` asks for them, of frames that have boxes and points: there the cost of their files is what is saved.
Times are of the processor.
"""

from __future__ import annotations

import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np

from benchmarks._timing import arguments, surroundings, use_one_thread
from synth_affect.data.faces.database import FaceDatabase, at_rest
from synth_affect.data.faces.registry import open_face_database

THIS = [sys.executable, "-m", "benchmarks.bench_database_stream"]
FRAMES = 4800
SIZES = {"12,000 frames": 5, "1,200,000 frames": 500}
WITH_POINTS = 2
"""Videos of the database of boxes and points."""
POINTS = "version: 1\nn_points: {}\n{{\n{}}}\n"


def make(root: Path, n_videos: int, n_frames: int, *, points: bool) -> None:
    draw = random.Random(0)
    (root / "videos" / "train").mkdir(parents=True)
    first = root / "videos" / "train" / "1.mp4"
    writer = cv2.VideoWriter(str(first), cv2.VideoWriter.fourcc(*"mp4v"), 30, (64, 48))
    for frame in range(n_frames):
        writer.write(np.full((48, 64, 3), frame % 256, np.uint8))
    writer.release()
    for video in range(1, n_videos + 1):
        if video > 1:
            os.link(first, first.with_name(f"{video}.mp4"))
        for kind in ("valence", "arousal"):
            path = root / "annotations" / "train" / kind / f"{video}.txt"
            path.parent.mkdir(parents=True, exist_ok=True)
            labels = (0 if frame % 10 < 3 else draw.uniform(-1, 1) for frame in range(n_frames))
            path.write_text("".join(f"{label:.4f}\n" for label in labels))
        for kind, count in (("bboxes", 4), ("landmarks", 68)) if points else ():
            folder = root / kind / "train" / str(video)
            folder.mkdir(parents=True)
            text = POINTS.format(count, "".join(f"{k % 2 * 20 + k:.1f} {k // 2 * 20:.1f}\n" for k in range(count)))
            for frame in range(1, n_frames + 1):
                (folder / f"{frame}.pts").write_text(text)


def streamed(database: FaceDatabase) -> int:
    return sum(1 for _ in database.records())


def held(database: FaceDatabase) -> int:
    return len(list(database.records()))


def resting(database: FaceDatabase) -> int:
    return sum(1 for _ in database.records(at_rest))


WAYS = {"streamed": streamed, "held in a list": held, "at rest only": resting}


def child(root: Path, way: str) -> None:
    database = open_face_database("aff-wild", root)
    began = time.process_time()
    count = WAYS[way](database)
    seconds = time.process_time() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    json.dump({"records": count, "seconds": seconds, "peak_mib": peak}, sys.stdout)


def row(root: Path, way: str) -> dict[str, float]:
    done = subprocess.run([*THIS, "--child", str(root), way], capture_output=True, check=True)
    result: dict[str, float] = json.loads(done.stdout)
    return result


def main() -> None:
    if sys.argv[1:2] == ["--child"]:
        child(Path(sys.argv[2]), sys.argv[3])
        return
    use_one_thread()
    options = arguments(__doc__).parse_args()
    rows: dict[str, dict[str, float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, n_videos in SIZES.items():
            make(Path(folder) / name, n_videos, FRAMES // 2, points=False)
            for way in ("streamed", "held in a list"):
                rows[f"{name}, {way}"] = row(Path(folder) / name, way)
        make(Path(folder) / "points", WITH_POINTS, FRAMES, points=True)
        for way in ("streamed", "at rest only"):
            rows[f"9,600 frames with points, {way}"] = row(Path(folder) / "points", way)
    print(f"{'':45} {'records':>9} {'seconds':>8} {'us a record':>12} {'peak MiB':>9}")
    for name, found in rows.items():
        each = 1e6 * found["seconds"] / found["records"]
        print(f"{name:45} {found['records']:9,.0f} {found['seconds']:8.1f} {each:12.1f} {found['peak_mib']:9.0f}")
    small, large = (rows[f"{name}, streamed"]["peak_mib"] for name in SIZES)
    print(f"memory of 1,200,000 frames: {large / small:.2f} of that of 12,000")
    if options.json:
        options.json.write_text(json.dumps({"rows": rows, "surroundings": surroundings(["opencv-python"])}, indent=1))


if __name__ == "__main__":
    main()
