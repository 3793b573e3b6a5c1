# SPDX-License-Identifier: MIT
"""Every rank passes a large array on around the ring, and all send before they receive.

Run it as: mpirun -np 4 python apps/bsend.py --numbers 1000000

With `send` nobody would get as far as its receive: a large message waits for its
receiver. These are the old pypar's buffered sends; new programs say
`world.isend(array, dest)` instead.
"""

import sys

import numpy as np
import pypar as pp
from args import Parser, number

parser = Parser(description=__doc__.splitlines()[0])
parser.add_argument(
    "--numbers",
    type=number(0, 10**8),
    default=1_000_000,
    help="the length of each rank's array, 1000000 unless given",
)
count = parser.parse_args().numbers

rank, size = pp.rank(), pp.size()
following, preceding = (rank + 1) % size, (rank - 1) % size

own = np.arange(count) + rank
passing = own.copy()

for _ in range(size):  # how many sends there can be before the buffer is detached
    pushed = pp.push_for_alloc(passing, use_buffer=True)
pp.alloc_and_attach()
for _ in range(size):
    pp.bsend(passing, following, use_buffer=True)
    pp.receive(preceding, buffer=passing)
pp.detach_and_dealloc()  # waits until all has left

back = pp.gather(np.array([np.array_equal(passing, own)]))
if rank == 0:
    print(f"after {size} shifts {back.sum()} of {size} ranks have their array back")
    print(f"each had a buffer of {pushed} bytes")
    if not back.all():
        sys.exit(1)  # all ranks end with it
pp.finalize()
