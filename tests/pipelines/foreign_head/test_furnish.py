"""The packaged head's own skin, given as a foreign model, must become nearly the packaged head again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from synth_affect.arrays import ImageArray
from synth_affect.errors import FitError, InputError
from synth_affect.fitting.landmarks import Landmarks
from synth_affect.fitting.mediapipe_detector import MediaPipeDetector
from synth_affect.heads.cc0 import load_cc0
from synth_affect.heads.foreign import ForeignHead, foreign_head
from synth_affect.heads.mesh import triangle_normals
from synth_affect.heads.model import HeadModel, embed, region_triangles, region_vertices
from synth_affect.pipelines import embed_landmarks as embedding
from synth_affect.pipelines.foreign_head import furnish as module
from synth_affect.pipelines.foreign_head.furnish import furnish_head
from synth_affect.pipelines.synthesize import AffectSynthesizer

OUTSIDE = ("skin", "lips", "lids", "neck", "ears", "scalp")
AWAY = np.array([12.0, -60.0, 35.0])


@pytest.fixture(scope="module")
def packaged() -> HeadModel:
    return load_cc0()


@pytest.fixture(scope="module")
def foreign(packaged: HeadModel) -> ForeignHead:
    triangles = packaged.triangles[region_triangles(packaged, *OUTSIDE)]
    metres = (packaged.mean + AWAY) / 1000
    return foreign_head("skin", "CC0-1.0", "tests", metres, triangles, packaged.identity_basis[:3] / 1000)


@pytest.fixture(scope="module")
def head(foreign: ForeignHead) -> HeadModel:
    """Of fewer renderings than a conversion takes."""
    with pytest.MonkeyPatch.context() as patch, MediaPipeDetector() as detector:
        patch.setattr(embedding, "N_HEADS", 3)
        patch.setattr(embedding, "YAWS_DEG", (0.0,))
        patch.setattr(module, "N_ROUGH_HEADS", 2)
        return furnish_head(foreign, detector)


def unit(head: HeadModel, *names: str) -> np.ndarray:
    return sum(head.expression_units[head.unit_names.index(name)] for name in names)


def points(head: HeadModel) -> np.ndarray:
    return embed(head.mean, head.triangles, head.landmarks_478)


def test_it_is_a_whole_head(head: HeadModel, packaged: HeadModel) -> None:
    assert (head.name, head.licence, head.unit_names) == ("skin", "CC0-1.0", packaged.unit_names)
    found = {head.region_names[k] for k in np.unique(head.triangle_regions)}
    assert found == set(packaged.region_names) - {"lashes"}
    assert len(head.identity_basis) == 3
    assert len(head.landmarks_478.triangles) == 478
    assert len(head.landmarks_68.triangles) == 68
    assert (head.uv >= 0).all()
    assert (head.uv <= 1).all()
    np.testing.assert_array_equal(head.mirror[head.mirror], np.arange(len(head.mean)))
    assert np.linalg.norm(triangle_normals(head.mean, head.triangles), axis=1).min() > 0


def test_the_face_stands_where_the_packaged_one_does(head: HeadModel, packaged: HeadModel) -> None:
    away = np.linalg.norm(points(head) - points(packaged), axis=1)
    assert np.median(away) < 2.5
    assert np.quantile(away, 0.98) < 7
    assert away.max() < 14
    for names in (("eyeball", "iris"), ("teeth_upper",), ("teeth_lower",), ("mouth_cavity",)):
        mine, theirs = head.mean[region_vertices(head, *names)], packaged.mean[region_vertices(packaged, *names)]
        assert np.linalg.norm(mine.mean(axis=0) - theirs.mean(axis=0)) < 3, names


def test_regions_are_those_of_the_same_place(head: HeadModel, packaged: HeadModel) -> None:
    area = np.linalg.norm(triangle_normals(head.mean, head.triangles), axis=1)
    theirs = np.linalg.norm(triangle_normals(packaged.mean, packaged.triangles), axis=1)
    for name in ("skin", "lips", "lids"):
        share = area[region_triangles(head, name)].sum() / theirs[region_triangles(packaged, name)].sum()
        assert 0.55 < share < 1.3, name


@pytest.mark.parametrize(
    ("names", "at"),
    [
        (("jawOpen",), (152, 14, 17, 13)),
        (("mouthSmileLeft", "mouthSmileRight"), (61, 291, 205, 425)),
        (("browInnerUp", "browOuterUpLeft", "browOuterUpRight"), (107, 336, 105, 334)),
        (("eyeBlinkLeft", "eyeBlinkRight"), (159, 386)),
    ],
)
def test_units_move_what_they_move_on_the_packaged_head(
    names: tuple[str, ...], at: tuple[int, ...], head: HeadModel, packaged: HeadModel
) -> None:
    asked = embed(unit(packaged, *names), packaged.triangles, packaged.landmarks_478)[list(at)]
    found = embed(unit(head, *names), head.triangles, head.landmarks_478)[list(at)]
    wrong = np.linalg.norm(found - asked, axis=1)
    assert (wrong < np.maximum(0.3 * np.linalg.norm(asked, axis=1), 1.5)).all(), wrong


def test_eyes_and_teeth_follow_the_identity(head: HeadModel, foreign: ForeignHead) -> None:
    eyes, lids = region_vertices(head, "eyeball", "iris"), region_vertices(head, "lids")
    teeth, lips = region_vertices(head, "teeth_upper"), region_vertices(head, "lips")
    for basis in head.identity_basis:
        for inner, outer in ((eyes, lids), (teeth, lips)):
            assert np.linalg.norm(basis[inner].mean(axis=0) - basis[outer].mean(axis=0)) < 2.0


def test_a_photograph_is_edited_with_it(head: HeadModel, portrait: ImageArray, portrait_landmarks: Landmarks) -> None:
    with AffectSynthesizer(head) as synthesizer:
        fit = synthesizer.fit_landmarks(portrait, portrait_landmarks)
        result = synthesizer.synthesize(portrait, fit, valence=0.7, arousal=0.5)
    changed = (result.image != portrait).any(axis=2)
    assert 0.02 < changed.mean() < 0.5


class Blind:
    def detect(self, image: ImageArray) -> list[Landmarks]:
        return []

    def close(self) -> None:
        pass


def test_what_is_no_face_is_told(foreign: ForeignHead) -> None:
    with pytest.raises(FitError, match="no face is seen on skin; it must look along z with y up"):
        furnish_head(foreign, Blind())


def test_a_face_of_no_heads_size_is_told(foreign: ForeignHead, packaged: HeadModel) -> None:
    giant = replace(foreign, mean=2.2 * foreign.mean, identity_basis=foreign.identity_basis)
    with MediaPipeDetector() as detector, pytest.raises(FitError, match="mm apart; no head's are"):
        furnish_head(giant, detector)


def test_the_reason_reaches_the_user(tmp_path: Path, foreign: ForeignHead) -> None:
    from synth_affect.pipelines.open_head import convert_head
    from tests.heads.foreign_files import write_gnm

    path = write_gnm(tmp_path / "gnm.npz", foreign.mean / 1000, foreign.triangles, foreign.identity_basis)
    with pytest.raises(InputError, match=r"gnm.npz: its landmarks cannot be embedded \(no face is seen"):
        convert_head(path, Blind())
