#!/usr/bin/env python
# SPDX-License-Identifier: MIT
"""Demo: a master gives work to slaves and sends them a die tag at the end.

Written as such scripts were in 2005, then turned by 2to3.
"""

import sys

try:
    import numpy
except:
    raise Exception('Module numpy must be present to run pypar')

try:
    import pypar
except:
    raise Exception('Module pypar must be present to run parallel')

WORKTAG = 1
DIETAG = 2
numWorks = 25

myid = pypar.rank()
numprocs = pypar.size()


class Result:
    """Travels as an instance of a class of __main__"""
    def __init__(self, number, value):
        self.number = number
        self.value = value


def master():
    numCompleted = 0
    results = {}

    # start slaves distributing the first work slot
    rank = 1
    work = 0
    for i in range(1, min(numprocs, numWorks + 1)):
        pypar.send((work, numpy.ones(work) * 2), i, tag=WORKTAG)
        work = work + 1

    # dispatch the remaining work slots on dynamic load-balancing policy
    while numCompleted < work:
        result, status = pypar.receive(pypar.any_source, tag=pypar.any_tag,
                                       return_status=True)
        if isinstance(result, Result):
            results[result.number] = result.value
        numCompleted += 1
        if work < numWorks:
            pypar.send((work, numpy.ones(work) * 2), status.source, tag=WORKTAG)
            work += 1

    for i in range(1, numprocs):
        pypar.send(None, i, tag=DIETAG)

    keys = list(results.keys())
    keys.sort()
    assert keys == list(range(numWorks))
    print('[MASTER]: %d works done, sum %.1f' % (len(keys), sum(results.values())))


def slave():
    while True:
        result, status = pypar.receive(0, tag=pypar.any_tag, return_status=True)
        if status.tag == DIETAG:
            return
        number, data = result
        pypar.send(Result(number, numpy.sum(data)), 0)


if __name__ == '__main__':
    if numprocs < 2:
        print('Demo must run on at least 2 processors to continue')
        pypar.abort()
    if myid == 0:
        master()
    else:
        slave()

    pypar.finalize()
    sys.exit()
