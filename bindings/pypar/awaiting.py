# SPDX-License-Identifier: MIT
"""`await request`: a thread waits, so that no event loop has to."""

import asyncio
import threading
from collections.abc import Callable
from typing import Any, TypeVar

from ._core import Error, Request, _event, wait_some

_T = TypeVar("_T")
_Call = Callable[[], None]


class _Waiter:
    """One thread for all event loops; it sleeps while nothing is awaited."""

    def __init__(self) -> None:
        # Taken again by who is in it, if the garbage collector runs a coroutine's end.
        self._state = threading.Condition(threading.RLock())
        self._watched: dict[
            Request[Any], list[_Call]
        ] = {}  # by request, what to call when it is done
        self._held: list[Request[Any]] = []  # by the thread, while it waits
        self._something = threading.Event()
        self._changed = _event()
        threading.Thread(target=self._run, name="pypar-waiter", daemon=True).start()

    def watch(self, request: Request[Any], call: _Call) -> None:
        with self._state:
            self._watched.setdefault(request, []).append(call)
            self._changed._set()
            self._something.set()

    def forget(self, request: Request[Any], call: _Call) -> None:
        """Don't call it, unless that is done; the thread lets go of request soon."""
        with self._state:
            calls = self._watched.get(request, [])
            if call in calls:
                calls.remove(call)
                self._changed._set()
            if not calls:
                self._watched.pop(request, None)

    def let_go(self) -> None:
        """Wait until the thread has let go of what has been forgotten."""
        with self._state:
            held = self._held
            self._state.wait_for(lambda: not held or self._held is not held)

    def _run(self) -> None:
        while True:
            self._something.wait()
            for call in self._next_calls():
                call()

    def _next_calls(self) -> list[_Call]:
        with self._state:
            self._changed = _event()
            self._held = requests = [self._changed, *self._watched]
        try:
            done = wait_some(requests)
        except Error:  # the job is over: each request says so itself
            done = requests
        with self._state:
            calls = [call for r in done for call in self._watched.pop(r, [])]
            if not self._watched:
                self._something.clear()
            del requests, done
            self._held = []
            self._state.notify_all()
        return calls


_waiter: _Waiter | None = None
_starting = threading.Lock()


def _the_waiter() -> _Waiter:
    global _waiter
    with _starting:
        if _waiter is None:
            _waiter = _Waiter()
        return _waiter


async def result_of(request: Request[_T]) -> _T:
    """The result of request, once it is done."""
    if not request.done:
        loop = asyncio.get_running_loop()
        future: asyncio.Future[None] = loop.create_future()

        def finish() -> None:
            if not future.done():
                future.set_result(None)

        def call() -> None:
            try:
                loop.call_soon_threadsafe(finish)
            except RuntimeError:  # the loop has been closed: nobody awaits any more
                pass

        waiter = _the_waiter()
        waiter.watch(request, call)
        try:
            await future
        finally:
            waiter.forget(request, call)
            if future.cancelled():
                waiter.let_go()  # a message that comes from now on may be another's
    return request.result
