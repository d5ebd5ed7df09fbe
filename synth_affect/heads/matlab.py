"""Variables of a Matlab file, as arrays."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from synth_affect.arrays import FloatArray

V73_MAGIC = b"MATLAB 7.3"


def read_matlab(path: Path, names: Sequence[str]) -> dict[str, FloatArray]:
    """The variables `names` of `path`, (rows, columns) each.

    Raises KeyError where one is missing, ValueError for a file that is damaged, of another kind or of Matlab 7.3;
    OSError.
    """
    import scipy.io
    from scipy.io.matlab import MatReadError

    with path.open("rb") as file:
        if file.read(len(V73_MAGIC)) == V73_MAGIC:
            raise ValueError("saved by Matlab 7.3, which is HDF5; save it with -v7")
    try:
        content = scipy.io.loadmat(str(path), appendmat=False, variable_names=list(names))
    except (MatReadError, IndexError) as error:
        raise ValueError(str(error)) from error
    found = {name: content[name] for name in names}
    for name, array in found.items():
        if getattr(array, "dtype", None) is None or array.dtype.kind not in "fiu":
            raise ValueError(f"{name} is not made of numbers")
    return found


def variables(path: Path) -> set[str]:
    """The names of the variables of `path`; empty where it is no Matlab file or a damaged one."""
    import scipy.io
    from scipy.io.matlab import MatReadError

    try:
        return {name for name, _, _ in scipy.io.whosmat(str(path), appendmat=False)}
    except (OSError, MatReadError, ValueError, TypeError, IndexError, NotImplementedError):
        return set()
