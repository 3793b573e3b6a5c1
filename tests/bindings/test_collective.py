# SPDX-License-Identifier: MIT
"""Barrier, broadcast, scatter, gather and reduce, on 1 to 4 ranks and from every
root."""

import functools
import operator
import time

import numpy as np
import pytest
from forms import form
from mpirun import PYTHON, mpirun
from ranks import pypar, ranks
from ufuncs import INTEGERS, UFUNCS

VALUES = {
    "None": lambda: None,
    "number": lambda: 42,
    "text": lambda: "text",
    "bytes": lambda: b"bytes",
    "long text": lambda: "€" * 50_000,
    "dict": lambda: {"a": [1, 2.5, None], "b": (b"x", {3})},
    "long list": lambda: list(range(20_000)),
    "array": lambda: np.arange(10.0),
    "large array": lambda: np.arange(300_000).reshape(300, 1000),
    "fortran": lambda: np.asfortranarray(np.arange(12).reshape(3, 4)),
    "records": lambda: np.zeros(5, "i4,f8,U3"),
    "scalar": lambda: np.float32(2.5),
    "holder": lambda: {"a": np.arange(100_000), "b": [np.arange(3)]},
}


# -- barrier --------------------------------------------------------------------


@ranks(1, 2, 3, 4)
def test_nobody_leaves_a_barrier_before_all_have_come(world):
    for late in range(world.size):
        if world.rank == late:
            time.sleep(0.1)
        come = time.monotonic()  # the same clock for all ranks of a host
        world.barrier()
        left = time.monotonic()
        came = world.gather(come)
        if world.rank == 0:
            last = max(came)
            for rank in range(1, world.size):
                world.send(last, rank)
        else:
            last = world.receive(0)
        assert left >= last


@ranks(1, 3, 4)
def test_many_collectives_in_a_row_keep_apart(world):
    for i in range(300):
        root = i % world.size
        got = world.broadcast((i, "x") if world.rank == root else None, root)
        assert got == (i, "x")
        got = world.gather((world.rank, i), root)
        if world.rank == root:
            assert got == [(rank, i) for rank in range(world.size)]
        if i % 10 == 0:
            world.barrier()


@ranks(2, 3)
def test_collectives_and_messages_do_not_meet(world):
    right, left = (world.rank + 1) % world.size, (world.rank - 1) % world.size
    for tag in range(50):
        world.send(("message", tag), right, tag)
    assert world.broadcast("broadcast", 0) == "broadcast"
    world.barrier()
    for tag in range(50):
        assert world.receive(left, pypar.any_tag) == ("message", tag)


# -- broadcast ------------------------------------------------------------------


@ranks(1, 2, 3, 4)
@pytest.mark.parametrize("name", VALUES)
def test_broadcast_carries_any_object_from_any_root(world, name):
    value = VALUES[name]()
    for root in range(world.size):
        got = world.broadcast(value if world.rank == root else None, root)
        assert form(got) == form(value)


@ranks(3)
def test_broadcast_carries_a_strided_array(world):
    value = np.arange(3000)[::-3]
    got = world.broadcast(value if world.rank == 1 else None, 1)
    assert got.tolist() == value.tolist()


@ranks(2, 3)
@pytest.mark.parametrize("size", [0, 3, 400, 4000, 300_000])
def test_broadcast_fills_an_array_in_place(world, size):
    for root in range(world.size):
        array = np.arange(size) * 2.0 if world.rank == root else np.full(size, -1.0)
        got = world.broadcast(array, root)
        assert got is array
        assert (array == np.arange(size) * 2.0).all()


@ranks(2, 3)
def test_broadcast_fills_a_view_in_place(world):
    whole = np.full((40, 50), -1.0)
    part = whole[::2, 5:15]
    if world.rank == 0:
        part[...] = np.arange(200).reshape(20, 10)
    got = world.broadcast(part, 0)
    assert got is part
    assert (part == np.arange(200).reshape(20, 10)).all()
    part[...] = -1
    assert (whole == -1).all()


