from pathlib import Path

import pytest

from synth_affect.errors import InputError
from synth_affect.pipelines.judges.open_judges import (
    AFFECT_JUDGES,
    IDENTITY_JUDGES,
    check_judges,
    open_affect_judge,
    open_identity_judge,
)


@pytest.mark.parametrize("spec", ["emonet", "emonet=", "other=file", "=file", ""])
def test_a_specification_that_is_none_names_the_kinds(spec: str) -> None:
    with pytest.raises(InputError, match=", ".join(AFFECT_JUDGES)):
        open_affect_judge(spec)
    with pytest.raises(InputError, match=", ".join(IDENTITY_JUDGES)):
        open_identity_judge(spec)


def test_files_are_looked_for_before_any_work(tmp_path: Path) -> None:
    there = tmp_path / "there"
    there.touch()
    check_judges([f"{kind}={there}" for kind in AFFECT_JUDGES], [f"{kind}={there}" for kind in IDENTITY_JUDGES])
    for affect, identity in ([f"emonet={tmp_path / 'a'}"], []), ([], [f"arcface={tmp_path / 'a'}"]), (["a.json"], []):
        with pytest.raises(InputError, match="no such file"):
            check_judges(affect, identity)
