"""A small folder of portraits, and runs over it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import skimage.data
import skimage.transform
from PIL import Image

from synth_affect.data.faces.export.table import PlainLayout
from synth_affect.data.faces.registry import open_face_database
from synth_affect.pipelines.augment.run import AugmentJob
from synth_affect.pipelines.augment.targets import DrawnTargets
from synth_affect.pipelines.augment.work import AugmentSettings

JobMaker = Callable[..., AugmentJob]


@pytest.fixture(scope="session")
def portraits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two people (one astronaut, once from either side), a landscape without a face and a damaged file."""
    folder = tmp_path_factory.mktemp("portraits")
    image = np.asarray(skimage.data.astronaut())[:300, 100:400]
    small = (255 * skimage.transform.resize(image, (200, 200), anti_aliasing=True)).astype(np.uint8)
    for name, pixels in {"anna/a": small, "bert/b": small[:, ::-1], "anna/wall": np.full_like(small, 90)}.items():
        path = folder / f"{name}.png"
        path.parent.mkdir(exist_ok=True)
        Image.fromarray(pixels).save(path)
    (folder / "bert" / "damaged.png").write_bytes((folder / "bert" / "b.png").read_bytes()[:900])
    return folder


@pytest.fixture
def make_job(portraits: Path) -> JobMaker:
    """A job over the portraits, all of which a person has chosen: `make_job(out, per_face=3)`."""

    def make(out: Path, *, per_face: int = 2, seed: int = 0, check_rest: bool = False) -> AugmentJob:
        return AugmentJob(
            database=open_face_database("folder", portraits, {"subjects": "first-folder"}),
            out=out,
            targets=DrawnTargets(per_face, seed),
            layout=PlainLayout(),
            settings=AugmentSettings(min_quality=0.1, check_rest=check_rest),
            n_folds=2,
            seed=seed,
        )

    return make
