# SPDX-License-Identifier: MIT
"""The end of the job, by the program's own wish."""

from collections.abc import Callable

from . import _core

before: list[Callable[[], None]] = []  # what modules want done while there are messages


def finalize() -> None:
    for function in before:
        function()
    _core.finalize()


finalize.__doc__ = _core.finalize.__doc__
