# SPDX-License-Identifier: MIT
"""Collective calls that are started and go on: ibroadcast and the like."""

import asyncio
import ctypes
import gc
import re
import signal
import threading
import time
import traceback
import weakref

import numpy as np
import pytest
from forms import form
from mpirun import PYTHON, alone, mpirun
from ranks import pypar, ranks

NAMES = "barrier broadcast scatter gather reduce allreduce allgather alltoall".split()


def arguments(name, world):
    """What the call NAME is given on this rank; root 1 where there is one."""
    root, value = 1 % world.size, [world.rank, "x" * world.rank]
    return {
        "barrier": ((), {}),
        "broadcast": ((value,), {"root": root}),
        "scatter": ((["part"] * world.size,), {"root": root}),
        "gather": ((np.full(3, world.rank),), {"root": root}),
        "reduce": ((world.rank, pypar.SUM, root), {}),
        "allreduce": ((np.arange(4.0) * world.rank,), {"op": pypar.MAX}),
        "allgather": ((value,), {}),
        "alltoall": ((list(range(world.size)),), {}),
    }[name]


@ranks(1, 2, 4)
@pytest.mark.parametrize("name", NAMES)
def test_each_gives_what_the_blocking_one_returns(world, name):
    args, keywords = arguments(name, world)
    expected = getattr(world, name)(*args, **keywords)
    args, keywords = arguments(name, world)
    request = getattr(world, "i" + name)(*args, **keywords)
    assert isinstance(request, pypar.Request)
    assert form(request.wait(30)) == form(expected)
    assert request.done and request.test() and request.status is None
    assert form(request.result) == form(request.wait(0)) == form(expected)
    assert name in repr(request) and "done" in repr(request)


@ranks(2, 4)
def test_an_array_is_filled_in_place(world):
    array = np.arange(1000.0) if world.rank == 0 else np.zeros(1000)
    assert world.ibroadcast(array).wait() is array
    assert (array == np.arange(1000)).all()


@ranks(1, 2, 4)
def test_hundreds_on_two_communicators_keep_their_order(world):
    other = world.duplicate()
    requests = []
    for i in range(150):
        requests.append((world.size * i, world.iallreduce(i, pypar.SUM)))
        requests.append(([i] * world.size, other.iallgather(i)))
        if i % 30 == 7:  # blocking ones come behind those, and before the next
            assert world.broadcast(i if world.rank == 0 else None) == i
            other.barrier()
    for expected, request in reversed(requests):
        assert request.wait() == expected
    other.free()


@ranks(2)
def test_blocking_calls_wait_for_those_that_were_started(world):
    requests = [world.iallreduce(i, pypar.SUM) for i in range(3)]
    if world.rank == 0:
        time.sleep(0.05)
    comm = world.split(0)
    assert all(request.done for request in requests)
    comm.free()
    assert [request.result for request in requests] == [0, 2, 4]


@ranks(2, 3)
def test_it_goes_on_while_its_caller_computes(world, tmp_path_factory):
    """Rank 0 and the others but the last look at a file and call nothing of pypar's
    until the last has got it all."""
    path = world.broadcast(
        tmp_path_factory.mktemp("flag") / "flag" if world.rank == 0 else None
    )
    size = 3_000_000
    request = world.ibroadcast(np.arange(size) if world.rank == 0 else None)
    if world.rank == world.size - 1:
        assert request.wait()[-1] == size - 1
        path.touch()
    else:
        while not path.exists():
            sum(range(1000))
        assert (request.wait() == np.arange(size)).all()


@ranks(2)
def test_they_are_waited_for_among_receives(world):
    other = 1 - world.rank
    receive = world.ireceive(other, 5)
    gather = world.iallgather(world.rank)
    done = pypar.wait_some([receive, gather])
    assert done == [gather] and gather.result == [0, 1]
    world.barrier()
    world.send("come", other, 5)
    requests = [receive, world.ibarrier()]
    left = list(requests)
    while left:
        left = [r for r in left if r not in pypar.wait_some(left)]
    assert [r.result for r in requests] == ["come", None]


