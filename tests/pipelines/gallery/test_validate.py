from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sklearn.cross_decomposition import CCA

from synth_affect.affect import Emotion
from synth_affect.blendshape.canonical_correlation import choose_ridge, fit_cca
from synth_affect.blendshape.expression_pca import fit_pca
from synth_affect.blendshape.gallery.frames import GallerySequence
from synth_affect.blendshape.gallery.writer import GalleryWriter, ensure_gallery
from synth_affect.blendshape.template import Template
from synth_affect.cli import main
from synth_affect.errors import FitError, InputError
from synth_affect.heads.archive import topology_id
from synth_affect.heads.mesh import Mesh
from synth_affect.heads.model import LandmarkEmbedding
from synth_affect.pipelines.gallery.validate import cca_text, regress_affect, validate_cca

N_VERTICES, N_FRAMES = 30, 25
PEOPLE = tuple("abcdef")


def template() -> Template:
    rng = np.random.default_rng(2)
    triangles = np.stack([np.arange(28), np.arange(1, 29), np.arange(2, 30)], axis=1)
    mesh = Mesh(rng.normal(0, 50, (N_VERTICES, 3)), triangles)
    return Template(
        "strip", topology_id(triangles), mesh, LandmarkEmbedding(np.zeros(68, np.int32), np.full((68, 3), 1 / 3))
    )


def sequence(person: str, name: str, rng: np.random.Generator, *, posed: bool, planted: bool = True) -> GallerySequence:
    """Two directions of motion are valence and arousal, four more are nothing; or none means anything."""
    directions = np.random.default_rng(0).normal(size=(6, N_VERTICES, 3))
    weights = rng.uniform(-1, 1, (N_FRAMES, 6))
    labels = weights[:, :2] * 0.8 if planted else rng.uniform(-0.8, 0.8, (N_FRAMES, 2))
    offsets = np.tensordot(weights, directions, 1) + rng.normal(0, 0.02, (N_FRAMES, N_VERTICES, 3))
    unknown = np.full(N_FRAMES, np.nan)
    return GallerySequence(
        subject=person,
        session="1",
        sequence=name,
        posed=posed,
        category=Emotion.HAPPINESS if posed else None,
        offsets=offsets,
        frame=np.arange(N_FRAMES),
        valence=unknown if posed else labels[:, 0],
        arousal=unknown if posed else labels[:, 1],
        apex=np.full(N_FRAMES, posed),
    )


def write(path: Path, *sequences: GallerySequence) -> Path:
    ensure_gallery(path, template())
    with GalleryWriter(path) as writer:
        writer.append(*sequences)
    return path


def everybody(people: tuple[str, ...] = PEOPLE, *, planted: bool = True) -> list[GallerySequence]:
    rng = np.random.default_rng(5)
    made = [sequence(person, "posed", rng, posed=True) for person in people]
    return made + [sequence(person, "felt", rng, posed=False, planted=planted) for person in people]


@pytest.fixture(scope="module")
def gallery(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("planted") / "gallery", *everybody())


def test_a_linear_relation_is_found_in_people_who_were_not_seen(gallery: Path) -> None:
    found = validate_cca(gallery, (3, 6, 12), folds=3, every=1)
    assert [row["components"] for row in found["rows"]] == [3, 6, 12]
    for row in found["rows"][1:]:
        assert min(row["ccc_valence"], row["ccc_arousal"]) > 0.97
        assert max(row["mse_valence"], row["mse_arousal"]) < 0.01
        assert row["explained"] > 0.99
        assert 0 <= row["ccc_valence_ci"] < 0.1
    assert found["rows"][0]["explained"] < 0.9
    assert (found["posed_apex_frames"], found["spontaneous_frames"], found["folds"]) == (150, 150, 3)
    assert found["annotation_ceiling"] is None  # nobody knows it here


def test_labels_that_mean_nothing_give_nothing(tmp_path: Path) -> None:
    path = write(tmp_path / "gallery", *everybody(planted=False))
    (row,) = validate_cca(path, (6,), folds=3, every=1)["rows"]
    assert max(abs(row["ccc_valence"]), abs(row["ccc_arousal"])) < 0.2


