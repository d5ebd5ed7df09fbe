"""What every command says of itself."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

import synth_affect
from tests.cli.commands import run


@pytest.mark.skipif(os.name != "posix", reason="a shell and its devices")
@pytest.mark.parametrize("words", ["--version", "--help"])
@pytest.mark.parametrize(
    ("stdout", "code", "stderr"),
    [
        ("| (exec 0<&-; sleep 0.1)", 0, ""),
        (">&-", 0, ""),
        ("> /dev/full", 1, "synth-affect: stdout: cannot be written (No space left on device)\n"),
    ],
)
def test_a_stdout_that_does_not_take_it_is_no_traceback(words: str, stdout: str, code: int, stderr: str) -> None:
    if "/dev/full" in stdout and not Path("/dev/full").exists():
        pytest.skip("no such device here")
    program = "import sys, time; from synth_affect.cli import main; time.sleep(0.2); sys.exit(main(sys.argv[1:]))"
    line = f"{shlex.join([sys.executable, '-c', program, words])} {stdout}; exit ${{PIPESTATUS[0]}}"
    ran = subprocess.run(["bash", "-c", line], capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stderr) == (code, stderr)


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--version") == 0
    assert capsys.readouterr().out == f"synth-affect {synth_affect.__version__}\n"


@pytest.mark.parametrize("command", [(), ("grid",), ("demo",), ("doctor",)])
def test_help(command: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(*command, "--help") == 0
    out, err = capsys.readouterr()
    assert "Usage: synth-affect" in out
    assert err == ""
