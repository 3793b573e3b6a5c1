# SPDX-License-Identifier: MIT
"""Where the ranks run, chosen anew by the program."""

from typing import SupportsIndex

from ._core import _place
from .threads import follow_place


def place(bind: str | None = None, threads: SupportsIndex | None = None) -> None:
    """Choose anew where the ranks of the job run. Collective, over all of them.

    bind is what PAR_BIND may be: "auto", "none", "core", "hwthread", "l3", "numa",
    "package", "compact", "scatter", or CPUs for each rank of a node, as in "0-3:4-7"; None
    stands for what par does by itself. threads is how many each rank is to have; None, or
    0, for as many as its place has cores. Both are the same on all ranks, and where
    PAR_BIND or PAR_THREADS_PER_RANK is set, that holds. docs/placement.md has them all.

    Each rank goes where it would have been put at the start, had that been asked then,
    and so do its threads, but for those that somebody has placed apart. cpus() tells what
    it has now, and libraries start as many threads (OMP_NUM_THREADS and the like), or
    resize their pools, except those for which the user has chosen a number.

    ValueError for what makes no sense or doesn't fit a node, Error for ranks that differ:
    on all ranks, and none has moved."""
    _place(bind, threads)
    follow_place()
