# SPDX-License-Identifier: MIT
"""The mpirun that belongs to the MPI library that libpar is linked to.

A machine may have several; with another one's mpirun each rank would be alone.
"""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from .which_mpi import ask_mpirun, library, what_mpi


class LaunchError(Exception):
    """Why a job cannot start, in words for its user."""


class Launcher(NamedTuple):
    path: str
    version: tuple[int, ...]  # of Open MPI


def find() -> Launcher:
    """The mpirun to start ranks of this pypar with; LaunchError where there is none."""
    file, words = library()
    ours = what_mpi(words)
    if not ours or ours.name != "Open MPI":
        raise LaunchError(f"only Open MPI's mpirun is known here, and {file} is {words}")
    others = []
    for mpirun in _candidates(file):
        theirs = what_mpi(ask_mpirun(mpirun).text)
        if theirs == ours:
            numbers = re.findall(r"\d+", ours.version)
            return Launcher(mpirun, tuple(map(int, numbers)))
        others.append(f"{mpirun} is {' '.join(theirs) if theirs else 'of no MPI'}")
    raise LaunchError(
        f"there is no mpirun of Open MPI {ours.version}, which pypar uses as {file}: "
        f"{'; '.join(others) or 'none is beside it or on PATH'}"
    )


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
