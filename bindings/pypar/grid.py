# SPDX-License-Identifier: MIT
"""The ranks of a communicator as a Cartesian grid."""

import itertools
import math
from collections.abc import Iterable, Iterator
from operator import index
from typing import TYPE_CHECKING, Any, SupportsIndex

from ._core import Comm, Error
from .balance import balance

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .halo import Exchange

_MOST = 32  # dimensions

_Dims = SupportsIndex | Iterable[SupportsIndex] | None
_Width = SupportsIndex | Iterable[SupportsIndex | Iterable[SupportsIndex]]


class Grid:
    """The ranks of a communicator in rows and columns, or in more dimensions.

    comm.grid(dims, periodic) makes one: collective, with the same arguments on all
    ranks. dims is the number of ranks in each dimension, 0 where that is to be
    chosen, or just how many dimensions to choose; two unless given. What is chosen
    is what MPI_Dims_create of the MPI standard aims at: numbers as close to each
    other as their product, the communicator's size, allows (the least difference
    of the largest and the smallest, then the least largest), and the larger first.
    periodic says whether the first rank of a dimension follows the last: a bool for
    all dimensions, or one for each.

    Ranks keep their numbers, the last coordinate counting fastest, as
    MPI_Cart_create has it without reordering.

    Halos travel on a duplicate of the communicator, so they meet no other message.

    Raises ValueError or TypeError for what is no grid of comm.size ranks; pypar.Error
    where the ranks' arguments differ, or another rank's are wrong: then no rank has
    a grid.

    comm      the communicator it was made of
    dims      how many ranks there are in each dimension
    periodic  for each dimension whether it closes to a ring
    coords    this rank's place, one number for each dimension
    """

    def __init__(
        self, comm: Comm, dims: _Dims = None, periodic: bool | Iterable[object] = False
    ) -> None:
        self.dims, self.periodic = _agreed(comm, dims, periodic)
        self.comm = comm
        self.coords = self.coords_of(comm.rank)
        self._neighbours = tuple(self.shift(dim) for dim in range(len(self.dims)))
        self.halos = comm.duplicate()  # what the exchanges send and receive on
        self._exchanges = itertools.count()

    def __repr__(self) -> str:
        dims = " x ".join(map(str, self.dims))
        return f"<pypar.Grid of {dims} ranks, this one at {self.coords}>"

    def free(self) -> None:
        """Free the duplicate of comm. Collective; the grid exchanges no more halos
        then. A grid that is dropped without it keeps its duplicate until the job
        ends."""
        self.halos.free()

    def coords_of(self, rank: SupportsIndex) -> tuple[int, ...]:
        """The coordinates of rank. ValueError if there is no such rank."""
        place = integer(self.comm, "rank", rank)
        if not 0 <= place < self.comm.size:
            raise refusal(self.comm, "rank", rank, f"0 to {self.comm.size - 1}")
        coords: list[int] = []
        for length in reversed(self.dims):
            place, coord = divmod(place, length)
            coords.append(coord)
        return tuple(reversed(coords))

    def rank_of(self, coords: Iterable[SupportsIndex]) -> int | None:
        """The rank at coords: around the ring in a periodic dimension, None beyond
        the edges of another. ValueError unless there is one for each dimension."""
        place = tuple(integer(self.comm, "a coordinate", c) for c in coords)
        if len(place) != len(self.dims):
            raise refusal(self.comm, "coords", place, f"{len(self.dims)} numbers")
        rank = 0
        for coord, length, ring in zip(place, self.dims, self.periodic, strict=True):
            if not ring and not 0 <= coord < length:
                return None
            rank = rank * length + coord % length
        return rank

    def shift(
        self, dim: SupportsIndex, displacement: SupportsIndex = 1
    ) -> tuple[int | None, int | None]:
        """The ranks (source, dest) that lie displacement before and after this one in
        dimension dim; None where there is nobody. ValueError if there is no such
        dimension."""
        dim = self._dim(dim)
        step = integer(self.comm, "displacement", displacement)
        return self._along(dim, -step), self._along(dim, step)

    def _along(self, dim: int, step: int) -> int | None:
        coords = list(self.coords)
        coords[dim] += step
        return self.rank_of(coords)

    def neighbours(self) -> tuple[tuple[int | None, int | None], ...]:
        """For each dimension the ranks (before, after) next to this one; None where
        there is nobody."""
        return self._neighbours

    def part(self, n: SupportsIndex, dim: SupportsIndex) -> tuple[int, int]:
        """This rank's share (start, stop) of n points along dimension dim, which are
        shared out by pypar.balance. ValueError if n is negative or there is no such
        dimension."""
        dim, points = self._dim(dim), integer(self.comm, "n", n)
        if points < 0:
            raise refusal(self.comm, "n", n, "0 or more")
        return balance(points, self.dims[dim], self.coords[dim])

    def _dim(self, dim: SupportsIndex) -> int:
        number = integer(self.comm, "dim", dim)
        if not 0 <= number < len(self.dims):
            raise refusal(self.comm, "dim", dim, f"0 to {len(self.dims) - 1}")
        return number

    def exchange(
        self,
        *arrays: "NDArray[Any]",
        width: _Width = 1,
        corners: bool = False,
        axes: SupportsIndex | Iterable[SupportsIndex] | None = None,
    ) -> None:
        """Fill the halos of arrays with what this rank's neighbours have there.

        The halo is the outermost layers of an array, width of them at both ends of
        each dimension of the grid: width is a number, or for each dimension a number
        or a pair (before, after). What it surrounds, the interior, is this rank's own,
        and its outermost layers fill the neighbours' halos. Where there is no neighbour
        the halo is left as it is. axes says which axis of the arrays belongs to which
        dimension of the grid, the first ones unless given; other axes travel whole.
        The arrays are NumPy's, of any type and strides, and are changed in place.

        Without corners only those parts of the halo are filled that touch the interior.
        With corners all of it is, one dimension after the other, which takes more time;
        then halos at the edges of the grid travel along with the layers that they touch.

        Every rank calls it in the same order, with as many arrays, the same types and
        width, and faces that match those of its neighbours; it waits for these. Raises
        TypeError or ValueError if an array or an argument is not such; pypar.Error if a
        neighbour's does not match or has been refused there. Nobody waits for ever for
        a rank that was refused, and the grid can be used again; what the halos hold
        then is undefined.
        """
        self.start_exchange(*arrays, width=width, corners=corners, axes=axes).wait()

    def start_exchange(
        self,
        *arrays: "NDArray[Any]",
        width: _Width = 1,
        corners: bool = False,
        axes: SupportsIndex | Iterable[SupportsIndex] | None = None,
    ) -> "Exchange":
        """Start an exchange and return it. Its method wait() ends it, as exchange would
        have, and must be called; until then the arrays' interior must stay as it is and
        their halos mean nothing. Several may be under way at a time; those without
        corners may be ended in any order, those with corners in the same order on all
        ranks, as they go on only in wait()."""
        from .halo import Exchange  # which needs NumPy; a grid doesn't

        return Exchange(self, arrays, width, corners, axes)

    def next_exchange(self) -> int:
        """The number of an exchange that starts, the same on all ranks."""
        return next(self._exchanges)


