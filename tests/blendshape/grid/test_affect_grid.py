from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from synth_affect.affect import Emotion, ValenceArousal
from synth_affect.blendshape.gallery.frames import GallerySequence
from synth_affect.blendshape.gallery.store import Gallery, open_gallery
from synth_affect.blendshape.gallery.writer import GalleryWriter, ensure_gallery
from synth_affect.blendshape.grid.affect_grid import AffectGrid, GridQuestion
from synth_affect.blendshape.grid.build import THIN_FRAMES, build_grid
from synth_affect.blendshape.grid.cells import BY_PLACE, N_CELLS, cell_centres, cell_factors, cell_of
from synth_affect.blendshape.grid.grid_file import load_grid, save_grid
from synth_affect.blendshape.template import Template
from synth_affect.errors import InputError

CENTRES = cell_centres()
PEOPLE = ("anna", "ben", "cleo", "dan", "eve")
ANGRY_SHARE = 0.6


def at(radius: float, angle: float) -> ValenceArousal:
    return ValenceArousal(radius * math.cos(angle), radius * math.sin(angle))


def families(template: Template) -> dict[str, np.ndarray]:
    """(n_vertices, 3) mm at distance 1: bumps at different places of the sheet."""
    place = template.mesh.vertices[:, :2]

    def bump(x: float, y: float, direction: tuple[float, float, float]) -> np.ndarray:
        size = np.exp(-((place - (x, y)) ** 2).sum(axis=1) / 4)
        return np.asarray(6 * size[:, None] * np.array(direction))

    return {
        "joy": bump(2, 2, (0, 1, 0)),
        "angry": bump(6, 6, (0, -1, 0)),
        "afraid": bump(6, 2, (1, 0, 0)),
        "calm": bump(2, 6, (0, 0, 1)),
    }


def planted(template: Template, path: Path, people: tuple[str, ...] = PEOPLE, n_frames: int = 240) -> Gallery:
    """Joy to the right, calm below; to the upper left most are angry and some are afraid. None in the lower corners."""
    shapes = families(template)
    ensure_gallery(path, template)
    with GalleryWriter(path) as writer:
        for person, name in enumerate(people):
            rng = np.random.default_rng(person)
            for kind, (low, high) in {
                "joy": (-0.9, 1.0),
                "angry": (1.0, 3.6),
                "afraid": (1.0, 3.6),
                "calm": (3.6, 5.4),
            }.items():
                share = ANGRY_SHARE if kind == "angry" else 1 - ANGRY_SHARE if kind == "afraid" else 1.0
                n = int(n_frames * share)
                angle, radius = rng.uniform(low, high, n), np.sqrt(rng.uniform(0.05, 0.9, n))
                strength = radius * rng.normal(1, 0.08, n)
                offsets = strength[:, None, None] * shapes[kind] + rng.normal(0, 0.02, (n, len(shapes[kind]), 3))
                writer.append(
                    GallerySequence(
                        subject=name,
                        session="1",
                        sequence=kind,
                        posed=False,
                        category=Emotion.ANGER if kind == "angry" else Emotion.FEAR if kind == "afraid" else None,
                        offsets=offsets.astype(np.float16),
                        frame=np.arange(n, dtype=np.int32),
                        valence=(radius * np.cos(angle)).astype(np.float32),
                        arousal=(radius * np.sin(angle)).astype(np.float32),
                        apex=np.ones(n, dtype=np.bool_),
                    )
                )
    return open_gallery(path)


@pytest.fixture(scope="module")
def gallery(sheet: Template, tmp_path_factory: pytest.TempPathFactory) -> Gallery:
    return planted(sheet, tmp_path_factory.mktemp("grid") / "planted")


@pytest.fixture(scope="module")
def grid(gallery: Gallery) -> AffectGrid:
    return build_grid(gallery, n_components=6)


def likeness(offsets: np.ndarray, shape: np.ndarray) -> float:
    return float((offsets * shape).sum() / (np.linalg.norm(offsets) * np.linalg.norm(shape)))


@pytest.mark.parametrize("lookup", ["continuous", "cell"])
def test_at_the_centre_of_a_cell_both_lookups_give_the_cell(lookup: Any) -> None:
    for cell, (valence, arousal) in enumerate(CENTRES):
        if lookup == "continuous" and math.hypot(valence, arousal) < BY_PLACE:
            continue
        factors = cell_factors(ValenceArousal(float(valence), float(arousal)), lookup)
        np.testing.assert_allclose(factors, np.arange(N_CELLS) == cell, atol=1e-9)


