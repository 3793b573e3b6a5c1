# SPDX-License-Identifier: MIT
"""Numbers are factored by whichever rank is free; rank 0 hands them out.

Run it as: mpirun -np 4 python apps/farm.py 60 97 10000000000037

A task that fails in a worker, as 0 does, keeps nobody from the others; rank 0 gets
the exception in the place of a result.
"""

import sys
from typing import NamedTuple

import pypar as pp
from args import Parser, number
from pypar import any_source, any_tag, world

TASK, STOP, RESULT, FAILURE = 1, 2, 3, 4  # tags

LARGEST = 10**14
DEFAULT = [360, 9999999999971, 97, 10000000000037, 600851475143, 2**40, 1]


class Outcome(NamedTuple):
    worker: int
    failed: bool
    value: object  # the result, or the exception


def farm(function, tasks):
    """On rank 0 the outcome of function(task) for each of the tasks, in their order;
    None elsewhere. Collective: all ranks call it, rank 0 does no task unless alone."""
    if world.size > 1:
        return lead(tasks) if world.rank == 0 else work(function)
    attempts = (attempt(function, task) for task in tasks)
    return [Outcome(0, tag == FAILURE, value) for tag, value in attempts]


def attempt(function, task):
    try:
        return RESULT, function(task)
    except Exception as error:
        return FAILURE, error


def work(function):
    """Do what rank 0 hands out until it says to stop."""
    while True:
        message, status = world.receive(source=0, tag=any_tag, return_status=True)
        if status.tag == STOP:
            return None
        place, task = message
        tag, value = attempt(function, task)
        world.send((place, value), dest=0, tag=tag)


def lead(tasks):
    """Every worker has a task as long as there are any; who is done gets the next."""
    outcomes = [None] * len(tasks)
    waiting = enumerate(tasks)
    busy = sum(hand_out(waiting, worker) for worker in range(1, world.size))
    while busy:
        message, status = world.receive(any_source, tag=any_tag, return_status=True)
        place, value = message
        outcomes[place] = Outcome(status.source, status.tag == FAILURE, value)
        busy -= 1
        busy += hand_out(waiting, status.source)
    return outcomes


def hand_out(waiting, worker):
    """Whether there was still a task for the worker; if not, it is told to stop."""
    message = next(waiting, None)  # (place, task)
    world.send(message, dest=worker, tag=STOP if message is None else TASK)
    return message is not None


def factors(n):
    """The prime factors of n, smallest first. Takes longer the larger they are."""
    if n < 1:
        raise ValueError(f"{n} has no prime factors")
    found, factor = [], 2
    while factor * factor <= n:
        while n % factor == 0:
            found.append(factor)
            n //= factor
        factor += 1 if factor == 2 else 2
    return found + [n] * (n > 1)


def report(numbers, outcomes):
    """Whether all went well."""
    for n, outcome in zip(numbers, outcomes, strict=True):
        value = outcome.value
        if outcome.failed:
            print(f"{n} failed: {type(value).__name__}: {value}")
        else:
            print(f"{n} =", " x ".join(map(str, value)) or 1)
    for rank in range(world.size):
        done = sum(outcome.worker == rank for outcome in outcomes)
        print(f"rank {rank} did {done} of {len(outcomes)}")
    return not any(outcome.failed for outcome in outcomes)


def read_arguments():
    parser = Parser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "numbers",
        metavar="number",
        nargs="*",
        type=number(0, LARGEST),
        default=DEFAULT,
        help=f"to be factored, 0 to {LARGEST}; {' '.join(map(str, DEFAULT))} unless "
        "given; with 0, which has no factors, the exit status is 1",
    )
    return parser.parse_args()


def main():
    numbers = read_arguments().numbers
    outcomes = farm(factors, numbers)
    if world.rank == 0 and not report(numbers, outcomes):
        sys.exit(1)  # all ranks end with it
    pp.finalize()


if __name__ == "__main__":
    main()
