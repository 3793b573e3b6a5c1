"""Work spread over the ranks by generators.

    for x in distributed(numbers):      # of rank 0's numbers, this rank's share
        ...
    results = collected(f(x) for x in distributed(numbers))
    if rank() == 0:
        print(list(results))
    else:
        list(results)                   # sends them: generators are lazy

All ranks call these functions in the same order, and take all that they yield.
"""

import functools
import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, TypeVar

from pypar import Comm, balance, initialized, max_tag, world

__all__ = [
    "balanced",
    "collected",
    "distributed",
    "distributed_generator",
    "distributed_slice",
]

_T = TypeVar("_T")
_calls = itertools.count()


@functools.cache
def _comm() -> Comm:
    """The ranks, for these generators' own messages: what is left in one that was not
    taken to its end must not be what a script receives, from any_tag, say."""
    return world.duplicate()


def _next_tag() -> int:
    """One for each call, so that generators may be taken in turns."""
    return next(_calls) % max_tag


def distributed(it: Iterable[_T]) -> Iterator[_T]:
    """Yield this rank's share of rank 0's it: a slice of a sequence or an array, and of
    anything else each size()-th item. What it is on other ranks doesn't matter."""
    return distributed_slice(it) if _can_be_cut(it) else distributed_generator(it)


def _can_be_cut(it: object) -> bool:
    return isinstance(it, Sequence) or hasattr(it, "__array__")


def distributed_slice(it: Iterable[_T]) -> Iterator[_T]:
    """Yield this rank's slice of rank 0's it; lengths differ by one at most."""
    return _share(_cut, it)


def distributed_generator(it: Iterable[_T]) -> Iterator[_T]:
    """Yield each size()-th item of rank 0's it, which may be endless: rank 0 asks it for
    an item for each rank whenever it needs its own next one."""
    return _share(_deal, it)


def _share(
    send: Callable[[Iterable[_T], Comm, int], Iterator[_T]], it: Iterable[_T]
) -> Iterator[_T]:
    """A message is (is it the last?, items), so that a rank needn't know whether
    rank 0 cuts or deals."""
    if world.size == 1:
        return iter(it)
    comm, tag = _comm(), _next_tag()
    return send(it, comm, tag) if comm.rank == 0 else _received(comm, tag)


def _received(comm: Comm, tag: int) -> Iterator[Any]:
    last = False
    while not last:
        last, items = comm.receive(0, tag)
        yield from items


def _cut(it: Iterable[_T], comm: Comm, tag: int) -> Iterator[_T]:
    items: Any = it if _can_be_cut(it) else list(it)
    for rank in range(1, comm.size):
        lo, hi = balance(len(items), comm.size, rank)
        comm.send((True, items[lo:hi]), rank, tag)
    lo, hi = balance(len(items), comm.size, 0)
    yield from items[lo:hi]


def _deal(it: Iterable[_T], comm: Comm, tag: int) -> Iterator[_T]:
    try:
        yield from _rounds(iter(it), comm, tag)
    except GeneratorExit:  # no more is wanted here: nor can others get any more
        if initialized():
            _end(comm, tag)
        raise
    _end(comm, tag)


def _rounds(it: Iterator[_T], comm: Comm, tag: int) -> Iterator[_T]:
    while items := list(itertools.islice(it, comm.size)):
        for rank, item in enumerate(items[1:], 1):
            comm.send((False, [item]), rank, tag)
        yield items[0]


def _end(comm: Comm, tag: int) -> None:
    for rank in range(1, comm.size):
        comm.send((True, []), rank, tag)


def collected(it: Iterable[_T]) -> Iterator[_T]:
    """Yield the items of all ranks' its, in the order of the ranks, on rank 0; nothing
    on other ranks, where taking it (list() does) sends the items."""
    return iter(it) if world.size == 1 else _collected(it, _comm(), _next_tag())


def _collected(it: Iterable[_T], comm: Comm, tag: int) -> Iterator[_T]:
    if comm.rank != 0:
        # All at once: rank 0 may have to be served before it gets to listen to us.
        comm.send(list(it), 0, tag)
        return
    yield from it
    for rank in range(1, comm.size):
        yield from comm.receive(rank, tag)


def balanced(it: Iterable[_T]) -> Iterator[_T]:
    """Yield each size()-th item of this rank's it, from item rank() on; no messages."""
    return itertools.islice(it, world.rank, None, world.size)
