from __future__ import annotations

import os
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from synth_affect.errors import InputError
from synth_affect.heads.flame import load_flame
from synth_affect.heads.restricted_pickle import Stored, as_array, read_pickle


class Runs:
    """Pickles as a call."""

    def __init__(self, function: Any, *arguments: Any) -> None:
        self.call = (function, arguments)

    def __reduce__(self) -> Any:
        return self.call


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_arrays_numbers_texts_and_containers_come_back(protocol: int, tmp_path: Path) -> None:
    content = {"a": np.arange(6.0).reshape(2, 3), "b": [1, 2.5, "x", None], "c": np.float32(3), "d": np.zeros(0, "u4")}
    path = tmp_path / "content.pkl"
    path.write_bytes(pickle.dumps(content, protocol=protocol))
    read = read_pickle(path)
    np.testing.assert_array_equal(as_array(read["a"]), content["a"])
    assert read["b"] == content["b"]
    assert read["c"] == 3
    assert as_array(read["d"]).shape == (0,)


@pytest.mark.parametrize(
    "payload",
    [
        Runs(os.system, "touch {mark}"),
        Runs(eval, "open('{mark}', 'w')"),
        Runs(exec, "open('{mark}', 'w')"),
        Runs(getattr, np, "load"),
        Runs(np.fromfile, "{mark}"),
        Runs(np.load, "{mark}"),
        Runs(Path, "{mark}"),
    ],
)
@pytest.mark.parametrize("protocol", [0, 2, 4])
def test_nothing_is_run(payload: Runs, protocol: int, tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    function, arguments = payload.call
    told = Runs(function, *(a.format(mark=mark) if isinstance(a, str) else 0 for a in arguments))
    path = tmp_path / "flame2023.pkl"
    path.write_bytes(pickle.dumps({"v_template": np.zeros((3, 3)), "f": told}, protocol=protocol))
    with pytest.raises(pickle.UnpicklingError, match="refused"):
        read_pickle(path)
    with pytest.raises(InputError, match="refused"):
        load_flame(path)
    assert not mark.exists()


def test_a_known_package_does_not_open_another(tmp_path: Path) -> None:
    """Names that begin alike, and dotted ones, which pickle would follow into modules."""
    path = tmp_path / "content.pkl"
    for module, name in (("chumpyevil", "Ch"), ("numpy", "load"), ("numpy.core.multiarray", "fromfile")):
        path.write_bytes(f"c{module}\n{name}\n.".encode())
        with pytest.raises(pickle.UnpicklingError, match="refused"):
            read_pickle(path)
    path.write_bytes(b"ccopy_reg\n_reconstructor\n(cnumpy\nndarray\nc__builtin__\nobject\nNtR.")
    with pytest.raises(pickle.UnpicklingError, match="refused"):
        read_pickle(path)


def test_an_object_of_chumpy_is_its_state_alone(tmp_path: Path) -> None:
    path = tmp_path / "content.pkl"
    state = pickle.dumps({"x": np.eye(2), "other": 1}, protocol=2)[2:-1]
    path.write_bytes(b"\x80\x02cchumpy.ch\nCh\n)\x81" + state + b"b.")
    read = read_pickle(path)
    assert type(read) is Stored
    np.testing.assert_array_equal(as_array(read), np.eye(2))
    with pytest.raises(TypeError, match="numbers"):
        as_array(Stored())
    with pytest.raises(TypeError, match="numbers"):
        as_array(np.array(["a"]))
