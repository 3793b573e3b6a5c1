# SPDX-License-Identifier: MIT
"""What a rank does when the batch system is about to end the job."""

import atexit
import signal as signals
from collections.abc import Callable
from types import FrameType
from typing import TypeVar

_Function = TypeVar("_Function", bound=Callable[[], object])

_functions: dict[int, list[Callable[[], object]]] = {}  # of each signal


def on_time_limit(function: _Function, signal: int = signals.SIGUSR1) -> _Function:
    """Have function() called on this rank when the job's time is nearly up; return
    function, so that this may decorate it.

    The batch system says so by a signal, if the job asks for it. ``sbatch
    --signal=B:USR1@60`` sends SIGUSR1 sixty seconds before the end to the batch script,
    and where that ends with ``exec mpirun ...`` or ``exec srun ...`` to all ranks.

    function is called in the main thread, between two lines of the script or while the
    script waits in pypar: for a message, say. It may send, receive and write files, but
    not make collective calls, for it begins at another place on each rank; what it raises
    ends the wait or the line that it came upon. It is called each time that the signal
    comes, after the functions that were given before it.

    TypeError: function cannot be called. ValueError: this is not the main thread.
    """
    if not callable(function):
        raise TypeError(f"on_time_limit wants a function, not {function!r}")
    signals.signal(signal, _call_functions)
    if signal not in _functions:
        # Who has left the script waits for the others: the signal must not kill it,
        # and Python gives back the handlers that it knows of.
        atexit.register(signals.signal, signal, signals.SIG_IGN)
    _functions.setdefault(signal, []).append(function)
    return function


def _call_functions(signal: int, _frame: FrameType | None) -> None:
    for function in _functions[signal]:
        function()
