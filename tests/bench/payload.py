# SPDX-License-Identifier: MIT
"""What the benchmark's contenders in Python send to each other, and whether it has
arrived."""

import mmap
from dataclasses import dataclass
from functools import partial
from math import isqrt

import numpy as np
from pool_tasks import uneven

PAGE, HUGE_PAGE = 4096, 2 << 20
LARGE = 4 << 20  # from here on in huge pages, as NumPy has it
PATTERN = 65521  # a prime, so that a payload shifted by any round number differs


@dataclass
class Point:
    x: float
    y: float
    name: str


# By name: what rank WHOSE sends, where it can tell.
OBJECTS = {
    "None": lambda whose: None,
    "42": lambda whose: 42 + whose,
    "3.14": lambda whose: 3.14 + whose,
    "'hello'": lambda whose: f"hell{whose}",
    "bytes": lambda whose: bytes(range(whose, whose + 64)),
    "tuple": lambda whose: (whose, 2.0, "a"),
    "dict": lambda whose: {"a": whose, "b": [1, 2, 3]},
    "dataclass": lambda whose: Point(1.0, whose + 2.0, "here"),
    "1000-floats": lambda whose: [i + 0.5 for i in range(whose, whose + 1000)],
    "1000-ints": lambda whose: list(range(whose, whose + 1000)),
    "1000-str": lambda whose: [f"item {i + whose}" for i in range(1000)],
    "1-MiB-array": lambda whose: np.arange(131072.0) + whose,
    "10-arrays": lambda whose: {
        f"array {i}": np.arange(131072.0) + i + whose for i in range(10)
    },
}


def memory(dtype, count):
    """An array of zeros, in memory of the same kind as bench.c's: what malloc has
    at hand, and in which pages, depends on what was measured before."""
    size = count * dtype.itemsize
    if size < PAGE:
        return np.zeros(count, dtype)
    page = HUGE_PAGE if size >= LARGE else PAGE
    area = mmap.mmap(-1, size + page, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    if page == HUGE_PAGE:
        area.madvise(mmap.MADV_HUGEPAGE)
    start = -np.frombuffer(area, np.uint8).ctypes.data % page
    return np.frombuffer(area, dtype, count, start)


def as_array(size, whose):
    """The SIZE bytes that rank WHOSE sends: doubles, or bytes where they must be."""
    random = np.random.default_rng(whose)
    if size % 8:
        block = random.integers(1, 256, PATTERN, dtype=np.uint8)
    else:
        block = random.random(PATTERN) + 1
    array = memory(block.dtype, size // block.itemsize)
    for start in range(0, array.size, PATTERN):
        part = array[start : start + PATTERN]
        part[:] = block[: part.size]
    return array


def as_bytes(size, whose):
    return as_array(size, whose).tobytes()


def numbers(size, whose):
    return np.arange(size // 8) % 97 + float(whose)


def together(arrays):
    """ARRAYS, of one length, one behind the other."""
    whole = memory(arrays[0].dtype, sum(array.size for array in arrays))
    return np.concatenate(arrays, out=whole)


def same(got, expected):
    if type(got) is not type(expected):
        return False
    if isinstance(expected, np.ndarray):
        return got.dtype == expected.dtype and np.array_equal(got, expected)
    if isinstance(expected, dict):
        return [*got] == [*expected] and all(same(got[key], expected[key]) for key in got)
    if isinstance(expected, list):
        return len(got) == len(expected) and all(map(same, got, expected))
    return got == expected


# ---- who sends what to whom ----------------------------------------------------

# Each: what FORM's rank sends, and what has come to it after COUNT rounds. OF gives
# what rank WHOSE sends, or, of WHOSE numbered by _pair, what one sends to another. Of
# several things for or of all ranks it is a list.


def _pair(form, source, dest):
    return source * form.size + dest


def _to_the_other(of, form, count):
    return of(form.rank), of(1 - form.rank)


def _broadcast(of, form, count):
    """The roots take turns, here and below. A root's own array is not where those of
    others come."""
    root = (count - 1) % form.size
    if form.in_place and root == form.rank:
        root = (count - 2) % form.size
    return of(form.rank), of(root)


def _scatter(of, form, count):
    root = (count - 1) % form.size
    mine = [of(_pair(form, form.rank, dest)) for dest in range(form.size)]
    return mine, of(_pair(form, root, form.rank))


def _gather(of, form, count):
    return of(form.rank), [of(rank) for rank in range(form.size)]


def _alltoall(of, form, count):
    mine = [of(_pair(form, form.rank, dest)) for dest in range(form.size)]
    return mine, [of(_pair(form, source, form.rank)) for source in range(form.size)]


def _reduce(of, form, count):
    return of(form.rank), sum(of(rank) for rank in range(form.size))


def _square(of, form, count):
    """Nothing is exchanged: a matrix of whole numbers, and its exact square."""
    array = of(form.rank)
    matrix = array.reshape(isqrt(array.size), -1)
    return matrix, matrix @ matrix


def _count(of, form, count):
    """Tasks are numbers, and the sum of what they come to is that of the numbers."""
    return None, sum(range(count))


def _ones(of, form, count):
    return None, count


def _echo(of, form, count):
    return of(0), of(0)


def _fibonacci(of, form, count):
    numbers = [0, 1]
    while len(numbers) < 50:
        numbers.append(numbers[-1] + numbers[-2])
    return uneven(), sum(numbers[n] for n in uneven())


EXCHANGES = {
    **dict.fromkeys(("pingpong", "object", "rate"), _to_the_other),
    "broadcast": _broadcast,
    "scatter": _scatter,
    **dict.fromkeys(("gather", "allgather"), _gather),
    "alltoall": _alltoall,
    **dict.fromkeys(("reduce", "allreduce"), _reduce),
    "matmul": _square,
    **dict.fromkeys(("tasks", "chunks"), _count),
    "start": _ones,
    "arrays": _echo,
    "uneven": _fibonacci,
}


def exchange(order, form):
    """What FORM's rank sends for ORDER, and what has come to it in the end."""
    function = EXCHANGES[order.what]
    if order.payload in OBJECTS:
        return function(OBJECTS[order.payload], form, order.count)
    make = numbers if function in (_reduce, _square) else form.payload
    both = function(partial(make, int(order.payload)), form, order.count)
    return [together(arrays) if type(arrays) is list else arrays for arrays in both]
