#!/usr/bin/env python
# SPDX-License-Identifier: MIT
"""Demo of reduce with every operation.

Written as such scripts were in 2005, then turned by 2to3.
"""

from functools import reduce
import operator
import numpy
import pypar

myid, P = pypar.rank(), pypar.size()
N = 11

# What each processor has, known to all so that they can check
def testarray(p):
    return numpy.arange(N, dtype='i') % (p + 2)

operations = [
    ('SUM',  pypar.SUM,  operator.add),
    ('PROD', pypar.PROD, operator.mul),
    ('MAX',  pypar.MAX,  max),
    ('MIN',  pypar.MIN,  min),
    ('LAND', pypar.LAND, lambda a, b: int(bool(a) and bool(b))),
    ('LOR',  pypar.LOR,  lambda a, b: int(bool(a) or bool(b))),
    ('LXOR', pypar.LXOR, lambda a, b: int(bool(a) != bool(b))),
    ('BAND', pypar.BAND, operator.and_),
    ('BOR',  pypar.BOR,  operator.or_),
    ('BXOR', pypar.BXOR, operator.xor),
]

for root in range(P):
    for name, op, function in operations:
        res = numpy.zeros(N, 'i')
        pypar.reduce(testarray(myid), op, root, buffer=res)
        if myid == root:
            if P == 1:
                expected = testarray(0)
            else:
                expected = [reduce(function, [int(testarray(p)[i]) for p in range(P)])
                            for i in range(N)]
            assert (res == expected).all(), (name, res, expected)
        else:
            assert not res.any()
        pypar.barrier()

# As a simulation takes the least time step of all processors
timestep = numpy.array([0.5 + myid])
buf = numpy.zeros(1, 'd')
pypar.reduce(timestep, pypar.MIN, 0, buffer=buf, bypass=True)
pypar.broadcast(buf, 0, bypass=True)
assert buf[0] == 0.5

z = numpy.zeros(3, 'D')
pypar.reduce(numpy.array([1, 1j, 1 + 1j]), pypar.SUM, 0, buffer=z)
if myid == 0:
    assert numpy.allclose(z, P * numpy.array([1, 1j, 1 + 1j]))
    print('Reduction OK for %s' % ', '.join([o[0] for o in operations]))

pypar.finalize()
