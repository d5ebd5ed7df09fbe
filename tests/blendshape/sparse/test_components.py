from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.linalg
import trimesh
from scipy.optimize import linear_sum_assignment, nnls

from synth_affect.blendshape.displacement_blocks import BLOCK_FRAMES
from synth_affect.blendshape.sparse.component_file import load_components, save_components
from synth_affect.blendshape.sparse.components import (
    Constraint,
    SparseComponentEstimator,
    SparseComponents,
    SparseFit,
    SparseSettings,
)
from synth_affect.blendshape.sparse.geodesics import HeatGeodesics
from synth_affect.blendshape.sparse.support_maps import SupportMaps
from synth_affect.blendshape.template import Template
from synth_affect.errors import FitError, InputError, ShapeError
from synth_affect.heads.archive import topology_id
from synth_affect.heads.mesh import Mesh
from synth_affect.heads.model import LandmarkEmbedding

SETTINGS = SparseSettings(n_components=6, sparsity=0.005, support_mm=(15.0, 90.0), tolerance=0.01, max_iterations=15)


@pytest.fixture(scope="module")
def template() -> Template:
    """A sphere of 642 vertices and 100 mm."""
    ball = trimesh.creation.icosphere(subdivisions=3, radius=100.0)
    landmarks = LandmarkEmbedding(np.zeros(68, np.int32), np.full((68, 3), 1 / 3))
    return Template("ball", topology_id(ball.faces), Mesh(ball.vertices, ball.faces), landmarks)


def bumps(template: Template, two_sided: bool, n_frames: int = 300) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Frames of six bumps around the ends of the axes, the bumps (largest displacement 5 mm), and the weights."""
    vertices = template.mesh.vertices
    rng = np.random.default_rng(8)
    centres = 100 * np.vstack([np.eye(3), -np.eye(3)])
    distances = np.linalg.norm(vertices[None] - centres[:, None], axis=2)
    directions = rng.normal(size=(6, 1, 3))
    directions /= np.linalg.norm(directions, axis=2, keepdims=True)
    planted = 5 * np.maximum(1 - (distances / 40) ** 2, 0)[..., None] * directions
    weights = rng.uniform(-1 if two_sided else 0, 1, (n_frames, 6)) * (rng.uniform(size=(n_frames, 6)) < 0.5)
    weights /= np.abs(weights).max(axis=0)
    frames = np.tensordot(weights, planted, 1) + rng.normal(0, 0.01, (n_frames, len(vertices), 3))
    return frames.astype(np.float32), planted, weights


@pytest.fixture(scope="module", params=["one-sided", "two-sided"])
def case(request: pytest.FixtureRequest, template: Template) -> tuple[SparseFit, np.ndarray, np.ndarray, np.ndarray]:
    frames, planted, weights = bumps(template, request.param == "two-sided")
    settings = dataclasses.replace(SETTINGS, constraint=request.param)
    return SparseComponentEstimator(template, settings).fit(frames), frames, planted, weights


def reference(
    frames: np.ndarray, support: SupportMaps, n_components: int, sparsity: float, rho: float, n_iterations: int
) -> list[float]:
    """The objective after each iteration of the paper's algorithm (one-sided), written straight from it, float64."""

    def project(weight: np.ndarray) -> np.ndarray:
        positive = np.maximum(weight, 0)
        return positive / positive.max() if positive.max() > 0 else positive

    X = frames.astype(np.float64) / np.std(frames, dtype=np.float64)
    n_frames, n_vertices, _ = X.shape
    R, W, C = X.copy(), np.zeros((n_frames, n_components)), np.zeros((n_components, n_vertices, 3))
    for k in range(n_components):
        centre = int((R**2).sum(axis=(0, 2)).argmax())
        u, s, _ = scipy.linalg.svd(R[:, centre], full_matrices=False)
        sides = [project(side * s[0] * u[:, 0]) for side in (1, -1)]
        W[:, k] = max(sides, key=np.linalg.norm)
        C[k] = np.tensordot(W[:, k], R, 1) / (W[:, k] @ W[:, k]) * (1 - support(centre))[:, None]
        R -= W[:, k, None, None] * C[k]
    U, objective = np.zeros_like(C), []
    for _ in range(n_iterations):
        R = X - np.tensordot(W, C, 1)
        for k in range(n_components):
            if (C[k] ** 2).sum() > 1e-8:
                R += W[:, k, None, None] * C[k]
                W[:, k] = project(np.tensordot(R, C[k], 2) / (C[k] ** 2).sum())
                R -= W[:, k, None, None] * C[k]
        penalty = np.stack([sparsity * support(int((c**2).sum(axis=1).argmax())) for c in C])
        factor = scipy.linalg.cho_factor(W.T @ W + rho * np.eye(n_components))
        right, Z = np.tensordot(W.T, X, 1), C.copy()
        for _ in range(10):
            V = scipy.linalg.cho_solve(factor, (right + rho * (Z - U)).reshape(n_components, -1)).reshape(C.shape) + U
            lengths = np.linalg.norm(V, axis=2)
            Z = V * np.maximum(1 - penalty / rho / np.maximum(lengths, 1e-30), 0)[..., None]
            U = V - Z
        C = Z
        error = ((X - np.tensordot(W, C, 1)) ** 2).sum()
        objective.append(error / 2 + (penalty * np.linalg.norm(C, axis=2)).sum())
    return objective