@ranks(2, 3)
def test_an_array_that_does_not_fit_a_broadcast_is_refused_and_untouched(world):
    for wrong in (np.full(9, -1.0), np.full(11, -1.0), np.full(10, -1)):
        if world.rank == 0:
            world.broadcast(np.zeros(10))
        else:
            with pytest.raises((pypar.SizeMismatch, pypar.TypeMismatch)):
                world.broadcast(wrong)
            assert (wrong == -1).all()
    assert world.broadcast("next" if world.rank == 0 else None) == "next"


@ranks(3)
def test_the_root_of_a_broadcast_gets_its_own_object_back(world):
    value = [1, 2]
    got = world.broadcast(value, 0)
    assert got == value
    assert (got is value) == (world.rank == 0)


@ranks(3)
def test_what_cannot_travel_fails_for_all_and_can_be_done_again(world):
    with pytest.raises(TypeError if world.rank == 1 else pypar.Error):
        world.broadcast((x for x in ()), 1)
    assert world.broadcast("good" if world.rank == 1 else None, 1) == "good"


# -- scatter --------------------------------------------------------------------


@ranks(1, 2, 3, 4)
@pytest.mark.parametrize("kind", [list, tuple])
def test_scatter_gives_each_rank_its_item(world, kind):
    for root in range(world.size):
        items = kind((rank, "x" * rank * 3000) for rank in range(world.size))
        got = world.scatter(items if world.rank == root else None, root)
        assert got == (world.rank, "x" * world.rank * 3000)


@ranks(1, 2, 3, 4)
def test_scatter_carries_items_of_any_kind(world):
    values = [make() for make in VALUES.values()]
    for start in range(0, len(values) - world.size):
        items = values[start : start + world.size]
        got = world.scatter(items if world.rank == 0 else None)
        assert form(got) == form(items[world.rank])


@ranks(2, 4)
def test_scatter_cuts_an_array_of_as_many_rows(world):
    rows = np.arange(world.size * 1000.0).reshape(world.size, 1000)
    got = world.scatter(rows if world.rank == 1 else None, 1)
    assert (got == rows[world.rank]).all()


@ranks(2, 3)
def test_a_wrong_number_of_items_fails_for_all_and_can_be_done_again(world):
    errors = (ValueError, TypeError) if world.rank == 0 else pypar.Error
    for wrong in ([], [1] * (world.size - 1), [1] * (world.size + 1), 5, None):
        with pytest.raises(errors):
            world.scatter(wrong)
    got = world.scatter(range(world.size) if world.rank == 0 else None)
    assert got == world.rank


# -- gather ---------------------------------------------------------------------


@ranks(1, 2, 3, 4)
@pytest.mark.parametrize("name", VALUES)
def test_gather_lists_the_objects_of_all_ranks_on_the_root(world, name):
    for root in range(world.size):
        got = world.gather((world.rank, VALUES[name]()), root)
        if world.rank != root:
            assert got is None
            continue
        assert type(got) is list and [rank for rank, _ in got] == list(range(world.size))
        for _, value in got:
            assert form(value) == form(VALUES[name]())


@ranks(1, 2, 4)
def test_gather_takes_arrays_of_differing_size_and_type(world):
    mine = np.arange(world.rank * 100_000, dtype="f4" if world.rank % 2 else "i8")
    got = world.gather(mine)
    if world.rank == 0:
        assert [array.size for array in got] == [r * 100_000 for r in range(world.size)]
        assert [array.dtype.char for array in got[:2]] == ["l", "f"][: world.size]
        assert all((array == np.arange(array.size)).all() for array in got)


# -- reduce ---------------------------------------------------------------------


