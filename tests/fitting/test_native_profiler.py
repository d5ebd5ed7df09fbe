"""The profiler inside MediaPipe's library must not end a process in which something restores signal handlers."""

from __future__ import annotations

import subprocess
import sys

import pytest

HANDLERS_RESTORED = """
import signal
from skimage.data import astronaut
from synth_affect.fitting.mediapipe_detector import MediaPipeDetector

with MediaPipeDetector() as detector:
    assert len(detector.detect(astronaut())) == 1
    for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:  # as lightning does after a training
        if signal.getsignal(number) is not None:
            signal.signal(number, signal.getsignal(number))
    for _ in range(20):  # enough work of the library's threads for a tick of 10 ms
        assert len(detector.detect(astronaut())) == 1
print("alive")
"""

HANDLED_BY_THE_USER = """
import signal
from synth_affect.fitting.mediapipe_detector import MediaPipeDetector

def handler(number, frame): pass

signal.signal(signal.SIGPROF, handler)
MediaPipeDetector().close()
assert signal.getsignal(signal.SIGPROF) is handler
print("alive")
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGPROF")
@pytest.mark.parametrize("program", [HANDLERS_RESTORED, HANDLED_BY_THE_USER])
def test_handlers_may_be_restored(program: str) -> None:
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.strip()) == (0, "alive"), done.stderr
