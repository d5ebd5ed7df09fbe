"""Sampling of adult heads from MakeHuman's phenotypes and face-shape targets, and their principal components."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tools.cc0_head.makehuman import AGES, BUILDS, GENDERS, RACES, MakeHumanData, macro_targets

SHAPE_FOLDERS = ("head", "forehead", "eyebrows", "eyes", "nose", "mouth", "cheek", "chin")
# Places and poses of the head, and sideways shifts, are no identity.
EXCLUDED = ("head-trans", "head-angle", "mouth-trans-in", "mouth-trans-out", "nose-trans-in", "nose-trans-out")
NEGATIVE_ENDINGS = ("decr", "down", "in", "backward", "concave", "compress")
SHAPE_SPREAD = 0.22  # standard deviation of a shape slider whose ends are -1 and 1: modest, so that heads stay common
OUTLINE_MOST = 0.35  # at most this much of one outline (oval, round, square ...): they are caricatures at 1
SIDE_SPREAD = 0.05  # how far the sides of a paired slider differ


@dataclass(frozen=True)
class ShapeSlider:
    """negative, positive : target names by side (left, right) or (both,); empty where the slider has one end."""

    negative: tuple[str, ...]
    positive: tuple[str, ...]


def shape_sliders(data: MakeHumanData) -> list[ShapeSlider]:
    ends: dict[str, dict[str, list[str]]] = {}
    for folder in SHAPE_FOLDERS:
        for name in data.names(folder):
            if name.startswith(EXCLUDED):
                continue
            unsided = name[2:] if name[:2] in ("l-", "r-") else name
            stem, _, ending = unsided.rpartition("-")
            if folder == "head" and ending not in (*NEGATIVE_ENDINGS, "incr"):
                stem, ending = unsided, "shape"  # head-oval, head-round ...: a slider of their own
            side = "negative" if ending in NEGATIVE_ENDINGS else "positive"
            ends.setdefault(f"{folder}/{stem}", {"negative": [], "positive": []})[side].append(f"{folder}/{name}")
    return [ShapeSlider(tuple(e["negative"]), tuple(e["positive"])) for _, e in sorted(ends.items())]


def _build_weights(value: float) -> dict[str, float]:
    """Piecewise linear between min (0), average (0.5) and max (1), as MakeHuman's modifiers."""
    low, high = max(0.0, 1 - 2 * value), max(0.0, 2 * value - 1)
    return {"min": low, "average": 1 - low - high, "max": high}


def sample_weights(data: MakeHumanData, n_heads: int, seed: int) -> tuple[np.ndarray, list[np.ndarray]]:
    """(n_heads, n_targets) weights and the n_targets offset fields (n_base, 3) that they multiply."""
    rng = np.random.default_rng(seed)
    by_race, by_build = macro_targets(data)
    fields = [*by_race.values(), *by_build.values()]
    columns: list[np.ndarray] = []
    race = rng.dirichlet(np.full(len(RACES), 0.7), n_heads)
    male = rng.beta(0.5, 0.5, n_heads)
    old = np.clip(rng.beta(1.2, 2.0, n_heads), 0, 1)
    muscle, weight = rng.beta(3, 3, n_heads), rng.beta(3, 3, n_heads)
    gender = {"female": 1 - male, "male": male}
    age = {"young": 1 - old, "old": old}
    for r, g, a in by_race:
        columns.append(race[:, RACES.index(r)] * gender[g] * age[a])
    builds = {
        name: {b: np.array([_build_weights(v)[b] for v in values]) for b in BUILDS}
        for name, values in (("muscle", muscle), ("weight", weight))
    }
    for g, a, m, w in by_build:
        columns.append(gender[g] * age[a] * builds["muscle"][m] * builds["weight"][w])
    assert set(gender) == set(GENDERS)
    assert set(age) == set(AGES)
    sliders = shape_sliders(data)
    outlines = [s for s in sliders if not s.negative]
    outline = rng.integers(0, len(outlines), n_heads)
    outline_weight = rng.uniform(0, OUTLINE_MOST, n_heads)
    for slider in sliders:
        value = rng.normal(0, SHAPE_SPREAD, n_heads)
        for names, sign in ((slider.negative, -1.0), (slider.positive, 1.0)):
            for name in names:
                own = value + rng.normal(0, SIDE_SPREAD, n_heads) if len(names) == 2 else value
                if not slider.negative:
                    own = np.where(outline == outlines.index(slider), outline_weight, 0.0)
                fields.append(data.target(name))
                columns.append(np.clip(sign * own, 0, 1))
    return np.stack(columns, 1), fields


def align_heads(heads: np.ndarray, on: np.ndarray, rounds: int = 3) -> np.ndarray:
    """Generalised Procrustes (similarity) of (n_heads, n_vertices, 3) on the vertices `on`; mean size kept, mm."""
    aligned = heads - heads[:, on].mean(1, keepdims=True)
    size = np.linalg.norm(aligned[:, on], axis=(1, 2))
    reference = aligned[:, on].mean(0)
    for _ in range(rounds):
        for k in range(len(aligned)):
            # Umeyama 1991: rotation from the SVD of the covariance, scale from its trace.
            u, s, vt = np.linalg.svd(reference.T.astype(np.float64) @ aligned[k][on].astype(np.float64))
            flip = np.diag([1.0, 1.0, np.sign(np.linalg.det(u @ vt))])
            rotation = u @ flip @ vt
            scale = (s * np.diag(flip)).sum() / (aligned[k][on] ** 2).sum()
            aligned[k] = (aligned[k] @ rotation.T * scale).astype(aligned.dtype)
        reference = aligned[:, on].mean(0)
        reference *= size.mean() / np.linalg.norm(reference)
    return aligned


def principal_components(
    heads: np.ndarray, vertex_weights: np.ndarray, n_components: int
) -> tuple[np.ndarray, np.ndarray, float]:
    """Mean (n_vertices, 3), components scaled to one standard deviation (n, n_vertices, 3), share of variance held.

    vertex_weights : (n_vertices,) how much each vertex's variance counts in the choice of the components.
    """
    mean = heads.mean(0)
    centred = (heads - mean).reshape(len(heads), -1)
    weighted = centred * np.repeat(np.sqrt(vertex_weights), 3).astype(centred.dtype)
    gram = (weighted @ weighted.T).astype(np.float64)
    values, vectors = np.linalg.eigh(gram)
    values, vectors = values[::-1], vectors[:, ::-1]
    share = float(values[:n_components].sum() / values.sum())
    scores = vectors[:, :n_components] * np.sign(
        vectors[np.abs(vectors[:, :n_components]).argmax(0), range(n_components)]
    )
    # Unit-variance scores regress the unweighted heads: mm for one standard deviation.
    basis = (scores.T * np.sqrt(len(heads) - 1)) @ centred / (len(heads) - 1)
    return mean, basis.reshape(n_components, *heads.shape[1:]), share
