# SPDX-License-Identifier: MIT
"""The Mandelbrot set, its rows shared out among all ranks in one of four ways.

A row through the set costs many times what one past it costs, so equal shares of
rows are no equal shares of work. Run it as:

    mpirun -np 4 python apps/mandelbrot.py --dynamic --out mandelbrot.pgm
"""

import time
from functools import partial
from itertools import chain, repeat

import numpy as np
import pypar as pp
from args import Parser, number
from pypar import any_source, world

LEFT, RIGHT, BOTTOM, TOP = -2.2, 0.8, -1.125, 1.125
ASK, ANSWER = 1, 2  # tags


# ---- the ways of sharing -------------------------------------------------------------
# Three of them say which rows this rank computes.


def blockwise(height):
    return range(*pp.balance(height, world.size, world.rank))


def cyclic(height):
    return range(world.rank, height, world.size)


def dynamic(height):
    """Rank 0 hands out rows and, unless it is alone, computes none."""
    if world.size == 1:
        return range(height)
    if world.rank > 0:
        return iter(ask, None)
    hand_out(height)
    return ()


def ask():
    """The next row for this rank; None when there are no more."""
    world.send(None, dest=0, tag=ASK)
    return world.receive(source=0, tag=ANSWER)


def hand_out(height):
    """The next row to whoever asks; then, once to each rank, None."""
    for row in chain(range(height), repeat(None, world.size - 1)):
        _, status = world.receive(any_source, tag=ASK, return_status=True)
        world.send(row, status.source, tag=ANSWER)


def pool(width, height, iterations):
    """What all ranks have computed; only rank 0 comes back from Pool()."""
    pixels, seconds = [{} for _ in range(world.size)], [0.0] * world.size
    each = partial(compute_one, width, height, iterations)
    with pp.Pool() as workers:
        for rank, (line, busy) in workers.imap_unordered(each, range(height)):
            pixels[rank].update(line)
            seconds[rank] += busy
    return list(zip(pixels, seconds, strict=True))


def compute_one(width, height, iterations, row):
    return world.rank, compute([row], width, height, iterations)


# ---- the picture -------------------------------------------------------------------


def steps(row, width, height, iterations):
    """For each point of a row, how many steps of z * z + c stay within 2 of 0.

    In real numbers: NumPy may round complex products differently from place to
    place, and the picture shall not depend on who computes what."""
    re = LEFT + (RIGHT - LEFT) * (np.arange(width) + 0.5) / width
    im = TOP - (TOP - BOTTOM) * (row + 0.5) / height
    x, y = np.zeros(width), np.zeros(width)
    count = np.zeros(width, np.int64)
    for _ in range(iterations):
        inside = x * x + y * y <= 4
        if not inside.any():
            break
        count += inside
        x, y = (
            np.where(inside, x * x - y * y + re, x),
            np.where(inside, 2 * x * y + im, y),
        )
    return count


def grey(count, iterations):
    """The set is black, and all else the brighter the sooner it leaves."""
    return (255 - 255 * count // iterations).astype(np.uint8)


def compute(rows, width, height, iterations):
    """This rank's rows, as {row: pixels}, and the seconds that they took; those in
    which another rank had the core, or this one waited, don't count."""
    pixels, seconds = {}, 0.0
    for row in rows:
        start = time.process_time()
        pixels[row] = grey(steps(row, width, height, iterations), iterations)
        seconds += time.process_time() - start
    return pixels, seconds


def report(shares, seconds):
    for rank, (pixels, busy) in enumerate(shares):
        print(f"rank {rank} computed {len(pixels)} rows in {busy:.3f} s")
    total, most = (f([busy for _, busy in shares]) for f in (sum, max))
    print(f"time {seconds:.3f} s, computed {total:.3f} s, the busiest rank {most:.3f} s")


def write_pgm(file, image):
    height, width = image.shape
    file.write(b"P5\n%d %d\n255\n" % (width, height))
    file.write(image.tobytes())


# ---- the program -------------------------------------------------------------------


def make_parser():
    parser = Parser(description=__doc__.splitlines()[0])
    for option, unless_given in (("width", 400), ("height", 300)):
        help = f"in pixels, {unless_given} unless given"
        kind = number(1, 10_000)
        parser.add_argument(f"--{option}", type=kind, default=unless_given, help=help)
    parser.add_argument(
        "--iterations",
        type=number(1, 100_000),
        default=255,
        help="after how many steps a point counts as one of the set, 255 unless given",
    )
    ways = parser.add_mutually_exclusive_group()
    for way, help in (
        (blockwise, "each rank gets a block of rows"),
        (cyclic, "rank r of n gets the rows r, r + n, r + 2 n, ..."),
        (dynamic, "rank 0 hands out rows to whoever is free (this unless given)"),
        (pool, "so does a Pool, whose rank 0 computes, too"),
    ):
        name = f"--{way.__name__}"
        ways.add_argument(name, dest="way", action="store_const", const=way, help=help)
    parser.set_defaults(way=dynamic)
    parser.add_argument("--out", metavar="FILE", help="write the picture there, as PGM")
    return parser


def open_out(parser, path):
    """Before anything is computed in vain."""
    try:
        return open(path, "wb")
    except OSError as error:
        parser.error(f"argument --out: cannot write {path}: {error.strerror}")


def main():
    parser = make_parser()
    arguments = parser.parse_args()
    height = arguments.height
    out = None
    if arguments.out is not None and world.rank == 0:
        out = open_out(parser, arguments.out)

    world.barrier()
    start = pp.time()
    size = arguments.width, height, arguments.iterations
    if arguments.way is pool:
        shares = pool(*size)
    else:
        shares = world.gather(compute(arguments.way(height), *size))
    if shares:
        report(shares, pp.time() - start)
    if out:
        all_pixels = {row: line for pixels, _ in shares for row, line in pixels.items()}
        with out:
            write_pgm(out, np.array([all_pixels[row] for row in range(height)]))
    pp.finalize()


if __name__ == "__main__":
    main()
