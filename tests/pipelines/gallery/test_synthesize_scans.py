from pathlib import Path

import numpy as np
import pytest

from synth_affect.blendshape.synthetic.scans import ScanSettings
from synth_affect.data.sequence_labels import read_sequence_labels
from synth_affect.errors import InputError
from synth_affect.pipelines.gallery.synthesize_scans import ScanRecipe, synthesize_scans

trimesh = pytest.importorskip("trimesh")
RECIPE = ScanRecipe(n_subjects=2, n_scans=5, every=40, seed=1, scan=ScanSettings(n_vertices=3000))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("scans")
    assert synthesize_scans(RECIPE, folder / "scans", truth=folder / "truth")["scans_added"] == 5
    return folder


def test_every_scan_has_a_file_a_label_and_a_truth(made: Path) -> None:
    scans = sorted(path.relative_to(made / "scans").with_suffix("") for path in made.glob("scans/*/*/*.ply"))
    truths = sorted(path.relative_to(made / "truth").with_suffix("") for path in made.glob("truth/*/*/*.npz"))
    assert scans == truths
    assert [scan.parts[0] for scan in scans] == ["synthetic-001"] * 3 + ["synthetic-002"] * 2
    labels = read_sequence_labels(made / "scans" / "labels.csv")
    assert not labels.rejected
    labelled = [
        Path(name.subject, name.sequence, f"{frame:05d}")
        for name, sequence in labels.sequences.items()
        for frame in sequence.frame
    ]
    assert sorted(labelled) == scans
    for sequence in labels.sequences.values():
        assert sequence.neutral[0]
        assert np.isfinite(sequence.valence).all() != sequence.posed


def test_files_hold_the_mesh_and_where_the_template_is_in_it(made: Path) -> None:
    for path in sorted(made.glob("scans/*/*/*.ply"))[:2]:
        mesh = trimesh.load(path, process=False)
        truth = np.load(made / "truth" / path.relative_to(made / "scans").with_suffix(".npz"))
        assert len(mesh.vertices) == pytest.approx(3000, rel=0.1)
        template = truth["template_vertices"]
        assert template.shape == (4782, 3)
        assert template.dtype == np.float32
        near = np.linalg.norm(template[:, None] - mesh.vertices[None, ::10], axis=2).min(axis=1)
        assert np.median(near) < 10


def test_a_run_that_was_stopped_goes_on_and_writes_the_same(made: Path, tmp_path: Path) -> None:
    scans, truth = tmp_path / "scans", tmp_path / "truth"

    class StoppedError(Exception):
        pass

    def stop_after_two(paths, count):  # type: ignore[no-untyped-def]
        for k, path in enumerate(paths):
            if k == 2:
                raise StoppedError
            yield path

    with pytest.raises(StoppedError):
        synthesize_scans(RECIPE, scans, truth=truth, progress=stop_after_two)
    assert not (scans / "labels.csv").exists()
    assert 0 < synthesize_scans(RECIPE, scans, truth=truth, workers=2)["scans_added"] < 5
    for path in made.glob("scans/**/*"):
        if path.is_file():
            assert (scans / path.relative_to(made / "scans")).read_bytes() == path.read_bytes()


def test_another_recipe_does_not_mix_in(made: Path) -> None:
    with pytest.raises(InputError, match="was made from something else"):
        synthesize_scans(ScanRecipe(2, 6, 40, 1, ScanSettings(n_vertices=3000)), made / "scans")


def test_numbers_off_the_scale_name_their_option() -> None:
    with pytest.raises(InputError, match="--scans"):
        ScanRecipe(n_subjects=10, n_scans=9)
    with pytest.raises(InputError, match="--every"):
        ScanRecipe(every=0)
    with pytest.raises(InputError, match="--subjects"):
        ScanRecipe(n_subjects=0)
