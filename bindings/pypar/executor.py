# SPDX-License-Identifier: MIT
"""concurrent.futures' Executor, of the ranks of a job."""

import time
import weakref
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import BrokenExecutor, Future
from concurrent.futures import Executor as AnyExecutor
from functools import partial
from multiprocessing.context import BaseContext
from threading import Lock
from typing import Any, ParamSpec, TypeVar

from . import finalizing
from ._core import Comm
from .calls import hand_in_call
from .collector import Job
from .local import WorkersLost
from .prepared import InitializerFailed
from .service import in_task
from .session import Options, Session, count
from .stream import Stream

T = TypeVar("T")
P = ParamSpec("P")

SHUT = "cannot schedule new futures after shutdown"  # as the standard library says
ALL = 2**62  # tasks under way: as many as there are


class Executor(AnyExecutor):
    """Workers whose results are futures: a concurrent.futures.Executor, on the ranks of a
    job. Its workers, and what all arguments mean, are those of Pool; max_workers is its
    processes, and mp_context its context. What the script has given it is done before
    the script ends, unless that is by an exception.

    concurrent.futures.wait and as_completed work on its futures, in tasks, too."""

    def __init__(
        self,
        max_workers: int | None = None,
        mp_context: BaseContext | None = None,
        initializer: Callable[..., object] | None = None,
        initargs: Iterable[Any] = (),
        *,
        comm: Comm | None = None,
        isolate: bool = False,
        timeout: float | None = None,
        retries: int = 0,
    ) -> None:
        if max_workers is not None:
            max_workers = count("max_workers", max_workers)
        options = Options(
            max_workers,
            initializer,
            initargs,
            None,
            mp_context,
            comm,
            isolate,
            timeout,
            retries,
        )
        self._session = Session(options, interrupts=False)
        self._max_workers = self._session.size  # which dask looks at
        self._lock = Lock()
        self._is_shut = False
        self._broken: BrokenExecutor | None = None
        self._pending: set[_Future[Any]] = set()
        self.streams: set[Stream[Any]] = set()
        if not in_task():
            _of_the_script.add(self)
        weakref.finalize(self, self._session.end, wait=False).atexit = False

    def submit(
        self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs
    ) -> Future[T]:
        """Have a worker call fn(*args, **kwargs); return a future at once. What cannot be
        sent is an exception of the future. Large arrays among the arguments must not be
        changed before it is done.

        RuntimeError after shutdown(); BrokenExecutor, which is one, once an initializer
        has failed; in a job of one rank BrokenProcessPool once a process has died."""
        future = _Future[T](self)
        call = partial(hand_in_call, self._session, fn, args, kwargs)
        future._job = Job(call, future._set)
        with self._lock:
            self._check()
            self._pending.add(future)
        self._session.start(future._job)
        return future

    def map(
        self,
        fn: Callable[..., T],
        *iterables: Iterable[Any],
        timeout: float | None = None,
        chunksize: int = 1,
        buffersize: int | None = None,
    ) -> Iterator[T]:
        """Iterate over fn(*items), with one item of each of the iterables, in their order.
        TimeoutError timeout seconds after the call. A worker is given chunksize at a time.

        All items are taken now; with buffersize as results are taken out, so that there
        are at most so many results, of chunksize each, ahead of who takes them."""
        chunksize = count("chunksize", chunksize)
        if buffersize is not None:
            buffersize = count("buffersize", buffersize)
        limit = None if timeout is None else time.monotonic() + timeout
        with self._lock:
            self._check()
        calls = zip(*iterables, strict=False)
        stream = Stream(
            self._session,
            fn,
            calls if buffersize else iter(list(calls)),
            chunksize,
            ordered=True,
            window=buffersize or ALL,
            copied=bool(buffersize),
            owner=self,
        )
        return _results(stream, limit)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Take no more calls; wait until those there are have been made, unless wait is
        false. cancel_futures takes back those that have not begun."""
        with self._lock:
            self._is_shut = True
            pending = list(self._pending)
        if cancel_futures:
            for future in pending:
                future.cancel()
            for stream in list(self.streams):
                stream.close()
        if wait:
            for stream in list(self.streams):
                stream.cut(RuntimeError(SHUT))
            self._session.finish()
            self._session.end()

    def _check(self) -> None:
        if self._broken:
            raise type(self._broken)(str(self._broken))
        if self._is_shut:
            raise RuntimeError(SHUT)

    def _has_ended(self, future: "_Future[Any]") -> None:
        with self._lock:
            self._pending.discard(future)

    def _break(self, reason: BrokenExecutor) -> None:
        """No call can be made any more: the initializer has failed, or a process died."""
        with self._lock:
            if self._broken:
                return
            self._broken = reason
            pending = list(self._pending)
        for future in pending:
            if future._job and self._session.take_back(future._job):
                future._set(False, type(reason)(str(reason)))


_of_the_script: weakref.WeakSet[Executor] = weakref.WeakSet()


def _shut_all_down() -> None:
    for executor in list(_of_the_script):
        executor.shutdown()


finalizing.at_exit(_shut_all_down)  # comes before the workers leave


class _Future(Future[T]):
    """Keeps its executor until it is done. It can be cancelled as long as its task could
    be taken back. Workers do not tell that they have begun: running() is never True."""

    def __init__(self, executor: Executor) -> None:
        super().__init__()
        self._executor: Executor | None = executor
        self._job: Job | None = None

    def cancel(self) -> bool:
        """Whether the call will never be made."""
        executor, job = self._executor, self._job
        if self.cancelled():
            return True
        if not (executor and job and executor._session.take_back(job)):
            return False
        super().cancel()
        self.set_running_or_notify_cancel()
        self._forget()
        return True

    def _set(self, ok: bool, value: Any) -> None:
        executor = self._executor
        self._forget()
        self.set_running_or_notify_cancel()
        if ok:
            self.set_result(value)
            return
        if executor and isinstance(value, InitializerFailed | WorkersLost):
            executor._break(value)
        self.set_exception(value)

    def _forget(self) -> None:
        if self._executor:
            self._executor._has_ended(self)
        self._executor = self._job = None


def _results(stream: Stream[T], limit: float | None) -> Iterator[T]:
    try:
        while True:
            left = None if limit is None else max(0, limit - time.monotonic())
            try:
                result = stream.next(left)
            except StopIteration:
                return
            yield result
    finally:
        stream.close()
