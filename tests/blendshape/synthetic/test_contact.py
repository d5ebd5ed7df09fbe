import numpy as np

from synth_affect.blendshape.action_units import unit_weights
from synth_affect.blendshape.synthetic.contact import CLEARANCE_MM, gaps, keep_apart, lip_contact
from synth_affect.blendshape.synthetic.style import FaceMotion, FaceSupport, displaced
from synth_affect.heads.model import HeadModel


def test_lips_at_rest_touch_and_are_left_alone(cc0: HeadModel) -> None:
    lips = lip_contact(cc0)
    assert len(lips.upper) > 100
    assert np.all(cc0.mean[lips.upper, 1] > cc0.mean[lips.lower, 1] - 0.01)
    offsets = np.zeros((1, *cc0.mean.shape), np.float32)
    keep_apart(lips, cc0.mean, offsets)
    assert not offsets.any()


def test_lips_that_were_pushed_together_are_moved_apart(cc0: HeadModel) -> None:
    lips = lip_contact(cc0)
    offsets = np.zeros((1, *cc0.mean.shape), np.float32)
    offsets[0, np.unique(lips.lower), 1] = 3.0
    before = np.minimum(gaps(lips, cc0.mean), CLEARANCE_MM) - gaps(lips, cc0.mean + offsets[0])
    keep_apart(lips, cc0.mean, offsets)
    after = np.minimum(gaps(lips, cc0.mean), CLEARANCE_MM) - gaps(lips, cc0.mean + offsets[0])
    assert np.median(before) > 2.0
    assert np.percentile(after, 90) < 0.5
    # What is far from the lips stays.
    assert not offsets[0, cc0.mean[:, 1] > -40].any()


def test_opened_lips_are_left_alone(cc0: HeadModel) -> None:
    lips = lip_contact(cc0)
    offsets = np.zeros((1, *cc0.mean.shape), np.float32)
    offsets[0, np.unique(lips.lower), 1] = -5.0
    opened = offsets.copy()
    keep_apart(lips, cc0.mean, opened)
    np.testing.assert_array_equal(opened, offsets)


def test_a_blink_closes_these_lids_and_does_not_cross_them(support: FaceSupport, motion: FaceMotion) -> None:
    blink = unit_weights({"AU43": 1.0})[None]
    closed = motion.neutral + displaced(motion, blink)[0]
    for lid in support.lids:
        assert gaps(lid, motion.neutral).max() > 5.0
        assert np.abs(gaps(lid, closed)).mean() < 0.4
        assert np.abs(gaps(lid, closed)).max() < 1.2
        half = motion.neutral + displaced(motion, 0.5 * blink)[0]
        assert 1.5 < gaps(lid, half).max() < gaps(lid, motion.neutral).max()


def test_closing_everything_at_once_crosses_neither_lips_nor_lids(support: FaceSupport, motion: FaceMotion) -> None:
    squeezed = unit_weights({"AU43": 1.0, "AU7": 1.0, "AU6": 1.0, "AU15": 1.0, "AU17": 1.0, "AU24": 0.8})[None]
    shown = motion.neutral + displaced(motion, squeezed)[0]
    for contact in support.contacts:
        crossed = np.minimum(gaps(contact, motion.neutral), CLEARANCE_MM) - gaps(contact, shown)
        slid = shown[contact.upper] - shown[contact.lower]
        facing = np.hypot(slid[:, 0], slid[:, 2]) < 1.0
        assert np.percentile(crossed[facing], 90) < 0.5
