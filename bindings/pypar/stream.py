# SPDX-License-Identifier: MIT
"""Results as an iterator: calls are handed in as results are taken out, so that there
may be any number of them. No thread stands between the farm and who iterates."""

import multiprocessing
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import islice
from typing import Any, Generic, NoReturn, Protocol, TypeVar

from .remote import portable
from .session import Session

T = TypeVar("T")

PER_WORKER = 16  # tasks under way at first, for each worker
MOST = 4096  # tasks under way
SECONDS = 0.02  # that what is under way should last


class TimedOut(multiprocessing.TimeoutError, TimeoutError):
    """A result has not come in the time that it was given."""


class Owner(Protocol):
    """A Pool, say."""

    streams: "set[Stream[Any]]"


class Stream(Generic[T]):
    """The results of function for each of calls, which are tuples of arguments.

    window is how many tasks may be under way; without it as many as keep the workers
    busy. Arguments are copied where whoever makes them, one by one, may change them then.
    Its owner and it keep each other until it is over."""

    def __init__(
        self,
        session: Session,
        function: Callable[..., T],
        calls: Iterator[tuple[Any, ...]],
        chunksize: int = 1,
        *,
        ordered: bool,
        window: int | None = None,
        copied: bool = True,
        owner: "Owner",
    ) -> None:
        self._session = session
        self._farm = session.farm
        self._calls: Iterator[tuple[Any, ...]] | None = calls
        self._chunksize = chunksize
        self._copied = copied
        self._adapts = window is None and session.limit is None
        self._least = min(window or PER_WORKER * session.size, session.limit or MOST)
        self._window = self._least
        self._low = self._low_water()
        self._under_way = 0
        self._fed_at = time.perf_counter()
        self._lock = threading.Lock()
        self._ready: deque[tuple[bool, Any]] = deque()  # to be taken out
        self._shared = session.share(function)
        self._channel = session.open_channel(ordered=ordered)
        self._owner: Owner | None = owner
        owner.streams.add(self)
        self._feed()

    def __iter__(self) -> Iterator[T]:
        return self

    def __next__(self) -> T:
        return self.next()

    def next(self, timeout: float | None = None) -> T:
        """The next result, or the exception of its task. TimedOut if it has not come
        after timeout seconds: it may be waited for again."""
        with self._lock:
            if not self._ready:
                self._take(timeout)
            ok, value = self._ready.popleft()
        if ok:
            return value  # type: ignore[no-any-return]
        raise value

    def finish(self) -> None:
        """Wait for all results, which can still be taken out then."""
        with self._lock:
            self._take_all()

    def cut(self, error: BaseException) -> None:
        """As finish(), of what has been handed in; error takes the place of the rest."""
        with self._lock:
            calls, self._calls = self._calls, None
            self._take_all()
            try:
                has_rest = calls is not None and any(True for _ in calls)
            except Exception as fault:
                self._ready.append((False, fault))
            else:
                if has_rest:
                    self._ready.append((False, error))

    def _take_all(self) -> None:
        with suppress(StopIteration):
            while True:
                self._take(None)

    def close(self) -> None:
        """Take back what has not begun; what has been under way has no results."""
        self._calls = None
        self._end()

    def _end(self) -> None:
        if self._owner:
            self._owner.streams.discard(self)
            self._owner = None
            self._session.close_channel(self._channel)
            self._shared.release()

    def _take(self, timeout: float | None) -> None:
        """Have another result ready, or those of a chunk."""
        if self._under_way <= self._low and self._calls is not None:
            if self._adapts:
                self._adapt()
            self._feed()
        if not self._under_way:
            self._end()
            raise StopIteration
        try:
            seconds = None if timeout is None else max(timeout, 0)
            result = self._farm.next(self._channel, seconds) if self._owner else None
        except TimeoutError:
            raise TimedOut(f"no result has come for {timeout} s") from None
        if result is None:
            raise RuntimeError("the pool has ended before all results had come")
        self._under_way -= 1
        _, ok, value = result
        if not ok or self._chunksize == 1:
            self._ready.append((ok, value))
        else:
            self._ready.extend((True, each) for each in value)

    # -- handing in -------------------------------------------------------------------

    def _feed(self) -> None:
        """Fill the window. What goes wrong with a call takes the place of its result."""
        submit = self._submit if self._chunksize == 1 else self._submit_chunk
        for _ in range(self._window - self._under_way):
            if self._calls is None:
                return
            try:
                submit(self._calls)
            except Exception as error:
                self._submit_fault(error)

    def _submit(self, calls: Iterator[tuple[Any, ...]]) -> None:
        try:
            args = next(calls)
        except StopIteration:
            self._calls = None
        except Exception as error:
            self._calls = None
            self._submit_fault(error)
        else:
            self._farm.submit(
                self._channel, self._shared.number, args, None, self._copied
            )
            self._under_way += 1

    def _submit_chunk(self, calls: Iterator[tuple[Any, ...]]) -> None:
        chunk: list[tuple[Any, ...]] = []
        fault = None
        try:
            chunk.extend(islice(calls, self._chunksize))
        except Exception as error:
            fault = error
        if len(chunk) < self._chunksize:
            self._calls = None
        if chunk:
            self._farm.submit_many(
                self._channel, self._shared.number, chunk, True, self._copied
            )
            self._under_way += 1
        if fault:
            self._submit_fault(fault)

    def _submit_fault(self, error: BaseException) -> None:
        with self._session.share(_reraise) as shared:
            self._farm.submit(self._channel, shared, (portable(error),))
        self._under_way += 1

    def _adapt(self) -> None:
        """Small tasks need many under way; large ones take up memory."""
        now = time.perf_counter()
        lasted, self._fed_at = now - self._fed_at, now
        if lasted < SECONDS / 2:
            self._window = min(2 * self._window, MOST)
        elif lasted > 2 * SECONDS:
            self._window = max(self._window // 2, self._least)
        self._low = self._low_water()

    def _low_water(self) -> int:
        return self._window // 2 if self._adapts else self._window - 1


def _reraise(error: BaseException) -> NoReturn:
    raise error
