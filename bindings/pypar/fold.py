# SPDX-License-Identifier: MIT
"""Joining the objects of a reduce, in the order of the ranks, by an operation that is
none of Python's operators."""

import sys
from collections.abc import Callable, Sequence
from functools import reduce
from typing import Any

from . import _core

_Pair = tuple[Any, Any]


def _is_first(a: _Pair, b: _Pair) -> bool:
    """Whether (value, index) a goes in front of b where their values don't say so: a
    value that is no number does, and of equal ones the smaller index."""
    a_is_none, b_is_none = bool(a[0] != a[0]), bool(b[0] != b[0])
    if a_is_none != b_is_none:
        return a_is_none
    return (a_is_none or a[0] == b[0]) and bool(a[1] <= b[1])


def _minloc(a: _Pair, b: _Pair) -> _Pair:
    return a if a[0] < b[0] or _is_first(a, b) else b


def _maxloc(a: _Pair, b: _Pair) -> _Pair:
    return a if a[0] > b[0] or _is_first(a, b) else b


def _check_pairs(objects: Sequence[Any]) -> None:
    for rank, pair in enumerate(objects):
        try:
            _, _ = pair
        except (TypeError, ValueError):
            raise _core.TypeMismatch(
                f"rank {_core.world.rank}: what rank {rank} gives is {pair!r}: MINLOC and "
                "MAXLOC join pairs (value, index)"
            ) from None


# By operation: what joins objects, and the ufunc that joins arrays, if one does.
_OPERATORS: dict[int, tuple[Callable[[Any, Any], Any], str | None]] = {
    _core.MAX: (max, "maximum"),
    _core.MIN: (min, "minimum"),
    _core.LAND: (lambda a, b: bool(a) and bool(b), "logical_and"),
    _core.LOR: (lambda a, b: bool(a) or bool(b), "logical_or"),
    _core.LXOR: (lambda a, b: bool(a) != bool(b), "logical_xor"),
    _core.MAXLOC: (_maxloc, None),
    _core.MINLOC: (_minloc, None),
}


def fold(objects: Sequence[Any], op: int) -> Any:
    """objects joined by op, a number of _core, from left to right."""
    join, ufunc = _OPERATORS[op]
    if ufunc is None:
        _check_pairs(objects)
    numpy = sys.modules.get("numpy")
    if ufunc and numpy and isinstance(objects[0], numpy.ndarray):
        join = getattr(numpy, ufunc)
    return reduce(join, objects)