def test_shuffled_labels_give_nothing(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    shuffled = []
    for recording in everybody():
        order = rng.permutation(N_FRAMES)
        columns = {field.name: getattr(recording, field.name) for field in fields(recording)}
        columns |= {"valence": recording.valence[order], "arousal": recording.arousal[order]}
        shuffled.append(GallerySequence(**columns))
    (row,) = validate_cca(write(tmp_path / "gallery", *shuffled), (6,), folds=3, every=1)["rows"]
    assert max(abs(row["ccc_valence"]), abs(row["ccc_arousal"])) < 0.2


def test_takes_the_first_of_so_many_frames_of_each_sequence(gallery: Path) -> None:
    found = validate_cca(gallery, (3,), folds=2)
    assert (found["every"], found["posed_apex_frames"], found["spontaneous_frames"]) == (12, 18, 18)  # 0, 12 and 24
    assert validate_cca(gallery, (3,), folds=2, every=13)["spontaneous_frames"] == 12


def test_names_the_best_count(gallery: Path) -> None:
    found = validate_cca(gallery, (3, 6), folds=2, every=1)
    assert found["best_components"] == 6  # three of the six directions leave valence or arousal out
    lines = cca_text(found).splitlines()
    assert [line.endswith("  best") for line in lines] == [False, False, True]
    assert found["share_of_ceiling"] is None  # nobody knows the ceiling here


def test_is_the_same_every_time(gallery: Path) -> None:
    assert validate_cca(gallery, (4,), folds=2, seed=3) == validate_cca(gallery, (4,), folds=2, seed=3)


def test_writes_table_figure_and_json(gallery: Path, tmp_path: Path) -> None:
    out = tmp_path / "not there" / "yet"
    found = validate_cca(gallery, (3, 6), folds=2, out=out)
    assert json.loads((out / "cca.json").read_text()) == found
    lines = (out / "cca.csv").read_text().splitlines()
    assert lines[0].startswith("components,explained,ridge,ccc_valence,ccc_valence_ci")
    assert len(lines) == 3
    with Image.open(out / "cca.png") as figure:
        assert len(figure.getcolors(100_000) or ()) > 10
    assert len(cca_text(found).splitlines()) == 3


def test_the_command_takes_counts_behind_one_option(gallery: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = [
        "validate",
        "cca",
        "--gallery",
        str(gallery),
        "--components",
        "3",
        "6",
        "--folds",
        "2",
        "--every",
        "1",
        "--json",
    ]
    assert main(arguments) == 0
    assert [row["components"] for row in json.loads(capsys.readouterr().out)["rows"]] == [3, 6]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--components", "3"], "--gallery: missing"),
        (["--gallery", "GALLERY", "3"], "3: not an option; counts go behind --components"),
        (["--gallery", "GALLERY", "--components", "3", "x"], "--components: 'x' is not a whole number"),
        (["--gallery", "GALLERY", "--components", "1"], "--components: counts of at least 2 are needed"),
        (["--gallery", "GALLERY", "--components", "3", "--folds", "1"], "--folds: 1 is not 2 or more"),
        (["--gallery", "GALLERY", "--components", "3", "--every", "0"], "--every: 0 is not 1 or more"),
        (
            ["--gallery", "GALLERY", "--components", "3", "--out", "/dev/null/x"],
            "/dev/null/x: cannot be made in /dev/null",
        ),
        (["--gallery", "GALLERY", "--components", "3", "--folds", "7"], "6 annotated people; 7 folds need as many"),
        (["--gallery", "GALLERY", "--components", "150"], "components: 150 cannot be found in 18 frames"),
    ],
)
def test_the_command_refuses(
    gallery: Path, arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["validate", "cca", *(str(gallery) if word == "GALLERY" else word for word in arguments)]) == 2
    assert message in capsys.readouterr().err


