# SPDX-License-Identifier: MIT
"""Measures one contender in Python, order by order: what bench.c does in C.

A contender gives its forms of a message, each with the loops that are timed, and
nothing else: what is sent, how often, and whether it arrived, is the same for all
contenders and is here.
"""

import mmap
import socket
import sys
import traceback
from dataclasses import dataclass
from time import perf_counter

import numpy as np

WINDOW = 64  # messages under way at once
PAGE, HUGE_PAGE = 4096, 2 << 20
LARGE = 4 << 20  # from here on in huge pages, as NumPy has it
PATTERN = 65521  # a prime, so that a payload shifted by any round number differs


@dataclass
class Point:
    x: float
    y: float
    name: str


def objects():
    """What the rows "object NAME" send."""
    return {
        "None": None,
        "42": 42,
        "3.14": 3.14,
        "'hello'": "hello",
        "bytes": bytes(range(64)),
        "tuple": (1, 2.0, "a"),
        "dict": {"a": 1, "b": [1, 2, 3]},
        "dataclass": Point(1.0, 2.0, "here"),
        "1000-floats": [i + 0.5 for i in range(1000)],
        "1000-ints": list(range(1000)),
        "1000-str": [f"item {i}" for i in range(1000)],
        "10-arrays": {f"array {i}": np.arange(131072.0) + i for i in range(10)},
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


class Form:
    """A way to send something. Its methods named like an order are loops: each
    does COUNT rounds with WORK and leaves in work.got what came in the last one."""

    payload = staticmethod(as_array)
    in_place = False  # whether messages arrive in work.into

    def __init__(self, rank):
        self.rank = rank


class Work:
    """What a loop works on: out is sent; into and its like, slots, are there to be
    received into; got is what has arrived; expected is what should have."""

    def __init__(self, form, order):
        self.got = self.into = None
        self.slots = []
        self.barren = order.what == "barrier"  # nothing arrives
        if self.barren:
            return
        joins = order.what in ("reduce", "allreduce")
        payload = numbers if joins else form.payload
        mine, theirs = form.rank, 1 - form.rank
        if order.what == "object":
            self.out = self.expected = objects()[order.payload]
        else:
            self.out = payload(int(order.payload), mine)
            self.expected = payload(int(order.payload), theirs)
        if joins:
            self.expected = self.expected + self.out
        if form.in_place:
            self.into = memory(self.out.dtype, self.out.size)
        if order.what == "rate":
            self.expected = [self.expected] * WINDOW
            self.barren = form.rank == 0
            if form.in_place:
                self.slots = [np.zeros_like(self.out) for _ in range(WINDOW)]

    def clear(self):
        self.got = None
        for array in (self.into, *self.slots):
            if array is not None:
                array.fill(0)

    def good(self):
        return self.barren or same(self.got, self.expected)


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


class Order:
    def __init__(self, line):
        self.what, self.form, self.payload, count = line.split()
        self.count = int(count)


def measure(form, order, barrier):
    """Seconds that the loop of ORDER took; None where something else arrived than
    was sent."""
    loop = getattr(form, "pingpong" if order.what == "object" else order.what)
    work = Work(form, order)
    loop(work, order.count // 4 + 1)
    work.clear()
    barrier()

    start = perf_counter()
    loop(work, order.count)
    seconds = perf_counter() - start

    # Whoever still has to help a message on its way does so here.
    barrier()
    return seconds if work.good() else None


def run(rank, forms, barrier, abort, mpi=""):
    """Carry out orders until there are no more.

    They come over a socket of the driver's, not through MPI: a rank that waits for
    its turn sleeps in the kernel and takes nothing from the contender whose turn
    it is. FORMS: {name: Form}.
    """
    path, job = sys.argv[1:]
    driver = socket.socket(socket.AF_UNIX)
    driver.connect(path)
    lines = driver.makefile("rw")
    print(job, rank, mpi, file=lines, flush=True)
    try:
        for line in lines:
            order = Order(line)
            seconds = measure(forms[order.form], order, barrier)
            fault = f"fault: what {line.strip()!r} sent did not arrive intact"
            print(fault if seconds is None else f"{seconds:.9e}", file=lines, flush=True)
    except BaseException:
        traceback.print_exc()
        abort(1)
