# SPDX-License-Identifier: MIT
"""Python, its packages, and the settings that are in force."""

import importlib.metadata
import platform
import re
import sys
from difflib import get_close_matches

from .here import OK, WARN, Here, Result

PACKAGES = ("numpy", "mpi4py", "cloudpickle")
KNOWN = re.compile(
    r"^(PAR_|OMPI_MCA_(?!orte_|ess|pmix$|initial_wdir|shmem_)|OMP_NUM|UCX_)"
)
# What README.md lists; another name may be another program's.
OURS = (
    "PAR_ALONE",
    "PAR_BCAST_IMPORTS",
    "PAR_BIND",
    "PAR_BIND_MEMORY",
    "PAR_DEADLOCK",
    "PAR_HANG_SECONDS",
    "PAR_INLINE",
    "PAR_LEFTOVERS",
    "PAR_LOG",
    "PAR_REPORT",
    "PAR_THREADS_PER_RANK",
    "PAR_WAIT",
)
LIKENESS = 0.9  # of two names, from which on one is the other, misspelt


def python(here: Here) -> Result:
    """Which Python runs; it must be the same on all ranks."""
    fact = f"{platform.python_implementation()} {platform.python_version()}"
    return Result("Python", OK, f"{fact}, {sys.executable}")


def packages(here: Here) -> Result:
    """Packages that ranks exchange objects of, or are started with."""
    words = []
    for name in PACKAGES:
        try:
            words.append(f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            words.append(f"no {name}")
    return Result("packages", OK, ", ".join(words))


def settings(here: Here) -> Result:
    """Names of variables that change what MPI and pypar do; not their values."""
    mpirun_sets = {"PAR_STARTED_BY", "OMPI_MCA_mpi_oversubscribe"}
    names = sorted(
        name for name in here.environ if KNOWN.match(name) and name not in mpirun_sets
    )
    fact = ", ".join(names) or "none"
    meant = {name: meant for name in names if (meant := _meant(name))}
    if meant:
        cures = (
            f"{name} changes nothing: {right} would" for name, right in meant.items()
        )
        return Result("settings", WARN, fact, "; ".join(cures))
    return Result("settings", OK, fact)


def _meant(name: str) -> str:
    """The setting of par that a NAME which is none was meant for; "" where it is right, or
    somebody else's."""
    close = [] if name in OURS else get_close_matches(name, OURS, 1, LIKENESS)
    return close[0] if close else ""


def differing(name: str, facts: list[str]) -> Result | None:
    """What it means that ranks have several facts of a name; None: nothing."""
    if len(set(facts)) < 2 or name not in ("Python", "packages"):
        return None
    versions = {fact.split(",")[0] if name == "Python" else fact for fact in facts}
    if len(versions) < 2:
        return None
    cure = "ranks exchange pickles: give all hosts the same"
    return Result(f"{name} of all ranks", WARN, f"{len(versions)} versions", cure)