@ranks(2)
def test_a_wait_with_a_timeout_ends_and_the_call_goes_on(world):
    other = 1 - world.rank
    if world.rank == 0:
        request = world.iallgather("a")
        for seconds in (0, 0.05):
            with pytest.raises(TimeoutError):
                request.wait(seconds)
        with pytest.raises(pypar.Error):
            request.result  # noqa: B018
        assert not request.done and "under way" in repr(request)
        assert request.cancel() is False
        world.send("go", other)
        assert request.wait(30) == ["a", "b"]
        assert request.cancel() is False
    else:
        assert world.receive(other) == "go"
        assert world.allgather("b") == ["a", "b"]  # which meets the other form


@ranks(2, 3)
def test_any_thread_may_wait(world):
    results = []
    request = world.iallgather(world.rank)
    threads = [
        threading.Thread(target=lambda: results.append(request.wait())) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert results == [list(range(world.size))] * 4


@ranks(2, 3)
def test_they_can_be_awaited(world):
    async def several():
        requests = [world.iallreduce(i, pypar.SUM) for i in range(10)]
        return await asyncio.gather(*(wait(r) for r in reversed(requests)))

    async def wait(request):
        return await request

    sums = asyncio.run(several())
    assert sums == [world.size * i for i in reversed(range(10))]


# -- errors ---------------------------------------------------------------------


@ranks(1, 2)
def test_wrong_arguments_are_raised_by_the_wait(world):
    for request, error in (
        (world.ibroadcast(1, root=world.size), ValueError),
        (world.ibroadcast(1, roof=0), TypeError),
        (world.igather(), TypeError),
        (world.iscatter("x" * (world.size + 1), root=world.rank), ValueError),
        (world.ireduce(1, 99), ValueError),
    ):
        for _ in range(2):
            with pytest.raises(error):
                request.wait(30)
        with pytest.raises(error):
            request.result  # noqa: B018
        assert "failed" in repr(request)
    assert world.iallgather(1).wait() == [1] * world.size


@ranks(2, 3)
def test_calls_that_differ_are_raised_by_the_wait(world):
    op = pypar.MAX if world.rank == 0 else pypar.SUM
    with pytest.raises(pypar.Error, match=rf"^rank {world.rank}: .*allreduce"):
        world.iallreduce(np.arange(3.0), op).wait()
    assert world.iallreduce(1, pypar.SUM).wait() == world.size


@ranks(2)
def test_roots_that_differ_are_raised_by_the_wait(world):
    with pytest.raises(pypar.Error, match="root [01].*root [01]"):
        world.igather(5, root=world.rank).wait()
    assert world.iallgather(5).wait() == [5, 5]


@ranks(2)
def test_an_exception_keeps_its_traceback(world):
    def fails_here(a, b):
        raise LookupError("mine")

    request = world.iallreduce(world.rank, fails_here)
    for _ in range(2):
        with pytest.raises(LookupError, match="mine") as caught:
            request.wait()
    frames = traceback.extract_tb(caught.value.__traceback__)
    assert "fails_here" in [frame.name for frame in frames]


@ranks(2)
def test_an_exception_that_nobody_asks_for_is_shown(world, monkeypatch):
    import sys

    seen = []
    monkeypatch.setattr(sys, "unraisablehook", lambda u: seen.append(repr(u.exc_value)))
    world.iallreduce(world.rank, lambda a, b: 1 / 0)
    world.ibarrier().wait()
    assert seen == ["ZeroDivisionError('division by zero')"]
    with pytest.raises(ZeroDivisionError):
        world.iallreduce(world.rank, lambda a, b: 1 / 0).wait()
    gc.collect()
    assert len(seen) == 1


# -- memory ---------------------------------------------------------------------


class Holder:
    """An object that can be watched, and travels."""


@ranks(2)
def test_a_call_that_is_dropped_goes_on_and_then_lets_go(world):
    held = Holder()
    held.data = np.arange(500_000)
    alive = weakref.ref(held)
    if world.rank == 0:
        world.ibroadcast(held)
        del held
        gc.collect()
        assert alive() is not None  # the call holds it: nobody receives yet
        world.send("go", 1)
        world.ibarrier().wait()
        assert alive() is None
    else:
        del held
        assert world.receive(0) == "go"
        assert (world.broadcast().data == np.arange(500_000)).all()
        world.barrier()


@ranks(2)
def test_the_memory_of_many_is_given_back(world):
    for _ in range(20):
        alive = []
        for i in range(20):
            value = Holder()
            alive.append(weakref.ref(value))
            request = world.iallgather(value)
            if i % 2:
                request.wait()
        world.barrier()
        del value, request
        gc.collect()
        assert [ref() for ref in alive] == [None] * 20


@ranks(2)
def test_a_communicator_is_freed_after_its_calls(world):
    comm = world.duplicate()
    request = comm.ibarrier()
    with pytest.raises(ValueError, match="requests"):
        comm.free()
    request.wait()
    comm.ibarrier()  # dropped: the free waits for it
    comm.free()
    with pytest.raises(ValueError):
        comm.ibarrier()


# -- signals --------------------------------------------------------------------


@ranks(2)
def test_ctrl_c_ends_the_wait_and_the_call_goes_on(world):
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        if world.rank == 0:
            request = world.iallgather("a")
            for wait in (request.wait, world.barrier):
                timer = threading.Timer(0.2, signal.raise_signal, (signal.SIGINT,))
                with pytest.raises(KeyboardInterrupt):
                    timer.start()
                    wait()
                timer.join()
            world.send("go", 1)
            assert request.wait() == ["a", "b"]
        else:
            assert world.receive(0) == "go"
            assert world.iallgather("b").wait() == ["a", "b"]
    finally:
        signal.signal(signal.SIGINT, before)
    world.barrier()


@ranks(2)
def test_threads_of_c_wait_without_the_gil(world):
    """An extension of somebody else's, say, that uses the same library."""
    par = ctypes.CDLL(f"libpar.so.{pypar.__version__.rpartition('.')[0]}")
    handle, request = ctypes.c_void_p(), ctypes.c_void_p()
    assert par.par_init(None, None, None, ctypes.byref(handle)) == 0
    if world.rank == 0:
        assert par.par_barrier_start(handle, ctypes.byref(request)) == 0
        time.sleep(0.1)
        world.send("go", 1)
        assert par.par_wait(ctypes.byref(request), None) == 0
    else:
        assert world.receive(0) == "go"
        time.sleep(0.1)
        assert par.par_barrier(handle) == 0
    assert par.par_finalize() == 0  # of that par_init
    assert pypar.initialized()


# -- the end --------------------------------------------------------------------


@pytest.mark.parametrize("end", ["", "pypar.finalize()"])
def test_calls_under_way_end_before_the_job(script, end):
    path = script(
        f"""
        import pypar, time
        import numpy as np
        world = pypar.world
        requests = [world.ibarrier() for _ in range(20)]
        world.ibroadcast(np.zeros(1_000_000) if world.rank == 0 else None)
        if world.rank == 2:
            got = world.ibroadcast([5] if world.rank == 0 else None)
            time.sleep(0.3)
            assert got.wait() == [5]
        else:
            world.ibroadcast([5])
        {end}
        """
    )
    done = mpirun(3, PYTHON, path)
    assert done.returncode == 0 and done.stderr == "", done
    done = alone(PYTHON, path)
    assert done.returncode == 0 and done.stderr == "", done


def test_a_result_can_be_had_only_before_the_end(script):
    path = script(
        """
        import pypar
        request = pypar.world.iallgather(1)
        pypar.finalize()
        for call in (request.wait, pypar.world.ibarrier):
            try:
                call()
            except pypar.Error as error:
                assert "par_finalize" in str(error)
            else:
                raise AssertionError
        """
    )
    done = mpirun(2, PYTHON, path)
    assert done.returncode == 0 and done.stderr == "", done


def test_a_call_that_others_lack_does_not_end_the_job_well(script):
    path = script(
        """
        import pypar
        if pypar.rank() == 0:
            request = pypar.world.ibarrier()
        """
    )
    done = mpirun(2, PYTHON, path)
    assert done.returncode == 1, done
    assert re.search(r"^\[rank 0 of 2 [^]]*\] ends the job: ", done.stderr, re.M), done
    assert "1 collective call, started and not waited for, is under way" in done.stderr
    assert "wait() for what they have started\n" in done.stderr, done


def test_finalize_says_that_others_lack_a_call(script):
    path = script(
        """
        import pypar
        if pypar.rank() == 0:
            request = pypar.world.ibarrier()
        pypar.finalize()
        """
    )
    done = mpirun(2, PYTHON, path)
    assert done.returncode == 1, done
    assert "the job cannot end" in done.stderr


def test_a_rank_that_fails_does_not_wait_for_its_calls(script):
    path = script(
        """
        import pypar
        if pypar.rank() == 0:
            request = pypar.world.ibarrier()
            raise KeyError("the reason")
        pypar.receive(0)
        """
    )
    done = mpirun(2, PYTHON, path)
    assert done.returncode == 1, done
    assert "KeyError: 'the reason'" in done.stderr


def test_a_child_made_by_fork_does_not_wait_for_calls_of_its_parent(script):
    path = script(
        """
        import os, sys, pypar
        world = pypar.world
        if world.rank == 0:
            world.receive(1)
            request = world.iallgather(1)
        else:
            request = world.iallgather(1)
            receive = world.ireceive(0, 99)
            for i in range(10):
                child = os.fork()
                if not child:
                    del receive
                    sys.exit(0)
                assert os.waitpid(child, 0)[1] == 0
            assert receive.cancel()
            world.send("go", 0)
        assert request.wait() == [1, 1]
        """
    )
    done = mpirun(2, PYTHON, path)
    assert done.returncode == 0, done


def test_an_ending_interpreter_starts_none(script):
    path = script(
        """
        import atexit

        @atexit.register
        def late():
            try:
                pypar.world.ibarrier()
            except pypar.Error as error:
                print(error)

        import pypar
        """
    )
    done = mpirun(1, PYTHON, path)
    assert done.returncode == 0, done
    assert "the interpreter is ending" in done.stdout


def test_an_mpi_for_one_thread_is_an_error(script):
    pytest.importorskip("mpi4py")
    path = script(
        """
        import mpi4py
        mpi4py.rc.thread_level = "funneled"
        from mpi4py import MPI
        import pypar
        if MPI.Query_thread() >= MPI.THREAD_SERIALIZED:
            print("SERIALIZED")
        else:
            try:
                pypar.world.ibarrier()
            except pypar.Error as error:
                print(error)
        pypar.barrier()
        """
    )
    done = mpirun(2, PYTHON, path)
    assert done.returncode == 0, done
    assert done.stdout.count("SERIALIZED") == 2, done


def test_mpi4py_s_mpi_has_calls_in_the_background(script):
    pytest.importorskip("mpi4py")
    path = script(
        """
        from mpi4py import MPI
        import pypar
        requests = [pypar.world.iallreduce(1, pypar.SUM) for _ in range(20)]
        assert [r.wait() for r in requests] == [2] * 20
        pypar.world.ibarrier()
        """
    )
    done = mpirun(2, PYTHON, path)
    assert done.returncode == 0 and done.stderr == "", done
