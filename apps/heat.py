# SPDX-License-Identifier: MIT
"""Heat spreads over a plate: the heat equation in two dimensions, on a grid of ranks.

Run it as: mpirun -np 4 python apps/heat.py --steps 1000
"""

import zlib

import numpy as np
import pypar as pp
from args import Parser, number

LARGEST = 10**6
RATE = 0.2  # of the difference to its neighbours that a point takes on in a step


def read_arguments():
    parser = Parser(description=__doc__.splitlines()[0])
    for name, default, what in (
        ("--rows", 200, "rows of points"),
        ("--columns", 200, "columns of points"),
        ("--steps", 500, "steps in time"),
    ):
        parser.add_argument(
            name,
            type=number(1, LARGEST),
            default=default,
            help=f"{what}; {default} unless given",
        )
    arguments = parser.parse_args()
    grid = pp.world.grid(2)
    points = arguments.rows, arguments.columns
    if points[0] < grid.dims[0] or points[1] < grid.dims[1]:
        ranks = "{} x {} ranks".format(*grid.dims)
        parser.error(f"{ranks} want a point each, got {points[0]} x {points[1]}")
    return arguments, grid


def plate(grid, rows, columns):
    """This rank's part of a cold plate whose upper edge is hot, and its place in the
    whole plate. Around the part lie its halos."""
    place = slice(*grid.part(rows, 0)), slice(*grid.part(columns, 1))
    part = np.zeros([axis.stop - axis.start + 2 for axis in place])
    if grid.coords[0] == 0:
        part[0] = 100
    return part, place


def step(part):
    """What the interior of part is a step later."""
    inner = part[1:-1, 1:-1]
    around = part[:-2, 1:-1] + part[2:, 1:-1] + part[1:-1, :-2] + part[1:-1, 2:]
    return inner + RATE * (around - 4 * inner)


def run(grid, rows, columns, steps):
    """The whole plate after so many steps on rank 0, None elsewhere."""
    part, place = plate(grid, rows, columns)
    for _ in range(steps):
        grid.exchange(part)
        part[1:-1, 1:-1] = step(part)
    parts = grid.comm.gather((place, part[1:-1, 1:-1]))
    if parts is None:
        return None
    whole = np.empty((rows, columns))
    for place, part in parts:
        whole[place] = part
    return whole


def main():
    arguments, grid = read_arguments()
    rows, columns, steps = arguments.rows, arguments.columns, arguments.steps
    grid.comm.barrier()
    start = pp.time()
    whole = run(grid, rows, columns, steps)
    if whole is not None:
        print(
            f"{rows} x {columns} points, {steps} steps: mean {whole.mean():.6f}, "
            f"checksum {zlib.crc32(whole):08x}"
        )
        shape = " x ".join(map(str, grid.dims))
        print(f"{shape} ranks, time {pp.time() - start:.3f} s")
    pp.finalize()


if __name__ == "__main__":
    main()
