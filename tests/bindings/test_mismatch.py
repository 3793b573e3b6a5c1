# SPDX-License-Identifier: MIT
"""Collective calls that differ between ranks, or that a rank cannot make: all that
wait in them learn it."""

import threading

import numpy as np
import pytest
from ranks import pypar, ranks

CANNOT = threading.Lock()  # be pickled

CALLS = {
    "broadcast": lambda w, bad: w.broadcast(CANNOT if bad else 1, root=bad_rank(w)),
    "gather": lambda w, bad: w.gather(CANNOT if bad else 1, root=0),
    "allgather": lambda w, bad: w.allgather(CANNOT if bad else 1),
    "scatter": lambda w, bad: w.scatter([CANNOT] * w.size, root=bad_rank(w)),
    "alltoall": lambda w, bad: w.alltoall([CANNOT if bad else 1] * w.size),
    "reduce": lambda w, bad: w.reduce(CANNOT if bad else 1, pypar.SUM),
    "allreduce": lambda w, bad: w.allreduce(CANNOT if bad else "x", pypar.SUM),
}


def bad_rank(world):
    return world.size - 1


def fails(world, call):
    """call(world, bad) fails on the bad rank for its own reason, and on those that wait
    for it for the bad rank's."""
    bad = world.rank == bad_rank(world)
    try:
        call(world, bad)
    except TypeError as error:
        assert bad and "pickle" in str(error), error
    except pypar.Error as error:
        assert not bad
        assert f"rank {bad_rank(world)}: TypeError: " in str(error), error
    else:
        assert not bad


@ranks(2, 3, 4)
@pytest.mark.parametrize("call", CALLS)
def test_who_cannot_encode_an_object_tells_those_who_wait_for_it(world, call):
    fails(world, CALLS[call])
    assert world.allgather(world.rank) == list(range(world.size))


@ranks(2, 3, 4)
@pytest.mark.parametrize("many", [0, 1, 9])
def test_a_root_with_too_few_or_too_many_objects_tells_those_who_wait(world, many):
    if world.rank == 0:
        with pytest.raises(ValueError, match=f"scatter has {many} objects"):
            world.scatter([None] * many)
    else:
        with pytest.raises(pypar.Error, match=f"ValueError: .*scatter has {many} obj"):
            world.scatter(root=0)
    world.barrier()


def noticed(call):
    try:
        call()
    except pypar.Error as error:
        assert "all ranks must make the same call" in str(error), error
        return True
    return False


def somebody_notices(world, call):
    """In this call or, where all had done their part by then, in the next one, which
    fails for all then; after that all is as before."""
    flags = [noticed(call)]
    for rank in range(world.size):
        world.send(flags[0], rank)
    flags += [world.receive(rank) for rank in range(world.size)]
    assert noticed(world.barrier) or any(flags)
    world.barrier()


@ranks(2, 3, 4)
@pytest.mark.parametrize("length", [3, 300_000])
def test_roots_that_differ_are_an_error(world, length):
    somebody_notices(world, lambda: world.broadcast(np.zeros(length), root=world.rank))
    somebody_notices(world, lambda: world.gather(np.zeros(length), root=world.rank))
    somebody_notices(
        world, lambda: world.reduce(np.zeros(length), pypar.SUM, root=world.rank)
    )


@ranks(2, 3, 4)
def test_gather_here_and_broadcast_there_is_an_error(world):
    """Each waits for the other: nobody has sent anything."""
    if world.rank == 0:
        somebody_notices(world, lambda: world.gather(1, root=0))
    else:
        somebody_notices(world, lambda: world.broadcast(root=0))


@ranks(2, 4)
def test_a_started_call_that_differs_says_so_when_it_is_waited_for(world):
    somebody_notices(
        world, lambda: world.ibroadcast(np.zeros(300_000), root=world.rank).wait()
    )
