# SPDX-License-Identifier: MIT
"""Halos are filled with what the neighbours have there, and nothing else is touched.

The reference is one array of all ranks' points with what lies around it: numbers at
the edges, the other end in a periodic dimension. A rank's array is a window of it.
"""

import signal

import numpy as np
import pytest
from forms import form
from ranks import pypar, ranks

TYPES = ["f8", "f4", "i1", "?", "D", "f2", "g", ">i4", "U4", "S3", "M8[s]", "O"]
TYPES += [[("a", "i1"), ("b", "f8")], [("p", "f4", (2,)), ("n", "U3")]]

LAYOUTS = [
    np.ascontiguousarray,
    np.asfortranarray,
    lambda array: np.repeat(array, 2, axis=0)[::2],
    lambda array: np.flip(np.flip(array).copy()),
]


def numbered(shape, dtype, start):
    """An array of dtype made of the numbers from start on."""
    if names := np.dtype(dtype).names:
        result = np.zeros(shape, dtype)
        for name in names:
            field = result[name]
            field[...] = numbered(field.shape, field.dtype, start)
        return result
    numbers = np.arange(start, start + np.prod(shape, dtype=int)) % 1999
    if np.dtype(dtype).kind == "b":
        numbers = numbers % 3 == 0
    return numbers.astype(dtype).reshape(shape)


def around(array, dim, width, ring, start):
    """array with halos of width (before, after) in dimension dim of the reference."""
    before, after = width
    if ring:
        index = np.pad(np.arange(array.shape[dim]), width, mode="wrap")
        return np.take(array, index, axis=dim)
    shape = list(array.shape)
    shape[dim] = before + after
    edges = np.split(numbered(shape, array.dtype, start), [before], axis=dim)
    return np.concatenate([edges[0], array, edges[1]], axis=dim)


class Case:
    """A grid and how arrays on it look, drawn alike on all ranks."""

    def __init__(self, world, random):
        count = int(random.integers(1, 4))
        dims = [1] * count
        for prime in (2, 2, 2, 3, 5, 7):
            if world.size % (np.prod(dims) * prime) == 0:
                dims[random.integers(count)] *= prime
        self.grid = world.grid(dims, random.integers(2, size=count))
        self.width = [tuple(map(int, random.integers(0, 3, 2))) for _ in dims]
        least = [length * max(1, *w) for length, w in zip(dims, self.width, strict=True)]
        self.points = [least[d] + int(random.integers(0, 9)) for d in range(count)]
        self.further = random.integers(0, 4, random.integers(0, 3)).tolist()
        self.axes = random.permutation(count + len(self.further))[:count]
        self.layout = LAYOUTS[random.integers(len(LAYOUTS))]

    def window(self, dtype, start):
        """This rank's part of the reference, which is also its array."""
        whole = numbered((*self.points, *self.further), dtype, start)
        dims = range(len(self.width))
        for dim in sorted(dims, key=lambda dim: self.grid.periodic[dim]):  # edges first
            ring = self.grid.periodic[dim]
            whole = around(whole, dim, self.width[dim], ring, start + 500 * (dim + 1))
        parts = [self.grid.part(self.points[dim], dim) for dim in dims]
        shares = zip(parts, self.width, strict=True)
        return whole[tuple(slice(lo, hi + sum(width)) for (lo, hi), width in shares)]

    def places(self, shape):
        """For each point in how many dimensions it is in a halo that a neighbour
        fills, and in how many in one that nobody fills."""
        filled = left = 0
        for dim, (before, after) in enumerate(self.width):
            neighbours = self.grid.neighbours()[dim]
            halo = np.zeros(shape[dim], int)  # 1: filled, 2: left
            halo[:before] = 1 + (neighbours[0] is None)
            halo[shape[dim] - after :] = 1 + (neighbours[1] is None)
            halo = halo.reshape([-1 if d == dim else 1 for d in range(len(self.width))])
            filled, left = filled + (halo == 1), left + (halo == 2)
        return filled, left

    def array(self, dtype, corners, start):
        """(this rank's array, what it must become)."""
        window = self.window(dtype, start)
        unset = numbered((1,), dtype, 1777)[0]
        filled, left = self.places(window.shape)
        before, after = window.copy(), window.copy()
        before[filled > 0] = unset
        if not corners:
            after[(filled > 0) & (filled + left > 1)] = unset
        return self.laid(before), self.laid(after)

    def laid(self, array):
        """array as the caller has it: with the axes elsewhere, and with strides."""
        return self.layout(np.moveaxis(array, range(len(self.width)), self.axes))

    def options(self, corners):
        return {"width": self.width, "corners": corners, "axes": self.axes}


