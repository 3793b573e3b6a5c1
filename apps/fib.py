# SPDX-License-Identifier: MIT
"""Fibonacci numbers by naive recursion, shared out among all ranks.

    mpirun -np 2 python apps/fib.py 30 29 28
"""

import argparse
import sys
import time

import pypar as pp

LARGEST = 93
DEFAULT = [32, 31, 30, 29, 28, 27]


class Refused(Exception):
    """The command line is not one of ours."""


class Parser(argparse.ArgumentParser):
    """All ranks read the same command line; the caller says so on one of them."""

    def error(self, message):
        raise Refused(f"{self.prog}: {message}")


def number(text):
    if not (text.isascii() and text.isdigit() and int(text) <= LARGEST):
        raise argparse.ArgumentTypeError(
            f'wants a number from 0 to {LARGEST}, got "{text}"'
        )
    return int(text)


def parser():
    parser = Parser(prog="fib.py", description=__doc__.splitlines()[0], add_help=False)
    parser.add_argument(
        "numbers",
        metavar="number",
        nargs="*",
        type=number,
        help=f"which ones, 0 to {LARGEST}; unless given "
        f"{' '.join(map(str, DEFAULT))}, smaller ones than those of the program "
        "in C, for Python takes a hundred times as long",
    )
    parser.add_argument(
        "--scatter",
        choices=["cost", "block"],
        default="cost",
        help="how the numbers are shared out: the costliest first, each to the rank "
        "with the least to do, or in blocks as they stand",
    )
    parser.add_argument("--help", action="store_true", help="print this and end")
    return parser


def fib(n):
    return n if n < 2 else fib(n - 1) + fib(n - 2)


def cost(n):
    """How many calls fib(n) makes."""
    calls = following = 1
    for _ in range(n):
        calls, following = following, 1 + calls + following
    return calls


def share_by_cost(numbers, size):
    """For each rank the indices of its numbers."""
    shares, load = [[] for _ in range(size)], [0] * size
    for i in sorted(range(len(numbers)), key=lambda i: -numbers[i]):
        rank = load.index(min(load))
        shares[rank].append(i)
        load[rank] += cost(numbers[i])
    return shares


def share_by_block(numbers, size):
    return [list(range(*pp.balance(len(numbers), size, rank))) for rank in range(size)]


def compute(numbers):
    """For each number its Fibonacci number and the seconds that it took; those
    in which another rank had the core don't count."""
    answers = []
    for n in numbers:
        start = time.process_time()
        value = fib(n)
        answers.append((value, time.process_time() - start))
    return answers


def share_out(shares, numbers):
    """Rank 0 hands out and collects; elsewhere the result is None."""
    work = [[numbers[i] for i in share] for share in shares]
    rank, size = pp.rank(), pp.size()
    if rank > 0:
        pp.send((pp.get_processor_name(), compute(pp.receive(0))), 0)
        return None
    for dest in range(1, size):
        pp.send(work[dest], dest)
    answers = [(pp.get_processor_name(), compute(work[0]))]
    return answers + [pp.receive(source) for source in range(1, size)]


def report(numbers, shares, answers, seconds):
    values = [None] * len(numbers)
    busy = [sum(took for _, took in answered) for _, answered in answers]
    for share, (_, answered) in zip(shares, answers):
        for i, (value, _) in zip(share, answered):
            values[i] = value
    print(values)
    print(
        f"serial estimate {sum(busy):.3f} s, time {seconds:.3f} s, "
        f"speed-up {sum(busy) / seconds:.2f} on {len(busy)} ranks"
    )
    for rank, (share, (host, _)) in enumerate(zip(shares, answers)):
        of = " ".join(str(numbers[i]) for i in share) or "nothing"
        print(
            f"rank {rank} on {host}: {busy[rank]:.3f} s, "
            f"efficiency {100 * busy[rank] / seconds:.1f} %, fib of {of}"
        )


def run(numbers, scatter):
    share = share_by_cost if scatter == "cost" else share_by_block
    shares = share(numbers, pp.size())
    pp.barrier()
    start = pp.time()
    answers = share_out(shares, numbers)
    if answers:
        report(numbers, shares, answers, pp.time() - start)


def main():
    try:
        args = parser().parse_args()
    except Refused as refused:
        if pp.rank() == 0:
            print(refused, file=sys.stderr)
        return 2
    if not args.help:
        run(args.numbers or DEFAULT, args.scatter)
    elif pp.rank() == 0:
        parser().print_help()
    pp.finalize()
    return 0


if __name__ == "__main__":
    sys.exit(main())
