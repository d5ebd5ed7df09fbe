"""Whether a gallery of 100,000 frames is written and streamed in 1.5 GiB of memory, how fast, and what ten kills leave.

Every row is a process of its own, so that its peak memory is its own (`ru_maxrss`, with Python and all libraries).
Frames are those of the packaged head's face: smooth random expression weights times its units, plus 0.05 mm of noise;
380 a recording, the mean of 4DFAB's spontaneous ones. Making them is not timed. The page cache is emptied of the files
before they are read, where the system lets a program do so. Beside the gallery, in the same run: the bare bytes in one
file, synchronised after every recording as the gallery is, which is what the disk gives; and a plain zarr array with
zarr's defaults and `append`, without checksums, labels, or care for what a kill leaves.

`build` is the command on a folder of registered scans, 1,900 frames of it.

The kills: a writer appends recordings without end and is stopped with SIGKILL at ten random moments; after each the
gallery is checked, and every recording whose append had returned must be there.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from benchmarks._timing import arguments, surroundings, use_one_thread
from synth_affect.blendshape.gallery.check import check_gallery
from synth_affect.blendshape.gallery.frames import GallerySequence
from synth_affect.blendshape.gallery.store import open_gallery
from synth_affect.blendshape.gallery.writer import GalleryWriter, create_gallery
from synth_affect.blendshape.template import face_template, face_vertices
from synth_affect.data.registered_scans import (
    FrameKey,
    RegisteredFrame,
    ReportLine,
    append_report,
    frame_path,
    start_folder,
    write_frame,
)
from synth_affect.heads.cc0 import load_cc0
from synth_affect.pipelines.gallery.build import build_gallery

THIS = [sys.executable, "-m", "benchmarks.bench_gallery"]
BAR_GIB = 1.5
FRAMES_PER_SEQUENCE = 380
NOISE_MM = 0.05
N_KILLS = 10
N_BUILT = 1900


class Faces:
    """Makes recordings; the same number gives the same recording."""

    def __init__(self) -> None:
        head = load_cc0()
        self.template = face_template(head)
        self._units = np.ascontiguousarray(head.expression_units[:, face_vertices(head)].reshape(52, -1))

    def offsets(self, number: int, n_frames: int = FRAMES_PER_SEQUENCE) -> np.ndarray:
        rng = np.random.default_rng(number)
        time_s = np.arange(n_frames)[:, None] / 60
        waves = np.sin(time_s * rng.uniform(0.3, 3, 52) + rng.uniform(0, 6.3, 52))
        weights = (np.clip(waves, 0, 1) * (rng.random(52) < 0.3)).astype(np.float32)
        moved = weights @ self._units
        moved += NOISE_MM * rng.standard_normal(moved.shape, dtype=np.float32)
        return moved.reshape(n_frames, -1, 3).astype(np.float16)

    def sequence(self, number: int, n_frames: int = FRAMES_PER_SEQUENCE) -> GallerySequence:
        labels = np.sin(np.arange(n_frames) / 60 + number).astype(np.float32)
        apex = np.zeros(n_frames, dtype=np.bool_)
        frame = np.arange(n_frames, dtype=np.int32)
        name = f"q{number}"
        return GallerySequence(
            f"s{number % 180}", "1", name, False, None, self.offsets(number, n_frames), frame, labels, labels, apex
        )


class Stopwatch:
    """Seconds within its blocks, by the clock and of the processor, and frames."""

    def __init__(self) -> None:
        self.seconds = self.cpu_seconds = 0.0
        self.frames = 0

    def __enter__(self) -> None:
        self._start, self._cpu_start = time.perf_counter(), time.process_time()

    def __exit__(self, *error: object) -> None:
        self.seconds += time.perf_counter() - self._start
        self.cpu_seconds += time.process_time() - self._cpu_start


def lengths(n_frames: int) -> Iterator[int]:
    while n_frames > 0:
        yield min(FRAMES_PER_SEQUENCE, n_frames)
        n_frames -= FRAMES_PER_SEQUENCE


def write_gallery(folder: Path, n_frames: int, watch: Stopwatch) -> None:
    faces = Faces()
    create_gallery(folder / "g.zarr", faces.template)
    with GalleryWriter(folder / "g.zarr") as writer:
        for number, n in enumerate(lengths(n_frames)):
            sequence = faces.sequence(number, n)
            with watch:
                writer.append(sequence)
            watch.frames += n


def write_bare_file(folder: Path, n_frames: int, watch: Stopwatch) -> None:
    faces = Faces()
    with (folder / "bare").open("wb") as file:
        for number, n in enumerate(lengths(n_frames)):
            offsets = faces.offsets(number, n)
            with watch:
                file.write(offsets.data)
                file.flush()
                os.fsync(file.fileno())
            watch.frames += n


def write_plain_zarr(folder: Path, n_frames: int, watch: Stopwatch) -> None:
    import zarr

    faces = Faces()
    shape = (0, len(faces.template.mesh.vertices), 3)
    array = zarr.create_array(folder / "plain.zarr", shape=shape, chunks=(32, *shape[1:]), dtype="f2")
    for number, n in enumerate(lengths(n_frames)):
        offsets = faces.offsets(number, n)
        with watch:
            array.append(offsets)
        watch.frames += n


def open_only(folder: Path, n_frames: int, watch: Stopwatch) -> None:
    with watch:
        watch.frames = len(open_gallery(folder / "g.zarr").frames)


def stream_gallery(folder: Path, n_frames: int, watch: Stopwatch) -> None:
    gallery = open_gallery(folder / "g.zarr")
    with watch:
        for rows, _ in gallery.blocks():
            watch.frames += len(rows)


def stream_bare_file(folder: Path, n_frames: int, watch: Stopwatch) -> None:
    frame = 6 * len(Faces().template.mesh.vertices)
    with (folder / "bare").open("rb") as file, watch:
        while block := file.read(2000 * frame):
            watch.frames += len(block) // frame


def stream_plain_zarr(folder: Path, n_frames: int, watch: Stopwatch) -> None:
    import zarr

    array = zarr.open_array(folder / "plain.zarr", mode="r")
    with watch:
        for start in range(0, array.shape[0], 2048):
            watch.frames += len(array[start : start + 2048])


def read_stretches(folder: Path, n_frames: int, watch: Stopwatch) -> None:
    gallery = open_gallery(folder / "g.zarr")
    starts = np.random.default_rng(0).choice(n_frames // 20, n_frames // 400, replace=False) * 20
    rows = (starts[:, None] + np.arange(20)).ravel()
    with watch:
        watch.frames = sum(len(block_rows) for block_rows, _ in gallery.blocks(rows))


def read_scattered(folder: Path, n_frames: int, watch: Stopwatch) -> None:
    gallery = open_gallery(folder / "g.zarr")
    rows = np.random.default_rng(0).choice(n_frames, n_frames // 20, replace=False)
    with watch:
        watch.frames = sum(len(block_rows) for block_rows, _ in gallery.blocks(rows))


def build(folder: Path, n_frames: int, watch: Stopwatch) -> None:
    """`gallery build` on what `register` leaves; the folder is made first, which is not timed."""
    faces = Faces()
    registered, labels = folder / "registered", folder / "labels.csv"
    start_folder(registered, faces.template, {})
    rows = ["subject,session,sequence,frame,valence,arousal,neutral"]
    for number, n in enumerate(lengths(min(n_frames, N_BUILT))):
        for k, offsets in enumerate(faces.offsets(number, n)):
            key = FrameKey("s", "1", f"q{number}", k)
            vertices = faces.template.mesh.vertices + offsets
            write_frame(frame_path(registered, key), RegisteredFrame(vertices, np.eye(3), np.zeros(3)))
            append_report(registered, ReportLine(key, "a.obj", "", "mm", {}, 1.0))
            rows.append(f"s,1,q{number},{k},0.5,0.5,{int(k == 0)}")
    labels.write_text("\n".join(rows) + "\n")
    evict(registered)
    with watch:
        watch.frames = build_gallery([registered], labels, folder / "built.zarr")["frames_added"]


def check(folder: Path, n_frames: int, watch: Stopwatch) -> None:
    with watch:
        damage = check_gallery(folder / "g.zarr")
    if damage:
        raise SystemExit("\n".join(damage))
    watch.frames = n_frames


def append_for_ever(folder: Path, n_frames: int, watch: Stopwatch) -> None:
    faces = Faces()
    with GalleryWriter(folder / "killed.zarr") as writer:
        number = len(writer) // FRAMES_PER_SEQUENCE
        while True:
            writer.append(faces.sequence(number))
            number += 1
            print(number, flush=True)


STEPS = {
    "write: bare file": write_bare_file,
    "write: plain zarr": write_plain_zarr,
    "write: gallery": write_gallery,
    "open: gallery": open_only,
    "stream: bare file": stream_bare_file,
    "stream: plain zarr": stream_plain_zarr,
    "stream: gallery": stream_gallery,
    "5 % in stretches of 20": read_stretches,
    "5 % one by one": read_scattered,
    "check": check,
    "build": build,
}


def run_step(name: str, folder: Path, n_frames: int) -> dict[str, float]:
    """In a process of its own: seconds, frames, and peak memory."""
    evict(folder)
    done = subprocess.run(
        [*THIS, "--step", name, "--folder", str(folder), "--frames", str(n_frames)],
        check=True,
        capture_output=True,
        text=True,
    )
    return json.loads(done.stdout)


def evict(folder: Path) -> None:
    """Ask the system to forget the files' pages."""
    if not hasattr(os, "posix_fadvise"):
        return
    for path in folder.rglob("*"):
        if path.is_file():
            descriptor = os.open(path, os.O_RDONLY)
            os.fsync(descriptor)
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
            os.close(descriptor)


