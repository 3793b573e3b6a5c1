# SPDX-License-Identifier: MIT
"""What a Pool and an Executor have in common: workers, how many of them at a time, and
what stands between them and a function."""

import operator
import threading
from collections.abc import Callable, Iterable
from multiprocessing.context import BaseContext
from typing import Any, NamedTuple

from . import service
from ._core import Comm
from .collector import Collector, Job
from .functions import Shared, Wrap
from .isolated import Isolated
from .prepared import Preparation


def count(name: str, value: int) -> int:
    """value, which is how many there are of what name says: 1 at least."""
    try:
        number = operator.index(value)
    except TypeError:
        raise TypeError(f"{name} is {value!r}: it must be an integer") from None
    if number < 1:
        raise ValueError(f"{name} is {number}: it must be at least 1")
    return number


class Options(NamedTuple):
    """What both take, under the names of Pool."""

    processes: int | None
    initializer: Callable[..., object] | None
    initargs: Iterable[Any]
    maxtasksperchild: int | None
    context: BaseContext | None
    comm: Comm | None
    isolate: bool
    timeout: float | None
    retries: int

    @property
    def isolated(self) -> bool:
        """Whether tasks run in children of their worker."""
        return bool(self.isolate or self.timeout is not None or self.retries)


class Session:
    """The part of a service that one Pool or Executor has: channels on its farm."""

    def __init__(self, options: Options, *, interrupts: bool) -> None:
        self._interrupts = interrupts  # what has begun, when nobody wants it any more
        self.isolated = options.isolated
        self._wrap = _wrap(options)
        self._service = service.join(
            options.comm, options.processes, options.context, threads=options.isolated
        )
        self.farm = self._service.farm
        self.size = min(options.processes or self.farm.size, self.farm.size)
        # How many tasks may be under way, so that no more workers have one.
        self.limit = self.size if self.size < self.farm.size else None
        self._lock = threading.RLock()  # its end may come amid it, by garbage collection
        self._channels: set[int] | None = set()
        self._collector: Collector | None = None  # of all jobs that a thread tells
        self._collectors: set[Collector] = set()  # this one, and those of calls
        self._service.users.add(self)

    def share(self, function: Callable[..., Any]) -> Shared:
        """Have the workers know function, until the end of a with block."""
        return self._service.functions.take(function, self._wrap)

    def open_channel(self, *, ordered: bool) -> int:
        """A channel that ends with the session, or before."""
        with self._lock:
            if self._channels is None:
                raise RuntimeError("the pool has ended: its workers have gone")
            channel = self.farm.channel(ordered)
            self._channels.add(channel)
        return channel

    def close_channel(self, channel: int, *, interrupt: bool = False) -> None:
        """Take back what has not begun; nothing if that is done."""
        with self._lock:
            if self._channels and channel in self._channels:
                self._channels.discard(channel)
                self.farm.close_channel(channel, interrupt)

    def start(self, job: Job) -> None:
        """Have job done; a thread tells it."""
        with self._lock:
            if self._collector is None:
                self._collector = self._new_collector()
                self._collector.begin()
        self._collector.start(job)

    def run(self, jobs: Iterable[Job]) -> None:
        """Have jobs done, and tell them, before this returns."""
        collector = self._new_collector()
        try:
            for job in jobs:
                collector.start(job)
            collector.finish()
        finally:
            self._collectors.discard(collector)
            self.close_channel(collector.channel, interrupt=self._interrupts)

    def _new_collector(self) -> Collector:
        with self._lock:
            channel = self.open_channel(ordered=False)
            collector = Collector(self.farm, channel, self.limit)
            self._collectors.add(collector)
        return collector

    def take_back(self, job: Job) -> bool:
        """Whether job has not begun; then it never will, and is told nothing."""
        return self._collector is not None and self._collector.take_back(job)

    def finish(self) -> None:
        """Wait until all jobs have been told; there may be no more."""
        if self._collector:
            self._collector.finish()

    def end(self, *, wait: bool = True) -> None:
        """Take back what has not begun, tell the jobs, and let go of the workers; nothing
        if that is done. Whoever may be a thread of the workers' own must not wait."""
        with self._lock:
            channels, self._channels = self._channels, None
            collectors, self._collectors = self._collectors, set()
        if channels is None:
            return
        jobs = [job for collector in collectors for job in collector.drop()]
        for channel in channels:
            self.farm.close_channel(channel, self._interrupts)
        self._service.leave(self, wait=wait, interrupt=self._interrupts)
        for job in jobs:
            job.tell(False, RuntimeError("the pool has ended before this was done"))


def _wrap(options: Options) -> Wrap | None:
    if options.isolated:
        return _Isolation(options)
    if options.initializer is not None:
        return Preparation(options.initializer, tuple(options.initargs))
    return None


class _Isolation:
    def __init__(self, options: Options) -> None:
        self._options = options
        self(abs)  # what is wrong with them is told at once

    def __call__(self, function: Callable[..., Any]) -> Isolated:
        options = self._options
        return Isolated(
            function,
            timeout=options.timeout,
            retries=options.retries,
            initializer=options.initializer,
            initargs=tuple(options.initargs),
            maxtasksperchild=options.maxtasksperchild,
        )
