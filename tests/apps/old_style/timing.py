#!/usr/bin/env python
# SPDX-License-Identifier: MIT
"""Timing: an array goes around the ring, larger and larger, and a line is fitted.

Usage: timing.py [repeats [steps]]

Written as such scripts were in 2005, then turned by 2to3.
"""

import sys
import numpy
import pypar

REPEATS = 3
STEPS = 8
if len(sys.argv) > 1: REPEATS = int(sys.argv[1])
if len(sys.argv) > 2: STEPS = int(sys.argv[2])

numprocs = pypar.size()
myid = pypar.rank()
processor_name = pypar.get_processor_name()

if numprocs < 2:
    print("Program needs at least two processors - aborting")
    pypar.abort()

if myid == 0:
    print("Timing %d processors on %s, %d repeats" % (numprocs, processor_name, REPEATS))
    print("-" * 40)
    print("  bytes    secs")

pypar.barrier()    # Synchronize all before timing

sizes = [10 ** (1 + k // 2) * (1 + 2 * (k % 2)) for k in range(STEPS)]
times = []
for m in sizes:
    A = numpy.arange(m).astype('d')
    noelem = m
    best = 1e30
    for i in range(REPEATS):
        t0 = pypar.time()
        if myid == 0:
            pypar.send(A, 1, use_buffer=True, bypass=True)
            C = pypar.receive(numprocs - 1, buffer=A, bypass=True)
        else:
            C = pypar.receive(myid - 1, buffer=numpy.zeros(noelem), bypass=True)
            pypar.send(C, (myid + 1) % numprocs, use_buffer=True, bypass=True)
        assert C[-1] == m - 1
        best = min(best, (pypar.time() - t0) / numprocs)
    times.append(best)
    if myid == 0:
        print("%7d   %.9f" % (m * 8, best))

if myid == 0:
    slope, latency = numpy.polyfit(8.0 * numpy.array(sizes), times, 1)
    print("-" * 40)
    print("tcomm(bytes) = %.2e + %.2e * bytes" % (latency, slope))

pypar.finalize()
