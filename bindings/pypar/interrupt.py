# SPDX-License-Identifier: MIT
"""Tasks that have begun, and that nobody wants any more."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from . import _core


@contextmanager
def interruptible() -> Iterator[None]:
    """In this with block tasks of the main thread can be interrupted in the midst of a
    system call. Nothing else happens in another thread."""
    number = _core._task_signal()
    before = signal.getsignal(number)
    if threading.current_thread() is not threading.main_thread() or before is None:
        yield
        return

    def handle(number: int, frame: FrameType | None) -> None:
        _core._check_task()
        if callable(before):  # it may have been for the program
            before(number, frame)

    signal.signal(number, handle)
    try:
        yield
    finally:
        signal.signal(number, before)