def test_reaches_an_objective_no_higher_than_the_papers_loop(template: Template) -> None:
    """At the authors' settings: lambda 2, support 0.1 to 0.7 of the extent, ten steps, rho 10, ten iterations."""
    frames, _, _ = bumps(template, two_sided=False, n_frames=100)
    frames += np.random.default_rng(1).normal(0, 0.2, frames.shape).astype(np.float32)
    n_components = 8
    settings = SparseSettings(
        n_components,
        sparsity=2 / len(frames),
        support_mm=(20.0, 140.0),
        rho=10 / len(frames),
        tolerance=0,
        max_iterations=10,
    )
    fit = SparseComponentEstimator(template, settings).fit(frames)
    theirs = reference(frames, SupportMaps(HeatGeodesics(template.mesh), 20.0, 140.0), n_components, 2.0, 10.0, 10)
    assert len(fit.objective) == 10
    assert fit.objective[-1] <= 1.01 * theirs[-1]
    assert 0.5 * theirs[-1] < fit.objective[-1]  # it is the same quantity


def test_the_objective_is_what_the_result_says(template: Template) -> None:
    frames, _, _ = bumps(template, two_sided=False)
    estimator = SparseComponentEstimator(template, dataclasses.replace(SETTINGS, max_iterations=60, tolerance=1e-3))
    fit = estimator.fit(frames)
    residual = frames - fit.components.inverse_transform(fit.weights)
    error = float((residual.astype(np.float64) ** 2).sum())
    assert fit.explained == pytest.approx(1 - error / float((frames.astype(np.float64) ** 2).sum()), abs=1e-6)
    maps = SupportMaps(HeatGeodesics(template.mesh), *SETTINGS.support_mm)
    support = np.stack([maps(int(centre)) for centre in fit.components.centres])
    deviation = frames.std(dtype=np.float64)
    penalty = SETTINGS.sparsity * len(frames) * (support * np.linalg.norm(fit.components.offsets, axis=2)).sum()
    assert fit.objective[-1] == pytest.approx(error / 2 / deviation**2 + penalty / deviation, rel=1e-3)


def test_the_objective_falls(case: tuple[SparseFit, np.ndarray, np.ndarray, np.ndarray]) -> None:
    objective = case[0].objective
    assert objective[-1] < objective[0]
    assert (np.diff(objective) <= 1e-3 * objective[:-1]).all()


def test_weights_keep_their_constraint(case: tuple[SparseFit, np.ndarray, np.ndarray, np.ndarray]) -> None:
    fit, frames, _, _ = case
    assert fit.weights.shape == (len(frames), 6)
    assert fit.weights.dtype == fit.components.offsets.dtype == np.float32
    np.testing.assert_allclose(np.abs(fit.weights).max(axis=0), 1, rtol=1e-6)
    assert (fit.weights.min() < -0.3) == (fit.components.constraint == "two-sided")
    if fit.components.constraint == "one-sided":
        assert fit.weights.min() >= 0


