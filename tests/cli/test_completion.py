"""What a shell gets when it asks for completions, as its script asks: by the environment."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from synth_affect.cli import main

VARIABLE = "_SYNTH_AFFECT_COMPLETE"


def completions(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *words: str) -> list[str]:
    monkeypatch.setenv(VARIABLE, "complete_bash")
    monkeypatch.setenv("COMP_WORDS", " ".join(["synth-affect", *words]))
    monkeypatch.setenv("COMP_CWORD", str(len(words)))
    assert main([]) == 0
    return capsys.readouterr().out.split()


def test_commands_options_and_choices_complete(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert completions(monkeypatch, capsys, "ex") == ["export"]
    assert "--input-expression" in completions(monkeypatch, capsys, "path", "--inp")
    assert completions(monkeypatch, capsys, "--input-expression", "k") == ["keep"]


def test_units_complete_but_for_those_that_cannot_be_shown(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert completions(monkeypatch, capsys, "--au", "AU4") == [
        *(
            "AU4=",
            "AU4L=",
            "AU4R=",
            "AU41=",
            "AU42=",
            "AU43=",
            "AU43L=",
            "AU43R=",
            "AU44=",
            "AU45=",
            "AU46L=",
            "AU46R=",
        ),
    ]
    assert completions(monkeypatch, capsys, "--au", "AU6") == ["AU6=", "AU6L=", "AU6R="]
    assert completions(monkeypatch, capsys, "--au", "eyeL") == []


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_for_a_shell_is_printed(
    shell: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(VARIABLE, f"source_{shell}")
    assert main([]) == 0
    script = capsys.readouterr().out
    assert f"complete_{shell}" in script
    assert "synth-affect" in script


def test_completions_come_out_of_a_process_that_ends() -> None:
    words = {VARIABLE: "complete_bash", "COMP_WORDS": "synth-affect doc", "COMP_CWORD": "1"}
    done = subprocess.run(
        [sys.executable, "-m", "synth_affect"], env=os.environ | words, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "doctor\n", "")
