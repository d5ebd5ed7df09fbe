"""Keeps the chatter of native libraries off the user's terminal."""

from __future__ import annotations

import contextlib
import os
import re
import sys
import tempfile
import threading
from collections.abc import Iterator

_STDERR = 2

_CHATTER = re.compile(
    rb"WARNING: (?:Logging before InitGoogle|All log messages before absl::InitializeLog)"
    rb"|INFO: "  # TensorFlow Lite: "Created TensorFlow Lite XNNPACK delegate for CPU."
    rb"|[IW]\d{4} \d\d:\d\d:\d"  # absl and glog: severity, date, time; E and F pass
    rb"|libpng (?:warning|error): "
    rb"|tempfile\.tif: |TIFF\w+: |\w+Decode\w*: "  # libtiff in Pillow
    rb"|\[ *(?:INFO|WARN|ERROR):\d+@"  # OpenCV; like those of the two above, its errors come as exceptions too
    rb"|\[[\w,. /#:]+ @ 0x[0-9a-f]+\] "  # FFmpeg in OpenCV, of each damaged frame
)

_one_at_a_time = threading.RLock()  # two threads that swap descriptor 2 would restore each other's


@contextlib.contextmanager
def native_log_silenced() -> Iterator[None]:
    """Drops information and warning lines that native code writes to the C stderr while the block runs.

    Native libraries write to descriptor 2, past `sys.stderr`. It is led into a temporary file, restored in any case,
    and what is not chatter (errors, output of other threads) is passed on afterwards. Where there is no descriptor 2 or
    no room for the file, nothing is redirected.
    """
    with contextlib.ExitStack() as stack:
        stack.enter_context(_one_at_a_time)
        try:
            saved = os.dup(_STDERR)
            stack.callback(os.close, saved)
            captured = stack.enter_context(tempfile.TemporaryFile())
        except OSError:
            yield
            return
        _flush_python()
        os.dup2(captured.fileno(), _STDERR)
        try:
            yield
        finally:
            _flush_python()
            os.dup2(saved, _STDERR)
            captured.seek(0)
            kept = b"".join(line for line in captured if not _CHATTER.match(line))
            with contextlib.suppress(OSError):  # a reader that has gone away is no reason to fail
                while kept:
                    kept = kept[os.write(_STDERR, kept) :]


def _flush_python() -> None:
    if sys.stderr is not None:  # None under pythonw
        with contextlib.suppress(OSError, ValueError):
            sys.stderr.flush()