def test_finds_what_was_planted(case: tuple[SparseFit, np.ndarray, np.ndarray, np.ndarray]) -> None:
    fit, _, planted, weights = case
    assert fit.converged
    found, truth = fit.components.offsets.reshape(6, -1), planted.reshape(6, -1)
    cosine = found @ truth.T / np.outer(np.linalg.norm(found, axis=1), np.linalg.norm(truth, axis=1))
    rows, columns = linear_sum_assignment(-np.abs(cosine))
    assert np.abs(cosine[rows, columns]).min() > 0.99
    for row, column in zip(rows, columns, strict=True):
        assert abs(np.corrcoef(fit.weights[:, row], weights[:, column])[0, 1]) > 0.99
    lengths = np.linalg.norm(fit.components.offsets, axis=2)
    np.testing.assert_array_equal(fit.components.centres, lengths.argmax(axis=1))
    assert (np.mean(lengths > 0, axis=1) < 0.15).all()  # a bump of 40 mm covers 4 % of the sphere
    assert (np.abs(fit.components.radii_mm - 40) < 12).all()


@pytest.mark.parametrize("constraint", ["one-sided", "two-sided"])
def test_no_components_grow_only_to_cancel_each_other(template: Template, constraint: Constraint) -> None:
    """More components than there are motions, which overlap: with weights that know no bound some grow fivefold."""
    vertices = template.mesh.vertices
    rng = np.random.default_rng(3)
    centres = rng.normal(size=(12, 3))
    centres[:, 2] = np.abs(centres[:, 2]) + 1
    centres *= 100 / np.linalg.norm(centres, axis=1, keepdims=True)
    distances = np.linalg.norm(vertices[None] - centres[:, None], axis=2)
    planted = np.maximum(1 - (distances / 80) ** 2, 0)[..., None] * rng.normal(size=(12, 1, 3))
    weights = rng.uniform(0, 1, (300, 12)) ** 2 * (rng.uniform(size=(300, 12)) < 0.4)
    frames = np.tensordot(weights, planted, 1).astype(np.float32)
    settings = dataclasses.replace(SETTINGS, n_components=16, sparsity=0.08, constraint=constraint, max_iterations=40)
    components = SparseComponentEstimator(template, settings).fit(frames).components
    most_moved = np.linalg.norm(frames, axis=2).max(axis=0)
    largest = np.linalg.norm(components.offsets, axis=2).max(axis=1)
    assert (largest < 1.5 * most_moved[components.centres]).all()


def test_turns_with_the_face(template: Template) -> None:
    frames, _, _ = bumps(template, two_sided=False)
    turn = np.array([[0, -1, 0], [1, 0, 0], [0, 0, 1]], dtype=np.float32)
    turned = dataclasses.replace(template, mesh=Mesh(template.mesh.vertices @ turn.T + 7, template.mesh.triangles))
    straight = SparseComponentEstimator(template, SETTINGS).fit(frames)
    rotated = SparseComponentEstimator(turned, SETTINGS).fit(frames @ turn.T)
    np.testing.assert_allclose(rotated.components.offsets, straight.components.offsets @ turn.T, atol=0.02)
    np.testing.assert_allclose(rotated.weights, straight.weights, atol=0.01)


def test_does_not_feel_the_unit_or_the_number_of_frames(template: Template) -> None:
    frames, _, _ = bumps(template, two_sided=False)
    estimator = SparseComponentEstimator(template, SETTINGS)
    once, twice = estimator.fit(frames), estimator.fit(np.concatenate([frames, frames]))
    np.testing.assert_allclose(twice.components.offsets, once.components.offsets, atol=0.01)
    np.testing.assert_allclose(estimator.fit(8 * frames).components.offsets, 8 * once.components.offsets, atol=0.05)


def test_is_the_same_every_time_and_leaves_its_input_alone(template: Template) -> None:
    frames, _, _ = bumps(template, two_sided=True)
    frames.flags.writeable = False
    settings = dataclasses.replace(SETTINGS, constraint="two-sided", max_iterations=3)
    first = SparseComponentEstimator(template, settings).fit(frames)
    second = SparseComponentEstimator(template, settings).fit(frames)
    np.testing.assert_array_equal(first.components.offsets, second.components.offsets)
    np.testing.assert_array_equal(first.weights, second.weights)


