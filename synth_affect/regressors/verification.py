"""Does an embedding tell people apart?"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from synth_affect.arrays import FloatArray
from synth_affect.errors import InputError


def verification_auc(embeddings: FloatArray, people: npt.NDArray[Any]) -> float:
    """Share of (same person, other person) pairs of pairs in which the same person's cosine is the larger one.

    embeddings : (n, d), of length 1.  people : (n,).  0.5 is chance; ties count half.
    Raises InputError when there is one person, or none with two pictures.
    """
    first, second = np.triu_indices(len(embeddings), 1)
    same = people[first] == people[second]
    n_same, n_other = int(same.sum()), int((~same).sum())
    if not n_same or not n_other:
        raise InputError("people", "two people, one of them with two pictures, are the least for verification")
    cosines = np.einsum("nd,nd->n", embeddings[first].astype(np.float64), embeddings[second].astype(np.float64))
    _, place, counts = np.unique(cosines, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[place]
    return float((ranks[same].sum() - n_same * (n_same + 1) / 2) / (n_same * n_other))
