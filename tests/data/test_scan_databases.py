"""Readers of 3D databases over trees in the exact layouts: what is found, in which order, and what is told."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest

from synth_affect.affect import Emotion
from synth_affect.data.bosphorus import read_bosphorus
from synth_affect.data.bu_3dfe import read_bu_3dfe
from synth_affect.data.bu_4dfe import read_bu_4dfe
from synth_affect.data.coma import read_coma
from synth_affect.data.d3dfacs import read_d3dfacs
from synth_affect.data.four_dfab import read_4dfab
from synth_affect.data.kf_itw import read_kf_itw
from synth_affect.data.scan_databases import SCAN_DATABASES, read_scans
from synth_affect.data.scan_layout import ScanLayout, read_layout
from synth_affect.data.scan_records import ScanSequence, count_scans
from synth_affect.errors import InputError


def tree(root: Path, files: str | Iterable[str]) -> Path:
    """Empty files; readers of databases open none."""
    for name in files.split() if isinstance(files, str) else files:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    return root


def frames(sequence: ScanSequence) -> list[tuple[int, str, bool]]:
    return [(scan.frame, scan.mesh.name, scan.neutral) for scan in sequence.scans]


def reason_of(recordings: Iterable[ScanSequence]) -> str:
    with pytest.raises(InputError) as caught:
        list(recordings)
    return caught.value.reason


BU_3DFE = """
F0001/F0001_NE00WH_F3D.wrl F0001/F0001_NE00WH_F2D.bmp F0001/F0001_NE00WH_F3D.bnd F0001/F0001_NE00WH_RAW.wrl
F0001/F0001_AN02WH_F3D.wrl F0001/F0001_AN01WH_F3D.wrl F0001/F0001_AN01WH_F2D.bmp F0001/points/F0001_AN01WH_F3D.bnd
F0001/F0001_AN03WH_F3D.bnd F0001/F0001_HA04WH_F3D.wrl F0001/M0002_HA01WH_F3D.wrl F0001/readme.txt
M0044/m0044_su01bl_f3d.WRL
"""


@pytest.mark.parametrize("below", ["", "BU_3DFE", "BU_3DFE/BU_3DFE"])
def test_bu_3dfe(tmp_path: Path, below: str) -> None:
    tree(tmp_path / below, BU_3DFE)
    tree(tmp_path, "junk/notes.txt __MACOSX/F0001/x")
    anger, happiness, surprise = read_bu_3dfe(tmp_path)
    assert (anger.subject, anger.session, anger.sequence, anger.posed) == ("F0001", "1", "anger", True)
    assert (anger.category, anger.unit, anger.topology) == (Emotion.ANGER, None, None)
    assert frames(anger) == [
        (0, "F0001_NE00WH_F3D.wrl", True),
        (1, "F0001_AN01WH_F3D.wrl", False),
        (2, "F0001_AN02WH_F3D.wrl", False),
    ]
    neutral, first, second = anger.scans
    assert neutral.texture is not None
    assert neutral.texture.name == "F0001_NE00WH_F2D.bmp"
    assert first.landmarks is not None
    assert first.landmarks.parent.name == "points"
    assert (second.texture, second.landmarks) == (None, None)
    assert [path.name for path in anger.unpaired] == ["F0001_AN03WH_F3D.bnd"]
    assert frames(happiness) == [(0, "F0001_NE00WH_F3D.wrl", True), (4, "F0001_HA04WH_F3D.wrl", False)]
    assert (surprise.subject, surprise.category) == ("M0044", Emotion.SURPRISE)
    assert frames(surprise) == [(1, "m0044_su01bl_f3d.WRL", False)]
    count = count_scans(read_bu_3dfe(tmp_path))
    assert (count.subjects, count.sequences_without_neutral, count.unpaired_files) == (2, 1, 1)


def test_bu_4dfe(tmp_path: Path) -> None:
    tree(tmp_path / "BU_4DFE", [f"F001/Angry/{n:03d}.wrl" for n in (0, 1, 2, 10)])
    tree(
        tmp_path / "BU_4DFE", "F001/Angry/001.jpg F001/Angry/003.jpg F001/Sad/000.wrl BU_WrlViewer_V2/x.exe F001/x.txt"
    )
    tree(tmp_path / "BU4DFE_BND_V1.1", "F001/Angry/002.bnd F001/Angry/009.bnd")
    angry, sad = read_bu_4dfe(tmp_path)
    assert (angry.subject, angry.category, angry.posed) == ("F001", Emotion.ANGER, True)
    assert frames(angry) == [(n, f"{n:03d}.wrl", n == 0) for n in (0, 1, 2, 10)]
    textures = [scan.texture and scan.texture.name for scan in angry.scans]
    assert textures == [None, "001.jpg", None, None]
    assert [scan.landmarks and scan.landmarks.name for scan in angry.scans] == [None, None, "002.bnd", None]
    assert sorted(path.name for path in angry.unpaired) == ["003.jpg", "009.bnd"]
    assert sad.category is Emotion.SADNESS
    given, _ = read_bu_4dfe(tmp_path / "BU_4DFE", landmarks=tmp_path / "BU4DFE_BND_V1.1")
    assert given == angry


def test_bu_4dfe_without_its_points(tmp_path: Path) -> None:
    tree(tmp_path, "F001/Angry/000.wrl")
    (angry,) = read_bu_4dfe(tmp_path)
    assert angry.scans[0].landmarks is None
    with pytest.raises(InputError, match="points: no such folder of landmarks"):
        read_bu_4dfe(tmp_path, landmarks=tmp_path / "points")


def test_bu_4dfe_with_a_number_twice(tmp_path: Path) -> None:
    tree(tmp_path, "F001/Angry/000.wrl F001/Angry/00.wrl")
    assert reason_of(read_bu_4dfe(tmp_path)) == "has the number of 00.wrl, 0"


def test_bosphorus(tmp_path: Path) -> None:
    names = "N_N_0 N_N_1 E_HAPPY_0 E_HAPPY_2 LFAU_12L_0 YR_R10_0 O_EYE_0 CAU_A12A15_0"
    tree(tmp_path, [f"bs000/bs000_{name}.bnt" for name in names.split()])
    tree(tmp_path, "bs000/bs000_E_HAPPY_0.lm3 bs000/bs000_E_HAPPY_0.lm2 bs000/bs000_E_HAPPY_0.png")
    tree(tmp_path, "bs000/bs000_E_HAPPY_1.lm3 bs001/bs001_E_FEAR_0.bnt bs002/bs002_N_N_0.bnt agreement.pdf")
    combined, happy, lower, fear = read_bosphorus(tmp_path)
    assert [s.sequence for s in (combined, happy, lower, fear)] == ["CAU_A12A15", "E_HAPPY", "LFAU_12L", "E_FEAR"]
    assert frames(happy) == [
        (0, "bs000_N_N_0.bnt", True),
        (1, "bs000_E_HAPPY_0.bnt", False),
        (3, "bs000_E_HAPPY_2.bnt", False),
    ]
    assert (happy.category, lower.category, happy.unit) == (Emotion.HAPPINESS, None, "mm")
    shown = happy.scans[1]
    assert shown.landmarks is not None
    assert shown.texture is not None
    assert (shown.landmarks.name, shown.texture.name) == ("bs000_E_HAPPY_0.lm3", "bs000_E_HAPPY_0.png")
    assert [path.name for path in happy.unpaired] == ["bs000_E_HAPPY_1.lm3"]
    assert frames(fear) == [(1, "bs001_E_FEAR_0.bnt", False)]
    turned = list(read_bosphorus(tmp_path, types=("YR",)))
    assert [s.sequence for s in turned] == ["YR_R10"]


def test_coma(tmp_path: Path) -> None:
    person = "COMA_data/FaceTalk_170725_00137_TA"
    tree(tmp_path, [f"{person}/bareteeth/bareteeth.{n:06d}.ply" for n in (10, 1, 2, 100)])
    tree(tmp_path, f"{person}/bareteeth/other.000001.ply {person}/notes.txt imagesubject1/x.jpg")
    tree(tmp_path, f"{person}/mouth_up/mouth_up.000007.ply {person}/empty/readme")
    bareteeth, mouth_up = read_coma(tmp_path)
    assert (bareteeth.subject, bareteeth.sequence) == ("FaceTalk_170725_00137_TA", "bareteeth")
    assert (bareteeth.topology, bareteeth.unit, bareteeth.category) == ("flame", None, None)
    assert frames(bareteeth) == [(n, f"bareteeth.{n:06d}.ply", n == 1) for n in (1, 2, 10, 100)]
    assert frames(mouth_up) == [(7, "mouth_up.000007.ply", True)]


@pytest.mark.parametrize("below", ["", "registrations", "a/registrations"])
def test_d3dfacs(tmp_path: Path, below: str) -> None:
    tree(tmp_path / below, "Joe/1+2/1+2_175.ply Joe/1+2/1+2_176.ply Joe/12/12_9.ply Adriana/4/4_1.ply")
    tree(tmp_path, "images/texture_1C_1/x.bmp")
    four, one_two, twelve = read_d3dfacs(tmp_path)
    assert [s.name for s in (four, one_two, twelve)] == ["Adriana/1/4", "Joe/1/1+2", "Joe/1/12"]
    assert frames(one_two) == [(175, "1+2_175.ply", True), (176, "1+2_176.ply", False)]
    assert one_two.topology == "flame"


def test_d3dfacs_of_one_person(tmp_path: Path) -> None:
    tree(tmp_path, "1+2/1+2_175.ply")
    reason = "looks like the folder of one person; name the folder above it"
    assert reason_of_name("d3dfacs", tmp_path) == f"{tmp_path}: {reason}"


def test_4dfab(tmp_path: Path) -> None:
    tree(tmp_path, "007/s1/posed_Happiness/00010.obj 007/s1/posed_Happiness/00009.obj 007/s2/video_3/00100.obj")
    tree(tmp_path, "readme.txt 007/s1/posed_Happiness/00010.jpg 007/s1/posed_Happiness/00010.obj.bak")
    posed, spontaneous = read_4dfab(tmp_path)
    assert posed.name == "007/s1/posed_Happiness"
    assert (posed.posed, posed.category) == (True, Emotion.HAPPINESS)
    assert frames(posed) == [(9, "00009.obj", True), (10, "00010.obj", False)]
    assert posed.scans[1].texture is None
    assert (spontaneous.posed, spontaneous.category) == (False, None)


def test_4dfab_in_a_layout_of_ones_own(tmp_path: Path) -> None:
    tree(tmp_path, "meshes/s01_fear_3.ply meshes/s01_fear_12.ply meshes/s02_fear_3.ply marks/s01_fear_12.ljson")
    tree(tmp_path, "tex/s01/3.png")
    layout = ScanLayout(
        meshes="meshes/{subject}_{sequence}_{frame}.ply",
        textures="tex/{subject}/{frame}.png",
        landmarks="marks/{subject}_{sequence}_{frame:03d}.ljson",
    )
    first, second = read_scans("4dfab", tmp_path, layout=layout)
    assert (first.subject, first.session, second.subject) == ("s01", "1", "s02")
    assert frames(first) == [(3, "s01_fear_3.ply", True), (12, "s01_fear_12.ply", False)]
    assert first.scans[0].texture == tmp_path / "tex/s01/3.png"
    assert first.scans[1].landmarks == tmp_path / "marks/s01_fear_12.ljson"


def test_a_layout_without_frames(tmp_path: Path) -> None:
    tree(tmp_path, "a/x.obj a/y.obj b/z.obj")
    recordings = list(read_layout(tmp_path, ScanLayout("{subject}/{sequence}.obj")))
    assert [recording.name for recording in recordings] == ["a/1/x", "a/1/y", "b/1/z"]
    assert frames(recordings[0]) == [(0, "x.obj", True)]


def test_a_field_that_occurs_twice(tmp_path: Path) -> None:
    tree(tmp_path, "a/a_2.obj a/b_3.obj")
    (own,) = read_layout(tmp_path, ScanLayout("{subject}/{subject}_{frame}.obj"))
    assert frames(own) == [(2, "a_2.obj", True)]


def test_kf_itw(tmp_path: Path) -> None:
    tree(tmp_path, "01/neutral.obj 01/happy.obj 01/surprised.obj 02/happy.obj")
    happy, surprised, other = read_kf_itw(tmp_path)
    assert frames(happy) == [(0, "neutral.obj", True), (1, "happy.obj", False)]
    assert (happy.category, happy.posed) == (Emotion.HAPPINESS, True)
    assert frames(surprised) == [(0, "neutral.obj", True), (1, "surprised.obj", False)]
    assert frames(other) == [(0, "happy.obj", False)]
    assert count_scans([other]).sequences_without_neutral == 1


@pytest.mark.parametrize("name", SCAN_DATABASES)
def test_an_empty_folder_is_one_line(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError) as caught:
        list(read_scans(name, tmp_path))
    assert caught.value.path == str(tmp_path)
    assert "\n" not in str(caught.value)
    database = SCAN_DATABASES[name]
    assert (database.layout.meshes if database.layout else database.obtain) in caught.value.reason


@pytest.mark.parametrize("name", SCAN_DATABASES)
def test_an_absent_folder(tmp_path: Path, name: str) -> None:
    assert reason_of_name(name, tmp_path / "nowhere") == f"{tmp_path / 'nowhere'}: no such folder"


def reason_of_name(name: str, root: Path, layout: ScanLayout | None = None) -> str:
    with pytest.raises(InputError) as caught:
        list(read_scans(name, root, layout=layout))
    return str(caught.value)


def test_names_and_layouts_that_do_not_go(tmp_path: Path) -> None:
    expected = "--database: '3dfab' is none of 4dfab, bu-3dfe, bu-4dfe, bosphorus, kf-itw, coma, d3dfacs"
    assert reason_of_name("3dfab", tmp_path) == expected
    layout = ScanLayout("{subject}.obj")
    assert reason_of_name("coma", tmp_path, layout) == "--layout: the files of CoMA lie in one way only"


def test_archives_that_are_not_unpacked(tmp_path: Path) -> None:
    tree(tmp_path, "BU-3DFE/F0001.rar")
    assert reason_of_name("bu-3dfe", tmp_path) == f"{tmp_path}: holds archives (F0001.rar); unpack them first"


def test_people_without_scans(tmp_path: Path) -> None:
    tree(tmp_path, "F0001/readme.txt bs000/readme.txt F001/Angry/readme.txt FaceTalk_1_2_TA/x/y.txt")
    assert "no expression such as F0001_AN01WH_F3D.wrl" in reason_of_name("bu-3dfe", tmp_path)
    assert "no scan such as F001/Angry/000.wrl" in reason_of_name("bu-4dfe", tmp_path)
    assert "no scan such as bs000_E_HAPPY_0.bnt" in reason_of_name("bosphorus", tmp_path)
    assert "no mesh such as bareteeth/bareteeth.000001.ply" in reason_of_name("coma", tmp_path)


def test_a_person_in_two_places(tmp_path: Path) -> None:
    tree(tmp_path, "part1/F0001/F0001_AN01WH_F3D.wrl part2/F0001/F0001_AN01WH_F3D.wrl")
    assert "is there a second time" in reason_of_name("bu-3dfe", tmp_path)


def test_people_in_parts(tmp_path: Path) -> None:
    tree(tmp_path, "part1/F0001/F0001_AN01WH_F3D.wrl part2/F0002/F0002_AN01WH_F3D.wrl")
    assert [s.subject for s in read_bu_3dfe(tmp_path)] == ["F0001", "F0002"]


@pytest.mark.parametrize(
    ("template", "reason"),
    [
        ("{sequence}.obj", "'{sequence}.obj' has no {subject}"),
        (
            "{subject}/{task}.obj",
            "{task} in '{subject}/{task}.obj' is none of {subject}, {session}, {sequence}, {frame}",
        ),
        ("{subject}/{frame.obj", "'{subject}/{frame.obj' has a brace without its other half"),
    ],
)
def test_templates_that_mean_nothing(template: str, reason: str) -> None:
    with pytest.raises(InputError) as caught:
        ScanLayout(template)
    assert str(caught.value) == f"--layout: {reason}"


def test_a_template_of_textures_with_a_field_too_many() -> None:
    with pytest.raises(InputError, match=r"has \{frame\}, which '\{subject\}.obj' has not"):
        ScanLayout("{subject}.obj", textures="{subject}_{frame}.png")


def test_layout_with_a_number_twice(tmp_path: Path) -> None:
    tree(tmp_path, "a/1.obj a/01.obj")
    assert reason_of(read_layout(tmp_path, ScanLayout("{subject}/{frame}.obj"))) == "has the number of 01.obj, 1"
