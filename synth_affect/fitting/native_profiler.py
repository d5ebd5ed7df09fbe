"""Keeps the sampling profiler inside MediaPipe's library from starting."""

from __future__ import annotations

import signal
import sys
import threading


def keep_profiler_out() -> None:
    """Ignores SIGPROF in this process, unless somebody handles it already. To be called before the library loads.

    The library's profiler arms a timer for each of its threads and has the kernel drop their SIGPROFs, where it finds
    the signal at its default; Python is not told. Whoever then puts back "the handlers of before", as lightning does
    after a training, restores the default, and the next tick ends the process. A signal that is ignored beforehand
    makes the profiler stand back. Only the main thread may set handlers; from another nothing is done.
    """
    if sys.platform == "win32" or threading.current_thread() is not threading.main_thread():
        return
    if signal.getsignal(signal.SIGPROF) is signal.SIG_DFL:
        signal.signal(signal.SIGPROF, signal.SIG_IGN)
