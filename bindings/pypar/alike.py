# SPDX-License-Identifier: MIT
"""Whether what the ranks give can be joined as it is."""

from collections.abc import Sequence
from typing import Any

from ._core import SizeMismatch, TypeMismatch, world


def is_array(x: object) -> bool:
    return hasattr(x, "dtype") and hasattr(x, "shape")


def described(x: Any) -> str:
    if not is_array(x):
        return f"of type {type(x).__name__}"
    return f"an array of {x.dtype}" + (f" and shape {x.shape}" if x.shape else "")


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
    return described(x) if is_array(x) else f"what is {described(x)}"


def _kind(x: Any) -> object:
    """What must be the same; texts of differing length are of one kind."""
    if not is_array(x):
        return next((kind for kind in (str, bytes) if isinstance(x, kind)), None)
    return x.dtype.char if x.dtype.char in "SU" else x.dtype
