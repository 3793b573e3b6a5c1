# SPDX-License-Identifier: MIT
"""Programs of which all threads wait, and nobody is left to end it."""

import queue
import threading

from programs import on, run


@on(2)
def a_thread_is_in_a_barrier_and_the_main_one_receives(world):
    if world.rank == 0:
        threading.Thread(target=world.barrier, daemon=True).start()
        world.receive(1)  # stuck: 0
    else:
        world.receive(0)  # stuck: 1
        world.barrier()


@on(2)
def a_queue_is_to_be_filled_by_a_thread_that_waits(world):
    work = queue.Queue()

    def fill():
        work.put(world.receive(1 - world.rank))  # stuck: 0-1

    threading.Thread(target=fill, daemon=True).start()
    work.get()


@on(2)
def a_thread_takes_the_message_of_another(world):
    def take():
        world.receive(-1)  # stuck: 1

    if world.rank == 0:
        world.send("for one", 1)
        world.receive(1)  # stuck: 0
    else:
        takers = [threading.Thread(target=take) for _ in range(2)]
        for taker in takers:
            taker.start()
        for taker in takers:
            taker.join()
        world.send("both have it", 0)


run()
