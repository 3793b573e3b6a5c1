# SPDX-License-Identifier: MIT
"""pypar - messages between the ranks of a job.

    import pypar as pp

    if pp.rank() == 0:
        pp.send("hello", 1)
    elif pp.rank() == 1:
        print(pp.receive(0))

Run it with ``mpirun -np 2 python script.py``. The functions of this module are
those of the old pypar; ``pypar.world`` is the same as a ``Comm``, with methods.
Importing pypar starts the job, and leaving the interpreter ends it.

What holds for all of them, the functions too, stands in ``help(pypar.Comm)``.

Constants:

    any_source, any_tag   -1: a message of any rank, under any tag
    default_tag, max_tag  the tag of a message that is given none; the largest there is
    SUM, PROD, MAX, MIN   how reduce joins what the ranks have:
    LAND, LOR, LXOR       logically,
    BAND, BOR, BXOR       bit by bit,
    MINLOC, MAXLOC        to the pair (value, index) of the smallest or largest value
"""

import os as _os
from typing import TYPE_CHECKING as _TYPE_CHECKING
from typing import Any as _Any

from . import command

if (_asked := command.asked()) is not None:
    command.run(_asked, is_rank=False)  # before MPI is started below

from . import mpiext
from ._core import (
    BAND,
    BOR,
    BXOR,
    LAND,
    LOR,
    LXOR,
    MAX,
    MAXLOC,
    MIN,
    MINLOC,
    PROD,
    SUM,
    Comm,
    Error,
    Request,
    SizeMismatch,
    Status,
    TypeMismatch,
    abort,
    any_source,
    any_tag,
    barrier,
    broadcast,
    cpus,
    default_tag,
    get_processor_name,
    initialized,
    max_tag,
    rank,
    receive,
    send,
    size,
    time,
    wait_some,
    world,
)
from ._core import (
    __version__ as __version__,
)

if _os.environ.get("PAR_BCAST_IMPORTS") and world.size > 1:
    from .imports import share as _share

    _share()  # before the rest is read below

from .balance import balance
from .buffered import (
    alloc,
    alloc_and_attach,
    attach,
    bsend,
    dealloc,
    detach,
    detach_and_dealloc,
    push_for_alloc,
)
from .deprecated import (
    Abort,
    Barrier,
    Finalize,
    Get_processor_name,
    Initialized,
    Wtime,
    bcast,
    raw_gather,
    raw_receive,
    raw_reduce,
    raw_scatter,
    raw_send,
)
from .finalizing import finalize
from .fork import warn_of_fork as _warn_of_fork
from .grid import Grid
from .interop import from_mpi4py
from .legacy import gather, init, inplace_reduce, reduce, scatter
from .output import print0, progress
from .output import print_whole_lines as _print_whole_lines
from .place import place as place
from .stack import offer_stack as _offer_stack
from .threads import follow_place as _follow_place
from .time_limit import on_time_limit
from .uncaught import watch as _watch
from .where import where as where

if _TYPE_CHECKING:
    from .executor import Executor
    from .isolated import TaskTimeout, WorkerCrashed
    from .journal import JournalError
    from .memoized import memoize
    from .pool import Pool

# What loads much that few need, and its modules.
_LATER = {
    "Executor": "executor",
    "JournalError": "journal",
    "Pool": "pool",
    "TaskTimeout": "isolated",
    "WorkerCrashed": "isolated",
    "memoize": "memoized",
}


def __getattr__(name: str) -> _Any:
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    value = getattr(importlib.import_module(f".{_LATER[name]}", __name__), name)
    globals()[name] = value
    return value


_follow_place()
if world.size > 1:
    _print_whole_lines()
    _warn_of_fork()
    _watch()
    _offer_stack(world.rank)
if _path := _os.environ.get("PAR_LOG"):
    from .logging import start as _start

    _start(_path)

# Without `place` and `where`, which NumPy has: after `from numpy import *` these stay NumPy's.
__all__ = [
    "Abort",
    "BAND",
    "BOR",
    "BXOR",
    "Barrier",
    "Comm",
    "Error",
    "Executor",
    "Finalize",
    "Get_processor_name",
    "Grid",
    "Initialized",
    "JournalError",
    "LAND",
    "LOR",
    "LXOR",
    "MAX",
    "MAXLOC",
    "MIN",
    "MINLOC",
    "PROD",
    "Pool",
    "Request",
    "SUM",
    "SizeMismatch",
    "Status",
    "TaskTimeout",
    "TypeMismatch",
    "WorkerCrashed",
    "Wtime",
    "abort",
    "alloc",
    "alloc_and_attach",
    "any_source",
    "any_tag",
    "attach",
    "balance",
    "barrier",
    "bcast",
    "broadcast",
    "bsend",
    "cpus",
    "dealloc",
    "default_tag",
    "detach",
    "detach_and_dealloc",
    "finalize",
    "from_mpi4py",
    "gather",
    "get_processor_name",
    "init",
    "initialized",
    "inplace_reduce",
    "max_tag",
    "memoize",
    "on_time_limit",
    "print0",
    "progress",
    "push_for_alloc",
    "rank",
    "raw_gather",
    "raw_receive",
    "raw_reduce",
    "raw_scatter",
    "raw_send",
    "receive",
    "reduce",
    "scatter",
    "send",
    "size",
    "time",
    "wait_some",
    "world",
]
