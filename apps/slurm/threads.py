# SPDX-License-Identifier: MIT
"""Each rank sums a part of an integral, and its threads parts of that.

Run it as: sbatch apps/slurm/threads.sbatch
"""

import os
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from pypar import SUM, get_processor_name, world

INTERVALS = 10_000_000

cpus = len(os.sched_getaffinity(0))  # that this rank may use
parts = np.linspace(0, INTERVALS, world.size * cpus + 1).astype(int)
first = world.rank * cpus


def integral(part):
    """Of 4 / (1 + x * x), over a part of 0 to 1; NumPy computes without the GIL."""
    x = (np.arange(parts[part], parts[part + 1]) + 0.5) / INTERVALS
    return float((4 / (1 + x * x)).sum() / INTERVALS)


with ThreadPoolExecutor(cpus) as threads:
    mine = sum(threads.map(integral, range(first, first + cpus)))
pi = world.allreduce(mine, SUM)
print(f"rank {world.rank} on {get_processor_name()}: {cpus} threads, pi is {pi:.10f}")
