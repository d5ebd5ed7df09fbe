"""What a batch costs beside its detection: fits of 100 frames of one person, alone and with one identity.

All from the same frames in the same run: the portrait that scikit-image brings, moved, turned and made noisy. A batch
that shares the identity may take at most three times what fitting each frame alone does. Beside it, where
`--eos PYTHON --sfm FOLDER` name an interpreter with eos-py and the Surrey model's files, eos on the same points (68 of
the 478, by the packaged head's own embedding of both).

`--workers` also times the whole command on the frames with one process and with two (wall clock, start included).
"""

from __future__ import annotations

import json
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from benchmarks._timing import Row, Timing, arguments, measure, print_table, surroundings, use_one_thread, write_json
from synth_affect.arrays import FloatArray, ImageArray
from synth_affect.data.video_frames import VideoFile
from synth_affect.fitting.fit import FaceFit
from synth_affect.fitting.landmarks import Landmarks
from synth_affect.fitting.mediapipe_detector import MediaPipeDetector
from synth_affect.fitting.quality import QualityMeter
from synth_affect.fitting.same_person import SeenFace, fit_batch
from synth_affect.fitting.solver import LandmarkSolver
from synth_affect.fitting.temporal import smooth_fits
from synth_affect.heads.camera import ImageSize, project
from synth_affect.heads.cc0 import load_cc0
from synth_affect.heads.model import embed, head_vertices

TITLE = "Batch fitting of one person's frames"
BAR = 3.0
SIDE = 320

_EOS = """
import json, sys, time
import eos, numpy as np
folder, path = sys.argv[1:]
content = json.load(open(path))
shape = eos.morphablemodel.load_model(folder + "/sfm_shape_3448.bin")
blendshapes = eos.morphablemodel.load_blendshapes(folder + "/expression_blendshapes_3448.bin")
model = eos.morphablemodel.MorphableModel(shape.get_shape_model(), blendshapes,
    color_model=eos.morphablemodel.PcaModel(), vertex_definitions=None,
    texture_coordinates=shape.get_texture_coordinates())
mapper = eos.core.LandmarkMapper(folder + "/ibug_to_sfm.txt")
edges = eos.morphablemodel.load_edge_topology(folder + "/sfm_3448_edge_topology.json")
contour = eos.fitting.ContourLandmarks.load(folder + "/ibug_to_sfm.txt")
model_contour = eos.fitting.ModelContour.load(folder + "/sfm_model_contours.json")
times = []
for _ in range(content["repeats"]):
    for points in content["points"]:
        landmarks = [eos.core.Landmark(str(k + 1), [x, y]) for k, (x, y) in enumerate(points)]
        start = time.process_time()
        eos.fitting.fit_shape_and_pose(model, landmarks, mapper, content["width"], content["height"], edges, contour,
                                       model_contour)
        times.append(time.process_time() - start)
print(json.dumps(times))
"""


def frames(count: int) -> list[ImageArray]:
    """The portrait's face, moving."""
    from skimage.data import astronaut

    portrait = np.ascontiguousarray(astronaut()[:SIDE, 64 : 64 + SIDE])
    rng = np.random.default_rng(0)
    made = []
    for k in range(count):
        turn = cv2.getRotationMatrix2D((SIDE / 2, SIDE / 2), 8 * np.sin(k / 10), 1 + 0.05 * np.sin(k / 7))
        turn[:, 2] += 6 * np.sin(k / 9), 4 * np.cos(k / 8)
        moved = cv2.warpAffine(portrait, turn, (SIDE, SIDE), borderMode=cv2.BORDER_REPLICATE)
        made.append(np.clip(moved + rng.normal(size=moved.shape) * 3, 0, 255).astype(np.uint8))
    return made


def per_frame(timing: Timing, count: int) -> Timing:
    """Of one frame, from that of all."""
    return Timing(
        timing.median_ms / count, timing.best_ms / count, timing.p10_ms / count, timing.p90_ms / count, timing.repeats
    )


def eos_row(python: str, folder: str, points: list[FloatArray], size: ImageSize, repeats: int) -> Row:
    """Eos' fit of shape, expression, contour and pose to 68 points, in its own interpreter."""
    name = "eos-py 1.5: fit_shape_and_pose, 68 points"
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        content = {"points": [p.tolist() for p in points], "repeats": repeats}
        json.dump({**content, "width": size.width, "height": size.height}, file)
        file.flush()
        done = subprocess.run([python, "-c", _EOS, folder, file.name], capture_output=True, text=True, check=False)
    if done.returncode:
        return Row(name, None, done.stderr.strip().splitlines()[-1][:80])
    times = sorted(1e3 * each for each in json.loads(done.stdout.splitlines()[-1]))
    median, p10, p90 = (times[round(share * (len(times) - 1))] for share in (0.5, 0.1, 0.9))
    return Row(name, Timing(median, times[0], p10, p90, len(times)), "Surrey model, CPU time")


