# SPDX-License-Identifier: MIT
"""Right uses of pypar, with the types they have: mypy accepts all of it (test_types.py).
It is never run."""

from concurrent.futures import Future
from typing import Any, assert_type

import numpy as np
import pypar
from mpi4py import MPI
from numpy.typing import NDArray
from pypar import SUM, Comm, Request, Status, any_source, any_tag, wait_some, world
from pypar.ext.functional import collected, distributed
from pypar.ext.handympi import foreach

Floats = NDArray[np.float64]
floats: Floats = np.zeros(3)
memory = bytearray(3)


def longer(a: list[int], b: list[int]) -> list[int]:
    return max(a, b, key=len)


def send_and_receive() -> None:
    assert_type(world, Comm)
    assert_type(world.send({"any": "object"}, dest=1, tag=np.int8(3)), None)
    assert_type(world.receive(), Any)
    assert_type(
        world.receive(any_source, any_tag, return_status=True), tuple[Any, Status]
    )
    assert_type(world.receive(0, 1, None, True), tuple[Any, Status])
    assert_type(world.receive(0, buffer=floats), Floats)
    assert_type(world.receive(0, 1, floats, True), tuple[Floats, Status])
    assert_type(world.receive(buffer=memory), bytearray)
    assert_type(world.receive(0, 1, "a buffer that is none"), Any)
    assert_type(world.receive(0, return_status=bool(world.rank)), Any)
    assert_type(world.probe(), Status)
    if status := world.iprobe():
        assert_type(status, Status)
        assert_type((status.source, status.length, status.bytes()), tuple[int, int, int])


async def requests() -> None:
    assert_type(world.isend(floats, 1, copy=True), Request[None])
    assert_type(world.ireceive(0), Request[Any])
    into = world.ireceive(0, buffer=floats)
    assert_type(into, Request[Floats])
    assert_type(into.wait(timeout=5), Floats)
    assert_type(into.result, Floats)
    assert_type(await into, Floats)
    assert_type(await world.isend(1, 0), None)
    assert_type(into.status, Status | None)
    assert_type((into.done, into.test(), into.cancel()), tuple[bool, bool, bool])
    assert_type(wait_some([into, into], 0.5), list[Request[Floats]])
    named: Request[int] = world.ireceive(0)
    mixed: list[Request[Any]] = [into, named]
    assert_type(wait_some(mixed), list[Request[Any]])


def collectives() -> None:
    assert_type(world.broadcast(floats), Floats)
    assert_type(world.broadcast("word" if world.rank == 0 else None), Any)
    assert_type(world.scatter(["a"] if world.rank == 0 else None), str)
    assert_type(world.scatter(), Any)
    assert_type(world.gather("word"), list[str] | None)
    assert_type(world.allgather(5), list[int])
    assert_type(world.alltoall(["word"] * world.size), list[str])
    assert_type(world.reduce(floats, SUM), Floats | None)
    assert_type(world.reduce([1], longer, root=1), list[int] | None)
    assert_type(world.reduce(2.5, pypar.MAX), Any)
    assert_type(world.allreduce(floats, SUM), Floats)
    assert_type(world.allreduce([1], longer), list[int])
    assert_type(world.scan(floats, SUM), Floats)
    assert_type(world.exscan([1], longer), list[int] | None)
    assert_type(world.allreduce((2.5, world.rank), pypar.MINLOC), Any)
    assert_type(world.reduce_scatter(floats, SUM), Floats)
    assert_type(world.reduce_scatter(floats, np.hypot, counts=[3]), Floats)
    assert_type(world.reduce_scatter([[1]] * world.size, longer), list[int])
    assert_type(world.reduce_scatter([1] * world.size, SUM), Any)


def parts_and_buffers(into: Floats | None) -> None:
    assert_type(world.scatter(floats, counts=[3]), Floats)
    assert_type(world.scatter("word" if world.rank == 0 else None, counts=(4,)), str)
    assert_type(world.scatter(counts=np.ones(3, np.int8)), Any)
    assert_type(world.scatter(buffer=floats), Floats)
    assert_type(world.scatter(floats, 0, counts=[3], buffer=memory), bytearray)
    assert_type(world.scatter(floats, 0, floats, [3]), Any)
    assert_type(world.gather(floats, buffer=floats), Floats | None)
    assert_type(world.gather(floats, root=1, buffer=into), list[Floats] | Floats | None)
    assert_type(world.allgather(floats, buffer=floats), Floats)
    assert_type(world.allgather(b"x", memory), bytearray)
    assert_type(world.alltoall(floats, floats), Floats)
    assert_type(world.alltoall(floats, buffer=floats, counts=[3]), Floats)
    assert_type(world.alltoall(floats, counts=[3]), list[Floats])
    assert_type(world.gather(floats, 1, floats), Floats | None)
    assert_type(world.reduce(floats, SUM, buffer=floats), Floats | None)
    assert_type(world.reduce(2.5, max, 0, floats), Floats | None)
    assert_type(world.allreduce(floats, SUM, floats), Floats)
    assert_type(world.scan(2.5, max, buffer=floats), Floats)
    assert_type(world.exscan(floats, SUM, buffer=floats), Floats | None)
    assert_type(world.reduce_scatter(floats, SUM, [3], buffer=floats), Floats)


