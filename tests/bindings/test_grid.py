# SPDX-License-Identifier: MIT
"""The ranks of a communicator as a Cartesian grid: shape, places and neighbours."""

import itertools
import math
import textwrap
from types import SimpleNamespace

import numpy as np
import pytest
from mpirun import PYTHON, mpirun
from ranks import pypar, ranks


def alone(size):
    """What a Grid asks of a communicator of size ranks, without them."""
    return SimpleNamespace(
        size=size, rank=0, allgather=lambda value: [value], duplicate=lambda: None
    )


def closest(size, count):
    """By trying all: how far apart the numbers are that are the closest."""
    divisors = [d for d in range(1, size + 1) if size % d == 0]
    tuples = itertools.product(divisors, repeat=count)
    return min(max(t) - min(t) for t in tuples if math.prod(t) == size)


# -- how many ranks in each dimension ----------------------------------------------


@ranks(1)
@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_chosen_dims_are_as_close_as_can_be_the_larger_first(world, count):
    for size in [*range(1, 65), 72, 96, 97, 100, 120, 128]:
        dims = pypar.Grid(alone(size), count).dims
        assert len(dims) == count and math.prod(dims) == size
        assert list(dims) == sorted(dims, reverse=True)
        assert max(dims) - min(dims) == closest(size, count), (size, dims)


@ranks(1)
@pytest.mark.parametrize(
    "size, wanted, dims",
    [
        (6, None, (3, 2)),
        (6, 1, (6,)),
        (12, 3, (3, 2, 2)),
        (16, 2, (4, 4)),
        (36, 3, (4, 3, 3)),
        (1024, 3, (16, 8, 8)),
        (1000, 3, (10, 10, 10)),
        (99991, 3, (99991, 1, 1)),  # a prime
        (2**20, 20, (2,) * 20),
        (6, (0, 0), (3, 2)),
        (6, (0, 3), (2, 3)),
        (12, [0, 2, 0], (3, 2, 2)),
        (12, (1, 0, 1), (1, 12, 1)),
        (6, (2, 3), (2, 3)),
        (6, np.array([3, 2]), (3, 2)),
        (5, np.int64(2), (5, 1)),
        (1, (0,) * 32, (1,) * 32),
    ],
    ids=str,
)
def test_dims(world, size, wanted, dims):
    grid = pypar.Grid(alone(size), wanted)
    assert grid.dims == dims
    assert all(type(length) is int for length in grid.dims)


@ranks(1)
def test_they_are_no_worse_than_those_of_mpi(world):
    MPI = pytest.importorskip("mpi4py.MPI")
    for size, count in itertools.product(range(1, 200), (1, 2, 3)):
        theirs = MPI.Compute_dims(size, count)
        ours = pypar.Grid(alone(size), count).dims
        assert max(ours) - min(ours) <= max(theirs) - min(theirs)


WRONG = [
    ((4, 2), ValueError, r"product of dims is 8: .*size, 6; dims is \(4, 2\)"),
    ((2, 2), ValueError, r"product of dims is 4: .*equal to .*size, 6; dims is \(2, 2\)"),
    ((4, 0), ValueError, r"product of dims is 4: .*divisor of .*size, 6; dims is \(4, 0"),
    ((-1, -6), ValueError, r"dims is \(-1, -6\)"),
    ((), ValueError, r"dims is \(\)"),
    ((1,) * 33, ValueError, "dims is .*1 to 32"),
    (0, ValueError, "dims is 0: it must be 1 to 32"),
    (-3, ValueError, "dims is -3"),
    (10**30, ValueError, "dims is 10000"),
    ((10**30, 0), ValueError, "dims is"),
    (2.0, TypeError, "dims is 2.0"),
    ((2.0, 3), TypeError, r"of dims is 2\.0: it must be an integer"),
    ("23", TypeError, "dims is '2'"),
    ((2, None), TypeError, "dims is None"),
]


@ranks(1)
@pytest.mark.parametrize("dims, kind, words", WRONG, ids=lambda x: str(x)[:20])
def test_what_are_no_dims(world, dims, kind, words):
    with pytest.raises(kind, match="rank 0: .*" + words):
        pypar.Grid(alone(6), dims)


@ranks(1)
@pytest.mark.parametrize("periodic", [(), (True,), (True, False, True)])
def test_periodic_is_one_or_one_for_each(world, periodic):
    with pytest.raises(ValueError, match=r"rank 0: periodic is \(.*2 dimensions"):
        world.grid(2, periodic)
    assert world.grid(2, [1, False]).periodic == (True, False)
    assert world.grid(3, np.True_).periodic == (True,) * 3
    assert world.grid(3).periodic == (False,) * 3
    with pytest.raises(TypeError):
        world.grid(2, False, 5)
    with pytest.raises(TypeError):
        world.grid(dim=2)


# -- all ranks say the same ----------------------------------------------------------


@ranks(2, 3)
def test_a_rank_that_says_something_else_stops_all(world):
    for odd in range(world.size):
        mine = world.rank == odd
        with pytest.raises(pypar.Error, match=rf"rank {world.rank}: .*{max(odd, 1)}$"):
            world.grid(1, periodic=mine)
        with pytest.raises(pypar.Error, match="dims"):
            world.grid(2 if mine else 1)
        kind, words = (
            (TypeError, "dims is 'x'") if mine else (pypar.Error, f"on rank {odd}")
        )
        with pytest.raises(kind, match=words):
            world.grid("x" if mine else 1)
        with pytest.raises((pypar.Error, ValueError), match=f"{world.size}; dims is"):
            world.grid((world.size + 1,) if mine else (world.size,))
        assert world.allreduce(1, pypar.SUM) == world.size
    assert world.grid().dims == (world.size, 1)


