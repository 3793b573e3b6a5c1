# SPDX-License-Identifier: MIT
"""Arrays that collective calls part and put together along the first axis: buffer= and
counts=, and reduce_scatter."""

import functools
import operator

import numpy as np
import pytest
from ranks import pypar, ranks

LENGTHS = [0, 1, 3, 500, 40_000]
RECORD = np.dtype([("a", "i4"), ("b", "f8"), ("c", "U3")])
LOCATION = np.dtype([("value", "f8"), ("index", "i8")])


def lengths(turn, size):
    """How many rows each rank has, the same on all."""
    return [int(n) for n in np.random.default_rng(turn).choice(LENGTHS, size)]


def rows(source, dest, length, dtype="f8", width=None):
    """What source has for dest: of a length, and a row of a width."""
    shape = length if width is None else (length, width)
    chooser = np.random.default_rng([source, dest])
    if np.dtype(dtype) == RECORD:
        made = np.zeros(shape, RECORD)
        made["a"] = chooser.integers(0, 100, shape)
        made["c"] = "x€"
        return made
    return chooser.integers(0, 100, shape).astype(dtype)


def joined(parts):
    return np.concatenate(parts).astype(parts[0].dtype)


def same(got, expected):
    return got.dtype == expected.dtype and got.tolist() == expected.tolist()


# -- gather -----------------------------------------------------------------------


@ranks(1, 2, 3, 4)
@pytest.mark.parametrize("dtype", ["f8", "i2", "?", "F", "f2", ">i4", "M8[s]", RECORD])
@pytest.mark.parametrize("width", [None, 3])
def test_gather_puts_arrays_of_any_length_one_behind_the_other(world, dtype, width):
    for turn in range(5):
        root, each = turn % world.size, lengths(turn, world.size)
        every = [rows(r, root, n, dtype, width) for r, n in enumerate(each)]
        if world.rank == root:
            buffer = np.zeros_like(joined(every))
            assert world.gather(every[world.rank], root, buffer=buffer) is buffer
            assert same(buffer, joined(every))
        else:
            assert world.gather(every[world.rank], root) is None


@ranks(1, 2, 4)
@pytest.mark.parametrize("turn", range(4))
def test_allgather_puts_arrays_one_behind_the_other_on_every_rank(world, turn):
    every = [rows(r, 0, n, "i8", 2) for r, n in enumerate(lengths(turn, world.size))]
    buffer = np.zeros_like(joined(every))
    assert world.allgather(every[world.rank], buffer=buffer) is buffer
    assert same(buffer, joined(every))


@ranks(3)
def test_a_buffer_may_lie_in_any_way(world):
    every = [rows(r, 0, 100 + r, "f8", 4) for r in range(3)]
    mine, expected = every[world.rank], joined(every)
    whole = np.full((606, 8), -1.0)
    view = whole[::2, ::2]
    for buffer in (
        view,
        np.asfortranarray(np.zeros((303, 4))),
        np.zeros((4, 303)).T,
        np.zeros((303, 4))[::-1],
    ):
        assert world.allgather(mine, buffer=buffer) is buffer
        assert same(buffer, expected)
        assert world.allgather(np.asfortranarray(mine), buffer=buffer) is buffer
        assert same(buffer, expected)
        assert world.allgather(mine[::-1], buffer=buffer) is buffer
        assert same(buffer, joined([part[::-1] for part in every]))
    view[...] = -1
    assert (whole == -1).all()


@ranks(2, 3)
def test_memory_of_other_kinds_is_a_buffer(world):
    memory = bytearray(5 * world.size)
    assert world.allgather(b"%05d" % world.rank, buffer=memory) is memory
    assert memory == b"".join(b"%05d" % r for r in range(world.size))
    view = memoryview(np.zeros(world.size))
    assert world.allgather(np.array([2.5]), buffer=view) is view
    assert view.tolist() == [2.5] * world.size


