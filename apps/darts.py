# SPDX-License-Identifier: MIT
"""Pi by chance: how many of the darts thrown at a square hit the circle in it.

Run it as: mpirun -np 4 python apps/darts.py --darts 10000000

Each task has a seed of its own, so any number of ranks throws the same darts.
"""

import math

import numpy as np
import pypar as pp
from args import Parser, number

DARTS = 100_000  # of a task


def hits(task):
    seed, darts = task
    x, y = np.random.default_rng(seed).random((2, darts))
    return darts, int(np.count_nonzero(x * x + y * y <= 1))


def read_arguments():
    parser = Parser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--darts",
        type=number(1, 10**11),
        default=5_000_000,
        help="how many are thrown, 5000000 unless given",
    )
    parser.add_argument(
        "--seed", type=number(0, 10**9), default=1, help="of the darts, 1 unless given"
    )
    return parser.parse_args()


def main():
    arguments = read_arguments()
    whole, rest = divmod(arguments.darts, DARTS)
    sizes = [DARTS] * whole + [rest] * (rest > 0)
    tasks = (((arguments.seed, at), darts) for at, darts in enumerate(sizes))
    thrown = inside = 0
    line = 1
    with pp.Pool() as pool:
        for task, (darts, hit) in enumerate(pool.imap(hits, tasks, chunksize=4), 1):
            thrown, inside = thrown + darts, inside + hit
            if task == line or task == len(sizes):
                line *= 2
                pi = 4 * inside / thrown
                likely = 4 * math.sqrt(math.pi / 4 * (1 - math.pi / 4) / thrown)
                print(
                    f"{thrown:12} darts: pi {pi:.6f}, off by {abs(pi - math.pi):.6f}, "
                    f"as likely as not by {0.6745 * likely:.6f}"
                )


if __name__ == "__main__":
    main()
