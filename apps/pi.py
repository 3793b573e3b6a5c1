# SPDX-License-Identifier: MIT
"""Pi as the area under 4 / (1 + x * x) from 0 to 1, by the midpoints of intervals.

Run it as: mpirun -np 4 python apps/pi.py --intervals 1000000
"""

import math

import pypar as pp
from args import Parser, number
from pypar import SUM, world


def read_arguments():
    parser = Parser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--intervals",
        type=number(1, 10**9),
        default=1_000_000,
        help="into how many the ranks cut the range, 1000000 unless given",
    )
    return parser.parse_args()


def area(intervals):
    """This rank's part of the area. It is rounded once, by fsum: with more or fewer
    ranks the whole differs by a few roundings and not by a million."""
    mine = range(world.rank, intervals, world.size)
    midpoints = ((i + 0.5) / intervals for i in mine)
    return math.fsum(4 / (1 + x * x) for x in midpoints) / intervals


def main():
    intervals = read_arguments().intervals
    world.barrier()
    start = pp.time()
    pi = world.reduce(area(intervals), SUM, root=0)
    seconds = pp.time() - start
    if world.rank == 0:
        print(
            f"pi {pi:.15f}, error {abs(pi - math.pi):.1e}, {intervals} intervals "
            f"on {world.size} ranks, {seconds:.3f} s"
        )
    pp.finalize()


if __name__ == "__main__":
    main()
