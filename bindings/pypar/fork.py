# SPDX-License-Identifier: MIT
"""Processes that a rank makes by fork: they are no ranks."""

import os
import sys
import warnings

from ._core import initialized

TEXT = (
    "this rank has made a process by fork: it is no rank and cannot use pypar, and on "
    "networks such as InfiniBand it may harm the rank's memory. Start it with "
    'multiprocessing.get_context("spawn") or "forkserver", or with subprocess'
)


def warn_of_fork() -> None:
    """Warn of the first fork from now on. What subprocess starts is none of those: it
    runs another program at once."""
    warned = False

    def warn() -> None:
        nonlocal warned
        if warned or not initialized():
            return
        if sys._getframe(1).f_globals.get("__name__") != "subprocess":
            warned = True
            warnings.warn(TEXT, RuntimeWarning, stacklevel=2)

    os.register_at_fork(after_in_parent=warn)
