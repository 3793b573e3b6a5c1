# SPDX-License-Identifier: MIT
"""Halos: the outermost layers of a rank's array, which its neighbours fill.

The layers of the interior that a neighbour wants are a face. In each dimension of
the grid a rank sends its faces to the ranks before and after it, and theirs arrive
in its halos.
"""

from collections.abc import Iterable
from typing import Any

import numpy as np

from ._core import Error, Request, max_tag
from .grid import Grid, each, integer, refusal

_Array = np.ndarray[Any, np.dtype[Any]]
_Widths = list[tuple[int, int]]  # for each dimension of the grid

_SIDES = ("before", "after")


class Exchange:
    """An exchange of halos under way; see Grid.start_exchange."""

    def __init__(
        self, grid: Grid, arrays: Iterable[Any], width: Any, corners: bool, axes: Any
    ) -> None:
        self._parts = [_Part(grid, array, width, corners, axes) for array in arrays]
        dims = range(len(grid.dims))
        # With corners the halos of one dimension are in the faces of the next.
        self._steps = [[dim] for dim in dims] if corners else [list(dims)]
        self._start()

    def _start(self) -> None:
        """Start the next step, if there is one."""
        for dims in self._steps[:1]:
            for part in self._parts:
                part.start(dims)

    def wait(self) -> None:
        """Wait until the halos are filled and the faces have left. Raises pypar.Error,
        TypeError or ValueError as Grid.exchange does."""
        while self._steps:
            for part in self._parts:
                part.finish()
            del self._steps[0]
            self._start()
        for part in self._parts:
            if part.error:
                raise part.error


class _Part:
    """The exchange of one array.

    When it has gone wrong it sends its error in place of faces, and still receives
    what the neighbours send: so they hear of it, and no message is left over.
    """

    def __init__(
        self, grid: Grid, array: Any, width: Any, corners: bool, axes: Any
    ) -> None:
        self._grid = grid
        self._comm = grid.halos
        self._number = grid.next_exchange()
        self._sends: list[Request[None]] = []
        # (dimension, side, neighbour, request)
        self._receives: list[tuple[int, int, int, Request[Any]]] = []
        self.error: Exception | None = None
        try:
            widths = _widths(grid, width)
            array = _turned(grid, array, axes)
            _check(grid, array, widths)
            self._layers = _Layers(array, widths, corners)
        except (TypeError, ValueError) as error:
            self.error = error

    def start(self, dims: Iterable[int]) -> None:
        for dim in dims:
            for side, neighbour in enumerate(self._grid.neighbours()[dim]):
                if neighbour is not None:
                    self._start_with(neighbour, dim, side)

    def _start_with(self, neighbour: int, dim: int, side: int) -> None:
        sent = str(self.error) if self.error else self._layers.face(dim, side)
        received = self._comm.ireceive(neighbour, self._tag(dim, 1 - side))
        self._receives.append((dim, side, neighbour, received))
        self._sends.append(self._comm.isend(sent, neighbour, self._tag(dim, side)))

    def _tag(self, dim: int, side: int) -> int:
        """Of the face towards side, as both neighbours may be the same rank. Exchanges
        have tags of their own, as ranks may start one before they end another."""
        faces = 2 * len(self._grid.dims)
        return self._number % (max_tag // faces) * faces + 2 * dim + side

    def finish(self) -> None:
        for dim, side, neighbour, request in self._receives:
            fault = self._take(request.wait(), dim, side, neighbour)
            self.error = self.error or fault
        for send in self._sends:
            send.wait()
        self._receives, self._sends = [], []

    def _take(self, face: Any, dim: int, side: int, neighbour: int) -> Exception | None:
        """Fill a halo with face; return the error that this is."""
        if isinstance(face, str):
            return Error(f"rank {self._comm.rank}: exchange has failed on {face}")
        if self.error:
            return self.error
        halo = self._layers.halo(dim, side)
        if face.dtype != halo.dtype or face.shape != halo.shape:
            return Error(
                f"rank {self._comm.rank}: the halo {_SIDES[side]} the interior in "
                f"dimension {dim} is {halo.dtype} of shape {halo.shape}; the face from "
                f"rank {neighbour} is {face.dtype} of shape {face.shape}"
            )
        halo[...] = face
        return None


class _Layers:
    """Views of an array's faces and halos; with corners they span, in the other
    dimensions, the halos too."""

    def __init__(self, array: _Array, widths: _Widths, corners: bool) -> None:
        self._array = array
        self._widths = widths
        spans = zip(array.shape, widths, strict=False)  # the grid's axes come first
        self._spans = [
            slice(None) if corners else slice(before, length - after)
            for length, (before, after) in spans
        ]

    def face(self, dim: int, side: int) -> _Array:
        """What the neighbour on that side has as a halo: as thick as this rank's on
        the other side."""
        before, after = self._widths[dim]
        end = self._array.shape[dim] - after
        return self._cut(dim, (before, end - before)[side], (after, before)[side])

    def halo(self, dim: int, side: int) -> _Array:
        start = (0, self._array.shape[dim] - self._widths[dim][1])[side]
        return self._cut(dim, start, self._widths[dim][side])

    def _cut(self, dim: int, start: int, thickness: int) -> _Array:
        spans = list(self._spans)
        spans[dim] = slice(start, start + thickness)
        return self._array[tuple(spans)]


# ---- arguments ---------------------------------------------------------------


def _widths(grid: Grid, width: Any) -> _Widths:
    """For each dimension how thick the halos (before, after) are."""
    count = len(grid.dims)
    right = "a number of layers"
    right += f", or one or a pair (before, after) for each of {count} dimensions"
    widths: _Widths = []
    for one in each(grid.comm, "width", width, count, right):
        pair = each(grid.comm, "a dimension's width", one, 2, "one or two numbers")
        before, after = (integer(grid.comm, "a width", layers) for layers in pair)
        if min(before, after) < 0:
            raise refusal(grid.comm, "width", width, "0 or more layers")
        widths.append((before, after))
    return widths


def _turned(grid: Grid, array: Any, axes: Any) -> _Array:
    """A view of array whose first axes are those of the grid."""
    comm, count = grid.comm, len(grid.dims)
    if not isinstance(array, np.ndarray):
        text = f"what to exchange is of type {type(array).__name__}"
        raise TypeError(f"rank {comm.rank}: {text}: it must be a NumPy array")
    if axes is None:
        axes = range(count)
    right = f"for each of {count} dimensions another axis of {array.ndim}"
    axes = [integer(comm, "an axis", a) for a in each(comm, "axes", axes, count, right)]
    right += f", whose shape is {array.shape}"
    if not all(-array.ndim <= axis < array.ndim for axis in axes):
        raise refusal(comm, "axes", tuple(axes), right)
    if len({axis % array.ndim for axis in axes}) < count:
        raise refusal(comm, "axes", tuple(axes), right)
    return np.moveaxis(array, axes, range(count))


def _check(grid: Grid, array: _Array, widths: _Widths) -> None:
    if not array.flags.writeable:
        raise ValueError(f"rank {grid.comm.rank}: the array, {array.shape}, is read-only")
    for dim, (before, after) in enumerate(widths):
        interior = array.shape[dim] - before - after
        if interior < max(before, after):
            raise ValueError(
                f"rank {grid.comm.rank}: in dimension {dim} the array has "
                f"{array.shape[dim]} points: it must have {before} and {after} for halos "
                f"and at least {max(before, after)} between them"
            )
