# SPDX-License-Identifier: MIT
"""Log lines that say which rank they are of, and a log file for each rank.

    import logging
    import pypar.logging

    pypar.logging.start()  # to stderr, or start("logs/{rank}.log")
    logging.info("hello")  # [rank 3 of 16 · host] INFO root: hello

The environment variable PAR_LOG, such as logs/{rank}.log, starts it when pypar is
imported.
"""

import logging
import os
import sys
from typing import Any, TextIO

from . import _core
from .output import label

FORMAT = "%(label)s%(levelname)s %(name)s: %(message)s"
FILE_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


def start(path: str | os.PathLike[str] | None = None, level: int = logging.INFO) -> None:
    """Have every logger of this rank write lines of level and above to stderr, or to
    the file path: see FileHandler."""
    root = logging.getLogger()
    root.addHandler(StreamHandler() if path is None else FileHandler(path))
    root.setLevel(level)


class Formatter(logging.Formatter):
    """Formats may have label, rank, size and host in them, such as %(rank)d. Without a
    format a line is "[rank 3 of 16 · host] INFO name: text"."""

    def __init__(self, fmt: str = FORMAT, **options: Any) -> None:
        super().__init__(fmt, **options)

    def format(self, record: logging.LogRecord) -> str:
        record.label = label()
        for name, value in _names().items():
            setattr(record, name, value)
        return super().format(record)


class StreamHandler(logging.StreamHandler[TextIO]):
    """Writes lines to stream, which is stderr unless given, with the rank and host."""

    def __init__(self, stream: TextIO | None = None) -> None:
        super().__init__(stream)
        self.setFormatter(Formatter())


class FileHandler(logging.FileHandler):
    """Writes lines to the file path, in which {rank}, {size} and {host} stand for this
    rank's; folders that are not there are made. What cannot be written there, as where
    the disk is full, goes to stderr, after a word about it.

    ValueError: all ranks would write to the same file.
    """

    def __init__(self, path: str | os.PathLike[str], mode: str = "w") -> None:
        name = os.fspath(path)
        if _core.world.size > 1 and "{rank}" not in name:
            raise ValueError(
                f"all {_core.world.size} ranks would write to the log file {name!r}: put "
                "{rank} into its name"
            )
        name = name.format(**_names())
        os.makedirs(os.path.dirname(os.path.abspath(name)), exist_ok=True)
        super().__init__(name, mode)
        self.setFormatter(Formatter(FILE_FORMAT))
        self._instead: StreamHandler | None = None

    def handleError(self, record: logging.LogRecord) -> None:
        error = sys.exc_info()[1]
        if not isinstance(error, OSError):
            super().handleError(record)
            return
        if not self._instead:
            self._instead = StreamHandler()
            told = (
                f"the log file {self.baseFilename} cannot be written ({error.strerror})"
            )
            print(f"{label()}{told}: its lines come here", file=sys.stderr)
        self._instead.handle(record)


def _names() -> dict[str, object]:
    host = _core.get_processor_name()
    return {"rank": _core.world.rank, "size": _core.world.size, "host": host}
