# SPDX-License-Identifier: MIT
"""A function whose worker has been prepared by the initializer of a pool."""

import threading
import uuid
from collections.abc import Callable
from concurrent.futures import BrokenExecutor
from typing import Any

_lock = threading.RLock()
_faults: dict[str, str | None] = {}  # by pool: what went wrong with its initializer here


class InitializerFailed(BrokenExecutor):
    """The initializer has raised an exception: none of the tasks can be done."""


class Preparation:
    """What is to be called once on each worker, before the first task of a pool there."""

    def __init__(
        self, initializer: Callable[..., object], initargs: tuple[Any, ...]
    ) -> None:
        if not callable(initializer):
            raise TypeError("initializer must be a callable")
        self._initializer = initializer
        self._initargs = initargs
        self._pool = uuid.uuid4().hex

    def __call__(self, function: Callable[..., Any]) -> "Prepared":
        return Prepared(self, function)

    def do(self) -> None:
        """Call it, unless that has been done here."""
        with _lock:
            if self._pool not in _faults:
                _faults[self._pool] = self._attempt()
            if fault := _faults[self._pool]:
                raise InitializerFailed(f"the initializer of the pool failed: {fault}")

    def _attempt(self) -> str | None:
        try:
            self._initializer(*self._initargs)
        except Exception as error:
            return f"{type(error).__name__}: {error}"
        return None


class Prepared:
    """function, behind the preparation of its worker."""

    def __init__(self, preparation: Preparation, function: Callable[..., Any]) -> None:
        self._preparation = preparation
        self._function = function

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        self._preparation.do()
        return self._function(*args, **kwargs)
