# SPDX-License-Identifier: MIT
"""Threads follow the rank's place: a library that starts threads starts as many as the
rank has CPUs for, not one for each of the machine."""

import importlib
import os
import sys

from ._core import cpus

# What the libraries that programs use most read when they are loaded.
VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "BLIS_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NUMBA_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
)

# What we have set them to, for processes that this one starts: a job that is started by a
# script which has imported pypar must not take the script's number for the user's.
OURS = "PAR_THREADS_SET"

# By threadpoolctl's names, the variable of a library that may be loaded already; each of
# them looks at OMP_NUM_THREADS, too.
POOLS = {
    "openblas": "OPENBLAS_NUM_THREADS",
    "mkl": "MKL_NUM_THREADS",
    "blis": "BLIS_NUM_THREADS",
    "openmp": "OMP_NUM_THREADS",
}


def follow_place() -> None:
    """Have libraries start as many threads as this rank has CPUs for, except those for
    which the user has chosen a number. Who has chosen OMP_NUM_THREADS alone means all."""
    ours = os.environ.get(OURS)
    users = {name for name in VARIABLES if os.environ.get(name, ours) != ours}
    chosen = _chosen(users)
    number = chosen or cpus()
    for name in VARIABLES:
        if name not in users:
            os.environ[name] = str(number)
    if not chosen:
        os.environ[OURS] = str(number)
    _resize_pools(users, number)


def _chosen(users: set[str]) -> int:
    """What the user wants of OpenMP, on its first level; 0 without a wish."""
    wish = os.environ["OMP_NUM_THREADS"] if "OMP_NUM_THREADS" in users else ""
    first = wish.split(",")[0].strip()
    return int(first) if first.isdecimal() else 0


def _resize_pools(users: set[str], number: int) -> None:
    """Those that are up already have read their variables; threadpoolctl can reach them."""
    if "numpy" not in sys.modules:  # nothing is up that it knows: don't load it in vain
        return
    try:
        threadpoolctl = importlib.import_module("threadpoolctl")  # it has no types
    except ImportError:
        return
    free = [
        pool
        for pool, variable in POOLS.items()
        if variable not in users and "OMP_NUM_THREADS" not in users
    ]
    controller = threadpoolctl.ThreadpoolController()
    controller.select(internal_api=free).limit(limits=number)