@ranks(1, 3)
def test_an_array_without_the_first_axis_is_a_row(world):
    buffer = np.zeros((world.size, 3))
    world.allgather(np.full(3, world.rank + 0.5), buffer=buffer)
    assert (buffer == np.arange(world.size)[:, None] + 0.5).all()
    buffer = np.zeros(world.size)
    world.allgather(np.float64(world.rank), buffer=buffer)
    assert (buffer == np.arange(world.size)).all()


@ranks(1, 3)
@pytest.mark.parametrize("length", [3, 100_000])
def test_a_part_may_be_in_its_place_already(world, length):
    buffer = np.full(world.size * length, -1.0)
    mine = buffer[world.rank * length :][:length]
    mine[...] = world.rank
    world.allgather(mine, buffer=buffer)
    assert (buffer == np.repeat(np.arange(world.size), length)).all()
    if world.rank == world.size - 1:
        buffer[: -len(mine)] = -1
        world.gather(buffer[-length:], world.rank, buffer=buffer)
        assert (buffer == np.repeat(np.arange(world.size), length)).all()
    else:
        world.gather(mine, world.size - 1)


WRONG = {  # what one rank gives in the place of 10 rows of three float64, and the error
    "length": (lambda: np.zeros((11, 3)), "SizeMismatch", r"\[.*11.*\].*has 30|has 20"),
    "row": (
        lambda: np.zeros((10, 4)),
        "SizeMismatch",
        r"rank 1 gives has shape \(10, 4\)",
    ),
    "axes": (
        lambda: np.zeros((5, 2, 3)),
        "SizeMismatch",
        r"rank 1 gives has shape \(5, 2",
    ),
    "dtype": (lambda: np.zeros((10, 3), "f4"), "TypeMismatch", "rank 1 gives.* float32"),
    "object": (lambda: [1, 2], "TypeMismatch", "rank 1 gives holds an object"),
    "large": (lambda: np.zeros((90_000, 3)), "SizeMismatch", "90000"),
}


@ranks(2, 3)
@pytest.mark.parametrize("name", WRONG)
def test_what_does_not_fit_is_named_and_the_buffer_stays_as_it_was(world, name):
    make, error, words = WRONG[name]
    mine = make() if world.rank == 1 else np.zeros((10, 3))
    buffer = np.full((10 * world.size, 3), -1.0)
    with pytest.raises(getattr(pypar, error), match=words):
        world.allgather(mine, buffer=buffer)
    assert (buffer == -1).all()
    for root in range(world.size):
        if world.rank == root:
            with pytest.raises(getattr(pypar, error), match=words):
                world.gather(mine, root, buffer=buffer)
            assert (buffer == -1).all()
        else:
            world.gather(mine, root)
    assert world.allgather(world.rank) == list(range(world.size))


@ranks(2)
def test_what_is_no_buffer_is_refused_and_the_call_can_be_done_again(world):
    read_only = np.zeros(4)
    read_only.flags.writeable = False
    for buffer, error in (
        ([0] * 4, TypeError),
        (b"1234", TypeError),
        (np.zeros(()), ValueError),
        (read_only, ValueError),
    ):
        with pytest.raises(error):
            world.allgather(np.zeros(2), buffer=buffer)
        with pytest.raises(error):
            world.alltoall(np.zeros(2), buffer=buffer)
        if world.rank == 0:
            with pytest.raises(error):
                world.gather(np.zeros(2), buffer=buffer)
    for buffer in ([0], read_only):
        with pytest.raises((TypeError, ValueError)):
            world.scatter(np.zeros(2), buffer=buffer)
        with pytest.raises((TypeError, ValueError)):
            world.allreduce(np.zeros(4), pypar.SUM, buffer=buffer)
    buffer = np.zeros(4)
    world.allgather(np.ones(2), buffer=buffer)
    assert (buffer == 1).all()


# -- scatter ----------------------------------------------------------------------


