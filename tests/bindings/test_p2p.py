# SPDX-License-Identifier: MIT
"""Which message a receive gets: source, tag, order."""

import random

import numpy as np
import pytest
from forms import form
from ranks import pypar, ranks
from until import until

SIZES = (0, 1, 100, 3990, 4000, 4010, 70_000, 300_000)


@ranks(2, 4)
def test_a_message_goes_around(world):
    right, left = (world.rank + 1) % world.size, (world.rank - 1) % world.size
    if world.rank == 0:
        world.send([0], right)
        assert world.receive(left) == list(range(world.size))
    else:
        world.send(world.receive(left) + [world.rank], right)


@ranks(2)
def test_messages_keep_their_order_whatever_their_size(world):
    """A large body travels apart from its header and must not be overtaken."""
    chooser = random.Random(1)
    sizes = [chooser.choice(SIZES) for _ in range(300)]
    if world.rank == 0:
        for i, size in enumerate(sizes):
            world.send((i, b"x" * size), 1)
    else:
        for i, size in enumerate(sizes):
            assert world.receive(0) == (i, b"x" * size)


@ranks(2)
@pytest.mark.parametrize("size", [10, 1000, 3900])
def test_small_messages_are_gone_while_their_receiver_computes(world, size, tmp_path):
    values = b"x" * size, np.arange(size // 8), ["y" * (size // 2), None]
    if world.rank == 0:
        over = world.receive(1)
        for value in values:
            world.send(value, 1)
        requests = [world.isend(value, 1) for value in values]
        assert all(request.done for request in requests)
        over.touch()
    else:
        over = tmp_path / "over"
        world.send(over, 0)  # and stay outside the library until it is there
        until(over)
        for value in values * 2:
            assert form(world.receive(0)) == form(value)


@ranks(2)
def test_arrays_and_objects_keep_their_order(world):
    def item(i):
        return [np.full(i * 7, i), "x" * i, {"a": np.full(i * 9, i)}, i][i % 4]

    for i in range(400):
        if world.rank == 0:
            world.send(item(i), 1)
        else:
            assert form(world.receive(0)) == form(item(i))


@ranks(2)
def test_tags_are_received_in_another_order_than_they_were_sent_in(world):
    tags = list(range(50))
    if world.rank == 0:
        for tag in tags:
            world.send((tag, "x" * (tag * 30)), 1, tag)
        world.send("done", 1, 100)
    else:
        assert world.receive(0, 100) == "done"
        random.Random(2).shuffle(tags)
        for tag in tags:
            assert world.receive(0, tag)[0] == tag


@ranks(2)
def test_order_is_kept_for_each_tag_and_over_all_with_any_tag(world):
    chooser = random.Random(3)
    sent = [(chooser.randrange(4), i) for i in range(200)]
    if world.rank == 0:
        for tag, i in sent:
            world.send(i, 1, tag)
    else:
        for tag, i in sent[:100]:
            got, status = world.receive(0, pypar.any_tag, return_status=True)
            assert (got, status.tag) == (i, tag)
        for wanted in (2, 0, 3, 1):
            for tag, i in sent[100:]:
                if tag == wanted:
                    assert world.receive(0, wanted) == i


@ranks(4)
def test_any_source_gets_every_message_of_each_source_in_order(world):
    count = 200
    if world.rank:
        for i in range(count):
            world.send((world.rank, i, b"x" * SIZES[i % 6]), 0, tag=i % 3)
    else:
        seen = [0] * world.size
        for _ in range(count * 3):
            (rank, i, body), status = world.receive(
                pypar.any_source, pypar.any_tag, return_status=True
            )
            assert (status.source, status.tag) == (rank, i % 3)
            assert seen[rank] == i and len(body) == SIZES[i % 6]
            seen[rank] += 1
        assert seen == [0, count, count, count]


@ranks(3)
def test_a_named_source_does_not_get_the_message_of_another(world):
    if world.rank == 1:
        world.send("one", 0)
        world.send("told", 2)
    elif world.rank == 2:
        assert world.receive(1) == "told"
        world.send("two", 0)
    else:
        assert world.receive(2) == "two"
        assert world.receive(1) == "one"


@ranks(2)
def test_minus_one_is_any_source_and_any_tag(world):
    assert pypar.any_source == -1 and pypar.any_tag == -1
    if world.rank == 0:
        world.send("a", 1, 5)
    else:
        assert world.receive(-1, -1) == "a"


@ranks(2)
def test_a_receive_without_source_takes_any(world):
    if world.rank == 0:
        world.send("a", 1)
    else:
        assert world.receive() == "a"


@ranks(2)
def test_the_smallest_and_the_largest_tag_work(world):
    for tag in (0, pypar.max_tag):
        if world.rank == 0:
            world.send(tag, 1, tag)
        else:
            assert world.receive(0, tag) == tag
    assert pypar.max_tag >= 32767


@ranks(1, 3)
@pytest.mark.parametrize("size", [*SIZES, 5_000_000])
def test_a_message_to_oneself_never_waits(world, size):
    for value in ("x" * size, np.zeros(size, "u1"), [b"y" * size, np.zeros(size, "u1")]):
        world.send(value, world.rank, tag=3)
        world.send(("second", value), world.rank, tag=3)
        assert form(world.receive(world.rank, 3)) == form(value)
        assert form(world.receive(-1, 3)) == form(("second", value))


@ranks(2)
def test_a_small_message_is_gone_before_its_receive_is_called(world):
    other = 1 - world.rank
    for i in range(200):
        world.send(i, other)
        world.send(np.full(10, i), other, tag=2)
    for i in range(200):
        assert world.receive(other, tag=2)[0] == i
        assert world.receive(other) == i


@ranks(2)
def test_many_messages_wait_for_their_receiver(world):
    count = 20_000
    if world.rank == 0:
        for i in range(count):
            world.send(i, 1, tag=i % 7)
        world.send("all", 1, tag=50)
    else:
        assert world.receive(0, tag=50) == "all"
        for tag in range(7):
            for i in range(tag, count, 7):
                assert world.receive(0, tag) == i


@ranks(2)
def test_large_messages_wait_for_their_receiver(world):
    if world.rank == 0:
        for i in range(20):
            world.send(np.full(100_000, i), 1, tag=i)
    else:
        for i in range(20):
            assert (world.receive(0, i) == i).all()


@ranks(2)
@pytest.mark.parametrize("kind", ["int8", "int32", "int64", "uint8", "uint64", "intp"])
def test_numpy_integers_are_ranks_and_tags(world, kind):
    number = getattr(np, kind)
    if world.rank == 0:
        world.send("a", number(1), number(7))
    else:
        assert world.receive(number(0), number(7)) == "a"


@ranks(2)
def test_what_has_an_index_is_a_rank_and_a_tag(world):
    class Index:
        def __init__(self, value):
            self.value = value

        def __index__(self):
            return self.value

    if world.rank == 0:
        world.send("a", Index(1), Index(7))
        world.send("b", True, False)
    else:
        assert world.receive(Index(0), Index(7)) == "a"
        assert world.receive(False, False) == "b"


@ranks(2)
def test_arguments_may_be_named(world):
    if world.rank == 0:
        world.send(obj="a", dest=1, tag=4)
        world.send("b", 1)
    else:
        assert world.receive(source=0, tag=4) == "a"
        got, status = world.receive(source=0, tag=1, buffer=None, return_status=True)
        assert (got, status.source) == ("b", 0)


@ranks(4)
def test_everybody_sends_to_everybody(world):
    for other in range(world.size):
        world.send((world.rank, other, "x" * 500), other, tag=9)
    for other in range(world.size):
        assert world.receive(other, 9)[:2] == (other, world.rank)


@ranks(3)
def test_large_messages_of_all_pairs_at_once(world):
    """Each pair in an order in which nobody waits for one who waits."""
    block = np.full(400_000, world.rank)
    for low in range(world.size):
        for high in range(low + 1, world.size):
            if world.rank == low:
                world.send(block, high)
                assert (world.receive(high) == high).all()
            elif world.rank == high:
                assert (world.receive(low) == low).all()
                world.send(block, low)


@ranks(2, 3, 4)
@pytest.mark.parametrize("seed", range(6))
def test_any_mixture_of_sends_and_receives_delivers_each_message_once(world, seed):
    """Half of the receives are started before, the others take whatever comes."""
    plan, own = random.Random(seed), random.Random((seed, world.rank).__repr__())
    numbers = {}
    messages = []
    for _ in range(150 * world.size):
        path = plan.randrange(world.size), plan.randrange(world.size), plan.randrange(5)
        numbers[path] = numbers.get(path, -1) + 1
        messages.append((*path, numbers[path], plan.choice((0, 5, 3000, 5000, 90_000))))

    mine = [message for message in messages if message[1] == world.rank]
    next_number = dict.fromkeys(numbers, 0)
    started = []
    for source, dest, tag, _, _ in own.sample(mine, len(mine) // 2):
        path = source, dest, tag
        started.append((path, next_number[path], world.ireceive(source, tag)))
        next_number[path] += 1
    sending = [
        world.isend([message, np.full(message[-1], message[3])], message[1], message[2])
        for message in messages
        if message[0] == world.rank
    ]
    for _ in range(len(mine) - len(started)):
        (message, body), status = world.receive(-1, -1, None, True)
        path, number = message[:3], message[3]
        assert (status.source, world.rank, status.tag) == path
        assert number == next_number[path]
        next_number[path] += 1
        assert body.size == message[-1] and (body == number).all()
    own.shuffle(started)
    for path, number, request in started:
        message, body = request.wait()
        assert message[:4] == (*path, number)
        assert body.size == message[-1] and (body == number).all()
    for request in sending:
        request.wait()
