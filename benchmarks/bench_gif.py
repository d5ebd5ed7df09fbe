"""A GIF of a face on its way through the plane: colours that the frames share, beside colours chosen frame by frame.

    python -m benchmarks.bench_gif

The peer is Pillow's own way, a median cut of each frame: its time, the size of its file, how far its colours are
off at the size at which an eye mixes the dots (a blur of 2 px).
"""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import cv2
import numpy as np
from PIL import Image, ImageSequence

from benchmarks._timing import Row, arguments, measure, print_table, surroundings, use_one_thread, write_json
from synth_affect.affect import ValenceArousal
from synth_affect.data.pictures import read_picture
from synth_affect.data.video_writing import write_gif
from synth_affect.pipelines.affect_path import path_points
from synth_affect.pipelines.demo_picture import find_demo_picture
from synth_affect.pipelines.synthesize import AffectSynthesizer

TITLE = "GIF of 30 frames, 480 x 480 px"
SIDE_PX, N_FRAMES, RATE = 480, 30, 20.0
WAY = ((0.0, 0.0), (0.8, 0.4), (-0.5, 0.6), (-0.6, -0.4), (0.0, 0.0))


def frames() -> list[np.ndarray]:
    """The demo's portrait on its way."""
    image = cv2.resize(read_picture(find_demo_picture()).pixels, (SIDE_PX, SIDE_PX), interpolation=cv2.INTER_AREA)
    points = path_points([ValenceArousal(*corner) for corner in WAY], N_FRAMES)
    with AffectSynthesizer() as synthesizer:
        fit = synthesizer.fit(image)
        scene = synthesizer.prepare(image, fit)
        return [
            synthesizer.synthesize(image, fit, valence=point.valence, arousal=point.arousal, scene=scene).image
            for point in points
        ]


def frame_by_frame(path: Path, pictures: list[np.ndarray]) -> None:
    """Colours of its own for each."""
    first, *rest = [Image.fromarray(picture).quantize(256) for picture in pictures]
    first.save(path, format="GIF", save_all=True, append_images=rest, duration=50, loop=0)


def described(path: Path, pictures: list[np.ndarray]) -> str:
    """Size, and the error of what an eye sees."""
    with Image.open(path) as gif:
        read = [np.asarray(frame.convert("RGB")) for frame in ImageSequence.Iterator(gif)]
    errors = [np.abs(_mixed(one) - _mixed(other)) for one, other in zip(read, pictures, strict=True)]
    worst = np.mean([np.quantile(error.max(axis=2), 0.995) for error in errors])
    return f"{path.stat().st_size / 1e6:.2f} MB; error: mean {np.mean(errors):.2f}, worst 0.5 % {worst:.1f} levels"


def _mixed(picture: np.ndarray) -> np.ndarray:
    return cv2.GaussianBlur(picture.astype(np.float32), (0, 0), 2)


def main() -> None:
    """Print the table."""
    options = arguments(__doc__, repeats=5).parse_args()
    use_one_thread()
    context = surroundings(["pillow"])
    pictures = frames()
    with TemporaryDirectory() as folder:
        ours, theirs = Path(folder) / "ours.gif", Path(folder) / "theirs.gif"
        time = measure(lambda: write_gif(ours, pictures, RATE, about=""), repeats=options.repeats, warm_up=1)
        peer = measure(lambda: frame_by_frame(theirs, pictures), repeats=options.repeats, warm_up=1)
        ratio = f"; {peer.median_ms / time.median_ms:.1f} x our time"
        rows = [
            Row("write_gif", time, described(ours, pictures)),
            Row("median cut of each frame", peer, described(theirs, pictures) + ratio),
        ]
    print_table(TITLE, rows, context=context)
    if options.json is not None:
        write_json(options.json, TITLE, rows, context=context)


if __name__ == "__main__":
    main()
