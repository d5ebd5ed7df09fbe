from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest

from synth_affect.errors import FitError, InputError
from synth_affect.fitting.landmarks import LandmarkDetector
from synth_affect.heads.archive import save_head
from synth_affect.heads.cc0 import load_cc0
from synth_affect.heads.model import HeadModel, LandmarkEmbedding
from synth_affect.pipelines import embed_landmarks as module
from synth_affect.pipelines.embed_landmarks import Progress
from synth_affect.pipelines.open_head import open_head, prepare_head
from tests.conftest import StubDetector
from tests.heads.ict_file import write_ict


@pytest.fixture
def conversions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stub_detector: type[StubDetector]) -> list[HeadModel]:
    """Heads that were embedded; the cache is the test's own."""
    import pooch

    embedded: list[HeadModel] = []

    def embed_landmarks(head: HeadModel, detector: object, progress: object) -> LandmarkEmbedding:
        embedded.append(head)
        return LandmarkEmbedding(np.zeros(478, np.int32), np.tile([1.0, 0, 0], (478, 1)))

    monkeypatch.setattr(module, "embed_landmarks", embed_landmarks)
    monkeypatch.setattr(module, "asymmetry_mm", lambda head, landmarks: 0.0)
    monkeypatch.setattr(pooch, "os_cache", lambda name: tmp_path / "cache" / name)
    return embedded


def test_the_default_and_a_packed_head(tmp_path: Path, conversions: list[HeadModel]) -> None:
    cc0 = open_head("cc0")
    save_head(cc0, tmp_path / "packed.npz")
    assert open_head(str(tmp_path / "packed.npz")).topology == cc0.topology == load_cc0().topology
    assert conversions == []


def test_a_foreign_head_is_converted_once(tmp_path: Path, conversions: list[HeadModel]) -> None:
    path = write_ict(tmp_path / "ict.npz")
    first = open_head(str(path))
    again = open_head(str(path))
    assert len(conversions) == 1
    assert len(again.landmarks_478.triangles) == 478
    assert first.topology == again.topology
    np.testing.assert_array_equal(first.identity_basis, again.identity_basis)
    (kept,) = (tmp_path / "cache").rglob("*.npz")
    kept.write_bytes(b"PK damaged")
    open_head(str(path))
    assert len(conversions) == 2


def test_a_head_can_be_prepared_and_its_progress_seen(
    tmp_path: Path, conversions: list[HeadModel], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = str(write_ict(tmp_path / "ict.npz"))
    given: list[object] = []
    embed = module.embed_landmarks

    def watched(head: HeadModel, detector: LandmarkDetector, progress: Progress) -> LandmarkEmbedding:
        given.append(progress)
        return embed(head, detector, progress)

    monkeypatch.setattr(module, "embed_landmarks", watched)

    def progress(items: Iterable[int], count: int) -> Iterable[int]:
        return items

    for _ in range(2):
        prepare_head(path, progress)
        prepare_head("cc0", progress)
    open_head(path)
    assert given == [progress]
    assert len(conversions) == 1


def test_another_file_is_another_conversion(tmp_path: Path, conversions: list[HeadModel]) -> None:
    open_head(str(write_ict(tmp_path / "a.npz")))
    open_head(str(write_ict(tmp_path / "b.npz", identity=np.zeros((1, *conversions_shape(tmp_path)), np.float16))))
    assert len(conversions) == 2


def conversions_shape(tmp_path: Path) -> tuple[int, int]:
    with np.load(tmp_path / "a.npz") as arrays:
        return arrays["mean"].shape


def test_without_a_cache_it_works_all_the_same(
    tmp_path: Path, conversions: list[HeadModel], monkeypatch: pytest.MonkeyPatch
) -> None:
    import pooch

    (tmp_path / "occupied").write_text("a file where a folder should be")
    monkeypatch.setattr(pooch, "os_cache", lambda name: tmp_path / "occupied")
    path = str(write_ict(tmp_path / "ict.npz"))
    assert open_head(path).name == "ict"
    assert open_head(path).name == "ict"
    assert len(conversions) == 2


@pytest.mark.parametrize("content", [None, b"", b"text", b"PK broken"])
def test_no_file_and_other_files_are_one_line(
    content: bytes | None, tmp_path: Path, conversions: list[HeadModel]
) -> None:
    path = tmp_path / "model.npz"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match=r"model\.npz: ") as caught:
        open_head(str(path))
    assert "\n" not in str(caught.value)


def test_a_model_that_shows_no_face_is_refused_and_not_kept(
    tmp_path: Path, conversions: list[HeadModel], monkeypatch: pytest.MonkeyPatch
) -> None:
    def unseen(*_: object) -> LandmarkEmbedding:
        raise FitError("478 landmarks of ict were never seen")

    monkeypatch.setattr(module, "embed_landmarks", unseen)
    with pytest.raises(InputError, match="landmarks cannot be embedded"):
        open_head(str(write_ict(tmp_path / "ict.npz")))
    assert not list(tmp_path.rglob("ict-*.npz"))


def test_landmarks_that_lie_askew_are_refused(
    tmp_path: Path, conversions: list[HeadModel], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "asymmetry_mm", lambda head, landmarks: 9.4)
    with pytest.raises(InputError, match="one lies 9 mm from its counterpart's mirror image"):
        open_head(str(write_ict(tmp_path / "ict.npz")))
