"""A loop whose rounds are done on all ranks but the first.

    from pypar.ext.handympi import foreach

    def f(x):
        return x ** 2

    print(foreach(f, range(100), return_=True))

That is the whole script: ranks other than 0 come back from foreach only with
finalRun=False. Without mpirun it is a loop.
"""

import sys
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

from pypar import Status, world

from .pypar_balancer import PyparBalancer, PyparWork

__all__ = [
    "HAVE_MPI",
    "HAVE_PYPAR",
    "MY_RANK",
    "NUM_NODES",
    "RunMasterSlave",
    "foreach",
]

_T = TypeVar("_T")
_Result = TypeVar("_Result")
_Master = TypeVar("_Master", bound=Callable[[int, Any], object])

HAVE_PYPAR = True
MY_RANK = world.rank
NUM_NODES = world.size
HAVE_MPI = NUM_NODES > 1  # whether there are others to work


def foreach(
    f: Callable[[_T], _Result],
    l: Iterable[_T],  # noqa: E741
    useMPI: bool = True,
    return_: bool = False,
    debug: bool = False,
    finalRun: bool = True,
) -> list[_Result] | None:
    """Call f with each item of l, which is the same on all ranks. With return_ the
    list of results, in l's order, is what rank 0 gets; everybody else gets None.

    useMPI=False does it all on each rank that calls. With finalRun that was all that
    the other ranks are for: the job is finalized, and they exit.
    """

    class Slave:
        def __call__(self, item: _T) -> _Result:
            if debug:
                print(f"rank {MY_RANK}: f({item!r})", file=sys.stderr, flush=True)
            return f(item)

    class Master:
        def __init__(self) -> None:
            self.results: dict[int, _Result] = {}

        def __call__(self, number: int, result: _Result) -> None:
            if return_:
                self.results[number] = result

    items = list(l)
    master = RunMasterSlave(Master, Slave, items, useMPI, finalRun)
    if master is None or not return_:
        return None
    return [master.results[number] for number in range(len(items))]


def RunMasterSlave(
    masterClass: Callable[[], _Master],
    slaveClass: Callable[[], Callable[[Any], Any]],
    workParams: Sequence[Any],
    useMPI: bool = True,
    finalRun: bool = True,
) -> _Master | None:
    """Give each of the sequence workParams to some rank's slaveClass()(param) and what
    that returns to masterClass()(number, result) on rank 0, with the param's number;
    return rank 0's master, None elsewhere. useMPI and finalRun: see foreach."""
    if not (HAVE_MPI and useMPI):
        master, slave = masterClass(), slaveClass()
        for number, param in enumerate(workParams):
            master(number, slave(param))
        return master
    work = _MasterSlave(masterClass, slaveClass, workParams)
    PyparBalancer(work).run(finalRun)
    master_here: _Master | None = work.master
    return master_here


class _MasterSlave(PyparWork):
    def __init__(
        self,
        masterClass: Callable[[], Any],
        slaveClass: Callable[[], Callable[[Any], Any]],
        workParams: Sequence[Any],
    ) -> None:
        self.params = workParams
        self.master: Any = masterClass() if MY_RANK == 0 else None
        self.slave: Any = slaveClass() if MY_RANK != 0 else None

    def getNumWorkItems(self) -> int:
        return len(self.params)

    def calcWorkResult(self, worknum: int) -> tuple[int, Any]:
        return worknum, self.slave(self.params[worknum])

    def handleWorkResult(self, result: tuple[int, Any], status: Status) -> None:
        self.master(*result)
