# SPDX-License-Identifier: MIT
"""Threads, events and other libraries that end what looks dead."""

import asyncio
import queue
import threading
import time

from programs import on, run
from right_messages import LARGE, LONG, compute


@on(2)
def a_thread_sends_what_both_wait_for(world):
    if world.rank == 0:
        sender = threading.Timer(LONG, world.send, ("x", 1))
        sender.start()
        assert world.receive(1) == "y"
        sender.join()
    else:
        assert world.receive(0) == "x"
        world.send("y", 0)


@on(2)
def a_thread_that_computes_sends_at_last(world):
    def work():
        compute(LONG)
        world.send("x", 1 - world.rank, tag=2)

    worker = threading.Thread(target=work)
    worker.start()
    assert world.receive(1 - world.rank, tag=2) == "x"
    worker.join()


@on(2)
def a_thread_that_receives_for_ever(world):
    def serve():
        while (request := world.receive(-1, tag=5)) is not None:
            world.send(request, 1 - world.rank, tag=6)

    server = threading.Thread(target=serve)
    server.start()
    time.sleep(LONG)
    world.send("x", 1 - world.rank, tag=5)
    assert world.receive(1 - world.rank, tag=6) == "x"
    world.barrier()
    world.send(None, world.rank, tag=5)
    server.join()


@on(2)
def threads_of_one_rank_serve_each_other(world):
    if world.rank == 0:
        threading.Timer(LONG, world.send, ("x", 0)).start()
        assert world.receive(0) == "x"
        world.send("done", 1)
    else:
        assert world.receive(0) == "done"


@on(2)
def a_queue_stands_between_the_threads(world):
    work = queue.Queue()

    def sender():
        while (job := work.get()) is not None:
            world.send(job, 1 - world.rank)

    thread = threading.Thread(target=sender)
    thread.start()
    filler = threading.Timer(LONG, work.put, ("x",))
    filler.start()
    assert world.receive(1 - world.rank) == "x"
    filler.join()
    work.put(None)
    thread.join()


@on(2)
def asyncio_awaits_and_sleeps(world):
    async def main():
        other = 1 - world.rank
        request = world.ireceive(other)

        async def later():
            await asyncio.sleep(LONG)
            world.send("x", other)

        task = asyncio.create_task(later())
        assert await request == "x"
        await task

    asyncio.run(main())


@on(2)
def one_awaits_and_the_other_waits(world):
    async def main():
        request = world.ireceive(1)
        asyncio.get_running_loop().call_later(LONG, world.send, "x", 1)
        assert await request == "y"

    if world.rank == 0:
        asyncio.run(main())
    else:
        assert world.receive(0) == "x"
        world.send("y", 0)


@on(2)
def a_large_send_in_a_thread_meets_its_receive_late(world):
    other = 1 - world.rank
    sender = threading.Thread(target=world.send, args=(LARGE, other))
    sender.start()
    time.sleep(LONG * world.rank)
    assert world.receive(other) == LARGE
    sender.join()


@on(3)
def an_event_of_a_thread_that_waits_for_a_lock(world):
    if world.rank == 0:
        lock = threading.Lock()
        lock.acquire()

        def send_when_free():
            with lock:
                world.send("x", 1)

        thread = threading.Thread(target=send_when_free)
        thread.start()
        threading.Timer(LONG, lock.release).start()
        world.receive(2)
        thread.join()
    elif world.rank == 1:
        world.receive(0)
        world.send("y", 2)
    else:
        world.receive(1)
        world.send("z", 0)


@on(2)
def a_thread_of_asyncio_receives(world):
    async def main():
        assert await asyncio.to_thread(world.receive, 1 - world.rank) == "x"

    time.sleep(LONG * world.rank)
    world.send("x", 1 - world.rank)
    asyncio.run(main())


@on(2)
def a_call_of_c_keeps_the_interpreter_from_a_thread_that_waits(world):
    if world.rank == 0:
        waiter = threading.Thread(target=world.receive, args=(1,))
        waiter.start()
        end = time.monotonic() + LONG
        while time.monotonic() < end:
            pow(3, 1000000)  # some tenths of a second
        world.send("x", 1)
        waiter.join()
    else:
        assert world.receive(0) == "x"
        world.send("y", 0)


run()