@ranks(1, 2, 3, 4)
@pytest.mark.parametrize("turn", range(4))
def test_scatter_parts_an_array_by_counts(world, turn):
    root, counts = turn % world.size, lengths(turn, world.size)
    whole = rows(root, 0, sum(counts), "f8", 2)
    lo = sum(counts[: world.rank])
    expected = whole[lo : lo + counts[world.rank]]
    mine = whole if world.rank == root else None
    got = world.scatter(mine, root, counts=counts)
    assert same(got, expected)
    assert not np.shares_memory(got, whole)
    buffer = np.zeros_like(expected)
    assert world.scatter(mine, root, buffer=buffer, counts=counts) is buffer
    assert same(buffer, expected)


@ranks(1, 3, 4)
@pytest.mark.parametrize("length", [0, 2, 10, 50_001])
def test_scatter_parts_an_array_equally_into_buffers(world, length):
    whole = np.arange(length)
    lo, hi = pypar.balance(length, world.size, world.rank)
    buffer = np.zeros(2 * (hi - lo), int)[::2]
    got = world.scatter(whole if world.rank == 0 else None, buffer=buffer)
    assert got is buffer
    assert (buffer == np.arange(lo, hi)).all()


@ranks(3)
def test_scatter_by_counts_cuts_any_sequence(world):
    for whole in ("abcdef", b"abcdef", list("abcdef"), range(6)):
        got = world.scatter(whole if world.rank == 0 else None, counts=[1, 0, 5])
        assert got == (whole[:1], whole[1:1], whole[1:])[world.rank]


@ranks(3)
def test_scatter_fills_a_buffer_with_an_item(world):
    buffer = np.zeros(5)
    items = [np.full(5, rank) + 0.5 for rank in range(3)]
    assert world.scatter(items if world.rank == 0 else None, buffer=buffer) is buffer
    assert (buffer == world.rank + 0.5).all()
    table = np.array(items) + 1
    assert world.scatter(table if world.rank == 0 else None, buffer=buffer) is buffer
    assert (buffer == world.rank + 1.5).all()


@ranks(2, 3)
@pytest.mark.parametrize("length", [4, 30_000])
@pytest.mark.parametrize("odd", [0, 1])
def test_a_part_that_does_not_fit_its_buffer_fails_there_alone(world, length, odd):
    whole = np.ones(length * world.size) if world.rank == 0 else None
    for wrong, error in (
        (np.full(length + 1, -1.0), "SizeMismatch"),
        (np.full(length - 1, -1.0), "SizeMismatch"),
        (np.full(length, -1), "TypeMismatch"),
    ):
        if world.rank == odd:
            with pytest.raises(getattr(pypar, error), match=f"{length} float64"):
                world.scatter(whole, buffer=wrong)
            assert (wrong == -1).all()
        else:
            world.scatter(whole, buffer=np.zeros(length))
    assert world.allgather(world.rank) == list(range(world.size))


BAD_COUNTS = [[1], [1, 2, 3, 4, 5], [-1, 11], [4, 5], [5, 6], [2.5, 7.5], 10, "ab"]


@ranks(2)
@pytest.mark.parametrize("counts", BAD_COUNTS, ids=str)
def test_bad_counts_are_refused_and_the_call_can_be_done_again(world, counts):
    errors = (ValueError, TypeError)
    with pytest.raises(errors if world.rank == 0 else pypar.Error):
        world.scatter(np.arange(10), counts=counts)
    with pytest.raises(errors):
        world.alltoall(np.arange(10), counts=counts)
    with pytest.raises(errors):
        world.reduce_scatter(np.arange(10), pypar.SUM, counts=counts)
    with pytest.raises(errors):
        world.reduce_scatter(np.arange(10).astype("f2"), pypar.SUM, counts=counts)
    whole = np.arange(10) if world.rank == 0 else None
    assert len(world.scatter(whole, counts=[3, 7])) == (3, 7)[world.rank]


