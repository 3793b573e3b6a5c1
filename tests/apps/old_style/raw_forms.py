#!/usr/bin/env python
# SPDX-License-Identifier: MIT
"""Demo of the raw forms of pypar 1.9, and of what took their place: use_buffer and bypass.

Written as such scripts were in 2005, then turned by 2to3.
"""

import pypar
from numpy import zeros, arange, allclose, int32

pypar.Barrier()
proc = pypar.rank()
P = pypar.size()
assert pypar.Initialized()
to, fro = (proc + 1) % P, (proc - 1) % P

# raw_send needs a buffer of the right size and type at the receiver
A = arange(16) + proc
B = zeros(16, A.dtype)
pypar.raw_send(A, to)
pypar.raw_receive(B, fro)
assert allclose(B, arange(16) + fro)

A = (arange(9) + proc) * 1.0j
B = zeros(9, A.dtype)
pypar.raw_send(A, to, 17, 0)
X, status = pypar.raw_receive(B, fro, 17, 0, 1)
assert X is B and allclose(B, (arange(9) + fro) * 1.0j)
assert (status.source, status.tag, status.bytes()) == (fro, 17, 144)

# general objects wanted something as long as what comes
pypar.raw_send(['ABC', proc], proc, vanilla=1)
X = pypar.raw_receive(['XYZ', 0], proc, vanilla=1)
assert X == ['ABC', proc]

# scatter, gather, reduce: the buffer comes second
whole = arange(2 * P)
part = zeros(2, whole.dtype)
pypar.raw_scatter(whole, part, 0)
assert allclose(part, [2 * proc, 2 * proc + 1])
back = zeros(2 * P, whole.dtype)
pypar.raw_gather(part, back, 0)
assert proc > 0 or allclose(back, whole)
total = zeros(2, whole.dtype)
pypar.raw_reduce(part, total, pypar.SUM, 0)
assert proc > 0 or allclose(total, [P * (P - 1), P * P])
pypar.bcast(whole, 0, False)

# the names of 2.x, mixed as scripts mix them
for send_form in ({'use_buffer': True}, {'bypass': True},
                  {'use_buffer': True, 'bypass': True}, {'use_buffer': 1}):
    for receive_form in ({}, {'bypass': True}, {'vanilla': False}):
        A = arange(5).astype(int32) + proc
        B = zeros(5, int32)
        pypar.send(A, to, tag=7, **send_form)
        pypar.receive(fro, buffer=B, tag=7, **receive_form)
        assert allclose(B, arange(5) + fro)

if proc == 0:
    print("Raw forms OK on %d processors, started at %s" % (P, pypar.Wtime() > 0))
pypar.Finalize()
