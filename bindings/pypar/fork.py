# SPDX-License-Identifier: MIT
"""Processes that a rank makes by fork: they are no ranks."""

import io
import os
import sys
import warnings
from collections.abc import Callable
from typing import TextIO

from . import _core
from .output import goes_to_stderr

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
        if warned or not _core.initialized():
            return
        if sys._getframe(1).f_globals.get("__name__") != "subprocess":
            warned = True
            _warn()

    os.register_at_fork(after_in_parent=warn)


def _warn() -> None:
    """Warn whom warn's caller is: what would be written to stderr is written once for all
    ranks of a host. Who shows warnings himself, or collects them, goes on to do so."""
    show = warnings.showwarning
    if goes_to_stderr() and show.__module__ in ("warnings", "_py_warnings"):
        warnings.showwarning = _together(show)
    try:
        warnings.warn(TEXT, RuntimeWarning, stacklevel=3)
    finally:
        warnings.showwarning = show


def _together(show: Callable[..., None]) -> Callable[..., None]:
    """What to show warnings with: this module's by libpar, those that another thread has
    meanwhile as SHOW does."""

    def show_together(
        message: Warning | str,
        category: type[Warning],
        filename: str,
        lineno: int,
        file: TextIO | None = None,
        line: str | None = None,
    ) -> None:
        if str(message) != TEXT:
            show(message, category, filename, lineno, file, line)
            return
        text = io.StringIO()
        show(message, category, filename, lineno, text, line)
        if text.getvalue():
            _core._say(text.getvalue())

    return show_together
