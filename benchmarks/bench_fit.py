"""How long one fit of a head to 478 landmarks takes in one thread; the bar is 40 ms on a quiet machine.

Beside it, in the same run and on the same picture, MediaPipe's detection of those landmarks: the yardstick of the
machine. The solver's construction is paid once a head model.
"""

from __future__ import annotations

import numpy as np

from benchmarks._timing import Row, arguments, measure, print_table, surroundings, use_one_thread, write_json
from synth_affect.fitting.landmarks import Landmarks
from synth_affect.fitting.mediapipe_detector import MediaPipeDetector
from synth_affect.fitting.perspective import turn
from synth_affect.fitting.solver import LandmarkSolver
from synth_affect.heads.camera import Camera, ImageSize, project
from synth_affect.heads.cc0 import load_cc0
from synth_affect.heads.model import HeadModel, embed, head_vertices

TITLE = "Fit of the packaged head to 478 landmarks"
BAR_MS = 40.0


def turned_face(head: HeadModel, size: ImageSize) -> Landmarks:
    """A smiling face turned by 50 degrees, with noise of half a pixel: more to do than a frontal one."""
    rng = np.random.default_rng(0)
    weights = [0.7 if name.startswith("mouthSmile") else 0.0 for name in head.unit_names]
    vertices = head_vertices(head, rng.normal(size=len(head.identity_basis)), np.array(weights)).astype(np.float64)
    rotation = turn(np.array([0.0, np.radians(50), 0.0]))
    camera = Camera(rotation, np.array([0.0, 0.0, 900.0]), 1600.0, np.array([size.width, size.height]) / 2)
    points = project(camera, embed(vertices, head.triangles, head.landmarks_478))
    points[:, :2] += rng.normal(size=(len(points), 2)) * 0.5
    points[:, 2] = 0
    return Landmarks(points, {})


def main() -> None:
    """Print the table; write it where asked."""
    options = arguments(__doc__).parse_args()
    use_one_thread()
    from skimage.data import astronaut

    picture = astronaut()
    size = ImageSize(*picture.shape[:2])
    head = load_cc0()
    solver = LandmarkSolver(head)
    with MediaPipeDetector() as detector:
        landmarks = detector.detect(picture)[0]
        detection = measure(lambda: detector.detect(picture), repeats=options.repeats)
    turned = turned_face(head, size)
    frontal_fit, turned_fit = solver(landmarks, size), solver(turned, size)
    frontal = measure(lambda: solver(landmarks, size), repeats=options.repeats)
    sideways = measure(lambda: solver(turned, size), repeats=options.repeats)
    construction = measure(lambda: LandmarkSolver(head), repeats=max(options.repeats // 10, 3), warm_up=1)

    met = "meets" if frontal.median_ms <= BAR_MS else "MISSES"
    ratio = frontal.median_ms / detection.median_ms
    rows = [
        Row("MediaPipe detection, skimage's astronaut", detection, f"{size.height} x {size.width} px"),
        Row(
            "fit of that face", frontal, f"{frontal_fit.iterations} iterations; {ratio:.2f} of detection; {met} the bar"
        ),
        Row("fit of a synthetic face at 50 degrees", sideways, f"{turned_fit.iterations} iterations"),
        Row("construction of the solver", construction, f"{len(head.mean)} vertices; once a head model"),
    ]
    context = surroundings(["mediapipe"])
    print_table(TITLE, rows, context=context)
    if options.json is not None:
        write_json(options.json, TITLE, rows, context=context)


if __name__ == "__main__":
    main()
