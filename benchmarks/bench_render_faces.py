"""Rendered faces: how long one takes, and whether MediaPipe finds them and lands where the labels say.

    python -m benchmarks.bench_render_faces [--subjects 40] [--per-subject 5] [--size 384] [--dataset DIR] [--head cc0]

The detector never saw a rendering of ours and the labels are points of the head model's own embedding, so the distance
holds both errors: of the detector on rendered faces, and of the embedding.
`--dataset` reads a data set that is there instead of rendering one (`synth-affect render-faces`).
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks._timing import surroundings, use_one_thread
from synth_affect.data.pictures import read_picture
from synth_affect.fitting.markup import interocular_distance_px
from synth_affect.fitting.mediapipe_detector import MediaPipeDetector
from synth_affect.pipelines.open_head import open_head
from synth_affect.pipelines.render_faces import RenderRequest, read_geometry, read_labels, render_faces, render_one
from synth_affect.pipelines.rendered_people import invent_person, open_studio

DETECTED_BAR, FRONTAL_DEG = 0.98, 45.0
PICTURES_TIMED = 6


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--subjects", type=int, default=40)
    parser.add_argument("--per-subject", type=int, default=5)
    parser.add_argument("--size", type=int, default=384)
    parser.add_argument("--head", default="cc0")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--dataset", type=Path, help="a data set that is there")
    parser.add_argument("--json", type=Path, help="also write the figures here")
    asked = parser.parse_args()
    use_one_thread()
    report = {"surroundings": surroundings(["mediapipe", "opencv-python", "numba"]), "head": asked.head}
    report["seconds"] = times(asked.head)
    if asked.dataset is not None:
        report["landing"] = landing(asked.dataset)
    else:
        with tempfile.TemporaryDirectory() as folder:
            request = RenderRequest(asked.subjects, asked.per_subject, asked.head, asked.size)
            render_faces(request, Path(folder) / "faces", workers=asked.workers)
            report["landing"] = landing(Path(folder) / "faces")
    if asked.json:
        asked.json.write_text(json.dumps(report, indent=2) + "\n")


def times(head: str) -> dict[str, float]:
    """CPU seconds of one process, medians over PICTURES_TIMED pictures of one person each."""
    studio = open_studio(open_head(head))
    measured: dict[str, list[float]] = {}
    for size in (128, 256, 512):
        request = RenderRequest(PICTURES_TIMED + 1, 2, "cc0", size)
        for index in range(PICTURES_TIMED + 1):
            start = time.process_time()
            person = invent_person(studio, 0, index)
            invented = time.process_time()
            render_one(studio, person, request, 1)
            if index:  # the first one compiles
                measured.setdefault("person", []).append(invented - start)
                measured.setdefault(f"picture of {size} px", []).append(time.process_time() - invented)
    seconds = {name: round(float(np.median(values)), 3) for name, values in measured.items()}
    print(f"CPU seconds, {head}:", ", ".join(f"{name} {value:.2f}" for name, value in seconds.items()))
    return seconds


def landing(folder: Path) -> dict[str, float]:
    """Rate of detection and distances, in per cent of the distance of the outer corners of the eyes."""
    found: dict[bool, list[bool]] = {True: [], False: []}
    errors, largest = [], []
    with MediaPipeDetector() as detector:
        for row in read_labels(folder):
            pixels = read_picture(folder / row["picture"]).pixels
            frontal = abs(float(row["yaw_deg"])) <= FRONTAL_DEG
            faces = detector.detect(pixels)
            found[frontal].append(bool(faces))
            if not faces or not frontal:
                continue
            truth = read_geometry(folder / row["geometry"])["landmarks_478"]
            scale = interocular_distance_px(truth[:, :2])
            apart = np.linalg.norm(faces[0].points_image[:, :2] - truth[:, :2], axis=1) / scale
            errors.append(float(apart.mean()))
            largest.append((errors[-1], row["picture"]))
    result = {
        "pictures": len(found[True]) + len(found[False]),
        "found_frontal": float(np.mean(found[True])),
        "found_beyond": float(np.mean(found[False])) if found[False] else float("nan"),
        "mean_percent": 100 * float(np.mean(errors)),
        "median_percent": 100 * float(np.median(errors)),
        "p95_percent": 100 * float(np.percentile(errors, 95)),
    }
    print(
        f"{result['pictures']} pictures: found {result['found_frontal']:.1%} within {FRONTAL_DEG:g} degrees of yaw "
        f"(bar {DETECTED_BAR:.0%}), {result['found_beyond']:.1%} beyond; distance from the labels "
        f"{result['mean_percent']:.2f} % of the eyes' distance on average, median {result['median_percent']:.2f} %, "
        f"95th percentile {result['p95_percent']:.2f} %"
    )
    print("worst:", ", ".join(f"{name} {100 * error:.1f} %" for error, name in sorted(largest)[-5:]))
    return result


if __name__ == "__main__":
    main()
