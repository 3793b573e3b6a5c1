# SPDX-License-Identifier: MIT
"""multiprocessing's Pool, of the ranks of a job."""

import os
import queue
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future
from functools import partial
from multiprocessing.context import BaseContext
from typing import Any, NoReturn, ParamSpec, Self, TypeAlias, TypeVar

from . import output
from ._core import Comm
from .calls import hand_in_call, hand_in_part
from .collector import Job
from .journal import resume
from .outcome import AsyncResult, MapResult
from .session import Options, Session, count
from .stream import Stream

T = TypeVar("T")
P = ParamSpec("P")
Completion: TypeAlias = tuple[int, bool, Any]  # which item; whether it went well; value

CHUNKS_PER_WORKER = 4  # of a map, so that uneven ones can be evened out


class Pool:
    """Workers for the calls of a function: multiprocessing.Pool, on the ranks of a job.

    Under mpirun the ranks of comm (world unless given) other than 0 become workers when
    they come here, and leave the script when rank 0 has come to its end; rank 0 goes on,
    and a thread of it does tasks, too. There may be any number of pools, also at a time,
    and in tasks. In a job of one rank the workers are processes of this machine, as many
    as it has CPUs for.

    processes is how many tasks are done at a time, at most one a worker; on fewer than
    all, none is rank 0. Each worker calls initializer(*initargs) before its first task of
    this pool; where that fails, its tasks raise BrokenExecutor, or with isolate what it
    has raised. context is that of the processes in a job of one rank.

    With isolate each task runs in a child of its worker, so that its crash, or that it
    has not ended after timeout seconds, is an exception of that task alone, after so many
    retries; maxtasksperchild is the children's, which are the only ones to be replaced.

    Functions may be anything, lambdas, closures and those of the script too, where the
    package cloudpickle is installed. What a task changes in its arguments or in global
    variables stays in its worker, and what the script changes in variables after the
    workers have come stays on rank 0. The exception of a task is raised where its result
    would be, with the worker's traceback as its cause.

    TypeError, ValueError for arguments of the wrong kind, on the rank that gives them."""

    def __init__(
        self,
        processes: int | None = None,
        initializer: Callable[..., object] | None = None,
        initargs: Iterable[Any] = (),
        maxtasksperchild: int | None = None,
        context: BaseContext | None = None,
        *,
        comm: Comm | None = None,
        isolate: bool = False,
        timeout: float | None = None,
        retries: int = 0,
    ) -> None:
        if processes is not None:
            processes = count("processes", processes)
        if maxtasksperchild is not None:
            maxtasksperchild = count("maxtasksperchild", maxtasksperchild)
        options = Options(
            processes,
            initializer,
            initargs,
            maxtasksperchild,
            context,
            comm,
            isolate,
            timeout,
            retries,
        )
        self._session = Session(options, interrupts=True)
        self._max_workers = self._session.size  # which dask looks at
        self._state = "RUN"
        self.streams: set[Stream[Any]] = set()
        weakref.finalize(self, self._session.end, wait=False).atexit = False

    # -- one call ---------------------------------------------------------------------

    def apply(
        self,
        func: Callable[..., T],
        args: Iterable[Any] = (),
        kwds: Mapping[str, Any] | None = None,
    ) -> T:
        """Return func(*args, **kwds), called by a worker."""
        self._check_running()
        result = AsyncResult[T](self)
        call = partial(hand_in_call, self._session, func, tuple(args), kwds or {})
        self._session.run([Job(call, result._set)])
        return result.get()

    def apply_async(
        self,
        func: Callable[..., T],
        args: Iterable[Any] = (),
        kwds: Mapping[str, Any] | None = None,
        callback: Callable[[T], object] | None = None,
        error_callback: Callable[[BaseException], object] | None = None,
    ) -> AsyncResult[T]:
        """Have a worker call func(*args, **kwds); return at once. A thread calls
        callback with the result, or error_callback with the exception. Large arrays
        among the arguments must not be changed before that."""
        self._check_running()
        result = AsyncResult[T](self, callback, error_callback)
        call = partial(hand_in_call, self._session, func, tuple(args), kwds or {})
        self._session.start(Job(call, result._set))
        return result

    def submit(
        self, func: Callable[P, T], /, *args: P.args, **kwds: P.kwargs
    ) -> Future[T]:
        """As apply_async, for who wants an executor's future: dask, asyncio."""
        future = Future[T]()
        future.set_running_or_notify_cancel()  # so that it cannot be cancelled
        self.apply_async(func, args, kwds, future.set_result, future.set_exception)
        return future

    # -- many calls, the results in a list ----------------------------------------------

    def map(
        self,
        func: Callable[[Any], T],
        iterable: Iterable[Any],
        chunksize: int | None = None,
        *,
        journal: str | os.PathLike[str] | None = None,
        progress: bool = False,
    ) -> list[T]:
        """Return the list of func(item) for the items. A worker is given chunksize of
        them at a time; if one raises an exception, so does map, once all are done.

        journal is a file that keeps what has been done: the same call after a crash does
        the rest. progress shows how far it is on stderr."""
        if journal is None and not progress:
            return self._map(func, iterable, chunksize, star=False)
        return self._map_slowly(func, iterable, chunksize, journal, progress, star=False)

    def starmap(
        self,
        func: Callable[..., T],
        iterable: Iterable[Iterable[Any]],
        chunksize: int | None = None,
        *,
        journal: str | os.PathLike[str] | None = None,
        progress: bool = False,
    ) -> list[T]:
        """As map, of func(*item)."""
        if journal is None and not progress:
            return self._map(func, iterable, chunksize, star=True)
        return self._map_slowly(func, iterable, chunksize, journal, progress, star=True)

    def map_async(
        self,
        func: Callable[[Any], T],
        iterable: Iterable[Any],
        chunksize: int | None = None,
        callback: Callable[[list[T]], object] | None = None,
        error_callback: Callable[[BaseException], object] | None = None,
    ) -> AsyncResult[list[T]]:
        """As map, but return at once. Callbacks are as those of apply_async."""
        result = MapResult[T](self, callback, error_callback)
        for job in self._jobs(func, iterable, chunksize, result, star=False):
            self._session.start(job)
        return result

    def starmap_async(
        self,
        func: Callable[..., T],
        iterable: Iterable[Iterable[Any]],
        chunksize: int | None = None,
        callback: Callable[[list[T]], object] | None = None,
        error_callback: Callable[[BaseException], object] | None = None,
    ) -> AsyncResult[list[T]]:
        """As starmap, but return at once. Callbacks are as those of apply_async."""
        result = MapResult[T](self, callback, error_callback)
        for job in self._jobs(func, iterable, chunksize, result, star=True):
            self._session.start(job)
        return result

    def _map(
        self,
        func: Callable[..., T],
        iterable: Iterable[Any],
        chunksize: int | None,
        *,
        star: bool,
    ) -> list[T]:
        result = MapResult[T](self)
        self._session.run(self._jobs(func, iterable, chunksize, result, star=star))
        return result.get()

    def _jobs(
        self,
        func: Callable[..., T],
        iterable: Iterable[Any],
        chunksize: int | None,
        result: MapResult[T],
        *,
        star: bool,
    ) -> list[Job]:
        """The parts of a map, which make up its result."""
        self._check_running()
        items = list(iterable)
        if chunksize is None:
            # With isolate, one that crashes its child must not take others with it.
            even = -(-len(items) // (CHUNKS_PER_WORKER * self._session.size))
            chunksize = 1 if self._session.isolated else max(1, even)
        starts = range(0, len(items), count("chunksize", chunksize))
        result._expect(len(items), len(starts))
        return [
            Job(
                partial(
                    hand_in_part,
                    self._session,
                    func,
                    items[start : start + chunksize],
                    star,
                ),
                partial(result._set_part, start),
            )
            for start in starts
        ]

    def _map_slowly(
        self,
        func: Callable[..., T],
        iterable: Iterable[Any],
        chunksize: int | None,
        journal: str | os.PathLike[str] | None,
        progress: bool,
        *,
        star: bool,
    ) -> list[T]:
        """A map that is looked at while it goes on."""
        self._check_running()
        items = list(iterable)
        size = count("chunksize", 1 if chunksize is None else chunksize)

        def run(positions: list[int]) -> Iterator[Completion]:
            return self._complete(func, items, positions, size, star)

        if journal is None:
            done = run(list(range(len(items))))
        else:
            done = resume(journal, func, items, run, star=star)
        if progress:
            done = iter(output.progress(done, total=len(items)))
        return _in_order(done, len(items))

    def _complete(
        self,
        func: Callable[..., T],
        items: list[Any],
        positions: list[int],
        chunksize: int,
        star: bool,
    ) -> Iterator[Completion]:
        """What becomes of the items at positions, as they are done; an exception is that
        of the first of its chunk."""
        ready: queue.SimpleQueue[tuple[list[int], bool, Any]] = queue.SimpleQueue()
        jobs = []
        for start in range(0, len(positions), chunksize):
            chunk = positions[start : start + chunksize]
            todo = [items[position] for position in chunk]
            part = partial(hand_in_part, self._session, func, todo, star)
            jobs.append(Job(part, partial(_put, ready, chunk)))
        try:
            for job in jobs:
                self._session.start(job)
            for _ in jobs:
                chunk, ok, value = ready.get()
                if not ok:
                    yield chunk[0], False, value
                    continue
                for position, each in zip(chunk, value, strict=True):
                    yield position, True, each
        except BaseException:  # nobody takes the rest
            for job in jobs:
                self._session.take_back(job)
            raise

    # -- many calls, the results one by one ---------------------------------------------

    def imap(
        self, func: Callable[[Any], T], iterable: Iterable[Any], chunksize: int = 1
    ) -> Stream[T]:
        """Iterate over func(item) for the items, in their order. Items are taken from
        iterable as results are taken out, some ahead, and copied before the next one is.
        next() of the iterator has an argument timeout, in seconds, and goes on after an
        exception."""
        return self._stream(func, zip(iterable), chunksize, ordered=True)

    def imap_unordered(
        self, func: Callable[[Any], T], iterable: Iterable[Any], chunksize: int = 1
    ) -> Stream[T]:
        """As imap, in the order in which results come."""
        return self._stream(func, zip(iterable), chunksize, ordered=False)

    def _stream(
        self,
        func: Callable[..., T],
        calls: Iterator[tuple[Any, ...]],
        chunksize: int,
        *,
        ordered: bool,
    ) -> Stream[T]:
        self._check_running()
        chunksize = count("chunksize", chunksize)
        return Stream(self._session, func, calls, chunksize, ordered=ordered, owner=self)

    # -- the end ------------------------------------------------------------------------

    def close(self) -> None:
        """Take no more tasks."""
        if self._state == "RUN":
            self._state = "CLOSE"

    def terminate(self) -> None:
        """Take no more tasks, take back what has not begun and interrupt what has; who
        waits for results gets a RuntimeError. Does not wait for the workers.

        In a task that has begun an exception is raised that only except BaseException
        would catch; a child of its worker, with isolate, is killed. C code that does not
        return to Python goes on."""
        self._state = "TERMINATE"
        self._session.end()
        for stream in list(self.streams):
            stream.close()

    def join(self) -> None:
        """Wait until all tasks are done. ValueError before close() or terminate()."""
        if self._state == "RUN":
            raise ValueError("Pool is still running")
        for stream in list(self.streams):
            stream.finish()
        self._session.finish()
        self._session.end()

    def __enter__(self) -> Self:
        self._check_running()
        return self

    def __exit__(self, *exception: object) -> None:
        self.terminate()

    def __repr__(self) -> str:
        return f"<pypar.Pool state={self._state} pool_size={self._session.size}>"

    def __reduce__(self) -> NoReturn:
        raise NotImplementedError(
            "pool objects cannot be passed between processes or pickled"
        )

    def _check_running(self) -> None:
        if self._state != "RUN":
            raise ValueError("Pool not running")


def _put(
    ready: queue.SimpleQueue[tuple[list[int], bool, Any]],
    chunk: list[int],
    ok: bool,
    value: Any,
) -> None:
    ready.put((chunk, ok, value))


def _in_order(done: Iterable[Completion], length: int) -> list[Any]:
    """The values of all completions; once all are there, the first exception of them."""
    values: list[Any] = [None] * length
    faults: dict[int, BaseException] = {}
    for position, ok, value in done:
        if ok:
            values[position] = value
        else:
            faults[position] = value
    if faults:
        raise faults[min(faults)]
    return values
