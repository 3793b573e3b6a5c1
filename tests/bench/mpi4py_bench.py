# SPDX-License-Identifier: MIT
"""mpi4py_bench.py - the benchmark's contender that calls mpi4py, set up as it is
when its user sets nothing up."""

from itertools import repeat

import measure
from mpi4py import MPI
from mpi4py.util import pkl5

world = MPI.COMM_WORLD


class Pickled(measure.Form):
    """send and recv: what arrives is an object like that sent."""

    def __init__(self, rank, size, comm):
        super().__init__(rank, size)
        self.comm = comm

    def pingpong(self, work, count):
        out, send, recv = work.out, self.comm.send, self.comm.recv
        if self.rank == 0:
            for _ in repeat(None, count):
                send(out, 1)
                got = recv(None, 1)
        else:
            for _ in repeat(None, count):
                got = recv(None, 0)
                send(out, 0)
        work.got = got

    def rate(self, work, count):
        out, isend, irecv = work.out, self.comm.isend, self.comm.irecv
        wait_all, window = MPI.Request.waitall, range(measure.WINDOW)
        if self.rank == 0:
            for _ in repeat(None, count):
                wait_all([isend(out, 1) for _ in window])
                self.comm.recv(None, 1)
        else:
            for _ in repeat(None, count):
                got = wait_all([irecv(None, 0) for _ in window])
                self.comm.send(None, 0)
            work.got = got

    def broadcast(self, work, count):
        """The roots take turns, so that no rank can run ahead of the others."""
        bcast, size = self.comm.bcast, self.size
        mine = [work.out if root == self.rank else None for root in range(size)]
        for i in range(count):
            got = bcast(mine[i % size], i % size)
        work.got = got

    def scatter(self, work, count):
        scatter, size = self.comm.scatter, self.size
        mine = [work.out if root == self.rank else None for root in range(size)]
        for i in range(count):
            got = scatter(mine[i % size], i % size)
        work.got = got

    def gather(self, work, count):
        gather, out, size = self.comm.gather, work.out, self.size
        for i in range(count):
            got = gather(out, i % size)
            if got is not None:
                work.got = got

    def allgather(self, work, count):
        allgather, out = self.comm.allgather, work.out
        for _ in repeat(None, count):
            got = allgather(out)
        work.got = got

    def alltoall(self, work, count):
        alltoall, out = self.comm.alltoall, work.out
        for _ in repeat(None, count):
            got = alltoall(out)
        work.got = got

    def reduce(self, work, count):
        reduce, out, size, op = self.comm.reduce, work.out, self.size, MPI.SUM
        for i in range(count):
            got = reduce(out, op, i % size)
            if got is not None:
                work.got = got

    def allreduce(self, work, count):
        allreduce, out, op = self.comm.allreduce, work.out, MPI.SUM
        for _ in repeat(None, count):
            got = allreduce(out, op)
        work.got = got


class Array(measure.Form):
    """Send and Recv: what arrives is written to an array that is there already."""

    in_place = True

    def pingpong(self, work, count):
        out, into, send, recv = work.out, work.into, world.Send, world.Recv
        if self.rank == 0:
            for _ in repeat(None, count):
                send(out, 1)
                recv(into, 1)
        else:
            for _ in repeat(None, count):
                recv(into, 0)
                send(out, 0)
        work.got = into

    def rate(self, work, count):
        out, slots, isend, irecv = work.out, work.slots, world.Isend, world.Irecv
        wait_all, answer = MPI.Request.Waitall, bytearray(1)
        if self.rank == 0:
            for _ in repeat(None, count):
                wait_all([isend(out, 1) for _ in slots])
                world.Recv(answer, 1)
        else:
            for _ in repeat(None, count):
                wait_all([irecv(into, 0) for into in slots])
                world.Send(answer, 0)
            work.got = slots

    def barrier(self, work, count):
        barrier = world.Barrier
        for _ in repeat(None, count):
            barrier()

    def broadcast(self, work, count):
        broadcast, size = world.Bcast, self.size
        mine = [work.out if root == self.rank else work.into for root in range(size)]
        for i in range(count):
            broadcast(mine[i % size], i % size)
        work.got = work.into

    def scatter(self, work, count):
        scatter, into, size = world.Scatter, work.into, self.size
        mine = [work.out if root == self.rank else None for root in range(size)]
        for i in range(count):
            scatter(mine[i % size], into, i % size)
        work.got = into

    def gather(self, work, count):
        gather, out, size = world.Gather, work.out, self.size
        into = [work.into if root == self.rank else None for root in range(size)]
        for i in range(count):
            gather(out, into[i % size], i % size)
        work.got = work.into

    def allgather(self, work, count):
        allgather, out, into = world.Allgather, work.out, work.into
        for _ in repeat(None, count):
            allgather(out, into)
        work.got = into

    def alltoall(self, work, count):
        alltoall, out, into = world.Alltoall, work.out, work.into
        for _ in repeat(None, count):
            alltoall(out, into)
        work.got = into

    def reduce(self, work, count):
        reduce, out, size, op = world.Reduce, work.out, self.size, MPI.SUM
        into = [work.into if root == self.rank else None for root in range(size)]
        for i in range(count):
            reduce(out, into[i % size], op, i % size)
        work.got = work.into

    def allreduce(self, work, count):
        allreduce, out, into, op = world.Allreduce, work.out, work.into, MPI.SUM
        for _ in repeat(None, count):
            allreduce(out, into, op)
        work.got = into


rank, size = world.rank, world.size
measure.run(
    rank,
    {
        "object": Pickled(rank, size, world),
        "array": Array(rank, size),
        "pkl5": Pickled(rank, size, pkl5.Intracomm(world)),
    },
    world.Barrier,
    world.Abort,
    MPI.Get_library_version().partition("\n")[0],
)