def integer(comm: Comm, name: str, value: Any) -> int:
    """value as an int; TypeError, by name, if it is none."""
    try:
        return index(value)
    except TypeError:
        raise TypeError(
            f"rank {comm.rank}: {name} is {value!r}: it must be an integer"
        ) from None


def each(comm: Comm, name: str, value: Any, count: int, right: str) -> tuple[Any, ...]:
    """value as a tuple of count: as it is, or so many times; ValueError, by name, if it
    has another length."""
    values = tuple(value) if isinstance(value, Iterable) else (value,) * count
    if len(values) != count:
        raise refusal(comm, name, value, right)
    return values


def refusal(comm: Comm, name: str, value: object, right: str) -> ValueError:
    """The exception that says what value would be right."""
    return ValueError(f"rank {comm.rank}: {name} is {value!r}: it must be {right}")


# ---- what all ranks must say alike -------------------------------------------


def _agreed(
    comm: Comm, dims: _Dims, periodic: bool | Iterable[object]
) -> tuple[tuple[int, ...], tuple[bool, ...]]:
    """(dims, periodic) in full, the same on all ranks; else an exception on all."""
    mine: tuple[tuple[int, ...], tuple[bool, ...]] | Exception
    try:
        lengths = _lengths(comm, dims)
        mine = lengths, _rings(comm, periodic, len(lengths))
    except (TypeError, ValueError) as error:
        mine = error
    everybody = comm.allgather(mine)
    if isinstance(mine, Exception):
        raise mine
    for theirs in everybody:
        if isinstance(theirs, Exception):
            raise Error(f"rank {comm.rank}: grid has failed on {theirs}")
    for rank, theirs in enumerate(everybody):
        if theirs != everybody[0]:
            raise Error(
                f"rank {comm.rank}: grid was called for (dims, periodic) of "
                f"{everybody[0]} on rank 0 and of {theirs} on rank {rank}"
            )
    return mine


def _lengths(comm: Comm, dims: _Dims) -> tuple[int, ...]:
    """How many ranks each dimension has."""
    wanted = _wanted(comm, dims)
    if not 1 <= len(wanted) <= _MOST or min(wanted) < 0:
        right = f"1 to {_MOST} numbers of ranks, 0 where that is to be chosen"
        raise refusal(comm, "dims", dims, right)
    fixed = math.prod(length for length in wanted if length)
    free = wanted.count(0)
    if comm.size % fixed or (not free and fixed != comm.size):
        right = "a divisor of" if free else "equal to"
        right = f"{right} the communicator's size, {comm.size}"
        raise refusal(comm, "the product of dims", fixed, f"{right}; dims is {dims!r}")
    chosen = iter(_balanced(comm.size // fixed, free) if free else ())
    return tuple(length or next(chosen) for length in wanted)


def _wanted(comm: Comm, dims: _Dims) -> tuple[int, ...]:
    if dims is None:
        return (0, 0)
    if isinstance(dims, Iterable):
        return tuple(integer(comm, "a number of dims", length) for length in dims)
    count = integer(comm, "dims", dims)
    if not 1 <= count <= _MOST:
        raise refusal(comm, "dims", dims, f"1 to {_MOST} dimensions")
    return (0,) * count


def _rings(comm: Comm, periodic: object, count: int) -> tuple[bool, ...]:
    """For each of count dimensions whether it is periodic."""
    right = f"True or False, or one of these for each of {count} dimensions"
    return tuple(map(bool, each(comm, "periodic", periodic, count, right)))


def _balanced(size: int, count: int) -> tuple[int, ...]:
    """The count numbers of product size that are closest to each other, the larger
    first."""
    return min(_products(size, count, size), key=lambda p: (p[0] - p[-1], p))


def _products(size: int, count: int, largest: int) -> Iterator[tuple[int, ...]]:
    """All ways to write size as a product of count numbers, none above largest or the
    number before it."""
    if count == 1:
        if size <= largest:
            yield (size,)
        return
    for first in range(min(size, largest), 0, -1):
        if first**count < size:
            return
        if size % first == 0:
            for rest in _products(size // first, count - 1, first):
                yield first, *rest
