from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from synth_affect.errors import (
    FitError,
    InputError,
    MissingDependencyError,
    NoFaceError,
    ShapeError,
    SynthAffectError,
)


def test_an_input_error_says_where_and_why() -> None:
    error = InputError(Path("scan_012.obj"), "line 88 needs 3 coordinates, has 2")
    assert str(error) == "scan_012.obj: line 88 needs 3 coordinates, has 2"
    assert (error.path, error.reason) == ("scan_012.obj", "line 88 needs 3 coordinates, has 2")


def test_no_face_is_an_input_error_of_the_picture() -> None:
    error = NoFaceError("cat.jpg")
    assert isinstance(error, InputError)
    assert str(error) == "cat.jpg: no face found"


@pytest.mark.parametrize(
    "error",
    [
        InputError("a.png", "is empty"),
        NoFaceError("b.png"),
        NoFaceError("c", "index 3 of 2"),
        ShapeError("points", ("n", 3), (7, 2)),
        MissingDependencyError("gradio", "web", "no such module"),
    ],
)
def test_facts_survive_the_pickle_of_a_worker(error: SynthAffectError) -> None:
    returned = pickle.loads(pickle.dumps(error))
    assert type(returned) is type(error)
    assert (str(returned), vars(returned)) == (str(error), vars(error))


def test_a_shape_error_names_dimensions() -> None:
    error = ShapeError("points", ("n_points", 3), (7, 2))
    assert str(error) == "points: expected (n_points, 3), got (7, 2)"
    assert (error.name, error.expected, error.actual) == ("points", ("n_points", 3), (7, 2))
    assert str(ShapeError("region", "one of a, b", "c")) == "region: expected one of a, b, got c"
    assert isinstance(error, ValueError)


def test_a_missing_dependency_says_what_to_type_and_is_an_import_error() -> None:
    error = MissingDependencyError("gradio", "web", "No module named 'gradio'")
    assert isinstance(error, ImportError)
    assert 'pip install "synth-affect[web]"' in str(error)
    assert "No module named 'gradio'" in str(error)
    assert (error.package, error.extra) == ("gradio", "web")


@pytest.mark.parametrize("kind", [InputError, NoFaceError, ShapeError, FitError, MissingDependencyError])
def test_all_have_one_root(kind: type[Exception]) -> None:
    assert issubclass(kind, SynthAffectError)
