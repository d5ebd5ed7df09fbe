"""How long the steps of one synthesis take in one thread, with MediaPipe's detection in the same run as the yardstick.

The bars: one more target on a fitted face of a 512 px picture in 150 ms, in one thread on a quiet machine. With
`--picture` any photograph, at the sizes asked for; without, skimage's astronaut (512 px).
"""

from __future__ import annotations

import resource
import sys
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks._timing import Row, arguments, measure, print_table, surroundings, use_one_thread, write_json
from synth_affect.arrays import ImageArray
from synth_affect.fitting.mediapipe_detector import MediaPipeDetector
from synth_affect.pipelines.synthesize import AffectSynthesizer

TITLE = "Steps of one synthesis"
BAR_MS = {512: 150.0}
TARGETS = ((0.1, 0.9), (0.8, 0.3), (-0.5, 0.6), (-0.7, -0.3))


def pictures(path: Path | None, sizes: list[int]) -> dict[int, ImageArray]:
    """The picture with its longer side at each of `sizes`; the astronaut in its own size where `path` is None."""
    if path is None:
        from skimage.data import astronaut

        return {512: astronaut()}
    with Image.open(path) as opened:
        whole = opened.convert("RGB")
    scaled = {}
    for size in sizes:
        share = size / max(whole.size)
        scaled[size] = np.asarray(
            whole.resize((round(whole.width * share), round(whole.height * share)), Image.Resampling.LANCZOS)
        )
    return scaled


def main() -> None:
    """Print the table; write it where asked."""
    parser = arguments(__doc__, repeats=20)
    parser.add_argument("--picture", type=Path, help="a photograph with a face")
    parser.add_argument("--sizes", type=int, nargs="+", default=[512, 1200], help="longer sides in px (with --picture)")
    options = parser.parse_args()
    use_one_thread()
    rows = []
    with AffectSynthesizer() as synthesizer, MediaPipeDetector() as detector:
        for size, picture in pictures(options.picture, options.sizes).items():
            detection = measure(partial(detector.detect, picture), repeats=options.repeats)
            landmarks = detector.detect(picture)[0]
            fit = synthesizer.fit(picture)
            scene = synthesizer.prepare(picture, fit)
            fitting = measure(partial(synthesizer.fit_landmarks, picture, landmarks), repeats=options.repeats)
            preparing = measure(partial(synthesizer.prepare, picture, fit), repeats=options.repeats)
            rows.append(Row(f"{size} px: MediaPipe detection", detection))
            rows.append(Row(f"{size} px: fit", fitting, f"{fitting.median_ms / detection.median_ms:.2f} of detection"))
            rows.append(Row(f"{size} px: what all targets share", preparing, "once a face"))
            for valence, arousal in TARGETS:
                edit = partial(synthesizer.synthesize, picture, fit, valence=valence, arousal=arousal, scene=scene)
                timing = measure(edit, repeats=options.repeats)
                note = f"{timing.median_ms / detection.median_ms:.1f} of detection"
                if size in BAR_MS:
                    note += f"; {'meets' if timing.median_ms <= BAR_MS[size] else 'MISSES'} the bar"
                rows.append(Row(f"{size} px: target ({valence:+.1f}, {arousal:+.1f})", timing, note))
    context = surroundings(["mediapipe", "numba", "opencv-contrib-python"])
    print_table(TITLE, rows, context=context)
    if sys.platform == "linux":
        print(f"peak memory of this process: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB")
    if options.json is not None:
        write_json(options.json, TITLE, rows, context=context)


if __name__ == "__main__":
    main()
