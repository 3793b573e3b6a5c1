"""A loop whose rounds are done on all ranks but the first.

    from pypar.ext.handympi import foreach

    def f(x):
        return x ** 2

    print(foreach(f, range(100), return_=True))

That is the whole script: ranks other than 0 come back from foreach only with
finalRun=False. Without mpirun it is a loop.
"""

import sys

from pypar import world

from .pypar_balancer import PyparBalancer, PyparWork

__all__ = [
    "HAVE_MPI",
    "HAVE_PYPAR",
    "MY_RANK",
    "NUM_NODES",
    "RunMasterSlave",
    "foreach",
]

HAVE_PYPAR = True
MY_RANK = world.rank
NUM_NODES = world.size
HAVE_MPI = NUM_NODES > 1  # whether there are others to work


def foreach(f, l, useMPI=True, return_=False, debug=False, finalRun=True):  # noqa: E741
    """Call f with each item of l, which is the same on all ranks. With return_ the
    list of results, in l's order, is what rank 0 gets; everybody else gets None.

    useMPI=False does it all on each rank that calls. With finalRun that was all that
    the other ranks are for: the job is finalized, and they exit.
    """

    class Slave:
        def __call__(self, item):
            if debug:
                print(f"rank {MY_RANK}: f({item!r})", file=sys.stderr, flush=True)
            return f(item)

    class Master:
        def __init__(self):
            self.results = {}

        def __call__(self, number, result):
            if return_:
                self.results[number] = result

    items = list(l)
    master = RunMasterSlave(Master, Slave, items, useMPI, finalRun)
    if master is None or not return_:
        return None
    return [master.results[number] for number in range(len(items))]


def RunMasterSlave(masterClass, slaveClass, workParams, useMPI=True, finalRun=True):
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
    return work.master


class _MasterSlave(PyparWork):
    def __init__(self, masterClass, slaveClass, workParams):
        self.params = workParams
        self.master = masterClass() if MY_RANK == 0 else None
        self.slave = slaveClass() if MY_RANK != 0 else None

    def getNumWorkItems(self):
        return len(self.params)

    def calcWorkResult(self, worknum):
        return worknum, self.slave(self.params[worknum])

    def handleWorkResult(self, result, status):
        self.master(*result)
