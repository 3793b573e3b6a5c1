# SPDX-License-Identifier: MIT
"""SCOOP's functions, on the ranks of the job.

    from pypar import futures

    if __name__ == "__main__":
        print(sum(futures.map(function, range(100))))

The ranks other than 0 become workers when they come to the first call, as with Pool; tasks
may call these functions, too. What submit returns is a Future of Python's own
concurrent.futures.
"""

import concurrent.futures
import functools
import itertools
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import (
    ALL_COMPLETED,
    FIRST_COMPLETED,
    FIRST_EXCEPTION,
    Future,
)
from typing import Any, TypeVar

from .executor import Executor
from .service import in_task

__all__ = [
    "ALL_COMPLETED",
    "FIRST_COMPLETED",
    "FIRST_EXCEPTION",
    "as_completed",
    "map",
    "mapReduce",
    "mapScan",
    "map_as_completed",
    "submit",
    "wait",
]

T = TypeVar("T")

CHUNKS_PER_WORKER = 4  # of mapReduce, so that uneven ones can be evened out


def submit(func: Callable[..., T], *args: Any, **kwargs: Any) -> "Future[T]":
    """Have a worker call func(*args, **kwargs); return its future at once."""
    return _executor().submit(func, *args, **kwargs)


def map(
    func: Callable[..., T], *iterables: Iterable[Any], timeout: float | None = None
) -> Iterator[T]:
    """Iterate over what func returns, for one item of each of the iterables a call, in
    their order. All calls are handed in at once; TimeoutError timeout seconds later."""
    return _executor().map(func, *iterables, timeout=timeout)


def map_as_completed(
    func: Callable[..., T], *iterables: Iterable[Any], timeout: float | None = None
) -> Iterator[T]:
    """As map, in the order in which the calls end."""
    calls = zip(*iterables, strict=False)
    calls_under_way = [submit(func, *args) for args in calls]
    done = concurrent.futures.as_completed(calls_under_way, timeout)
    return (future.result() for future in done)


def mapReduce(
    mapFunc: Callable[..., T],
    reductionOp: Callable[[T, T], T],
    *iterables: Iterable[Any],
    timeout: float | None = None,
) -> T:
    """Join what mapFunc returns, for one item of each of the iterables a call, by
    reductionOp, from the left to the right. The workers join neighbours first, so
    reductionOp must be associative: (a + b) + c is a + (b + c).

    TypeError: there are no items. TimeoutError: after timeout seconds.
    """
    executor = _executor()
    calls = list(zip(*iterables, strict=False))
    length = -(-len(calls) // (CHUNKS_PER_WORKER * executor._max_workers)) or 1
    parts = [calls[at : at + length] for at in range(0, len(calls), length)]
    joined = functools.partial(_joined, mapFunc, reductionOp)
    return functools.reduce(reductionOp, executor.map(joined, parts, timeout=timeout))


def _joined(
    function: Callable[..., T], operation: Callable[[T, T], T], calls: list[Any]
) -> T:
    return functools.reduce(operation, itertools.starmap(function, calls))


def mapScan(
    mapFunc: Callable[..., T],
    reductionOp: Callable[[T, T], T],
    *iterables: Iterable[Any],
    timeout: float | None = None,
) -> list[T]:
    """As mapReduce, with all that was joined on the way: for each item the results up to
    its own."""
    results = map(mapFunc, *iterables, timeout=timeout)
    return list(itertools.accumulate(results, reductionOp))


def wait(
    fs: "Iterable[Future[Any]]",
    timeout: float | None = -1,
    return_when: str = ALL_COMPLETED,
) -> "tuple[set[Future[Any]], set[Future[Any]]]":
    """Wait for futures, timeout seconds at most unless that is negative or None; return
    (done, not_done), two sets of them."""
    return concurrent.futures.wait(fs, _limit(timeout), return_when)


def as_completed(
    fs: "Iterable[Future[T]]", timeout: float | None = -1
) -> "Iterator[Future[T]]":
    """Iterate over futures as they are done. TimeoutError after timeout seconds, unless
    that is negative or None."""
    return concurrent.futures.as_completed(fs, _limit(timeout))


def _limit(timeout: float | None) -> float | None:
    return None if timeout is None or timeout < 0 else timeout


def _executor() -> Executor:
    """Who waits in a task does others meanwhile: its own, by an executor of its own."""
    return Executor() if in_task() else _kept()


@functools.cache
def _kept() -> Executor:
    return Executor()
