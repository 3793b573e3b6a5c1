# SPDX-License-Identifier: MIT
"""Python, its packages, and the settings that are in force."""

import importlib.metadata
import platform
import re
import sys

from .here import OK, WARN, Here, Result

PACKAGES = ("numpy", "mpi4py", "cloudpickle")
KNOWN = re.compile(
    r"^(PAR_|OMPI_MCA_(?!orte_|ess|pmix$|initial_wdir|shmem_)|OMP_NUM|UCX_)"
)


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
    return Result("settings", OK, ", ".join(names) or "none")


def differing(name: str, facts: list[str]) -> Result | None:
    """What it means that ranks have several facts of a name; None: nothing."""
    if len(set(facts)) < 2 or name not in ("Python", "packages"):
        return None
    versions = {fact.split(",")[0] if name == "Python" else fact for fact in facts}
    if len(versions) < 2:
        return None
    cure = "ranks exchange pickles: give all hosts the same"
    return Result(f"{name} of all ranks", WARN, f"{len(versions)} versions", cure)
