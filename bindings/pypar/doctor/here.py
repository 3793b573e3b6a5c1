# SPDX-License-Identifier: MIT
"""What a check may look at: this machine and this process, or what a test makes of them."""

import os
import resource
import socket
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

from ..brief import Output, run

OK, WARN, FAIL = "ok", "warn", "fail"


class Result(NamedTuple):
    """What a check has found: its name, one of ok, warn and fail, the fact, the cure."""

    name: str
    status: str
    fact: str
    cure: str = ""


def free_bytes(path: Path) -> tuple[int, int]:
    """The free and all bytes of the file system of path."""
    stat = os.statvfs(path)
    return stat.f_bavail * stat.f_frsize, stat.f_blocks * stat.f_frsize


class Here(NamedTuple):
    """The world as a check sees it; a test gives it another one, folder by folder."""

    root: Path = Path("/")
    environ: Mapping[str, str] = os.environ
    cpus: int = len(os.sched_getaffinity(0))
    run: Callable[..., Output] = run
    free: Callable[[Path], tuple[int, int]] = free_bytes
    limit: Callable[[int], tuple[int, int]] = resource.getrlimit
    host: str = socket.gethostname()
    resolve: Callable[[str], str] = socket.gethostbyname

    def text(self, path: str) -> str:
        """What stands in a file below the root; "" where there is none."""
        try:
            return (self.root / path).read_text(errors="replace").strip()
        except OSError:
            return ""

    def names(self, path: str) -> list[str]:
        """What is in a folder below the root, sorted; nothing where there is none."""
        try:
            return sorted(entry.name for entry in (self.root / path).iterdir())
        except OSError:
            return []

    def number(self, name: str) -> int | None:
        """The number in an environment variable."""
        value = self.environ.get(name, "")
        return int(value) if value.isdecimal() else None
