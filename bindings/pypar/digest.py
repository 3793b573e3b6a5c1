# SPDX-License-Identifier: MIT
"""A few bytes that stand for a value or a function: the same in each run of a program.

A pickle will not do: it depends on the order of sets, which differs from run to run, and
on which of the equal objects in it are one.
"""

import pickle
from collections.abc import Callable
from hashlib import blake2b
from types import CellType, CodeType, FunctionType, MethodType, ModuleType
from typing import Any

__all__ = ["of_function", "of_value"]

BYTES = 16
PROTOCOL = 5  # whatever the Python

_ATOMS = {bool, int, float, complex, str, bytes, type(None)}

# Of a function's code, what makes it do what it does; not where it stands.
_CODE = (
    "co_code",
    "co_consts",
    "co_names",
    "co_varnames",
    "co_freevars",
    "co_cellvars",
    "co_exceptiontable",
    "co_argcount",
    "co_posonlyargcount",
    "co_kwonlyargcount",
    "co_flags",
)


def of_value(value: object) -> bytes:
    """The digest of value: equal for values of the same type and content. A function in
    it counts by its code, an object by its attributes and the name of its class, and an
    array with its layout in memory.

    ValueError: value refers to itself. What pickle raises: value cannot be pickled.
    """
    if type(value) in _ATOMS:  # for which there are faster ways
        return blake2b(pickle.dumps(value, PROTOCOL), digest_size=BYTES).digest()
    return _Digester().digest(value)


def of_function(function: Callable[..., Any]) -> bytes:
    """The digest of function: of its name, its code, and the values that it keeps, such as
    defaults, a closure, or a method's object. It does not look at the functions that this
    one calls, nor at global variables; and another version of Python has other code.
    """
    if isinstance(function, FunctionType | MethodType | type):
        return of_value(function)
    if hasattr(function, "__wrapped__"):  # what functools.cache returns, say
        return of_function(function.__wrapped__)
    return of_value((function, getattr(type(function), "__call__", None)))  # noqa: B004


class _Digester(pickle.Pickler):
    """A pickle that nobody reads."""

    def __init__(self, around: tuple[FunctionType, ...] = ()) -> None:
        self._hash = blake2b(digest_size=BYTES)
        self._around = around  # the functions that have the value in them
        super().__init__(self, PROTOCOL)
        self.fast = True  # each object counts by its content, met before or not

    def write(self, data: Any) -> None:
        self._hash.update(data)

    def digest(self, value: object) -> bytes:
        self.dump(value)
        return self._hash.digest()

    def persistent_id(self, value: Any) -> object:
        """What counts in the place of VALUE; None: VALUE itself."""
        kind = type(value)
        if kind is FunctionType:
            return "function", self._function(value)
        if kind is MethodType:
            return "method", value.__func__, value.__self__
        if kind is CodeType:
            return "code", [getattr(value, name) for name in _CODE]
        if kind is CellType:
            return "cell", _content(value)
        if kind is set or kind is frozenset:
            digests = [_Digester(self._around).digest(each) for each in value]
            return kind.__name__, sorted(digests)
        if kind is ModuleType:
            return "module", value.__name__
        if isinstance(value, type):
            return "class", value.__module__, value.__qualname__
        return None

    def _function(self, function: FunctionType) -> bytes:
        parts: list[Any] = [function.__module__, function.__qualname__]
        around = (*self._around, function)
        if not any(function is each for each in self._around):  # else it calls itself
            parts += [function.__code__, function.__defaults__, function.__kwdefaults__]
            parts += [function.__closure__]
        return _Digester(around).digest(parts)


def _content(cell: CellType) -> list[Any]:
    try:
        return [cell.cell_contents]
    except ValueError:  # it has none yet
        return []
