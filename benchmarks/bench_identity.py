"""Does an identity network tell people apart better than their pixels or their colours do? On people it never saw.

Run: python -m benchmarks.bench_identity FACES --weights identity.safetensors [--first 145]
FACES is a folder of `synth-affect render-faces`. Prints the share of (same person, other person) pairs in which the
same person's cosine is the larger one: of all pictures, and of pairs of a neutral picture and one of an expression,
which is what an editor's input and output are. Needs the extra `train`.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from synth_affect.arrays import FloatArray
from synth_affect.pipelines.training.face_crops import CROPPINGS
from synth_affect.pipelines.training.face_samples import ANY_FACE, FaceSource, load_faces
from synth_affect.regressors import load_network, predict, select
from synth_affect.regressors.verification import verification_auc

BINS = 8
"""Of each of the three colours."""


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("faces", type=Path)
    parser.add_argument("--weights", type=Path)
    parser.add_argument("--first", type=int, default=0, help="people from this number on")
    asked = parser.parse_args()
    stored = None if asked.weights is None else load_network(asked.weights)
    size = 64 if stored is None else stored.settings.size
    cropping = CROPPINGS["square" if stored is None else stored.settings.crop]
    samples = load_faces(FaceSource(asked.faces), size, wanted=ANY_FACE, cropping=cropping).samples
    samples = select(samples, np.array([int(name.rsplit("-", 1)[1]) >= asked.first for name in samples.subjects]))
    crops = samples.pictures.take(np.arange(len(samples)))
    found = {"pixels": _unit(_pixels(crops)), "grey pixels": _unit(_grey(crops)), "colours": _unit(_colours(crops))}
    if stored is not None:
        start = time.process_time()
        found["network"] = predict(stored.network, stored.settings, samples)
        print(f"network: {1000 * (time.process_time() - start) / len(samples):.1f} ms a face")
    neutral = samples.categories == "neutral"
    print(f"{len(samples)} pictures of {len(np.unique(samples.subjects))} people")
    print(f"{'':14}{'all pairs':>12}{'neutral and other':>20}")
    for name, embeddings in found.items():
        every = verification_auc(embeddings, samples.subjects)
        print(f"{name:14}{every:>12.3f}{_across(embeddings, samples.subjects, neutral):>20.3f}")


def _across(embeddings: FloatArray, people: npt.NDArray[np.str_], neutral: npt.NDArray[np.bool_]) -> float:
    """As `verification_auc`, of the pairs of one that is neutral and one that is not."""
    cosines = embeddings[neutral] @ embeddings[~neutral].T
    same = people[neutral][:, None] == people[~neutral][None]
    other = np.sort(cosines[~same])
    places = np.searchsorted(other, cosines[same], "left") + np.searchsorted(other, cosines[same], "right")
    return float(places.mean() / 2 / len(other))


def _pixels(crops: npt.NDArray[np.uint8]) -> FloatArray:
    """Of 16 x 16, as one would compare thumbnails."""
    return np.stack([cv2.resize(crop, (16, 16), interpolation=cv2.INTER_AREA) for crop in crops]).reshape(
        len(crops), -1
    )


def _grey(crops: npt.NDArray[np.uint8]) -> FloatArray:
    return np.stack(
        [cv2.resize(cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY), (16, 16), interpolation=cv2.INTER_AREA) for crop in crops]
    ).reshape(len(crops), -1)


def _colours(crops: npt.NDArray[np.uint8]) -> FloatArray:
    """Square roots of the histogram over BINS x BINS x BINS colours of the middle, where the face is."""
    quarter = crops.shape[1] // 4
    middle = crops[:, quarter:-quarter, quarter:-quarter].reshape(len(crops), -1, 3).astype(np.int64) * BINS // 256
    places = (middle[..., 0] * BINS + middle[..., 1]) * BINS + middle[..., 2]
    return np.sqrt(np.stack([np.bincount(row, minlength=BINS**3) for row in places]).astype(np.float64))


def _unit(values: FloatArray) -> FloatArray:
    """Less their mean over the pictures, and of length 1."""
    centred = values.astype(np.float64) - values.mean(axis=0)
    return np.asarray(centred / np.linalg.norm(centred, axis=1, keepdims=True))


if __name__ == "__main__":
    main()