@ranks(1, 2, 3, 4, 5, 6, 7, 8)
@pytest.mark.parametrize("corners", [False, True])
@pytest.mark.parametrize("seed", range(20))
def test_any_grid_any_array(world, corners, seed):
    random = np.random.default_rng(seed)
    case = Case(world, random)
    for dtype in random.permutation(np.array(TYPES, object))[:3]:
        array, wanted = case.array(dtype, corners, int(random.integers(1000)))
        case.grid.exchange(array, **case.options(corners))
        assert form(array) == form(wanted), (case.__dict__, dtype)
    case.grid.free()


@ranks(1, 2, 4, 6)
@pytest.mark.parametrize("dtype", TYPES, ids=str)
def test_every_type(world, dtype):
    case = Case(world, np.random.default_rng(5))
    for corners in (False, True):
        array, wanted = case.array(dtype, corners, 3)
        case.grid.exchange(array, **case.options(corners))
        assert form(array) == form(wanted)
    case.grid.free()


@ranks(1, 2, 3, 8)
def test_several_arrays_at_once(world):
    for seed in range(5):
        case = Case(world, np.random.default_rng(seed))
        pairs = [case.array(dtype, True, 7 * i) for i, dtype in enumerate(TYPES)]
        case.grid.exchange(*(array for array, _ in pairs), **case.options(True))
        for array, wanted in pairs:
            assert form(array) == form(wanted)
        case.grid.exchange(**case.options(True))  # of none
        case.grid.free()


@ranks(2)
def test_both_neighbours_are_one_rank(world):
    grid = world.grid(1, periodic=True)
    line = np.array([-1, -1, 10, 11, 12, 13, -1]) + 10 * world.rank
    grid.exchange(line, width=[(2, 1)])
    other = 10 - 20 * world.rank
    assert (line - 10 * world.rank).tolist() == [
        *(12 + other, 13 + other, 10, 11, 12, 13, 10 + other)
    ]


@ranks(1)
def test_a_rank_is_its_own_neighbour(world):
    grid = world.grid(2, periodic=(True, False))
    array = np.arange(25.0).reshape(5, 5)
    wanted = array.copy()
    wanted[0, 1:-1], wanted[-1, 1:-1] = array[3, 1:-1], array[1, 1:-1]
    grid.exchange(array)
    assert form(array) == form(wanted)


@ranks(1, 2, 3, 4)
@pytest.mark.parametrize("corners", [False, True])
def test_large_faces(world, corners):
    grid = world.grid(2, True)
    shape = (606, 70, 50)  # a face is 0.2 to 2.4 MB
    array = np.full(shape, -1.0)
    inner = (slice(3, -3), slice(2, -2))
    array[inner] = world.rank + numbered((600, 66, 50), "f8", 0) / 4096
    grid.exchange(array, width=(3, 2), corners=corners)
    whole = array.copy()
    (up, down), (left, right) = grid.neighbours()
    mine = array[inner] - world.rank
    for rank, halo, face in (
        (up, np.s_[:3, 2:-2], np.s_[-3:]),
        (down, np.s_[-3:, 2:-2], np.s_[:3]),
        (left, np.s_[3:-3, :2], np.s_[:, -2:]),
        (right, np.s_[3:-3, -2:], np.s_[:, :2]),
    ):
        assert np.array_equal(whole[halo], mine[face] + rank)
    corner = grid.rank_of(np.array(grid.coords) - 1)
    wanted = mine[-3:, -2:] + corner if corners else np.full((3, 2, 50), -1.0)
    assert np.array_equal(whole[:3, :2], wanted)


