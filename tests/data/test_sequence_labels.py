from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from synth_affect.affect import Emotion
from synth_affect.data.sequence_labels import RecordingName, read_sequence_labels
from synth_affect.errors import InputError

WriteLabels = Callable[[str | bytes], Path]


@pytest.fixture
def write(tmp_path: Path) -> WriteLabels:
    def write(text: str | bytes) -> Path:
        path = tmp_path / "labels.csv"
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return path

    return write


HEADER = "subject,session,sequence,frame,valence,arousal,category,posed,apex,neutral\n"
NAME = RecordingName("anna", "1", "q")


def test_rows_become_recordings_sorted_by_frame(write: WriteLabels) -> None:
    text = HEADER + "anna,1,q,7,0.5,-1,fear,yes,1,\nbob,1,q,0,0,0,,,,true\nanna,1,q,3,,,,,No,\n"
    file = read_sequence_labels(write(text))
    assert file.rejected == {}
    assert set(file.sequences) == {NAME, RecordingName("bob", "1", "q")}
    labels = file.sequences[NAME]
    assert (labels.posed, labels.category) == (True, Emotion.FEAR)
    np.testing.assert_array_equal(labels.frame, [3, 7])
    np.testing.assert_array_equal(labels.valence, np.array([np.nan, 0.5], np.float32))
    np.testing.assert_array_equal(labels.arousal, np.array([np.nan, -1], np.float32))
    np.testing.assert_array_equal(labels.apex, [False, True])
    np.testing.assert_array_equal(labels.neutral, [False, False])
    other = file.sequences[RecordingName("bob", "1", "q")]
    assert (other.posed, other.category, other.neutral.tolist()) == (False, None, [True])
    assert labels.frame.dtype == np.int32
    assert labels.valence.dtype == np.float32


def test_columns_come_in_any_order_and_may_lack(write: WriteLabels) -> None:
    text = "\ufeffArousal, valence ,frame,note,subject,sequence\r\n.25,-.5,000,x,anna,q\r\n\r\n"
    (item,) = read_sequence_labels(write(text)).sequences.items()
    assert item[0] == RecordingName("anna", None, "q")
    assert (item[1].valence[0], item[1].arousal[0], item[1].frame[0]) == (-0.5, 0.25, 0)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("anna,1,q,1,1.2,0,,,,", r"line 3: valence 1.2 is not in [-1, 1]; leave it empty where there is none"),
        ("anna,1,q,1,0,-5,,,,", r"line 3: arousal -5 is not in [-1, 1]; leave it empty where there is none"),
        ("anna,1,q,1,nan,0,,,,", r"line 3: valence nan is not in [-1, 1]; leave it empty where there is none"),
        ("anna,1,q,1,high,0,,,,", "line 3: valence 'high' is not a number"),
        ("anna,1,q,1,,0,,,,", "line 3: has one of valence and arousal only"),
        ("anna,1,q,0,0,0,,,,", "line 3: frame 0 has a label already"),
        ("anna,1,q,1,0,0,,maybe,,", "line 3: posed 'maybe' is neither yes nor no"),
        ("anna,1,q,1,0,0,anger,,,", "is labelled anger and fear"),
        ("anna,1,q,1,0,0,,no,,", "is labelled posed and not posed"),
    ],
)
def test_a_bad_row_rejects_its_recording_and_no_other(write: WriteLabels, row: str, reason: str) -> None:
    file = read_sequence_labels(write(f"{HEADER}anna,1,q,0,0,0,fear,yes,,\n{row}\nbob,1,q,0,0,0,,,,\n"))
    assert file.rejected == {NAME: reason}
    assert set(file.sequences) == {RecordingName("bob", "1", "q")}


def test_an_unknown_category_is_told_with_the_known_ones(write: WriteLabels) -> None:
    (reason,) = read_sequence_labels(write(HEADER + "anna,1,q,1,0,0,glee,,,\n")).rejected.values()
    assert reason.startswith("line 2: category 'glee' is none of neutral, happiness")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "has no column subject; it needs subject, sequence, frame, valence, arousal"),
        ("subject,sequence,frame,valence\n", "has no column arousal"),
        (HEADER + "anna,1,q,1,0\n", "line 2 has 5 cells, the header 10"),
        (HEADER + ",1,q,1,0,0,,,,\n", "line 2 has no subject"),
        (HEADER + "anna,,q,1,0,0,,,,\n", "line 2 has no session"),
        (HEADER + "anna,1,q,first,0,0,,,,\n", "line 2: frame 'first' is not a number of a frame"),
        (HEADER + "anna,1,q,-1,0,0,,,,\n", "line 2: frame '-1' is not a number of a frame"),
        (HEADER + 'anna,1,q,"1,0,0,,,,\n', "not a CSV file"),
        (b"subject,sequence\xff\n", "not a CSV file"),
    ],
)
def test_what_is_no_file_of_labels_is_told(write: WriteLabels, text: str | bytes, reason: str) -> None:
    with pytest.raises(InputError) as caught:
        read_sequence_labels(write(text))
    assert caught.value.reason.startswith(reason)


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file of labels"):
        read_sequence_labels(tmp_path / "none.csv")
    with pytest.raises(InputError, match="a folder, not a file of labels"):
        read_sequence_labels(tmp_path)
