"""Does `synth-affect video` flicker? A rendered talking head of 5 s is made to smile, and both are compared in time.

The head speaks, blinks and turns slowly in front of a still wall, with sensor noise and a sound track. Where nothing
moves the new frames must change from one to the next as those of a mere pass through the same encoder do. On the face,
which does move, the second difference in time is compared with the input's: flicker would raise it. What a face has of
brightness as a whole (teeth, skin) is followed, too.

    python -m benchmarks.bench_video --keep talk           # keeps talk.mp4, pleased.mp4 and strip.png
"""

from __future__ import annotations

import argparse
import json
import math
import multiprocessing
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from benchmarks._timing import surroundings, use_one_thread
from synth_affect.affect import Emotion, ValenceArousal
from synth_affect.arrays import FloatArray, ImageArray
from synth_affect.blendshape.action_units import ARKIT_UNITS, UNIT_INDEX
from synth_affect.data.video_frames import VideoFile
from synth_affect.data.video_writing import write_mp4

RATE = 25
SIZE_PX = 400
PERSON, SEED = 3, 5
NOISE_LEVELS = 1.2
"""Standard deviation of what the camera adds to a value of 0-255, anew in each frame."""


def spoken(time_s: float) -> FloatArray:
    """(52,) weights of a face that says something."""
    weights: FloatArray = np.zeros(len(ARKIT_UNITS))
    syllable = 0.5 - 0.5 * math.cos(2 * math.pi * 3.1 * time_s)
    phrase = 0.5 + 0.5 * math.tanh(4 * math.sin(2 * math.pi * time_s / 2.6 + 0.5))
    weights[UNIT_INDEX["jawOpen"]] = 0.32 * syllable * phrase
    weights[UNIT_INDEX["mouthFunnel"]] = 0.35 * phrase * max(math.sin(2 * math.pi * 1.3 * time_s), 0)
    for side in ("Left", "Right"):
        weights[UNIT_INDEX[f"mouthStretch{side}"]] = 0.25 * phrase * max(-math.sin(2 * math.pi * 1.3 * time_s), 0)
        for blink_s in (1.2, 3.5):
            weights[UNIT_INDEX[f"eyeBlink{side}"]] += math.exp(-(((time_s - blink_s) / 0.07) ** 2))
    return np.clip(weights, 0, 1)


_scene: Any = None


def _open_scene() -> None:
    global _scene
    from synth_affect.heads.camera import ImageSize
    from synth_affect.pipelines.open_head import open_head
    from synth_affect.pipelines.rendered_people import invent_person, open_studio
    from synth_affect.render.portrait.background import draw_background
    from synth_affect.render.portrait.lights import draw_lights

    studio = open_studio(open_head("cc0"))
    size = ImageSize(SIZE_PX, SIZE_PX)
    lights = draw_lights(np.random.default_rng(SEED))
    background = draw_background(lights, size, np.random.default_rng(SEED))
    _scene = studio, invent_person(studio, SEED, PERSON), size, lights, background


def render_frame(number: int) -> tuple[ImageArray, ImageArray]:
    """Frame and the share of the head in each of its pixels, 0-255."""
    from scipy.spatial.transform import Rotation

    from synth_affect.heads.camera import HEAD_TO_CAMERA_AXES, Camera
    from synth_affect.pipelines.rendered_people import Shown, face_shown, folds_shown
    from synth_affect.render.colour import linear_to_srgb
    from synth_affect.render.portrait.picture import render_portrait
    from synth_affect.render.portrait.viewpoint import MIDDLE_MM

    if _scene is None:
        _open_scene()
    studio, person, size, lights, background = _scene
    time_s = number / RATE
    angles = [1.5 * math.sin(time_s), 9 * math.sin(2 * math.pi * time_s / 5), 3 + 2 * math.sin(1.7 * time_s)]
    rotation = Rotation.from_euler("ZYX", np.radians(angles)).as_matrix()
    focal_px, distance = 2.4 * SIZE_PX, 980.0
    translation = distance * np.array([0, 0, 1.0]) - HEAD_TO_CAMERA_AXES @ rotation @ MIDDLE_MM
    camera = Camera(rotation, translation, focal_px, np.array([size.width / 2, size.height / 2]))
    shown = Shown(ValenceArousal(0, 0), Emotion.NEUTRAL, {Emotion.NEUTRAL: 1.0}, spoken(time_s))
    vertices = face_shown(studio, person, shown, SEED, 0)
    shot = render_portrait(person.appearance, vertices, camera, size, lights, folds_shown(studio, person, shown))
    light = 0.9 * (shot.colour + (1 - shot.cover[..., None]) * background)
    noise = np.random.default_rng([SEED, number]).standard_normal(light.shape) * NOISE_LEVELS
    pixels = 255 * linear_to_srgb(np.clip(light, 0, 1).astype(np.float32)) + noise
    return np.clip(np.rint(pixels), 0, 255).astype(np.uint8), np.rint(255 * shot.cover).astype(np.uint8)