@pytest.mark.parametrize("block", [7, BLOCK_FRAMES, 1000])
def test_frames_that_are_streamed_give_the_same_bits(template: Template, block: int) -> None:
    frames = np.tile(bumps(template, two_sided=False)[0], (2, 1, 1)).astype(np.float16)
    n_passes = 0

    def blocks() -> Iterator[tuple[np.ndarray, np.ndarray]]:
        nonlocal n_passes
        n_passes += 1
        for first in range(0, len(frames), block):
            rows = np.arange(first, min(first + block, len(frames)))
            yield rows, frames[rows]

    settings = dataclasses.replace(SETTINGS, max_iterations=2)
    in_memory = SparseComponentEstimator(template, settings).fit(frames)
    held = SparseComponentEstimator(template, settings).fit(blocks)
    assert n_passes == 1
    lean = dataclasses.replace(settings, memory_mib=0)
    streamed = SparseComponentEstimator(template, lean).fit(blocks)
    assert n_passes == 1 + 1 + 1 + 2  # the look, the first guess, the iterations
    mapped = SparseComponentEstimator(template, lean).fit(frames)
    for other in (held, streamed, mapped):
        np.testing.assert_array_equal(other.components.offsets, in_memory.components.offsets)
        np.testing.assert_array_equal(other.weights, in_memory.weights)


def test_the_first_guess_may_come_from_a_part_of_the_frames(
    template: Template, monkeypatch: pytest.MonkeyPatch
) -> None:
    frames, _, _ = bumps(template, two_sided=False)
    monkeypatch.setattr("synth_affect.blendshape.sparse.components.INITIAL_FRAMES", 60)
    held = SparseComponentEstimator(template, SETTINGS).fit(frames)
    lean = dataclasses.replace(SETTINGS, memory_mib=0)
    streamed = SparseComponentEstimator(template, lean).fit(lambda: [(np.arange(len(frames)), frames)])
    assert held.explained > 0.99
    np.testing.assert_array_equal(streamed.components.offsets, held.components.offsets)


def test_transform_is_the_least_squares(case: tuple[SparseFit, np.ndarray, np.ndarray, np.ndarray]) -> None:
    components, frames = case[0].components, case[1][:20]
    basis = components.offsets.reshape(6, -1).T.astype(np.float64)
    for weights, frame in zip(components.transform(frames), frames.reshape(20, -1), strict=True):
        one_sided = components.constraint == "one-sided"
        expected = nnls(basis, frame)[0] if one_sided else np.linalg.lstsq(basis, frame, rcond=None)[0]
        np.testing.assert_allclose(weights, expected, atol=1e-3)


def test_transform_undoes_inverse_transform(case: tuple[SparseFit, np.ndarray, np.ndarray, np.ndarray]) -> None:
    components, weights = case[0].components, case[0].weights[:30]
    displaced = components.inverse_transform(weights)
    assert displaced.shape == (30, *components.offsets.shape[1:])
    np.testing.assert_allclose(components.transform(displaced), weights, atol=1e-3)
    np.testing.assert_allclose(components.transform(3 * displaced), 3 * weights, atol=3e-3)


def test_components_that_nothing_is_left_for_are_zero(template: Template) -> None:
    """One vertex moves, along one line: one component explains it all."""
    frames = np.zeros((40, len(template.mesh.vertices), 3), dtype=np.float32)
    frames[:, 12, 1] = np.linspace(0, 3, 40)
    fit = SparseComponentEstimator(template, SETTINGS).fit(frames)
    lengths = np.linalg.norm(fit.components.offsets, axis=2)
    assert lengths[0, 12] == pytest.approx(3, rel=1e-3)
    assert np.count_nonzero(lengths) == 1
    assert (fit.weights[:, 1:] == 0).all()
    np.testing.assert_array_equal(fit.components.radii_mm[1:], 0)
    assert (fit.components.transform(frames)[:, 1:] == 0).all()


def test_refuses_what_has_no_components(template: Template) -> None:
    estimator = SparseComponentEstimator(template, SETTINGS)
    n_vertices = len(template.mesh.vertices)
    still = np.zeros((20, n_vertices, 3), dtype=np.float32)
    with pytest.raises(FitError, match="nothing moves in any frame"):
        estimator.fit(still)
    with pytest.raises(InputError, match="components: 6 cannot be found in 5 frames, which are fewer"):
        estimator.fit(still[:5])
    with pytest.raises(ShapeError, match=rf"frames: expected \(n_frames, {n_vertices}, 3\), got \(20, 9, 3\)"):
        estimator.fit(still[:, :9])
    with pytest.raises(ShapeError, match=rf"offsets of a block: expected \(n_frames, {n_vertices}, 3\)"):
        estimator.fit(lambda: [(np.arange(20), still[:, :9])])
    with pytest.raises(ShapeError, match="frames: expected at least one, got none"):
        estimator.fit(lambda: [])
    with pytest.raises(ShapeError, match="frames: expected floating-point numbers, got int64"):
        estimator.fit(still.astype(np.int64))
    broken = still.copy()
    broken[3, 4, 0] = np.nan
    with pytest.raises(ShapeError, match="frames: expected finite numbers, got NaN or infinity"):
        estimator.fit(broken)


