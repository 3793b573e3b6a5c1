#!/usr/bin/env python
# SPDX-License-Identifier: MIT
"""A program for one or many processors, with or without pypar.

Written as such scripts were in 2005, then turned by 2to3.
"""

import atexit, os, sys

cwd = os.getcwd()   # some MPIs change it
try:
    import pypar
except ImportError:
    class Dummy:
        def size(self): return 1
        def rank(self): return 0
        def barrier(self): pass
        def finalize(self): pass
    pypar = Dummy()
    mode = 'sequentially'
else:
    atexit.register(pypar.finalize)
    mode = 'with pypar'
os.chdir(cwd)

rank, size = pypar.rank(), pypar.size()

def work(i):
    return i * i

jobs = list(range(100))
if size > 1:
    lo, hi = pypar.balance(len(jobs), size, rank)
else:
    lo, hi = 0, len(jobs)
mine = [work(i) for i in jobs[lo:hi]]

if rank == 0:
    results = mine
    for p in range(1, size):
        results = results + pypar.receive(p)
    print('Done %s on %d: %d' % (mode, size, sum(results)))
else:
    pypar.send(mine, 0)

pypar.barrier()
sys.exit(0)
