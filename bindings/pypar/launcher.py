# SPDX-License-Identifier: MIT
"""The mpirun that belongs to the MPI library that libpar is linked to.

A machine may have several; with another one's mpirun each rank would be alone.
"""

import ctypes
import importlib.util
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple


class LaunchError(Exception):
    """Why a job cannot start, in words for its user."""


class Launcher(NamedTuple):
    path: str
    version: tuple[int, ...]  # of Open MPI


def find() -> Launcher:
    """The mpirun to start ranks of this pypar with; LaunchError where there is none."""
    library, words = _library()
    version = _version(r"Open MPI v(\S+?),", words)
    if not version:
        raise LaunchError(
            f"only Open MPI's mpirun is known here, and {library} is {words}"
        )
    others = []
    for mpirun in _candidates(library):
        has = _version(r"\(Open MPI\) (\S+)", _output(mpirun))
        if has == version:
            return Launcher(mpirun, tuple(int(n) for n in re.findall(r"\d+", version)))
        others.append(f"{mpirun} is {has or 'of another MPI'}")
    raise LaunchError(
        f"there is no mpirun of Open MPI {version}, which pypar uses as {library}: "
        f"{'; '.join(others) or 'none is beside it or on PATH'}"
    )


def _library() -> tuple[Path, str]:
    """The MPI library's file, and what it says it is. Loading it starts nothing."""
    spec = importlib.util.find_spec(f"{__package__}._core")
    assert spec and spec.origin  # it lies beside this file
    mpi = ctypes.CDLL(spec.origin).MPI_Get_library_version
    words, length = ctypes.create_string_buffer(8192), ctypes.c_int()
    mpi(words, ctypes.byref(length))
    where = (ctypes.c_void_p * 4)()  # a Dl_info, which begins with the file's name
    ctypes.CDLL(None).dladdr(mpi, where)
    assert where[0]
    file = ctypes.string_at(where[0]).decode()
    return Path(file), words.value.decode(errors="replace").partition("\n")[0]


def _candidates(library: Path) -> Iterator[str]:
    """Each mpirun that may be the library's, the likeliest first."""
    seen = set()
    # Open MPI takes the folder it is called in for that of its installation on all
    # hosts, and /bin, which is a link, for none.
    above = [*library.parents, *library.resolve().parents]
    folders = [str((folder / "bin").resolve()) for folder in above]
    for name in ("mpirun.openmpi", "mpirun"):
        for folder in (*folders, None):
            path = shutil.which(name, path=folder)
            if path and path not in seen:
                seen.add(path)
                yield path


def _version(pattern: str, text: str) -> str:
    found = re.search(pattern, text)
    return found[1] if found else ""


def _output(mpirun: str) -> str:
    try:
        done = subprocess.run(
            [mpirun, "--version"], capture_output=True, text=True, timeout=60
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""  # then it is not the one
    return done.stdout
