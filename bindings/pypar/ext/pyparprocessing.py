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
the pool is closed. Without mpirun it is a multiprocessing.Pool.
"""

import atexit
import contextlib
import functools
import importlib
import logging
import multiprocessing
import os
import pickle
import sys
import traceback
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Self, TypeVar, cast

from pypar import Comm, any_source, any_tag, finalize, initialized, world

__all__ = ["Pool", "PyparPool", "mute_worker_output", "start"]

_Function = TypeVar("_Function", bound=Callable[..., Any])

_RANK = world.rank
# What a pickler says to what it cannot pickle, and one that is not installed to all.
_REFUSED = (AttributeError, ImportError, TypeError, pickle.PicklingError)
_RUN = 1
_DIE = 2


@functools.cache
def _comm() -> Comm:
    """The ranks, for messages that a script's own never meet, whatever their tags."""
    return world.duplicate()


class DummyPool:
    """What Pool is before start(): for who has imported the name by then."""

    def __new__(cls, *args: Any, **keywords: Any) -> Any:
        if Pool is DummyPool:
            raise RuntimeError("call pyparprocessing.start() before making a Pool")
        return Pool(*args, **keywords)


Pool: Callable[..., Any] = DummyPool


def start(
    initializer: Callable[..., object] | None = None,
    initargs: Iterable[Any] = (),
    maxtasks: int | None = None,
) -> None:
    """Make ranks other than 0 workers, which call initializer(*initargs) first and do
    not come back, and Pool, on rank 0, that of their work.

    Close the pool before pypar.finalize(), which waits for all ranks; leaving the
    interpreter closes it. On one rank Pool becomes multiprocessing.Pool, with these
    arguments; maxtasks is how many tasks a process does before another takes its
    place. A rank stays.
    """
    global Pool
    if world.size == 1:
        Pool = functools.partial(
            multiprocessing.Pool,
            initializer=initializer,
            initargs=initargs,
            maxtasksperchild=maxtasks,
        )
        return
    comm = _comm()
    if _RANK == 0:
        Pool = PyparPool
        atexit.register(_close_at_exit)
    else:
        if initializer:
            initializer(*initargs)
        _work(comm)
        finalize()
        sys.exit()


def mute_worker_output(f: _Function) -> _Function:
    """Decorate f: on a worker, what it prints or logs is dropped."""

    @functools.wraps(f)
    def quiet(*args: Any, **keywords: Any) -> Any:
        if _RANK == 0 and multiprocessing.parent_process() is None:
            return f(*args, **keywords)
        with _no_output():
            return f(*args, **keywords)

    return cast(_Function, quiet)


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


# ---- rank 0 -------------------------------------------------------------------


class PyparPool:
    """All ranks but 0, whatever processes says. There is one; it takes any number of
    imaps, one after the other or at a time, until it is closed."""

    _the_one: "PyparPool | None" = None

    def __new__(cls, processes: int | None = None) -> "PyparPool":
        if cls._the_one is None:
            cls._the_one = super().__new__(cls)
            cls._the_one._set_up()
        return cls._the_one

    def _set_up(self) -> None:
        if world.size < 2 or _RANK != 0:
            raise RuntimeError(
                f"rank {_RANK} of {world.size} cannot have a PyparPool: it is rank 0's, "
                "of the other ranks"
            )
        self._comm = _comm()
        self._idle = deque(range(1, world.size))
        self._knows: dict[
            int, int
        ] = {}  # by worker: the imap whose function it was sent last
        self._maps: dict[
            int, _Results
        ] = {}  # by number: those with items left or results to come
        self._made = 0
        self._open = True

    def imap(
        self, f: Callable[[Any], Any], work: Iterable[Any], chunksize: int = 1
    ) -> Iterator[Any]:
        """Iterate over the results of f for each item of work as they arrive, in any
        order. An exception of f is raised where its result would be. chunksize is
        for likeness with multiprocessing."""
        if not self._open:
            raise ValueError("the Pool is closed: its workers have gone")
        self._made += 1
        results = _Results(self, self._made, _packed(f), work)
        self._maps[self._made] = results
        self._feed()
        return results

    imap_unordered = imap

    def close(self) -> None:
        """Have all work done that was begun, then let the workers go."""
        self._end()

    def terminate(self) -> None:
        """Let the workers go as soon as each has done what it is doing."""
        for results in self._maps.values():
            results._drop()
        self._end()

    def join(self) -> None:
        """For likeness with multiprocessing: close has waited for all work."""
        if self._open:
            raise ValueError("join() comes after close() or terminate()")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.terminate()

    def _end(self) -> None:
        if not self._open:
            return
        self._open = False
        self._feed()
        while self._maps:
            self._collect()
        for worker in range(1, world.size):
            self._comm.send(None, worker, _DIE)

    def _feed(self) -> None:
        """Give the idle workers what there is to do, the oldest imap's first. The items
        of one may be the results of another, so looking for one may come back here."""
        for number, results in list(self._maps.items()):
            while self._idle and results._find():
                if self._idle:
                    self._send(self._idle.popleft(), results)
            if results._is_over():
                self._maps.pop(number, None)

    def _send(self, worker: int, results: "_Results") -> None:
        new = self._knows.get(worker) != results._number
        packed = results._packed if new else None
        try:
            self._comm.send((results._number, packed, results._take()), worker, _RUN)
        except Exception as error:  # of the item: one that cannot be pickled
            self._idle.appendleft(worker)
            results._arrive(False, error)
        else:
            self._knows[worker] = results._number

    def _collect(self) -> None:
        """Wait for a result, of whatever imap, and give its worker the next item."""
        message, status = self._comm.receive(any_source, _RUN, return_status=True)
        number, good, value = message
        self._maps[number]._arrive(good, value)
        self._idle.append(status.source)
        self._feed()


