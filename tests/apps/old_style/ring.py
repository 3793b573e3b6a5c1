#!/usr/bin/env python
# SPDX-License-Identifier: MIT
"""Demo: a string and an array go around the ring of processors.

Written as such scripts were in 2005, then turned by 2to3.
"""

import pypar as pp          # This import line initialises MPI
from numpy import *

numproc = pp.size()
myid =    pp.rank()
node =    pp.get_processor_name()

print("I am processor %d of %d on node %s" % (myid, numproc, node))
pp.barrier()

# First general objects: the receiver needs to know nothing
if myid == 0:
    msg = 'P0'
    pp.send(msg, (myid + 1) % numproc)
    msg, status = pp.receive(numproc - 1, return_status=True)
    print('Processor 0 received message "%s" from processor %d (%d bytes)'\
          % (msg, status.source, status.bytes()))
else:
    source = myid - 1
    msg = pp.receive(source)
    msg = msg + 'P' + str(myid)
    pp.send(msg, (myid + 1) % numproc)

# Then an array, into buffers that are already there
N = 1000
buffer = zeros(N, float)
if myid == 0:
    A = array(list(range(N))).astype('d')
    pp.send(A, (myid + 1) % numproc, use_buffer=True)
    X = pp.receive(numproc - 1, buffer=buffer)
    assert X is buffer
    print('Each of %d processors added 1: %s' % (numproc - 1, allclose(X, A + numproc - 1)))
else:
    X = pp.receive(myid - 1, buffer=buffer)
    X = X + 1
    pp.send(X, (myid + 1) % numproc, use_buffer=True)

pp.finalize()