def numbers(rank, dtype, size=50):
    """Numbers of a rank, with zeros among them; whole, so that sums are exact."""
    chooser = np.random.default_rng(rank)
    return chooser.integers(0, 4, size).astype(dtype)


def joined(world, op, dtype, size=50):
    every = [numbers(rank, dtype, size) for rank in range(world.size)]
    return functools.reduce(UFUNCS[op], every).astype(dtype)


@ranks(1, 2, 3, 4)
@pytest.mark.parametrize("dtype", INTEGERS)
def test_reduce_joins_integers_by_every_operation(world, dtype):
    for op in UFUNCS:
        got = world.reduce(numbers(world.rank, dtype), getattr(pypar, op))
        if world.rank == 0:
            assert form(got) == form(joined(world, op, dtype)), op
        else:
            assert got is None


@ranks(1, 2, 4)
@pytest.mark.parametrize("dtype", "fd")
def test_reduce_joins_reals(world, dtype):
    for op in ("SUM", "PROD", "MIN", "MAX"):
        got = world.reduce(numbers(world.rank, dtype), getattr(pypar, op))
        if world.rank == 0:
            assert form(got) == form(joined(world, op, dtype)), op


@ranks(1, 2, 4)
@pytest.mark.parametrize("dtype", "FD")
def test_reduce_joins_complex_numbers(world, dtype):
    mine = numbers(world.rank, dtype) * (1 + 2j) + 1j * world.rank
    mine = mine.astype(dtype)
    every = world.gather(mine)
    for op, join in ((pypar.SUM, np.add), (pypar.PROD, np.multiply)):
        got = world.reduce(mine, op)
        if world.rank == 0:
            assert got.dtype == dtype
            assert np.allclose(got, functools.reduce(join, every))


@ranks(1, 3)
def test_reduce_joins_truth_values(world):
    mine = numbers(world.rank, "?")
    for op in ("LAND", "LOR", "LXOR"):
        got = world.reduce(mine, getattr(pypar, op))
        if world.rank == 0:
            assert form(got) == form(joined(world, op, "?")), op


@ranks(1, 3)
@pytest.mark.parametrize("dtype", ["e", "g", ">i4", ">f8"])
def test_reduce_joins_numbers_that_c_does_not_know(world, dtype):
    for op in ("SUM", "MAX"):
        got = world.reduce(numbers(world.rank, dtype), getattr(pypar, op))
        if world.rank == 0:
            assert got.tolist() == joined(world, op, dtype).tolist()


@ranks(2, 3, 4)
def test_reduce_has_its_result_on_the_root_that_is_named(world):
    for root in range(world.size):
        got = world.reduce(np.arange(5) + world.rank, pypar.SUM, root)
        if world.rank == root:
            total = sum(range(world.size))
            assert (got == np.arange(5) * world.size + total).all()
        else:
            assert got is None


@ranks(2, 3, 4)
@pytest.mark.parametrize("size", [0, 1, 490, 510, 100_000, 1_000_000])
def test_reduce_joins_arrays_of_every_size(world, size):
    got = world.reduce(np.full(size, world.rank + 1.0), pypar.SUM)
    if world.rank == 0:
        assert form(got) == form(np.full(size, world.size * (world.size + 1) / 2))


@ranks(2, 3)
@pytest.mark.parametrize("order", ["C", "F", "strided", "0-d"])
def test_reduce_keeps_shapes_and_leaves_its_input_alone(world, order):
    mine = {
        "C": lambda: np.arange(12.0).reshape(3, 4),
        "F": lambda: np.asfortranarray(np.arange(12.0).reshape(3, 4)),
        "strided": lambda: np.arange(48.0).reshape(6, 8)[::-2, ::2],
        "0-d": lambda: np.array(5.0),
    }[order]()
    before = mine.copy()
    got = world.reduce(mine, pypar.SUM, 1)
    assert (mine == before).all()
    if world.rank == 1:
        assert got.shape == mine.shape and got is not mine
        assert (got == before * world.size).all()


