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

import itertools
from collections.abc import Sequence

from pypar import balance, max_tag, world

__all__ = [
    "balanced",
    "collected",
    "distributed",
    "distributed_generator",
    "distributed_slice",
]

_calls = itertools.count()


def _next_tag():
    """A tag for one call on all ranks, so that generators may be taken in turns, and
    what somebody left in one never meets the next. From the end that scripts don't
    use."""
    return max_tag - next(_calls) % 10_000


def distributed(it):
    """Yield this rank's share of rank 0's it: a slice of a sequence or an array, and of
    anything else each size()-th item. What it is on other ranks doesn't matter."""
    by_slice = isinstance(it, Sequence) or hasattr(it, "__array__")
    return distributed_slice(it) if by_slice else distributed_generator(it)


def distributed_slice(it):
    """Yield this rank's slice of rank 0's it; lengths differ by one at most."""
    return _share(_cut, it)


def distributed_generator(it):
    """Yield each size()-th item of rank 0's it, which may be endless: rank 0 asks it for
    an item for each rank whenever it needs its own next one."""
    return _share(_deal, it)


def _share(send, it):
    """A message is (is it the last?, items), so that a rank needn't know whether
    rank 0 cuts or deals."""
    if world.size == 1:
        return iter(it)
    tag = _next_tag()
    return send(it, tag) if world.rank == 0 else _received(tag)


def _received(tag):
    last = False
    while not last:
        last, items = world.receive(0, tag)
        yield from items


def _cut(it, tag):
    items = it if isinstance(it, Sequence) or hasattr(it, "__array__") else list(it)
    for rank in range(1, world.size):
        lo, hi = balance(len(items), world.size, rank)
        world.send((True, items[lo:hi]), rank, tag)
    lo, hi = balance(len(items), world.size, 0)
    yield from items[lo:hi]


def _deal(it, tag):
    try:
        yield from _rounds(iter(it), tag)
    except GeneratorExit:  # no more is wanted here: nor can others get any more
        _end(tag)
        raise
    _end(tag)


def _rounds(it, tag):
    while items := list(itertools.islice(it, world.size)):
        for rank, item in enumerate(items[1:], 1):
            world.send((False, [item]), rank, tag)
        yield items[0]


def _end(tag):
    for rank in range(1, world.size):
        world.send((True, []), rank, tag)


def collected(it):
    """Yield the items of all ranks' its, in the order of the ranks, on rank 0; nothing
    on other ranks, where taking it (list() does) sends the items."""
    return iter(it) if world.size == 1 else _collected(it, _next_tag())


def _collected(it, tag):
    if world.rank != 0:
        # At once, as rank 0 may have to be served before it gets to listen to us.
        world.send(list(it), 0, tag)
        return
    yield from it
    for rank in range(1, world.size):
        yield from world.receive(rank, tag)


def balanced(it):
    """Yield each size()-th item of this rank's it, from item rank() on; no messages."""
    return itertools.islice(it, world.rank, None, world.size)
