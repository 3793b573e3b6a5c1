# SPDX-License-Identifier: MIT
"""Collective calls drawn at random, against what they should give.

A call is drawn from a seed alone, and so is all that every rank has: each rank knows
what it must get, without a message. CHECK_SEED=n draws other calls.
"""

import os
import random
from functools import reduce

import numpy as np
import pytest
from forms import form
from ranks import pypar, ranks
from ufuncs import INTEGERS, UFUNCS

RANKS = (1, 2, 3, 4, 5, 8, 16)
FIRST = 10 * int(os.environ.get("CHECK_SEED", 1))
SEEDS = range(FIRST, FIRST + 4)
CALLS = 50
WHOLE = 1 << 20  # bytes that all ranks of a call have together, about, at most


def below(chooser, most):
    """Up to MOST, of all magnitudes."""
    return chooser.randrange((most >> chooser.randrange(most.bit_length())) + 1)


# -- what ranks have --------------------------------------------------------------


def any_object(chooser, most, depth=0):
    """Of about MOST bytes, at most."""
    kind = chooser.randrange(9 if depth < 3 else 7)
    if kind == 0:
        return chooser.choice([None, True, 42, -(10**30), 2.5, 1j, "", b"", (), 1 << 63])
    if kind == 1:
        return chooser.randbytes(below(chooser, most))
    if kind == 2:
        return chooser.choice("a€😀") * below(chooser, most // 4)
    if kind == 3:
        return [chooser.random() for _ in range(below(chooser, min(most // 9, 2000)))]
    if kind < 7:
        return any_array(chooser, most)
    items = [
        any_object(chooser, most // 4, depth + 1) for _ in range(chooser.randrange(4))
    ]
    return dict(enumerate(items)) if kind == 7 else (*items, {chooser.random()})


def any_array(chooser, most):
    dtype = np.dtype(chooser.choice(["?", "i1", "<i8", "f4", "c16", "f2", "f8,S3"]))
    array = np.frombuffer(chooser.randbytes(below(chooser, most)), np.uint8)
    array = (array & 1).repeat(dtype.itemsize) if dtype.kind == "b" else array
    array = array[: array.size // dtype.itemsize * dtype.itemsize].view(dtype)
    return laid_out(chooser, array)


def laid_out(chooser, array):
    """ARRAY, flat, in one of the ways in which it may lie in memory."""
    way = chooser.randrange(4)
    if way == 0 and array.size % 2 == 0:
        return np.asfortranarray(array.reshape(2, -1))
    if way == 1:
        return array.repeat(2)[::2]
    return array if way == 2 else array.reshape(1, -1, 1)


class Call:
    """What a call has been drawn to have: a root, and something for each rank of
    each rank."""

    def __init__(self, world, seed, make=any_object):
        chooser = random.Random(seed)
        self.seed, self.make = seed, make
        self.rank, self.size = world.rank, world.size
        self.root = chooser.randrange(world.size)
        self.most = WHOLE // world.size
        self.all_like = chooser.randrange(1 << 30)  # for what all ranks' have in common

    def of(self, source, dest=0):
        chooser = random.Random(f"{self.seed} {source} {dest}")
        return self.make(chooser, self.most)

    @property
    def mine(self):
        return self.of(self.rank)

    @property
    def all(self):
        return [self.of(rank) for rank in range(self.size)]


# -- moving -----------------------------------------------------------------------


def barrier(world, seed):
    assert world.barrier() is None


def broadcast(world, seed):
    call = Call(world, seed)
    got = world.broadcast(call.mine if call.rank == call.root else None, call.root)
    assert form(got) == form(call.of(call.root))


def broadcast_in_place(world, seed):
    call = Call(world, seed, any_array)
    sent = call.of(call.root)
    array = sent if call.rank == call.root else np.zeros_like(sent)
    assert world.broadcast(array, call.root) is array
    assert form(array) == form(sent)


def scatter(world, seed):
    call = Call(world, seed)
    items = [call.of(call.root, dest) for dest in range(call.size)]
    got = world.scatter(items if call.rank == call.root else None, call.root)
    assert form(got) == form(items[call.rank])


def gather(world, seed):
    call = Call(world, seed)
    got = world.gather(call.mine, call.root)
    assert form(got) == form(call.all if call.rank == call.root else None)


def allgather(world, seed):
    call = Call(world, seed)
    assert form(world.allgather(call.mine)) == form(call.all)


def alltoall(world, seed):
    call = Call(world, seed)
    got = world.alltoall([call.of(call.rank, dest) for dest in range(call.size)])
    assert form(got) == form([call.of(source, call.rank) for source in range(call.size)])


# -- moving rows of arrays -----------------------------------------------------------


class Rows:
    """An array for each rank of each, of differing length along the first axis."""

    def __init__(self, world, seed):
        chooser = random.Random(f"{seed} rows")
        self.seed, self.rank, self.size = seed, world.rank, world.size
        self.root = chooser.randrange(world.size)
        self.dtype = np.dtype(chooser.choice(["i1", "<i8", "f4", "c16", "f2", "f8,S3"]))
        self.shape = chooser.choice([(), (1,), (3,), (2, 2)])  # of a row
        self.most = WHOLE // self.size // self.size // 4

    def of(self, source, dest=0):
        chooser = random.Random(f"{self.seed} {source} {dest}")
        row = self.dtype.itemsize * int(np.prod(self.shape))
        some = chooser.randbytes(below(chooser, self.most) // row * row)
        return np.frombuffer(some, self.dtype).reshape(-1, *self.shape)

    def all_for(self, dest):
        return [self.of(source, dest) for source in range(self.size)]

    def all_of(self, source):
        return [self.of(source, dest) for dest in range(self.size)]


def room(arrays):
    return np.zeros_like(np.concatenate(arrays))


def check_filled(got, buffer, arrays):
    assert got is buffer
    assert form(buffer) == form(np.concatenate(arrays))


def gather_rows(world, seed):
    rows = Rows(world, seed)
    every = rows.all_for(0)
    buffer = room(every) if rows.rank == rows.root else None
    got = world.gather(every[rows.rank], rows.root, buffer)
    if rows.rank == rows.root:
        check_filled(got, buffer, every)
    else:
        assert got is None


def allgather_rows(world, seed):
    rows = Rows(world, seed)
    every = rows.all_for(0)
    buffer = room(every)
    check_filled(world.allgather(every[rows.rank], buffer), buffer, every)


def scatter_rows(world, seed):
    rows = Rows(world, seed)
    parts = rows.all_of(rows.root)
    mine = parts[rows.rank]
    whole = counts = None
    if rows.rank == rows.root:
        whole, counts = np.concatenate(parts), [len(part) for part in parts]
    buffer = np.zeros_like(mine)
    got = world.scatter(whole, rows.root, buffer, counts)
    check_filled(got, buffer, [mine])
    assert form(world.scatter(whole, rows.root, counts=counts)) == form(mine)


def alltoall_rows(world, seed):
    rows = Rows(world, seed)
    parts, come = rows.all_of(rows.rank), rows.all_for(rows.rank)
    whole, counts = np.concatenate(parts), [len(part) for part in parts]
    buffer = room(come)
    check_filled(world.alltoall(whole, buffer, counts), buffer, come)
    assert form(world.alltoall(whole, counts=counts)) == form(come)


# -- joining objects -----------------------------------------------------------------


def any_text(chooser, most):
    return chooser.choice("abcd") * below(chooser, most // 16)


def any_permutation(chooser, most):
    return tuple(chooser.sample(range(7), 7))


def any_matrix(chooser, most):
    return tuple(chooser.randrange(-(10**20), 10**20) for _ in range(4))


def any_matrix_array(chooser, most):
    """Whose products wrap: that is associative, too."""
    return np.array([chooser.getrandbits(62) for _ in range(4)]).reshape(2, 2)


def product(a, b):
    """Of matrices of two rows."""
    return (
        a[0] * b[0] + a[1] * b[2],
        a[0] * b[1] + a[1] * b[3],
        a[2] * b[0] + a[3] * b[2],
        a[2] * b[1] + a[3] * b[3],
    )


# Whoever changes the order of the ranks gets something else from all of these.
JOINS = [
    (any_text, pypar and pypar.SUM, lambda a, b: a + b),
    (any_text, lambda a, b: a + b, lambda a, b: a + b),
    (any_permutation, lambda a, b: tuple(b[i] for i in a), None),
    (any_matrix, product, product),
    (any_matrix_array, lambda a, b: a @ b, None),
    (any_matrix_array, np.matmul, None),
    (lambda chooser, most: {1: any_text(chooser, most)}, lambda a, b: a | b, None),
]


def join_objects(world, seed):
    make, op, join = random.Random(seed).choice(JOINS)
    call = Call(world, seed, make)
    check_joined(world, call, op, lambda objects: reduce(join or op, objects), form)


def check_joined(world, call, op, join, seen):
    """All four ways, as SEEN, give what JOIN makes of lists of all that come first."""
    mine, every = call.mine, call.all
    before = form(mine)
    got = world.reduce(mine, op, call.root)
    assert seen(got) == seen(join(every) if call.rank == call.root else None)
    assert seen(world.allreduce(mine, op)) == seen(join(every))
    assert seen(world.scan(mine, op)) == seen(join(every[: call.rank + 1]))
    got = world.exscan(mine, op)
    assert seen(got) == seen(join(every[: call.rank]) if call.rank else None)
    assert form(mine) == before


# -- joining arrays --------------------------------------------------------------------

# The operations that types of a kind know; what C doesn't know, Python joins.
OPERATIONS = {
    **dict.fromkeys(INTEGERS, (*UFUNCS,)),
    **dict.fromkeys("fd", ("SUM", "PROD", "MIN", "MAX")),
    **dict.fromkeys("FD", ("SUM", "PROD")),
    "?": ("LAND", "LOR", "LXOR", "BAND", "BOR", "BXOR"),
    "e": ("SUM", "MIN", "MAX"),
}


def seen_numbers(array):
    """Whatever the signs of zeros and the layout, which the ranks may choose."""
    return array is None or (array.dtype, array.shape, array.tolist())


def join_arrays(world, seed):
    """Of small whole numbers: every order gives the same."""
    chooser = random.Random(f"{seed} all")
    dtype = chooser.choice([*OPERATIONS])
    name = chooser.choice(OPERATIONS[dtype])
    most = 0 if dtype in "?BHILQ" else -2
    shape = (chooser.randrange(1, 3), below(chooser, WHOLE // 16 // world.size))

    def numbers(chooser, _):
        random = np.random.default_rng(chooser.getrandbits(32))
        array = random.integers(most, 3, shape).astype(dtype)
        array = array * np.array(1 + 1j, dtype) if dtype in "FD" else array
        return np.asfortranarray(array) if chooser.randrange(2) else array

    def join(arrays):
        return reduce(UFUNCS[name], arrays).astype(dtype)

    call = Call(world, seed, numbers)
    op = getattr(pypar, name)
    check_joined(world, call, op, join, seen_numbers)
    buffer = np.zeros(shape, dtype)
    assert world.allreduce(call.mine, op, buffer) is buffer
    assert seen_numbers(buffer) == seen_numbers(join(call.all))
    assert world.scan(call.mine, op, buffer) is buffer
    assert seen_numbers(buffer) == seen_numbers(join(call.all[: call.rank + 1]))


def join_reals(world, seed):
    """Of all magnitudes: another order or shape would give other bits."""
    chooser = random.Random(f"{seed} all")
    count = below(chooser, WHOLE // 8 // world.size)
    first = chooser.randrange(count + 1)

    def reals(chooser, _):
        random = np.random.default_rng(chooser.getrandbits(32))
        return random.standard_normal(count) * 10.0 ** random.integers(-9, 9, count)

    call = Call(world, seed, reals)
    mine = call.mine
    got = world.allreduce(mine, pypar.SUM)
    assert world.allgather(got.tobytes()) == [got.tobytes()] * call.size
    at_root = world.reduce(mine, pypar.SUM, call.root)
    assert at_root is None or at_root.tobytes() == got.tobytes()
    part = world.allreduce(mine[first:], pypar.SUM)
    assert part.tobytes() == got[first:].tobytes()
    cuts = sorted(chooser.randrange(count + 1) for _ in range(call.size - 1))
    cuts = [0, *cuts, count]
    counts = [high - low for low, high in zip(cuts, cuts[1:], strict=False)]
    part = world.reduce_scatter(mine, pypar.SUM, counts)
    assert part.tobytes() == got[cuts[call.rank] : cuts[call.rank + 1]].tobytes()
    assert np.allclose(got, sum(call.all), rtol=1e-9, atol=1e-3)


# -- one call after the other -------------------------------------------------------------

FUNCTIONS = (
    *(barrier, broadcast, broadcast_in_place, scatter, gather, allgather, alltoall),
    *(gather_rows, allgather_rows, scatter_rows, alltoall_rows),
    *(join_objects, join_arrays, join_reals),
)


def check_calls(world, seed, count):
    chooser = random.Random(seed)
    for number in range(count):
        function = chooser.choice(FUNCTIONS)
        try:
            function(world, f"{seed} {number}")
        except BaseException as error:
            error.add_note(f"call {number} of seed {seed} on rank {world.rank}")
            raise


@ranks(*RANKS)
@pytest.mark.parametrize("seed", SEEDS)
def test_every_call_gives_every_rank_what_it_should(world, seed):
    check_calls(world, seed, CALLS)


@ranks(3, 5, 8, 16)
@pytest.mark.parametrize("seed", SEEDS[:2])
def test_calls_of_several_communicators_do_not_meet(world, seed):
    chooser = random.Random(seed)
    colors = [chooser.randrange(1 + world.size // 3) for _ in range(world.size)]
    color = colors[world.rank]
    part = world.split(color, -world.rank)
    check_calls(part, 1000 * seed + color, CALLS // 2)
    part.free()
