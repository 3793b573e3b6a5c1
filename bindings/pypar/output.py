# SPDX-License-Identifier: MIT
"""What ranks print: in whole lines, each line at once, and not everybody everything."""

import importlib
import sys
from collections.abc import Iterable
from typing import Any, TextIO, TypeVar

from . import _core

T = TypeVar("T")

LINE_SECONDS = 10.0  # between two lines of a progress bar that is no bar


def print_whole_lines() -> None:
    """From now on each line goes out when it ends, in one write.

    mpirun mixes what the ranks write as it comes. Into its pipes Python would write
    blocks, hours late, or with PYTHONUNBUFFERED a line and its end apart.
    """
    for stream in (sys.__stdout__, sys.__stderr__):
        # Who replaces them may do without: then nothing is to be done.
        if reconfigure := getattr(stream, "reconfigure", None):
            reconfigure(line_buffering=True, write_through=False)


def goes_to_stderr() -> bool:
    """Whether sys.stderr is the process's own: else the program has put a stream of its
    own in its place."""
    return sys.stderr is sys.__stderr__ or sys.stderr is None


def label() -> str:
    """What a line of this rank begins with; nothing in a job of one rank."""
    if _core.world.size == 1:
        return ""
    host = _core.get_processor_name()
    return f"[rank {_core.world.rank} of {_core.world.size} · {host}] "


def print0(
    *values: object,
    sep: str | None = " ",
    end: str | None = "\n",
    file: Any = None,
    flush: bool = False,
) -> None:
    """print(), on rank 0 alone."""
    if _core.rank() == 0:
        print(*values, sep=sep, end=end, file=file, flush=flush)


def progress(iterable: Iterable[T], **options: Any) -> Iterable[T]:
    """The items of iterable, with a progress bar on rank 0; options are those of tqdm.

    Where stderr is no terminal, as under mpirun, the bar is a line every 10 seconds
    (mininterval). Without the package tqdm there is no bar.
    """
    stream = options.pop("file", sys.stderr)
    if _core.rank() != 0 or stream is None:
        return iterable
    try:
        tqdm = importlib.import_module("tqdm").tqdm
    except ImportError:
        return iterable
    if not stream.isatty():
        seconds = options.setdefault("mininterval", LINE_SECONDS)
        options = {"maxinterval": seconds, "ncols": 79, **options}
        stream = _Lines(stream)
    # A thread of tqdm's own would look after bars that stand still.
    bar = type("Bar", (tqdm,), {"monitor_interval": 0})
    items: Iterable[T] = bar(iterable, file=stream, **options)
    return items


class _Lines:
    """A bar draws itself over and over on one line; here each time is a line."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream

    def write(self, text: str) -> None:
        if text := text.strip("\r\n "):
            self.stream.write(text + "\n")

    def flush(self) -> None:
        self.stream.flush()
