# SPDX-License-Identifier: MIT
"""Joining the objects of a reduce, in the order of the ranks: arrays that C does not
join, and whatever is joined by an operation that is none of Python's operators."""

from collections.abc import Callable, Sequence
from functools import reduce
from typing import Any

from . import _core, alike

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


_OPERATORS: dict[int, Callable[[Any, Any], Any]] = {
    _core.MAX: max,
    _core.MIN: min,
    _core.LAND: lambda a, b: bool(a) and bool(b),
    _core.LOR: lambda a, b: bool(a) or bool(b),
    _core.LXOR: lambda a, b: bool(a) != bool(b),
    _core.MAXLOC: _maxloc,
    _core.MINLOC: _minloc,
}


def fold(objects: Sequence[Any], op: int) -> Any:
    """objects joined by op, a number of _core, from left to right."""
    if op in (_core.MAXLOC, _core.MINLOC):
        _check_pairs(objects)
    return reduce(_OPERATORS[op], objects)


_UFUNCS = {
    _core.MAX: "maximum",
    _core.MIN: "minimum",
    _core.SUM: "add",
    _core.PROD: "multiply",
    _core.LAND: "logical_and",
    _core.LOR: "logical_or",
    _core.LXOR: "logical_xor",
    _core.BAND: "bitwise_and",
    _core.BOR: "bitwise_or",
    _core.BXOR: "bitwise_xor",
}


def fold_arrays(objects: Sequence[Any], op: int, end: int) -> Any:
    """The first end of objects joined likewise, element by element; None where end is 0.
    TypeMismatch or SizeMismatch unless all objects are arrays of one dtype and shape."""
    import numpy

    alike.check(objects)
    if not end:
        return None
    result = reduce(getattr(numpy, _UFUNCS[op]), objects[:end])
    dtype = objects[0].dtype
    if not isinstance(result, numpy.ndarray):  # of arrays without a dimension
        element, result = result, numpy.empty((), getattr(result, "dtype", dtype))
        result[()] = element
    if result.dtype == dtype.newbyteorder(
        "="
    ):  # NumPy's results have this machine's order
        return result.astype(dtype, copy=False)
    return result