def test_refuses_a_source_that_loses_frames(template: Template) -> None:
    frames, _, _ = bumps(template, two_sided=False)
    lengths = iter([300, 300, 280])

    def shrinking() -> Iterator[tuple[np.ndarray, np.ndarray]]:
        n_frames = next(lengths)
        yield np.arange(n_frames), frames[:n_frames]

    with pytest.raises(ShapeError, match="frames: expected 300 in every pass, got 280"):
        SparseComponentEstimator(template, dataclasses.replace(SETTINGS, memory_mib=0)).fit(shrinking)


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"n_components": 0}, "n_components: 0 is not 1 or more"),
        ({"constraint": "free"}, "constraint: free is not two-sided or one-sided"),
        ({"sparsity": -1.0}, "sparsity: -1.0 is not a number from 0"),
        ({"sparsity": float("nan")}, "sparsity: nan is not a number from 0"),
        ({"support_mm": (50.0, 20.0)}, r"support_mm: \(50.0, 20.0\) is not two distances, increasing"),
        ({"rho": 0.0}, "rho: 0.0 is not a number above 0"),
        ({"admm_steps": 0}, "admm_steps: 0 is not 1 or more"),
        ({"tolerance": -0.1}, "tolerance: -0.1 is not a number from 0"),
        ({"max_iterations": 0}, "max_iterations: 0 is not 1 or more"),
        ({"memory_mib": -1}, "memory_mib: -1 is not 0 or more"),
    ],
)
def test_refuses_settings_out_of_range(setting: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        SparseSettings(**setting)


def test_progress_sees_the_iterations(template: Template) -> None:
    seen: list[int] = []

    def progress(items: Iterable[int], count: int) -> Iterable[int]:
        seen.append(count)
        yield from items

    frames, _, _ = bumps(template, two_sided=False)
    SparseComponentEstimator(template, dataclasses.replace(SETTINGS, max_iterations=2)).fit(frames, progress=progress)
    assert seen == [2]


def test_a_file_gives_back_what_was_written(
    case: tuple[SparseFit, np.ndarray, np.ndarray, np.ndarray], tmp_path: Path
) -> None:
    components = case[0].components
    path = tmp_path / "components.npz"
    save_components(components, path)
    loaded = load_components(path, topology=components.topology)
    np.testing.assert_allclose(loaded.offsets, components.offsets, atol=0.005)
    np.testing.assert_array_equal(loaded.centres, components.centres)
    np.testing.assert_array_equal(loaded.radii_mm, components.radii_mm)
    assert (loaded.constraint, loaded.topology) == (components.constraint, components.topology)
    again = tmp_path / "again.npz"
    save_components(components, again)
    assert again.read_bytes() == path.read_bytes()
    with pytest.raises(InputError, match=f"components of template {components.topology}, expected other"):
        load_components(path, topology="other")


def test_refuses_files_that_are_not_components(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        load_components(tmp_path / "absent.npz")
    text = tmp_path / "text.npz"
    text.write_text("not an archive")
    with pytest.raises(InputError, match="not sparse components"):
        load_components(text)
    other = tmp_path / "other.npz"
    np.savez(other, meta=np.frombuffer(b'{"format": "synth-affect/head/1"}', dtype=np.uint8))
    with pytest.raises(InputError, match="components of format synth-affect/head/1, expected"):
        load_components(other)


def test_a_value_checks_its_parts() -> None:
    offsets, centres, radii = np.zeros((2, 9, 3)), np.array([0, 1]), np.zeros(2)
    with pytest.raises(ShapeError, match="constraint: expected two-sided or one-sided, got 'free'"):
        SparseComponents(offsets, "free", centres, radii, "t")  # type: ignore[arg-type]
    with pytest.raises(ShapeError, match=r"centres: expected vertices in \[0, 9\)"):
        SparseComponents(offsets, "one-sided", np.array([0, 9]), radii, "t")
    with pytest.raises(ShapeError, match=r"radii_mm: expected \(2\), got \(3\)"):
        SparseComponents(offsets, "one-sided", centres, np.zeros(3), "t")