def test_near_neutral_the_direction_decides() -> None:
    values = np.random.default_rng(4).normal(size=(N_CELLS, 3))
    for angle in np.linspace(0, math.tau, 9):
        half, tenth = (cell_factors(at(radius, angle)) @ values for radius in (0.4, 0.04))
        np.testing.assert_allclose(tenth, half / 10, atol=1e-9)


@pytest.mark.parametrize("lookup", ["continuous", "cell"])
def test_the_origin_is_nothing(lookup: Any) -> None:
    assert not cell_factors(ValenceArousal(0.0, 0.0), lookup).any()


def test_borders_belong_to_one_cell() -> None:
    assert cell_of(np.array([-1.0, 1.0, 0.0]), np.array([-1.0, 1.0, 0.0])).tolist() == [0, 99, 55]
    with pytest.raises(InputError, match="--valence"):
        ValenceArousal(1.2, 0)


def test_a_field_that_grows_with_the_distance_is_met_everywhere() -> None:
    radii = np.hypot(*CENTRES.T)
    for angle in np.linspace(0, math.tau, 37):
        for radius in (0.01, 0.1, 0.2, 0.5, 0.9, 1.0):
            assert cell_factors(at(radius, angle)) @ radii == pytest.approx(radius, abs=1e-9)


def test_continuous_lookup_has_no_jump_and_no_kink() -> None:
    values = np.random.default_rng(3).normal(size=(N_CELLS, 4)) * np.hypot(*CENTRES.T)[:, None]
    for path in (
        [ValenceArousal(x, 0.37) for x in np.linspace(-1, 1, 2001)],
        [at(0.23, a) for a in np.linspace(0, math.tau, 2001)],
        [at(0.8, a) for a in np.linspace(0, math.tau, 2001)],
    ):
        steps = np.diff([cell_factors(point) @ values for point in path], axis=0)
        assert np.abs(steps).max() < 0.05
        # Both the step and, without a kink, its change shrink with the length of the step.
        assert np.abs(np.diff(steps, axis=0)).max() < 0.1 * np.abs(steps).max()


def test_typical_is_a_family_and_the_mean_is_diluted(sheet: Template, grid: AffectGrid) -> None:
    shapes = families(sheet)
    point = at(0.8, 2.3)
    typical, mean = (grid.displacement(point, None, GridQuestion(statistic=s)) for s in ("typical", "mean"))
    assert typical is not None
    assert mean is not None
    assert likeness(typical, shapes["angry"]) > 0.98
    assert likeness(mean, shapes["angry"]) < 0.95
    assert (mean * shapes["angry"]).sum() < 0.9 * (typical * shapes["angry"]).sum()
    assert np.linalg.norm(typical) == pytest.approx(0.8 * np.linalg.norm(shapes["angry"]), rel=0.4)


def test_neighbours_agree_on_a_family(sheet: Template, grid: AffectGrid) -> None:
    shapes = families(sheet)
    # Nearer to joy, which ends a quarter turn away, the change between families is spread in even steps.
    for angle in np.linspace(2.1, 2.6, 6):
        found = grid.displacement(at(0.75, angle))
        assert found is not None
        assert likeness(found, shapes["angry"]) > 0.9


def test_a_category_picks_its_own(sheet: Template, grid: AffectGrid) -> None:
    assert set(grid.categories) == {Emotion.ANGER, Emotion.FEAR}
    shapes = families(sheet)
    point = at(0.6, 2.3)
    afraid = grid.displacement(point, Emotion.FEAR)
    assert afraid is not None
    np.testing.assert_allclose(afraid, 0.6 * shapes["afraid"], atol=0.5)
    assert grid.displacement(point, Emotion.DISGUST) is None
    assert not np.any(grid.displacement(point, Emotion.NEUTRAL))


def test_thin_cells_are_marked_and_filled(gallery: Gallery, grid: AffectGrid) -> None:
    frames = gallery.frames
    counts = np.bincount(cell_of(frames.valence, frames.arousal), minlength=N_CELLS)
    np.testing.assert_array_equal(grid.counts, counts)
    assert grid.thin[counts < THIN_FRAMES].all()
    assert 0 < grid.thin.sum() < 70
    assert grid.thin[0]
    assert np.abs(grid.typical).max(axis=1).min() > 0


