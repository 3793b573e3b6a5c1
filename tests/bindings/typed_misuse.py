# SPDX-License-Identifier: MIT
"""Wrong uses of pypar: mypy refuses the lines that say so, with the code they name, and
no others (test_types.py). It is never run."""

import numpy as np
from pypar import SUM, Comm, Request, Status, receive, send, wait_some, world


def nobody() -> str:
    return world.rank  # refused: return-value


class Mine(Comm):  # refused: misc
    pass


world.send("word")  # refused: call-arg
world.send("word", "1")  # refused: arg-type
world.send("word", 1.0)  # refused: arg-type
world.send("word", 1, tags=3)  # refused: call-arg
world.rank = 3  # refused: misc
world.recieve(0)  # refused: attr-defined
world.receive("0")  # refused: call-overload
status: Status = world.iprobe()  # refused: assignment
number: int = world.receive(0, buffer=np.zeros(3))  # refused: assignment
text: str = world.ireceive(0)  # refused: assignment
array: Request[str] = world.ireceive(buffer=bytearray(3))  # refused: assignment
wait_some(world.ireceive(0))  # refused: arg-type
world.ireceive(0).wait("soon")  # refused: arg-type
total: int = world.reduce(np.zeros(3), SUM)  # refused: assignment
world.reduce(3, "sum")  # refused: call-overload
world.gather("word")[0]  # refused: index
world.scatter(3)  # refused: call-overload
world.scatter([3], counts="3")  # refused: arg-type
world.allgather(3, buffer=3)  # refused: call-overload
world.alltoall(np.zeros(3), counts=3)  # refused: call-overload
world.iallreduce(3, "sum")  # refused: call-overload
gathered: list[str] = world.igather("word").wait()  # refused: assignment
world.ibarrier(3)  # refused: call-arg
world.grid("2")  # refused: arg-type
world.grid().exchange([1.0])  # refused: arg-type
world.split("red")  # refused: call-overload
comm: Comm = world.split(0 if world.rank else None)  # refused: assignment
send("word")  # refused: call-arg
receive()  # refused: call-overload
