from pathlib import Path

import numpy as np
import pytest

from synth_affect.blendshape.gallery.store import open_gallery
from synth_affect.blendshape.synthetic.recordings import GalleryRecipe, RecordingId, recordings
from synth_affect.errors import InputError
from synth_affect.pipelines.gallery.synthesize import in_order, read_recipe, recipe_path, synthesize_gallery

pytest.importorskip("zarr")
RECIPE = GalleryRecipe(n_subjects=1, n_sequences=1, seed=2)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("galleries") / "one.zarr"
    summary = synthesize_gallery(RECIPE, out)
    assert summary["sequences_added"] == 7
    assert summary["annotation_ceiling"]["ccc_valence"] < 1
    return out


def test_a_gallery_has_posed_and_spontaneous_recordings(made: Path) -> None:
    gallery = open_gallery(made)
    table = gallery.frames
    assert len(table.sequence_names) == 7
    assert len(set(table.category[table.posed])) == 6
    assert np.isnan(table.valence[table.posed]).all()
    assert np.isfinite(table.valence[~table.posed]).all()
    assert table.apex[table.posed].any()
    for sequence in range(7):
        first = int(np.flatnonzero(table.sequence == sequence)[0])
        assert not gallery.read([first]).any()
    assert np.abs(gallery.read(np.flatnonzero(table.apex))).max() > 2


def test_workers_and_an_interruption_change_no_byte(made: Path, tmp_path: Path) -> None:
    class StoppedError(Exception):
        pass

    def stop_after_three(sequences, count):  # type: ignore[no-untyped-def]
        for k, sequence in enumerate(sequences):
            if k == 3:
                raise StoppedError
            yield sequence

    out = tmp_path / "one.zarr"
    with pytest.raises(StoppedError):
        synthesize_gallery(RECIPE, out, workers=2, progress=stop_after_three)
    synthesize_gallery(RECIPE, out, workers=2)
    assert synthesize_gallery(RECIPE, out)["sequences_added"] == 0
    one, other = open_gallery(made), open_gallery(out)
    np.testing.assert_array_equal(one.checksums, other.checksums)
    np.testing.assert_array_equal(one.frames.valence, other.frames.valence)
    assert one.frames.sequence_names == other.frames.sequence_names


def test_the_recipe_is_kept_beside_it_and_another_is_refused(made: Path) -> None:
    assert read_recipe(made) == RECIPE
    with pytest.raises(InputError, match="was made from something else"):
        synthesize_gallery(GalleryRecipe(1, 1, 3), made)


def test_something_else_at_that_place_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("keep")
    with pytest.raises(InputError, match="does not say that it is synthetic"):
        synthesize_gallery(RECIPE, tmp_path / "mine")
    assert not recipe_path(tmp_path / "mine").exists()
    with pytest.raises(InputError, match="not a synthetic gallery"):
        read_recipe(tmp_path / "mine")


def test_recordings_do_not_depend_on_how_many_there_are() -> None:
    few, many = list(recordings(GalleryRecipe(3, 5), 1)), list(recordings(GalleryRecipe(3, 50), 1))
    assert set(few) <= set(many)
    everybody = [r for s in range(3) for r in recordings(GalleryRecipe(3, 5), s)]
    assert sum(r.kind == "spontaneous" for r in everybody) == 5
    assert len({r.names for r in everybody}) == len(everybody)


@pytest.mark.parametrize("workers", [1, 3])
def test_results_come_in_order(workers: int) -> None:
    items = [RecordingId(k, "posed", 0) for k in range(20)]
    assert list(in_order(lambda r: r.subject, items, workers)) == list(range(20))


def test_numbers_off_the_scale_name_their_option(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="--subjects"):
        GalleryRecipe(n_subjects=0)
    with pytest.raises(InputError, match="--seed"):
        GalleryRecipe(seed=-1)
    with pytest.raises(InputError, match="--workers"):
        synthesize_gallery(RECIPE, tmp_path / "x", workers=0)
    assert not (tmp_path / "x").exists()