def test_the_same_gallery_gives_the_same_grid(sheet: Template, tmp_path: Path, grid: AffectGrid) -> None:
    again = build_grid(planted(sheet, tmp_path / "g"), n_components=6)
    for name in ("typical", "mean", "deviation", "lower", "upper", "category_typical"):
        np.testing.assert_array_equal(getattr(again, name), getattr(grid, name))
    assert again.source == grid.source


def test_samples_are_new_and_plausible_and_the_same_again(grid: AffectGrid) -> None:
    point = at(0.7, 0.2)
    typical = grid.weights(point)
    assert typical is not None
    drawn = np.array([grid.weights(point, None, GridQuestion(sample=seed)) for seed in range(40)])
    np.testing.assert_array_equal(drawn[7], grid.weights(point, None, GridQuestion(sample=7)))
    assert len(np.unique(drawn, axis=0)) == 40
    factors = cell_factors(point)
    ends = np.sort([factors @ grid.lower, factors @ grid.upper], axis=0)
    assert (drawn >= np.minimum(ends[0], typical) - 1e-4).all()
    assert (drawn <= np.maximum(ends[1], typical) + 1e-4).all()
    assert not np.any(grid.weights(ValenceArousal(0, 0), None, GridQuestion(sample=3)))


def test_blocks_of_frames_change_nothing(gallery: Gallery, grid: AffectGrid) -> None:
    small = build_grid(gallery, n_components=6, memory_mib=1)
    np.testing.assert_allclose(small.typical, grid.typical, atol=1e-4)
    np.testing.assert_allclose(small.mean, grid.mean, atol=1e-4)


def test_a_file_gives_back_what_was_written(grid: AffectGrid, tmp_path: Path) -> None:
    save_grid(grid, tmp_path / "a.npz")
    save_grid(grid, tmp_path / "b.npz")
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
    read = load_grid(tmp_path / "a.npz")
    for name in ("counts", "thin", "medians", "typical", "mean", "lower", "upper", "correlation_root"):
        np.testing.assert_array_equal(getattr(read, name), getattr(grid, name))
    assert (read.topology, read.categories, read.source) == (grid.topology, grid.categories, grid.source)
    np.testing.assert_allclose(read.components.offsets, grid.components.offsets, atol=0.01)


def test_a_file_that_is_no_grid_is_refused(grid: AffectGrid, tmp_path: Path) -> None:
    path = tmp_path / "grid.npz"
    with pytest.raises(InputError, match="no such file"):
        load_grid(path)
    path.write_bytes(b"something else")
    with pytest.raises(InputError, match="not a grid"):
        load_grid(path)
    np.savez(path, meta=np.frombuffer(b'{"format": "synth-affect/grid/0"}', dtype=np.uint8))
    with pytest.raises(InputError, match="format synth-affect/grid/0, expected"):
        load_grid(path)
    save_grid(grid, path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(InputError, match="not a grid"):
        load_grid(path)


def test_galleries_that_give_no_grid_are_refused(sheet: Template, gallery: Gallery, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="one person only"):
        build_grid(planted(sheet, tmp_path / "one", ("anna",)), n_components=4)
    with pytest.raises(InputError, match="fewer"):
        build_grid(gallery, n_components=100_000)
    with pytest.raises(InputError, match="no cell of the plane"):
        build_grid(planted(sheet, tmp_path / "two", ("anna", "ben"), 40), n_components=4)
    frames = gallery.frames
    still = replace(gallery, frames=replace(frames, arousal=np.full(len(frames), 0.3)))
    with pytest.raises(InputError, match="arousal is the same in all frames"):
        build_grid(still)
    unknown = replace(gallery, frames=replace(frames, arousal=np.full(len(frames), np.nan)))
    with pytest.raises(InputError, match="no frame has valence and arousal"):
        build_grid(unknown)


@pytest.mark.parametrize(
    ("question", "message"),
    [
        ({"lookup": "nearest"}, "--lookup"),
        ({"statistic": "median"}, "--statistic"),
        ({"sample": -1}, "--sample"),
        ({"sample": 1, "statistic": "mean"}, "--sample"),
    ],
)
def test_a_question_that_makes_no_sense(question: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        GridQuestion(**question)
