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
        assert str(error).count(f"rank {bad_rank(world)}: ") == 1, error
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
        why = f"failed on rank 0: ValueError: scatter has {many} objects"
        with pytest.raises(pypar.Error, match=why):
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


def plus(left, right):
    return left + right


# Of objects, which Python joins: what rank 0 calls, and what the others do.
OTHERS = {
    "operation": (
        lambda w: w.allreduce(1, pypar.MAX),
        lambda w: w.allreduce(1, pypar.SUM),
    ),
    "function": (lambda w: w.allreduce(1, plus), lambda w: w.allreduce(1, pypar.SUM)),
    "operation of a reduce": (
        lambda w: w.reduce("a", pypar.MIN),
        lambda w: w.reduce("a", pypar.SUM),
    ),
    "operation of arrays that C doesn't join": (
        lambda w: w.allreduce(np.ones(2, "f2"), pypar.MAX),
        lambda w: w.allreduce(np.ones(2, "f2"), pypar.SUM),
    ),
    "gather": (lambda w: w.gather(1), lambda w: w.reduce(1, pypar.SUM)),
    "allgather": (lambda w: w.allgather(1), lambda w: w.allreduce(1, pypar.SUM)),
    "scan": (lambda w: w.scan(1, pypar.SUM), lambda w: w.exscan(1, pypar.SUM)),
    "scan and allreduce": (
        lambda w: w.scan(1, pypar.SUM),
        lambda w: w.allreduce(1, pypar.SUM),
    ),
    "alltoall": (
        lambda w: w.alltoall([1] * w.size),
        lambda w: w.reduce_scatter([1] * w.size, pypar.SUM),
    ),
}


@ranks(2, 3)
@pytest.mark.parametrize("what", OTHERS)
def test_objects_that_are_joined_otherwise_elsewhere_are_an_error(world, what):
    one, other = OTHERS[what]
    somebody_notices(world, lambda: (other if world.rank else one)(world))


@ranks(2)
def test_a_reduce_of_objects_is_called_so(world):
    """Not what it is made of."""
    bad = world.rank == 1
    with pytest.raises(pypar.Error) as caught:
        world.allreduce(1, pypar.SUM if bad else plus)
    function, operation = "allreduce of objects(a function)", "allreduce of objects(SUM)"
    here, there = (operation, function) if bad else (function, operation)
    text = str(caught.value)
    assert f"is {here} here" in text and f"{there} on rank {1 - world.rank}" in text
    world.barrier()


UNLIKE = {
    "size": (np.ones(3, "f2"), np.ones(1, "f2"), "SizeMismatch", "shape (1,)"),
    "size of objects": (np.ones(3, "O"), np.ones(1, "O"), "SizeMismatch", "shape (1,)"),
    "shape": (np.ones((1, 3), "g"), np.ones((3, 1), "g"), "SizeMismatch", "(3, 1)"),
    "dtype": (np.ones(2, "f2"), np.ones(2, "g"), "TypeMismatch", "longdouble|float128"),
    "kind": (np.ones(2, "f2"), 1, "TypeMismatch", "of type int"),
}


@ranks(3)
@pytest.mark.parametrize("what", UNLIKE)
def test_arrays_that_python_joins_must_be_alike(world, what):
    """As those that C joins: NumPy would stretch them."""
    most, last, error, shown = UNLIKE[what]
    mine = last if world.rank == bad_rank(world) else most
    for call in world.allreduce, world.scan, world.exscan:
        with pytest.raises(getattr(pypar, error)) as caught:
            call(mine, pypar.SUM)
        text = str(caught.value)
        assert text.startswith(
            f"rank {world.rank}: rank 0 gives an array of {most.dtype}"
        )
        assert "but rank 2 " in text
        assert any(one in text for one in shown.split("|")), text
    got = world.allreduce(np.array(["a" * (world.rank + 1)]), pypar.SUM)
    assert got.tolist() == ["aaaaaa"]


@ranks(2, 4)
def test_a_started_call_that_differs_says_so_when_it_is_waited_for(world):
    somebody_notices(
        world, lambda: world.ibroadcast(np.zeros(300_000), root=world.rank).wait()
    )
