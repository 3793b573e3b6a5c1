#!/usr/bin/env python
# SPDX-License-Identifier: MIT
"""Everybody sends to everybody with bsend before anybody receives.

Written as such scripts were in 2005, then turned by 2to3.
"""

from pypar import *
import numpy

N = 100000
weights = numpy.ones((N, 2)) * rank()
error = float(rank())

# The buffer must hold all that is on the way
for p in range(size()):
    push_for_alloc(weights, use_buffer=True)
    total = push_for_alloc(error, vanilla=True)
assert total >= size() * weights.nbytes
alloc_and_attach()

for p in range(size()):
    bsend(weights, p, use_buffer=True, tag=3)
    bsend(error, p, vanilla=True, tag=4)
weights = weights * 0 - 1     # what has been sent is copied

errors = 0
for p in range(size()):
    buf = numpy.zeros((N, 2))
    receive(p, buffer=buf, tag=3)
    assert numpy.allclose(buf, p)
    errors = errors + receive(p, tag=4)
detach_and_dealloc()

assert errors == sum(range(size()))
if rank() == 0:
    print("All to all with bsend OK, errors %.1f" % errors)
finalize()
