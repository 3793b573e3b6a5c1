# SPDX-License-Identifier: MIT
"""Programs whose ranks take part in different collective calls, or not at all."""

from operator import add

from programs import on, run


@on(3)
def a_rank_leaves_the_barrier_out(world):
    if world.rank != 1:
        world.barrier()  # stuck: 0,2


@on(2)
def a_rank_receives_where_the_other_waits_in_a_barrier(world):
    if world.rank == 0:
        world.barrier()  # stuck: 0
    else:
        world.receive(0)  # stuck: 1


@on(4)
def the_root_alone_broadcasts_twice(world):
    world.broadcast("x", 0)
    if world.rank == 0:
        world.barrier()  # stuck: 0
    else:
        world.receive(0)  # stuck: 1-3


@on(4)
def one_rank_breaks_out_of_the_loop(world):
    for step in range(5):
        if world.rank == 2 and step == 3:
            break
        world.allreduce(step, add)  # stuck: 0-1,3


@on(3)
def the_gather_is_inside_the_branch(world):
    if world.rank != 0:
        world.gather(world.rank, root=1)  # stuck: 1
        world.receive(0)  # stuck: 2
    else:
        world.receive(2)  # stuck: 0


@on(4)
def barriers_of_two_communicators_are_crossed(world):
    other = world.split(0)
    if world.rank % 2:
        world.barrier()  # stuck: 1,3
        other.barrier()
    else:
        other.barrier()  # stuck: 0,2
        world.barrier()


@on(4)
def a_member_of_a_part_is_busy_with_the_other(world):
    part = world.split(world.rank // 2)
    if world.rank == 1:
        world.receive(3)  # stuck: 1
        part.barrier()
    elif world.rank == 0:
        part.barrier()  # stuck: 0
    elif world.rank == 3:
        part.barrier()
        world.receive(1)  # stuck: 3
    else:
        part.barrier()
        world.receive(0)  # stuck: 2


@on(3)
def a_split_that_one_rank_does_not_make(world):
    if world.rank == 0:
        world.receive(1)  # stuck: 0
    else:
        world.split(0)  # stuck: 1-2


@on(3)
def a_started_barrier_that_one_rank_never_starts(world):
    if world.rank != 2:
        world.ibarrier().wait()  # stuck: 0-1
    else:
        world.receive(0)  # stuck: 2


@on(5)
def scatter_without_its_root(world):
    if world.rank == 3:
        world.receive(0)  # stuck: 3
    else:
        world.scatter(None, root=3)  # stuck: 0-2,4


@on(2)
def an_exchange_with_one_side(world):
    if world.rank == 0:
        world.alltoall(["a", "b"])  # stuck: 0
    else:
        world.receive(0, tag=3)  # stuck: 1


@on(4)
def parts_that_overlap_are_entered_crosswise(world):
    left = world.split(0 if world.rank < 3 else None)
    right = world.split(0 if world.rank > 0 else None)
    if world.rank == 0:
        left.barrier()  # stuck: 0
    elif world.rank == 1:
        left.barrier()  # stuck: 1
        right.barrier()
    elif world.rank == 2:
        right.barrier()  # stuck: 2
        left.barrier()
    else:
        right.barrier()  # stuck: 3


@on(2)
def started_barriers_of_twins_are_waited_for_crosswise(world):
    twins = [world.duplicate(), world.duplicate()]
    twins[world.rank].ibarrier().wait()  # stuck: 0-1
    twins[1 - world.rank].ibarrier().wait()


run()
