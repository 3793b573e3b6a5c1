# SPDX-License-Identifier: MIT
"""Programs that use mpi4py, too, of whose calls this library doesn't know."""

import threading
import time

from programs import on, run
from right_messages import LONG


def world_of_mpi4py():
    from mpi4py import MPI

    return MPI.COMM_WORLD


@on(3)
def a_rank_is_in_a_receive_of_mpi4py(world):
    other = world_of_mpi4py()
    if world.rank == 0:
        assert world.receive(1) == "x"
    elif world.rank == 1:
        world.send(other.recv(source=2), 0)
    else:
        time.sleep(LONG)
        other.send("x", 1)


@on(4)
def ranks_are_in_a_barrier_of_mpi4py(world):
    other = world_of_mpi4py()
    if world.rank == 0:
        assert world.receive(1) == "x"
    elif world.rank == 1:
        time.sleep(LONG)
        world.send("x", 0)
    other.Barrier()


@on(2)
def a_thread_receives_by_mpi4py_and_the_main_one_by_us(world):
    other = world_of_mpi4py()
    if world.rank == 0:
        relay = threading.Thread(target=lambda: world.send(other.recv(source=1), 0))
        relay.start()
        assert world.receive(0) == "x"
        relay.join()
        world.send("y", 1)
    else:
        time.sleep(LONG)
        other.send("x", 0)
        assert world.receive(0) == "y"


run()
