# SPDX-License-Identifier: MIT
"""pypar_bench.py - the benchmark's contender that calls pypar."""

from itertools import repeat

import measure
import pypar
from payload import as_bytes

send = pypar.world.send
receive = pypar.world.receive
isend = pypar.world.isend
ireceive = pypar.world.ireceive
broadcast = pypar.world.broadcast
scatter = pypar.world.scatter
gather = pypar.world.gather
allgather = pypar.world.allgather
alltoall = pypar.world.alltoall
reduce = pypar.world.reduce
allreduce = pypar.world.allreduce
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

    payload = staticmethod(as_bytes)

    def broadcast(self, work, count):
        """The roots take turns, so that no rank can run ahead of the others."""
        size = self.size
        mine = [work.out if root == self.rank else None for root in range(size)]
        for i in range(count):
            got = broadcast(mine[i % size], i % size)
        work.got = got

    def scatter(self, work, count):
        size = self.size
        mine = [work.out if root == self.rank else None for root in range(size)]
        for i in range(count):
            got = scatter(mine[i % size], i % size)
        work.got = got

    def gather(self, work, count):
        out, size = work.out, self.size
        for i in range(count):
            got = gather(out, i % size)
            if got is not None:
                work.got = got

    def allgather(self, work, count):
        out = work.out
        for _ in repeat(None, count):
            got = allgather(out)
        work.got = got

    def alltoall(self, work, count):
        out = work.out
        for _ in repeat(None, count):
            got = alltoall(out)
        work.got = got

    def reduce(self, work, count):
        out, size, op = work.out, self.size, pypar.SUM
        for i in range(count):
            got = reduce(out, op, i % size)
            if got is not None:
                work.got = got

    def allreduce(self, work, count):
        out, op = work.out, pypar.SUM
        for _ in repeat(None, count):
            got = allreduce(out, op)
        work.got = got


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
        size = self.size
        mine = [work.out if root == self.rank else work.into for root in range(size)]
        for i in range(count):
            broadcast(mine[i % size], i % size)
        work.got = work.into

    def scatter(self, work, count):
        into, size = work.into, self.size
        mine = [work.out if root == self.rank else None for root in range(size)]
        for i in range(count):
            scatter(mine[i % size], i % size, into)
        work.got = into

    def gather(self, work, count):
        out, size = work.out, self.size
        into = [work.into if root == self.rank else None for root in range(size)]
        for i in range(count):
            gather(out, i % size, into[i % size])
        work.got = work.into

    def allgather(self, work, count):
        out, into = work.out, work.into
        for _ in repeat(None, count):
            allgather(out, into)
        work.got = into

    def alltoall(self, work, count):
        out, into = work.out, work.into
        for _ in repeat(None, count):
            alltoall(out, into)
        work.got = into

    def reduce(self, work, count):
        out, size, op = work.out, self.size, pypar.SUM
        into = [work.into if root == self.rank else None for root in range(size)]
        for i in range(count):
            reduce(out, op, i % size, into[i % size])
        work.got = work.into

    def allreduce(self, work, count):
        out, into, op = work.out, work.into, pypar.SUM
        for _ in repeat(None, count):
            allreduce(out, op, into)
        work.got = into


rank, size = pypar.rank(), pypar.size()
measure.run(
    rank,
    {"object": Object(rank, size), "new": New(rank, size), "buffer": Buffer(rank, size)},
    pypar.barrier,
    pypar.abort,
)
