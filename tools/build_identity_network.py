r"""Build the packaged identity network from rendered people, whom it renders itself.

    python -m tools.build_identity_network [--work FOLDER] [--faces FACES] [--workers 4]

The same as these two commands, in a folder that is removed again unless it is named (--work); there, a build that was
stopped is gone on with:

    synth-affect render-faces --subjects 180 --per-subject 16 --size 160 --seed 21 --out WORK/faces
    synth-affect train identity --data WORK/faces --crop aligned --width 8 --epochs 24 --learning-rate 0.002 \
        --patience 0 --test-people 145-179 --validation-people 130-144 --device cpu --out WORK/run

--faces takes other renderings of the CC0 head, made already; the card says which. Nobody was photographed: the head is
CC0, and its people are invented. Faces are cut out as editors see them. What the network reaches on people who took no
part is in the card beside the weights.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from synth_affect.data.atomic import atomic_write
from synth_affect.data.faces.annotation_files import read_json
from synth_affect.errors import InputError
from synth_affect.pipelines.open_identity import PACKAGED
from synth_affect.pipelines.render_faces import DATASET, RenderRequest, render_faces
from synth_affect.pipelines.training.face_samples import FaceSource
from synth_affect.pipelines.training.people_choice import PeopleChoice
from synth_affect.pipelines.training.train_regressor import WEIGHTS, TrainRequest, train_regressor
from synth_affect.regressors.networks import NetworkSettings
from synth_affect.regressors.train_settings import TrainSettings
from synth_affect.regressors.weight_file import card_path


@dataclass(frozen=True, slots=True)
class Recipe:
    """faces : who is rendered.  network, training : what is trained, and how.  people : who of them does what."""

    faces: RenderRequest
    network: NetworkSettings
    training: TrainSettings
    people: PeopleChoice


NAMED = ("format", "version", "head", "topology", "licence", "n_subjects", "per_subject", "size", "seed")
"""What the card says of the renderings."""
RECIPE = Recipe(
    faces=RenderRequest(n_subjects=180, per_subject=16, size=160, seed=21),
    network=NetworkSettings("identity", size=96, width=8, batch_norm=True, crop="aligned"),
    training=TrainSettings(epochs=24, learning_rate=2e-3, seed=0),
    people=PeopleChoice(test="145-179", validation="130-144"),
)


def build(
    recipe: Recipe, work: Path, out: Path = PACKAGED, *, faces: Path | None = None, workers: int = 1
) -> dict[str, Any]:
    """Render what is missing, train, test, and write the weights `out` with their card, which is returned.

    faces : a finished folder of renderings instead.
    Raises InputError when that is of another head, or `work` holds something of another recipe.
    """
    if faces is None:
        faces = work / "faces"
        render_faces(recipe.faces, faces, workers=workers)
    about = read_json(faces / DATASET)
    if about.get("head") != recipe.faces.head:
        raise InputError(faces, f"holds renderings of the head {about.get('head')}, not of {recipe.faces.head}")
    request = TrainRequest((FaceSource(faces),), recipe.network, recipe.training, people=recipe.people)
    card = train_regressor(request, work / "run", device="cpu")
    card["data"] |= {"paths": [], "faces": {name: about.get(name) for name in NAMED}, "people": asdict(recipe.people)}
    with atomic_write(out) as file:
        file.write((work / "run" / WEIGHTS).read_bytes())
    with atomic_write(card_path(out)) as file:
        file.write((json.dumps(card, indent=2) + "\n").encode())
    return card


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, help="render and train here, and leave it; for going on")
    parser.add_argument("--faces", type=Path, help="renderings of the CC0 head that are there already")
    parser.add_argument("--workers", type=int, default=2, help="processes that render")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        card = build(RECIPE, arguments.work or Path(folder), faces=arguments.faces, workers=arguments.workers)
    print(f"wrote {PACKAGED}: {card['test']}")


if __name__ == "__main__":
    main()