def write_talk(path: Path, frames: list[ImageArray]) -> None:
    """The frames as a video with a hum for a voice."""
    import av

    silent = path.with_name("silent.mp4")
    write_mp4(silent, ((k / RATE, frame) for k, frame in enumerate(frames)), about="")
    sound = path.with_name("voice.wav")
    rate, seconds = 16_000, len(frames) / RATE
    times = np.arange(round(rate * seconds)) / rate
    wave = 0.2 * np.sin(2 * np.pi * 140 * times) * (0.5 - 0.5 * np.cos(2 * np.pi * 3.1 * times))
    with av.open(str(sound), "w") as output:
        stream = output.add_stream("pcm_s16le", rate=rate, layout="mono")
        frame = av.AudioFrame.from_ndarray((32767 * wave).astype(np.int16)[None], format="s16", layout="mono")
        frame.sample_rate = rate
        output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    with av.open(str(silent)) as pictures, av.open(str(sound)) as voice, av.open(str(path), "w") as output:
        video, audio = output.add_stream_from_template(pictures.streams.video[0]), output.add_stream("aac", rate=rate)
        for packet in pictures.demux(video=0):
            if packet.dts is not None:
                packet.stream = video
                output.mux(packet)
        for frame in voice.decode(audio=0):
            output.mux(audio.encode(frame))
        output.mux(audio.encode(None))
    silent.unlink()
    sound.unlink()


def read(path: Path) -> FloatArray:
    """(n_frames, height, width) float32 luma."""
    with VideoFile(path) as video:
        frames = [frame.pixels.astype(np.float32) @ [0.299, 0.587, 0.114] for frame in video.frames()]
    return np.stack(frames).astype(np.float32)


def sound_s(path: Path) -> float:
    """Seconds of the first sound track."""
    import av

    with av.open(str(path)) as file:
        return float(sum(frame.samples / frame.sample_rate for frame in file.decode(audio=0)))


def figures(before: FloatArray, after: FloatArray, passed: FloatArray, cover: FloatArray) -> dict[str, Any]:
    """Changes from frame to frame, grey levels of 0-255, where nothing moves and on the face.

    before, after, passed : (n_frames, height, width) the input, the result, and the input encoded once more.
    cover : (n_frames, height, width) share of the head.
    """
    still = cover.max(axis=0) == 0
    changed = np.abs(after - passed).mean(axis=0) > 1.0
    face = changed & (cover.min(axis=0) > 0.9)

    def first(video: FloatArray, where: Any) -> float:
        return float(np.abs(np.diff(video[:, where], axis=0)).mean())

    def second(video: FloatArray, where: Any) -> float:
        return float(np.abs(np.diff(video[:, where], n=2, axis=0)).mean())

    def sway(video: FloatArray, where: Any) -> float:
        """Second difference of the mean brightness: what the whole of the face does at once."""
        return float(np.abs(np.diff(video[:, where].mean(axis=1), n=2)).max())

    return {
        "still pixels": int(still.sum()),
        "changed pixels of the face": int(face.sum()),
        "still, frame to frame": {
            "input": first(before, still),
            "encoded": first(passed, still),
            "new": first(after, still),
        },
        "face, second difference": {
            "input": second(before, face),
            "encoded": second(passed, face),
            "new": second(after, face),
        },
        "brightness of the face, largest second difference": {
            "encoded": sway(passed, face),
            "new": sway(after, face),
        },
    }  # fmt: skip


def strip(videos: list[Path], numbers: list[int], path: Path) -> None:
    """Rows of frames to look at."""
    rows = []
    for video in videos:
        with VideoFile(video) as file:
            rows.append(np.concatenate([frame.pixels for frame in file.frames() if frame.index in numbers], axis=1))
    Image.fromarray(np.concatenate(rows)).save(path)


def main() -> None:
    """Print the figures; write them where asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--valence", type=float, default=0.7)
    parser.add_argument("--arousal", type=float, default=0.3)
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="for the videos; a talk.mp4 there is used again")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    use_one_thread()
    from synth_affect.pipelines.edit_picture import make_target
    from synth_affect.pipelines.edit_video import VideoSettings, edit_video
    from synth_affect.pipelines.workers import LocalEngine, default_workers

    with tempfile.TemporaryDirectory() as name:
        folder = options.keep or Path(name)
        folder.mkdir(parents=True, exist_ok=True)
        talk, covers = folder / "talk.mp4", folder / "cover.npz"
        if not talk.is_file() or not covers.is_file():
            with multiprocessing.get_context("spawn").Pool(default_workers()) as pool:
                rendered = pool.map(render_frame, range(round(options.seconds * RATE)), chunksize=4)
            np.savez_compressed(covers, cover=np.stack([cover for _, cover in rendered]))
            write_talk(talk, [frame for frame, _ in rendered])
        target = replace(make_target(options.valence, options.arousal, None), input_expression="keep")
        summary = edit_video(talk, target, folder / "pleased.mp4", VideoSettings(), LocalEngine(default_workers()))
        with VideoFile(talk) as video:
            again = [(frame.time_s, frame.pixels) for frame in video.frames()]
        write_mp4(folder / "again.mp4", iter(again), about="")
        cover = np.load(covers)["cover"].astype(np.float32) / 255
        before, after, passed = (read(folder / name) for name in ("talk.mp4", "pleased.mp4", "again.mp4"))
        report = {
            "frames": summary["frames"],
            "edited": summary["edited"],
            "sound_s": [round(sound_s(talk), 3), round(sound_s(folder / "pleased.mp4"), 3)],
            **figures(before, after, passed, cover),
            "surroundings": surroundings(["mediapipe", "av"]),
        }
        numbers = [round(share * (len(after) - 1)) for share in np.linspace(0.05, 0.95, 8)]
        strip([talk, folder / "pleased.mp4"], numbers, folder / "strip.png")
    print(json.dumps({key: value for key, value in report.items() if key != "surroundings"}, indent=1))
    if options.json is not None:
        options.json.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
