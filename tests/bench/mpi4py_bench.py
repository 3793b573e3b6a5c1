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

    def __init__(self, rank, comm):
        super().__init__(rank)
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
        """The roots take turns, so that no rank can run ahead of the others."""
        broadcast = world.Bcast
        mine = [work.out if root == self.rank else work.into for root in (0, 1)]
        for i in range(count):
            broadcast(mine[i % 2], i % 2)
        work.got = work.into

    def reduce(self, work, count):
        reduce, out, op = world.Reduce, work.out, MPI.SUM
        into = [work.into if root == self.rank else None for root in (0, 1)]
        for i in range(count):
            reduce(out, into[i % 2], op, i % 2)
        work.got = work.into

    def allreduce(self, work, count):
        allreduce, out, into, op = world.Allreduce, work.out, work.into, MPI.SUM
        for _ in repeat(None, count):
            allreduce(out, into, op)
        work.got = into


rank = world.rank
measure.run(
    rank,
    {
        "object": Pickled(rank, world),
        "array": Array(rank),
        "pkl5": Pickled(rank, pkl5.Intracomm(world)),
    },
    world.Barrier,
    world.Abort,
    MPI.Get_library_version().partition("\n")[0],
)
