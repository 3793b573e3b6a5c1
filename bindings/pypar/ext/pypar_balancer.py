"""A master on rank 0 gives numbered pieces of work to all other ranks, to each the
next one when it has done the last.

    class Squares(PyparWork):
        def getNumWorkItems(self):
            return 100
        def calcWorkResult(self, worknum):          # on a slave
            return worknum ** 2
        def handleWorkResult(self, result, status): # on the master
            print(result, "from rank", status.source)

    PyparBalancer(Squares()).run()
"""

import functools
import sys
from collections.abc import Iterator
from typing import Any

from pypar import Comm, Status, any_source, any_tag, finalize, get_processor_name, world

__all__ = ["PyparBalancer", "PyparWork", "mprint"]

_WORK = 1
_DIE = 2


@functools.cache
def _comm() -> Comm:
    """The ranks, for messages that a script's own never meet, whatever their tags."""
    return world.duplicate()


def mprint(txt: object) -> None:
    """Print a line at once: what several ranks print is not held back and mixed."""
    sys.stdout.write(f"{txt}\n")
    sys.stdout.flush()


class PyparWork:
    """What is to be done: a script's own class is a child of this one."""

    def uplink(
        self, balancer: "PyparBalancer", myid: int, numprocs: int, node: str
    ) -> None:
        """Told by the balancer, before all else, who and where this rank is."""
        self.balancer = balancer
        self.pypar_id = myid
        self.pypar_numprocs = numprocs
        self.pypar_node = node

    def getNumWorkItems(self) -> int:
        """How many pieces of work there are; asked on the master."""
        raise NotImplementedError(f"{type(self).__name__} has no getNumWorkItems()")

    def calcWorkResult(self, worknum: int) -> Any:
        """The result of piece worknum, from 0; asked on a slave."""
        raise NotImplementedError(f"{type(self).__name__} has no calcWorkResult()")

    def handleWorkResult(self, result: Any, status: Status) -> None:
        """Called on the master with each result, in the order of their arrival;
        status.source is the slave's rank."""

    def masterBeforeWork(self) -> None:
        """Called on the master before any work."""

    def slaveBeforeWork(self) -> None:
        """Called on each slave before any work."""

    def masterAfterWork(self) -> None:
        """Called on the master when all results have been handled."""

    def slaveAfterWork(self) -> None:
        """Called on each slave when there is no more work for it."""

    def msgprint(self, txt: object) -> None:
        """Print txt behind this rank's number."""
        mprint(f"-{self.pypar_id}-{txt}")


class PyparBalancer:
    """A PyparWork on its way over the ranks; with debug it prints what it does."""

    def __init__(self, work: PyparWork, debug: bool = False) -> None:
        self.work = work
        self.debug = debug

    def run(self, finalRun: bool = True) -> None:
        """Do the work; all ranks call this. With finalRun that was all that the slaves
        are for: the job is finalized, and they exit."""
        if world.size < 2:
            raise RuntimeError(
                f"a PyparBalancer needs a master and a slave, but this job has "
                f"{world.size} rank: start it with mpirun -np 2 or more"
            )
        self.work.uplink(self, world.rank, world.size, get_processor_name())
        run = self._run_master if world.rank == 0 else self._run_slave
        run(_comm())
        if finalRun:
            is_slave = world.rank != 0
            finalize()
            if is_slave:
                sys.exit()

    def _run_master(self, comm: Comm) -> None:
        self.work.masterBeforeWork()
        numbers = iter(range(self.work.getNumWorkItems()))
        working = sum(self._give(numbers, slave, comm) for slave in range(1, comm.size))
        while working:
            result, status = comm.receive(any_source, _WORK, return_status=True)
            working -= not self._give(numbers, status.source, comm)
            self._tell(f"result from {status.source}")
            self.work.handleWorkResult(result, status)
        self.work.masterAfterWork()

    def _give(self, numbers: Iterator[int], slave: int, comm: Comm) -> bool:
        """Give slave the next of the numbers; whether there was one."""
        number = next(numbers, None)
        if number is None:
            self._tell(f"no more work for {slave}")
            comm.send(None, slave, _DIE)
            return False
        self._tell(f"work {number} for {slave}")
        comm.send(number, slave, _WORK)
        return True

    def _run_slave(self, comm: Comm) -> None:
        self.work.slaveBeforeWork()
        while (number := self._take(comm)) is not None:
            self._tell(f"begins work {number}")
            comm.send(self.work.calcWorkResult(number), 0, _WORK)
        self.work.slaveAfterWork()

    def _take(self, comm: Comm) -> Any:
        """The number of the work that the master gives; None where that is all."""
        number, status = comm.receive(0, any_tag, return_status=True)
        return number if status.tag == _WORK else None

    def _tell(self, txt: str) -> None:
        if self.debug:
            self.work.msgprint(txt)
