#!/usr/bin/env python
# SPDX-License-Identifier: MIT
"""Server and clients with raw tags of the extension module, objects of all sorts.

Written as such scripts were in 2005, then turned by 2to3.
"""

import numpy as np
import pypar, pypar.mpiext

TAG_OBJECT, TAG_ARRAY, TAG_QUIT = 10, 11, 12
me, n = pypar.rank(), pypar.size()

class Failure(Exception):
    pass

objects = [None, (1, 'two'), {'a': np.arange(4)}, np.float64(2.5), Failure('not found'),
           SystemExit(), [], 'text', 10 ** 30]

def same(a, b):
    if isinstance(a, BaseException):
        return type(a) is type(b) and a.args == b.args
    if isinstance(a, dict):
        return a.keys() == b.keys() and (a['a'] == b['a']).all()
    return type(a) is type(b) and a == b

def server():
    quit, seen, numbers = 0, 0, 0
    while quit < n - 1:
        # sent with use_buffer and bypass, received with the buffer only
        head = np.zeros(2, dtype=int)
        head, status = pypar.receive(pypar.mpiext.MPI_ANY_SOURCE, buffer=head,
                                     tag=pypar.mpiext.MPI_ANY_TAG, return_status=True)
        if status.tag == TAG_QUIT:
            quit += 1
        elif status.tag == TAG_OBJECT:
            obj = pypar.receive(status.source, tag=99)
            assert same(objects[head[0]], obj), obj
            seen += 1
        elif status.tag == TAG_ARRAY:
            ar = np.empty(head[0])
            pypar.receive(status.source, buffer=ar, tag=99)
            numbers += len(ar)
    print('%d objects and %d numbers' % (seen, numbers))

def client():
    for i in range(len(objects)):
        pypar.send(np.array([i, 0]), 0, tag=TAG_OBJECT, use_buffer=True, bypass=True)
        pypar.send(objects[i], 0, tag=99)
    for length in (0, 3, 50000):
        pypar.send(np.array([length, 0]), 0, tag=TAG_ARRAY, use_buffer=True, bypass=True)
        pypar.send(np.arange(length * 1.0), 0, tag=99, use_buffer=True, bypass=True)
    pypar.send(np.array([0, 0]), 0, tag=TAG_QUIT, use_buffer=True, bypass=True)

if me == 0:
    server()
else:
    client()
pypar.finalize()
