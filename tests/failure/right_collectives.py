# SPDX-License-Identifier: MIT
"""Collective calls that some ranks reach late, and are right."""

import threading
import time
from operator import add

from programs import on, run
from right_messages import LARGE, LONG, compute


@on(4)
def a_late_rank_in_a_barrier(world):
    if world.rank == 1:
        time.sleep(LONG)
    world.barrier()


@on(4)
def each_rank_is_late_once(world):
    for step in range(world.size):
        if world.rank == step:
            compute(1.3)
        assert world.allreduce(step, add) == step * world.size


@on(4)
def a_root_that_is_late(world):
    if world.rank == 2:
        time.sleep(LONG)
    assert world.broadcast(LARGE if world.rank == 2 else None, 2) == LARGE


@on(4)
def a_leaf_that_is_late(world):
    if world.rank == 3:
        time.sleep(LONG)
    got = world.gather(world.rank, root=0)
    assert world.rank or got == [0, 1, 2, 3]


@on(4)
def a_message_decides_who_may_enter_the_barrier(world):
    if world.rank == 0:
        time.sleep(LONG)
        world.send("go", 1)
    elif world.rank < 3:
        world.receive(world.rank - 1)
        time.sleep(1)
        world.send("go", world.rank + 1)
    else:
        world.receive(2)
    world.barrier()


@on(4)
def parts_work_at_their_own_pace(world):
    part = world.split(world.rank % 2)
    for _ in range(3):
        if part.rank == 0 and world.rank == 1:
            time.sleep(1.2)
        part.barrier()
    world.barrier()


@on(4)
def members_of_a_part_wait_for_one_that_serves_another(world):
    part = world.split(world.rank // 2)
    if world.rank == 1:
        assert world.receive(3) == "after a while"
    if world.rank == 3:
        time.sleep(LONG)
        world.send("after a while", 1)
    part.barrier()


@on(3)
def a_started_barrier_is_waited_for_late(world):
    request = world.ibarrier()
    if world.rank == 0:
        compute(LONG)
    request.wait()


@on(3)
def a_started_barrier_that_one_rank_starts_late(world):
    if world.rank == 2:
        time.sleep(LONG)
    world.ibarrier().wait()


@on(2)
def a_receive_while_a_started_call_is_under_way(world):
    if world.rank == 0:
        request = world.ibroadcast("x", 0)
        assert world.receive(1) == "ready"
        request.wait()
    else:
        time.sleep(LONG)
        world.send("ready", 0)
        assert world.ibroadcast(None, 0).wait() == "x"


@on(8)
def a_split_with_a_late_rank(world):
    if world.rank == 5:
        time.sleep(LONG)
    part = world.split(world.rank % 3)
    part.barrier()


@on(4)
def started_calls_of_two_twins_in_any_order(world):
    twins = [world.duplicate(), world.duplicate()]
    if world.rank % 2:
        twins.reverse()
    if world.rank == 3:
        time.sleep(LONG)
    requests = [twin.iallreduce(world.rank, add) for twin in twins]
    assert [request.wait() for request in reversed(requests)] == [6, 6]


@on(4)
def threads_are_in_calls_of_two_twins(world):
    def work(twin, seconds):
        for _ in range(3):
            time.sleep(seconds)
            assert twin.allreduce(1, add) == 4

    threads = [
        threading.Thread(target=work, args=(world.duplicate(), seconds))
        for seconds in (world.rank % 2, (world.rank + 1) % 3 / 2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


run()
