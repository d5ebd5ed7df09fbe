"""Readers of sets of expressions: Oulu-CASIA, CK+, FERG-DB, CelebA, RAF-DB, AFEW, Multi-PIE, and pictures of scans."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from synth_affect.affect import Emotion
from synth_affect.data.faces.database import at_rest
from synth_affect.data.faces.registry import FACE_DATABASES, open_face_database
from synth_affect.errors import InputError
from tests.data.faces.miniature import divided, picture, pictures, points, text, video


def test_oulu_casia(tmp_path: Path) -> None:
    root = tmp_path / "Oulu_CASIA_NIR_VIS" / "B_OriginalImg" / "OriginalImg"
    pictures(root / "VL" / "Strong", [f"P001/Anger/{n:03d}.jpeg" for n in range(6)])
    pictures(root / "NI" / "Dark", [f"P080/Happiness/{n:03d}.jpeg" for n in range(4)])
    pictures(root / "VL" / "Strong", "P002/Anger/000.jpeg P002/Glee/000.jpeg other/x/000.jpeg")
    records, rejected = divided(open_face_database("oulu-casia", tmp_path / "Oulu_CASIA_NIR_VIS"))
    assert [record.key for record in records] == [f"P001/Anger/{n:03d}" for n in range(6)]
    assert [record.neutral for record in records] == [True] + [False] * 5
    assert [record.category for record in records] == [None] * 3 + [Emotion.ANGER] * 3
    assert {(record.subject, record.sequence) for record in records} == {("P001", "Anger")}
    assert [(item.key, item.reason) for item in rejected] == [
        ("P002/Anger", "has 1 frames only"), ("P002/Glee", "is named after none of the emotions")
    ]  # fmt: skip
    settings = {"camera": "NI", "light": "Dark", "apex": "1"}
    records, _ = divided(open_face_database("oulu-casia", root, settings))
    assert [record.category for record in records] == [None] * 3 + [Emotion.HAPPINESS]
    with pytest.raises(InputError, match="no folder NI/Weak of Oulu-CASIA"):
        open_face_database("oulu-casia", root, {"camera": "NI", "light": "Weak"})


def ck_plus(root: Path) -> Path:
    pictures(root / "cohn-kanade-images" / "S005" / "001", [f"S005_001_{n:08d}.png" for n in (1, 2, 11)])
    pictures(root / "cohn-kanade-images" / "S010" / "002", [f"S010_002_{n:08d}.png" for n in (1, 2)])
    text(root / "Emotion" / "S005" / "001" / "S005_001_00000011_emotion.txt", "   3.0000000e+00\n")
    rows = "".join(f"   {x:.7e}   {y:.7e}\n" for x, y in points())
    text(root / "Landmarks" / "S005" / "001" / "S005_001_00000001_landmarks.txt", rows)
    return root


def test_ck_plus(tmp_path: Path) -> None:
    ck_plus(tmp_path / "CK+")
    pictures(tmp_path / "CK+" / "cohn-kanade-images" / "S005" / "001", ".DS_Store.png S999_001_00000001.png")
    records, rejected = divided(open_face_database("ck-plus", tmp_path))
    assert not rejected
    assert [record.key for record in records] == [
        *(f"S005/001/S005_001_{n:08d}" for n in (1, 2, 11)), *(f"S010/002/S010_002_{n:08d}" for n in (1, 2))
    ]  # fmt: skip
    assert [record.neutral for record in records] == [True, False, False, True, False]
    assert [record.category for record in records] == [None, None, Emotion.DISGUST, None, None]
    assert [record.subject for record in records] == ["S005"] * 3 + ["S010"] * 2
    assert records[0].landmarks is not None
    np.testing.assert_array_equal(records[0].landmarks, points())


def test_ck_plus_with_three_frames_that_show_the_emotion(tmp_path: Path) -> None:
    """Those at the end; never the first, which is neutral."""
    root = ck_plus(tmp_path)
    sequence = root / "cohn-kanade-images" / "S005" / "001"
    settings = {"apex": "3"}
    short, _ = divided(open_face_database("ck-plus", root, settings))
    assert [record.category for record in short[:3]] == [None, Emotion.DISGUST, Emotion.DISGUST]
    pictures(sequence, [f"S005_001_{n:08d}.png" for n in (3, 4)])
    records, rejected = divided(open_face_database("ck-plus", root, settings))
    assert not rejected
    assert [record.category for record in records] == [None, None, *[Emotion.DISGUST] * 3, None, None]
    assert [record.neutral for record in records] == [True, *[False] * 4, True, False]


@pytest.mark.parametrize("content", ["", "3 4", "nan", "9.0e+00", "1\n2\n", "x"])
def test_ck_plus_with_a_bad_emotion(tmp_path: Path, content: str) -> None:
    root = ck_plus(tmp_path)
    text(root / "Emotion" / "S005" / "001" / "S005_001_00000011_emotion.txt", content)
    records, rejected = divided(open_face_database("ck-plus", root))
    assert (len(records), [item.key for item in rejected]) == (4, ["S005/001/S005_001_00000011"])


def test_ck_plus_as_its_archives_unpack(tmp_path: Path) -> None:
    ck_plus(tmp_path)
    (tmp_path / "Emotion").rename(tmp_path / "moved")
    (tmp_path / "Emotion_labels").mkdir()
    (tmp_path / "moved").rename(tmp_path / "Emotion_labels" / "Emotion")
    (tmp_path / "Landmarks").rename(tmp_path / "moved")
    database = open_face_database("ck-plus", tmp_path)
    assert database.notes == ("there is no folder Landmarks",)
    assert divided(database)[0][2].category == Emotion.DISGUST


def test_ferg_db(tmp_path: Path) -> None:
    root = tmp_path / "FERG_DB_256"
    pictures(root, "aia/aia_joy/aia_joy_2.png aia/aia_neutral/aia_neutral_1.png ray/ray_anger/ray_anger_7.png")
    pictures(root, "ray/ray_anger/other.png ray/ray_glee/ray_glee_1.png")
    records, rejected = divided(open_face_database("ferg-db", tmp_path))
    assert [(record.subject, record.category, record.neutral) for record in records] == [
        ("aia", Emotion.HAPPINESS, False), ("aia", Emotion.NEUTRAL, True), ("ray", Emotion.ANGER, False)
    ]  # fmt: skip
    assert [(item.key, item.count) for item in rejected] == [("ray/ray_anger", 1)]


def test_celeba(tmp_path: Path) -> None:
    pictures(tmp_path / "img_align_celeba" / "img_align_celeba", "000001.jpg 000002.jpg 000003.jpg 000009.jpg")
    text(tmp_path / "list_eval_partition.txt", "000001.jpg 0\r\n000002.jpg  1\n000003.jpg 2\n000004.jpg 0\n../5.jpg 7")
    text(tmp_path / "identity_CelebA.txt", "000003.jpg 12\n000001.jpg 2880\nnonsense\n")
    records, rejected = divided(open_face_database("celeba", tmp_path))
    assert [(record.key, record.subject, record.split) for record in records] == [
        ("000001", "2880", "train"), ("000002", None, "validation"), ("000003", "12", "test")
    ]  # fmt: skip
    assert [(item.key, item.count) for item in rejected] == [("000004", 1), ("5", 1), ("pictures", 1)]
    (tmp_path / "identity_CelebA.txt").unlink()
    assert not open_face_database("celeba", tmp_path).has_subjects
    text(tmp_path / "list_eval_partition.txt", "000001.jpg 0\n" + "1" * 100_000)
    records, rejected = divided(open_face_database("celeba", tmp_path))
    assert (len(records), len(rejected)) == (1, 1)
    (tmp_path / "list_eval_partition.txt").unlink()
    with pytest.raises(InputError, match=r"has no list_eval_partition.txt; CelebA is given for research"):
        open_face_database("celeba", tmp_path)


def test_celeba_in_the_folders_of_its_owners(tmp_path: Path) -> None:
    picture(tmp_path / "CelebA" / "Img" / "img_align_celeba" / "000001.jpg")
    text(tmp_path / "CelebA" / "Eval" / "list_eval_partition.txt", "000001.jpg 1\n")
    text(tmp_path / "CelebA" / "Anno" / "identity_CelebA.txt", "000001.jpg 7\n")
    ((record,), rejected) = divided(open_face_database("celeba", tmp_path / "CelebA"))
    assert (record.subject, record.split, rejected) == ("7", "validation", [])


@pytest.mark.parametrize("given", ["", "basic"])
def test_raf_db(tmp_path: Path, given: str) -> None:
    text(
        tmp_path / "basic" / "EmoLabel" / "list_patition_label.txt",
        "train_00001.jpg 5\ntest_0002.jpg 7\ntrain_00003.jpg 1\ntrain_00001.jpg 8\nx.jpg 1\ntest_0002.jpg\n",
    )
    pictures(tmp_path / "basic" / "Image", "original/train_00001.jpg original/test_0002.jpg original/y.jpg")
    picture(tmp_path / "basic" / "Image" / "aligned" / "train_00003_aligned.jpg")
    records, rejected = divided(open_face_database("raf-db", tmp_path / given))
    assert [(record.key, record.category, record.split) for record in records] == [
        ("train_00001", Emotion.SADNESS, "train"), ("test_0002", Emotion.NEUTRAL, "test")
    ]  # fmt: skip
    assert [item.reason.partition(": ")[2] for item in rejected[:4]] == [
        "'train_00003' has no picture, or is there twice", "emotion '8' is not a whole number in [1, 7]",
        "'x' is neither of train nor of test", "needs a picture and a number, has 1 words",
    ]  # fmt: skip
    assert rejected[4].reason == "pictures that are not in list_patition_label.txt"
    ((record,), _) = divided(open_face_database("raf-db", tmp_path / given, {"pictures": "aligned"}))
    assert (record.key, record.category) == ("train_00003", Emotion.SURPRISE)


def test_afew(tmp_path: Path) -> None:
    video(tmp_path / "AFEW" / "Train_AFEW" / "Neutral" / "000046280.avi", 5)
    video(tmp_path / "AFEW" / "Val_AFEW" / "Angry" / "001.avi", 1)
    video(tmp_path / "AFEW" / "Test_AFEW" / "002.avi", 1)
    text(tmp_path / "AFEW" / "Train_AFEW" / "Sad" / "003.avi", "#EXTM3U\nfile:///etc/passwd")
    records, rejected = divided(open_face_database("afew", tmp_path, {"every": "2"}))
    assert [(record.key, record.frame, record.category) for record in records] == [
        *((f"train/Neutral/000046280/{n:05d}", n, Emotion.NEUTRAL) for n in (0, 2, 4)),
        ("validation/Angry/001/00000", 0, Emotion.ANGER),
        ("test/002/00000", 0, None),
    ]
    assert [record.split for record in records[2:]] == ["train", "validation", "test"]
    assert [(item.key, item.reason) for item in rejected] == [("train/Sad/003", "is no video")]


def test_multi_pie(tmp_path: Path) -> None:
    root = tmp_path / "Multi-Pie" / "data"
    pictures(
        root,
        "session01/multiview/001/01/05_1/001_01_01_051_07.png session01/multiview/001/01/05_1/001_01_01_051_00.png "
        "session01/multiview/001/02/05_1/001_01_02_051_07.png session01/multiview/001/01/14_0/001_01_01_140_07.png "
        "session04/multiview/001/03/05_1/001_04_03_051_07.png",
    )
    records, rejected = divided(open_face_database("multi-pie", tmp_path))
    assert not rejected
    assert [(record.key, record.category, record.neutral) for record in records] == [
        ("001/001_01_01_051_07", Emotion.NEUTRAL, True),
        ("001/001_01_02_051_07", Emotion.HAPPINESS, False),
        ("001/001_04_03_051_07", None, False),
    ]
    assert {record.subject for record in records} == {"001"}
    settings = {"cameras": "051,140", "shots": "07, 00"}
    assert len(divided(open_face_database("multi-pie", tmp_path, settings))[0]) == 5
    with pytest.raises(InputError, match="no picture of cameras 999"):
        divided(open_face_database("multi-pie", tmp_path, {"cameras": "999"}))


def test_pictures_of_scans(tmp_path: Path) -> None:
    text(tmp_path / "F0001" / "F0001_HA03WH_F3D.wrl", "")
    for name in ("NE00WH", "AN01WH", "HA02WH"):
        text(tmp_path / "F0001" / f"F0001_{name}_F3D.wrl", "")
        picture(tmp_path / "F0001" / f"F0001_{name}_F2D.bmp")
    records, rejected = divided(open_face_database("bu-3dfe", tmp_path))
    assert [(record.path.name, record.neutral, record.category) for record in records] == [
        ("F0001_NE00WH_F2D.bmp", True, None),
        ("F0001_AN01WH_F2D.bmp", False, Emotion.ANGER),
        ("F0001_HA02WH_F2D.bmp", False, Emotion.HAPPINESS),
    ]
    assert {record.subject for record in records} == {"F0001"}
    assert [(item.reason, item.count) for item in rejected] == [("scans without a picture", 1)]


def test_pictures_of_scans_by_a_template(tmp_path: Path) -> None:
    for name in ("neutral", "happy"):
        text(tmp_path / "01" / f"{name}.obj", "")
        picture(tmp_path / "01" / f"{name}.png")
    with pytest.raises(InputError, match="textures: set it to where the pictures of KF-ITW lie"):
        open_face_database("kf-itw", tmp_path)
    records, _ = divided(open_face_database("kf-itw", tmp_path, {"textures": "{subject}/{sequence}.png"}))
    assert [(record.subject, record.neutral) for record in records] == [("01", True), ("01", False)]


@pytest.mark.parametrize("name", sorted(set(FACE_DATABASES) - {"csv"}))
def test_an_empty_or_absent_folder_is_told(tmp_path: Path, name: str) -> None:
    settings = {"textures": "{subject}/{sequence}.png"} if name in ("kf-itw", "4dfab") else {}
    for root in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(InputError) as caught:
            list(open_face_database(name, root, settings).records())
        assert root.name in str(caught.value)


def test_what_has_no_labels_has_none_at_rest(tmp_path: Path) -> None:
    picture(tmp_path / "a.png")
    database = open_face_database("folder", tmp_path)
    assert len(list(database.records())) == 1
    assert list(database.records(at_rest)) == []


def test_names_and_settings_that_are_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="--database: 'imagenet' is none of aff-wild, aff-wild2, afew-va"):
        open_face_database("imagenet", tmp_path)
    with pytest.raises(InputError, match="'light' cannot be set for aff-wild; what can: pairing"):
        open_face_database("aff-wild", tmp_path, {"light": "Dark"})
    with pytest.raises(InputError, match="light: 'dark' is none of Strong, Weak, Dark"):
        open_face_database("oulu-casia", tmp_path, {"light": "dark"})
    with pytest.raises(InputError, match="every: '0' is not 1 or more"):
        open_face_database("afew", tmp_path, {"every": "0"})
    with pytest.raises(InputError, match="outside: 'maybe' is neither yes nor no"):
        open_face_database("csv", tmp_path, {"outside": "maybe"})