@ranks(2)
def test_counts_are_named_with_what_they_must_add_up_to(world):
    with pytest.raises(ValueError, match=r"\(4, 5\).*2 numbers.*together 10"):
        world.alltoall(np.arange(10), counts=[4, 5])
    world.barrier()


# -- alltoall ---------------------------------------------------------------------


@ranks(1, 2, 3, 4)
@pytest.mark.parametrize("turn", range(4))
def test_alltoall_parts_and_joins(world, turn):
    def count(source, dest):
        return lengths([turn, source], world.size)[dest]

    counts = [count(world.rank, dest) for dest in range(world.size)]
    out = joined([rows(world.rank, dest, n, "i4", 3) for dest, n in enumerate(counts)])
    came = [rows(r, world.rank, count(r, world.rank), "i4", 3) for r in range(world.size)]
    buffer = np.zeros_like(joined(came))
    assert world.alltoall(out, buffer=buffer, counts=counts) is buffer
    assert same(buffer, joined(came))
    got = world.alltoall(out, counts=counts)
    assert type(got) is list
    assert all(same(*pair) for pair in zip(got, came, strict=True))


@ranks(2, 3)
def test_alltoall_parts_equally_where_there_is_a_buffer(world):
    out = np.arange(world.size * 4) + 100 * world.rank
    buffer = np.zeros(world.size * 4, int)
    world.alltoall(out, buffer)
    mine = np.arange(4) + 4 * world.rank
    assert same(buffer, joined([mine + 100 * r for r in range(world.size)]))


@ranks(2, 3)
def test_alltoall_puts_items_into_a_buffer(world):
    buffer = np.zeros((world.size, 2))
    items = [np.array([world.rank, dest], float) for dest in range(world.size)]
    world.alltoall(items, buffer=buffer)
    assert buffer.tolist() == [[r, world.rank] for r in range(world.size)]


@ranks(3)
def test_an_alltoall_that_does_not_fit_fails_where_it_does_not(world):
    counts = [40_000, 1, 1] if world.rank == 0 else [1, 1, 1]
    buffer = np.full(3, -1.0)
    if world.rank == 0:
        with pytest.raises(pypar.SizeMismatch, match=r"\[40000, 1, 1\].*has 3"):
            world.alltoall(np.zeros(sum(counts)), buffer=buffer, counts=counts)
        assert (buffer == -1).all()
    else:
        world.alltoall(np.zeros(sum(counts)), buffer=buffer, counts=counts)
        assert (buffer == 0).all()
    assert world.allgather(world.rank) == [0, 1, 2]


# -- reduce and its like ------------------------------------------------------------


def add_up(arrays):
    return functools.reduce(operator.add, arrays)


@ranks(1, 2, 3, 4)
@pytest.mark.parametrize("dtype", ["f8", "i2", "F", "f2"])
@pytest.mark.parametrize("length", [0, 3, 40_000])
def test_results_go_into_a_buffer(world, dtype, length):
    every = [rows(r, 0, length, dtype) for r in range(world.size)]
    mine, kept = every[world.rank].copy(), every[world.rank]
    buffer = np.full(length, -1, dtype)
    assert world.allreduce(mine, pypar.SUM, buffer=buffer) is buffer
    assert same(buffer, add_up(every))
    assert world.scan(mine, pypar.SUM, buffer) is buffer
    assert same(buffer, add_up(every[: world.rank + 1]))
    before = buffer.copy()
    got = world.exscan(mine, pypar.SUM, buffer=buffer)
    assert got is (buffer if world.rank else None)
    assert same(buffer, add_up(every[: world.rank]) if world.rank else before)
    for root in range(world.size):
        buffer[...] = 99
        got = world.reduce(mine, pypar.SUM, root, buffer=buffer)
        assert got is (buffer if world.rank == root else None)
        assert same(buffer, add_up(every) if world.rank == root else buffer * 0 + 99)
    assert same(mine, kept)