def worker_rows(pictures: list[ImageArray]) -> list[Row]:
    """The whole command, once with each count of processes."""
    import sys

    rows = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "frames.avi"
        writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 25.0, (SIDE, SIDE))
        for picture in pictures:
            writer.write(picture[:, :, ::-1])
        writer.release()
        with VideoFile(path) as video:
            assert video.announced == len(pictures)
        for workers in (1, 2):
            start = time.perf_counter()
            command = [sys.executable, "-m", "synth_affect", "fit", str(path), "-o", f"{folder}/{workers}.json"]
            subprocess.run([*command, "--workers", str(workers)], check=True, capture_output=True)
            taken = 1e3 * (time.perf_counter() - start) / len(pictures)
            note = f"{len(pictures)} frames, wall clock, start included"
            rows.append(Row(f"synth-affect fit, workers {workers}", Timing(taken, taken, taken, taken, 1), note))
        same = Path(f"{folder}/1.json").read_bytes() == Path(f"{folder}/2.json").read_bytes()
        rows.append(Row("both tables the same", None, "yes" if same else "NO"))
    return rows


def main() -> None:
    """Print the table; write it where asked."""
    parser = arguments(__doc__, repeats=5)
    parser.add_argument("--frames", type=int, default=100, help="of the person (default: %(default)s)")
    parser.add_argument("--eos", metavar="PYTHON", help="an interpreter that has eos-py")
    parser.add_argument("--sfm", metavar="FOLDER", help="the Surrey model's files")
    parser.add_argument("--workers", action="store_true", help="time the command with one and two processes")
    options = parser.parse_args()
    use_one_thread()
    pictures, size = frames(options.frames), ImageSize(SIDE, SIDE)
    n = len(pictures)
    head = load_cc0()
    solver = LandmarkSolver(head)
    with MediaPipeDetector() as detector:
        found: list[Landmarks] = [detector.detect(picture)[0] for picture in pictures]
        detection = measure(lambda: [detector.detect(picture) for picture in pictures[:10]], repeats=3, warm_up=0)
    faces = [SeenFace(landmarks, size) for landmarks in found]
    alone = fit_batch(solver, faces)
    together = fit_batch(solver, faces, people=[0] * n)
    meter = QualityMeter(head, solver)
    first = pictures[0], found[0], alone[0]
    singles = measure(lambda: fit_batch(solver, faces), repeats=options.repeats, warm_up=1)
    batch = measure(lambda: fit_batch(solver, faces, people=[0] * n), repeats=options.repeats, warm_up=1)
    added = measure(lambda: fit_batch(solver, faces, people=[0] * n, alone=alone), repeats=options.repeats, warm_up=1)
    smoothing = measure(lambda: smooth_fits(together, np.arange(n) / 25.0), repeats=options.repeats, warm_up=1)
    quality = measure(lambda: meter(*first), repeats=max(options.repeats, 10), warm_up=1)

    def residual(fits: Sequence[FaceFit]) -> str:
        return f"residual {100 * np.mean([fit.residual_iod for fit in fits]):.2f} % of the eyes' distance"

    ratio = batch.best_ms / singles.best_ms
    told = f"{ratio:.2f} x alone, {'meets' if ratio <= BAR else 'MISSES'} the bar; {residual(together)}"
    rows = [
        Row("MediaPipe detection, with its second looks", per_frame(detection, 10), f"{SIDE} x {SIDE} px"),
        Row("fit of each frame alone", per_frame(singles, n), residual(alone)),
        Row("fit_batch, one identity", per_frame(batch, n), told),
        Row("what it adds to fits that are there", per_frame(added, n)),
        Row("smoothing over time", per_frame(smoothing, n)),
        Row("quality of a fit, held-out fit included", quality),
    ]
    on_68 = []
    for fit in alone[:10]:
        vertices = head_vertices(head, fit.identity_coefficients, fit.expression_weights)
        on_68.append(project(fit.camera, embed(vertices, head.triangles, head.landmarks_68))[:, :2])
    of_68 = [SeenFace(Landmarks(np.column_stack([p, np.zeros(68)]), {}), size) for p in on_68]
    same_points = measure(lambda: fit_batch(solver, of_68), repeats=options.repeats, warm_up=1)
    rows.append(Row("fit of 68 points", per_frame(same_points, len(of_68))))
    if options.eos and options.sfm:
        rows.append(eos_row(options.eos, options.sfm, on_68, size, options.repeats))
    if options.workers:
        rows += worker_rows(pictures)
    context = surroundings(["mediapipe", "numba", "scipy", "opencv-python"])
    print_table(TITLE + f", {n} frames; milliseconds a frame", rows, context=context)
    if options.json:
        write_json(options.json, TITLE, rows, context=context)


if __name__ == "__main__":
    main()
