"""How long a step of training takes for the small editors that draw grey faces, and for FExGAN, on one core.

Beside each, in the same run: the same networks with the channels of a picture one behind the other, which is what
PyTorch makes by default. One batch of each editor's own size; the numbers that come out are the same but for rounding.
Needs the extra `train`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks._timing import Row, Timing, arguments, measure, print_table, surroundings, use_one_thread, write_json
from synth_affect.editors.faces import CATEGORIES, EditorFaces
from synth_affect.editors.recipes import open_recipe
from synth_affect.editors.training import EditorBatch, pictures_as_tensor

TITLE = "A step of training, small size, channels side by side against one behind the other"
EDITORS = ("classifier", "siamese", "fader", "beta-vae", "fexgan")


def faces_of(size: int, n_people: int = 40) -> EditorFaces:
    """Noise with a category each."""
    n = n_people * len(CATEGORIES)
    return EditorFaces(
        np.random.default_rng(0).integers(0, 255, (n, size, size, 3), dtype=np.uint8),
        np.zeros((n, 2), dtype=np.float32),
        np.tile(np.arange(len(CATEGORIES)), n_people),
        np.repeat([f"p{person}" for person in range(n_people)], len(CATEGORIES)),
        np.array([str(number) for number in range(n)]),
    )


def step_of(name: str, repeats: int, *, side_by_side: bool) -> Timing:
    import torch

    recipe = open_recipe(name)
    settings: Any = recipe.small()
    faces = faces_of(settings.size)
    learner: Any = recipe.build_learner(settings, faces, None)
    if not side_by_side:
        learner.to(memory_format=torch.contiguous_format)
    optimizers = learner.optimizers()
    learner.train()
    learner.begin_epoch(0)
    rows = np.random.default_rng(1).permutation(len(faces))[: settings.batch]
    batch = EditorBatch(
        torch.from_numpy(rows),
        pictures_as_tensor(faces.pictures[rows], "cpu"),
        torch.zeros(len(rows), 2),
        torch.from_numpy(faces.categories[rows]),
        torch.from_numpy(faces.people[rows]),
    )
    return measure(lambda: learner.training_step(batch, optimizers), repeats=repeats)


def main() -> None:
    """Print the table."""
    asked = arguments(__doc__, repeats=12).parse_args()
    use_one_thread()
    context = surroundings(["torch"])
    rows = []
    for name in EDITORS:
        new, old = (step_of(name, asked.repeats, side_by_side=way) for way in (True, False))
        rows += [Row(name, new, f"{old.best_ms / new.best_ms:.2f} times as fast"), Row("  one behind the other", old)]
    print_table(TITLE, rows, context=context)
    if asked.json:
        write_json(asked.json, TITLE, rows, context=context)


if __name__ == "__main__":
    main()