@ranks(1, 3, 4)
@pytest.mark.parametrize("length", [3, 40_000])
def test_the_buffer_may_be_the_array_itself(world, length):
    every = [rows(r, 0, length) for r in range(world.size)]
    for name, expected in (
        ("allreduce", add_up(every)),
        ("scan", add_up(every[: world.rank + 1])),
    ):
        mine = every[world.rank].copy()
        assert getattr(world, name)(mine, pypar.SUM, buffer=mine) is mine
        assert same(mine, expected)
    both = joined([every[world.rank], [0.0]])
    world.allreduce(both[:-1], pypar.SUM, buffer=both[1:])
    assert same(both[1:], add_up(every))


@ranks(2)
def test_a_buffer_of_a_result_may_lie_in_any_way(world):
    mine = np.arange(12.0).reshape(3, 4)
    for buffer in (np.zeros((3, 8))[:, ::2], np.zeros((4, 3)).T, np.zeros(12)):
        world.allreduce(mine, pypar.SUM, buffer=buffer)
        assert buffer.ravel().tolist() == (2 * mine).ravel().tolist()
    unaligned = np.frombuffer(bytearray(97), np.uint8)[1:].view("f8")
    unaligned[...] = mine.ravel()
    world.allreduce(unaligned, pypar.SUM, buffer=unaligned)
    assert unaligned.tolist() == (2 * mine).ravel().tolist()


@ranks(2, 3)
def test_a_result_that_does_not_fit_fails_where_it_does_not(world):
    mine = np.ones(4)
    for wrong, error in (
        (np.full(5, -1.0), pypar.SizeMismatch),
        (np.full(4, -1), pypar.TypeMismatch),
    ):
        buffer = wrong if world.rank == 1 else np.zeros(4)
        for name in ("allreduce", "scan"):
            if world.rank == 1:
                with pytest.raises(error, match="the result holds 4 float64"):
                    getattr(world, name)(mine, pypar.SUM, buffer=buffer)
                assert (buffer == -1).all()
            else:
                getattr(world, name)(mine, pypar.SUM, buffer=buffer)
    with pytest.raises(pypar.TypeMismatch, match="the result holds an object"):
        world.allreduce([1], pypar.SUM, buffer=np.zeros(2))
    assert world.allgather(world.rank) == list(range(world.size))


# -- reduce_scatter -----------------------------------------------------------------


@ranks(1, 2, 3, 4)
@pytest.mark.parametrize("dtype", ["f8", "i2", "f2"])
@pytest.mark.parametrize("width", [None, 3])
def test_reduce_scatter_gives_the_parts_of_a_reduce(world, dtype, width):
    for turn in range(4):
        counts = lengths(turn, world.size)
        mine = rows(world.rank, 0, sum(counts), dtype, width)
        whole = world.allreduce(mine, pypar.SUM)
        lo = sum(counts[: world.rank])
        expected = whole[lo : lo + counts[world.rank]]
        got = world.reduce_scatter(mine, pypar.SUM, counts)
        assert same(got, expected) and got.shape == expected.shape
        buffer = np.zeros_like(expected)
        assert world.reduce_scatter(mine, pypar.SUM, counts, buffer=buffer) is buffer
        assert same(buffer, expected)


@ranks(3, 4)
def test_reduce_scatter_has_the_bits_of_a_reduce(world):
    chooser = np.random.default_rng(world.rank)
    mine = chooser.normal(size=1000) * 10.0 ** chooser.integers(-20, 20, 1000)
    whole = world.allreduce(mine, pypar.SUM)
    lo, hi = pypar.balance(1000, world.size, world.rank)
    assert world.reduce_scatter(mine, pypar.SUM).tobytes() == whole[lo:hi].tobytes()


