# SPDX-License-Identifier: MIT
"""Names of the old pypar that were going away twenty years ago. They warn, and work."""

import functools
import warnings
from collections.abc import Callable
from typing import Any, SupportsIndex, TypeVar, cast

from . import _core, finalizing, legacy

__all__ = [
    "Abort",
    "Barrier",
    "Finalize",
    "Get_processor_name",
    "Initialized",
    "Wtime",
    "bcast",
    "raw_gather",
    "raw_receive",
    "raw_reduce",
    "raw_scatter",
    "raw_send",
]


_Function = TypeVar("_Function", bound=Callable[..., Any])


def _deprecated(name: str, instead: str, function: _Function) -> _Function:
    @functools.wraps(function, assigned=())
    def warn_and_call(*args: Any, **keywords: Any) -> Any:
        warnings.warn(
            f"pypar.{name} is deprecated, use pypar.{instead}",
            DeprecationWarning,
            stacklevel=2,
        )
        return function(*args, **keywords)

    warn_and_call.__name__ = warn_and_call.__qualname__ = name
    warn_and_call.__doc__ = f"Deprecated: use {instead}."
    return cast(_Function, warn_and_call)


def _raw_send(
    x: object,
    destination: SupportsIndex,
    tag: SupportsIndex = _core.default_tag,
    vanilla: object = 0,
) -> None:
    _core.send(x, destination, tag=tag)


def _raw_receive(
    x: Any,
    source: SupportsIndex,
    tag: SupportsIndex = _core.default_tag,
    vanilla: object = 0,
    return_status: object = 0,
) -> Any:
    return _core.receive(source, x, vanilla, tag, return_status)


def _raw_scatter(x: Any, buffer: Any, source: int, vanilla: object = 0) -> Any:
    return legacy.scatter(x, source, buffer)


def _raw_gather(x: Any, buffer: Any, source: int, vanilla: object = 0) -> Any:
    return legacy.gather(x, source, buffer)


def _raw_reduce(x: Any, buffer: Any, op: Any, source: int, vanilla: object = 0) -> Any:
    return legacy.reduce(x, op, source, buffer)


Abort = _deprecated("Abort", "abort", _core.abort)
Barrier = _deprecated("Barrier", "barrier", _core.barrier)
Finalize = _deprecated("Finalize", "finalize", finalizing.finalize)
Get_processor_name = _deprecated(
    "Get_processor_name", "get_processor_name", _core.get_processor_name
)
Initialized = _deprecated("Initialized", "initialized", _core.initialized)
Wtime = _deprecated("Wtime", "time", _core.time)
bcast = _deprecated("bcast", "broadcast", _core.broadcast)
raw_gather = _deprecated("raw_gather", "gather", _raw_gather)
raw_receive = _deprecated("raw_receive", "receive", _raw_receive)
raw_reduce = _deprecated("raw_reduce", "reduce", _raw_reduce)
raw_scatter = _deprecated("raw_scatter", "scatter", _raw_scatter)
raw_send = _deprecated("raw_send", "send", _raw_send)