async def collectives_that_are_started() -> None:
    assert_type(world.ibarrier(), Request[None])
    assert_type(world.ibroadcast(floats, root=1), Request[Floats])
    assert_type(world.ibroadcast("word" if world.rank == 0 else None), Request[Any])
    assert_type(world.iscatter(["a"] if world.rank == 0 else None), Request[str])
    assert_type(world.iscatter(floats, counts=[3], buffer=floats), Request[Floats])
    assert_type(await world.igather("word"), list[str] | None)
    assert_type(world.iallgather(5), Request[list[int]])
    assert_type(world.ialltoall(["word"] * world.size).wait(), list[str])
    assert_type(world.ireduce([1], longer, root=1), Request[list[int] | None])
    assert_type(world.iallreduce(floats, SUM), Request[Floats])
    assert_type(wait_some([world.ibarrier(), world.isend(1, 0)]), list[Request[None]])


def communicators(color: int | None) -> None:
    assert_type(world.split(1), Comm)
    assert_type(world.split(color, key=-1), Comm | None)
    assert_type(world.split(None), None)
    assert_type(world.duplicate(), Comm)
    assert_type(world.node.rank, int)
    assert_type(world.free(), None)
    assert_type(world.to_mpi4py(), MPI.Intracomm)
    assert_type(pypar.from_mpi4py(MPI.COMM_WORLD), Comm)
    assert_type(Comm.from_mpi4py(MPI.COMM_WORLD), Comm)


def grids() -> None:
    grid = world.grid((2, 0), periodic=[True, False])
    assert_type(grid, pypar.Grid)
    assert_type((grid.dims, grid.coords), tuple[tuple[int, ...], tuple[int, ...]])
    assert_type(grid.shift(0), tuple[int | None, int | None])
    assert_type(grid.part(10, 1), tuple[int, int])
    assert_type(grid.exchange(floats, floats, width=(1, (0, 2)), corners=True), None)
    assert_type(grid.start_exchange(floats).wait(), None)


def the_old_functions() -> None:
    assert_type((pypar.rank(), pypar.size(), pypar.max_tag), tuple[int, int, int])
    assert_type((pypar.get_processor_name(), pypar.__version__), tuple[str, str])
    assert_type(pypar.time(), float)
    assert_type(pypar.send(floats, 1, use_buffer=True, tag=2), None)
    assert_type(pypar.receive(0), Any)
    assert_type(pypar.receive(0, floats), Floats)
    assert_type(pypar.receive(0, floats, False, 2, True), tuple[Floats, Status])
    assert_type(pypar.receive(0, return_status=True), tuple[Any, Status])
    assert_type(pypar.receive(0, "     ", vanilla=1, return_status=1), Any)
    assert_type(pypar.broadcast(floats, 0), Floats)
    assert_type(pypar.scatter(floats, 0, buffer=floats), Any)
    assert_type(pypar.balance(10, pypar.size(), pypar.rank()), tuple[int, int])
    assert_type(pypar.push_for_alloc(floats) + pypar.alloc(), int)
    assert_type(pypar.bsend(floats, 1), None)
    assert_type(pypar.Wtime(), float)
    assert_type(list(collected(x + 1 for x in distributed(range(9)))), list[int])
    assert_type(foreach(str, range(3), return_=True), list[str] | None)


def errors() -> None:
    try:
        world.receive(0, buffer=floats)
    except (pypar.TypeMismatch, pypar.SizeMismatch) as mismatch:
        error: pypar.Error = mismatch
        old: RuntimeError = error
        raise old from None
    pypar.abort(3)


def pools() -> None:
    def half(x: int) -> float:
        return x / 2

    with pypar.Pool(2) as pool:
        assert_type(pool.map(half, [1, 2]), list[float])
        assert_type(pool.apply_async(half, (1,)).get(), float)
        assert_type(next(pool.imap(half, [1])), float)
    with pypar.Executor() as executor:
        assert_type(executor.submit(half, 1), Future[float])
        assert_type(next(executor.map(half, [1], buffersize=2)), float)
