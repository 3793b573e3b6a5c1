# SPDX-License-Identifier: MIT
"""Results of a Pool that come later."""

import threading
from collections.abc import Callable
from typing import Any, Generic, TypeVar

from .stream import TimedOut

T = TypeVar("T")


class AsyncResult(Generic[T]):
    """The result of a call that a worker makes: multiprocessing's AsyncResult.

    It keeps its pool until it is there."""

    def __init__(
        self,
        pool: object,
        callback: Callable[[T], object] | None = None,
        error_callback: Callable[[BaseException], object] | None = None,
    ) -> None:
        self._pool: object = pool
        self._callback = callback
        self._error_callback = error_callback
        self._event = threading.Event()
        self._success = False
        self._value: Any = None

    def get(self, timeout: float | None = None) -> T:
        """Wait for the result and return it, or raise the exception of the call. TimedOut,
        a multiprocessing.TimeoutError, if it has not come after timeout seconds."""
        if not self._event.wait(timeout):
            raise TimedOut(f"the result has not come for {timeout} s")
        if self._success:
            return self._value  # type: ignore[no-any-return]
        raise self._value

    def wait(self, timeout: float | None = None) -> None:
        """Wait for the result, or the exception, timeout seconds at most."""
        self._event.wait(timeout)

    def ready(self) -> bool:
        """Whether it has come."""
        return self._event.is_set()

    def successful(self) -> bool:
        """Whether it is no exception. ValueError if it has not come."""
        if not self.ready():
            raise ValueError(f"{self!r} not ready")
        return self._success

    def _set(self, ok: bool, value: Any) -> None:
        self._success, self._value = ok, value
        callback = self._callback if ok else self._error_callback
        try:
            if callback:
                callback(value)
        finally:
            self._event.set()
            self._pool = self._callback = self._error_callback = None


class MapResult(AsyncResult[list[T]]):
    """The results of many calls, which come in parts."""

    def _expect(self, length: int, parts: int) -> None:
        self._values: list[Any] = [None] * length
        self._faults: dict[int, BaseException] = {}
        self._left = parts
        self._lock = threading.Lock()
        if not parts:
            self._set(True, self._values)

    def _set_part(self, start: int, ok: bool, value: Any) -> None:
        with self._lock:
            if ok:
                self._values[start : start + len(value)] = value
            else:
                self._faults[start] = value
            self._left -= 1
            if self._left:
                return
        if self._faults:
            self._set(False, self._faults[min(self._faults)])
        else:
            self._set(True, self._values)
