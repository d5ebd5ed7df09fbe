"""Runs of `synth-affect augment` that are stopped on the way, and what they leave."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

WAYS = ("group", "parent", "interrupt")
"""Kill the process group; kill the parent alone, whose workers must leave by themselves; ask it to stop."""


def files_of(folder: Path) -> dict[str, str]:
    """Digest of every file below, links and folders named; of a journal the lines in any order."""
    digests = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if not path.is_file() or path.is_symlink():
            digests[name] = "folder" if path.is_dir() else "other"
            continue
        content = path.read_bytes()
        if path.name == "journal.jsonl":
            content = b"".join(sorted(content.splitlines(keepends=True)))
        digests[name] = hashlib.sha256(content).hexdigest()
    return digests


def journal_lines(out: Path) -> int:
    """Faces that are done."""
    path = out / "journal.jsonl"
    return path.read_bytes().count(b"\n") if path.exists() else 0


def group_members(group: int) -> list[int]:
    """Processes of a process group that are no zombies."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[2]) == group and fields[0] != "Z":
            found.append(int(stat.parent.name))
    return found


@dataclass(frozen=True, slots=True)
class Moment:
    """faces : wait until so many are done.  seconds : and then so long."""

    faces: int
    seconds: float


def stop_at(command: list[str], out: Path, moment: Moment, way: str) -> str:
    """Start a run, and stop it then: how it ended; "done" when it was faster."""
    with subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True
    ) as process:
        while process.poll() is None and journal_lines(out) < moment.faces:
            time.sleep(0.01)
        try:
            process.wait(moment.seconds)
        except subprocess.TimeoutExpired:
            pass
        else:
            assert process.returncode == 0, process.stderr and process.stderr.read().decode()
            return "done"
        if way == "group":
            os.killpg(process.pid, signal.SIGKILL)
        elif way == "parent":
            process.kill()
        else:
            os.killpg(process.pid, signal.SIGINT)
        process.wait(60)
        deadline = time.monotonic() + 30
        while group_members(process.pid):
            assert time.monotonic() < deadline, "workers outlive the run"
            time.sleep(0.02)
        if way == "interrupt":
            said = process.stderr.read().decode() if process.stderr else ""
            assert process.returncode in (0, 130, -signal.SIGINT), (process.returncode, said)
            assert "Traceback" not in said or process.returncode == -signal.SIGINT, said
        return way
