# SPDX-License-Identifier: MIT
"""The old pypar's functions that the world's methods do in another way."""

from collections.abc import Callable, Iterator
from typing import Any, SupportsIndex

from . import alike
from ._core import world
from .balance import balance

_Op = SupportsIndex | Callable[[Any, Any], Any]


def _fill(buffer: Any, x: Any) -> Any:
    """buffer with the elements of x in it where it is an array; else x."""
    return alike.fill(buffer, x) if alike.is_array(buffer) else x


def scatter(
    x: Any, root: SupportsIndex = 0, buffer: Any = None, vanilla: object = False
) -> Any:
    """Cut root's x, an array (along its first axis), str or other sequence, into a
    piece for each rank, and return this rank's. Collective.

    Lengths differ by one at most, the longer ones first. x is looked at on root
    alone: TypeError there, and Error on the other ranks, if it cannot be cut. An
    array given as buffer is filled and returned; TypeMismatch or SizeMismatch
    unless it has the piece's dtype and size. vanilla changes nothing.
    """
    pieces = _cut(x) if world.rank == root else None
    piece = world.scatter(pieces, root)
    if pieces is not None and alike.is_array(piece):
        piece = piece.copy()  # a part of x would change with it
    return _fill(buffer, piece)


def _cut(x: Any) -> Iterator[Any]:
    """A piece for each rank. It is world.scatter that asks for them, so that what is
    raised here fails the call of the other ranks, too."""
    try:
        cuts = [balance(len(x), world.size, rank) for rank in range(world.size)]
        pieces = [x[lo:hi] for lo, hi in cuts]
    except (TypeError, KeyError):  # no length, or no slices
        raise TypeError(
            f"rank {world.rank}: x is {x!r:.200}: scatter cuts an array of one dimension "
            "or more, a str or another sequence"
        ) from None
    yield from pieces


def gather(
    x: Any, root: SupportsIndex = 0, buffer: Any = None, vanilla: object = False
) -> Any:
    """Join the ranks' x on root: arrays along their first axis, str and bytes
    end to end, other objects in a list. Collective.

    TypeMismatch or SizeMismatch, which names two ranks, unless all x are of the kind and
    dtype of rank 0's; arrays may differ in the length of their first axis alone.

    An array given as buffer is filled and returned; TypeMismatch or SizeMismatch
    unless it has the result's dtype and size. vanilla changes nothing.

    On other ranks the result is what the old pypar gave there: buffer as it is, or
    an array of zeros, a str of blanks, as long as if all x were like this one;
    None for anything else.
    """
    parts = world.gather(x, root)
    if parts is None:
        return _elsewhere(x) if buffer is None else buffer
    return _fill(buffer, _join(parts))


def _join(parts: list[Any]) -> Any:
    first = parts[0]
    if alike.is_array(first):
        import numpy

        alike.check(parts, first_axis=1)
        rows = [numpy.atleast_1d(part) for part in parts]
        masked = any(alike.is_masked(part) for part in parts)
        return (numpy.ma if masked else numpy).concatenate(rows)
    if isinstance(first, (str, bytes)):
        alike.check(parts)
        return first[:0].join(parts)
    return parts


def _elsewhere(x: Any) -> Any:
    if alike.is_array(x):
        import numpy

        shape = x.shape or (1,)
        return numpy.zeros((shape[0] * world.size, *shape[1:]), x.dtype)
    if isinstance(x, str):
        return " " * (len(x) * world.size)
    return None


def reduce(
    x: Any,
    op: _Op,
    root: SupportsIndex = 0,
    buffer: Any = None,
    vanilla: object = False,
    bypass: object = False,
) -> Any:
    """Return all ranks' x joined by op on root, in buffer where that is an array;
    other ranks get buffer as it is. Collective.

    Arrays are joined element by element, other objects by the operator: see
    Comm.reduce. TypeMismatch or SizeMismatch unless buffer has the result's dtype
    and size. vanilla and bypass change nothing.
    """
    result = world.reduce(x, op, root)
    return _fill(buffer, result) if world.rank == root else buffer


def inplace_reduce(x: Any, op: _Op, root: SupportsIndex = 0) -> None:
    """Join all ranks' x by op into root's x, an array; see reduce. Collective.

    TypeError where x is no array: nothing is sent then."""
    if not (alike.is_array(x) and hasattr(x, "__setitem__")):
        raise TypeError(
            f"rank {world.rank}: x is of type {type(x).__name__}: inplace_reduce writes its "
            "result into x, which must be an array"
        )
    reduce(x, op, root, buffer=x)


def init(arguments: object = None) -> None:
    """Importing pypar has started the job: there is nothing left to do."""
