# SPDX-License-Identifier: MIT
"""Each rank sums a part of an integral, and its threads parts of that.

Run it as: sbatch apps/slurm/threads.sbatch
"""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
from pypar import MIN, SUM, cpus, get_processor_name, world

INTERVALS = 10_000_000

count = world.allreduce(cpus(), MIN)  # of threads; so many each rank has a use for
parts = np.linspace(0, INTERVALS, world.size * count + 1).astype(int)
first = world.rank * count


def integral(part):
    """Of 4 / (1 + x * x), over a part of 0 to 1; NumPy computes without the GIL."""
    x = (np.arange(parts[part], parts[part + 1]) + 0.5) / INTERVALS
    return float((4 / (1 + x * x)).sum() / INTERVALS)


with ThreadPoolExecutor(count) as threads:
    mine = sum(threads.map(integral, range(first, first + count)))
pi = world.allreduce(mine, SUM)
print(f"rank {world.rank} on {get_processor_name()}: {count} threads, pi is {pi:.10f}")
