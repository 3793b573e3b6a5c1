# SPDX-License-Identifier: MIT
"""What the benchmark has pools do, in a module that all their workers can import."""

import random

WORKERS = 2  # of each pool


def same(thing):
    return thing


def fibonacci(n):
    return n if n < 2 else fibonacci(n - 1) + fibonacci(n - 2)


def calls(n):
    """How many calls fibonacci(n) is, and so how long it takes."""
    return 1 if n < 2 else 1 + calls(n - 1) + calls(n - 2)


def uneven():
    """The arguments of tasks of very different length, always the same."""
    return tuple(random.Random(1).choices(range(10, 24), k=300))


def total(numbers):
    return sum(map(fibonacci, numbers))


def shares(numbers):
    """What of NUMBERS each worker has to do under the ideal schedule: the costliest
    first, to the one with the least to do."""
    loads = [(0, [])] * WORKERS
    weight = {n: calls(n) for n in {*numbers}}
    for n in sorted(numbers, key=weight.get, reverse=True):
        (load, mine), *others = sorted(loads, key=lambda entry: entry[0])
        loads = [(load + weight[n], [*mine, n]), *others]
    return [numbers for _, numbers in loads]
