#!/usr/bin/env python
# SPDX-License-Identifier: MIT
"""Demo: scatter, gather and broadcast of arrays, with and without buffers.

Written as such scripts were in 2005, then turned by 2to3.
"""

import numpy as N
import pypar

myid, ncpu = pypar.rank(), pypar.size()
root = ncpu - 1
NP = 6 * ncpu

# All processors must have x in its full size
x = N.zeros((NP, 2), 'd')
if myid == root:
    x = N.reshape(N.arange(NP * 2).astype('d'), (NP, 2))

# 1: new arrays
y = pypar.scatter(x, root)
assert y.shape == (NP // ncpu, 2)
z = pypar.gather(y * 2, root)
assert z.shape == x.shape
if myid == root:
    assert N.allclose(z, 2 * x)
    print('Processor %d: gathered %s' % (myid, z.shape))

# 2: buffers
y = N.zeros((NP // ncpu, 2), 'd')
pypar.scatter(x, root, buffer=y)
z = N.zeros((NP, 2), 'd')
pypar.gather(y, root, buffer=z)
if myid == root:
    assert N.allclose(z, x)
else:
    assert not z.any()

# 3: broadcast fills the array in place
pypar.broadcast(x, root)
assert N.allclose(x, N.reshape(N.arange(NP * 2), (NP, 2)))

# 4: strings
s = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ'[:4] * ncpu
piece = pypar.scatter(s, root)
assert piece == 'ABCD'
whole = pypar.gather(piece, root)
if myid == root:
    assert whole == s
    print('Processor %d: gathered "%s"' % (myid, whole))

# 5: objects, each processor passing something of the same kind
settings = pypar.broadcast({'dt': 0.1, 'n': myid}, root)
assert settings == {'dt': 0.1, 'n': root}

pypar.barrier()
pypar.finalize()
