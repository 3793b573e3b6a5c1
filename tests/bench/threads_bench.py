# SPDX-License-Identifier: MIT
"""threads_bench.py - NumPy's threads on a rank's CPUs: how fast they multiply.

Each rank multiplies a matrix of its own, with as many threads as NumPy starts on the
CPUs where it finds itself. job.py starts it with par's places and without them.
"""

import pypar  # before NumPy, which has as many threads as its rank has CPUs then

import measure  # isort: skip


class Product(measure.Form):
    def matmul(self, work, count):
        matrix = work.out
        for _ in range(count):
            work.got = matrix @ matrix


rank, size = pypar.rank(), pypar.size()
measure.run(rank, {"-": Product(rank, size)}, pypar.barrier, pypar.abort)
