from dataclasses import replace

import numpy as np
import pytest

from synth_affect.blendshape.action_units import ARKIT_UNITS, UNIT_INDEX
from synth_affect.blendshape.synthetic import style
from synth_affect.blendshape.synthetic.recordings import GalleryRecipe, emphasis, plan, recordings
from synth_affect.blendshape.synthetic.style import (
    FaceMotion,
    FaceSupport,
    corrective_pairs,
    displaced,
    draw_motion,
    face_support,
)
from synth_affect.blendshape.synthetic.subjects import draw_habits, draw_subject_motion
from synth_affect.blendshape.template import face_vertices
from synth_affect.errors import ShapeError
from synth_affect.heads.mesh import triangle_normals
from synth_affect.heads.model import HeadModel


def weights(**units: float) -> np.ndarray:
    row = np.zeros((1, len(ARKIT_UNITS)))
    for name, weight in units.items():
        row[0, UNIT_INDEX[name]] = weight
    return row


def test_nothing_done_is_nothing_moved(motion: FaceMotion) -> None:
    offsets = displaced(motion, np.zeros((3, 52)))
    assert offsets.shape == (3, 4782, 3)
    assert offsets.dtype == np.float32
    assert not offsets.any()


def test_peaks_bend_with_the_weight(motion: FaceMotion) -> None:
    units = [k for k, name in enumerate(ARKIT_UNITS) if name.startswith(("brow", "cheek", "jaw", "mouth", "nose"))]
    each = np.eye(len(ARKIT_UNITS))[units]
    full, half = displaced(motion, each), displaced(motion, each / 2)
    # Half is not a multiple of the whole: what is left after the best one is far more than rounding.
    factor = (full * half).sum(axis=(1, 2)) / (full**2).sum(axis=(1, 2))
    left = half - factor[:, None, None] * full
    share = np.linalg.norm(left, axis=(1, 2)) / np.linalg.norm(half, axis=(1, 2))
    assert 0.45 < np.median(factor) < 0.55
    assert np.median(share) > 0.04
    assert np.mean(share > 0.01) > 0.9


def test_units_together_are_more_than_their_sum(motion: FaceMotion) -> None:
    together = displaced(motion, weights(cheekSquintLeft=0.9, mouthSmileLeft=0.9))
    alone = displaced(motion, weights(cheekSquintLeft=0.9)) + displaced(motion, weights(mouthSmileLeft=0.9))
    assert np.abs(together - alone).max() > 0.3
    names = {(ARKIT_UNITS[a], ARKIT_UNITS[b]) for a, b in corrective_pairs()}
    assert ("cheekSquintLeft", "mouthSmileLeft") in names
    assert not any("Left" in a and "Right" in b for a, b in names)


def test_two_people_do_the_same_differently(support: FaceSupport, motion: FaceMotion) -> None:
    smile = weights(mouthSmileLeft=0.8, mouthSmileRight=0.8)
    one = displaced(motion, smile).ravel()
    other = displaced(draw_subject_motion(support, 0, 1), smile).ravel()
    assert 0.5 < float(one @ other) / float(np.linalg.norm(one) * np.linalg.norm(other)) < 0.99


@pytest.fixture
def _no_asymmetry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(style, "ASYMMETRY", 0.0)


def mirrored_difference(cc0: HeadModel, support: FaceSupport, rng: np.random.Generator) -> float:
    """Of a symmetric face that smiles on both sides, the farthest of any point from its mirror image, mm.

    Not so broadly that its lips or skin have to be kept apart, which takes one place after the other.
    """
    motion = draw_motion(support, support.mean, 1.0, rng)
    offsets = displaced(motion, weights(mouthSmileLeft=0.6, mouthSmileRight=0.6))[0]
    face = face_vertices(cc0)
    place = {int(vertex): k for k, vertex in enumerate(face)}
    both = [k for k, vertex in enumerate(face) if int(cc0.mirror[vertex]) in place]
    other = [place[int(cc0.mirror[face[k]])] for k in both]
    assert len(both) > 4700
    return float(np.abs(offsets[both] - offsets[other] * (-1, 1, 1)).max())


@pytest.mark.usefixtures("_no_asymmetry")
def test_a_symmetric_style_moves_both_sides_alike(cc0: HeadModel, support: FaceSupport) -> None:
    assert mirrored_difference(cc0, support, np.random.default_rng(4)) < 0.5


def test_styles_are_not_quite_symmetric(cc0: HeadModel, support: FaceSupport) -> None:
    assert mirrored_difference(cc0, support, np.random.default_rng(4)) > 1.0


def test_displacements_have_more_dimensions_than_units(support: FaceSupport) -> None:
    frames = []
    for subject in range(14):
        person, habits = draw_subject_motion(support, 0, subject), draw_habits(0, subject)
        for recording in recordings(GalleryRecipe(14, 0), subject):
            planned = plan(habits, 0, recording)
            rows = np.linspace(0, len(planned.weights) - 1, 4).astype(int)[1:-1]
            frames.append(displaced(person, planned.weights[rows], emphasis(person, 0, recording))[:, ::4])
    matrix = np.concatenate(frames).reshape(2 * 14 * 6, -1)
    matrix -= matrix.mean(axis=0)
    energy = np.linalg.eigvalsh((matrix @ matrix.T).astype(np.float64))[::-1]
    rank = int(np.searchsorted(np.cumsum(energy) / energy.sum(), 0.99)) + 1
    assert rank > len(ARKIT_UNITS)


def test_faces_fold_but_are_not_turned_over(support: FaceSupport) -> None:
    turned = []
    for subject in range(2):
        person, habits = draw_subject_motion(support, 0, subject), draw_habits(0, subject)
        rest = triangle_normals(person.neutral, support.skin.triangles)
        for recording in recordings(GalleryRecipe(2, 0), subject):
            planned = plan(habits, 0, recording)
            apex = planned.weights[planned.apex][:1]
            shown = person.neutral + displaced(person, apex, emphasis(person, 0, recording))[0]
            turned.append(((rest * triangle_normals(shown, support.skin.triangles)).sum(axis=1) < 0).mean())
    assert np.mean(turned) < 0.012


def test_more_vertices_move_like_the_same_face(cc0: HeadModel, motion: FaceMotion) -> None:
    whole = draw_subject_motion(face_support(cc0, np.arange(len(cc0.mean), dtype=np.int32)), 0, 0)
    face = face_vertices(cc0)
    np.testing.assert_allclose(whole.neutral[face], motion.neutral, atol=0.1)


def test_a_head_without_a_unit_is_refused(cc0: HeadModel) -> None:
    names = ("x", *cc0.unit_names[1:])
    with pytest.raises(ShapeError, match=cc0.unit_names[0]):
        face_support(replace(cc0, unit_names=names))