def kill_ten_times(folder: Path) -> list[str]:
    """What was there after each kill; raises SystemExit when something was lost."""
    create_gallery(folder / "killed.zarr", Faces().template)
    wait = random.Random(0)
    report, promised = [], 0
    for _ in range(N_KILLS):
        command = [*THIS, "--step", "append for ever", "--folder", str(folder)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
            assert writer.stdout is not None
            first = writer.stdout.readline()
            time.sleep(wait.uniform(0, 0.6))
            writer.kill()
            promised = int((first + writer.stdout.read()).split()[-1])
        damage = check_gallery(folder / "killed.zarr")
        n_sequences = len(open_gallery(folder / "killed.zarr").frames.sequence_names)
        if damage or not promised <= n_sequences <= promised + 1:
            raise SystemExit(f"LOST: {promised} recordings appended, {n_sequences} found; {damage}")
        report.append(f"{n_sequences}/{promised}")
    return report


def size(path: Path) -> int:
    return sum(p.stat().st_size for p in path.rglob("*") if p.is_file()) if path.is_dir() else path.stat().st_size


def main() -> None:
    """Print the table."""
    parser = arguments(__doc__, repeats=1)
    parser.add_argument("--frames", type=int, default=100_000, help="default: %(default)s")
    parser.add_argument("--folder", type=Path, help="where to write; 9 GB for the default (default: a temporary one)")
    parser.add_argument("--step", help=argparse.SUPPRESS)
    options = parser.parse_args()
    use_one_thread()
    if options.step is not None:
        watch = Stopwatch()
        {**STEPS, "append for ever": append_for_ever}[options.step](options.folder, options.frames, watch)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        seconds = {"seconds": watch.seconds, "cpu_seconds": watch.cpu_seconds}
        print(json.dumps({**seconds, "frames": watch.frames, "peak_bytes": peak}))
        return
    context = surroundings(["zarr", "numcodecs"])
    folder = Path(tempfile.mkdtemp(dir=options.folder))
    try:
        n_vertices = len(Faces().template.mesh.vertices)
        print(f"A gallery of {options.frames} frames x {n_vertices} vertices")
        print(f"{context['processor']}, threads: {context['threads'] or 'all'}, load before: {context['load_1_min']}")
        print(f"{'':24}{'frames/s':>10}{'s':>9}{'cpu s':>9}{'peak MiB':>10}")
        rows: dict[str, dict[str, float]] = {}
        for name in STEPS:
            row = run_step(name, folder, options.frames)
            rows[name] = row
            rate = row["frames"] / row["seconds"]
            times = f"{rate:10.0f}{row['seconds']:9.2f}{row['cpu_seconds']:9.2f}"
            print(f"{name:24}{times}{row['peak_bytes'] / 2**20:10.0f}", flush=True)
        peak_gib = max(rows[name]["peak_bytes"] for name in rows if not name.endswith(("file", "zarr"))) / 2**30
        sizes = {name: size(folder / name) / options.frames for name in ("bare", "plain.zarr", "g.zarr")}
        print(f"peak memory {peak_gib:.2f} GiB, {'within' if peak_gib <= BAR_GIB else 'OVER'} the bar of {BAR_GIB} GiB")
        print("bytes a frame: " + ", ".join(f"{name} {value:.0f}" for name, value in sizes.items()))
        kills = kill_ten_times(folder)
        print(f"{N_KILLS} kills, recordings found / appended: {', '.join(kills)}; nothing lost, checks clean")
        if options.json is not None:
            report = {"surroundings": context, "rows": rows, "bytes_per_frame": sizes, "kills": kills}
            options.json.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
