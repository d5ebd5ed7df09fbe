from __future__ import annotations

from pathlib import Path

import pytest

from synth_affect.data.scan_folder import find_scans
from synth_affect.errors import InputError


def made(root: Path, *names: str) -> Path:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return root


def found(*paths: Path) -> list[tuple[str, str, str, list[int]]]:
    return [(s.subject, s.session, s.sequence, [scan.frame for scan in s.scans]) for s in find_scans(paths)]


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["anna/smile/10.obj", "anna/smile/9.obj"], [("anna", "1", "smile", [9, 10])]),
        (["anna/2/smile/007.ply"], [("anna", "2", "smile", [7])]),
        (["a/2/b/c/007.ply"], [("a", "2", "b-c", [7])]),
        (["a/bareteeth/bareteeth.000003.ply"], [("a", "1", "bareteeth", [3])]),
        (
            ["bs0/bs0_N_N_0.bnt", "bs0/bs0_E_HAPPY_0.bnt"],
            [("bs0", "1", "bs0_E_HAPPY", [0]), ("bs0", "1", "bs0_N_N", [0])],
        ),
        (["anna.obj", "ben.stl"], [("anna", "1", "anna", [0]), ("ben", "1", "ben", [0])]),
        (["anna_1.obj", "anna_2.obj"], [("scans", "1", "scans", [1, 2])]),
        (["a/s/1.obj", "a/s/1.png", "a/s/.2.obj", ".git/a/3.obj", "labels.csv"], [("a", "1", "s", [1])]),
    ],
)
def test_folders_tell_who_and_what(tmp_path: Path, names: list[str], expected: list[object]) -> None:
    assert found(made(tmp_path / "scans", *names)) == expected


def test_of_several_folders_the_names_count(tmp_path: Path) -> None:
    made(tmp_path, "anna/smile/1.obj", "ben/smile/1.obj")
    assert found(tmp_path / "anna", tmp_path / "ben") == [("anna", "1", "smile", [1]), ("ben", "1", "smile", [1])]


def test_one_file_is_a_recording(tmp_path: Path) -> None:
    made(tmp_path, "anna/face.obj")
    assert found(tmp_path / "anna" / "face.obj") == [("anna", "1", "anna", [0])]


def test_a_frame_that_is_there_twice_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="frame 1 follows frame 1"):
        find_scans([made(tmp_path, "a/s/1.obj", "a/s/01.ply")])


@pytest.mark.parametrize(
    ("name", "reason"), [("absent", "no such file"), ("a.txt", "meshes are read from"), ("empty", "holds no mesh")]
)
def test_what_holds_no_mesh_is_refused(tmp_path: Path, name: str, reason: str) -> None:
    made(tmp_path, "a.txt")
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match=reason):
        find_scans([tmp_path / name])