@ranks(2, 3, 4)
def test_ranks_may_lay_out_what_they_reduce_differently(world):
    mine = np.arange(12.0).reshape(3, 4)
    if world.rank % 2:
        mine = np.asfortranarray(mine)
    got = world.reduce(mine, pypar.SUM)
    if world.rank == 0:
        assert (got == np.arange(12.0).reshape(3, 4) * world.size).all()


@ranks(3, 4)
def test_the_same_numbers_give_the_same_bits(world):
    mine = np.random.default_rng(world.rank).standard_normal(5000)
    first = world.reduce(mine, pypar.SUM)
    for _ in range(5):
        time.sleep(0.002 * ((world.rank * 7) % 3))
        again = world.reduce(mine, pypar.SUM)
        if world.rank == 0:
            assert again.tobytes() == first.tobytes()


@ranks(1, 2, 3, 4)
def test_reduce_joins_objects_by_their_operator_in_the_order_of_ranks(world):
    size, last = world.size, world.size - 1
    cases = [
        (world.rank + 1, pypar.SUM, size * (size + 1) // 2),
        (10**30, pypar.SUM, size * 10**30),
        (world.rank + 0.5, pypar.MAX, last + 0.5),
        (f"{world.rank}", pypar.SUM, "0123"[:size]),
        ([world.rank], pypar.SUM, list(range(size))),
        ((world.rank, "x"), pypar.MIN, (0, "x")),
        ("abcd"[world.rank], pypar.MAX, "abcd"[last]),
        (world.rank + 2, pypar.PROD, functools.reduce(operator.mul, range(2, size + 2))),
        (1 << world.rank, pypar.BOR, (1 << size) - 1),
        ({world.rank}, pypar.BOR, set(range(size))),
        (world.rank, pypar.LAND, size == 1 and 0),
        (world.rank, pypar.LOR, size > 1),
    ]
    for mine, op, expected in cases:
        got = world.reduce(mine, op)
        assert got == (expected if world.rank == 0 else None)


@ranks(1, 2, 3, 4)
def test_reduce_joins_by_any_function_in_the_order_of_ranks(world):
    got = world.reduce(f"{world.rank}", lambda a, b: f"({a}{b})", world.size - 1)
    if world.rank == world.size - 1:
        assert got.translate({ord("("): None, ord(")"): None}) == "0123"[: world.size]
    got = world.reduce({world.rank: 1}, operator.or_)
    if world.rank == 0:
        assert got == dict.fromkeys(range(world.size), 1)
    got = world.reduce(np.arange(3) + world.rank, np.maximum)
    if world.rank == 0:
        assert got.tolist() == [world.size - 1, world.size, world.size + 1]


@ranks(2, 3)
def test_a_function_that_fails_fails_on_the_root_and_the_next_works(world):
    def fail(a, b):
        raise ZeroDivisionError("as it must")

    if world.rank == 0:
        with pytest.raises(ZeroDivisionError, match="as it must"):
            world.reduce(1, fail)
    else:
        assert world.reduce(1, fail) is None
    got = world.reduce(1, pypar.SUM)
    assert got == (world.size if world.rank == 0 else None)


@ranks(2, 3)
@pytest.mark.parametrize("op", ["LAND", "LOR", "LXOR", "BAND", "BOR", "BXOR"])
def test_reals_are_not_joined_by_logic_or_bits(world, op):
    with pytest.raises(pypar.TypeMismatch, match="double|float64"):
        world.reduce(np.zeros(5), getattr(pypar, op))
    world.barrier()


@ranks(2)
@pytest.mark.parametrize("op", ["MIN", "MAX"])
def test_complex_numbers_have_no_order(world, op):
    with pytest.raises(pypar.TypeMismatch, match="complex"):
        world.reduce(np.zeros(5, complex), getattr(pypar, op))
    world.barrier()


# -- results on every rank ---------------------------------------------------------


@ranks(1, 2, 3, 4)
@pytest.mark.parametrize("name", VALUES)
def test_allgather_lists_the_objects_of_all_ranks_on_every_rank(world, name):
    got = world.allgather((world.rank, VALUES[name]()))
    assert type(got) is list and [rank for rank, _ in got] == list(range(world.size))
    for _, value in got:
        assert form(value) == form(VALUES[name]())


@ranks(1, 2, 3, 4)
def test_allgather_takes_objects_of_differing_kind_and_size(world):
    values = [np.arange(100_000), "text", {"a": [1]}, np.float32(2.5)]
    got = world.allgather(values[world.rank])
    assert [form(value) for value in got] == [form(v) for v in values[: world.size]]


@ranks(1, 2, 3, 4)
@pytest.mark.parametrize("size", [0, 3, 4000, 100_000])
def test_alltoall_sends_each_rank_its_object(world, size):
    def value(source, dest):
        return source, dest, np.full(size + source, dest), "x" * (size * dest)

    got = world.alltoall([value(world.rank, dest) for dest in range(world.size)])
    assert type(got) is list
    expected = [value(source, world.rank) for source in range(world.size)]
    assert form(got) == form(expected)


@ranks(2, 3)
def test_alltoall_wants_an_object_for_each_rank(world):
    for wrong in ([], [1] * (world.size + 1), 5, None):
        with pytest.raises((ValueError, TypeError)):
            world.alltoall(wrong)
    assert world.alltoall(range(world.size)) == [world.rank] * world.size


@ranks(1, 2, 3, 4)
@pytest.mark.parametrize("dtype", [*INTEGERS, "f", "d", "F", "?", "e", ">i4"])
def test_allreduce_scan_and_exscan_join_arrays(world, dtype):
    for op in ("SUM",) if dtype in "F" else ("LOR",) if dtype == "?" else ("SUM", "MAX"):
        number = getattr(pypar, op)
        every = [numbers(rank, dtype) for rank in range(world.size)]
        mine = every[world.rank]
        before = mine.copy()

        def join(arrays, join=UFUNCS[op]):
            return functools.reduce(join, arrays).tolist()

        got = world.allreduce(mine, number)
        assert got.dtype.kind == mine.dtype.kind and got.tolist() == join(every)
        got = world.scan(mine, number)
        assert got.tolist() == join(every[: world.rank + 1])
        got = world.exscan(mine, number)
        if world.rank == 0:
            assert got is None
        else:
            assert got.tolist() == join(every[: world.rank])
        assert (mine == before).all()


@ranks(1, 2, 3, 4)
@pytest.mark.parametrize("size", [0, 1, 490, 510, 8000, 300_000])
def test_allreduce_and_scans_join_arrays_of_every_size(world, size):
    got = world.allreduce(np.full(size, world.rank + 1.0), pypar.SUM)
    assert form(got) == form(np.full(size, world.size * (world.size + 1) / 2))
    got = world.scan(np.full(size, world.rank + 1.0), pypar.SUM)
    assert form(got) == form(np.full(size, (world.rank + 1) * (world.rank + 2) / 2))
    got = world.exscan(np.full(size, world.rank + 1.0), pypar.SUM)
    if world.rank:
        assert form(got) == form(np.full(size, world.rank * (world.rank + 1) / 2))


@ranks(3, 4)
def test_allreduce_gives_every_rank_the_same_bits_and_those_of_reduce(world):
    for size in (100, 5000, 50_000):
        mine = np.random.default_rng(world.rank).standard_normal(size)
        everywhere = world.allgather(world.allreduce(mine, pypar.SUM).tobytes())
        assert len(set(everywhere)) == 1
        at_root = world.reduce(mine, pypar.SUM, world.size - 1)
        if at_root is not None:
            assert at_root.tobytes() == everywhere[0]


@ranks(1, 2, 3, 4)
def test_allreduce_and_scans_join_objects_in_the_order_of_ranks(world):
    mine, upto = "0123"[world.rank], world.rank + 1
    assert world.allreduce(mine, pypar.SUM) == "0123"[: world.size]
    assert world.scan(mine, pypar.SUM) == "0123"[:upto]
    assert world.exscan(mine, pypar.SUM) == ("0123"[: upto - 1] or None)

    def join(a, b):
        return f"({a}{b})"

    def plain(text):
        return text and text.replace("(", "").replace(")", "")

    assert plain(world.allreduce(mine, join)) == "0123"[: world.size]
    assert plain(world.scan(mine, join)) == "0123"[:upto]
    assert plain(world.exscan(mine, join)) == ("0123"[: upto - 1] or None)
    assert world.allreduce([10**20], pypar.MAX) == [10**20]


@ranks(2, 3)
def test_a_function_that_fails_in_allreduce_fails_everywhere_or_where_it_is_called(world):
    def fail(a, b):
        raise ZeroDivisionError("as it must")

    with pytest.raises((ZeroDivisionError, pypar.Error)):
        world.allreduce(1, fail)
    assert world.allreduce(1, pypar.SUM) == world.size


@ranks(2)
@pytest.mark.parametrize("name", ["allreduce", "scan", "exscan"])
def test_wrong_operations_are_refused_everywhere(world, name):
    call = getattr(world, name)
    for op, error in ((0, ValueError), (13, ValueError), ("SUM", TypeError)):
        with pytest.raises(error):
            call(np.zeros(3), op)
    with pytest.raises(pypar.TypeMismatch):
        call(np.zeros(3), pypar.BAND)
    with pytest.raises(TypeError):
        call(np.zeros(3))
    world.barrier()


# -- ranks that disagree -----------------------------------------------------------

# What all do but one, and what that one does.
DISAGREEMENTS = {
    "size": (
        lambda w: w.reduce(np.zeros(5), pypar.SUM),
        lambda w: w.reduce(np.zeros(6), pypar.SUM),
    ),
    "large size": (
        lambda w: w.reduce(np.zeros(50_000), pypar.SUM),
        lambda w: w.reduce(np.zeros(60_000), pypar.SUM),
    ),
    "type": (
        lambda w: w.reduce(np.zeros(5), pypar.SUM),
        lambda w: w.reduce(np.zeros(5, "f4"), pypar.SUM),
    ),
    "operation": (
        lambda w: w.reduce(np.zeros(5), pypar.SUM),
        lambda w: w.reduce(np.zeros(5), pypar.MAX),
    ),
}


@ranks(2, 3, 4)
@pytest.mark.parametrize("name", DISAGREEMENTS)
def test_a_rank_that_disagrees_is_seen_and_nobody_waits_for_ever(world, name):
    others, odd_one = DISAGREEMENTS[name]
    for odd in range(world.size):
        try:
            (odd_one if world.rank == odd else others)(world)
            seen = None
        except pypar.Error as error:
            seen = str(error)
        for other in range(world.size):
            world.send(seen, other, tag=99)
        told = [world.receive(other, tag=99) for other in range(world.size)]
        told = [text for text in told if text]
        assert any(f"rank {odd}" in text for text in told)
        for text in told:
            assert sum(f"rank {rank}" in text for rank in range(world.size)) >= 2


def test_a_rank_in_another_collective_ends_the_job_with_the_reason(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        "from pypar import world\n"
        "world.barrier() if world.rank else world.gather(1)\n"
        "print('went on')\n"
    )
    done = mpirun(2, PYTHON, script)
    assert done.returncode not in (0, None), done
    assert "pypar.Error: " in done.stderr
    for word in ("barrier", "gather", "rank 0", "rank 1"):
        assert word in done.stderr
    assert "went on" not in done.stdout
