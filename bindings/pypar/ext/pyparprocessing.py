"""multiprocessing's Pool, on the ranks of a job.

    from pypar.ext import pyparprocessing

    def f(x):
        return x ** 2

    if __name__ == "__main__":
        pyparprocessing.start()
        pool = pyparprocessing.Pool()
        print(sum(pool.imap(f, range(100))))
        pool.close()

Only rank 0 comes back from start(): the others do its pool's work and exit when
rank 0 comes to its end. Without mpirun it is a multiprocessing.Pool. pypar.Pool, which
this stands on, needs no start().
"""

import contextlib
import functools
import logging
import multiprocessing
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar, cast

import pypar
from pypar import world
from pypar.stream import Stream

__all__ = ["Pool", "PyparPool", "mute_worker_output", "start"]

T = TypeVar("T")
F = TypeVar("F", bound=Callable[..., Any])

_make: Callable[..., Any] | None = None  # since start(): what gives a pool


def start(
    initializer: Callable[..., object] | None = None,
    initargs: Iterable[Any] = (),
    maxtasks: int | None = None,
) -> None:
    """Make ranks other than 0 workers, which call initializer(*initargs) before their
    first task and do not come back, and Pool() on rank 0 that of their work.

    On one rank Pool() is a multiprocessing.Pool, with these arguments; maxtasks is how
    many tasks a process does before another takes its place. A rank stays.
    """
    global _make
    if world.size == 1:
        _make = functools.partial(
            multiprocessing.Pool,
            initializer=initializer,
            initargs=initargs,
            maxtasksperchild=maxtasks,
        )
        return
    pool = PyparPool(None, initializer, initargs)
    _make = lambda *_, **__: pool  # noqa: E731


def Pool(*args: Any, **keywords: Any) -> Any:
    """The pool that start() has made; there is one, whatever it is asked for. On one rank
    a new multiprocessing.Pool, of these arguments. RuntimeError before start()."""
    if _make is None:
        raise RuntimeError("call pyparprocessing.start() before making a Pool")
    return _make(*args, **keywords)


class PyparPool(pypar.Pool):
    """A pypar.Pool of all ranks but 0, whatever processes says."""

    def __init__(
        self,
        processes: int | None = None,
        initializer: Callable[..., object] | None = None,
        initargs: Iterable[Any] = (),
    ) -> None:
        if world.size < 2:
            raise RuntimeError(
                f"rank {world.rank} of {world.size} cannot have a PyparPool: it is rank "
                "0's, of the other ranks"
            )
        super().__init__(world.size - 1, initializer, initargs)

    def imap(
        self, f: Callable[[Any], T], work: Iterable[Any], chunksize: int = 1
    ) -> Stream[T]:
        """Iterate over the results of f for each item of work as they arrive, in any
        order. An exception of f is raised where its result would be, and names the
        rank."""
        if self._state != "RUN":
            raise ValueError("the Pool is closed: its workers have gone")
        return super().imap_unordered(functools.partial(_call, f), work, chunksize)

    imap_unordered = imap  # type: ignore[assignment]  # its names for the two

    def close(self) -> None:
        """Have all work done that was begun; then take no more."""
        super().close()
        self.join()


def _call(f: Callable[[Any], T], item: Any) -> T:
    try:
        return f(item)
    except BaseException as error:
        error.add_note(f"It was raised on rank {world.rank}")
        raise


def mute_worker_output(f: F) -> F:
    """Decorate f: on a worker, what it prints or logs is dropped."""

    @functools.wraps(f)
    def quiet(*args: Any, **keywords: Any) -> Any:
        if world.rank == 0 and multiprocessing.parent_process() is None:
            return f(*args, **keywords)
        with _no_output():
            return f(*args, **keywords)

    return cast(F, quiet)


@contextlib.contextmanager
def _no_output() -> Iterator[None]:
    """Of the descriptors, as a log that f sets up keeps sys.stderr for good."""
    level = logging.root.manager.disable
    kept = [os.dup(1), os.dup(2)]
    nowhere = os.open(os.devnull, os.O_WRONLY)
    logging.disable()
    try:
        _connect(nowhere, nowhere)
        yield
    finally:
        _connect(*kept)
        logging.disable(level)
        for descriptor in (*kept, nowhere):
            os.close(descriptor)


def _connect(out: int, err: int) -> None:
    for stream, descriptor, to in (sys.stdout, 1, out), (sys.stderr, 2, err):
        stream.flush()
        os.dup2(to, descriptor)
