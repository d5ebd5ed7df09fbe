"""How well a trained comparator tells pairs of one emotion from pairs of two."""

from __future__ import annotations

from typing import TYPE_CHECKING

from synth_affect.editors.expression_classifier.augmentation import labels_of
from synth_affect.editors.expression_classifier.networks import EXTRA
from synth_affect.editors.faces import EditorFaces
from synth_affect.editors.grey import grey_of
from synth_affect.editors.siamese_vae.networks import build_networks
from synth_affect.editors.siamese_vae.pairs import pair_up
from synth_affect.editors.siamese_vae.settings import SiameseSettings
from synth_affect.editors.training import pictures_as_tensor
from synth_affect.errors import InputError
from synth_affect.optional import import_optional

if TYPE_CHECKING:
    from synth_affect.editors.weights import EditorWeights

BATCH = 256


def comparison_accuracy(
    settings: SiameseSettings, weights: EditorWeights, faces: EditorFaces, seed: int = 0, device: str = "cpu"
) -> float:
    """Share of pairs that are told rightly, of which half are alike; .5 is chance.

    faces : two or more of a class; each has one partner, drawn from the seed among up to BATCH faces.
    Raises InputError for weights of other shapes, or faces of no class.
    """
    torch = import_optional("torch", EXTRA)
    faces = faces.select(labels_of(faces.categories) >= 0)
    if len(faces) < 2:
        raise InputError("--data", "shows fewer than two faces of the paper's classes")
    right = 0
    with torch.random.fork_rng(devices=[]), torch.inference_mode():  # others' random numbers are theirs
        torch.manual_seed(seed)
        comparator = build_networks(settings).comparator
        weights.load_into(comparator, "comparator")
        comparator.to(device).eval()
        averages = weights.tensors["averages"].to(device)
        order = torch.randperm(len(faces)).numpy()
        for start in range(0, len(order), BATCH):
            part = faces.select(order[start : start + BATCH])
            classes = torch.from_numpy(labels_of(part.categories))
            partners, same = pair_up(classes)
            grey = grey_of(pictures_as_tensor(part.pictures, device))
            other = averages[classes[partners]] if settings.pairing == "averages" else grey[partners]
            right += int(((comparator(grey, other) > 0).cpu() == same).sum())
    return right / len(order)
