# SPDX-License-Identifier: MIT
"""The end of the job, by the program's own wish or with the script."""

import atexit
import sys
from collections.abc import Callable

from . import _core

before: list[Callable[[], None]] = []  # what modules want done while there are messages


def finalize(*_: object) -> None:  # a signal's handler is given what it does not need
    for function in before:
        function()
    _core.finalize()


def at_exit(function: Callable[[], None]) -> None:
    """Call function at the end of the script, before those that were given sooner; but not
    after an exception that nobody has caught: the job ends without it then, and soon."""

    def call() -> None:
        if not hasattr(sys, "last_value"):
            function()

    atexit.register(call)


finalize.__doc__ = _core.finalize.__doc__
