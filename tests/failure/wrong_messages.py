# SPDX-License-Identifier: MIT
"""Programs whose sends and receives can never end."""

import threading

import pypar
from programs import on, run

LARGE = bytes(1 << 20)  # a send of it waits for its receive


@on(2)
def each_receives_from_the_other_first(world):
    other = 1 - world.rank
    world.receive(other)  # stuck: 0-1
    world.send("late", other)


@on(4)
def a_ring_in_which_all_receive_first(world):
    world.receive((world.rank - 1) % world.size)  # stuck: 0-3
    world.send("token", (world.rank + 1) % world.size)


@on(2)
def two_large_sends_meet(world):
    other = 1 - world.rank
    world.send(LARGE, other)  # stuck: 0-1
    world.receive(other)


@on(5)
def a_ring_of_large_sends(world):
    world.send(LARGE, (world.rank + 1) % world.size)  # stuck: 0-4
    world.receive((world.rank - 1) % world.size)


@on(2)
def the_receive_wants_another_tag(world):
    if world.rank == 0:
        world.send("x", 1, tag=1)
        world.receive(1)  # stuck: 0
    else:
        world.receive(0, tag=2)  # stuck: 1
        world.send("y", 0)


@on(3)
def the_receive_names_another_source(world):
    if world.rank == 0:
        world.receive(2)  # stuck: 0
    elif world.rank == 1:
        world.send("x", 0)
        world.receive(0)  # stuck: 1
    else:
        world.receive(0)  # stuck: 2


@on(2)
def a_large_message_blocks_the_one_that_is_wanted(world):
    if world.rank == 0:
        world.send(LARGE, 1, tag=1)  # stuck: 0
        world.send("go", 1, tag=2)
    else:
        world.receive(0, tag=2)  # stuck: 1
        world.receive(0, tag=1)


@on(3)
def all_wait_for_anybody(world):
    world.receive(-1)  # stuck: 0-2


@on(4)
def a_server_waits_for_clients_that_wait_for_it(world):
    if world.rank == 0:
        for _ in range(world.size):  # one too many
            world.receive(-1, tag=7)  # stuck: 0
        for client in range(1, world.size):
            world.send("answer", client)
    else:
        world.send("request", 0, tag=7)
        world.receive(0)  # stuck: 1-3


@on(2)
def a_receive_from_a_rank_that_has_ended(world):
    if world.rank == 0:
        world.receive(1)  # stuck: 0


@on(3)
def a_receive_from_anybody_when_all_others_have_ended(world):
    if world.rank == 0:
        world.receive(-1)  # stuck: 0


@on(3)
def a_receive_from_a_rank_that_waits_for_one_that_has_ended(world):
    if world.rank == 0:
        world.receive(1)  # stuck: 0
    elif world.rank == 1:
        world.receive(2)  # stuck: 1


@on(2)
def a_large_send_to_a_rank_that_has_ended(world):
    if world.rank == 0:
        world.send(LARGE, 1)  # stuck: 0


@on(2)
def a_loop_that_is_one_too_long(world):
    for step in range(10):
        if world.rank == 0:
            world.send(step, 1)
        else:
            world.receive(0)
    if world.rank == 1:
        world.receive(0)  # stuck: 1
    else:
        world.receive(1)  # stuck: 0


@on(2)
def a_rank_receives_from_itself_what_it_never_sent(world):
    if world.rank == 1:
        world.receive(1)  # stuck: 1


@on(2)
def both_probe(world):
    world.probe(1 - world.rank)  # stuck: 0-1


@on(2)
def both_wait_for_what_they_have_started(world):
    request = world.ireceive(1 - world.rank)
    request.wait()  # stuck: 0-1


@on(2)
def a_started_large_send_is_waited_for_too_soon(world):
    request = world.isend(LARGE, 1 - world.rank)
    request.wait()  # stuck: 0-1
    world.receive(1 - world.rank)


@on(8)
def a_long_cycle(world):
    world.receive((world.rank + 3) % world.size)  # stuck: 0-7


@on(4)
def a_cycle_of_two_beside_ranks_that_have_ended(world):
    if world.rank in (1, 2):
        world.receive(3 - world.rank)  # stuck: 1-2


@on(4)
def a_chain_that_hangs_on_a_cycle(world):
    world.receive([1, 2, 3, 2][world.rank])  # stuck: 0-3


@on(2)
def a_message_on_another_communicator(world):
    twin = world.split(0)
    if world.rank == 0:
        twin.send("x", 1)
        world.receive(1)  # stuck: 0
    else:
        world.receive(0)  # stuck: 1


@on(2)
def the_only_threads_of_both_wait(world):
    if world.rank == 0:
        thread = threading.Thread(target=world.send, args=("x", 1))
        thread.start()
        thread.join()
        world.receive(1)  # stuck: 0
    else:
        world.receive(0)
        world.receive(0)  # stuck: 1


@on(3)
def head_to_head_deep_in_functions(world):
    def ask(peer):
        return world.receive(peer)  # stuck: 0,2

    def step():
        return ask(2 - world.rank)

    if world.rank != 1:
        step()


@on(2)
def a_receive_was_cancelled_that_the_send_wants(world):
    if world.rank == 0:
        assert world.ireceive(1).cancel()
        world.receive(1, tag=2)  # stuck: 0
    else:
        world.send(LARGE, 0)  # stuck: 1


@on(3)
def a_pipeline_is_one_message_short(world):
    after, before = (world.rank + 1) % 3, (world.rank - 1) % 3
    requests = [world.ireceive(before, tag=tag) for tag in range(4)]
    for tag in range(3):
        world.isend(tag, after, tag=tag)
    while requests:
        done = pypar.wait_some(requests)  # stuck: 0-2
        requests = [request for request in requests if request not in done]


@on(4)
def a_server_of_all_tags_answers_under_another_one(world):
    if world.rank == 0:
        for _ in range(3):
            _, status = world.receive(-1, -1, return_status=True)
            world.send("answer", status.source, tag=status.tag + 1)
        world.receive(-1, -1)  # stuck: 0
    else:
        world.send("request", 0, tag=world.rank)
        world.receive(0, tag=world.rank)  # stuck: 1-3


@on(2)
def what_was_probed_is_received_under_another_tag(world):
    if world.rank == 0:
        world.send("x", 1, tag=4)
        world.receive(1)  # stuck: 0
    else:
        world.receive(0, tag=world.probe(0, -1).tag + 1)  # stuck: 1


run()
