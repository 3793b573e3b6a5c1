# SPDX-License-Identifier: MIT
"""Fibonacci numbers by naive recursion, shared out among all ranks.

Run it as: mpirun -np 2 python apps/fib.py 30 29 28
"""

import time

import pypar as pp
from args import Parser, number

LARGEST = 93
DEFAULT = [34, 33, 32, 31, 30, 29]


def read_arguments():
    parser = Parser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "numbers",
        metavar="number",
        nargs="*",
        type=number(0, LARGEST),
        default=DEFAULT,
        help=f"which ones, 0 to {LARGEST}; {' '.join(map(str, DEFAULT))} unless given: "
        "smaller ones than those of fib in C, as Python takes far longer",
    )
    parser.add_argument(
        "--scatter",
        choices=["cost", "block"],
        default="cost",
        help="how the numbers are shared out: the costliest first, each to the rank "
        "with the least to do (this unless given), or in blocks as they stand",
    )
    return parser.parse_args()


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
    """For each rank its host and its answers, on rank 0; elsewhere None."""
    work = [[numbers[i] for i in share] for share in shares]
    mine = pp.world.scatter(work if pp.rank() == 0 else None)
    return pp.world.gather((pp.get_processor_name(), compute(mine)))


def report(numbers, shares, answers, seconds):
    values = [None] * len(numbers)
    busy = [sum(took for _, took in answered) for _, answered in answers]
    for share, (_, answered) in zip(shares, answers, strict=True):
        for i, (value, _) in zip(share, answered, strict=True):
            values[i] = value
    print(values)
    print(
        f"serial estimate {sum(busy):.3f} s, time {seconds:.3f} s, "
        f"speed-up {sum(busy) / seconds:.2f} on {len(busy)} ranks"
    )
    everyone = zip(shares, answers, strict=True)
    for rank, (share, (host, _)) in enumerate(everyone):
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
    arguments = read_arguments()
    run(arguments.numbers, arguments.scatter)
    pp.finalize()


if __name__ == "__main__":
    main()
