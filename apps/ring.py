# SPDX-License-Identifier: MIT
"""A message goes around all ranks, and each appends its name to it.

Run it as: mpirun -np 4 python apps/ring.py
"""

import pypar as pp
from args import Parser

Parser(description=__doc__.splitlines()[0]).parse_args()

rank, size = pp.rank(), pp.size()
following = (rank + 1) % size

if rank == 0:
    pp.send("P0", following)
    # The rank before rank 0 is -1, which stands for any source; here it is the
    # last rank, for nobody else sends to rank 0.
    message = pp.receive(source=rank - 1)
    print(f"{message!r} came back to rank 0 of {size} on {pp.get_processor_name()}")
else:
    message = pp.receive(source=rank - 1)
    pp.send(message + f"P{rank}", following)

pp.finalize()