class _Results:
    """What an imap returns."""

    def __init__(
        self, pool: PyparPool, number: int, packed: list[bytes], work: Iterable[Any]
    ) -> None:
        self._pool = pool
        self._number = number
        self._packed = packed
        self._items: Iterator[Any] | None = iter(work)
        self._next: list[Any] = []  # an item that was found and waits for a worker
        self._finding = False
        self._away = 0  # items that workers have
        self._arrived: deque[tuple[bool, Any]] = deque()

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Any:
        while not self._arrived:
            if self._number not in self._pool._maps:
                raise StopIteration
            self._pool._collect()
        good, value = self._arrived.popleft()
        if good:
            return value
        raise value

    def _find(self) -> bool:
        """Whether there is an item to do; not while another call looks for one."""
        if self._next or self._finding or self._items is None:
            return bool(self._next)
        self._finding = True
        try:
            self._next.append(next(self._items))
        except StopIteration:
            self._items = None
        except Exception as error:  # the caller's, to be raised where the caller looks
            self._items = None
            self._arrived.append((False, error))
        finally:
            self._finding = False
        return bool(self._next)

    def _take(self) -> Any:
        self._away += 1
        return self._next.pop()

    def _arrive(self, good: bool, value: Any) -> None:
        self._away -= 1
        self._arrived.append((good, value))

    def _drop(self) -> None:
        self._items = None
        self._next.clear()

    def _is_over(self) -> bool:
        return self._items is None and not self._next and not self._away


def _close_at_exit() -> None:
    # After an exception that nobody has caught, the job ends at once without this.
    if initialized() and not hasattr(sys, "last_value"):
        PyparPool().terminate()


def _packed(f: Callable[[Any], Any]) -> list[bytes]:
    """The pickles of f that there are: by its name, and, if that means nothing to a
    worker that has not come to its definition, by value."""
    ways = []
    for pickler in "pickle", "cloudpickle":
        with contextlib.suppress(*_REFUSED):
            ways.append(importlib.import_module(pickler).dumps(f))
    return ways or [pickle.dumps(f)]  # which says what is wrong with f


# ---- the workers ----------------------------------------------------------------


def _work(comm: Comm) -> None:
    f: Any = None
    while True:
        message, status = comm.receive(0, any_tag, return_status=True)
        if status.tag == _DIE:
            return
        number, packed, item = message
        try:
            if packed is not None:
                f = _unpacked(packed)
            comm.send((number, True, f(item)), 0, _RUN)
        except (Exception, SystemExit) as error:
            comm.send((number, False, _portable(error)), 0, _RUN)


def _unpacked(ways: list[bytes]) -> Any:
    with contextlib.suppress(AttributeError):
        return pickle.loads(ways[0])
    return pickle.loads(ways[-1])


def _portable(error: BaseException) -> BaseException:
    """error, with where it came from, or what can be said of it: some exceptions
    pickle, but their pickle cannot be read."""
    told = "".join(traceback.format_exception(error))
    try:
        error = pickle.loads(pickle.dumps(error))
    except Exception:
        error = RuntimeError(f"{type(error).__name__}: {error}")
    error.add_note(f"It was raised on rank {_RANK}:\n{told}")
    return error