@ranks(1, 2, 3, 4)
def test_several_exchanges_are_under_way(world):
    random = np.random.default_rng(1)
    cases = [Case(world, random) for _ in range(4)]
    started = []
    for i, case in enumerate(3 * cases):
        corners = i % 3 == 0
        array, wanted = case.array("f8", corners, i)
        exchange = case.grid.start_exchange(array, **case.options(corners))
        started.append((exchange, array, wanted))
    late = started[::3]  # with corners: in the same order on all ranks
    for i in np.random.default_rng(world.rank).permutation(len(started)):
        exchange, array, wanted = late.pop(0) if i % 3 == 0 else started[i]
        exchange.wait()
        assert form(array) == form(wanted)
    for exchange, array, wanted in started:
        exchange.wait()  # again is harmless
        assert form(array) == form(wanted)
    for case in cases:
        case.grid.free()


@ranks(2, 4)
def test_some_ranks_end_an_exchange_before_they_start_the_next(world):
    grid = world.grid((1, world.size), True)
    with_corners, without = np.full((2, 4, 4), 10 * world.rank)
    without += 1
    first = grid.start_exchange(with_corners, corners=True)
    if world.rank % 2:
        first.wait()
    second = grid.start_exchange(without)
    first.wait()
    second.wait()
    assert (with_corners % 10 == 0).all() and (without % 10 == 1).all()


@ranks(2)
@pytest.mark.parametrize("corners", [False, True])
def test_a_wait_that_is_interrupted_may_be_taken_up_again(world, corners):
    grid = world.grid(2, True)
    array = np.full((4, 4), -1)
    array[1:-1, 1:-1] = world.rank
    if world.rank == 1:
        assert world.receive(0) == "it is interrupted"
    exchange = grid.start_exchange(array, corners=corners)
    if world.rank == 0:
        before = signal.signal(signal.SIGALRM, signal.default_int_handler)
        with pytest.raises(KeyboardInterrupt):
            signal.setitimer(signal.ITIMER_REAL, 0.1)
            exchange.wait()
        signal.signal(signal.SIGALRM, before)
        world.send("it is interrupted", 1)
    exchange.wait()
    assert (array[1:-1] == world.rank).all()
    assert (array[[0, -1], 1:-1] == 1 - world.rank).all()


@ranks(2)
def test_what_is_sent_meets_no_other_message(world):
    grid = world.grid(1, True)
    line = np.full(4, world.rank)
    exchange = grid.start_exchange(line)
    world.barrier()
    assert world.iprobe(pypar.any_source, pypar.any_tag) is None
    world.barrier()
    world.send("of the user", 1 - world.rank)
    assert world.receive(pypar.any_source, pypar.any_tag) == "of the user"
    assert world.allreduce(1, pypar.SUM) == 2
    exchange.wait()
    assert line[0] == line[-1] == 1 - world.rank


# -- what is refused -------------------------------------------------------------------


def read_only():
    array = np.zeros((4, 4))
    array.flags.writeable = False
    return array