# -- places --------------------------------------------------------------------------


@ranks(1, 4, 6, 8)
@pytest.mark.parametrize("count", [1, 2, 3])
@pytest.mark.parametrize("periodic", [False, True, "some"])
def test_places_are_those_of_numpy_and_of_mpi(world, count, periodic):
    MPI = pytest.importorskip("mpi4py.MPI")
    if periodic == "some":
        periodic = [d % 2 == 0 for d in range(count)]
    grid = world.grid(count, periodic)
    cart = MPI.COMM_WORLD.Create_cart(grid.dims, grid.periodic, reorder=False)
    assert grid.comm is world
    assert list(grid.coords) == cart.Get_coords(world.rank)
    for rank in range(world.size):
        coords = grid.coords_of(rank)
        assert coords == tuple(np.unravel_index(rank, grid.dims))
        assert list(coords) == cart.Get_coords(rank)
        assert grid.rank_of(coords) == grid.rank_of(np.array(coords)) == rank
    for dim, step in itertools.product(range(count), range(-5, 6)):
        theirs = [None if r == MPI.PROC_NULL else r for r in cart.Shift(dim, step)]
        assert list(grid.shift(dim, step)) == theirs
    assert grid.neighbours() == tuple(grid.shift(d) for d in range(count))
    cart.Free()
    grid.free()


@ranks(6)
def test_ranks_beyond_the_edges(world):
    grid = world.grid((3, 2), periodic=(True, False))
    assert grid.rank_of((-1, 0)) == 4 and grid.rank_of((3, 1)) == 1
    assert grid.rank_of((-7, 1)) == 5
    assert grid.rank_of((0, 2)) is grid.rank_of((0, -1)) is grid.rank_of((5, 9)) is None
    before, after = grid.neighbours()[1]
    assert (before is None) == (world.rank % 2 == 0)
    assert (after is None) == (world.rank % 2 == 1)
    assert "3 x 2" in repr(grid) and str(grid.coords) in repr(grid)


@ranks(3)
def test_what_is_no_place(world):
    grid = world.grid((3, 1))
    for call, kind, words in (
        (lambda: grid.coords_of(3), ValueError, "rank is 3: it must be 0 to 2"),
        (lambda: grid.coords_of(-1), ValueError, "rank is -1"),
        (lambda: grid.coords_of(1.0), TypeError, r"rank is 1\.0"),
        (lambda: grid.rank_of((1,)), ValueError, r"coords is \(1,\): it must be 2"),
        (lambda: grid.rank_of((1, 0, 0)), ValueError, r"coords is \(1, 0, 0\)"),
        (lambda: grid.rank_of((1, "0")), TypeError, "coordinate is '0'"),
        (lambda: grid.shift(2), ValueError, "dim is 2: it must be 0 to 1"),
        (lambda: grid.shift(-1), ValueError, "dim is -1"),
        (lambda: grid.shift(None), TypeError, "dim is None"),
        (lambda: grid.shift(0, 0.5), TypeError, r"displacement is 0\.5"),
        (lambda: grid.part(-1, 0), ValueError, "n is -1: it must be 0 or more"),
        (lambda: grid.part(5, 2), ValueError, "dim is 2"),
        (lambda: grid.part(5.0, 0), TypeError, r"n is 5\.0"),
    ):
        with pytest.raises(kind, match=f"rank {world.rank}: .*{words}"):
            call()


@ranks(6)
@pytest.mark.parametrize("n", [0, 1, 5, 6, 7, 100])
def test_parts_cover_all_points_once_and_differ_by_one_at_most(world, n):
    grid = world.grid((3, 2))
    parts = world.allgather((grid.coords, grid.part(n, 0), grid.part(n, 1)))
    for dim, length in enumerate(grid.dims):
        shares = {coords[dim]: both[dim] for coords, *both in parts}
        points = [p for c in range(length) for p in range(*shares[c])]
        assert points == list(range(n))
        sizes = [stop - start for start, stop in shares.values()]
        assert max(sizes) - min(sizes) <= 1


# -- its communicator ------------------------------------------------------------------


@ranks(4)
def test_a_grid_of_some_of_the_ranks(world):
    comm = world.split(world.rank % 2)
    grid = comm.grid(1, True)
    assert grid.comm is comm and grid.dims == (2,)
    assert grid.neighbours() == ((1 - comm.rank,) * 2,)
    line = np.full(3, world.rank)
    grid.exchange(line)
    other = (world.rank + 2) % 4
    assert line.tolist() == [other, world.rank, other]


@ranks(2)
def test_after_free_there_are_places_and_no_exchange(world):
    grid = world.grid(1)
    grid.free()
    assert grid.shift(0) == ((None, 1), (0, None))[world.rank]
    with pytest.raises((pypar.Error, ValueError)):
        grid.exchange(np.zeros(3))
    grid.free()  # again is harmless
    comm = world.duplicate()
    comm.free()
    with pytest.raises((pypar.Error, ValueError)):
        comm.grid()


def test_without_numpy_there_are_grids(tmp_path):
    (tmp_path / "numpy.py").write_text("raise ModuleNotFoundError('No numpy')")
    script = tmp_path / "script.py"
    script.write_text(
        textwrap.dedent(
            """
            from pypar import world
            grid = world.grid(2, True)
            assert grid.neighbours() == ((1 - world.rank,) * 2, (world.rank,) * 2)
            try:
                grid.exchange([1])
            except ModuleNotFoundError:
                print("fine")
            """
        )
    )
    done = mpirun(2, PYTHON, script)
    assert (done.returncode, done.stderr) == (0, ""), done
    assert done.stdout.count("fine") == 2
