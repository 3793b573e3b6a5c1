# SPDX-License-Identifier: MIT
"""Whether what the ranks give can be joined as it is, and put into a buffer."""

from collections.abc import Sequence
from typing import Any

from ._core import SizeMismatch, TypeMismatch, world


def is_array(x: object) -> bool:
    """Whether x is an array, NumPy's or another like it."""
    return hasattr(x, "dtype") and hasattr(x, "shape")


def is_masked(x: object) -> bool:
    """Whether x is an array that has a mask."""
    return is_array(x) and hasattr(x, "mask")


def described(x: Any) -> str:
    """What x is, for a message."""
    if not is_array(x):
        return f"of type {type(x).__name__}"
    return f"{'a masked' if is_masked(x) else 'an'} array of {x.dtype}"


def fill(buffer: Any, x: Any) -> Any:
    """buffer, an array, with the elements of x in it. TypeMismatch or SizeMismatch unless
    it has the dtype and size of x, and a mask if x has one."""
    has_room = is_masked(buffer) or not is_masked(x)
    if not is_array(x) or x.dtype != buffer.dtype or not has_room:
        raise TypeMismatch(
            f"rank {world.rank}: the result is {described(x)}; the buffer is for "
            f"{described(buffer)}"
        )
    if x.size != buffer.size:
        raise SizeMismatch(
            f"rank {world.rank}: the result has {x.size} elements; the buffer is for "
            f"{buffer.size}"
        )
    buffer[...] = x.reshape(buffer.shape)
    return buffer


def check(objects: Sequence[Any], first_axis: int = 0) -> None:
    """TypeMismatch or SizeMismatch, which names two ranks, unless objects, of which one is
    an array or a str, are all of one kind and dtype, and of one shape from first_axis on."""
    one = objects[0]
    for rank, x in enumerate(objects):
        if _kind(x) != _kind(one):
            error: type[Exception] = TypeMismatch
        elif is_array(x) and x.shape[first_axis:] != one.shape[first_axis:]:
            error = SizeMismatch
        else:
            continue
        raise error(
            f"rank {world.rank}: rank 0 gives {_given(one)}, but rank {rank} {_given(x)}: "
            "what is joined must be alike on all ranks"
        )


def _given(x: Any) -> str:
    if not is_array(x):
        return f"what is {described(x)}"
    return f"{described(x)} and shape {x.shape}"


def _kind(x: Any) -> object:
    """What must be the same; texts of differing length are of one kind."""
    if not is_array(x):
        return next((kind for kind in (str, bytes) if isinstance(x, kind)), None)
    return x.dtype.char if x.dtype.char in "SU" else x.dtype