REFUSED = {
    "list": (lambda: [[1, 2, 3]] * 3, {}, TypeError, "of type list"),
    "None": (lambda: None, {}, TypeError, "of type NoneType"),
    "scalar": (lambda: np.float64(1), {}, TypeError, "of type float64"),
    "read-only": (read_only, {}, ValueError, r"\(4, 4\), is read-only"),
    "flat": (lambda: np.zeros(9), {}, ValueError, r"axes is \(0, 1\).*shape is \(9,\)"),
    "point": (lambda: np.zeros(()), {}, ValueError, r"shape is \(\)"),
    "small": (
        lambda: np.zeros((4, 2)),
        {},
        ValueError,
        "dimension 1 .* 2 points: .*1 and 1",
    ),
    "thin": (
        lambda: np.zeros((7, 5)),
        {"width": (2, 2)},
        ValueError,
        "dimension 1 .* 5 points: .*2 and 2 .*at least 2",
    ),
    "one side": (
        lambda: np.zeros((9, 5)),
        {"width": (1, (0, 3))},
        ValueError,
        "dimension 1 .* 5 points: .*0 and 3 .*at least 3",
    ),
    "negative": (None, {"width": -1}, ValueError, "width is -1: .*0 or more"),
    "half": (None, {"width": 0.5}, TypeError, r"width is 0\.5"),
    "no width": (None, {"width": None}, TypeError, "width is None"),
    "three": (None, {"width": (1, 1, 1)}, ValueError, r"width is \(1, 1, 1\): .*2 dim"),
    "triple": (None, {"width": (1, (1, 2, 3))}, ValueError, r"width is \(1, 2, 3\)"),
    "one axis": (None, {"axes": (0,)}, ValueError, r"axes is \(0,\): .*2 dimensions"),
    "same axes": (None, {"axes": (1, -1)}, ValueError, r"axes is \(1, -1\)"),
    "no axis": (
        None,
        {"axes": (0, 2)},
        ValueError,
        r"axes is \(0, 2\).*shape is \(4, 4\)",
    ),
    "odd axes": (None, {"axes": (0, "1")}, TypeError, "axis is '1'"),
}


@ranks(1, 2, 4)
@pytest.mark.parametrize("name", REFUSED)
@pytest.mark.parametrize("corners", [False, True])
def test_what_one_rank_is_refused_its_neighbours_hear_of(world, name, corners):
    make, options, kind, words = REFUSED[name]
    grid = world.grid(2)
    for odd in range(world.size):
        good = np.full((4, 4), world.rank)
        if world.rank == odd:
            bad = make() if make else np.zeros((4, 4))
            with pytest.raises(kind, match=f"^rank {odd}: .*{words}"):
                grid.exchange(bad, good, corners=corners, **options)
        else:
            near = {rank for pair in grid.neighbours() for rank in pair}
            try:
                grid.exchange(np.zeros((4, 4)), good, corners=corners)
            except pypar.Error as error:
                assert f"rank {odd}: " in str(error)
                assert str(error).startswith(f"rank {world.rank}: exchange has failed")
                assert corners or odd in near
            else:
                assert odd not in near
        well = np.full((4, 4), world.rank)  # the grid can be used again
        grid.exchange(well)
        after = grid.neighbours()[0][1]
        assert well[-1, 1:-1].tolist() == [world.rank if after is None else after] * 2


@ranks(2)
@pytest.mark.parametrize("corners", [False, True])
@pytest.mark.parametrize(
    "shapes, types, words",
    [
        ([(5, 7), (5, 6)], "dd", r"float64 of shape \(1, {}\); .* of shape \(1, {}\)"),
        ([(5, 7), (5, 7)], "df", r"is {} .*; the face from rank {other} is {}"),
        ([(5, 7, 2), (5, 7, 3)], "dd", r"\(1, {}, 2\); .*\(1, {}, 3\)|3\); .* 2\)"),
        ([(5, 7, 2), (5, 7)], "dd", "shape"),
    ],
)
def test_faces_that_do_not_match(world, shapes, types, words, corners):
    grid = world.grid((2, 1))
    other = 1 - world.rank
    array = np.zeros(shapes[world.rank], types[world.rank])
    inner = [shapes[r][1] - 2 * (not corners) for r in (world.rank, other)]
    names = [np.dtype(types[r]).name for r in (world.rank, other)]
    words = words.format(*(inner if "float64" in words else names), other=other)
    with pytest.raises(pypar.Error, match=f"rank {world.rank}: .*dimension 0"):
        grid.exchange(array, corners=corners)
