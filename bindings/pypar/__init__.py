"""pypar - messages between the ranks of a job.

    import pypar as pp

    if pp.rank() == 0:
        pp.send("hello", 1)
    elif pp.rank() == 1:
        print(pp.receive(0))

Run it with ``mpirun -np 2 python script.py``. The functions of this module are
those of the old pypar; ``pypar.world`` is the same as a ``Comm``, with methods.
Importing pypar starts the job, and leaving the interpreter ends it.
"""

from ._core import (
    BAND,
    BOR,
    BXOR,
    LAND,
    LOR,
    LXOR,
    MAX,
    MIN,
    PROD,
    SUM,
    Comm,
    Error,
    Request,
    SizeMismatch,
    Status,
    TypeMismatch,
    __version__,
    abort,
    any_source,
    any_tag,
    barrier,
    broadcast,
    default_tag,
    finalize,
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
from .balance import balance
from .legacy import gather, reduce, scatter

__all__ = [
    "BAND",
    "BOR",
    "BXOR",
    "Comm",
    "Error",
    "LAND",
    "LOR",
    "LXOR",
    "MAX",
    "MIN",
    "PROD",
    "Request",
    "SUM",
    "SizeMismatch",
    "Status",
    "TypeMismatch",
    "abort",
    "any_source",
    "any_tag",
    "balance",
    "barrier",
    "broadcast",
    "default_tag",
    "finalize",
    "gather",
    "get_processor_name",
    "initialized",
    "max_tag",
    "rank",
    "receive",
    "reduce",
    "scatter",
    "send",
    "size",
    "time",
    "wait_some",
    "world",
]
