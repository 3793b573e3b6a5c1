# SPDX-License-Identifier: MIT
"""pypar_bench.py - the benchmark's contender that calls pypar."""

from itertools import repeat

import measure
import pypar

send = pypar.world.send
receive = pypar.world.receive
isend = pypar.world.isend
ireceive = pypar.world.ireceive
broadcast = pypar.world.broadcast
reduce = pypar.world.reduce
TAG = pypar.default_tag


def wait_all(requests):
    return [request.wait() for request in requests]


class New(measure.Form):
    """What arrives is a new array."""

    def pingpong(self, work, count):
        out = work.out
        if self.rank == 0:
            for _ in repeat(None, count):
                send(out, 1)
                got = receive(1)
        else:
            for _ in repeat(None, count):
                got = receive(0)
                send(out, 0)
        work.got = got

    def rate(self, work, count):
        out, window = work.out, range(measure.WINDOW)
        if self.rank == 0:
            for _ in repeat(None, count):
                wait_all([isend(out, 1) for _ in window])
                receive(1)
        else:
            for _ in repeat(None, count):
                got = wait_all([ireceive(0) for _ in window])
                send(None, 0)
            work.got = got


class Object(New):
    """What arrives is an object like that sent."""

    payload = staticmethod(measure.as_bytes)


class Buffer(measure.Form):
    """What arrives is written to an array that is there already."""

    in_place = True

    def pingpong(self, work, count):
        out, into = work.out, work.into
        if self.rank == 0:
            for _ in repeat(None, count):
                send(out, 1)
                receive(1, TAG, into)
        else:
            for _ in repeat(None, count):
                receive(0, TAG, into)
                send(out, 0)
        work.got = into

    def rate(self, work, count):
        out, slots = work.out, work.slots
        if self.rank == 0:
            for _ in repeat(None, count):
                wait_all([isend(out, 1) for _ in slots])
                receive(1)
        else:
            for _ in repeat(None, count):
                wait_all([ireceive(0, TAG, into) for into in slots])
                send(None, 0)
            work.got = slots

    def barrier(self, work, count):
        barrier = pypar.world.barrier
        for _ in repeat(None, count):
            barrier()

    def broadcast(self, work, count):
        """The roots take turns, so that no rank can run ahead of the others."""
        mine = [work.out if root == self.rank else work.into for root in (0, 1)]
        for i in range(count):
            broadcast(mine[i % 2], i % 2)
        work.got = work.into

    def reduce(self, work, count):
        out, op = work.out, pypar.SUM
        for i in range(count):
            got = reduce(out, op, i % 2)
            if i % 2 == self.rank:
                work.got = got


rank = pypar.rank()
measure.run(
    rank,
    {"object": Object(rank), "new": New(rank), "buffer": Buffer(rank)},
    pypar.barrier,
    pypar.abort,
)
