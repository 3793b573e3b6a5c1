# SPDX-License-Identifier: MIT
"""How a function gets to the workers: by its name or by value, and once.

What the workers' own modules have goes by its name, and so does what the script had
defined when they began: they have run it up to there. What it has defined since, and
whatever has no name, cloudpickle sends by value.
"""

import hashlib
import importlib
import io
import pickle
import sys
import threading
from collections import OrderedDict
from collections.abc import Callable
from types import FunctionType
from typing import Any, TypeAlias

from .farm import Farm

Wrap: TypeAlias = Callable[[Callable[..., Any]], Callable[..., Any]]

try:
    _Pickler: Any = importlib.import_module("cloudpickle").Pickler  # it has no types
except ImportError:
    _Pickler = pickle.Pickler

KEPT = 64  # functions that the workers keep though no task needs them now


class Packed:
    """A function in transit: it is decoded as the function."""

    def __init__(self, content: bytes) -> None:
        self.content = content

    def __reduce__(self) -> tuple[Any, ...]:
        return pickle.loads, (self.content,)


class Script:
    """What the script has defined so far, which workers that have run it know, too."""

    def __init__(self, *, known: bool) -> None:
        main = vars(sys.modules["__main__"]) if known else {}
        # Kept, so that no other object gets the same id.
        self._known = {id(value): value for value in main.values() if callable(value)}

    def knows(self, obj: object) -> bool:
        """Whether the workers know obj by its name."""
        return id(obj) in self._known

    def pack(self, obj: Any) -> bytes:
        """The pickle of obj, for workers that know what the script knew."""
        file = io.BytesIO()
        _ScriptPickler(file, self).dump(obj)
        return file.getvalue()


class _ScriptPickler(_Pickler):  # type: ignore[misc]
    def __init__(self, file: io.BytesIO, script: Script) -> None:
        super().__init__(file, protocol=5)
        self._script = script

    def reducer_override(self, obj: Any) -> Any:
        if _Pickler is pickle.Pickler or self._script.knows(obj):
            return NotImplemented  # the ordinary way, by name
        return super().reducer_override(obj)


class Functions:
    """The functions that a farm's workers have, by what they are made of: an object that
    has changed since it was sent is sent again."""

    def __init__(self, farm: Farm, script: Script) -> None:
        self._farm = farm
        self._script = script
        self._lock = threading.RLock()  # what a pool lets go of may come amid it
        self._shared: OrderedDict[object, Shared] = OrderedDict()

    def take(self, function: Callable[..., Any], wrap: Wrap | None = None) -> "Shared":
        """Have the workers know function, wrapped if asked for, until it is released."""
        identity, packed = self._identify(function)
        key = identity, wrap
        with self._lock:
            shared = self._shared.get(key)
            if shared is None:
                if wrap or packed is None:
                    packed = self._script.pack(wrap(function) if wrap else function)
                number = self._farm.share(Packed(packed))
                shared = self._shared[key] = Shared(self, number)
            self._shared.move_to_end(key)
            shared.holders += 1
            self._drop_the_oldest()
        return shared

    def _release(self, shared: "Shared") -> None:
        with self._lock:
            shared.holders -= 1

    def _identify(self, function: Callable[..., Any]) -> tuple[object, bytes | None]:
        if self._is_fixed(function):
            return function, None
        packed = self._script.pack(function)
        return hashlib.blake2b(packed, digest_size=16).digest(), packed

    def _is_fixed(self, function: Callable[..., Any]) -> bool:
        """Whether function goes by a name, so that it need not be pickled to be known."""
        if not isinstance(function, FunctionType):
            return False
        if function.__module__ == "__main__":
            return self._script.knows(function)
        module = sys.modules.get(function.__module__)
        return getattr(module, function.__qualname__, None) is function

    def _drop_the_oldest(self) -> None:
        if len(self._shared) <= KEPT:
            return
        for key, shared in self._shared.items():
            if not shared.holders:
                del self._shared[key]
                self._farm.forget(shared.number)
                return


class Shared:
    """A function that the workers know, by its number."""

    def __init__(self, functions: Functions, number: int) -> None:
        self._functions = functions
        self.number = number
        self.holders = 0

    def release(self) -> None:
        """Who took it has handed in the last task of it."""
        self._functions._release(self)

    def __enter__(self) -> int:
        return self.number

    def __exit__(self, *exception: object) -> None:
        self.release()
