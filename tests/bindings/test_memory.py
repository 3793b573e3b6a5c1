# SPDX-License-Identifier: MIT
"""Nothing is kept: references, Python's memory and the process's."""

import gc
import sys
import tracemalloc

import numpy as np
import pytest
from ranks import pypar, ranks


class Thing:
    def __init__(self):
        self.x = [1, 2]


KINDS = {
    "None": lambda: None,
    "number": lambda: 12345678901,
    "huge": lambda: 10**50,
    "float": lambda: 1.5,
    "text": lambda: "some text",
    "not ascii": lambda: "€uro",
    "bytes": lambda: b"some bytes",
    "bytearray": lambda: bytearray(b"abc"),
    "list": lambda: [1, [2, (3.5, {"a": "b"})], {4}],
    "frozenset": lambda: frozenset({1, 2}),
    "pickled": lambda: Thing(),
    "shared": lambda: [[1]] * 3,
    "function": lambda: Thing,
    "array": lambda: np.arange(10.0),
    "records": lambda: np.zeros(3, "i4,f8"),
    "scalar": lambda: np.float32(1.5),
    "strided": lambda: np.arange(10)[::2],
    "holder": lambda: {"a": np.arange(1000), "b": np.arange(3)},
    "large": lambda: np.arange(2000.0),
    "large text": lambda: "x" * 5000,
    "memoryview": lambda: memoryview(b"abc"),
}


def keeps_memory(work, rounds):
    """Whether Python's memory grows by as much as one object for each of ROUNDS
    calls of WORK. Caches make it grow a little now and then, so three times counts."""
    smallest_object = 16
    for _ in range(200):
        work()
    times = [grown(work, rounds) for _ in range(3)]  # all of them: others do so too
    return min(times) > rounds * smallest_object // 2


def grown(work, rounds):
    gc.collect()
    tracemalloc.start()
    try:
        work()
        gc.collect()
        before = tracemalloc.get_traced_memory()[0]
        for _ in range(rounds):
            work()
        gc.collect()
        return tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()


@ranks(1)
def test_what_is_kept_is_seen(world):
    kept = []
    assert keeps_memory(lambda: kept.append(object()), 1000)


@ranks(1)
@pytest.mark.parametrize("name", KINDS)
def test_sending_and_receiving_keeps_nothing(world, name):
    value = KINDS[name]()

    def work():
        world.send(value, 0)
        world.receive(0)

    count = sys.getrefcount(value)
    assert not keeps_memory(work, 4000)
    # Others too count on None; a reference a round would be 12,000.
    assert abs(sys.getrefcount(value) - count) < 1000


@ranks(2)
@pytest.mark.parametrize("name", ["list", "pickled", "array", "holder", "large"])
def test_messages_between_ranks_keep_nothing(world, name):
    value = KINDS[name]()
    other = 1 - world.rank

    def work():
        if world.rank == 0:
            world.send(value, other)
            world.receive(other)
        else:
            world.receive(other)
            world.send(value, other)

    assert not keeps_memory(work, 2000)


@ranks(1)
def test_receiving_into_a_buffer_keeps_nothing(world):
    small, large = np.arange(10.0), np.arange(2000.0)
    buffers = np.zeros(10), np.zeros(2000), np.zeros((2, 2000))[:, ::2]

    def work():
        for value, buffer in zip((small, large, large), buffers, strict=True):
            world.send(value, 0)
            world.receive(0, buffer=buffer)
        world.send(value, 0)
        world.receive(-1, -1, None, True)

    counts = [sys.getrefcount(item) for item in (small, large, *buffers)]
    assert not keeps_memory(work, 2000)
    after = [sys.getrefcount(item) for item in (small, large, *buffers)]
    assert all(abs(a - b) < 10 for a, b in zip(after, counts, strict=True))


@ranks(1)
def test_errors_keep_nothing(world):
    class Refusing:
        def __reduce__(self):
            raise ValueError("no")

    small = np.arange(10.0)
    wrong = np.zeros(10, "i4")
    calls = [
        lambda: world.send(1, 5),
        lambda: world.send(1, "x"),
        lambda: world.send(1, 0, -1),
        lambda: world.send(Refusing(), 0),
        lambda: world.send([small, Refusing()], 0),
        lambda: world.receive(9),
        lambda: world.receive(0, no=1),
        lambda: world.receive(0, buffer=wrong),
        lambda: world.receive(0, buffer=wrong.astype(float)[:5]),
        lambda: world.scatter([1, 2, 3]),
        lambda: world.reduce(1, "x"),
        lambda: world.reduce(small, pypar.BAND),
        lambda: world.broadcast(Refusing()),
    ]
    world.send(small, 0)

    def work():
        for call in calls:
            try:
                call()
            except (ValueError, TypeError, pypar.Error):
                continue
            raise AssertionError("no error")

    assert not keeps_memory(work, 1000)
    assert world.receive(0).tolist() == small.tolist()


@ranks(2)
def test_collectives_keep_nothing(world):
    array, value = np.arange(20.0), {"a": [1, 2]}

    def work():
        world.barrier()
        world.broadcast(value)
        world.broadcast(array, 1)
        world.scatter([value, array])
        world.gather(value)
        world.gather(array, 1)
        world.reduce(array, pypar.SUM)
        world.reduce(5, pypar.SUM)
        world.allgather(value)
        world.alltoall([value, array])
        world.allreduce(array, pypar.SUM)
        world.allreduce(5, pypar.SUM)
        world.scan(array, pypar.SUM)
        world.exscan("x", pypar.SUM)
        world.isend(array, world.rank)
        world.ireceive(world.rank).wait()
        world.ireceive(world.rank).cancel()
        pypar.gather(array)
        pypar.scatter(array)
        pypar.reduce(array, pypar.MAX, 0, array.copy())

    assert not keeps_memory(work, 1000)


@ranks(2)
def test_the_memory_of_the_process_does_not_grow(world):
    """What C allocates tracemalloc does not see."""
    values = [np.zeros(1 << 17), b"x" * 1_000_000, [np.zeros(1 << 16), "y" * 100_000]]
    values += [list(range(5000)), "€" * 3000, Thing()]

    def work():
        for value in values:
            if world.rank == 0:
                world.send(value, 1)
                world.receive(1)
            else:
                world.send(world.receive(0), 0)
            world.send(value, world.rank)
            world.receive(world.rank)

    for _ in range(50):
        work()
    before = own_memory()
    for _ in range(300):
        work()
    assert own_memory() - before < 30 << 20  # one value kept a round would be 300 MiB


def own_memory():
    """What the process has of its own, whether it is in memory or has been swapped out;
    what it has mapped comes and goes as others need memory."""
    with open("/proc/self/status") as file:
        found = dict(line.split(":", 1) for line in file)
    names = "RssAnon", "RssShmem", "VmSwap"
    return sum(int(found[name].split()[0]) for name in names) << 10
