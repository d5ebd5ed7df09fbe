"""The native chatter filter: drops chatter, passes on the rest, restores the descriptor."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap

import pytest

from synth_affect.fitting.native_log import native_log_silenced

CHATTER = (
    b"WARNING: Logging before InitGoogle() is written to STDERR\n"
    b"W0000 00:00:1795236196.173626    5305 face_landmarker_graph.cc:181] Sets acceleration to xnnpack by default.\n"
    b"I0000 00:00:1795236196.173626    5305 gl_context.cc:1] GL version\n"
    b"INFO: Created TensorFlow Lite XNNPACK delegate for CPU.\n"
    b"libpng error: Not enough image data\n"
    b"tempfile.tif: Using code not yet in table.\n"
    b"LZWDecode: Not enough data at scanline 3 (short 96 bytes).\n"
    b"[ WARN:0@0.684] global grfmt_png.cpp:793 readFromStreamOrBuffer PNG input buffer is incomplete\n"
)
ERROR = b"E0000 00:00:1795236822.473796    7914 image_to_tensor_utils.cc:67] INTERNAL: RET_CHECK failure\n"


def test_chatter_goes_and_errors_stay(capfd: pytest.CaptureFixture[str]) -> None:
    with native_log_silenced():
        os.write(2, CHATTER + ERROR)
        os.write(2, b"from another thread\n" + CHATTER)
    os.write(2, b"after\n")
    assert capfd.readouterr().err.splitlines() == [ERROR.decode().rstrip(), "from another thread", "after"]


def test_the_descriptor_is_restored_when_the_block_fails(capfd: pytest.CaptureFixture[str]) -> None:
    n_open = len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0
    with pytest.raises(KeyError), native_log_silenced(), native_log_silenced():
        raise KeyError
    os.write(2, CHATTER)
    assert capfd.readouterr().err.encode() == CHATTER
    assert n_open == (len(os.listdir("/proc/self/fd")) if n_open else 0)


@pytest.mark.parametrize("prepare", ["os.close(2)", "sys.stderr = None", "sys.stderr = io.StringIO()"])
def test_it_works_without_a_stderr_or_with_one_that_has_no_descriptor(prepare: str) -> None:
    code = f"""
        import io, os, sys
        {prepare}
        from synth_affect.fitting.native_log import native_log_silenced
        with native_log_silenced():
            print("inside")
        print("after")
    """
    ran = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "inside\nafter\n", "")