@ranks(1, 3)
def test_reduce_scatter_joins_a_list_of_one_for_each_rank(world):
    mine = [f"{world.rank}>{dest} " for dest in range(world.size)]
    got = world.reduce_scatter(mine, pypar.SUM)
    assert got == "".join(f"{r}>{world.rank} " for r in range(world.size))
    got = world.reduce_scatter(mine, lambda a, b: b + a)
    assert got == "".join(f"{r}>{world.rank} " for r in reversed(range(world.size)))
    with pytest.raises(ValueError, match="reduce_scatter has .* one for each rank"):
        world.reduce_scatter([*mine, 1], pypar.SUM)
    world.barrier()


# -- MINLOC, MAXLOC -------------------------------------------------------------------


@ranks(1, 2, 3, 4)
@pytest.mark.parametrize("dtype", [LOCATION, "i8,i8", [("x", "f8"), ("rank", "i8")]])
@pytest.mark.parametrize("name", ["reduce", "allreduce"])
def test_minloc_and_maxloc_find_the_first_place(world, dtype, name):
    every = np.zeros((world.size, 500), dtype)
    value, index = every.dtype.names
    chooser = np.random.default_rng(7)
    every[value] = chooser.integers(0, 4, every.shape)
    every[index] = chooser.permutation(every.size).reshape(every.shape)
    for op, best in ((pypar.MINLOC, np.min), (pypar.MAXLOC, np.max)):
        got = getattr(world, name)(every[world.rank], op)
        if got is None:
            assert name == "reduce" and world.rank > 0
            continue
        assert got.dtype == every.dtype
        assert (got[value] == best(every[value], axis=0)).all()
        places = np.where(every[value] == got[value], every[index], every.size)
        assert (got[index] == places.min(axis=0)).all()


@ranks(1, 3)
def test_minloc_and_maxloc_of_pairs(world):
    pair = ("ab"[world.rank % 2], world.size - world.rank)
    every = [("ab"[r % 2], world.size - r) for r in range(world.size)]
    assert world.allreduce(pair, pypar.MINLOC) == min(every)
    assert world.allreduce(pair, pypar.MAXLOC) == min(
        every, key=lambda p: (-ord(p[0]), p[1])
    )


@ranks(1, 3)
@pytest.mark.parametrize("as_array", [True, False])
def test_what_is_no_number_is_found(world, as_array):
    pair = (float("nan") if world.rank else 1.0, world.rank)
    mine = np.array([pair], LOCATION) if as_array else pair
    for op in (pypar.MINLOC, pypar.MAXLOC):
        got = world.allreduce(mine, op)
        value, index = got[0] if as_array else got
        assert index == min(1, world.size - 1)
        assert np.isnan(value) == (world.size > 1)


@ranks(2)
@pytest.mark.parametrize("dtype", ["f8", "f4,i8", "i8,i4", "f8,>i8", "f8,i8,i8", "O"])
def test_arrays_of_anything_else_have_no_location(world, dtype):
    for op in (pypar.MINLOC, pypar.MAXLOC):
        with pytest.raises(pypar.TypeMismatch, match="LOC.*two fields.*'index', 'i8'"):
            world.allreduce(np.zeros(3, dtype), op)
    with pytest.raises(pypar.TypeMismatch, match="SUM"):
        world.allreduce(np.zeros(3, LOCATION), pypar.SUM)
    world.barrier()


@ranks(1, 2)
def test_objects_that_are_no_pairs_have_no_location(world):
    for wrong in (5, (1, 2, 3), None):
        mine = wrong if world.rank == world.size - 1 else (1, 2)
        words = f"what rank {world.size - 1} gives is .*pairs"
        with pytest.raises(pypar.TypeMismatch, match=words):
            world.allreduce(mine, pypar.MINLOC)


@ranks(2)
def test_locations_travel_with_the_names_of_their_fields(world):
    for dtype in (LOCATION, np.dtype("i8,i8"), np.dtype((np.record, LOCATION))):
        got = world.broadcast(np.ones(3, dtype) if world.rank == 0 else None)
        assert got.dtype == dtype and got.dtype.type is dtype.type
        assert got.tolist() == np.ones(3, dtype).tolist()
