# SPDX-License-Identifier: MIT
"""Measures one contender in Python, order by order: what bench.c does in C.

A contender gives its forms of a message, each with the loops that are timed, and
nothing else: what is sent (payload.py), how often, and whether it arrived, is the
same for all contenders.
"""

import socket
import sys
import traceback
from time import perf_counter

import numpy as np
from payload import as_array, exchange, memory, same

WINDOW = 64  # messages under way at once


class Form:
    """A way to send something. Its methods named like an order are loops: each
    does COUNT rounds with WORK and leaves in work.got what came in the last one."""

    payload = staticmethod(as_array)
    in_place = False  # whether messages arrive in work.into

    def __init__(self, rank, size):
        self.rank = rank
        self.size = size


class Work:
    """What a loop works on: out is sent; into and its like, slots, are there to be
    received into; got is what has arrived; expected is what should have."""

    def __init__(self, form, order):
        self.got = self.into = None
        self.slots = []
        self.barren = order.what == "barrier"  # nothing arrives
        if self.barren:
            return
        self.out, self.expected = exchange(order, form)
        if form.in_place:
            self.into = memory(self.expected.dtype, self.expected.size)
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