def test_refuses_galleries_that_cannot_say(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    posed = [sequence(person, "posed", rng, posed=True) for person in "ab"]
    felt = [sequence(person, "felt", rng, posed=False) for person in "ab"]
    with pytest.raises(InputError, match="has no posed apex frames"):
        validate_cca(write(tmp_path / "no_posed", *felt), (3,), folds=2)
    with pytest.raises(InputError, match="has no spontaneous frames with valence and arousal"):
        validate_cca(write(tmp_path / "no_felt", *posed), (3,), folds=2)
    with pytest.raises(InputError, match="1 annotated people; 2 folds need as many"):
        validate_cca(write(tmp_path / "one", posed[0], felt[0]), (3,), folds=2)
    constant = [
        GallerySequence(
            s.subject, "1", "felt", False, None, s.offsets, s.frame, s.valence, np.full(N_FRAMES, 0.25), s.apex
        )
        for s in felt
    ]
    with pytest.raises(InputError, match="arousal is constant over its annotated frames"):
        validate_cca(write(tmp_path / "constant", *posed, *constant), (3,), folds=2)


def test_closed_form_cca_is_scikit_learns() -> None:
    rng = np.random.default_rng(4)
    values = rng.normal(size=(400, 7)) @ rng.normal(size=(7, 7))
    others = values[:, :2] @ rng.normal(size=(2, 2)) + 2 * rng.normal(size=(400, 2))
    ours = fit_cca(values, others)
    theirs, their_others = CCA(2, max_iter=5000, tol=1e-12).fit_transform(values, others)
    variates = ours.transform(values)
    np.testing.assert_allclose(variates.std(axis=0), 1)
    for k in range(2):
        assert abs(np.corrcoef(variates[:, k], theirs[:, k])[0, 1]) == pytest.approx(1, abs=1e-6)
        correlation = np.corrcoef(theirs[:, k], their_others[:, k])[0, 1]
        assert ours.correlations[k] == pytest.approx(correlation, abs=1e-6)


def test_a_ridge_gives_the_span_of_the_canonical_ridge() -> None:
    """Vinod 1976: left singular vectors of the cross-correlation that is whitened with the ridge in it."""
    rng = np.random.default_rng(4)
    values = rng.normal(size=(300, 9)) @ rng.normal(size=(9, 9))
    others = values[:, :2] + rng.normal(size=(300, 2))
    covariance = np.cov(values.T, bias=True)
    variances, axes = np.linalg.eigh(covariance + 0.1 * np.trace(covariance) * np.eye(9))
    white = axes / np.sqrt(variances) @ axes.T
    other_white = np.linalg.inv(np.linalg.cholesky(np.cov(others.T, bias=True))).T
    cross = (values - values.mean(axis=0)).T @ (others - others.mean(axis=0)) / 300
    theirs = (values - values.mean(axis=0)) @ white @ np.linalg.svd(white @ cross @ other_white)[0][:, :2]
    ours = fit_cca(values, others, ridge=0.1)
    variates = ours.transform(values)
    np.testing.assert_allclose(variates.T @ variates / 300, np.eye(2), atol=1e-10)
    left = variates - theirs @ np.linalg.lstsq(theirs, variates, rcond=None)[0]
    assert np.abs(left).max() < 1e-8
    assert (ours.correlations < fit_cca(values, others).correlations).all()


def test_chooses_the_ridge_that_reads_groups_left_out() -> None:
    """40 columns that say nothing, and a little more than as many rows: without a ridge they are fitted, too."""
    rng = np.random.default_rng(5)
    others = rng.normal(size=(3000, 2))
    values = np.hstack([3 * others + rng.normal(size=(3000, 2)), rng.normal(size=(3000, 40))])
    few, asked, groups = slice(0, 60), slice(60, None), np.arange(60) % 4
    ridge = choose_ridge(values[few], others[few], groups)
    assert ridge > 0

    def agreement(chosen: float) -> float:
        cca = fit_cca(values[few], others[few], ridge=chosen)
        slopes = np.linalg.lstsq(cca.transform(values[few]), others[few], rcond=None)[0]
        read = cca.transform(values[asked]) @ slopes
        return min(np.corrcoef(read[:, k], others[asked, k])[0, 1] for k in range(2))

    assert agreement(ridge) > agreement(0.0) + 0.05
    assert choose_ridge(values[few], others[few], np.zeros(60, dtype=np.int64)) == 0  # nobody to leave out


def test_cca_leaves_out_what_does_not_vary_and_refuses_what_is_constant() -> None:
    rng = np.random.default_rng(4)
    values, others = rng.normal(size=(50, 3)), rng.normal(size=(50, 2))
    wider = np.hstack([values, values[:, :1], np.full((50, 1), 8.0)])
    np.testing.assert_allclose(fit_cca(wider, others).correlations, fit_cca(values, others).correlations)
    with pytest.raises(FitError, match="the labels are constant"):
        fit_cca(values, np.zeros((50, 2)))


def test_streamed_pca_is_the_svd() -> None:
    rng = np.random.default_rng(6)
    frames = (rng.normal(size=(600, 90)) * 0.8 ** np.arange(90) @ rng.normal(size=(90, 90))).reshape(600, 30, 3) + 2
    flat = frames.reshape(600, -1)
    centred = flat - flat.mean(axis=0)
    singular, axes = np.linalg.svd(centred, full_matrices=False)[1:]
    held = fit_pca(frames, 30, 8)
    np.testing.assert_allclose(held.variances, singular[:8] ** 2 / 600, rtol=1e-3)
    assert held.total_variance == pytest.approx(centred.var(axis=0).sum(), rel=1e-4)
    cosines = np.abs(np.sum(held.orthonormal_basis * axes[:8], axis=1))
    assert cosines.min() > 0.999
    np.testing.assert_allclose(np.abs(held.project(frames)), np.abs(centred @ axes[:8].T), atol=0.2)
    streamed = fit_pca(lambda: [(np.arange(600), frames)], 30, 8, memory_mib=0)
    np.testing.assert_array_equal(streamed.orthonormal_basis, held.orthonormal_basis)
    with pytest.raises(FitError, match="all frames are the same"):
        fit_pca(np.ones((20, 30, 3), dtype=np.float32), 30, 8)


def test_the_approximated_kernel_is_near_the_exact_one() -> None:
    rng = np.random.default_rng(9)
    points = rng.normal(size=(1500, 2))
    labels = np.tanh(points[:, 0]) * 0.5 + 0.2 * points[:, 1] ** 2 / 4 + rng.normal(0, 0.05, 1500)
    exact = regress_affect(points[:1200], labels[:1200], points[1200:], 0, exact=True)
    near = regress_affect(points[:1200], labels[:1200], points[1200:], 0, exact=False)
    assert np.sqrt(((exact - near) ** 2).mean()) < 0.05
    assert np.corrcoef(near, labels[1200:])[0, 1] > 0.95
