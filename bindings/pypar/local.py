# SPDX-License-Identifier: MIT
"""A farm of processes of this machine, where there are no ranks: a script that farms
out its work can be tried without mpirun."""

import itertools
import multiprocessing
import os
import pickle
import signal
import threading
from collections import OrderedDict, deque
from collections.abc import Callable
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.context import BaseContext
from typing import Any

from . import isolated
from .functions import KEPT, Script
from .remote import portable


class WorkersLost(BrokenProcessPool):
    """A process has ended amid its work, and with it all of its farm."""


_serials = itertools.count()
in_worker = False  # of a LocalFarm: then its farms are threads


class LocalFarm:
    """A Farm on an executor of the standard library."""

    def __init__(self, size: int, context: BaseContext | None, *, threads: bool) -> None:
        self.size = size
        self._serial = next(_serials)
        self.script = Script(known=True)
        self._executor: Executor
        if threads or in_worker:
            self._executor = ThreadPoolExecutor(size, "pypar-worker", self._begin_thread)
        else:
            self._executor = ProcessPoolExecutor(size, context, _become_worker)
            # Those made by fork are to know what is there now.
            self._executor.submit(int).result()
        self._lock = threading.Lock()
        self._breakers: list[threading.Event] = []  # of the threads
        self._shared: dict[int, bytes] = {}
        self._channels: dict[int, _Channel] = {}
        self._futures: dict[int, Future[Any]] = {}
        self._made = 0

    def _begin_thread(self) -> None:
        self._breakers.append(isolated.breaker())

    def share(self, obj: Any) -> int:
        """As Farm's."""
        number = self._number()
        self._shared[number] = _dumps(obj)
        return number

    def forget(self, shared: int) -> None:
        """As Farm's."""
        del self._shared[shared]

    def channel(self, ordered: bool) -> int:
        """As Farm's."""
        number = self._number()
        self._channels[number] = _Channel(ordered)
        return number

    def close_channel(self, channel: int, _interrupt: bool = False) -> None:
        """As Farm's, but only close() interrupts."""
        for task in self._channels.pop(channel).close():
            if future := self._futures.get(task):
                future.cancel()

    def submit(
        self,
        channel: int,
        shared: int,
        args: tuple[Any, ...],
        kwargs: dict[str, Any] | None = None,
        copied: bool = True,
    ) -> int:
        """As Farm's; the arguments are always copied."""
        return self._start(channel, shared, _call, _dumps((args, kwargs or {})))

    def submit_many(
        self, channel: int, shared: int, items: list[Any], star: bool, copied: bool = True
    ) -> int:
        """As Farm's; the items are always copied."""
        return self._start(channel, shared, _call_many, _dumps((items, star)))

    def _start(
        self, channel: int, shared: int, call: Callable[..., bytes], content: bytes
    ) -> int:
        task = self._number()
        out = self._channels[channel]
        out.expect(task)
        try:
            key = self._serial, shared
            future = self._executor.submit(call, key, self._shared[shared], content)
        except BaseException:
            out.drop(task)
            raise
        self._futures[task] = future
        future.add_done_callback(lambda future: self._finish(out, task, future))
        return task

    def _finish(self, out: "_Channel", task: int, future: Future[bytes]) -> None:
        self._futures.pop(task, None)
        if future.cancelled():
            out.drop(task)
            return
        try:
            out.put(task, *pickle.loads(future.result()))
        except BrokenProcessPool as error:
            out.put(task, False, WorkersLost(str(error)))
        except BaseException as error:  # what it sent is bad
            out.put(task, False, error)

    def cancel(self, task: int) -> bool:
        """As Farm's."""
        future = self._futures.get(task)
        return future is not None and future.cancel()

    def next(
        self, channel: int, timeout: float | None = None
    ) -> tuple[int, bool, Any] | None:
        """As Farm's."""
        out = self._channels.get(channel)
        return out.next(timeout) if out else None

    def close(self, *, wait: bool, interrupt: bool) -> None:
        """Let the processes go as soon as each has done what it is doing, or at once with
        interrupt; wait for them if nobody is doing anything."""
        for future in list(self._futures.values()):
            future.cancel()
        if interrupt and self._futures:
            self._interrupt()
        wait = wait and not self._futures
        self._executor.shutdown(wait, cancel_futures=True)

    def _interrupt(self) -> None:
        for breaker in self._breakers:
            breaker.set()
        for process in list(getattr(self._executor, "_processes", {}).values()):
            process.terminate()

    def _number(self) -> int:
        with self._lock:
            self._made += 1
            return self._made


class _Channel:
    def __init__(self, ordered: bool) -> None:
        self._ordered = ordered
        self._changed = threading.Condition()
        self._results: dict[int, tuple[int, bool, Any]] = {}
        self._expected: OrderedDict[int, None] = (
            OrderedDict()
        )  # in the order of submission
        self._ready: deque[int] = deque()

    def expect(self, task: int) -> None:
        with self._changed:
            self._expected[task] = None

    def drop(self, task: int) -> None:
        with self._changed:
            self._expected.pop(task, None)
            self._changed.notify()

    def put(self, task: int, ok: bool, value: Any) -> None:
        with self._changed:
            if task in self._expected:
                self._results[task] = task, ok, value
                if not self._ordered:
                    self._ready.append(task)
                self._changed.notify()

    def close(self) -> list[int]:
        with self._changed:
            tasks = list(self._expected)
            self._expected.clear()
            self._results.clear()
            self._changed.notify()
            return tasks

    def next(self, timeout: float | None) -> tuple[int, bool, Any] | None:
        with self._changed:
            if not self._changed.wait_for(self._is_settled, timeout):
                raise TimeoutError
            if not self._expected:
                return None
            task = next(iter(self._expected)) if self._ordered else self._ready.popleft()
            del self._expected[task]
            return self._results.pop(task)

    def _is_settled(self) -> bool:
        if not self._expected:
            return True
        if self._ordered:
            return next(iter(self._expected)) in self._results
        return bool(self._ready)


# ---- in the processes -------------------------------------------------------------

_known: dict[object, Callable[..., Any]] = {}


def _become_worker() -> None:
    global in_worker
    in_worker = True
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C ends it without a word
    threading.Thread(target=_end_with_the_program, daemon=True).start()


def _end_with_the_program() -> None:
    """However that ends: nobody would tell a process that waits for its next task."""
    program = multiprocessing.parent_process()
    assert program
    program.join()
    os._exit(1)


def _call(key: object, function: bytes, content: bytes) -> bytes:
    def call() -> Any:
        args, kwargs = pickle.loads(content)
        return _function(key, function)(*args, **kwargs)

    return _outcome(call)


def _call_many(key: object, function: bytes, content: bytes) -> bytes:
    def call() -> list[Any]:
        items, star = pickle.loads(content)
        f = _function(key, function)
        return [f(*item) if star else f(item) for item in items]

    return _outcome(call)


def _outcome(call: Callable[[], Any]) -> bytes:
    try:
        return _dumps((True, call()))
    except Exception as error:
        return _dumps((False, portable(error)))


def _function(key: object, packed: bytes) -> Callable[..., Any]:
    if key not in _known:
        if len(_known) >= KEPT:
            _known.clear()
        _known[key] = pickle.loads(packed)
    return _known[key]


def _dumps(obj: Any) -> bytes:
    try:
        return pickle.dumps(obj, protocol=5)
    except (pickle.PicklingError, AttributeError, TypeError):
        return Script(known=False).pack(obj)
